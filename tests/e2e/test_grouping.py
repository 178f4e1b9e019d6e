# SPDX-License-Identifier: BSD-2-Clause
"""Replies to one client leave together: each comes once, and from where it was asked."""

import contextlib
import os
import select
import socket
import struct
import subprocess
import sys

import dns.flags
import dns.message
import pytest

import gaz
import netns

COUNT = 64
ZONE = """@ 60 IN SOA a b 1 2 3 4 5
@ 60 IN NS a.
"""


def write_zone(folder):
    """Names of one length: s00 has one address, m00 as many as its number says, and
    l00 so many that the reply has about 1,100 octets."""
    os.mkdir(folder)
    with open(f"{folder}/group.example.zone", "w", encoding="ascii") as file:
        file.write(ZONE)
        for number in range(COUNT):
            for kind, count in ("s", 1), ("m", number + 1), ("l", 66):
                for i in range(count):
                    file.write(f"{kind}{number:02} 60 IN A 10.{number}.0.{i}\n")


SIZES = {"s": lambda n: 1, "m": lambda n: n + 1, "l": lambda n: 66}


def wires(kinds, count=COUNT, edns=1232):
    """(id, name, wire) of a burst; the ids say nothing about the order."""
    found = []
    for i in range(count):
        message = gaz.query(f"{kinds[i % len(kinds)]}{i % COUNT:02}.group.example", edns=edns)
        message.id = (i * 40503 + 77) % 65536
        found.append((message.id, message.question[0].name.to_text()[:3], message.to_wire()))
    return found


def burst(sock, server, queries):
    """Send all at once, take what comes: exactly one good reply for each, from there."""
    open_ids = {}
    for number, name, wire in queries:
        assert number not in open_ids
        open_ids[number] = name
        sock.sendto(wire, server)
    while open_ids:
        wire, source = sock.recvfrom(65535)
        assert source[:2] == server[:2]
        reply = dns.message.from_wire(wire)
        name = open_ids.pop(reply.id)  # a second one is not there any more
        assert reply.question[0].name.to_text()[:3] == name
        assert len(gaz.addresses(reply)) == SIZES[name[0]](int(name[1:]))
    assert not select.select([sock], [], [], 0)[0]


def client(family=socket.AF_INET, bind=None):
    sock = socket.socket(family, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    sock.settimeout(gaz.PATIENCE)
    if bind:
        sock.bind(bind)
    return sock


def status(daemon):
    return daemon.unix_api.ok("Gazetteer.GetStatus")["Status"]


def grouped(daemon, work):
    """How many more replies left in company by that; all of it was answered."""
    before = status(daemon)
    sent = work()
    after = gaz.until("the counters", lambda: (
        lambda now: now["UdpQueries"] - before["UdpQueries"] >= sent and now)(status(daemon)))
    assert after["Answered"] - before["Answered"] == sent
    assert after["Dropped"] == before["Dropped"]
    return after["UdpGrouped"] - before["UdpGrouped"]


def until_grouped(daemon, sock, server, queries):
    """Whether a burst is met in one batch is the machine's decision: again, until it is."""
    def once():
        burst(sock, server, queries)
        return len(queries)
    return gaz.until("replies leave together", lambda: grouped(daemon, once))


@pytest.fixture
def zones(home):
    write_zone(f"{home}/zones")
    return f"{home}/zones"


@pytest.mark.parametrize("gather", ["0", "60", "1000"])
@pytest.mark.parametrize("kinds", ["s", "m", "sm", "l"])
@pytest.mark.parametrize("listen", ["127.0.0.1:0", "[::1]:0"])
def test_replies_of_a_burst_come_once_each(start, zones, listen, kinds, gather):
    """Of one length, of all lengths, of both, long ones; over IPv4 and IPv6."""
    daemon = start("--zones", zones, "--workers", "1", "--udp-gather", gather,
                   listen=[listen])
    family = socket.AF_INET6 if "[" in listen else socket.AF_INET
    with client(family) as sock:
        until_grouped(daemon, sock, daemon.dns[0], wires(kinds))


@pytest.mark.parametrize("wildcard,addresses", [
    ("0.0.0.0:0", ("127.0.0.1", "127.0.0.2", "127.0.0.3")), ("[::]:0", ("::1",))])
def test_replies_leave_from_the_address_that_was_asked(start, zones, wildcard, addresses):
    """Two queries to each address by turns: burst() looks at where replies come from."""
    daemon = start("--zones", zones, "--workers", "1", listen=[wildcard])
    family = socket.AF_INET6 if ":" in addresses[0] else socket.AF_INET
    port = daemon.dns[0][1]
    with client(family) as sock:
        def mixed():
            open_ids = {}
            for i, (number, _, wire) in enumerate(wires("s")):
                open_ids[number] = addresses[i // 2 % len(addresses)]
                sock.sendto(wire, (open_ids[number], port))
            while open_ids:
                wire, source = sock.recvfrom(65535)
                assert source[0] == open_ids.pop(struct.unpack("!H", wire[:2])[0])
            return COUNT
        gaz.until("replies leave together", lambda: grouped(daemon, mixed))


def test_a_port_for_each_query_is_answered_alone(start, zones):
    """Nothing to group, so no rest that pays."""
    daemon = start("--zones", zones, "--workers", "1")
    with contextlib.ExitStack() as stack:
        socks = [stack.enter_context(client()) for _ in range(COUNT)]

        def once():
            for sock, (_, _, wire) in zip(socks, wires("s")):
                sock.sendto(wire, daemon.dns[0])
            for sock, (number, _, _) in zip(socks, wires("s")):
                assert dns.message.from_wire(sock.recv(65535)).id == number
            return COUNT
        assert sum(grouped(daemon, once) for _ in range(20)) == 0


def test_one_query_at_a_time_never_lets_queries_gather(start, zones):
    daemon = start("--zones", zones, "--workers", "1")
    with client() as sock:
        for query in wires("s", 1000):
            burst(sock, daemon.dns[0], [query])
    after = status(daemon)
    assert after["Answered"] == 1000
    assert after["UdpRests"] == after["UdpGrouped"] == 0


def flood(daemon, enough):
    """Many queries under way from one socket, until `enough` says so."""
    under_way = 256
    query = [wire for _, _, wire in wires("s", under_way)]
    with client() as sock:
        for wire in query:
            sock.sendto(wire, daemon.dns[0])
        for number in range(10 ** 7):
            sock.recv(65535)
            sock.sendto(query[number % under_way], daemon.dns[0])
            if number % 10000 == 0 and enough(status(daemon)):
                return
    raise AssertionError("in vain")


def test_queries_of_a_busy_client_may_gather(start, zones):
    """The option takes it away: then the worker never rests."""
    daemon = start("--zones", zones, "--workers", "1", "--udp-gather", "0")
    flood(daemon, lambda now: now["UdpQueries"] > 30000)
    assert status(daemon)["UdpRests"] == 0 < status(daemon)["UdpGrouped"]


def test_gather_is_bounded(home):
    for value in "1001", "-1", "much", "":
        assert "--udp-gather" in gaz.refused_start(home, "--udp-gather", value, expect=2)


CLIENT = """
import sys; sys.path[:0] = [{folder!r}]
import test_grouping as t
with t.client(bind=("10.9.0.2", 0)) as sock:
    for kinds in "s", "l", "sl", "m":
        for _ in range(20):
            t.check_small(sock, ("10.9.0.1", 53), kinds)
"""


def check_small(sock, server, kinds):
    """Replies that do not fit the network are truncated; each comes once all the same."""
    queries = wires(kinds)
    open_ids = {number: name for number, name, _ in queries}
    for _, _, wire in queries:
        sock.sendto(wire, server)
    while open_ids:
        reply = dns.message.from_wire(sock.recv(65535))
        name = open_ids.pop(reply.id)
        count = SIZES[name[0]](int(name[1:]))
        fits = 19 + 16 + count * 16 + 11 + 28 <= 600  # what stands before and behind
        assert bool(reply.flags & dns.flags.TC) == (not fits)
        assert len(gaz.addresses(reply)) == (count if fits else 0)


def test_network_that_carries_no_long_replies(home, zones):
    """A wire with an MTU of 600: groups of long replies are refused, these are truncated
    one by one, and short ones leave together all the same."""
    with netns.machines(2) as (server, far):
        server.wire(far, "10.9.0.1/24", "10.9.0.2/24")
        links = subprocess.run([*server.prefix, "ip", "-o", "link"], check=True, text=True,
                               capture_output=True, timeout=gaz.PATIENCE).stdout
        (link,) = [line.split()[1].split("@")[0] for line in links.splitlines()
                   if "@" in line and "state UP" in line]
        server.ip("link", "set", link, "mtu", 600)
        daemon = server.daemon(f"{home}/d", "--zones", zones, "--workers", "1",
                               listen=["10.9.0.1:53"])
        os.mkdir(daemon.home)
        daemon.start()
        try:
            done = subprocess.run(
                [*far.prefix, sys.executable, "-c",
                 CLIENT.format(folder=os.path.dirname(__file__))], check=False, text=True,
                capture_output=True, timeout=2 * gaz.PATIENCE)
            assert done.returncode == 0, done.stderr
            after = status(daemon)
            assert after["Answered"] == after["UdpQueries"] == 4 * 20 * COUNT
            assert after["Truncated"] > 0 < after["UdpGrouped"] and after["Dropped"] == 0
        finally:
            daemon.finish()
