# SPDX-License-Identifier: BSD-2-Clause
"""Views of those who ask through somebody else: EDNS client subnet, PROXY protocol."""

import ipaddress
import socket
import struct

import dns.edns
import dns.message
import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B, rcode

TRUSTED = "127.0.77.1"
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"
NAME = "web.dev.internal"


@pytest.fixture
def viewed(start):
    """The same namespace in two VPCs, with another address in each."""
    def begin(*options, **more):
        daemon = start(*gaz.VPC_OPTIONS, *options, **more)
        for vpc, address in ((VPC_A, "10.0.0.1"), (VPC_B, "10.0.0.2")):
            service = daemon.api.service(daemon.api.private("dev.internal", vpc), "web")
            daemon.api.register(service, "i", address)
        return daemon
    return begin


def seen(reply):
    return gaz.addresses(reply) or rcode(reply)


def ask_for(daemon, subnet, source=TRUSTED, tcp=False, listener=0):
    option = subnet if isinstance(subnet, dns.edns.Option) else dns.edns.ECSOption(*subnet)
    return daemon.ask(NAME, source=source, edns=1232, options=[option], tcp=tcp,
                      listener=listener)


def subnets(reply):
    return [option for option in reply.options if option.otype == dns.edns.ECS]


def test_subnet_of_a_trusted_source_chooses_the_view(viewed):
    """Over both transports, and it comes back with its own length as the scope."""
    daemon = viewed("--subnet-from", "127.0.77.0/24")
    for tcp in (False, True):
        for subnet, length, expected in ((IN_A, 24, ["10.0.0.1"]), (IN_B, 32, ["10.0.0.2"]),
                                         (OUTSIDE, 32, "REFUSED"), ("::", 64, "REFUSED")):
            reply = ask_for(daemon, (subnet, length), tcp=tcp)
            assert seen(reply) == expected
            (option,) = subnets(reply)
            assert (option.srclen, option.scopelen) == (length, length)
    assert seen(daemon.ask(NAME, source=TRUSTED)) == "REFUSED"


def test_subnet_of_others_means_nothing(viewed):
    """Not even when it is malformed; nor does one that wants to be ignored."""
    daemon = viewed("--subnet-from", "127.0.77.0/24")
    reply = ask_for(daemon, (IN_A, 32), source=IN_B)
    assert seen(reply) == ["10.0.0.2"] and not subnets(reply)
    broken = dns.edns.GenericOption(dns.edns.ECS, b"\0")
    assert seen(ask_for(daemon, broken, source=IN_B)) == ["10.0.0.2"]
    unknown = dns.edns.GenericOption(dns.edns.ECS, b"\0\x63\x08\0\x7f")
    reply = ask_for(daemon, unknown)
    assert seen(reply) == "REFUSED" and not subnets(reply)


def test_subnet_wider_than_a_vpc_opens_nothing(viewed):
    """The answer may be passed on to all of the subnet; so it is what all of it sees."""
    daemon = viewed("--subnet-from", TRUSTED)
    for subnet, length, expected in (
            ("127.0.10.0", 24, ["10.0.0.1"]), ("127.0.10.128", 25, ["10.0.0.1"]),
            ("127.0.10.0", 23, "REFUSED"), ("127.0.0.0", 8, "REFUSED"),
            ("0.0.0.0", 0, "REFUSED"), ("127.0.10.255", 32, ["10.0.0.1"])):
        reply = ask_for(daemon, (subnet, length))
        assert seen(reply) == expected
        assert [(o.srclen, o.scopelen) for o in subnets(reply)] == [(length, length)]


@pytest.mark.parametrize("data", [
    "", "00012000", "000120007f0000", "000120007f00000101", "000121007f00000100",
    "000108087f", "000108007fff", "00010700ff", "00028100" + "00" * 17])
def test_malformed_subnet_of_a_trusted_source_is_a_format_error(viewed, data):
    """As RFC 7871, section 6, has it: lengths, scope and the bits behind the prefix."""
    daemon = viewed("--subnet-from", TRUSTED)
    option = dns.edns.GenericOption(dns.edns.ECS, bytes.fromhex(data))
    assert rcode(ask_for(daemon, option)) == "FORMERR"


def test_subnet_comes_before_the_listener_and_that_before_the_source(viewed):
    """Three who know better than the next."""
    daemon = viewed("--subnet-from", TRUSTED, listen=[f"127.0.0.1:0={VPC_B}"])
    assert seen(ask_for(daemon, (IN_A, 32))) == ["10.0.0.1"]
    assert seen(daemon.ask(NAME, source=TRUSTED)) == ["10.0.0.2"]
    assert seen(daemon.ask(NAME, source=IN_A)) == ["10.0.0.2"]


def header(source, command=1, family=None, extra=b"", version=2):
    address = ipaddress.ip_address(source)
    kind = 1 if address.version == 4 else 2
    ports = struct.pack("!HH", 40000, 53)
    data = address.packed * 2 + ports + extra
    family = kind << 4 | 2 if family is None else family
    return SIGNATURE + struct.pack("!BBH", version << 4 | command, family,
                                   len(data)) + data


def through(daemon, head, source=TRUSTED, tcp=False, listener=0):
    """The reply to a query behind a header; None: the connection is closed."""
    message = gaz.query(NAME)
    wire = message.to_wire()
    if tcp:
        with gaz.open_tcp(daemon.dns[listener], source) as sock:
            for octet in head + struct.pack("!H", len(wire)) + wire:
                try:
                    sock.sendall(bytes([octet]))
                except OSError:
                    return None
            try:
                reply = gaz.read_tcp(sock)
            except (EOFError, ConnectionError):
                return None
    else:
        reply = gaz.exchange_udp(head + wire, daemon.dns[listener], source)
    reply = dns.message.from_wire(reply)
    assert message.is_response(reply)
    return reply


def test_proxy_tells_who_asks(viewed):
    """Its word decides over source and listener, over UDP and TCP."""
    daemon = viewed("--proxy-from", "127.0.77.0/24", listen=["127.0.0.1:0",
                                                             f"127.0.0.1:0={VPC_B}"])
    for tcp in (False, True):
        for source, expected in ((IN_A, ["10.0.0.1"]), (IN_B, ["10.0.0.2"]),
                                 (OUTSIDE, "REFUSED"), ("2001:db8::1", "REFUSED"),
                                 ("::ffff:" + IN_A, ["10.0.0.1"])):
            for listener in (0, 1):
                reply = through(daemon, header(source), tcp=tcp, listener=listener)
                assert seen(reply) == expected
        assert seen(through(daemon, header(IN_A, extra=b"\x04\0\1\0" * 50), tcp=tcp)) == \
            ["10.0.0.1"]
        # The proxy for itself, or for a family that is none of ours.
        for local in (header(IN_A, command=0), header(IN_A, family=0)):
            assert seen(through(daemon, local, tcp=tcp)) == "REFUSED"
            assert seen(through(daemon, local, tcp=tcp, listener=1)) == ["10.0.0.2"]


def test_several_queries_behind_one_header(viewed):
    """The header stands at the beginning of a connection, and nowhere else."""
    daemon = viewed("--proxy-from", TRUSTED)
    wire = gaz.query(NAME).to_wire()
    framed = struct.pack("!H", len(wire)) + wire
    with gaz.open_tcp(daemon.dns[0], TRUSTED) as sock:
        sock.sendall(header(IN_A) + framed * 3)
        for _ in range(3):
            assert seen(dns.message.from_wire(gaz.read_tcp(sock))) == ["10.0.0.1"]


def test_proxy_must_send_a_good_header(viewed):
    """Without one nobody is answered: the proxy's own address would open the wrong view."""
    daemon = viewed("--proxy-from", f"{TRUSTED},{IN_A}/32")
    bad = [b"", header(IN_A, version=1), header(IN_A, command=2),
           header(IN_A, extra=bytes(600)),
           SIGNATURE + b"\x21\x11\0\4\x7f\0\0\1"]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.bind((IN_A, 0))
        sock.connect(daemon.dns[0])
        wire = gaz.query(NAME).to_wire()
        for head in bad:
            sock.send(head + wire)
        sock.send(header(IN_A)[:20])
        sock.send(header(IN_A) + wire)  # the only one that is answered, and so the first
        assert seen(dns.message.from_wire(sock.recv(4096))) == ["10.0.0.1"]
        sock.setblocking(False)
        with pytest.raises(BlockingIOError):
            sock.recv(4096)
    for head in bad:
        if head:  # else it is waited for
            assert through(daemon, head, tcp=True) is None
    assert seen(daemon.ask(NAME, source=IN_B)) == ["10.0.0.2"]


def test_header_of_others_is_no_query(viewed):
    """Whoever is not a proxy of ours cannot speak for others."""
    daemon = viewed("--proxy-from", TRUSTED)
    message = gaz.query(NAME).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.bind((IN_B, 0))
        sock.connect(daemon.dns[0])
        sock.send(header(IN_A) + message)
        sock.send(message)
        replies = {sock.recv(4096)[2:4].hex() for _ in range(2)}
    assert any(int(flags[3], 16) == 0 for flags in replies)
    assert not any(b"\x0a\0\0\1" in bytes.fromhex(flags) for flags in replies)


@pytest.mark.parametrize("option", ["--subnet-from", "--proxy-from"])
def test_options_take_prefixes(home, option):
    """And nothing else."""
    for value in ("nonsense", "10.0.0.1/8", "127.0.0.0/8,", ""):
        assert option in gaz.refused_start(home, option, value, expect=2)
