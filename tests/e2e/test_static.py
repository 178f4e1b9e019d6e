# SPDX-License-Identifier: BSD-2-Clause
"""Static zone files: what a master file may hold beyond Cloud Map's records."""

import os

import pytest

import gaz
from gaz import IN_A, OUTSIDE, VPC_A

ZONE = r"""$TTL 300
@ IN SOA ns hostmaster 7 3600 900 604800 60
@ IN NS ns
@ IN MX 10 mail
ns IN A 192.0.2.53
mail IN A 192.0.2.25
alias IN CNAME www
alias2 IN CNAME alias
loop1 IN CNAME loop2
loop2 IN CNAME loop1
out IN CNAME www.other.example.
secret IN CNAME www.private.example.
nosecret IN CNAME www.absent1.example.
dangling IN CNAME nosuch
www IN A 192.0.2.80
www IN AAAA 2001:db8::80
*.wild IN A 192.0.2.99
there.wild IN TXT "no A here"
sub IN NS ns.sub
ns.sub IN A 192.0.2.54
_sip._tcp IN SRV 0 5 5060 www
odd IN TYPE65280 \# 3 010203
"""
SOA = "st.example. 60 IN SOA ns.st.example. hostmaster.st.example. 7 3600 900 604800 60"


@pytest.fixture(scope="module")
def static(tmp_path_factory):
    """One daemon with the zone st.example and the private namespace private.example."""
    home = tmp_path_factory.mktemp("static", numbered=True)
    os.mkdir(home / "zones")
    (home / "zones/st.example.zone").write_text(ZONE, encoding="ascii")
    daemon = gaz.Daemon(home, *gaz.VPC_OPTIONS, "--zones", str(home / "zones")).start()
    try:
        namespace = daemon.api.private("private.example", VPC_A)
        daemon.api.register(daemon.api.service(namespace, "www"), "i", "10.0.0.1")
        yield daemon
    finally:
        daemon.finish()


def lines(section):
    return [line for rrset in section for line in rrset.to_text().splitlines()]


@pytest.mark.parametrize("name, rdtype, rcode, answer, authority", [
    ("alias", "A", "NOERROR", ["alias CNAME www", "www A 192.0.2.80"], []),
    ("alias2", "AAAA", "NOERROR", ["alias2 CNAME alias", "alias CNAME www",
                                   "www AAAA 2001:db8::80"], []),
    ("alias", "CNAME", "NOERROR", ["alias CNAME www"], []),
    ("alias", "MX", "NOERROR", ["alias CNAME www"], [SOA]),
    ("dangling", "A", "NXDOMAIN", ["dangling CNAME nosuch"], [SOA]),
    ("loop1", "A", "NOERROR", ["loop1 CNAME loop2", "loop2 CNAME loop1"], []),
    ("x.wild", "A", "NOERROR", ["x.wild A 192.0.2.99"], []),
    ("x.y.wild", "A", "NOERROR", ["x.y.wild A 192.0.2.99"], []),
    ("x.wild", "AAAA", "NOERROR", [], [SOA]), ("wild", "A", "NOERROR", [], [SOA]),
    ("there.wild", "A", "NOERROR", [], [SOA]), ("x.there.wild", "A", "NXDOMAIN", [], [SOA]),
    ("_tcp", "SRV", "NOERROR", [], [SOA]), ("odd", "TXT", "NOERROR", [], [SOA])])
def test_answers_of_a_static_zone(static, name, rdtype, rcode, answer, authority):
    """CNAME chains, wildcards, empty non-terminals, NODATA, NXDOMAIN (RFC 1034, 4592)."""
    reply = static.ask(f"{name}.st.example", rdtype)
    assert gaz.rcode(reply) == rcode

    def full(line):
        owner, kind, data = line.split()
        data += ".st.example." if kind == "CNAME" else ""
        return f"{owner}.st.example. 300 IN {kind} {data}"

    assert lines(reply.answer) == [full(line) for line in answer]
    assert lines(reply.authority) == authority


def test_chain_ends_at_a_zone_that_is_not_ours(static):
    """The CNAME alone; the client asks on."""
    reply = static.ask("out.st.example")
    assert gaz.rcode(reply) == "NOERROR" and not reply.authority
    assert lines(reply.answer) == ["out.st.example. 300 IN CNAME www.other.example."]


def test_chain_into_a_private_zone_is_for_its_vpc_only(static):
    """Elsewhere it looks as if the target's zone did not exist."""
    inside = static.ask("secret.st.example", source=IN_A)
    assert lines(inside.answer) == ["secret.st.example. 300 IN CNAME www.private.example.",
                                    "www.private.example. 60 IN A 10.0.0.1"]
    replies = [static.ask(f"{name}.st.example", source=OUTSIDE)
               for name in ("secret", "nosecret")]
    for reply in replies:
        assert gaz.rcode(reply) == "NOERROR" and len(lines(reply.answer)) == 1
        assert not reply.authority and not reply.additional
    assert replies[0].flags == replies[1].flags


@pytest.mark.parametrize("name", ["sub", "host.sub", "ns.sub"])
def test_delegation_is_a_referral(static, name):
    """No AA, the NS set, its glue."""
    reply = static.ask(f"{name}.st.example")
    assert gaz.rcode(reply) == "NOERROR" and not reply.flags & 0x0400
    assert not reply.answer
    assert lines(reply.authority) == ["sub.st.example. 300 IN NS ns.sub.st.example."]
    assert lines(reply.additional) == ["ns.sub.st.example. 300 IN A 192.0.2.54"]


def test_other_types_are_served(static):
    """SRV, MX and types without a name."""
    for name, rdtype, data in (("_sip._tcp.st.example", "SRV", "0 5 5060 www.st.example."),
                               ("st.example", "MX", "10 mail.st.example."),
                               ("odd.st.example", "TYPE65280", r"\# 3 010203")):
        (answer,) = static.ask(name, rdtype).answer
        assert answer[0].to_text() == data


def test_static_zones_are_public(static):
    """The same for every source."""
    for source in (IN_A, OUTSIDE, "127.0.0.1"):
        assert gaz.addresses(static.ask("www.st.example", source=source)) == ["192.0.2.80"]
