# SPDX-License-Identifier: BSD-2-Clause
"""Endpoints that health checks look at: TCP, HTTP and HTTPS on a loopback address of
their own, so that nobody takes the port while they are down; some of them are rude."""

import itertools
import os
import selectors
import socket
import ssl
import struct
import subprocess
import threading
import time

_numbers = itertools.count(1)


def own_address():
    """A loopback address that no other endpoint, process or listener uses."""
    pid = os.getpid()
    return f"127.{64 + pid % 128}.{pid // 128 % 256}.{next(_numbers) % 254 + 1}"


def make_certificate(home):
    """A self-signed certificate; gives the server's context."""
    path = os.path.join(home, "endpoint.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt",
                    "ec_paramgen_curve:prime256v1", "-nodes", "-subj", "/CN=nobody",
                    "-days", "2", "-keyout", path, "-out", path + ".crt"],
                   check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path + ".crt", path)
    return context


def status(code, *headers):
    lines = [f"HTTP/1.1 {code} Whatever", "Content-Length: 0", *headers, "", ""]
    return "\r\n".join(lines).encode()


class Endpoint:
    """`answer` is called with the path of a request and gives bytes, or an iterator of
    them that is sent as long as the other side takes it, or None: nothing, ever. A mute
    one accepts and does nothing else, but counts who has not hung up."""

    def __init__(self, answer=None, tls=None, address=None, mute=False):
        self.address, self.port = address or own_address(), 0
        self.answer = answer or (lambda path: status(200))
        self.tls, self.mute = tls, mute
        self.requests = []  # the paths, or None for what only connected
        self.heads = []
        self.most_open = 0
        self._open = []
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._threads = []
        self._listener = None
        self.up()

    def attributes(self):
        kind = "AWS_INSTANCE_IPV6" if ":" in self.address else "AWS_INSTANCE_IPV4"
        return {kind: self.address, "AWS_INSTANCE_PORT": str(self.port)}

    def up(self):
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, self.port))
        self.port = listener.getsockname()[1]
        listener.listen(512)
        self._listener = listener
        self._threads.append(threading.Thread(target=self._accept, args=(listener,)))
        self._threads[-1].start()

    def down(self):
        """Connections are refused from now on."""
        # shutdown() wakes the thread, which close() would not.
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def close(self):
        self._over.set()
        try:
            self.down()
        except OSError:
            pass
        for thread in self._threads:
            thread.join(60)
            assert not thread.is_alive(), "an endpoint's thread hangs"

    def __enter__(self):
        return self

    def __exit__(self, *exc):
        self.close()

    def _count_open(self, conn):
        """Connections that the other side has not closed; the newest among them."""
        def is_open(sock):
            try:
                while sock.recv(65536, socket.MSG_DONTWAIT):
                    pass
                return False
            except BlockingIOError:
                return True
            except OSError:
                return False
        self._open = [sock for sock in self._open + [conn] if is_open(sock)]
        self.most_open = max(self.most_open, len(self._open))

    def _accept(self, listener):
        while True:
            try:
                conn, _ = listener.accept()
            except OSError:
                return
            if self.mute:
                self._count_open(conn)
                self.requests.append(None)
                continue
            thread = threading.Thread(target=self._serve, args=(conn,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, conn):
        with conn:
            try:
                conn.settimeout(20)
                if self.tls:
                    conn = self.tls.wrap_socket(conn, server_side=True)
                self._talk(conn)
            except OSError:
                pass
            finally:
                conn.close()

    def _talk(self, conn):
        head = b""
        while b"\r\n\r\n" not in head:
            more = conn.recv(65536)
            if not more:
                break
            head += more
            if not head.startswith(b"GET "[:len(head)]):
                break  # no HTTP: a TLS greeting, which gets its answer at once
        path = head.split(b" ")[1].decode() if head.startswith(b"GET ") else None
        with self._lock:
            self.requests.append(path)
            self.heads.append(head)
        answer = self.answer(path)
        if answer is None:
            self._wait_for_end(conn)
        elif isinstance(answer, bytes):
            conn.sendall(answer)
        else:
            for piece in answer:
                if self._over.is_set():
                    return
                if piece is RESET:
                    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                                    struct.pack("ii", 1, 0))
                    return
                conn.sendall(piece)

    def _wait_for_end(self, conn):
        with selectors.DefaultSelector() as selector:
            selector.register(conn, selectors.EVENT_READ)
            while not self._over.is_set():
                if selector.select(0.05):
                    return


RESET = object()


def garbage(path):
    return b"\x00\xffSSH-2.0-OpenSSH_9.2\r\n" * 4


def endless(first, piece):
    """A first line, then something without an end."""
    return lambda path: itertools.chain([first], itertools.repeat(piece))


def trickle(path):
    """A good answer, too slowly."""
    for octet in status(200) * 100:
        yield bytes([octet])
        time.sleep(0.25)


def reset(path):
    yield RESET


def hang_up(path):
    return b""
