# SPDX-License-Identifier: BSD-2-Clause
"""Clients of the API that hold places, time and memory keep nobody else out."""

import fcntl
import json
import os
import resource
import socket
import struct
import termios
import threading

import pytest

import gaz

PLACES = 1024
HEAD = (b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Route53AutoNaming_v20170314."
        b"ListNamespaces\r\nContent-Length: 1000000\r\n")


@pytest.fixture(autouse=True)
def descriptors():
    """Room for some thousand sockets of our own."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def dial(daemon, way, buffer=None):
    """A connection to the API that does not wait for anything."""
    family = socket.AF_INET if way == "tcp" else socket.AF_UNIX
    sock = socket.socket(family, socket.SOCK_STREAM)
    if buffer:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.settimeout(gaz.PATIENCE)
    sock.connect(daemon.apis[0] if way == "tcp" else str(daemon.socket))
    return sock


class Tricklers:
    """Connections that send an octet of a request each half second; a new one takes the
    place of each that ends."""

    def __init__(self, daemon, way, count):
        self.daemon, self.way, self.count, self.lost = daemon, way, count, 0
        self.socks, self.ended, self.full = [], threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run)

    def turn(self):
        live = []
        for sock in self.socks:
            try:
                sock.send(b"x", socket.MSG_DONTWAIT | socket.MSG_NOSIGNAL)
                live.append(sock)
            except OSError:
                sock.close()
                self.lost += 1
        self.socks = live

    def dial(self):
        # The queue of a listener that does not accept is full at last.
        try:
            sock = dial(self.daemon, self.way)
            sock.setblocking(False)
            sock.send(HEAD[:40])
            self.socks.append(sock)
        except OSError:
            pass

    def run(self):
        while not self.ended.is_set():
            self.turn()
            for _ in range(self.count - len(self.socks)):
                self.dial()
                if self.ended.is_set():
                    return
            if len(self.socks) == self.count:
                self.full.set()
            self.ended.wait(0.5)

    def __enter__(self):
        self.thread.start()
        assert self.full.wait(gaz.PATIENCE)
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        for sock in self.socks:
            sock.close()


def given_up(daemon, reason):
    return daemon.wait_log(f'api-place-given-up reason="{reason}"')


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_tricklers_do_not_keep_a_client_out(daemon, way):
    """All places are taken by connections that never complete a request; somebody comes."""
    with Tricklers(daemon, way, PLACES + 76):
        for _ in range(20):  # a new connection each
            if way == "tcp":
                client = daemon.boto()
                assert client.list_namespaces()["Namespaces"] == []
                client.close()
            assert daemon.unix_api.raw("ListNamespaces").status == 200
    assert given_up(daemon, "all places are taken")
    assert len(daemon.log) < 60


def has_ended(sock):
    sock.setblocking(False)
    try:
        return sock.recv(1) == b""
    except BlockingIOError:
        return False
    except OSError:
        return True


def test_status_counts_connections_that_were_given_up(daemon):
    """As many as have been closed from that end."""
    def count():
        return daemon.unix_api.ok("Gazetteer.GetStatus")["Status"]["ApiGivenUp"]
    assert count() == 0
    many = [dial(daemon, "tcp") for _ in range(PLACES + 10)]
    try:
        gaz.until("the last ones have got places", lambda: count() >= 10)
        number = count()
        assert sum(map(has_ended, many)) == number
        text = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "status"], daemon.home).stdout
        assert ["ApiGivenUp", str(number)] in [line.split() for line in text.splitlines()]
    finally:
        for sock in many:
            sock.close()


class Limited(gaz.Daemon):
    """A daemon that may have few descriptors, as by LimitNOFILE= of systemd."""

    def command(self):
        return ["bash", "-c", 'ulimit -n 240; exec "$@"', "sh", *super().command()]


def test_connections_leave_descriptors_for_others(home):
    """A quarter of them for each way to the API: calls go on, and DNS over TCP, too."""
    daemon = Limited(home, "--workers", "1", ephemeral=True)
    daemon.start()
    held = []
    try:
        for way in "tcp", "unix":
            held += [dial(daemon, way) for _ in range(240)]
        daemon.api.public("x.example")
        assert daemon.unix_api.raw("ListNamespaces").status == 200
        assert daemon.ask("x.example", "SOA", source=None, tcp=True).answer
        assert len(os.listdir(f"/proc/{daemon.process.pid}/fd")) <= 180
        assert not daemon.wait_log("api-accept-failed", patience=0)
    finally:
        for sock in held:
            sock.close()
        daemon.finish()


# AddressSanitizer keeps 256 MiB of what has been freed, unless told otherwise.
THRIFTY = {"ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=4"}


def resident(daemon):
    """Octets of memory that the daemon has."""
    with open(f"/proc/{daemon.process.pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


@pytest.fixture
def large(start):
    """A daemon with a service of which a reply of some ten megabytes tells."""
    daemon = start("--quota", "instances-per-service=0", ephemeral=True, env=THRIFTY)
    api = daemon.api
    service = api.serve(api.http("large"), "web")
    conn = api.connect()
    attributes = {f"a{number}": '"' * 1000 for number in range(4)}
    for number in range(1000):
        operation = api.ok("RegisterInstance", conn=conn, ServiceId=service,
                           InstanceId=f"i{number}", Attributes=attributes)["OperationId"]
    api.wait(operation)
    conn.close()
    return daemon


def ask_for_all(daemon, way):
    """Asks for the large reply, over a connection that holds little of it."""
    sock = dial(daemon, way, 4096)
    body = json.dumps({"NamespaceName": "large", "ServiceName": "web",
                       "MaxResults": 1000}).encode()
    sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Route53AutoNaming_v20170314."
                 b"DiscoverInstances\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    assert sock.recv(16).startswith(b"HTTP/1.1 200")
    return sock


def read_to_end(sock, size=1 << 20):
    total = 0
    while True:
        try:
            data = sock.recv(size)
        except OSError:
            return total
        if not data:
            return total
        total += len(data)


@pytest.mark.parametrize("way", ["tcp", "unix"])
def test_replies_that_nobody_takes_have_a_common_limit(large, way):
    """Those that have been waiting longest are closed; who reads is served."""
    before, held = resident(large), []
    try:
        for _ in range(60):
            held.append(ask_for_all(large, way))
        grown = resident(large) - before
        assert grown < 256 << 20
        assert large.api.raw("ListNamespaces").status == 200
        found = large.boto().discover_instances(NamespaceName="large", ServiceName="web",
                                                MaxResults=1000)
        assert len(found["Instances"]) == 1000
        assert given_up(large, "too much is held")
        # The last one is still there as a whole, the first one not.
        held[0].settimeout(gaz.PATIENCE)
        assert read_to_end(held[0]) < 8000000
        held[-1].settimeout(2)
        assert read_to_end(held[-1]) > 8000000
    finally:
        for sock in held:
            sock.close()


def test_what_has_been_taken_of_a_reply_is_no_more_in_memory(large):
    """Those who stop before the end of a large reply hold the rest of it, not all."""
    before, held = resident(large), []
    try:
        for _ in range(40):
            held.append(ask_for_all(large, "unix"))
            taken = 0
            while taken < 7500000:
                taken += len(held[-1].recv(1 << 20))
        assert resident(large) - before < 128 << 20
    finally:
        for sock in held:
            sock.close()


def test_client_that_has_sent_its_last_gets_a_whole_reply(large):
    """Half-closed: what does not go out at once goes out as well."""
    with ask_for_all(large, "tcp") as sock:
        sock.shutdown(socket.SHUT_WR)
        assert read_to_end(sock, 100000) > 8000000


@pytest.mark.parametrize("rest", [b"\r\n" + b" " * 999999, b":\n" * 16000],
                         ids=["body", "header"])
def test_requests_that_are_not_complete_have_a_common_limit(start, rest):
    """Bodies that lack their last octet, and very many header lines."""
    daemon = start(ephemeral=True, env=THRIFTY)
    before, held = resident(daemon), []
    try:
        for _ in range(400):
            sock = dial(daemon, "tcp")
            held.append(sock)
            try:
                sock.sendall(HEAD + rest)
            except OSError:
                pass
        assert daemon.boto().list_namespaces()["Namespaces"] == []
        assert given_up(daemon, "too much is held")
        assert resident(daemon) - before < 256 << 20
    finally:
        for sock in held:
            sock.close()


def test_many_connections_do_not_hurry_who_takes_a_backup(large):
    """As when its disk is slow for a while: others, that came later, are closed meanwhile."""
    many = [dial(large, "tcp") for _ in range(300)]
    try:
        with dial(large, "unix", 4096) as sock:
            sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: Gazetteer.Backup\r\n"
                         b"Content-Length: 2\r\n\r\n{}")
            data = sock.recv(4096)
            for _ in range(2):
                with dial(large, "tcp") as late:
                    assert late.recv(1) == b""
            head, rest = data.split(b"\r\n\r\n", 1)
            length = int(head.split(b"Content-Length: ")[1].split(b"\r\n")[0])
            assert len(rest) + read_to_end(sock) == length
    finally:
        for sock in many:
            sock.close()


def send_and_wait(sock, data):
    """To a daemon on this machine: returns when it has read the data by themselves."""
    sock.sendall(data)
    while struct.unpack("i", fcntl.ioctl(sock, termios.TIOCOUTQ, b"\0" * 4))[0] > 0:
        pass


def test_request_of_whole_small_chunks_is_served(start):
    """Each read alone, but with its end: that keeps nothing of the memory it was read into."""
    daemon = start(ephemeral=True, env=THRIFTY)
    before = resident(daemon)
    with dial(daemon, "unix") as sock:
        sock.sendall(HEAD.replace(b"Content-Length: 1000000", b"Transfer-Encoding: chunked") +
                     b"\r\n")
        for _ in range(40000):
            send_and_wait(sock, b"1\r\n \r\n")
        assert resident(daemon) - before < 16 << 20
        sock.sendall(b"2\r\n{}\r\n0\r\n\r\n")
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")
    assert daemon.unix_api.ok("Gazetteer.GetStatus")["Status"]["ApiGivenUp"] == 0


@pytest.mark.parametrize("chunk", [b"\r\n1\r\n ", b"\r\n1\r\n\n", b"\n2\n\r\n",
                                   b"\r\n\n\r\n1\r\n\n"],
                         ids=["blank", "line-end", "line-end-of-two", "behind-empty-lines"])
def test_request_of_very_small_chunks_has_a_limit(daemon, chunk):
    """Each chunk of one octet that is read alone keeps the memory it was read into; also
    those that look like the end of a line. With 16 MiB it ends at once, however fast the
    chunks come."""
    before = resident(daemon)
    count = 0
    with dial(daemon, "unix") as sock:
        sock.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n ")
        try:
            while count < 100000:
                send_and_wait(sock, chunk)
                count += 1
        except OSError:
            pass
        assert given_up(daemon, "the request needs too much memory")
        assert 15000 < count < 17000
        assert resident(daemon) - before < 64 << 20
    assert daemon.unix_api.raw("ListNamespaces").status == 200
