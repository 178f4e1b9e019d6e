# SPDX-License-Identifier: BSD-2-Clause
"""DNS answers: what each name and type gets, over UDP and TCP, IPv4 and IPv6."""

import collections
import contextlib
import os
import random
import socket
import struct

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

import gaz
import netns
from gaz import IN_A, OUTSIDE, addresses, rcode

BIG = """$TTL 300
@ IN SOA ns hostmaster 7 3600 900 604800 60
@ IN NS ns
ns IN A 192.0.2.53
two IN A 192.0.2.1
two IN A 192.0.2.2
text IN TXT "hello" "world"
""" + "".join(f"many IN A 198.18.{n // 250}.{n % 250}\n" for n in range(400)) + "".join(
    f"thirty IN A 198.19.0.{n}\n" for n in range(30)) + "".join(
    f"seventy IN A 198.19.1.{n}\n" for n in range(70)) + "".join(
    f"hundreds IN A 198.19.2.{n}\n" for n in range(240))


@pytest.fixture
def start_zone(start, home):
    """Start a daemon with a static zone that has large record sets."""
    os.mkdir(f"{home}/zones")
    with open(f"{home}/zones/big.example.zone", "w", encoding="ascii") as file:
        file.write(BIG)
    return lambda *options: start(*gaz.VPC_OPTIONS, "--zones", f"{home}/zones", *options,
                                  listen=["127.0.0.1:0", "[::1]:0"])


@pytest.fixture
def zone(start_zone):
    return start_zone()


@pytest.fixture
def web(daemon):
    """A private namespace w.example with an A service `web` of ten instances."""
    service = daemon.api.service(daemon.api.private("w.example", ttl=30), "web", ttl=17)
    for number in range(10):
        daemon.api.register(service, f"i{number}", f"10.0.0.{number}")
    return daemon


def check_negative(reply, code, zone, ttl):
    """The whole form of RFC 2308's negative answer."""
    assert rcode(reply) == code
    assert reply.flags & dns.flags.AA and not reply.flags & dns.flags.TC
    assert not reply.answer and not reply.additional
    (soa,) = reply.authority
    assert soa.rdtype == dns.rdatatype.SOA and len(soa) == 1
    assert (soa.name.to_text(), soa.ttl) == (zone, ttl)


@pytest.mark.parametrize("tcp", [False, True])
def test_apex_of_a_private_zone(daemon, tcp):
    """SOA with the namespace's TTL, four NS with 172800."""
    daemon.api.private("p.example", ttl=12)
    soa = daemon.ask("p.example", "SOA", tcp=tcp)
    assert [(r.ttl, r[0].to_text()) for r in soa.answer] == [(12, gaz.SOA_RDATA)]
    (ns,) = daemon.ask("p.example", "NS", tcp=tcp).answer
    assert ns.ttl == 172800
    assert {rdata.target.to_text() for rdata in ns} == gaz.PRIVATE_NS
    check_negative(daemon.ask("p.example", "A", tcp=tcp), "NOERROR", "p.example.", 12)
    check_negative(daemon.ask("p.example", "TXT", tcp=tcp), "NOERROR", "p.example.", 12)


def test_apex_of_a_public_zone(daemon):
    """The first server is the SOA's MNAME; the rest as in private zones."""
    daemon.api.public("q.example", ttl=13)
    (ns,) = daemon.ask("q.example", "NS", source=OUTSIDE).answer
    servers = {rdata.target.to_text() for rdata in ns}
    assert ns.ttl == 172800 and len(servers) == 4
    assert {s.rstrip(".").split(".", 2)[2] for s in servers} == {"co.uk", "com", "org", "net"}
    (soa,) = daemon.ask("q.example", "SOA", source=OUTSIDE).answer
    assert soa.ttl == 13 and soa[0].mname.to_text() in servers
    assert soa[0].to_text().split()[1:] == gaz.SOA_RDATA.split()[1:]


def test_flags_of_an_answer(web):
    """AA set, RA never, RD copied, AD and CD not set."""
    for rd in (False, True):
        for name in ("web.w.example", "nosuch.w.example", "else.example"):
            reply = web.ask(name, rd=rd)
            assert bool(reply.flags & dns.flags.RD) == rd
            assert bool(reply.flags & dns.flags.AA) == (name != "else.example")
            assert not reply.flags & (dns.flags.RA | dns.flags.TC | dns.flags.AD)


def test_multivalue_gives_eight_of_ten_at_random(web):
    """Eight distinct each time, all ten over time, in changing order, exact TTL."""
    seen, firsts, sets = set(), set(), set()
    for _ in range(120):
        reply = web.ask("web.w.example")
        (rrset,) = reply.answer
        found = [rdata.address for rdata in rrset]
        assert len(found) == len(set(found)) == 8
        assert rrset.ttl == 17 and rrset.name.to_text() == "web.w.example."
        assert not reply.authority and not reply.additional
        seen.update(found)
        firsts.add(wire_order(web, "web.w.example")[0])
        sets.add(frozenset(found))
    assert seen == {f"10.0.0.{number}" for number in range(10)}
    assert len(firsts) > 5 and len(sets) > 10


def wire_order(daemon, name):
    """The addresses of an answer in the order of the wire (small answers)."""
    wire = daemon.ask_wire(gaz.query(name).to_wire(), IN_A)
    count = struct.unpack("!H", wire[6:8])[0]
    records = wire[12 + len(dns.name.from_text(name).to_wire()) + 4:]
    return [socket.inet_ntoa(records[i * 16 + 12:i * 16 + 16]) for i in range(count)]


def test_multivalue_up_to_eight_gives_all_in_random_order(daemon):
    """With eight or fewer nobody is left out."""
    service = daemon.api.service(daemon.api.public("m.example"), "s", policy="MULTIVALUE")
    for number in range(1, 9):
        daemon.api.register(service, f"i{number}", f"10.0.0.{number}")
        wanted = {f"10.0.0.{n}" for n in range(1, number + 1)}
        orders = set()
        for _ in range(40):
            found = wire_order(daemon, "s.m.example")
            assert set(found) == wanted and len(found) == number
            orders.add(tuple(found))
        assert number == 1 or len(orders) > 1


def test_weighted_gives_one_evenly(daemon):
    """Exactly one answer, about uniform over the instances."""
    service = daemon.api.service(daemon.api.public("m.example"), "s", policy="WEIGHTED")
    for number in range(3):
        daemon.api.register(service, f"i{number}", f"10.0.0.{number}")
    count = collections.Counter()
    for _ in range(600):
        (address,) = addresses(daemon.ask("s.m.example"))
        count[address] += 1
    assert len(count) == 3 and min(count.values()) > 100


def test_seed_makes_the_choice_repeatable(start):
    """--random-seed: two daemons pick the same."""
    orders = []
    for _ in range(2):
        daemon = start("--random-seed", "42", "--workers", "1")
        service = daemon.api.service(daemon.api.public("m.example"), "s")
        for number in range(10):
            daemon.api.register(service, f"i{number}", f"10.0.0.{number}")
        orders.append([wire_order(daemon, "s.m.example") for _ in range(20)])
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders[0]}) > 1


def test_equal_addresses_are_answered_once(daemon):
    """Two instances on one address: one RR; one leaves, it stays."""
    service = daemon.api.service(daemon.api.public("m.example"), "s")
    for name, address in (("a", "10.0.0.1"), ("b", "10.0.0.1"), ("c", "10.0.0.2")):
        daemon.api.register(service, name, address)
    for _ in range(20):
        assert sorted(wire_order(daemon, "s.m.example")) == ["10.0.0.1", "10.0.0.2"]
    daemon.api.deregister(service, "a")
    assert sorted(wire_order(daemon, "s.m.example")) == ["10.0.0.1", "10.0.0.2"]
    daemon.api.deregister(service, "b")
    assert wire_order(daemon, "s.m.example") == ["10.0.0.2"]


def test_re_registration_replaces_the_record(daemon):
    """Same instance id, new address: the old one is gone."""
    service = daemon.api.service(daemon.api.public("m.example"), "s")
    daemon.api.register(service, "a", "10.0.0.1")
    daemon.api.register(service, "a", "10.0.0.2", custom="x")
    assert addresses(daemon.ask("s.m.example")) == ["10.0.0.2"]
    found = daemon.api.ok("GetService", Id=service)["Service"]
    assert found["InstanceCount"] == 1


def test_missing_type_is_nodata(web):
    """The name exists: NOERROR, empty, SOA. AAAA is what stub resolvers ask too."""
    for rdtype in ("AAAA", "SRV", "TXT", "MX", "CNAME", "NS", "SOA", "DS", "DNSKEY", "TYPE65280"):
        check_negative(web.ask("web.w.example", rdtype), "NOERROR", "w.example.", 30)
    for rdtype in ("DS", "DNSKEY", "AAAA"):
        check_negative(web.ask("w.example", rdtype), "NOERROR", "w.example.", 30)


def test_missing_name_is_nxdomain(web):
    """Also below an existing name, and however deep."""
    for name in ("no.w.example", "x.web.w.example", "a.b.c.d.e.f.w.example", "we.w.example",
                 "webb.w.example", "i1.web.w.example", "*.w.example",
                 ".".join(["x"] * 120) + ".w.example"):
        check_negative(web.ask(name), "NXDOMAIN", "w.example.", 30)
        check_negative(web.ask(name, "AAAA"), "NXDOMAIN", "w.example.", 30)


def test_empty_non_terminal_is_nodata(daemon):
    """_tcp above _http._tcp owns nothing but exists, until the last one goes."""
    namespace = daemon.api.public("e.example", ttl=8)
    service = daemon.api.service(namespace, "_http._tcp")
    check_negative(daemon.ask("_tcp.e.example"), "NXDOMAIN", "e.example.", 8)
    daemon.api.register(service, "i", "10.0.0.1")
    assert addresses(daemon.ask("_http._tcp.e.example")) == ["10.0.0.1"]
    check_negative(daemon.ask("_tcp.e.example"), "NOERROR", "e.example.", 8)
    check_negative(daemon.ask("_ftp._tcp.e.example"), "NXDOMAIN", "e.example.", 8)
    deep = daemon.api.service(namespace, "a.b.c")
    daemon.api.register(deep, "i", "10.0.0.2")
    for name in ("b.c", "c"):
        check_negative(daemon.ask(f"{name}.e.example"), "NOERROR", "e.example.", 8)
    daemon.api.deregister(service, "i")
    daemon.api.deregister(deep, "i")
    for name in ("_tcp", "_http._tcp", "c", "b.c", "a.b.c"):
        check_negative(daemon.ask(f"{name}.e.example"), "NXDOMAIN", "e.example.", 8)


def test_service_at_the_apex(daemon):
    """A service named '.' puts its addresses at the namespace itself."""
    service = daemon.api.service(daemon.api.public("a.example"), ".")
    daemon.api.register(service, "i", "10.0.0.1")
    assert addresses(daemon.ask("a.example")) == ["10.0.0.1"]
    assert daemon.ask("a.example", "SOA").answer
    daemon.api.deregister(service, "i")
    check_negative(daemon.ask("a.example"), "NOERROR", "a.example.", 15)


def test_outside_every_zone_is_refused(web):
    """No AA, no SOA, nothing."""
    for name in ("example", "other.example", "ww.example", "xw.example", ".",
                 "w.example.com", "in-addr.arpa"):
        reply = web.ask(name)
        assert rcode(reply) == "REFUSED"
        assert not reply.flags & dns.flags.AA
        assert not (reply.answer or reply.authority or reply.additional)


@pytest.mark.parametrize("option", ["refused", "nxdomain"])
def test_unknown_names_are_answered_as_told(start, option):
    """The same for a zone that is hidden and one that is not there."""
    daemon = start(*gaz.VPC_OPTIONS, "--unknown", option)
    daemon.api.private("p.example", gaz.VPC_A)
    for name in ("a.p.example", "p.example", "a.q.example"):
        reply = daemon.ask(name, source=OUTSIDE)
        assert rcode(reply).lower() == option
        assert not reply.answer and not reply.authority
    assert rcode(daemon.ask("a.p.example")) == "NXDOMAIN"


def test_negative_ttl_is_one_for_all(start):
    """Of what does not exist and of what has no data; positive answers keep theirs."""
    for ttl in (0, 7):
        daemon = start(*gaz.VPC_OPTIONS, "--negative-ttl", str(ttl))
        daemon.api.service(daemon.api.public("n.example", ttl=30), "web")
        for name, rdtype in (("no.n.example", "A"), ("n.example", "TXT")):
            (soa,) = daemon.ask(name, rdtype).authority
            assert soa.ttl == ttl
        assert daemon.ask("n.example", "SOA").answer[0].ttl == 30


@pytest.mark.parametrize("option, value", [("--unknown", "servfail"), ("--unknown", ""),
                                           ("--negative-ttl", "-1"),
                                           ("--negative-ttl", "2147483648")])
def test_options_of_negative_answers_say_what_they_take(home, option, value):
    """And take nothing else."""
    assert option in gaz.refused_start(home, option, value, expect=2)


def test_longest_zone_answers(daemon):
    """Parent and child namespaces: the child owns its subtree."""
    parent = daemon.api.service(daemon.api.public("com.example", ttl=1), "x.child")
    daemon.api.register(parent, "i", "10.0.0.1")
    assert addresses(daemon.ask("x.child.com.example")) == ["10.0.0.1"]
    child = daemon.api.public("child.com.example", ttl=2)
    check_negative(daemon.ask("x.child.com.example"), "NXDOMAIN", "child.com.example.", 2)
    check_negative(daemon.ask("y.com.example"), "NXDOMAIN", "com.example.", 1)
    daemon.api.done("DeleteNamespace", Id=child)
    assert addresses(daemon.ask("x.child.com.example")) == ["10.0.0.1"]


def test_case_is_ignored_and_echoed(web):
    """0x20: the question comes back with the case it was asked in."""
    for name in ("WEB.w.EXAMPLE", "wEb.W.eXaMpLe", "NoSuch.W.Example"):
        wire = web.ask_wire(gaz.query(name).to_wire(), IN_A)
        sent = gaz.query(name).to_wire()
        assert wire[12:len(sent)] == sent[12:]
        assert rcode(dns.message.from_wire(wire)) == (
            "NXDOMAIN" if "uch" in name else "NOERROR")


def test_mixed_case_namespace_is_found_in_any_case(daemon):
    """Names are compared without case, however they were created."""
    service = daemon.api.service(daemon.api.public("MiXed.Example"), "WeB")
    daemon.api.register(service, "i", "10.0.0.1")
    for name in ("web.mixed.example", "WEB.MIXED.EXAMPLE", "WeB.MiXed.Example"):
        assert addresses(daemon.ask(name)) == ["10.0.0.1"]


@pytest.mark.parametrize("tcp", [False, True])
def test_ipv6_listener(zone, tcp):
    """The same answers over IPv6; an undeclared VPC holds ::1."""
    assert zone.dns[1][0] == "::1"
    assert addresses(zone.ask("two.big.example", listener=1, tcp=tcp))
    zone.api.private("six.example", "vpc-undeclared", ttl=4)
    assert zone.ask("six.example", "SOA", listener=1, tcp=tcp).answer[0].ttl == 4


def test_small_answers_need_no_tcp(zone):
    """30 A records fit 512 octets only by compression."""
    wire = zone.ask_wire(gaz.query("thirty.big.example").to_wire())
    reply = dns.message.from_wire(wire)
    assert len(wire) <= 512
    if not reply.flags & dns.flags.TC:
        assert len(addresses(reply)) == 30


@pytest.mark.parametrize("edns, limit", [(None, 512), (0, 512), (511, 512), (512, 512),
                                         (1000, 1000), (1232, 1232), (4096, 1232),
                                         (65535, 1232)])
def test_large_answers_are_truncated_and_come_over_tcp(zone, edns, limit):
    """TC within the client's limit, then everything over TCP."""
    wire = zone.ask_wire(gaz.query("many.big.example", edns=edns).to_wire())
    assert len(wire) <= limit
    reply = dns.message.from_wire(wire)
    assert reply.flags & dns.flags.TC and rcode(reply) == "NOERROR"
    assert reply.opt is None if edns is None else reply.opt is not None
    full = zone.ask("many.big.example", tcp=True, edns=edns)
    assert not full.flags & dns.flags.TC
    assert len(addresses(full)) == 400


def test_edns_payload_size_decides(zone):
    """70 addresses: too many for 512 octets, not for 1232."""
    assert zone.ask("seventy.big.example").flags & dns.flags.TC
    reply = zone.ask("seventy.big.example", edns=1232)
    assert not reply.flags & dns.flags.TC and len(addresses(reply)) == 70


@pytest.mark.parametrize("size", [512, 600, 1232, 2000, 4096])
def test_udp_size_is_the_limit_and_what_is_offered(start_zone, size):
    """--udp-size: sets of about 0.5, 1.2, 3.9 and 6.4 kB, each as a client may take it."""
    daemon = start_zone("--udp-size", str(size))
    sizes = {"thirty": 30, "seventy": 70, "hundreds": 240, "many": 400}
    whole = []
    for name, count in sizes.items():
        for edns in None, 512, 1232, size, 4096, 65535:
            limit = 512 if edns is None else min(edns, size)
            fits = len(f"{name}.big.example") + 2 + 16 + 16 * count + (
                0 if edns is None else 11) <= limit
            for listener, source in (0, IN_A), (1, None):
                wire = daemon.ask_wire(gaz.query(f"{name}.big.example", edns=edns).to_wire(),
                                       source, listener=listener)
                reply = dns.message.from_wire(wire)
                assert len(wire) <= limit and rcode(reply) == "NOERROR"
                assert bool(reply.flags & dns.flags.TC) == (not fits)
                assert len(addresses(reply)) == (count if fits else 0)
                assert edns is None or reply.payload == size
            if fits:
                whole.append(name)
        full = daemon.ask(f"{name}.big.example", tcp=True, edns=1232)
        assert len(addresses(full)) == count and full.payload == size
    assert ("hundreds" in whole) == (size == 4096)
    assert ("seventy" in whole) == (size >= 1232)


def test_reply_larger_than_the_mtu_is_truncated(start_zone, home):
    """Where --udp-size promises more than the network carries: of ours and of others."""
    with netns.machines(1) as (machine,):
        machine.ip("link", "set", "lo", "mtu", 2000)
        big = machine.daemon(f"{home}/big", "--zones", f"{home}/zones", "--udp-size", "4096",
                             listen=["127.0.0.1:53"])
        other = machine.daemon(f"{home}/other", "--udp-size", "4096",
                               "--forward", "127.0.0.1", listen=["127.0.0.2:53"])
        with contextlib.ExitStack() as stack:
            for daemon in big, other:
                os.mkdir(daemon.home)
                daemon.start()
                stack.callback(daemon.finish)
            for server in "127.0.0.1", "127.0.0.2":
                for name, flag in ("seventy", "qr"), ("hundreds", "tc"), ("seventy", "qr"):
                    out = gaz.run([*machine.prefix, "dig", f"@{server}", "+bufsize=4096",
                                   "+ignore", "+tries=1", f"{name}.big.example"], home).stdout
                    (found,) = [line for line in out.splitlines() if ";; flags" in line]
                    assert flag in found and "status: NOERROR" in out
                    assert ("tc" in found) == (flag == "tc") and "udp: 4096" in out
                    assert out.count("\tA\t") == (70 if flag == "qr" else 0)


def test_udp_size_is_bounded(home):
    for value in "511", "0", "4097", "65536", "-1", "much", "":
        assert "--udp-size" in gaz.refused_start(home, "--udp-size", value, expect=2)


def test_dig_retries_over_tcp_by_itself(zone):
    """What a real resolver does with TC."""
    host, port = zone.dns[0]
    out = gaz.run(["dig", f"@{host}", "-p", port, "+noall", "+answer", "many.big.example"],
                  zone.home).stdout
    assert out.count("\n") >= 400


def test_edns_is_answered_with_edns(web):
    """OPT in, OPT out: version 0, no extended rcode; none without."""
    for name in ("web.w.example", "no.w.example", "else.example"):
        assert web.ask(name).opt is None
        for more in ({}, {"want_dnssec": True}):
            reply = web.ask(name, edns=1232, **more)
            assert reply.edns == 0 and reply.payload >= 512
            assert not any(r.rdtype == dns.rdatatype.RRSIG
                           for r in reply.answer + reply.authority)


def test_unknown_edns_options_are_ignored(web):
    """Padding, client subnet, private ones."""
    options = [dns.edns.GenericOption(code, data) for code, data in (
        (12, b"\0" * 40), (8, b"\0\x01\x18\0\x7f\0\x0a"), (65001, b""),
        (65002, b"x" * 200))]
    reply = web.ask("web.w.example", edns=1232, options=options)
    assert len(addresses(reply)) == 8


def test_unknown_edns_version_is_badvers(web):
    """RFC 6891: BADVERS with our own version, no answer."""
    message = gaz.query("web.w.example", edns=1232)
    message.ednsflags = (message.ednsflags & ~0xFF0000) | (1 << 16)
    reply = dns.message.from_wire(web.ask_wire(message.to_wire(), IN_A))
    assert reply.rcode() == dns.rcode.BADVERS
    assert reply.edns == 0 and not reply.answer


def header(qid=1, flags=0, counts=(1, 0, 0, 0)):
    return struct.pack("!HH4H", qid, flags, *counts)


QUESTION = b"\x03web\x01w\x07example\x00\x00\x01\x00\x01"
OPT = b"\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x00"


@pytest.mark.parametrize("wire", [
    header(counts=(0, 0, 0, 0)), header(counts=(2, 0, 0, 0)) + QUESTION * 2,
    header(), header() + QUESTION[:-1], header() + QUESTION[:5], header() + b"\x40" + QUESTION,
    header() + b"\xc0\x0c\x00\x01\x00\x01", header() + b"\xff\xff\x00\x01\x00\x01",
    header() + (b"\x3f" + b"x" * 63) * 4 + b"\x00\x00\x01\x00\x01",
    header(counts=(1, 0, 0, 1)) + QUESTION,
    header(counts=(1, 0, 0, 2)) + QUESTION + OPT * 2,
    header(counts=(1, 0, 0, 1)) + QUESTION + OPT[:-1] + b"\x05",
    header(counts=(1, 0, 0, 1)) + QUESTION + b"\x01x" + OPT,
    header(counts=(1, 0, 0, 1)) + QUESTION + OPT[:-2] + b"\x00\x04\x00\x0a\x00\x09"])
@pytest.mark.parametrize("tcp", [False, True])
def test_malformed_queries_are_formerr(web, wire, tcp):
    """Wrong counts, cut short, bad labels, pointers in questions, two OPTs."""
    reply = web.ask_wire(wire, IN_A, tcp)
    assert reply[:2] == wire[:2]
    assert reply[2] & 0x80 and reply[3] & 0x0F == dns.rcode.FORMERR
    assert web.ask("web.w.example").answer


def test_other_opcodes_are_not_implemented(web):
    """NOTIFY, UPDATE, STATUS, inverse query, unassigned ones."""
    for opcode in (1, 2, 3, 4, 5, 6, 15):
        wire = header(flags=opcode << 11) + QUESTION
        reply = web.ask_wire(wire, IN_A)
        assert reply[:2] == wire[:2] and (reply[2] >> 3) & 15 == opcode
        assert reply[3] & 0x0F == dns.rcode.NOTIMP


def test_other_classes_are_refused(web):
    """CH, HS, and class ANY."""
    for rdclass in (3, 4, 254):
        reply = web.ask_wire(header() + QUESTION[:-2] + struct.pack("!H", rdclass), IN_A)
        assert reply[3] & 0x0F == dns.rcode.REFUSED


def test_transfers_are_refused(web):
    """AXFR and IXFR, over UDP and TCP, for zones seen and unseen (RFC 5936, 2.2.1)."""
    for rdtype in (251, 252):
        for name in ("w.example", "else.example"):
            question = dns.name.from_text(name).to_wire() + struct.pack("!HH", rdtype, 1)
            for tcp in (False, True):
                reply = web.ask_wire(header() + question, IN_A, tcp)
                wanted = (dns.rcode.NOTIMP if rdtype == 252 and not tcp else
                          dns.rcode.REFUSED if name == "w.example" else dns.rcode.NOTAUTH)
                assert reply[3] & 0x0F == wanted


def test_any_is_answered_small(web):
    """One RRset of the name, or RFC 8482's HINFO; NXDOMAIN as ever."""
    reply = web.ask("web.w.example", "ANY")
    assert rcode(reply) == "NOERROR" and len(reply.answer) == 1
    assert len(web.ask("w.example", "ANY").answer) == 1
    check_negative(web.ask("no.w.example", "ANY"), "NXDOMAIN", "w.example.", 30)


@pytest.mark.parametrize("junk", [b"", b"\0", b"x" * 11, header(flags=0x8000) + QUESTION,
                                  header(flags=0x8180, counts=(0, 0, 0, 0))])
def test_responses_and_scraps_get_no_reply(web, junk):
    """Two servers must never talk to each other for ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.bind((IN_A, 0))
        sock.connect(web.dns[0])
        for _ in range(3):
            sock.send(junk)
        sock.send(header(qid=0x4242) + QUESTION)
        assert sock.recv(65535)[:2] == b"\x42\x42"


def test_random_packets_harm_nobody(web):
    """Noise, and valid queries with a few octets changed."""
    rng = random.Random(7)
    good = gaz.query("web.w.example", edns=1232).to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(web.dns[0])
        for _ in range(3000):
            if rng.random() < 0.3:
                wire = rng.randbytes(rng.randrange(0, 600))
            else:
                wire = bytearray(good)
                for _ in range(rng.randrange(1, 5)):
                    wire[rng.randrange(len(wire))] = rng.randrange(256)
                wire = wire[:rng.randrange(len(wire) + 1)] if rng.random() < 0.2 else wire
            try:
                sock.send(wire)
                sock.recv(65535)
            except BlockingIOError:
                pass
    assert len(addresses(web.ask("web.w.example"))) == 8


def test_burst_of_a_and_aaaa_from_one_socket_gets_two_replies(web):
    """As glibc asks."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.bind((IN_A, 0))
        sock.connect(web.dns[0])
        for _ in range(50):
            sent = [gaz.query("web.w.example", rdtype).to_wire() for rdtype in ("A", "AAAA")]
            for wire in sent:
                sock.send(wire)
            got = {sock.recv(65535)[:2] for _ in sent}
            assert got == {wire[:2] for wire in sent}


def frame(wire):
    return struct.pack("!H", len(wire)) + wire


def test_pipelined_tcp_queries_are_all_answered(web):
    """A hundred queries in one write; replies may come in any order."""
    messages = {}
    for number in range(100):
        message = gaz.query(f"n{number}.w.example" if number % 2 else "web.w.example")
        message.id = number + 1
        messages[message.id] = message
    with gaz.open_tcp(web.dns[0], IN_A) as sock:
        sock.sendall(b"".join(frame(m.to_wire()) for m in messages.values()))
        while messages:
            reply = dns.message.from_wire(gaz.read_tcp(sock))
            asked = messages.pop(reply.id)
            assert asked.is_response(reply)
            assert rcode(reply) == ("NXDOMAIN" if (reply.id - 1) % 2 else "NOERROR")


def test_tcp_query_byte_by_byte(web):
    """Any split of the stream is the same query; the connection serves on."""
    with gaz.open_tcp(web.dns[0], IN_A) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(3):
            message = gaz.query("web.w.example")
            data = frame(message.to_wire())
            for index in range(len(data)):
                sock.sendall(data[index:index + 1])
            assert message.is_response(dns.message.from_wire(gaz.read_tcp(sock)))


def test_tcp_client_that_stops_sending_still_gets_its_replies(zone):
    """Half-closed after ten large questions."""
    with gaz.open_tcp(zone.dns[0]) as sock:
        for _ in range(10):
            sock.sendall(frame(gaz.query("many.big.example").to_wire()))
        sock.shutdown(socket.SHUT_WR)
        for _ in range(10):
            assert len(addresses(dns.message.from_wire(gaz.read_tcp(sock)))) == 400


def test_tcp_scraps_close_only_their_own_connection(web):
    """Zero length, too short, responses, half a message and gone."""
    for data in (b"\0\0", frame(b"x" * 11), frame(header(flags=0x8000) + QUESTION),
                 b"\x00\x20half", b"\0"):
        with gaz.open_tcp(web.dns[0], IN_A) as sock:
            sock.sendall(data)
    assert web.ask("web.w.example", tcp=True).answer


def test_many_tcp_connections_at_once(web):
    """A hundred open connections, each asked once."""
    socks = [gaz.open_tcp(web.dns[0], IN_A) for _ in range(100)]
    for sock in socks:
        sock.sendall(frame(gaz.query("web.w.example").to_wire()))
    for sock in socks:
        assert len(addresses(dns.message.from_wire(gaz.read_tcp(sock)))) == 8
        sock.close()


def test_slow_tcp_reader_does_not_hold_up_others(zone):
    """A client that asks much and reads nothing costs only itself."""
    with gaz.open_tcp(zone.dns[0]) as lazy:
        lazy.settimeout(0.2)
        try:
            while True:
                lazy.sendall(frame(gaz.query("many.big.example").to_wire()) * 50)
        except OSError:
            pass
        for _ in range(20):
            assert zone.ask("two.big.example").answer
            assert zone.ask("two.big.example", tcp=True).answer


def test_static_zone_records_in_full(zone):
    """Every record of a set, other types, NODATA and NXDOMAIN of a zone file."""
    assert sorted(addresses(zone.ask("two.big.example"))) == ["192.0.2.1", "192.0.2.2"]
    (text,) = zone.ask("text.big.example", "TXT").answer
    assert text[0].to_text() == '"hello" "world"'
    check_negative(zone.ask("two.big.example", "TXT"), "NOERROR", "big.example.", 60)
    check_negative(zone.ask("no.big.example"), "NXDOMAIN", "big.example.", 60)


def test_wildcard_listener_replies_from_the_address_asked(start):
    """0.0.0.0: a client hears from the very address it asked."""
    daemon = start(listen=["0.0.0.0:0"])
    daemon.api.public("any.example", ttl=3)
    port = daemon.dns[0][1]
    for host in ("127.0.0.1", "127.0.0.5", "127.7.7.7"):
        for tcp in (gaz.exchange_udp, gaz.exchange_tcp):
            wire = tcp(gaz.query("any.example", "SOA").to_wire(), (host, port))
            assert dns.message.from_wire(wire).answer[0].ttl == 3
