# SPDX-License-Identifier: BSD-2-Clause
"""Names that are not ours go to an upstream, and nobody's private names do."""

import itertools
import json
import os
import resource
import socket
import struct
import threading

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import gaz
import netns
import resolver as resolver_module
from gaz import IN_A, OUTSIDE, VPC_A

LOOPBACK = "127.0.0.1"
NO_REACHABLE_AUTHORITY = 22
NETWORK_ERROR = 23
RD = dns.flags.RD


@pytest.fixture
def resolvers():
    """Start resolvers of the test's own: resolvers()."""
    started = []

    def start(**where):
        started.append(resolver_module.Resolver(**where))
        return started[-1]
    yield start
    for one in started:
        one.close()


@pytest.fixture
def upstream(resolvers):
    one = resolvers()
    one.give("www.example", "A", "192.0.2.1", "192.0.2.2")
    one.give("www.example", "AAAA", "2001:db8::1")
    return one


@pytest.fixture
def forwarding(start, upstream):
    """A daemon that forwards to `upstream`."""
    return start(*gaz.VPC_OPTIONS, "--forward", upstream.address)


def ask(daemon, name, rdtype="A", source=LOOPBACK, rd=True, **how):
    return daemon.ask(name, rdtype, source, rd=rd, **how)


def serve(daemon, namespace, *types, **more):
    """A service "web" in a private namespace of VPC_A; gives its id."""
    return daemon.api.serve(daemon.api.private(namespace, VPC_A), "web", *types, **more)


def flags(reply):
    return dns.flags.to_text(reply.flags).split()


def errors(reply):
    """The extended errors (RFC 8914) of a reply."""
    return [option.code for option in reply.options
            if option.otype == dns.edns.OptionType.EDE]


def test_name_of_others_is_forwarded_once_and_cached(forwarding, upstream):
    first = ask(forwarding, "www.example")
    second = ask(forwarding, "www.example")
    for reply in first, second:
        assert gaz.rcode(reply) == "NOERROR" and flags(reply) == ["QR", "RD", "RA"]
        assert sorted(gaz.addresses(reply)) == ["192.0.2.1", "192.0.2.2"]
    assert upstream.count("www.example") == 1
    assert first.answer[0].ttl <= 60 and second.answer[0].ttl <= first.answer[0].ttl


def test_addresses_take_turns(forwarding, upstream):
    upstream.answers["turn.example", "A"] = ["turn.example. 60 IN CNAME www.example."]
    for name in "www.example", "turn.example":
        firsts = set()

        def both_seen():
            found = [record.address for record in ask(forwarding, name).answer[-1]]
            assert sorted(found) == ["192.0.2.1", "192.0.2.2"]
            firsts.add(found[0])
            return len(firsts) == 2
        gaz.until("each is the first at times", both_seen)
    assert upstream.count("turn.example") == 1


def test_types_are_kept_apart(forwarding, upstream):
    assert gaz.addresses(ask(forwarding, "www.example", "AAAA")) == ["2001:db8::1"]
    reply = ask(forwarding, "www.example", "MX")
    assert gaz.rcode(reply) == "NXDOMAIN"  # that is what this upstream says
    assert upstream.asked == [("www.example", "AAAA"), ("www.example", "MX")]


def test_negative_answers_are_cached_with_their_soa(forwarding, upstream):
    upstream.answers["empty.example", "A"] = []
    for _ in range(2):
        missing = ask(forwarding, "missing.example")
        assert gaz.rcode(missing) == "NXDOMAIN"
        assert missing.authority[0].rdtype == dns.rdatatype.SOA
        empty = ask(forwarding, "empty.example")
        assert gaz.rcode(empty) == "NOERROR" and not empty.answer
        assert empty.authority[0].ttl <= 60
    assert upstream.asked == [("missing.example", "A"), ("empty.example", "A")]


def test_ttl_zero_is_not_cached(forwarding, upstream):
    upstream.give("now.example", "A", "192.0.2.9", ttl=0)
    for _ in range(3):
        assert gaz.addresses(ask(forwarding, "now.example")) == ["192.0.2.9"]
    assert upstream.count("now.example") == 3


def test_question_keeps_its_case(forwarding, upstream):
    for name in "WwW.eXaMpLe", "wWw.ExAmPlE":
        reply = ask(forwarding, name)
        assert reply.question[0].name.to_text(True) == name
        assert reply.answer[0].name.to_text(True) == name
    assert upstream.count("www.example") == 1


def test_without_rd_nothing_is_forwarded(forwarding, upstream):
    ask(forwarding, "www.example")
    reply = ask(forwarding, "www.example", rd=False)
    assert gaz.rcode(reply) == "REFUSED" and flags(reply) == ["QR", "RA"]
    assert upstream.count("www.example") == 1


def test_own_names_are_answered_here(forwarding, upstream):
    serve(forwarding, "dev.example", "A")
    found = ask(forwarding, "missing.dev.example", source=IN_A)
    assert gaz.rcode(found) == "NXDOMAIN" and "AA" in flags(found) and "RA" in flags(found)
    assert upstream.asked == []


def test_private_names_are_never_forwarded(forwarding, upstream):
    """The upstream would have answers, and the source is one that may ask it."""
    upstream.give("secret.dev.example", "A", "192.0.2.66")
    forwarding.api.private("dev.example", VPC_A)
    for name in "secret.dev.example", "dev.example", "a.b.c.dev.example":
        for rdtype in "A", "MX", "SRV", "ANY":
            for tcp in False, True:
                assert gaz.rcode(ask(forwarding, name, rdtype, IN_A, tcp=tcp)) in (
                    "NXDOMAIN", "NOERROR")
    assert upstream.asked == []


def test_private_zone_is_absent_to_others(forwarding, upstream):
    """Who may recurse but does not see the zone gets what the upstream says."""
    forwarding.api.private("dev.example", VPC_A)
    upstream.give("www.dev.example", "A", "192.0.2.7")
    assert gaz.rcode(ask(forwarding, "www.dev.example", source=IN_A)) == "NXDOMAIN"
    outside = ask(forwarding, "www.dev.example", source="127.0.30.1")
    assert gaz.addresses(outside) == ["192.0.2.7"]
    # And it is not told by the cache to those in the VPC.
    assert gaz.rcode(ask(forwarding, "www.dev.example", source=IN_A)) == "NXDOMAIN"


def test_sources_that_may_not_recurse_are_refused(start, upstream):
    daemon = start("--forward", upstream.address, "--allow-recursion",
                   "127.0.1.0/24,127.0.2.0/24", "--allow-recursion", "127.0.3.0/24")
    for source in "127.0.1.1", "127.0.2.1", "127.0.3.1":
        reply = ask(daemon, "www.example", source=source)
        assert gaz.rcode(reply) == "NOERROR" and "RA" in flags(reply)
    for source in "127.0.0.1", "127.0.4.1":
        for tcp in False, True:
            reply = ask(daemon, "www.example", source=source, tcp=tcp)
            assert gaz.rcode(reply) == "REFUSED" and flags(reply) == ["QR", "RD"]
    assert upstream.count("www.example") == 1


def test_cname_of_ours_leads_outside(forwarding, upstream):
    upstream.answers["www.example", "A"] = [
        "www.example. 60 IN CNAME a.very.long.name.example.",
        "a.very.long.name.example. 60 IN A 192.0.2.1"]
    upstream.give("a.very.long.name.example", "A", "192.0.2.1")
    service = serve(forwarding, "dev.example", "CNAME", policy="WEIGHTED")
    forwarding.api.attach(service, "i", AWS_INSTANCE_CNAME="www.example")
    for tcp in False, True, False:
        reply = ask(forwarding, "web.dev.example", source=IN_A, tcp=tcp)
        assert [(r.name.to_text(), dns.rdatatype.to_text(r.rdtype), r[0].to_text())
                for r in reply.answer] == [
            ("web.dev.example.", "CNAME", "www.example."),
            ("www.example.", "CNAME", "a.very.long.name.example."),
            ("a.very.long.name.example.", "A", "192.0.2.1")]
        assert gaz.rcode(reply) == "NOERROR" and "AA" in flags(reply)
    assert upstream.count("www.example") == 1
    # Without recursion it ends with what is ours.
    reply = ask(forwarding, "web.dev.example", source=IN_A, rd=False)
    assert len(reply.answer) == 1 and gaz.rcode(reply) == "NOERROR"


def test_cname_of_ours_to_a_name_that_does_not_exist(forwarding):
    service = serve(forwarding, "dev.example", "CNAME", policy="WEIGHTED")
    forwarding.api.attach(service, "i", AWS_INSTANCE_CNAME="gone.example")
    for _ in range(2):
        reply = ask(forwarding, "web.dev.example", source=IN_A)
        assert gaz.rcode(reply) == "NXDOMAIN" and len(reply.answer) == 1
        assert reply.authority[0].rdtype == dns.rdatatype.SOA


def test_suffixes_have_their_own_upstreams(start, resolvers, upstream):
    corp, deep = resolvers(), resolvers()
    corp.give("www.corp.example", "A", "192.0.2.10")
    deep.give("www.deep.corp.example", "A", "192.0.2.11")
    deep.give("1.2.3.10.in-addr.arpa", "PTR", "host.corp.example.")
    daemon = start("--forward", upstream.address,
                   "--forward", f"corp.example={corp.address}",
                   "--forward", f"Deep.Corp.Example.={deep.address}",
                   "--forward", f"10.in-addr.arpa={deep.address}")
    assert gaz.addresses(ask(daemon, "www.corp.example")) == ["192.0.2.10"]
    assert gaz.addresses(ask(daemon, "www.deep.corp.example")) == ["192.0.2.11"]
    assert gaz.texts(ask(daemon, "1.2.3.10.in-addr.arpa", "PTR")) == ["host.corp.example."]
    assert len(gaz.addresses(ask(daemon, "www.example"))) == 2
    assert upstream.asked == [("www.example", "A")]


def test_only_a_suffix_is_forwarded(start, upstream):
    daemon = start("--forward", f"example={upstream.address}")
    assert len(gaz.addresses(ask(daemon, "www.example"))) == 2
    assert gaz.rcode(ask(daemon, "www.elsewhere.org")) == "REFUSED"
    assert upstream.asked == [("www.example", "A")]


SPECIAL = [
    ("www.test", "A", "NXDOMAIN"), ("x.invalid", "A", "NXDOMAIN"),
    ("abc.onion", "A", "NXDOMAIN"), ("printer.local", "A", "NXDOMAIN"),
    ("api.prod.internal.svc.cluster.local", "AAAA", "NXDOMAIN"),
    ("x.home.arpa", "A", "NXDOMAIN"), ("x.service.arpa", "SRV", "NXDOMAIN"),
    ("_dns.resolver.arpa", "TYPE64", "NXDOMAIN"),
    ("4.3.2.10.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("4.3.20.172.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("4.3.168.192.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("4.3.77.100.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("1.2.254.169.in-addr.arpa", "PTR", "NXDOMAIN"),
    ("1.0.d.f.ip6.arpa", "PTR", "NXDOMAIN"), ("local", "A", "NOERROR"),
    ("localhost", "MX", "NOERROR"),
]


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """One forwarding daemon for tests that change nothing."""
    upstream = resolver_module.Resolver()
    daemon = gaz.Daemon(tmp_path_factory.mktemp("world"), "--forward", upstream.address)
    try:
        yield daemon.start(), upstream
        daemon.finish()
    finally:
        upstream.close()


@pytest.mark.parametrize("name, rdtype, want", SPECIAL)
def test_special_names_stay_here(world, name, rdtype, want):
    daemon, upstream = world
    reply = ask(daemon, name, rdtype)
    assert gaz.rcode(reply) == want and not reply.answer
    assert reply.authority[0].rdtype == dns.rdatatype.SOA
    assert upstream.asked == []


def test_localhost_has_its_addresses(world):
    daemon, upstream = world
    for name in "localhost", "data-cloudmap.localhost":
        assert gaz.addresses(ask(daemon, name)) == ["127.0.0.1"]
        assert gaz.addresses(ask(daemon, name, "AAAA")) == ["::1"]
    assert gaz.texts(ask(daemon, "1.0.0.127.in-addr.arpa", "PTR")) == ["localhost."]
    assert upstream.asked == []


def test_zone_of_ours_covers_a_special_name(forwarding, upstream):
    service = serve(forwarding, "app.local", "A")
    forwarding.api.register(service, "i", "10.0.0.1")
    assert gaz.addresses(ask(forwarding, "web.app.local", source=IN_A)) == ["10.0.0.1"]
    assert upstream.asked == []


def test_dead_upstream_is_servfail_in_time(start, resolvers):
    upstream = resolvers()
    daemon = start("--forward", upstream.address)
    upstream.close()
    for tcp in False, True:
        reply = ask(daemon, f"www{int(tcp)}.example", tcp=tcp, edns=1232)
        assert gaz.rcode(reply) == "SERVFAIL" and not reply.answer
        assert errors(reply) == [NO_REACHABLE_AUTHORITY]
    upstream.reopen()
    upstream.give("back.example", "A", "192.0.2.3")

    def is_back():
        return gaz.addresses(ask(daemon, "back.example")) == ["192.0.2.3"]
    gaz.until("the upstream is used again", is_back)


def test_error_tells_no_network_from_no_answer(home):
    """A machine without any network; then there is one, on which nobody answers."""
    def reply(name):
        done = gaz.run([*machine.prefix, "dig", "@127.0.0.1", "+tries=1", "+time=10", name],
                       home)
        assert "status: SERVFAIL" in done.stdout
        return done.stdout
    with netns.machines(2) as (machine, other):
        daemon = machine.daemon(home, "--forward", "192.0.2.53,2001:db8::53",
                                listen=["127.0.0.1:53"])
        daemon.start()
        try:
            assert f"EDE: {NETWORK_ERROR}" in reply("first.example")
            machine.wire(other, "192.0.2.1/24", "192.0.2.53/24")
            gaz.until("there is a way", lambda: f"EDE: {NO_REACHABLE_AUTHORITY}" in
                      reply("second.example"))
        finally:
            daemon.finish()


def test_second_upstream_takes_over(start, resolvers):
    dead, good = resolvers(), resolvers()
    dead.close()
    for i in range(4):
        good.give(f"www{i}.example", "A", "192.0.2.4")
    daemon = start("--forward", f"{dead.address},{good.address}")
    for i in range(4):
        assert gaz.addresses(ask(daemon, f"www{i}.example")) == ["192.0.2.4"]


def silent(query, is_tcp):
    return None


def servfail(query, is_tcp):
    reply = dns.message.make_response(query, recursion_available=True)
    reply.set_rcode(dns.rcode.SERVFAIL)
    return reply.to_wire()


def refused(query, is_tcp):
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.REFUSED)
    return reply.to_wire()


def wrong_id(query, is_tcp):
    reply = dns.message.make_response(query, recursion_available=True)
    reply.id ^= 0x5555
    reply.answer = resolver_module.rrsets([f"{query.question[0].name} 60 IN A 192.0.2.66"])
    return reply.to_wire()


def wrong_question(query, is_tcp):
    reply = dns.message.make_response(dns.message.make_query("evil.example", "A"),
                                      recursion_available=True)
    reply.id = query.id
    reply.answer = resolver_module.rrsets(["evil.example. 60 IN A 192.0.2.66"])
    return reply.to_wire()


def garbage(query, is_tcp):
    return query.to_wire()[:2] + b"\x81\x80" + b"\xff" * 40


@pytest.mark.parametrize("answer", [silent, servfail, refused, wrong_id, wrong_question,
                                    garbage])
def test_bad_upstream_is_servfail(forwarding, upstream, answer):
    upstream.answers["bad.example", "A"] = answer
    reply = ask(forwarding, "bad.example", edns=1232)
    assert gaz.rcode(reply) == "SERVFAIL" and not reply.answer
    assert errors(reply) == [NO_REACHABLE_AUTHORITY]
    assert gaz.addresses(ask(forwarding, "evil.example")) == []
    assert len(gaz.addresses(ask(forwarding, "www.example"))) == 2


def test_lost_packet_is_asked_again(forwarding, upstream):
    upstream.give("again.example", "A", "192.0.2.5")
    lines, lost = upstream.answers["again.example", "A"], []

    def lose_one(query, is_tcp):
        if not lost:
            lost.append(query)
            return None
        return upstream._reply(query, lines, is_tcp)
    upstream.answers["again.example", "A"] = lose_one
    assert gaz.addresses(ask(forwarding, "again.example")) == ["192.0.2.5"]


def test_big_answer_comes_by_tcp(forwarding, upstream):
    texts = [f'"{i:03} {"x" * 200}"' for i in range(40)]
    upstream.give("big.example", "TXT", *texts)
    for edns in None, 512, 4096:
        reply = ask(forwarding, "big.example", "TXT", edns=edns)
        assert "TC" in flags(reply) and not reply.answer and gaz.rcode(reply) == "NOERROR"
    reply = ask(forwarding, "big.example", "TXT", tcp=True)
    assert gaz.texts(reply) == sorted(texts) and "TC" not in flags(reply)
    assert ("big.example", "TXT") in upstream.over_tcp


def test_largest_answer_fits_tcp(forwarding, upstream):
    texts = [f'"{i:03} {"x" * 250}"' for i in range(240)]  # 64,8 kB
    upstream.give("huge.example", "TXT", *texts)
    assert len(gaz.texts(ask(forwarding, "huge.example", "TXT", tcp=True))) == 240


def test_limit_of_the_client_is_kept(forwarding, upstream):
    upstream.give("some.example", "A", *[f"192.0.2.{i}" for i in range(40)])
    assert "TC" in flags(ask(forwarding, "some.example"))
    assert len(gaz.addresses(ask(forwarding, "some.example", edns=1232))) == 40
    assert len(gaz.addresses(ask(forwarding, "some.example", tcp=True))) == 40


@pytest.mark.parametrize("size, whole", [(512, []), (1232, [40]), (4096, [40, 240])])
def test_udp_size_is_the_limit(start, upstream, size, whole):
    """In replies of the resolver thread, and then in those from the cache."""
    daemon = start("--forward", upstream.address, "--udp-size", str(size))
    for count, questions in (40, 1), (240, 2):  # those that do not fit 1232 come by TCP
        upstream.give(f"n{count}.example", "A", *[f"192.0.2.{i}" for i in range(count)])
        for _ in range(2):
            reply = ask(daemon, f"n{count}.example", edns=4096)
            assert reply.payload == size
            assert len(gaz.addresses(reply)) == (count if count in whole else 0)
            assert ("TC" in flags(reply)) == (count not in whole)
        assert "TC" in flags(ask(daemon, f"n{count}.example"))
        assert upstream.count(f"n{count}.example") == questions
    assert ask(daemon, "x.test", edns=4096).payload == size


def long_chain(count):
    """CNAMEs that no compression makes short, out of their zone in the end."""
    names = [".".join(f"{'abcdefgh'[i]}{label}".ljust(60, "x") for label in range(3))
             for i in range(count)]
    lines = ["@ 60 IN SOA ns. hostmaster. 1 1 1 1 60", "@ 60 IN NS ns.",
             f"start 60 IN CNAME {names[0]}"]
    lines += [f"{name} 60 IN CNAME {target}" for name, target in
              zip(names, names[1:] + ["www.example."])]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize("tcp", [False, True])
def test_long_way_out_of_our_zones(start, home, upstream, tcp):
    """A reply of more than 1232 octets is begun here, and finished by the resolver."""
    os.mkdir(f"{home}/zones")
    with open(f"{home}/zones/chain.zone", "w", encoding="ascii") as file:
        file.write(long_chain(7))
    daemon = start("--forward", upstream.address, "--zones", f"{home}/zones",
                   "--udp-size", "4096")
    for _ in range(2):
        reply = ask(daemon, "start.chain", tcp=tcp, edns=4096)
        assert gaz.rcode(reply) == "NOERROR" and "TC" not in flags(reply)
        assert len(reply.answer) == 9
        assert {a.address for a in reply.answer[-1]} == {"192.0.2.1", "192.0.2.2"}
        assert len(reply.to_wire()) > 1280


SIGNED = ["signed.example. 60 IN A 192.0.2.1",
          "signed.example. 60 IN RRSIG A 8 2 60 20300101000000 20200101000000 1 example. AAAA"]


def test_dnssec_records_only_for_those_who_want_them(forwarding, upstream):
    upstream.answers["signed.example", "A"] = SIGNED
    types = {}
    for want in False, True, False, True:
        message = gaz.query("signed.example", edns=1232, rd=True)
        message.want_dnssec(want)
        message.flags |= dns.flags.AD
        reply = dns.message.from_wire(
            forwarding.ask_wire(message.to_wire(), LOOPBACK))
        assert not reply.flags & dns.flags.AD
        types[want] = [dns.rdatatype.to_text(r.rdtype) for r in reply.answer]
    assert types == {False: ["A"], True: ["A", "RRSIG"]}
    assert gaz.rcode(ask(forwarding, "signed.example", "RRSIG")) == "NXDOMAIN"


def test_cd_is_mirrored_and_unknown_options_mean_nothing(forwarding):
    options = [dns.edns.ECSOption("192.0.2.0", 24), dns.edns.GenericOption(65001, b"x")]
    message = gaz.query("www.example", edns=1232, rd=True, options=options)
    message.flags |= dns.flags.CD
    reply = dns.message.from_wire(forwarding.ask_wire(message.to_wire(), LOOPBACK))
    assert flags(reply) == ["QR", "RD", "RA", "CD"] and len(gaz.addresses(reply)) == 2
    assert reply.edns == 0 and not reply.options


def test_burst_from_one_socket_gets_two_replies(forwarding, upstream):
    """A and AAAA, as stub resolvers ask, and the same question twice."""
    both = [gaz.query("www.example", rdtype, rd=True) for rdtype in ("A", "AAAA", "A")]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.connect(forwarding.dns[0])
        for message in both:
            sock.send(message.to_wire())
        replies = [dns.message.from_wire(sock.recv(65535)) for _ in both]
    assert {reply.id for reply in replies} == {message.id for message in both}
    for message in both:
        assert any(message.is_response(reply) and reply.answer for reply in replies)


def test_same_question_is_asked_once(forwarding, upstream):
    """While it is under way, everybody waits for the one answer."""
    gate, count = threading.Event(), 50
    upstream.give("slow.example", "A", "192.0.2.8")
    lines = upstream.answers["slow.example", "A"]

    def wait(query, is_tcp):
        assert gate.wait(gaz.PATIENCE)
        return upstream._reply(query, lines, is_tcp)
    upstream.answers["slow.example", "A"] = wait
    messages = [gaz.query("slow.example", rd=True) for _ in range(count)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.connect(forwarding.dns[0])
        for message in messages:
            sock.send(message.to_wire())
        gaz.until("the upstream is asked", lambda: upstream.count("slow.example"))
        gate.set()
        replies = [dns.message.from_wire(sock.recv(65535)) for _ in messages]
    assert {reply.id for reply in replies} == {message.id for message in messages}
    assert all(gaz.addresses(reply) == ["192.0.2.8"] for reply in replies)
    assert upstream.count("slow.example") <= 3  # libunbound's own retries


def test_tcp_replies_come_as_they_are_ready(forwarding, upstream):
    """A later query that needs no upstream does not wait for an earlier one."""
    gate = threading.Event()
    upstream.give("slow.example", "A", "192.0.2.8")
    lines = upstream.answers["slow.example", "A"]

    def wait(query, is_tcp):
        assert gate.wait(gaz.PATIENCE)
        return upstream._reply(query, lines, is_tcp)
    upstream.answers["slow.example", "A"] = wait
    slow, fast = gaz.query("slow.example", rd=True), gaz.query("localhost", rd=True)
    with gaz.open_tcp(forwarding.dns[0]) as sock:
        for message in slow, fast:
            wire = message.to_wire()
            sock.sendall(struct.pack("!H", len(wire)) + wire)
        first = dns.message.from_wire(gaz.read_tcp(sock))
        assert fast.is_response(first)
        sock.shutdown(socket.SHUT_WR)  # nothing more to say, but still listening
        gate.set()
        assert slow.is_response(dns.message.from_wire(gaz.read_tcp(sock)))
        assert sock.recv(1) == b""


def test_client_that_leaves_disturbs_nobody(forwarding, upstream):
    upstream.answers["silent.example", "A"] = silent
    for _ in range(20):
        with gaz.open_tcp(forwarding.dns[0]) as sock:
            wire = gaz.query("silent.example", rd=True).to_wire()
            sock.sendall(struct.pack("!H", len(wire)) + wire)
    assert gaz.rcode(ask(forwarding, "silent.example")) == "SERVFAIL"
    assert len(gaz.addresses(ask(forwarding, "www.example", tcp=True))) == 2


@pytest.mark.parametrize("rdtype", ["AAAA", "HTTPS", "TYPE65280"])
def test_failure_is_logged_with_the_name_of_the_type(forwarding, upstream, rdtype):
    """As people write it, also where it has none but its number (RFC 3597)."""
    def fail(query, is_tcp):
        reply = dns.message.make_response(query)
        reply.set_rcode(dns.rcode.SERVFAIL)
        return reply.to_wire()
    upstream.answers["bad.example", rdtype] = fail
    assert gaz.rcode(ask(forwarding, "bad.example", rdtype)) == "SERVFAIL"
    forwarding.wait_log(rf"forward-failed name=bad\.example\.? type={rdtype} cause=")


def test_overload_is_servfail_and_never_silence(start, upstream):
    """More queries than may be under way, none of which the upstream answers."""
    daemon = start("--forward", upstream.address, "--workers", "1")
    count = 6000
    for i in range(count):
        upstream.answers[f"n{i}.example", "A"] = silent
    with gaz.open_tcp(daemon.dns[0]) as sock:
        ids = set()

        def read_all():
            while len(ids) < count:
                reply = dns.message.from_wire(gaz.read_tcp(sock))
                assert gaz.rcode(reply) == "SERVFAIL"
                ids.add(reply.id)
        crowd = gaz.Crowd()
        crowd.add(read_all)
        for i in range(count):
            message = gaz.query(f"n{i}.example", rd=True)
            message.id = i
            wire = message.to_wire()
            sock.sendall(struct.pack("!H", len(wire)) + wire)
        crowd.join()
    assert len(ids) == count
    found = daemon.api.ok("Gazetteer.GetStatus")["Status"]["Forward"]
    assert found["TurnedAway"] > 0 and found["Failures"] + found["TurnedAway"] == count

    def is_back():
        return len(gaz.addresses(ask(daemon, "www.example"))) == 2
    gaz.until("libunbound has given those up", is_back)


def test_stop_answers_those_who_wait(forwarding, upstream):
    upstream.answers["silent.example", "A"] = silent
    message = gaz.query("silent.example", rd=True)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock, \
            gaz.open_tcp(forwarding.dns[0]) as stream:
        sock.settimeout(gaz.PATIENCE)
        sock.connect(forwarding.dns[0])
        sock.send(message.to_wire())
        gaz.until("it is under way", lambda: upstream.count("silent.example"))
        wire = message.to_wire()
        stream.sendall(struct.pack("!H", len(wire)) + wire)
        forwarding.stop()
        reply = dns.message.from_wire(sock.recv(65535))
        assert gaz.rcode(reply) == "SERVFAIL"
        assert gaz.rcode(dns.message.from_wire(gaz.read_tcp(stream))) == "SERVFAIL"


def flush(daemon, home, *args, expect=0):
    return gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "cache", "flush", *args], home,
                   expect)


def test_flush_forgets_what_upstreams_have_said(forwarding, upstream, home):
    """Also that there is no such name, and of libunbound's own cache: the TTL is long."""
    assert gaz.rcode(ask(forwarding, "new.example")) == "NXDOMAIN"
    assert sorted(gaz.addresses(ask(forwarding, "www.example"))) == ["192.0.2.1", "192.0.2.2"]
    upstream.give("new.example", "A", "192.0.2.7")
    upstream.give("www.example", "A", "192.0.2.8")
    assert gaz.rcode(ask(forwarding, "new.example")) == "NXDOMAIN"
    assert flush(forwarding, home).stdout == "flushed\n"
    assert gaz.addresses(ask(forwarding, "new.example")) == ["192.0.2.7"]
    assert gaz.addresses(ask(forwarding, "www.example")) == ["192.0.2.8"]
    assert json.loads(flush(forwarding, home, "--json").stdout) == {}


def test_flush_loses_nobody_who_waits(forwarding, upstream, home):
    """What is being asked is asked again; an answer from before counts for nothing."""
    gate = threading.Event()

    def wait(query, is_tcp):
        lines = upstream.held
        assert gate.wait(gaz.PATIENCE)
        return upstream._reply(query, lines, is_tcp)
    upstream.give("held.example", "A", "192.0.2.6")
    upstream.held, upstream.answers["held.example", "A"] = \
        upstream.answers["held.example", "A"], wait
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.connect(forwarding.dns[0])
        sock.send(gaz.query("held.example", rd=True).to_wire())
        gaz.until("the upstream is asked", lambda: upstream.count("held.example"))
        upstream.give("held.example", "A", "192.0.2.9")
        flush(forwarding, home)
        gate.set()
        assert gaz.addresses(dns.message.from_wire(sock.recv(65535))) == ["192.0.2.9"]


def test_flush_needs_a_cache(daemon, home):
    assert "--forward" in flush(daemon, home, expect=1).stderr
    daemon.api.fails("InvalidInput", "Gazetteer.FlushCache")


def test_other_upstreams_lose_nobody_who_waits(start, resolvers, tmp_path):
    """The file changes while one of the old upstreams is being asked."""
    old, new = resolvers(), resolvers()
    old.answers["www.example", "A"] = silent
    new.give("www.example", "A", "192.0.2.9")
    path = tmp_path / "resolv.conf"
    path.write_text(f"nameserver {old.address}\n", encoding="ascii")
    daemon = start("--forward", str(path))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.connect(daemon.dns[0])
        sock.send(gaz.query("www.example", rd=True).to_wire())
        gaz.until("the old one is asked", lambda: old.count("www.example"))
        path.write_text(f"nameserver {new.address}\n", encoding="ascii")
        assert gaz.addresses(dns.message.from_wire(sock.recv(65535))) == ["192.0.2.9"]


def test_many_flushes_under_load(forwarding, upstream, home):
    """Every query gets a reply, and every flush ends."""
    for i in range(20):
        upstream.give(f"n{i}.example", "A", f"192.0.2.{i + 1}")
    stop, failed = threading.Event(), []

    def load():
        while not stop.is_set():
            for i in range(20):
                reply = ask(forwarding, f"n{i}.example")
                if gaz.addresses(reply) != [f"192.0.2.{i + 1}"]:
                    failed.append(reply)
    threads = [threading.Thread(target=load) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        for _ in range(30):
            assert forwarding.api.ok("Gazetteer.FlushCache") == {}
    finally:
        stop.set()
        for thread in threads:
            thread.join(gaz.PATIENCE)
    assert not failed, str(failed[0])


def test_counters_tell_what_was_forwarded(forwarding, upstream):
    upstream.answers["bad.example", "A"] = servfail
    for _ in range(3):
        ask(forwarding, "www.example")
    ask(forwarding, "bad.example")
    status = forwarding.api.ok("Gazetteer.GetStatus")["Status"]
    found = status["Forward"]
    assert found["Queries"] == 2 and found["CacheHits"] == 2 and found["Failures"] == 1
    assert found["Questions"] >= 2 and found["TurnedAway"] == 0

    def all_counted():
        now = forwarding.api.ok("Gazetteer.GetStatus")["Status"]
        return (now["Answered"] == 4 and now["Dropped"] == 0 and
                now["Rcodes"]["NOERROR"] == 3 and now["Rcodes"]["SERVFAIL"] == 1)
    gaz.until("workers tell what they have counted", all_counted)


def test_explanation_knows_of_forwarding(forwarding, upstream):
    def explain(source):
        return forwarding.api.ok("Gazetteer.ExplainAnswer", Name="www.example",
                                 From=source)["Explanation"]
    found = explain(LOOPBACK)
    assert found["Match"] == "NO_ZONE" and found["Forwarded"] is True and "Reply" not in found
    assert "an upstream is asked" in gaz.run(
        [gaz.GAZCTL, "--socket", forwarding.socket, "explain", "www.example"],
        forwarding.home).stdout
    assert upstream.asked == []
    ask(forwarding, "www.example")
    found = explain(LOOPBACK)
    assert found["Reply"]["Rcode"] == "NOERROR" and len(found["Reply"]["Answer"]) == 2
    assert "Forwarded" not in found
    assert explain("192.0.2.1")["Reply"]["Rcode"] == "REFUSED"


def test_explanation_knows_names_that_stay_here(start, upstream):
    """It is as true as the answer is: nobody is asked for these."""
    daemon = start("--forward", upstream.address, "--forward", f"corp.test={upstream.address}",
                   "--forward", f"172.in-addr.arpa={upstream.address}")
    for name, special in (
            ("localhost", True), ("a.LOCAL", True), ("1.0.0.10.in-addr.arpa", True),
            ("9.100.100.in-addr.arpa", True), ("9.128.100.in-addr.arpa", False),
            ("notlocal", False), ("test", True), ("a.test", True), ("corp.test", False),
            ("www.corp.test", False), ("1.20.172.in-addr.arpa", False)):
        upstream.asked.clear()
        found = daemon.api.ok("Gazetteer.ExplainAnswer", Name=name)["Explanation"]
        assert (found.get("Special"), found.get("Forwarded")) == \
            ((True, None) if special else (None, True)), name
        said = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "explain", name], daemon.home)
        assert ("told to no upstream" in said.stdout) == special
        ask(daemon, name)
        assert (upstream.asked == []) == special, name


def test_late_reply_comes_from_the_address_that_was_asked(start, upstream):
    """The client's socket is connected: it takes replies from nowhere else."""
    daemon = start("--forward", upstream.address, listen=("0.0.0.0:0", "[::1]:0"))
    port = daemon.dns[0][1]
    for number in 1, 2:
        upstream.give(f"n{number}.example", "A", "192.0.2.1")
        message = gaz.query(f"n{number}.example", rd=True)
        wire = gaz.exchange_udp(message.to_wire(), (f"127.0.7.{number}", port))
        assert gaz.addresses(dns.message.from_wire(wire)) == ["192.0.2.1"]
    assert len(gaz.addresses(ask(daemon, "www.example", listener=1))) == 2


def test_connection_that_waits_is_not_idle(start, upstream):
    upstream.answers["silent.example", "A"] = silent
    daemon = start("--forward", upstream.address, "--tcp-idle", "100")
    assert gaz.rcode(ask(daemon, "silent.example", tcp=True)) == "SERVFAIL"


# ---- resolv.conf ----

def write(path, *addresses):
    new = path.with_suffix(".new")
    new.write_text("# made by a test\nsearch example\n" +
                   "".join(f"nameserver {address}\n" for address in addresses))
    new.rename(path)


def test_file_of_nameservers_is_followed(start, resolvers, tmp_path):
    """Nameservers of a file have port 53, so each gets an address of its own."""
    one, other = resolvers(address="127.0.83.1", port=53), resolvers(address="127.0.83.2",
                                                                     port=53)
    one.give("www.example", "A", "192.0.2.1")
    other.give("www.example", "A", "192.0.2.2")
    path = tmp_path / "resolv.conf"
    write(path, "127.0.83.1")
    daemon = start("--forward", str(path), listen=("127.0.83.3:53", "127.0.0.1:0"))
    assert gaz.addresses(ask(daemon, "www.example")) == ["192.0.2.1"]
    write(path, "127.0.83.2", "127.0.83.3")
    assert daemon.wait_log("forward-upstreams-changed")
    assert gaz.addresses(ask(daemon, "www.example")) == ["192.0.2.2"]
    # The machine is pointed at us alone: the upstreams are still those of before.
    write(path, "127.0.83.3")
    assert daemon.wait_log("forward-upstreams-kept")
    other.give("new.example", "A", "192.0.2.3")
    assert gaz.addresses(ask(daemon, "new.example")) == ["192.0.2.3"]


def test_change_that_comes_when_no_descriptor_is_left_is_not_lost(start, resolvers, tmp_path):
    """The file can be read, but the new upstreams need more than that."""
    other = resolvers(address="127.0.83.5", port=53)
    other.give("www.example", "A", "192.0.2.2")
    path = tmp_path / "resolv.conf"
    write(path, "127.0.83.4")
    daemon = start("--forward", str(path))
    pid = daemon.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(number) for number in os.listdir(f"/proc/{pid}/fd")}
    free = next(number for number in itertools.count() if number not in used)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (free + 1, limits[1]))
    first = len(daemon.log)
    write(path, "127.0.83.5")
    assert daemon.wait_log("forward-upstreams-kept", first)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    assert daemon.wait_log("forward-upstreams-changed", first, patience=20)
    assert gaz.addresses(ask(daemon, "www.example")) == ["192.0.2.2"]


def test_upstreams_given_besides_a_file_stay(start, upstream, tmp_path):
    """Whatever the file says; it may even name nobody but us."""
    upstream.give("late.example", "A", "192.0.2.9")
    path = tmp_path / "resolv.conf"
    write(path, "127.0.83.31")
    daemon = start("--forward", upstream.address, "--forward", str(path),
                   listen=("127.0.83.33:53", "127.0.0.1:0"))
    write(path, "127.0.83.32")
    assert daemon.wait_log("forward-upstreams-changed")
    assert gaz.addresses(ask(daemon, "late.example")) == ["192.0.2.9"]
    write(path, "127.0.83.33")
    daemon.restart()
    assert len(gaz.addresses(ask(daemon, "www.example"))) == 2


def test_file_with_nobody_but_us_is_refused(home, tmp_path):
    path = tmp_path / "resolv.conf"
    write(path, "127.0.83.9")
    said = gaz.refused_start(home, "--ephemeral", "--listen", "127.0.83.9:53", "--api", "none",
                             "--forward", str(path))
    assert "no other nameserver" in said and "--forward ADDR" in said


# ---- loops ----

@pytest.mark.parametrize("listen, upstream", [
    ("127.0.83.20:5300", "127.0.83.20:5300"), ("0.0.0.0:5301", "127.0.83.21:5301"),
    ("127.0.83.22:5302", "example=192.0.2.1,127.0.83.22:5302")])
def test_own_listener_is_no_upstream(home, listen, upstream):
    said = gaz.refused_start(home, "--ephemeral", "--listen", listen, "--api", "none",
                             "--forward", upstream)
    assert "is this server itself" in said


class Echo:
    """A forwarder that sends every query back to where it came from."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind((LOOPBACK, 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.target = None
        self.seen = []
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def _serve(self):
        waiting = {}
        while True:
            wire, peer = self.sock.recvfrom(4096)
            if not wire:
                return
            if peer == self.target:
                if wire[:2] in waiting:
                    self.sock.sendto(wire, waiting.pop(wire[:2]))
                continue
            self.seen.append(wire)
            waiting[wire[:2]] = peer
            self.sock.sendto(wire, self.target)

    def close(self):
        self.sock.sendto(b"", self.sock.getsockname())
        self.thread.join(gaz.PATIENCE)
        self.sock.close()


def test_loop_is_found_out(start):
    echo = Echo()
    try:
        daemon = start("--forward", echo.address)
        echo.target = daemon.dns[0]
        first = ask(daemon, "www.example", edns=1232)
        assert gaz.rcode(first) == "SERVFAIL" and errors(first) == [NO_REACHABLE_AUTHORITY]
        assert daemon.wait_log("forward-loop suffix=.* advice=")
        for i in range(20):
            assert gaz.rcode(ask(daemon, f"n{i}.example")) == "SERVFAIL"
        assert not any(b"\2n" in wire for wire in echo.seen)  # they do not go round
        assert gaz.addresses(ask(daemon, "localhost")) == []
    finally:
        echo.close()


@pytest.mark.parametrize("option, advice", [
    (["--forward", "no-address"], "not ADDR"),
    (["--forward", "a..b=127.0.0.1"], "not a domain name"),
    (["--forward", "127.0.0.1,"], "not ADDR"),
    (["--forward", ",".join(f"192.0.2.{i}" for i in range(9))], "8 addresses"),
    (["--forward", "/does/not/exist"], "cannot read /does/not/exist"),
    (["--forward", "/does/not/exist"], "or the address of one"),
    (["--forward", "/a", "--forward", "/b"], "only one file"),
    (["--forward", "192.0.2.1", "--allow-recursion", "10.0.0.1/8"], "--allow-recursion"),
])
def test_useless_options_are_refused(home, option, advice):
    said = gaz.refused_start(home, "--ephemeral", "--listen", "127.0.0.1:0", "--api", "none",
                             *option)
    assert advice in said


def test_options_may_stand_in_the_configuration_file(start, resolvers, upstream, tmp_path):
    corp = resolvers()
    corp.give("www.corp.example", "A", "192.0.2.10")
    config = tmp_path / "gazetteerd.json"
    config.write_text(json.dumps({
        "forward": [upstream.address, f"corp.example={corp.address}"],
        "allow-recursion": "127.0.1.0/24"}))
    daemon = start("--config", str(config))
    for name in "www.example", "www.corp.example":
        assert gaz.addresses(ask(daemon, name, source="127.0.1.1"))
        assert gaz.rcode(ask(daemon, name)) == "REFUSED"


def test_none_forwards_nothing(start):
    daemon = start("--forward", "none")
    reply = ask(daemon, "www.example")
    assert gaz.rcode(reply) == "REFUSED" and flags(reply) == ["QR", "RD"]
