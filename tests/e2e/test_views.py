# SPDX-License-Identifier: BSD-2-Clause
"""Who sees which namespace: VPCs by source prefix, listener and declaration."""

import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B, rcode


def ttl_seen(daemon, name, source, listener=0):
    """The SOA TTL that tells which zone answered; None when refused."""
    reply = daemon.ask(name, "SOA", source=source, listener=listener)
    if rcode(reply) == "REFUSED":
        return None
    return (reply.answer or reply.authority)[0].ttl


def test_private_namespace_is_seen_by_its_vpc_only(daemon):
    """The first and last address of the prefix, and the ones beside it."""
    daemon.api.private("a.example", VPC_A, ttl=1)
    for source in ("127.0.10.1", "127.0.10.0", "127.0.10.255"):
        assert ttl_seen(daemon, "a.example", source) == 1
    for source in ("127.0.9.255", "127.0.11.0", IN_B, OUTSIDE, "127.0.0.1"):
        assert ttl_seen(daemon, "a.example", source) is None


def test_views_hold_over_tcp_too(daemon):
    """The same source rule for both transports."""
    daemon.api.private("a.example", VPC_A, ttl=1)
    assert daemon.ask("a.example", "SOA", source=IN_A, tcp=True).answer
    assert rcode(daemon.ask("a.example", "SOA", source=IN_B, tcp=True)) == "REFUSED"


def test_longest_prefix_wins(start):
    """A /32 inside a /24 inside a /8 belongs to the /32's VPC alone."""
    daemon = start("--vpc", "vpc-8=127.0.0.0/8", "--vpc", "vpc-24=127.0.10.0/24",
                   "--vpc", "vpc-32=127.0.10.9/32,127.0.50.0/28")
    for ttl, vpc in ((8, "vpc-8"), (24, "vpc-24"), (32, "vpc-32")):
        daemon.api.private("v.example", vpc, ttl=ttl)
    for source, ttl in (("127.0.10.9", 32), ("127.0.10.8", 24), ("127.0.50.15", 32),
                        ("127.0.50.16", 8), ("127.99.1.1", 8), ("127.0.0.1", 8)):
        assert ttl_seen(daemon, "v.example", source) == ttl


def test_prefix_of_two_vpcs_sees_both_and_the_older_answers(start):
    """Zones of all its VPCs; of equal names the older one."""
    daemon = start("--vpc", "vpc-1=127.0.10.0/24", "--vpc", "vpc-2=127.0.10.0/24")
    api = daemon.api
    api.private("one.example", "vpc-1", ttl=1)
    api.private("two.example", "vpc-2", ttl=2)
    older = api.private("same.example", "vpc-2", ttl=22)
    younger = api.private("same.example", "vpc-1", ttl=11)
    assert ttl_seen(daemon, "one.example", IN_A) == 1
    assert ttl_seen(daemon, "two.example", IN_A) == 2
    assert ttl_seen(daemon, "same.example", IN_A) == 22
    daemon.restart()
    assert ttl_seen(daemon, "same.example", IN_A) == 22
    daemon.api.done("DeleteNamespace", Id=older)
    assert ttl_seen(daemon, "same.example", IN_A) == 11
    daemon.api.done("DeleteNamespace", Id=younger)
    assert ttl_seen(daemon, "same.example", IN_A) is None


@pytest.fixture
def split(daemon):
    """Private example.com in VPC_A; public example.com and api.example.com."""
    api = daemon.api
    private = api.private("example.com", VPC_A, ttl=1)
    public, inner = api.public("example.com", ttl=2), api.public("api.example.com", ttl=3)
    api.register(api.service(private, "in"), "i", "10.0.0.1")
    api.register(api.service(public, "www"), "i", "10.0.0.2")
    api.register(api.service(inner, "x"), "i", "10.0.0.3")
    return daemon


def test_private_zone_hides_public_names(split):
    """From the VPC its answer is final: NXDOMAIN, no falling through."""
    for name in ("www.example.com", "x.api.example.com", "api.example.com"):
        reply = split.ask(name, source=IN_A)
        assert rcode(reply) == "NXDOMAIN"
        assert (reply.authority[0].name.to_text(), reply.authority[0].ttl) == (
            "example.com.", 1)
    assert gaz.addresses(split.ask("in.example.com", source=IN_A)) == ["10.0.0.1"]


def test_outside_sees_the_public_zones(split):
    """As if the private one did not exist."""
    for source in (OUTSIDE, IN_B):
        assert gaz.addresses(split.ask("www.example.com", source=source)) == ["10.0.0.2"]
        assert gaz.addresses(split.ask("x.api.example.com", source=source)) == ["10.0.0.3"]
        reply = split.ask("in.example.com", source=source)
        assert rcode(reply) == "NXDOMAIN" and reply.authority[0].ttl == 2


def test_longer_private_zone_answers_before_the_shorter(split):
    """A private api.example.com owns its subtree in the VPC, and only there."""
    split.api.private("api.example.com", VPC_A, ttl=4)
    assert ttl_seen(split, "api.example.com", IN_A) == 4
    assert ttl_seen(split, "x.api.example.com", IN_A) == 4
    assert ttl_seen(split, "www.example.com", IN_A) == 1
    assert ttl_seen(split, "api.example.com", OUTSIDE) == 3


def test_same_name_in_another_vpc_is_seen_only_there(split):
    """Three zones of one name, three views."""
    split.api.private("example.com", VPC_B, ttl=5)
    assert [ttl_seen(split, "example.com", source) for source in (IN_A, IN_B, OUTSIDE)] == [
        1, 5, 2]


def test_deleting_the_private_zone_uncovers_the_public_one(split):
    """At the very next query."""
    private = split.api.ok("ListNamespaces", Filters=[
        {"Name": "TYPE", "Values": ["DNS_PRIVATE"]}])["Namespaces"][0]["Id"]
    service = split.api.service(private, "temp")
    split.api.ok("DeleteService", Id=service)
    split.api.fails("ResourceInUse", "DeleteNamespace", Id=private)
    young = split.api.private("b.example.com", VPC_A, ttl=9)
    assert ttl_seen(split, "b.example.com", IN_A) == 9
    split.api.done("DeleteNamespace", Id=young)
    assert ttl_seen(split, "b.example.com", IN_A) == 1


def test_private_zone_below_a_public_one_is_no_secret_leak(daemon):
    """Outside, the enclosing public zone speaks as if nothing were there."""
    daemon.api.public("corp.example", ttl=6)
    before = [daemon.ask_wire(gaz.query(name, "A", id=7).to_wire(), OUTSIDE)
              for name in ("in.corp.example", "x.in.corp.example")]
    private = daemon.api.private("in.corp.example", VPC_A, ttl=1)
    daemon.api.register(daemon.api.service(private, "x"), "i", "10.0.0.1")
    after = [daemon.ask_wire(gaz.query(name, "A", id=7).to_wire(), OUTSIDE)
             for name in ("in.corp.example", "x.in.corp.example")]
    assert before == after
    assert gaz.addresses(daemon.ask("x.in.corp.example", source=IN_A)) == ["10.0.0.1"]


def test_ipv6_prefixes(start):
    """A declared IPv6 prefix decides as an IPv4 one does."""
    daemon = start("--vpc", "vpc-6=::1/128", "--vpc", "vpc-no=fd00::/8,::/64",
                   listen=["[::1]:0", "127.0.0.1:0"])
    daemon.api.private("six.example", "vpc-6", ttl=6)
    daemon.api.private("no.example", "vpc-no", ttl=7)
    assert ttl_seen(daemon, "six.example", None, listener=0) == 6
    assert ttl_seen(daemon, "six.example", "127.0.0.1", listener=1) is None
    assert ttl_seen(daemon, "no.example", None, listener=0) is None


def test_listener_of_a_vpc(start):
    """ADDR=VPC: every query that arrives there belongs to it, whatever its source."""
    daemon = start(*gaz.VPC_OPTIONS,
                   listen=["127.0.0.1:0", f"127.0.53.1:0={VPC_A}", "127.0.53.2:0=vpc-l"])
    daemon.api.private("a.example", VPC_A, ttl=1)
    daemon.api.private("l.example", "vpc-l", ttl=2)
    for source in (OUTSIDE, IN_A, IN_B, "127.0.0.1"):
        assert ttl_seen(daemon, "a.example", source, listener=1) == 1
        assert ttl_seen(daemon, "l.example", source, listener=1) is None
        assert ttl_seen(daemon, "l.example", source, listener=2) == 2
        assert ttl_seen(daemon, "a.example", source, listener=2) is None
    assert ttl_seen(daemon, "a.example", OUTSIDE, listener=0) is None
    assert ttl_seen(daemon, "a.example", IN_A, listener=0) == 1
    message = gaz.query("a.example", "SOA").to_wire()
    assert daemon.ask_wire(message, OUTSIDE, tcp=True, listener=1)[3] & 15 == 0


def test_undeclared_vpc_is_the_loopback(daemon):
    """Without a declaration a VPC has 127.0.0.0/8; declared prefixes are longer."""
    daemon.api.private("u.example", "vpc-undeclared", ttl=1)
    for source in (OUTSIDE, "127.0.0.1", "127.255.0.9"):
        assert ttl_seen(daemon, "u.example", source) == 1
    assert ttl_seen(daemon, "u.example", IN_A) is None


def test_strict_vpcs_refuse_undeclared_ones(start):
    """Through the operation, as Route 53's InvalidVPCId; nothing is created; declared and
    stored ones are fine."""
    api = start(*gaz.VPC_OPTIONS, "--strict-vpcs", "--quota", "namespaces=2").api
    ended = api.failed("CreatePrivateDnsNamespace", Name="n.example", Vpc="vpc-no")
    assert ended["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE"
    assert "Error Code: InvalidVPCId" in ended["ErrorMessage"]
    assert "vpc-no" in ended["ErrorMessage"]
    assert api.ok("ListNamespaces")["Namespaces"] == []
    api.private("n.example", VPC_A)
    api.put_vpc("vpc-no", "127.0.40.0/24")
    api.private("n.example", "vpc-no")


def test_put_vpc_takes_effect_at_the_next_query(daemon):
    """Declare, move, delete: the view follows at once."""
    api = daemon.api
    api.private("p.example", "vpc-p", ttl=1)
    assert ttl_seen(daemon, "p.example", "127.0.40.1") == 1
    api.put_vpc("vpc-p", "127.0.40.0/24")
    assert ttl_seen(daemon, "p.example", "127.0.40.1") == 1
    assert ttl_seen(daemon, "p.example", "127.0.0.1") is None
    api.put_vpc("vpc-p", "127.0.41.0/24", "127.0.42.1/32")
    assert [ttl_seen(daemon, "p.example", f"127.0.{net}.1") for net in (40, 41, 42)] == [
        None, 1, 1]
    api.delete_vpc("vpc-p")
    assert ttl_seen(daemon, "p.example", "127.0.0.1") == 1


def test_vpcs_are_listed_and_durable(daemon):
    """Stored ones survive kill -9; the command line's come from there."""
    api = daemon.api
    api.put_vpc("vpc-z", "127.0.40.0/24", "fd00::/64")
    api.put_vpc("vpc-gone", "127.0.41.0/24")
    api.delete_vpc("vpc-gone")
    wanted = {VPC_A: (["127.0.10.0/24"], True), VPC_B: (["127.0.30.0/24"], True),
              "vpc-z": (["127.0.40.0/24", "fd00::/64"], False)}
    assert api.vpcs() == wanted
    daemon.restart(kill=True)
    assert daemon.api.vpcs() == wanted
    daemon.api.private("z.example", "vpc-z", ttl=5)
    assert ttl_seen(daemon, "z.example", "127.0.40.1") == 5
    daemon.options = []
    daemon.restart()
    assert list(daemon.api.vpcs()) == ["vpc-z"]


def test_command_line_vpcs_are_fixed(daemon):
    """Neither changed nor deleted by the API."""
    before = daemon.api.vpcs()
    for call, members in (("PutVpc", {"Cidrs": ["127.0.99.0/24"]}), ("DeleteVpc", {})):
        reply = daemon.api.raw(f"Gazetteer.{call}", VpcId=VPC_A, **members)
        assert reply.status == 400 and reply.code in ("InvalidInput", "ResourceInUse")
        assert VPC_A in reply.message
    assert daemon.api.vpcs() == before


def test_unknown_vpc_cannot_be_deleted(daemon):
    """An error, not a silent success."""
    daemon.api.fails("ResourceNotFoundException", "Gazetteer.DeleteVpc", VpcId="vpc-nosuch")


@pytest.mark.parametrize("cidrs", [["nonsense"], ["127.0.0.1/33"], ["127.0.0.1/24"],
                                   ["::1/129"], ["127.0.0.0"], [], ["10.0.0.0/8", ""],
                                   ["10.0.0.0/-1"], ["10.0.0.0/8 "], ["1.2.3/24"]])
def test_bad_prefixes_are_refused(shared, cidrs):
    """Not a prefix, too long, host bits set, none at all."""
    if cidrs == ["127.0.0.0"]:
        cidrs = ["127.0.0.0/"]
    shared.api.fails("InvalidInput", "Gazetteer.PutVpc", VpcId="vpc-x", Cidrs=cidrs)
    assert "vpc-x" not in shared.api.vpcs()


@pytest.mark.parametrize("members", [{}, {"Cidrs": ["10.0.0.0/8"]}, {"VpcId": "vpc-x"},
                                     {"VpcId": "", "Cidrs": ["10.0.0.0/8"]},
                                     {"VpcId": "x" * 65, "Cidrs": ["10.0.0.0/8"]}])
def test_put_vpc_is_validated(shared, members):
    """By a shape table like every other call."""
    shared.api.fails("InvalidInput", "Gazetteer.PutVpc", **members)


def test_vpc_ids_are_compared_exactly(daemon):
    """Any text up to 64 characters; case matters."""
    api = daemon.api
    api.put_vpc("My VPC", "127.0.40.0/24")
    api.put_vpc("my vpc", "127.0.41.0/24")
    api.private("c.example", "My VPC", ttl=1)
    assert ttl_seen(daemon, "c.example", "127.0.40.1") == 1
    assert ttl_seen(daemon, "c.example", "127.0.41.1") is None
