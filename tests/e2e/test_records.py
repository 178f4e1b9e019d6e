# SPDX-License-Identifier: BSD-2-Clause
"""What instances put into DNS, for every type of record and every routing policy."""

import collections

import pytest

import gaz
from gaz import IN_A, IN_B, VPC_B, texts

IPV4, IPV6 = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"
PORT, CNAME = "AWS_INSTANCE_PORT", "AWS_INSTANCE_CNAME"


@pytest.fixture
def public(api):
    return api.public("x.example", ttl=33)


def nodata(reply):
    return (gaz.rcode(reply), reply.answer, [r.ttl for r in reply.authority]) == (
        "NOERROR", [], [33])


def nxdomain(reply):
    return (gaz.rcode(reply), reply.answer, [r.ttl for r in reply.authority]) == (
        "NXDOMAIN", [], [33])


def test_aaaa(daemon, public):
    """AAAA at the service's name, canonical in DNS, nothing for A, nothing below."""
    service = daemon.api.serve(public, "s", "AAAA", ttl=7)
    daemon.api.attach(service, "i", **{IPV6: "2001:DB8:0:0::0001", IPV4: "10.0.0.1"})
    reply = daemon.ask("s.x.example", "AAAA")
    assert texts(reply) == ["2001:db8::1"] and gaz.answer_ttls(reply) == {"AAAA": 7}
    assert nodata(daemon.ask("s.x.example", "A"))
    assert nxdomain(daemon.ask("i.s.x.example", "AAAA"))


def test_a_and_aaaa(daemon, public):
    """Two sets, each with its own TTL."""
    service = daemon.api.serve(public, "s", ("AAAA", 7), ("A", 5))
    daemon.api.attach(service, "i", **{IPV4: "10.0.0.1", IPV6: "2001:db8::1"})
    daemon.api.attach(service, "j", **{IPV4: "10.0.0.2", IPV6: "2001:db8::2"})
    reply = daemon.ask("s.x.example", "A")
    assert texts(reply) == ["10.0.0.1", "10.0.0.2"] and gaz.answer_ttls(reply) == {"A": 5}
    reply = daemon.ask("s.x.example", "AAAA")
    assert texts(reply) == ["2001:db8::1", "2001:db8::2"]
    assert gaz.answer_ttls(reply) == {"AAAA": 7}


def test_srv(daemon, public):
    """1 1 port target; addresses of the target, each where the instance has one."""
    api = daemon.api
    service = api.serve(public, "_http._tcp", "SRV", ttl=9)
    api.attach(service, "v4", **{PORT: "80", IPV4: "10.0.0.1"})
    api.attach(service, "v6", **{PORT: "0443", IPV6: "2001:db8::1"})
    api.attach(service, "Both", **{PORT: "65535", IPV4: "10.0.0.2", IPV6: "2001:db8::2"})
    owner = "_http._tcp.x.example"
    reply = daemon.ask(owner, "SRV", edns=1232)
    assert texts(reply) == [f"1 1 443 v6.{owner}.", f"1 1 65535 Both.{owner}.",
                            f"1 1 80 v4.{owner}."]
    assert gaz.answer_ttls(reply) == {"SRV": 9}
    for target, rdtype, address in (("v4", "A", "10.0.0.1"), ("v6", "AAAA", "2001:db8::1"),
                                    ("both", "A", "10.0.0.2"), ("BOTH", "AAAA", "2001:db8::2")):
        reply = daemon.ask(f"{target}.{owner}", rdtype)
        assert texts(reply) == [address] and gaz.answer_ttls(reply) == {rdtype: 9}
    assert nodata(daemon.ask(f"v4.{owner}", "AAAA"))
    assert nodata(daemon.ask(f"v6.{owner}", "A"))
    assert nodata(daemon.ask(owner, "A"))
    assert nodata(daemon.ask("_tcp.x.example", "SRV"))
    assert nxdomain(daemon.ask(f"no.{owner}", "A"))
    assert nxdomain(daemon.ask("_udp.x.example", "SRV"))


def test_srv_target_of_many_labels(daemon, public):
    """An id with dots spans labels; every other character is a literal octet."""
    service = daemon.api.serve(public, "s", "SRV")
    daemon.api.attach(service, "10.0.0.1", **{PORT: "80", IPV4: "10.0.0.1"})
    daemon.api.attach(service, "a/b:c@d_e", **{PORT: "81", IPV4: "10.0.0.2"})
    assert texts(daemon.ask("10.0.0.1.s.x.example")) == ["10.0.0.1"]
    for between in ("1", "0.1", "0.0.1"):
        assert nodata(daemon.ask(f"{between}.s.x.example"))
    assert texts(daemon.ask("a/b:c\\@d_e.s.x.example")) == ["10.0.0.2"]
    daemon.api.deregister(service, "10.0.0.1")
    for gone in ("1", "0.1", "0.0.1", "10.0.0.1"):
        assert nxdomain(daemon.ask(f"{gone}.s.x.example"))
    assert len(texts(daemon.ask("s.x.example", "SRV"))) == 1


@pytest.mark.parametrize("instance", ["x" * 64, "a..b", ".a", "a.", "."])
def test_srv_target_that_is_no_name(daemon, public, instance):
    """A label too long or empty: the operation fails and says for what; nothing is
    written."""
    service = daemon.api.serve(public, "s", "SRV")
    ended = daemon.api.failed("RegisterInstance", ServiceId=service, InstanceId=instance,
                              Attributes={PORT: "80", IPV4: "10.0.0.1"})
    assert ended["ErrorCode"] == "INVALID_CHANGE_BATCH"
    assert ended["ErrorMessage"].startswith("SRV record at s.x.example: its target")
    assert f"the instance {instance}, is no domain name" in ended["ErrorMessage"]
    assert daemon.api.discover("x.example", "s") == []
    assert nxdomain(daemon.ask("s.x.example", "SRV"))


@pytest.mark.parametrize("target", ["target.test", "target.test."])
def test_cname(daemon, public, target):
    """The CNAME for any type; a foreign target is not followed."""
    service = daemon.api.serve(public, "s", "CNAME", ttl=8, policy="WEIGHTED")
    daemon.api.attach(service, "i", **{CNAME: target})
    for rdtype in ("A", "AAAA", "SRV", "TXT", "CNAME", "ANY"):
        reply = daemon.ask("S.x.example", rdtype)
        assert texts(reply) == ["target.test."] and gaz.answer_ttls(reply) == {"CNAME": 8}
        assert gaz.rcode(reply) == "NOERROR" and not reply.authority
    found = daemon.api.ok("GetInstance", ServiceId=service, InstanceId="i")["Instance"]
    assert found["Attributes"] == {CNAME: target}


def test_cname_is_weighted(daemon, public):
    """One of several, each in its turn."""
    service = daemon.api.serve(public, "s", "CNAME", policy="WEIGHTED")
    for number in range(3):
        daemon.api.attach(service, f"i{number}", **{CNAME: f"t{number}.test"})
    seen = collections.Counter()
    for _ in range(200):
        (target,) = texts(daemon.ask("s.x.example"))
        seen[target] += 1
    assert set(seen) == {"t0.test.", "t1.test.", "t2.test."}


def test_cname_chain_stays_in_what_the_client_sees(daemon, public):
    """Followed inside visible zones only; the last name's rcode; loops end."""
    api = daemon.api
    private = api.private("p.example", VPC_B, ttl=33)
    for name, target in (("one", "two.x.example"), ("two", "end.p.example"),
                         ("none", "nosuch.p.example"), ("loop", "pool.x.example"),
                         ("pool", "loop.x.example"), ("self", "SELF.x.example"),
                         ("empty", "x.example")):
        service = api.serve(public, name, "CNAME", policy="WEIGHTED")
        api.attach(service, "i", **{CNAME: target})
    api.attach(api.serve(private, "end", "A", ttl=4), "i", **{IPV4: "10.0.0.1"})
    reply = daemon.ask("one.x.example", source=IN_B)
    assert texts(reply) == ["10.0.0.1", "end.p.example.", "two.x.example."]
    assert gaz.answer_ttls(reply)["A"] == 4
    reply = daemon.ask("one.x.example", source=IN_A)
    assert texts(reply) == ["end.p.example.", "two.x.example."]
    assert gaz.rcode(reply) == "NOERROR" and not reply.authority
    reply = daemon.ask("none.x.example", source=IN_B)
    assert gaz.rcode(reply) == "NXDOMAIN" and texts(reply) == ["nosuch.p.example."]
    assert [str(r.name) for r in reply.authority] == ["p.example."]
    reply = daemon.ask("empty.x.example", source=IN_B)
    assert gaz.rcode(reply) == "NOERROR" and texts(reply) == ["x.example."]
    assert [str(r.name) for r in reply.authority] == ["x.example."]
    assert texts(daemon.ask("loop.x.example")) == ["loop.x.example.", "pool.x.example."]
    assert texts(daemon.ask("self.x.example")) == ["SELF.x.example."]


def test_ten_instances_give_eight(daemon, public):
    """Always eight distinct ones, all ten in time, the order changes."""
    service = daemon.api.serve(public, "s", "A")
    for number in range(10):
        daemon.api.attach(service, f"i{number}", **{IPV4: f"10.0.0.{number}"})
    seen, first = set(), set()
    for _ in range(300):
        found = gaz.addresses(daemon.ask("s.x.example"))
        assert len(found) == len(set(found)) == 8
        seen.update(found)
        first.add(found[0])
    assert seen == first == {f"10.0.0.{number}" for number in range(10)}


def test_ten_srv_instances_give_eight(daemon, public):
    """The same for SRV."""
    service = daemon.api.serve(public, "s", "SRV")
    for number in range(10):
        daemon.api.attach(service, f"i{number}", **{IPV4: "10.0.0.1", PORT: f"{80 + number}"})
    seen = set()
    for _ in range(100):
        found = texts(daemon.ask("s.x.example", "SRV", edns=1232))
        assert len(found) == len(set(found)) == 8
        seen.update(found)
    assert len(seen) == 10


def test_equal_addresses_are_one_record(daemon, public):
    """Two instances, one address: no duplicate in the answer, one goes, one stays."""
    service = daemon.api.serve(public, "s", "A")
    for instance in ("i", "j"):
        daemon.api.attach(service, instance, **{IPV4: "10.0.0.1"})
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.1"]
    daemon.api.deregister(service, "i")
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.1"]
    daemon.api.deregister(service, "j")
    assert nxdomain(daemon.ask("s.x.example"))


@pytest.mark.parametrize("seed", ["1", "20240229"])
def test_weighted_is_uniform(start, seed):
    """One answer each time, every instance equally often (chi squared, p < 1e-6)."""
    daemon = start("--random-seed", seed, "--workers", "1")
    service = daemon.api.serve(daemon.api.public("x.example"), "s", "A", "AAAA",
                               policy="WEIGHTED")
    for number in range(5):
        daemon.api.attach(service, f"i{number}", **{IPV4: f"10.0.0.{number}",
                                                    IPV6: f"2001:db8::{number + 1}"})
    asked = 1000
    for rdtype in ("A", "AAAA"):
        seen = collections.Counter()
        for _ in range(asked):
            (address,) = gaz.addresses(daemon.ask("s.x.example", rdtype))
            seen[address] += 1
        assert len(seen) == 5
        assert sum((n - asked / 5) ** 2 / (asked / 5) for n in seen.values()) < 33.4


def test_a_and_aaaa_are_drawn_apart(daemon, public):
    """Two queries may meet different instances."""
    service = daemon.api.serve(public, "s", "A", "AAAA", policy="WEIGHTED")
    for number in (1, 2):
        daemon.api.attach(service, f"i{number}", **{IPV4: f"10.0.0.{number}",
                                                    IPV6: f"2001:db8::{number}"})
    pairs = {(gaz.addresses(daemon.ask("s.x.example", "A"))[0][-1],
              gaz.addresses(daemon.ask("s.x.example", "AAAA"))[0][-1]) for _ in range(100)}
    assert len(pairs) == 4


def photograph(daemon, names):
    found = {}
    for name in names:
        for rdtype in ("A", "AAAA", "SRV", "CNAME"):
            reply = daemon.ask(name, rdtype)
            found[name, rdtype] = gaz.rcode(reply), texts(reply)
    return found


A_B, B = "a.b.x.example", "b.x.example"
HELPER = ("b", "SRV", "MULTIVALUE", "a", {PORT: "80", IPV4: "10.0.0.1"})
HELPER6 = ("b", "SRV", "MULTIVALUE", "a", {PORT: "80", IPV6: "::1"})
ALIAS = ("a.b", "CNAME", "WEIGHTED", "i", {CNAME: "t.test"})
ROUTED = ("a.b", "A", "MULTIVALUE", "i", {IPV4: "10.0.0.2"})
UPPER = ("A.B", "A", "WEIGHTED", "i", {IPV4: "10.0.0.2"})


@pytest.mark.parametrize("first, second, kind", [
    (HELPER, ALIAS, "CNAME"), (ALIAS, HELPER, "A"), (HELPER6, ALIAS, "CNAME"),
    (ALIAS, HELPER6, "AAAA"), (HELPER, ROUTED, "A"), (ROUTED, HELPER, "A"),
    (HELPER, UPPER, "A"), (UPPER, HELPER, "A")])
def test_conflicts_change_nothing(daemon, public, first, second, kind):
    """CNAME beside anything, a helper beside routed records: INVALID_CHANGE_BATCH."""
    api = daemon.api
    name, record, policy, instance, attributes = first
    api.attach(api.serve(public, name, record, policy=policy), instance, **attributes)
    name, record, policy, instance, attributes = second
    service = api.serve(public, name, record, policy=policy)
    before = photograph(daemon, (A_B, B)), api.revision("x.example", name)
    ended = api.failed("RegisterInstance", ServiceId=service, InstanceId=instance,
                       Attributes=attributes)
    assert ended["ErrorCode"] == "INVALID_CHANGE_BATCH"
    assert "a.b.x.example" in ended["ErrorMessage"].lower() and kind in ended["ErrorMessage"]
    assert ended["Targets"] == {"SERVICE": service, "INSTANCE": instance}
    assert (photograph(daemon, (A_B, B)), api.revision("x.example", name)) == before
    assert api.ok("ListInstances", ServiceId=service)["Instances"] == []
    assert api.get_service(service)["InstanceCount"] == 0
    api.ok("DeleteService", Id=service)


def test_types_that_do_not_conflict(daemon, public):
    """A helper AAAA beside routed A records of another service."""
    for name, record, policy, instance, attributes in (HELPER6, ROUTED):
        service = daemon.api.serve(public, name, record, policy=policy)
        daemon.api.attach(service, instance, **attributes)
    assert texts(daemon.ask(A_B, "A")) == ["10.0.0.2"]
    assert texts(daemon.ask(A_B, "AAAA")) == ["::1"]


def test_failed_replacement_leaves_the_old_one(daemon, public):
    """An upsert that conflicts: the instance stays as it was."""
    api = daemon.api
    service = api.serve(public, "b", "SRV")
    api.attach(service, "a", **{PORT: "80", IPV6: "::1"})
    api.attach(api.serve(public, "a.b", "A"), "i", **{IPV4: "10.0.0.2"})
    before = photograph(daemon, (A_B, B)), api.ok("ListInstances", ServiceId=service)
    api.failed("RegisterInstance", ServiceId=service, InstanceId="a",
               Attributes={PORT: "81", IPV4: "10.0.0.1"})
    assert (photograph(daemon, (A_B, B)), api.ok("ListInstances", ServiceId=service)) == before


def test_conflict_ends_when_the_other_goes(daemon, public):
    """What failed works once the place is free."""
    api = daemon.api
    name, record, policy, instance, attributes = ALIAS
    alias = api.serve(public, name, record, policy=policy)
    api.attach(alias, instance, **attributes)
    helper = api.serve(public, "b", "SRV")
    api.failed("RegisterInstance", ServiceId=helper, InstanceId="a", Attributes=HELPER[4])
    api.deregister(alias, instance)
    api.attach(helper, "a", **HELPER[4])
    assert texts(daemon.ask(A_B)) == ["10.0.0.1"]


def test_replacement_is_whole(daemon, public):
    """Registering again: old records gone, new ones there, helpers too."""
    service = daemon.api.serve(public, "s", "SRV")
    daemon.api.attach(service, "i", **{PORT: "80", IPV4: "10.0.0.1", IPV6: "::1"})
    daemon.api.attach(service, "i", **{PORT: "81", IPV4: "10.0.0.2"})
    assert texts(daemon.ask("s.x.example", "SRV")) == ["1 1 81 i.s.x.example."]
    assert texts(daemon.ask("i.s.x.example", "A")) == ["10.0.0.2"]
    assert nodata(daemon.ask("i.s.x.example", "AAAA"))


@pytest.mark.parametrize("records, attributes", [
    (["A"], {IPV4: "10.0.0.1"}), (["AAAA"], {IPV6: "::1"}),
    (["A", "AAAA"], {IPV4: "10.0.0.1", IPV6: "::1"}),
    (["SRV"], {PORT: "80", IPV4: "10.0.0.1", IPV6: "::1"}), (["CNAME"], {CNAME: "t.test"})])
def test_last_deregistration_leaves_nothing(daemon, public, records, attributes):
    """One goes, the other stays; both gone: NXDOMAIN for every name and type."""
    api = daemon.api
    service = api.serve(public, "_a._b", *records, policy="WEIGHTED")
    for instance in ("i", "j"):
        api.attach(service, instance, **attributes)
    owner = "_a._b.x.example"
    api.deregister(service, "i")
    assert gaz.rcode(daemon.ask(owner, records[0])) == "NOERROR"
    assert nxdomain(daemon.ask("i." + owner))
    api.deregister(service, "j")
    for name in (owner, "_b.x.example", "i." + owner, "j." + owner):
        for rdtype in ("A", "AAAA", "SRV", "CNAME", "ANY"):
            assert nxdomain(daemon.ask(name, rdtype)), (name, rdtype)


def test_helper_of_one_service_keeps_the_name_of_another(daemon, public):
    """Below the service's name something remains: NODATA, not NXDOMAIN."""
    api = daemon.api
    parent = api.serve(public, "b", "A")
    api.attach(parent, "i", **{IPV4: "10.0.0.1"})
    api.attach(api.serve(public, "c.b", "A"), "i", **{IPV4: "10.0.0.2"})
    api.deregister(parent, "i")
    assert nodata(daemon.ask("b.x.example"))
    assert texts(daemon.ask("c.b.x.example")) == ["10.0.0.2"]


def test_unused_attributes_have_no_effect(daemon, public):
    """Port and CNAME of an A service, addresses of a CNAME service."""
    everything = {IPV4: "10.0.0.1", IPV6: "::1", PORT: "80", CNAME: "t.test", "k": "v"}
    api = daemon.api
    api.attach(api.serve(public, "a", "A"), "i", **everything)
    api.attach(api.serve(public, "c", "CNAME", policy="WEIGHTED"), "i", **everything)
    assert photograph(daemon, ["a.x.example"]) == {
        ("a.x.example", "A"): ("NOERROR", ["10.0.0.1"]),
        **{("a.x.example", kind): ("NOERROR", []) for kind in ("AAAA", "SRV", "CNAME")}}
    for found in photograph(daemon, ["c.x.example"]).values():
        assert found == ("NOERROR", ["t.test."])


def test_records_survive_a_restart(daemon, public):
    """Every type, after a kill."""
    api = daemon.api
    names = ["a.x.example", "s.x.example", "i.s.x.example", "c.x.example"]
    everything = {IPV4: "10.0.0.1", IPV6: "::1", PORT: "80", CNAME: "t.test"}
    for name, kinds in (("a", ["A", "AAAA"]), ("s", ["SRV"]), ("c", ["CNAME"])):
        api.attach(api.serve(public, name, *kinds, policy="WEIGHTED"), "i", **everything)
    before = photograph(daemon, names)
    daemon.restart(kill=True)
    assert photograph(daemon, names) == before
    assert before["i.s.x.example", "AAAA"] == ("NOERROR", ["::1"])


ALIAS_NAME = "AWS_ALIAS_DNS_NAME"


def test_alias_answers_with_the_addresses_of_its_target(daemon, public):
    """Another name's A set under this name, with its own TTL; never a CNAME."""
    api = daemon.api
    target = api.serve(public, "lb", ("A", 17), policy="MULTIVALUE")
    service = api.serve(public, "s", ("A", 5), policy="WEIGHTED")
    api.attach(service, "i", **{ALIAS_NAME: "LB.x.example."})
    assert nodata(daemon.ask("s.x.example", "A"))  # leads nowhere yet, but the name is there
    api.attach(target, "one", **{IPV4: "10.0.0.1"})
    api.attach(target, "two", **{IPV4: "10.0.0.2"})
    reply = daemon.ask("S.x.example", "A")
    assert texts(reply) == ["10.0.0.1", "10.0.0.2"] and gaz.answer_ttls(reply) == {"A": 17}
    assert {str(rrset.name) for rrset in reply.answer} == {"S.x.example."}
    assert nodata(daemon.ask("s.x.example", "AAAA"))
    for number in (129, 130):  # the database's own types are no answers
        assert nodata(daemon.ask("s.x.example", f"TYPE{number}"))
    assert texts(daemon.ask("s.x.example", "ANY")) == ["10.0.0.1", "10.0.0.2"]
    api.done("DeregisterInstance", ServiceId=service, InstanceId="i")
    assert nxdomain(daemon.ask("s.x.example", "A"))


def test_aliases_that_lead_nowhere_are_passed_over(daemon, public):
    """An alias without addresses is unhealthy: addresses and other aliases answer."""
    api = daemon.api
    target = api.serve(public, "lb", ("A", 17), policy="MULTIVALUE")
    api.attach(target, "one", **{IPV4: "10.0.0.1"})
    service = api.serve(public, "s", ("A", 5), policy="WEIGHTED")
    api.attach(service, "dead", **{ALIAS_NAME: "nowhere.test"})
    api.attach(service, "alive", **{ALIAS_NAME: "lb.x.example"})
    api.attach(service, "own", **{IPV4: "10.0.0.9"})
    seen = {tuple(texts(daemon.ask("s.x.example", "A"))) for _ in range(200)}
    assert seen == {("10.0.0.1",), ("10.0.0.9",)}


def test_alias_is_resolved_with_the_eyes_of_the_client(daemon, public):
    """A target in a private zone is there for its VPC alone."""
    api = daemon.api
    inside = api.private("inner.test", vpc=VPC_B)
    api.attach(api.serve(inside, "lb", ("A", 17), policy="MULTIVALUE"), "one",
               **{IPV4: "10.0.0.1"})
    service = api.serve(public, "s", ("A", 5), policy="WEIGHTED")
    api.attach(service, "i", **{ALIAS_NAME: "lb.inner.test"})
    assert texts(daemon.ask("s.x.example", "A", source=IN_B)) == ["10.0.0.1"]
    assert nodata(daemon.ask("s.x.example", "A", source=IN_A))


@pytest.mark.parametrize("types, policy, extra", [
    (["A"], "MULTIVALUE", {}), (["SRV"], "WEIGHTED", {}), (["CNAME"], "WEIGHTED", {}),
    (["A"], "WEIGHTED", {IPV4: "10.0.0.1"}), (["A"], "WEIGHTED", {PORT: "80"})])
def test_alias_where_it_cannot_be(daemon, public, types, policy, extra):
    """Only in weighted services of addresses, and beside no address or port."""
    service = daemon.api.serve(public, "s", *types, policy=policy)
    reply = daemon.api.raw("RegisterInstance", ServiceId=service, InstanceId="i",
                           Attributes={ALIAS_NAME: "lb.test", **extra})
    assert (reply.status, reply.code) == (400, "InvalidInput")


def share(daemon, want, rounds=400):
    """How many of the answers are `want`."""
    return sum(texts(daemon.ask("s.x.example", "A")) == [want] for _ in range(rounds))


def test_aliases_and_addresses_are_one_weighted_set(start):
    """Each instance has one chance, two with the same alias have two; health is common."""
    daemon = start("--random-seed", "7")
    api = daemon.api
    public = api.public("x.example")
    api.attach(api.serve(public, "lb", "A", policy="MULTIVALUE"), "one", **{IPV4: "10.0.0.1"})
    service = api.serve(public, "s", "A", policy="WEIGHTED", HealthCheckCustomConfig={})
    for instance in ("a", "b", "c"):
        api.attach(service, instance, **{ALIAS_NAME: "lb.x.example"})
    api.attach(service, "own", **{IPV4: "10.0.0.9"})
    assert 260 <= share(daemon, "10.0.0.1") <= 340
    for instance in ("a", "b", "c"):
        api.set_health(service, instance, "UNHEALTHY")
    assert share(daemon, "10.0.0.9") == 400
    api.set_health(service, "own", "UNHEALTHY")
    assert 260 <= share(daemon, "10.0.0.1") <= 340  # all are unhealthy: all count
    api.set_health(service, "b", "HEALTHY")
    assert share(daemon, "10.0.0.1") == 400


def test_one_live_alias_is_found_among_dead_ones(daemon, public):
    """Whatever is drawn first."""
    api = daemon.api
    api.attach(api.serve(public, "lb", "A", policy="MULTIVALUE"), "one", **{IPV4: "10.0.0.1"})
    service = api.serve(public, "s", "A", policy="WEIGHTED")
    for i in range(30):
        api.attach(service, f"dead-{i}", **{ALIAS_NAME: f"dead-{i}.test"})
    api.attach(service, "alive", **{ALIAS_NAME: "lb.x.example"})
    assert share(daemon, "10.0.0.1", rounds=60) == 60
