# SPDX-License-Identifier: BSD-2-Clause
"""A resolver that the tests run themselves, over UDP and TCP, as good or as bad as they
want it."""

import socket
import struct
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

import gaz

SOA = "example. {ttl} IN SOA ns.example. host.example. 1 3600 600 86400 {ttl}"


class Resolver:
    """`answers` maps (name, type) to lines as in a zone file, or to a function that gives
    the reply as octets (None: no reply) to (query, is_tcp). Other names do not exist.
    `asked` has the (name, type) of every query, `queries` the messages themselves."""

    def __init__(self, address="127.0.0.1", port=0):
        self.answers, self.asked, self.queries = {}, [], []
        self.over_tcp = []
        self.negative_ttl = 60
        self.host = address
        self.conns = set()
        self._open(address, port)

    def _open(self, address, port):
        for _ in range(50):  # one port for both
            self.udp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.udp.bind((address, port))
            self.port = self.udp.getsockname()[1]
            self.tcp = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            self.tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self.tcp.bind((address, self.port))
                break
            except OSError:
                self.udp.close()
                self.tcp.close()
                assert port == 0, f"port {port} is taken"
        self.tcp.listen(50)
        self.address = f"{address}:{self.port}"
        self.threads = [threading.Thread(target=self._serve_udp),
                        threading.Thread(target=self._serve_tcp)]
        for thread in self.threads:
            thread.start()

    def give(self, name, rdtype, *data, ttl=60):
        self.answers[name, rdtype] = [f"{name}. {ttl} IN {rdtype} {text}" for text in data]

    def count(self, name, rdtype="A"):
        return self.asked.count((name, rdtype))

    def _serve_udp(self):
        while True:
            wire, peer = self.udp.recvfrom(4096)
            if not wire:
                return
            reply = self._answer(wire, False)
            if reply is not None:
                self.udp.sendto(reply, peer)

    def _serve_tcp(self):
        while True:
            conn, _ = self.tcp.accept()
            if not self.threads:
                conn.close()
                return
            self.conns.add(conn)
            threading.Thread(target=self._serve_conn, args=(conn,)).start()

    def _serve_conn(self, conn):
        try:
            while True:
                reply = self._answer(gaz.read_tcp(conn), True)
                if reply is not None:
                    conn.sendall(struct.pack("!H", len(reply)) + reply)
        except (EOFError, OSError):
            self.conns.discard(conn)
            conn.close()

    def _answer(self, wire, is_tcp):
        query = dns.message.from_wire(wire)
        question = query.question[0]
        key = (question.name.to_text(omit_final_dot=True).lower(),
               dns.rdatatype.to_text(question.rdtype))
        self.queries.append(query)
        if is_tcp:
            self.over_tcp.append(key)
        self.asked.append(key)
        answer = self.answers.get(key)
        if callable(answer):
            return answer(query, is_tcp)
        return self._reply(query, answer, is_tcp)

    def _reply(self, query, lines, is_tcp):
        reply = dns.message.make_response(query, recursion_available=True)
        if lines is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        if not lines:
            reply.authority = rrsets([SOA.format(ttl=self.negative_ttl)])
        else:
            reply.answer = rrsets(lines)
        wire = reply.to_wire(max_size=65535)
        room = 65535 if is_tcp else max(512, query.payload)
        if len(wire) > room:
            reply.answer = []
            reply.flags |= dns.flags.TC
            wire = reply.to_wire()
        return wire

    def close(self):
        """Nobody listens at the address any more."""
        if not self.threads:
            return
        threads, self.threads = self.threads, []
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", (self.host, self.port))
        socket.create_connection((self.host, self.port)).close()
        for thread in threads:
            thread.join(gaz.PATIENCE)
            assert not thread.is_alive()
        for conn in list(self.conns):
            conn.shutdown(socket.SHUT_RDWR)
        self.udp.close()
        self.tcp.close()

    def reopen(self):
        """Listen again, at the same port."""
        self._open(self.host, self.port)


def rrsets(lines):
    """Lines of a zone file as RRsets, in their order."""
    found = []
    for line in lines:
        name, ttl, rdclass, rdtype, data = line.split(None, 4)
        for rrset in found:
            if rrset.name.to_text() == name and dns.rdatatype.to_text(rrset.rdtype) == rdtype:
                rrset.add(dns.rdata.from_text(rdclass, rdtype, data))
                break
        else:
            found.append(dns.rrset.from_text(name, int(ttl), rdclass, rdtype, data))
    return found
