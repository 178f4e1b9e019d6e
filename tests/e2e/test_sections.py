# SPDX-License-Identifier: BSD-2-Clause
"""What goes beside an answer: addresses of hosts, glue, TC, compression."""

import os

import dns.flags
import dns.message
import pytest

import gaz
from gaz import IN_A, OUTSIDE, VPC_A

PARENT = """$TTL 300
@ IN SOA ns hostmaster 7 3600 900 604800 60
@ IN NS ns
@ IN NS ns.sub
@ IN MX 10 mail
@ IN MX 20 mail.elsewhere.test.
ns IN A 192.0.2.53
mail IN A 192.0.2.25
mail IN AAAA 2001:db8::25
sub IN NS ns.sub
sub IN NS ns
sub IN DS 1 8 2 0000000000000000000000000000000000000000000000000000000000000000
ns.sub IN A 192.0.2.54
child IN NS ns
child IN DS 2 8 2 1111111111111111111111111111111111111111111111111111111111111111
svc IN SRV 1 1 80 web.w.example.
deep IN DNAME wide
*.wide IN CNAME mail
""" + "".join(f"big IN NS n{n}.big\nn{n}.big IN AAAA 2001:db8::{n}\n" for n in range(20)) + \
    "".join(f"c{n} IN CNAME c{n + 1}\n" for n in range(30))
CHILD = """$TTL 300
@ IN SOA ns hostmaster 7 3600 900 604800 60
@ IN NS ns.pa.example.
"""


@pytest.fixture(scope="module")
def zones(tmp_path_factory):
    """The zones pa.example and child.pa.example, and the private namespace w.example."""
    home = tmp_path_factory.mktemp("sections", numbered=True)
    os.mkdir(home / "zones")
    (home / "zones/pa.example.zone").write_text(PARENT, encoding="ascii")
    (home / "zones/child.pa.example.zone").write_text(CHILD, encoding="ascii")
    daemon = gaz.Daemon(home, *gaz.VPC_OPTIONS, "--zones", str(home / "zones")).start()
    try:
        namespace = daemon.api.private("w.example", VPC_A)
        daemon.api.register(daemon.api.service(namespace, "web"), "i", "10.0.0.1")
        service = daemon.api.serve(namespace, "srv", "SRV", ttl=7)
        for number in range(9):
            daemon.api.attach(service, f"an-instance-with-a-rather-long-id-{number}",
                              AWS_INSTANCE_IPV4=f"10.0.1.{number}", AWS_INSTANCE_PORT="80")
        yield daemon
    finally:
        daemon.finish()


def lines(section):
    return sorted(line for rrset in section for line in rrset.to_text().splitlines())


def test_mail_and_name_servers_come_with_their_addresses(zones):
    """Those that we know, in one reply."""
    reply = zones.ask("pa.example", "MX")
    assert lines(reply.additional) == ["mail.pa.example. 300 IN A 192.0.2.25",
                                       "mail.pa.example. 300 IN AAAA 2001:db8::25"]
    reply = zones.ask("pa.example", "NS")
    assert lines(reply.additional) == ["ns.pa.example. 300 IN A 192.0.2.53",
                                       "ns.sub.pa.example. 300 IN A 192.0.2.54"]
    assert reply.flags & dns.flags.AA and not reply.authority
    (ns,) = zones.ask("child.pa.example", "NS").additional
    assert ns.to_text() == "ns.pa.example. 300 IN A 192.0.2.53"


def test_targets_of_instances_come_with_their_addresses(zones):
    """The helper name of each SRV record; eight of nine, and their own addresses."""
    reply = zones.ask("srv.w.example", "SRV", edns=1232)
    (srv,) = reply.answer
    targets = {rdata.target for rdata in srv}
    assert len(targets) == 8
    known = {rrset.name: rrset for rrset in reply.additional}
    assert known and set(known) <= targets
    for name, rrset in known.items():
        number = name.labels[0].decode()[-1]
        assert rrset.ttl == 7 and rrset[0].address == f"10.0.1.{number}"


def test_multivalue_answers_fit_without_edns(zones):
    """512 octets hold fewer than eight of these: no TC, all of them over TCP."""
    for _ in range(10):
        wire = zones.ask_wire(gaz.query("srv.w.example", "SRV").to_wire(), IN_A)
        reply = dns.message.from_wire(wire)
        assert len(wire) <= 512 and not reply.flags & dns.flags.TC
        assert 3 <= len(reply.answer[0]) < 8
    assert len(zones.ask("srv.w.example", "SRV", tcp=True).answer[0]) == 8


def test_hosts_in_a_hidden_namespace_stay_hidden(zones):
    """The addresses are for the VPC alone."""
    assert not zones.ask("svc.pa.example", "SRV", source=OUTSIDE).additional
    assert lines(zones.ask("svc.pa.example", "SRV", source=IN_A).additional) == [
        "web.w.example. 60 IN A 10.0.0.1"]


def test_referral_has_all_of_its_glue_or_tc(zones):
    """RFC 9471."""
    reply = zones.ask("x.sub.pa.example")
    assert lines(reply.additional) == ["ns.pa.example. 300 IN A 192.0.2.53",
                                       "ns.sub.pa.example. 300 IN A 192.0.2.54"]
    small = zones.ask("x.big.pa.example")
    assert small.flags & dns.flags.TC and len(small.authority[0]) == 20
    for full in (zones.ask("x.big.pa.example", tcp=True),
                 zones.ask("x.big.pa.example", edns=1232)):
        assert not full.flags & dns.flags.TC and len(full.additional) == 20


def test_ds_is_the_parents(zones):
    """Also where both zones are here; a namespace without a parent has none."""
    for name, tag in (("sub", "1"), ("child", "2")):
        reply = zones.ask(f"{name}.pa.example", "DS")
        assert reply.flags & dns.flags.AA and not reply.authority
        assert reply.answer[0][0].to_text().split()[0] == tag
    assert zones.ask("child.pa.example", "SOA").answer
    reply = zones.ask("w.example", "DS", source=IN_A)
    assert gaz.rcode(reply) == "NOERROR" and not reply.answer
    assert [str(rrset.name) for rrset in reply.authority] == ["w.example."]


def test_chains_are_bounded_and_end_where_the_client_goes_on(zones):
    """Eight CNAMEs, through a DNAME and a wildcard."""
    reply = zones.ask("c0.pa.example")
    assert gaz.rcode(reply) == "NOERROR" and len(lines(reply.answer)) == 8
    reply = zones.ask("x.deep.pa.example", "AAAA")
    assert [rrset.to_text() for rrset in reply.answer] == [
        "deep.pa.example. 300 IN DNAME wide.pa.example.",
        "x.deep.pa.example. 300 IN CNAME x.wide.pa.example.",
        "x.wide.pa.example. 300 IN CNAME mail.pa.example.",
        "mail.pa.example. 300 IN AAAA 2001:db8::25"]


def test_names_are_compressed_and_their_case_is_kept(zones):
    """The zone's name stands in a reply once, unless its case differs."""
    wire = zones.ask_wire(gaz.query("pa.example", "MX").to_wire())
    assert wire.count(b"\7example") == 1
    wire = zones.ask_wire(gaz.query("PA.Example", "MX").to_wire())
    assert b"\7Example" in wire and b"\7example" in wire
    reply = dns.message.from_wire(wire)
    assert str(reply.answer[0][0].exchange) == "mail.pa.example."


def test_kdig_and_dig_read_every_reply(zones):
    """Two readers that are not ours and complain about malformed messages."""
    host, port = zones.dns[0]
    for name, rdtype in (("pa.example", "MX"), ("pa.example", "NS"), ("no.pa.example", "A"),
                         ("x.big.pa.example", "A"), ("x.deep.pa.example", "A"),
                         ("c0.pa.example", "A"), ("srv.w.example", "SRV")):
        for tool in (["dig", "+ignore"], ["kdig", "+ignore"]):
            done = gaz.run([*tool, f"@{host}", "-p", port, "-b", IN_A, name, rdtype],
                           zones.home)
            assert "NOERROR" in done.stdout or "NXDOMAIN" in done.stdout
            text = (done.stdout + done.stderr).lower()
            assert "malformed" not in text and "warning: extra" not in text
