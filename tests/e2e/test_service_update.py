# SPDX-License-Identifier: BSD-2-Clause
"""UpdateService: what changes, what cannot, and what the client sees meanwhile."""

import pytest

import gaz
from gaz import ACCOUNT, records

IPV4, IPV6 = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"
PORT, CNAME = "AWS_INSTANCE_PORT", "AWS_INSTANCE_CNAME"
ALL = {IPV4: "10.0.0.1", IPV6: "2001:db8::1", PORT: "80", CNAME: "t.test"}
TYPES_MESSAGE = (
    "The record types in the request must be the same as those present in the existing "
    "service. Records in the existing service are [{}], but the records in the request are "
    "[{}]. The record types of a service cannot be changed.")


def update(api, service, **change):
    return api.done("UpdateService", Id=service, Service=change)


def refuse(api, service, **change):
    before = api.get_service(service)
    body = api.fails("InvalidInput", "UpdateService", Id=service, Service=change)
    assert api.get_service(service) == before
    return body["Message"]


def ttl(daemon, name, rdtype):
    (rrset,) = daemon.ask(name, rdtype).answer
    return rrset.ttl


@pytest.fixture
def public(api):
    return api.public("x.example")


def test_operation(api, public):
    """UPDATE_SERVICE with its target; found by the filters that clients use."""
    service = api.serve(public, "s", "A")
    ended = update(api, service, DnsConfig=records("A", ttl=5))
    assert (ended["Type"], ended["Targets"]) == ("UPDATE_SERVICE", {"SERVICE": service})
    for name, value in (("SERVICE_ID", service), ("NAMESPACE_ID", public)):
        found = api.ok("ListOperations", Filters=[
            {"Name": name, "Values": [value]}, {"Name": "TYPE", "Values": ["UPDATE_SERVICE"]}])
        assert [op["Id"] for op in found["Operations"]] == [ended["Id"]]


@pytest.mark.parametrize("types", [["A"], ["AAAA"], ["SRV"], ["CNAME"]])
@pytest.mark.parametrize("policy", ["WEIGHTED", "MULTIVALUE"])
def test_ttl_of_every_record_changes(daemon, public, types, policy):
    """Of all instances, the targets of SRV records too."""
    if types == ["CNAME"]:
        policy = "WEIGHTED"
    api = daemon.api
    service = api.serve(public, "s", *types, ttl=60, policy=policy)
    for instance in "ab":
        api.attach(service, instance, **ALL)
    before = gaz.texts(daemon.ask("a.s.x.example"))
    update(api, service, DnsConfig=records(*types, ttl=7))
    assert api.get_service(service)["DnsConfig"] == {
        "NamespaceId": public, **records(*types, ttl=7, policy=policy)}
    for _ in range(10):
        reply = daemon.ask("s.x.example", types[0])
        assert gaz.answer_ttls(reply) == {types[0]: 7}
    if types == ["SRV"]:
        for instance in "ab":
            for rdtype in ("A", "AAAA"):
                assert ttl(daemon, f"{instance}.s.x.example", rdtype) == 7
    assert gaz.texts(daemon.ask("a.s.x.example")) == before
    api.attach(service, "c", **ALL)
    assert ttl(daemon, "s.x.example", types[0]) == 7
    for instance in "abc":
        api.deregister(service, instance)
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"


@pytest.mark.parametrize("first", [("A", "AAAA"), ("AAAA", "A")])
def test_ttls_go_by_type(daemon, public, first):
    """Not by their place in the list."""
    service = daemon.api.serve(public, "s", *first, ttl=60)
    daemon.api.attach(service, "i", **ALL)
    for config in (records(("A", 1), ("AAAA", 2)), records(("AAAA", 3), ("A", 4)),
                   records(("AAAA", 0), ("A", 2147483647))):
        update(daemon.api, service, DnsConfig=config)
        for record in config["DnsRecords"]:
            assert ttl(daemon, "s.x.example", record["Type"]) == record["TTL"]
        kept = daemon.api.get_service(service)["DnsConfig"]["DnsRecords"]
        assert {r["Type"]: r["TTL"] for r in kept} == {
            r["Type"]: r["TTL"] for r in config["DnsRecords"]}


@pytest.mark.parametrize("old, new", [
    (["A"], ["AAAA"]), (["A"], ["A", "AAAA"]), (["A", "AAAA"], ["A"]), (["A"], ["A", "A"]),
    (["SRV"], ["A"]), (["A", "AAAA"], ["AAAA", "AAAA"]), (["A"], []),
    (["CNAME"], ["SRV", "A", "AAAA", "CNAME"])])
def test_types_cannot_change(api, public, old, new):
    """The message that AWS gives, with both lists."""
    service = api.serve(public, "s", *old, policy="WEIGHTED")
    assert refuse(api, service, DnsConfig=records(*new)) == TYPES_MESSAGE.format(
        ", ".join(old), ", ".join(new))


def test_long_lists_of_types_are_refused(api, public):
    """However many."""
    service = api.serve(public, "s", "A")
    assert "cannot be changed" in refuse(api, service, DnsConfig=records(*["CNAME"] * 1000))


def test_description(api, public):
    """Left out: unchanged; empty: gone."""
    service = api.serve(public, "s", "A", Description="one")
    config = records("A")
    update(api, service, DnsConfig=config)
    assert api.get_service(service)["Description"] == "one"
    update(api, service, DnsConfig=config, Description="two \u2603")
    assert api.get_service(service)["Description"] == "two \u2603"
    update(api, service, DnsConfig=config, Description="")
    assert "Description" not in api.get_service(service)


def test_health_check_comes_changes_and_goes(api, public):
    """Added, replaced but for its type, and removed by leaving it out."""
    service = api.serve(public, "s", "A")
    api.attach(service, "i", **ALL)
    config = records("A")

    def check():
        found = api.get_service(service).get("HealthCheckConfig")
        status = api.ok("GetInstancesHealthStatus", ServiceId=service)["Status"]["i"]
        return found, status

    assert check() == (None, "UNKNOWN")
    update(api, service, DnsConfig=config, HealthCheckConfig={"Type": "HTTP"})
    assert check() == ({"Type": "HTTP", "ResourcePath": "/", "FailureThreshold": 1}, "HEALTHY")
    update(api, service, DnsConfig=config,
           HealthCheckConfig={"Type": "HTTP", "ResourcePath": "/x", "FailureThreshold": 5})
    assert check()[0] == {"Type": "HTTP", "ResourcePath": "/x", "FailureThreshold": 5}
    for kind in ("HTTPS", "TCP"):
        assert refuse(api, service, DnsConfig=config, HealthCheckConfig={
            "Type": kind}) == "Type of health check cannot be changed"
    update(api, service, DnsConfig=config)
    assert check() == (None, "UNKNOWN")
    update(api, service, DnsConfig=config, HealthCheckConfig={"Type": "TCP"})
    assert check()[0] == {"Type": "TCP", "FailureThreshold": 1}


def test_health_checks_that_cannot_be(api, public):
    """Beside a custom one, in a private namespace, with CNAME, a path with TCP."""
    private = api.private("p.example")
    tcp = {"Type": "TCP"}
    custom = api.serve(public, "custom", "A", HealthCheckCustomConfig={})
    refuse(api, custom, DnsConfig=records("A"), HealthCheckConfig=tcp)
    refuse(api, api.serve(private, "s", "A"), DnsConfig=records("A"), HealthCheckConfig=tcp)
    refuse(api, api.serve(public, "c", "CNAME", policy="WEIGHTED"),
           DnsConfig=records("CNAME"), HealthCheckConfig=tcp)
    refuse(api, api.serve(public, "s", "A"), DnsConfig=records("A"),
           HealthCheckConfig={**tcp, "ResourcePath": "/"})


def test_custom_check_stays(daemon, public):
    """Leaving it out never deletes it, nor what it knows."""
    api = daemon.api
    service = api.serve(public, "s", "A", HealthCheckCustomConfig={})
    api.attach(service, "i", **{IPV4: "10.0.0.1"})
    api.attach(service, "j", **{IPV4: "10.0.0.2"})
    api.set_health(service, "i", "UNHEALTHY")
    update(api, service, DnsConfig=records("A", ttl=5), Description="d")
    assert api.get_service(service)["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    reply = daemon.ask("s.x.example")
    assert gaz.texts(reply) == ["10.0.0.2"] and gaz.answer_ttls(reply) == {"A": 5}


def test_policy_is_no_part_of_the_change(daemon, public):
    """RoutingPolicy and NamespaceId are unknown there, so ignored."""
    service = daemon.api.serve(public, "s", "A", policy="WEIGHTED")
    for number in range(3):
        daemon.api.attach(service, f"{number}", **{IPV4: f"10.0.0.{number}"})
    update(daemon.api, service, DnsConfig=records("A", policy="MULTIVALUE"))
    assert daemon.api.get_service(service)["DnsConfig"]["RoutingPolicy"] == "WEIGHTED"
    assert len(gaz.texts(daemon.ask("s.x.example"))) == 1


def test_dns_config_left_out_deletes_the_records(daemon, public):
    """Instances stay, DnsConfig is {}, the type stays; the same set may come back."""
    api = daemon.api
    service = api.serve(public, "s", "SRV", policy="WEIGHTED", ttl=60)
    for instance in "ab":
        api.attach(service, instance, **ALL)
    revision = api.revision("x.example", "s")
    update(api, service, Description="no DNS")
    found = api.get_service(service)
    assert (found["DnsConfig"], found["Type"], found["InstanceCount"]) == ({}, "DNS_HTTP", 2)
    assert [s["DnsConfig"] for s in api.ok("ListServices")["Services"]] == [{}]
    for name in ("s.x.example", "a.s.x.example", "b.s.x.example"):
        for rdtype in ("SRV", "A", "AAAA", "ANY"):
            assert gaz.rcode(daemon.ask(name, rdtype)) == "NXDOMAIN"
    assert sorted(api.discover("x.example", "s")) == ["a", "b"]
    assert api.revision("x.example", "s") == revision
    api.attach(service, "c", **ALL)
    api.deregister(service, "a")
    daemon.restart(kill=True)
    api = daemon.api
    assert gaz.rcode(daemon.ask("s.x.example", "SRV")) == "NXDOMAIN"
    assert api.get_service(service)["DnsConfig"] == {}
    assert "[SRV]" in refuse(api, service, DnsConfig=records("A"))
    update(api, service, DnsConfig=records("SRV", ttl=9))
    assert api.get_service(service)["DnsConfig"] == {
        "NamespaceId": public, **records("SRV", ttl=9, policy="WEIGHTED")}
    seen = {tuple(gaz.texts(daemon.ask("s.x.example", "SRV"))) for _ in range(60)}
    assert seen == {(f"1 1 80 {instance}.s.x.example.",) for instance in "bc"}
    assert ttl(daemon, "b.s.x.example", "A") == 9
    assert gaz.rcode(daemon.ask("a.s.x.example")) == "NXDOMAIN"


def test_records_that_cannot_come_back(daemon, public):
    """Another service has taken the place: INVALID_CHANGE_BATCH, nothing changed."""
    api = daemon.api
    service = api.serve(public, "b", "SRV")
    api.attach(service, "a", **ALL)
    update(api, service)
    other = api.serve(public, "a.b", "CNAME", policy="WEIGHTED")
    api.attach(other, "i", **ALL)
    ended = api.failed("UpdateService", Id=service, Service={
        "DnsConfig": records("SRV"), "Description": "no"})
    assert ended["ErrorCode"] == "INVALID_CHANGE_BATCH"
    found = api.get_service(service)
    assert found["DnsConfig"] == {} and "Description" not in found
    assert gaz.texts(daemon.ask("a.b.x.example", "CNAME")) == ["t.test."]
    assert gaz.rcode(daemon.ask("b.x.example", "SRV")) == "NOERROR"
    assert not daemon.ask("b.x.example", "SRV").answer
    api.deregister(other, "i")
    update(api, service, DnsConfig=records("SRV"))
    assert len(gaz.texts(daemon.ask("b.x.example", "SRV"))) == 1


def test_http_services(api, public):
    """Not in HTTP namespaces; without DnsConfig in others."""
    http = api.serve(api.http("h"), "s")
    refuse(api, http, Description="d")
    refuse(api, http)
    service = api.serve(public, "s", Type="HTTP")
    refuse(api, service, DnsConfig=records("A"))
    update(api, service, Description="d")
    found = api.get_service(service)
    assert (found["Description"], found["DnsConfig"], found["Type"]) == ("d", {}, "HTTP")


def test_unknown_service(shared):
    """ServiceNotFound for ids and ARNs."""
    for name in ("srv-nosuch", f"arn:aws:servicediscovery:us-east-1:{ACCOUNT}:service/srv-no"):
        shared.api.fails("ServiceNotFound", "UpdateService", Id=name, Service={})


def test_arn(api, public):
    """An ARN names the service as well."""
    service = api.serve(public, "s", "A")
    update(api, api.get_service(service)["Arn"], DnsConfig=records("A"), Description="d")
    assert api.get_service(service)["Description"] == "d"


def test_pending_update_locks_the_service(daemon, public, slow):
    """DuplicateRequest for another update; nothing else may touch it, reads see the old."""
    service = daemon.api.serve(public, "s", "A", ttl=60)
    daemon.api.attach(service, "i", **ALL)
    other = daemon.api.serve(public, "t", "A")
    before = daemon.api.get_service(service)
    api = slow()
    change = {"Id": service, "Service": {"DnsConfig": records("A", ttl=5)}}
    operation = api.ok("UpdateService", **change)["OperationId"]
    assert api.operation(operation)["Status"] in ("SUBMITTED", "PENDING")
    body = api.fails("DuplicateRequest", "UpdateService", **change)
    assert body["DuplicateOperationId"] == operation
    assert body["Message"] == (
        f"Another operation of type UpdateService and id {operation} is in progress")
    instance = {"ServiceId": service, "InstanceId": "i"}
    api.fails("ResourceInUse", "RegisterInstance", **instance, Attributes=ALL)
    api.fails("ResourceInUse", "RegisterInstance", ServiceId=service, InstanceId="new",
              Attributes=ALL)
    api.fails("ResourceInUse", "DeregisterInstance", **instance)
    api.fails("ResourceInUse", "DeleteService", Id=service)
    assert api.get_service(service) == before
    assert ttl(daemon, "s.x.example", "A") == 60
    assert api.discover("x.example", "s") == ["i"]
    api.ok("RegisterInstance", ServiceId=other, InstanceId="i", Attributes=ALL)
    api.ok("UpdateService", Id=other, Service=change["Service"])


def test_pending_update_of_an_empty_service_keeps_it(daemon, public, slow):
    """Without instances, too, it cannot be deleted meanwhile."""
    service = daemon.api.serve(public, "s", "A")
    api = slow()
    api.ok("UpdateService", Id=service, Service={"DnsConfig": records("A", ttl=5)})
    api.fails("ResourceInUse", "DeleteService", Id=service)


@pytest.mark.parametrize("kill", [True, False], ids=["kill", "stop"])
def test_pending_update_survives_a_restart(daemon, public, kill):
    """It ends after the restart, in the API and in DNS together."""
    service = daemon.api.serve(public, "s", "SRV", ttl=60)
    daemon.api.attach(service, "i", **ALL)
    daemon.options += ["--operation-delay", "4000"]
    daemon.restart()
    operation = daemon.api.ok("UpdateService", Id=service, Service={
        "DnsConfig": records("SRV", ttl=5), "Description": "d"})["OperationId"]
    daemon.restart(kill=kill)
    assert daemon.api.wait(operation)["Status"] == "SUCCESS"
    found = daemon.api.get_service(service)
    assert (found["Description"], found["DnsConfig"]["DnsRecords"][0]["TTL"]) == ("d", 5)
    assert ttl(daemon, "s.x.example", "SRV") == ttl(daemon, "i.s.x.example", "A") == 5


def test_registration_in_flight_gets_the_new_ttl(daemon, public):
    """Both are pending; whichever ends first, the record has the new TTL."""
    service = daemon.api.serve(public, "s", "A", ttl=60)
    daemon.options += ["--operation-delay", "300"]
    daemon.restart()
    api = daemon.api
    one = api.ok("RegisterInstance", ServiceId=service, InstanceId="i",
                 Attributes=ALL)["OperationId"]
    two = api.ok("UpdateService", Id=service,
                 Service={"DnsConfig": records("A", ttl=5)})["OperationId"]
    assert api.wait(one)["Status"] == api.wait(two)["Status"] == "SUCCESS"
    assert ttl(daemon, "s.x.example", "A") == 5
    assert api.get_service(service)["InstanceCount"] == 1
    api.deregister(service, "i")
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"


def test_health_told_during_an_update_is_kept(daemon, public):
    """Custom health is synchronous: the pending update does not undo it."""
    service = daemon.api.serve(public, "s", "A", HealthCheckCustomConfig={})
    for number in (1, 2):
        daemon.api.attach(service, f"i{number}", **{IPV4: f"10.0.0.{number}"})
    daemon.options += ["--operation-delay", "300"]
    daemon.restart()
    api = daemon.api
    operation = api.ok("UpdateService", Id=service,
                       Service={"DnsConfig": records("A", ttl=5)})["OperationId"]
    api.set_health(service, "i1", "UNHEALTHY")
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.2"]
    assert api.wait(operation)["Status"] == "SUCCESS"
    reply = daemon.ask("s.x.example")
    assert gaz.texts(reply) == ["10.0.0.2"] and gaz.answer_ttls(reply) == {"A": 5}
