# SPDX-License-Identifier: BSD-2-Clause
"""Listeners: handed over by the service manager, or taken by somebody else."""

import contextlib
import os
import re
import socket
import subprocess

import dns.message
import pytest

import gaz
import resolver
from gaz import GAZETTEERD

ACTIVATE = "systemd-socket-activate"


def bound(kind, address="127.0.0.1", port=0):
    sock = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)
    sock.bind((address, port))
    if kind == socket.SOCK_STREAM:
        sock.listen(16)
    return sock


def pair(address="127.0.0.1"):
    """UDP and TCP sockets of one port."""
    while True:
        tcp = bound(socket.SOCK_STREAM, address)
        try:
            return bound(socket.SOCK_DGRAM, address, tcp.getsockname()[1]), tcp
        except OSError:
            tcp.close()


class Activated(gaz.Daemon):
    """A daemon that gets these sockets as systemd hands them over: as descriptors from
    3 on, in its own environment. They stay open here, as they do in systemd."""

    def __init__(self, home, sockets, *options, pid="$$", **kwargs):
        super().__init__(home, *options, **kwargs)
        self.sockets, self.pid = sockets, pid

    def command(self):
        # The shell moves them to where they belong, then becomes the daemon.
        args = super().command()
        if not self.listen:
            args = [a for a in args if a != "--listen"]
        high = [sock.fileno() for _, sock in self.sockets]
        moves = " ".join(f"{100 + i}<&{fd}" for i, fd in enumerate(high))
        final = " ".join(f"{3 + i}<&{100 + i} {100 + i}<&-" for i in range(len(high)))
        names = ":".join(name for name, _ in self.sockets)
        script = (f'exec {moves}; exec {final}; export LISTEN_PID={self.pid} '
                  f'LISTEN_FDS={len(high)} LISTEN_FDNAMES={names}; exec "$@"')
        return ["bash", "-c", script, "sh", *args]

    def start(self):
        for _, sock in self.sockets:
            os.set_inheritable(sock.fileno(), True)
        real = subprocess.Popen

        def popen(*args, **kwargs):
            return real(*args, pass_fds=[s.fileno() for _, s in self.sockets], **kwargs)
        subprocess.Popen = popen
        try:
            return super().start()
        finally:
            subprocess.Popen = real


def unix_listener(path):
    sock = socket.socket(socket.AF_UNIX)
    sock.bind(str(path))
    sock.listen(16)
    return sock


@pytest.mark.parametrize("workers", ["1", "3"])
def test_sockets_of_the_service_manager_are_served(home, workers):
    """DNS, the API and the management socket; nothing else is opened."""
    udp, tcp = pair()
    api, path = bound(socket.SOCK_STREAM), f"{home}/handed.sock"
    unix = unix_listener(path)
    daemon = Activated(home, [("dns", udp), ("dns", tcp), ("api-tcp", api), ("x", unix)],
                       "--workers", workers, listen=(), api=())
    daemon.socket = path
    daemon.start()
    try:
        assert daemon.dns == [udp.getsockname()]
        assert daemon.apis == [api.getsockname()]
        assert daemon.ready["socket"] == path
        namespace = daemon.api.public("a.example")
        service = daemon.unix_api.service(namespace, "web")
        daemon.unix_api.register(service, "i", "10.0.0.1")
        for tcp_too in (False, True):
            for _ in range(10):
                assert gaz.addresses(daemon.ask("web.a.example", tcp=tcp_too)) == ["10.0.0.1"]
        env = open(f"/proc/{daemon.process.pid}/environ").read()
        assert "LISTEN_FDS" in env  # it came that way
        # The service manager goes on listening: a client that comes now is served by
        # the next process.
        daemon.stop()
        assert os.path.exists(path)
        with socket.create_connection(api.getsockname(), timeout=gaz.PATIENCE), \
                socket.create_connection(udp.getsockname(), timeout=gaz.PATIENCE) as waiting:
            wire = gaz.query("web.a.example").to_wire()
            waiting.sendall(len(wire).to_bytes(2, "big") + wire)
            daemon.start()
            assert gaz.read_tcp(waiting)[:2] == wire[:2]
        assert daemon.unix_api.ok("ListNamespaces")["Namespaces"]
    finally:
        daemon.finish()
        for sock in (udp, tcp, api, unix):
            sock.close()


def test_a_listen_option_gives_its_vpc_to_the_socket(home):
    """An address that is named too is not opened a second time."""
    udp, tcp = pair("127.0.53.1")
    address = "%s:%d" % udp.getsockname()
    daemon = Activated(home, [("dns", udp), ("dns", tcp)],
                       listen=(f"{address}=vpc-blue", "127.0.0.1:0"))
    daemon.start()
    try:
        assert daemon.dns[0] == udp.getsockname() and len(daemon.dns) == 2
        daemon.api.private("b.example", "vpc-blue")
        assert daemon.ask("b.example", "SOA", source=None, listener=0).answer
        assert not daemon.ask("b.example", "SOA", source="127.0.0.1", listener=1).answer
    finally:
        daemon.finish()
        udp.close()
        tcp.close()


def wildcards(v6only):
    """UDP and TCP sockets of one port, for every IPv6 address, or IPv4 as well."""
    while True:
        socks = [socket.socket(socket.AF_INET6, kind)
                 for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM)]
        for sock in socks:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, v6only)
        try:
            socks[1].bind(("::", 0))
            socks[0].bind(socks[1].getsockname())
            socks[1].listen(16)
            return socks
        except OSError:
            for sock in socks:
                sock.close()


@pytest.mark.parametrize("v6only", [True, False])
def test_sockets_for_both_families_are_no_upstream_of_either(home, v6only):
    """With BindIPv6Only=ipv6-only the IPv4 address may be somebody else's."""
    udp, tcp = wildcards(v6only)
    port = udp.getsockname()[1]
    daemon = Activated(home, [("dns", udp), ("dns", tcp)], "--forward", f"127.0.83.23:{port}",
                       listen=())
    try:
        if v6only:
            daemon.start()
        else:
            with pytest.raises(AssertionError, match="is this server itself"):
                daemon.start()
            daemon.kill()
    finally:
        daemon.finish()
        udp.close()
        tcp.close()


@pytest.mark.parametrize("wildcard,asked", [("0.0.0.0", "127.0.53.7"), ("::", "::1")])
@pytest.mark.parametrize("option", [29, 35])  # SO_TIMESTAMP, SO_TIMESTAMPNS
def test_sockets_with_timestamps_are_served(home, wildcard, asked, option):
    """Timestamping= of a socket unit: replies come all the same, those of upstreams too,
    and from the address that was asked."""
    with contextlib.closing(resolver.Resolver()) as upstream:
        upstream.give("www.elsewhere.example", "A", "192.0.2.1")
        udp, tcp = pair(wildcard)
        udp.setsockopt(socket.SOL_SOCKET, option, 1)
        port = udp.getsockname()[1]
        daemon = Activated(home, [("dns", udp), ("dns", tcp)], "--forward", upstream.address,
                           listen=())
        daemon.start()
        try:
            with socket.socket(udp.family, socket.SOCK_DGRAM) as sock:
                sock.settimeout(gaz.PATIENCE)
                for name in "x.localhost", "www.elsewhere.example":
                    sock.sendto(gaz.query(name, rd=True).to_wire(), (asked, port))
                    wire, source = sock.recvfrom(65535)
                    assert source[:2] == (asked, port)
                    assert dns.message.from_wire(wire).question[0].name.to_text() == f"{name}."
            assert gaz.addresses(dns.message.from_wire(wire)) == ["192.0.2.1"]
        finally:
            daemon.finish()
            udp.close()
            tcp.close()


def test_sockets_for_another_process_are_left_alone(home):
    """LISTEN_PID decides."""
    udp, tcp = pair()
    daemon = Activated(home, [("dns", udp), ("dns", tcp)], pid="1")
    daemon.start()
    try:
        assert daemon.dns != [udp.getsockname()]
    finally:
        daemon.finish()
        udp.close()
        tcp.close()


def refused(home, sockets):
    daemon = Activated(home, sockets, listen=(), api=("127.0.0.1:0",))
    with pytest.raises(AssertionError) as error:
        daemon.start()
    daemon.process.wait(gaz.PATIENCE)
    daemon.reader.join()
    daemon.process = None
    return str(error.value)


def test_a_wrong_socket_unit_is_explained(home):
    """Half a pair, a UDP socket for the API, no socket at all."""
    udp, tcp = pair()
    assert "ListenStream=127.0.0.1:" in refused(home, [("dns", udp)])
    assert "ListenDatagram=127.0.0.1:" in refused(home, [("dns", tcp)])
    assert "neither DNS" in refused(home, [("api", udp)])
    with open(f"{home}/file", "w", encoding="ascii") as file:
        assert "no socket" in refused(home, [("dns", file)])
    udp.close()
    tcp.close()


def test_a_real_activator(home):
    """systemd's own, which waits for the first connection."""
    _, tcp = pair()
    port = tcp.getsockname()[1]
    tcp.close()
    _.close()
    command = [ACTIVATE, "--listen", f"127.0.0.1:{port}", "--fdname", "api", GAZETTEERD,
               "--listen", "127.0.0.1:0", "--ephemeral", "--socket", f"{home}/s.sock"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True,
                               env=gaz.clean_env(home))
    try:
        assert re.match("Listening on ", process.stderr.readline())
        api = gaz.Api(tcp=("127.0.0.1", port))
        assert api.ok("ListNamespaces")["Namespaces"] == []
    finally:
        process.terminate()
        text = process.stderr.read()
        process.stderr.close()
        assert process.wait(gaz.PATIENCE) == 0
    assert f"api=127.0.0.1:{port} " in text


# ---- taken by somebody else ----

def holder_name():
    with open("/proc/self/comm", encoding="ascii") as file:
        return f"{file.read().strip()} (pid {os.getpid()})"


@pytest.mark.parametrize("kind", [socket.SOCK_DGRAM, socket.SOCK_STREAM])
def test_the_owner_of_a_port_is_named(home, kind):
    """For DNS by UDP or TCP, and for the API."""
    with bound(kind) as taken:
        address = "%s:%d" % taken.getsockname()
        text = gaz.refused_start(home, "--ephemeral", "--listen", address, "--api", "none",
                                 "--socket", f"{home}/s.sock", expect=1)
        assert f"{address} is in use by {holder_name()}" in text and "--listen" in text
        if kind == socket.SOCK_STREAM:
            text = gaz.refused_start(home, "--ephemeral", "--listen", "127.0.0.1:0", "--api",
                                     address, "--socket", f"{home}/s.sock", expect=1)
            assert holder_name() in text and "--api" in text


def test_best_effort_starts_with_what_there_is(start):
    """What is left out is logged with its owner; of DNS one address is needed."""
    with bound(socket.SOCK_STREAM) as taken:
        address = "%s:%d" % taken.getsockname()
        daemon = start("--best-effort", listen=(address, "127.0.0.1:0", "192.0.2.1:0"),
                       api=(address, "127.0.0.1:0"))
        assert len(daemon.dns) == 1 and len(daemon.apis) == 1
        skipped = [line for line in daemon.log if "listener-skipped" in line]
        assert len(skipped) == 3
        assert sum(f"{address} " in line and holder_name() in line for line in skipped) == 2
        assert sum("192.0.2.1" in line for line in skipped) == 1
        daemon.api.public("a.example")
        assert daemon.ask("a.example", "SOA").answer
        status = daemon.api.ok("Gazetteer.GetStatus")["Status"]
        assert status["DnsAddresses"] == daemon.ready["dns"]
        text = gaz.refused_start(daemon.home, "--best-effort", "--ephemeral", "--listen",
                                 address, "--socket", f"{daemon.home}/s.sock", expect=1)
        assert "none of the addresses" in text
