# SPDX-License-Identifier: BSD-2-Clause
"""Services: what CreateService, GetService, ListServices and DeleteService promise."""

import re
import time

import pytest

import gaz
from gaz import ACCOUNT, REGION, records

A_60 = {"DnsRecords": [{"Type": "A", "TTL": 60}]}


def create(api, namespace, name="s", **members):
    members.setdefault("DnsConfig", A_60)
    return api.ok("CreateService", Name=name, NamespaceId=namespace, **members)["Service"]


@pytest.mark.parametrize("kind", ["private", "public"])
def test_service_reads_back_whole(api, kind):
    """Every member of Create and Get, and nothing else; policy filled in."""
    namespace, before = getattr(api, kind)("x.example"), time.time()
    found = create(api, namespace, "web", Description="text \u2603", CreatorRequestId="tok")
    assert api.ok("GetService", Id=found["Id"])["Service"] == found
    assert before - 0.01 <= found.pop("CreateDate") <= time.time()
    service = found["Id"]
    assert re.match(r"^srv-[a-z2-7]{16}$", service)
    assert found == {
        "Id": service, "Name": "web", "NamespaceId": namespace, "Description": "text \u2603",
        "Arn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:service/{service}",
        "ResourceOwner": ACCOUNT, "CreatedByAccount": ACCOUNT, "InstanceCount": 0,
        "Type": "DNS_HTTP", "CreatorRequestId": "tok",
        "DnsConfig": {"NamespaceId": namespace, "RoutingPolicy": "MULTIVALUE", **A_60}}


@pytest.mark.parametrize("policy", ["MULTIVALUE", "WEIGHTED"])
@pytest.mark.parametrize("ttl", [0, 2147483647])
def test_policy_and_ttl_are_kept(daemon, policy, ttl):
    """Both policies, the whole range of TTLs, as far as the answer."""
    namespace = daemon.api.public("x.example")
    config = {"RoutingPolicy": policy, "DnsRecords": [{"Type": "A", "TTL": ttl}]}
    found = create(daemon.api, namespace, DnsConfig=config)
    assert found["DnsConfig"] == {"NamespaceId": namespace, **config}
    daemon.api.register(found["Id"], "i", "10.0.0.1")
    assert daemon.ask("s.x.example").answer[0].ttl == ttl


def test_service_in_an_http_namespace_has_no_dns(daemon):
    """Type HTTP, DnsConfig {}, no name in DNS."""
    namespace = daemon.api.http("h.example")
    found = daemon.api.ok("CreateService", Name="s", NamespaceId=namespace)["Service"]
    assert (found["Type"], found["DnsConfig"]) == ("HTTP", {})
    body = daemon.api.fails("InvalidInput", "CreateService", Name="t", NamespaceId=namespace,
                            DnsConfig=A_60)
    assert body["Message"] == ("When you specify an HTTP service, you can't include a "
                               "DnsConfig element.")
    daemon.api.done("RegisterInstance", ServiceId=found["Id"], InstanceId="i", Attributes={})
    assert gaz.rcode(daemon.ask("s.h.example")) == "REFUSED"
    assert daemon.api.ok("GetService", Id=found["Id"])["Service"]["InstanceCount"] == 1


def test_http_service_in_a_dns_namespace_has_no_dns(daemon):
    """Type HTTP asked for: no record ever; together with DnsConfig it is refused."""
    namespace = daemon.api.public("x.example")
    found = daemon.api.ok("CreateService", Name="s", NamespaceId=namespace,
                          Type="HTTP")["Service"]
    assert (found["Type"], found["DnsConfig"]) == ("HTTP", {})
    daemon.api.register(found["Id"], "i", "10.0.0.1")
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"
    daemon.api.fails("InvalidInput", "CreateService", Name="t", NamespaceId=namespace,
                     Type="HTTP", DnsConfig=A_60)


def test_namespace_can_be_named_inside_dns_config(api):
    """Terraform's form; both and different, or neither, are errors."""
    namespace, other = api.public("x.example"), api.public("y.example")
    found = api.ok("CreateService", Name="s", DnsConfig={"NamespaceId": namespace, **A_60})
    assert found["Service"]["NamespaceId"] == namespace
    create(api, namespace, "t", DnsConfig={"NamespaceId": namespace, **A_60})
    api.fails("InvalidInput", "CreateService", Name="u", NamespaceId=other,
              DnsConfig={"NamespaceId": namespace, **A_60})
    api.fails("InvalidInput", "CreateService", Name="u", DnsConfig=A_60)


@pytest.mark.parametrize("config", [
    None, {"DnsRecords": []}, {"DnsRecords": [{"Type": "A", "TTL": 1}] * 2},
    {"DnsRecords": [{"Type": "CNAME", "TTL": 1}]},
    {"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "CNAME", "TTL": 1}]},
    {"DnsRecords": [{"Type": "A", "TTL": 1}, {"Type": "SRV", "TTL": 1}]},
    {"DnsRecords": [{"Type": "A", "TTL": 1}, {"Type": "CNAME", "TTL": 1}]},
    {"RoutingPolicy": "WEIGHTED", "DnsRecords": [{"Type": "AAAA", "TTL": 1},
                                                 {"Type": "CNAME", "TTL": 1}]}])
def test_impossible_dns_configs_are_refused(api, config):
    """None in a DNS namespace, empty, doubled, types that exclude each other."""
    namespace = api.public("x.example")
    members = {} if config is None else {"DnsConfig": config}
    api.fails("InvalidInput", "CreateService", Name="s", NamespaceId=namespace, **members)
    assert api.namespace(namespace)["ServiceCount"] == 0


def test_health_check_rules(api):
    """Which checks may stand where, with defaults filled in."""
    private, public = api.private("p.example"), api.public("q.example")
    api.fails("InvalidInput", "CreateService", Name="s", NamespaceId=private, DnsConfig=A_60,
              HealthCheckConfig={"Type": "HTTP"})
    for both in (private, public):
        api.fails("InvalidInput", "CreateService", Name="s", NamespaceId=both, DnsConfig=A_60,
                  HealthCheckConfig={"Type": "HTTP"}, HealthCheckCustomConfig={})
    api.fails("InvalidInput", "CreateService", Name="s", NamespaceId=public, DnsConfig=A_60,
              HealthCheckConfig={"Type": "TCP", "ResourcePath": "/x"})
    found = create(api, public, "http", HealthCheckConfig={"Type": "HTTP"})
    assert found["HealthCheckConfig"] == {"Type": "HTTP", "ResourcePath": "/",
                                          "FailureThreshold": 1}
    found = create(api, public, "tcp", HealthCheckConfig={"Type": "TCP",
                                                          "FailureThreshold": 3})
    assert found["HealthCheckConfig"] == {"Type": "TCP", "FailureThreshold": 3}
    for name, config in (("a", {}), ("b", {"FailureThreshold": 7})):
        found = create(api, private, name, HealthCheckCustomConfig=config)
        assert found["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
        assert api.ok("GetService", Id=found["Id"])["Service"] == found


@pytest.mark.parametrize("name", ["a", "A-b_c", "_http._tcp", "a.b.c", "__", "x" * 63, "0",
                                  ".".join(["y" * 63, "z" * 63]), "."])
def test_legal_service_names(daemon, name):
    """Labels of letters, digits, hyphens, underscores; dots between; the apex."""
    service = daemon.api.service(daemon.api.public("x.example"), name)
    daemon.api.register(service, "i", "10.0.0.1")
    owner = "x.example" if name == "." else f"{name}.x.example"
    assert gaz.addresses(daemon.ask(owner)) == ["10.0.0.1"]


def test_the_longest_names(daemon):
    """Service and namespace together have as many octets as a DNS name can have; the
    service "." adds none to its namespace's, nor does a final dot."""
    api, labels = daemon.api, [letter * 63 for letter in "abc"]
    whole = ".".join([*labels, "d" * 61])
    shorter = ".".join([*labels, "e" * 59])
    for namespace, service, longer in ((whole, ".", "s"), (shorter + ".", "s", "ss")):
        place = api.private(namespace)
        found = create(api, place, service)
        api.register(found["Id"], "i", "10.0.0.1")
        owner = whole if service == "." else f"s.{shorter}"
        assert gaz.addresses(daemon.ask(owner)) == ["10.0.0.1"]
        api.fails("InvalidInput", "CreateService", Name=longer, NamespaceId=place,
                  DnsConfig=A_60)


@pytest.mark.parametrize("name", ["", "_", "-a", "a-", "a..b", ".a", "a.", "..", "a b", "*",
                                  "*.a", "x" * 64, "a/b", "a\n", "\u00fc", "a.-b",
                                  ".".join(["z" * 63, "z" * 63, "z"])])
def test_illegal_service_names(api, name):
    """Everything else."""
    namespace = api.public("x.example")
    api.fails("InvalidInput", "CreateService", Name=name, NamespaceId=namespace, DnsConfig=A_60)


def test_name_that_does_not_fit_the_namespace_is_refused(api):
    """Service and namespace together must be a DNS name."""
    namespace = api.private(".".join(["n" * 63] * 3 + ["n" * 40]))
    for members in ({"DnsConfig": A_60}, {"Type": "HTTP"}):
        api.fails("InvalidInput", "CreateService", Name="s" * 30, NamespaceId=namespace,
                  **members)
    create(api, namespace, "s" * 8)
    api.serve(namespace, "t" * 8, Type="HTTP")


def test_names_are_unique_in_their_namespace(api):
    """ServiceAlreadyExists names the one that is there; DNS ignores case, HTTP does not."""
    public, http = api.public("x.example"), api.http("h")
    first = create(api, public, "Web", CreatorRequestId="one")
    for name in ("Web", "web", "WEB"):
        body = api.fails("ServiceAlreadyExists", "CreateService", Name=name,
                         NamespaceId=public, DnsConfig=A_60, CreatorRequestId="two")
        assert body["Message"] == "Service already exists."
        assert (body["ServiceId"], body["ServiceArn"], body["CreatorRequestId"]) == (
            first["Id"], first["Arn"], "one")
    create(api, api.public("y.example"), "Web")
    for name in ("Web", "web"):
        api.ok("CreateService", Name=name, NamespaceId=http)
    api.fails("ServiceAlreadyExists", "CreateService", Name="web", NamespaceId=http)
    api.ok("DeleteService", Id=first["Id"])
    assert create(api, public, "web")["Id"] != first["Id"]


def test_retry_with_the_same_token_gives_the_same_service(api):
    """Name, token and everything else equal: the service that is there."""
    namespace = api.public("x.example")
    first = create(api, namespace, CreatorRequestId="tok", Description="d")
    assert create(api, namespace, CreatorRequestId="tok", Description="d") == first
    api.fails("ServiceAlreadyExists", "CreateService", Name="s", NamespaceId=namespace,
              DnsConfig=A_60, CreatorRequestId="tok", Description="other")
    assert api.namespace(namespace)["ServiceCount"] == 1


def test_unknown_namespace_and_service(api):
    """NamespaceNotFound, ServiceNotFound, naming the id."""
    body = api.fails("NamespaceNotFound", "CreateService", Name="s", NamespaceId="ns-nosuch",
                     DnsConfig=A_60)
    assert "ns-nosuch" in body["Message"]
    for call, more in (("GetService", {}), ("DeleteService", {})):
        assert "srv-nosuch" in api.fails("ServiceNotFound", call, Id="srv-nosuch",
                                         **more)["Message"]
    members = {"ServiceId": "srv-nosuch", "InstanceId": "i"}
    api.fails("ServiceNotFound", "RegisterInstance", **members, Attributes={})
    api.fails("ServiceNotFound", "DeregisterInstance", **members)


def test_service_with_instances_cannot_be_deleted(daemon):
    """ResourceInUse with AWS's own text; afterwards it goes."""
    api = daemon.api
    service = api.service(api.public("x.example"), "s")
    api.register(service, "i", "10.0.0.1")
    body = api.fails("ResourceInUse", "DeleteService", Id=service)
    assert body["Message"] == ("Service contains registered instances; delete the instances "
                               "before deleting the service")
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.1"]
    api.deregister(service, "i")
    assert api.ok("DeleteService", Id=service) == {}
    api.fails("ServiceNotFound", "GetService", Id=service)
    api.fails("ServiceNotFound", "DeleteService", Id=service)


def test_instance_count_follows(api):
    """New ids count, replacements do not."""
    service = api.service(api.public("x.example"), "s")
    for number, instance in ((1, "a"), (2, "b"), (2, "b"), (3, "B")):
        api.register(service, instance, "10.0.0.1")
        assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == number
    for number, instance in ((2, "a"), (1, "B"), (0, "b")):
        api.deregister(service, instance)
        assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == number
    api.fails("InstanceNotFound", "DeregisterInstance", ServiceId=service, InstanceId="a")


@pytest.mark.parametrize("address", ["", "10.0.0", "10.0.0.256", "10.0.0.1.2", "::1", "a.b.c.d",
                                     "10.0.0.1 ", "0x0a.0.0.1", "10.0.0.-1", "1e1.0.0.1"])
def test_bad_ipv4_addresses_are_refused(daemon, address):
    """Four decimal octets; the attribute is named."""
    service = daemon.api.service(daemon.api.public("x.example"), "s")
    body = daemon.api.fails("InvalidInput", "RegisterInstance", ServiceId=service,
                            InstanceId="i", Attributes={"AWS_INSTANCE_IPV4": address})
    assert "AWS_INSTANCE_IPV4" in body["Message"] or "attributes" in body["Message"]
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"


@pytest.mark.parametrize("attributes", [
    {}, {"AWS_INSTANCE_IPV6": "::1"}, {"color": "red"}, {"aws_instance_ipv4": "10.0.0.1"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "0"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "65536"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "http"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_IPV6": "10.0.0.1"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_EC2_INSTANCE_ID": "i-12345678"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INIT_HEALTH_STATUS": "HEALTHY"},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", **{f"k{n}": "" for n in range(31)}},
    {"AWS_INSTANCE_IPV4": "10.0.0.1", **{f"key{n}": "x" * 1000 for n in range(5)}}])
def test_bad_attributes_are_refused(api, attributes):
    """Missing address, malformed well-known ones, too many, too large."""
    service = api.service(api.public("x.example"), "s")
    api.fails("InvalidInput", "RegisterInstance", ServiceId=service, InstanceId="i",
              Attributes=attributes)
    assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == 0


@pytest.mark.parametrize("attributes", [
    {"AWS_INSTANCE_PORT": "8080"}, {"AWS_INSTANCE_IPV6": "2001:DB8::0:1"}, {"empty": ""},
    {"text": "with spaces\tand tabs "}, {f"k{n}": "" for n in range(30)},
    {"x" * 255: "y" * 1024}, {"key!\"#$%&'()*+": "v"}])
def test_good_attributes_are_accepted(daemon, attributes):
    """Well-known ones that the type does not use, custom ones up to the limits."""
    service = daemon.api.service(daemon.api.public("x.example"), "s")
    daemon.api.register(service, "i", "10.0.0.1", **attributes)
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.1"]


@pytest.mark.parametrize("instance", ["a", "x" * 64, "10.0.0.1", "a/b:c.d@e-f_g", "A"])
def test_instance_ids(daemon, instance):
    """All the letters that are allowed; nothing appears below the service's name."""
    service = daemon.api.service(daemon.api.public("x.example"), "s")
    daemon.api.register(service, instance, "10.0.0.1")
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.1"]
    assert gaz.rcode(daemon.ask("a.s.x.example")) == "NXDOMAIN"
    daemon.api.deregister(service, instance)
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"


FORMS = [records("A"), records("AAAA"), records(("A", 5), ("AAAA", 7)),
         records(("AAAA", 7), ("A", 5)), records("SRV"), records("A", policy="WEIGHTED"),
         records("SRV", policy="WEIGHTED"), records("CNAME", policy="WEIGHTED")]


@pytest.mark.parametrize("config", FORMS)
def test_each_dns_config_reads_back(api, config):
    """Every set of types, in the order given, in Create, Get and List."""
    namespace = api.private("x.example")
    found = create(api, namespace, DnsConfig=config)
    config = {"RoutingPolicy": "MULTIVALUE", **config}
    assert found["DnsConfig"] == {"NamespaceId": namespace, **config}
    assert api.get_service(found["Id"]) == found
    (summary,) = api.ok("ListServices")["Services"]
    assert summary["DnsConfig"] == config


def test_list_shows_summaries(api):
    """All of a service but the namespace and the token; {} without DNS."""
    namespace, http = api.public("x.example"), api.http("h")
    one = create(api, namespace, "one", Description="heritage=x", DnsConfig=A_60,
                 HealthCheckConfig={"Type": "HTTPS", "FailureThreshold": 10,
                                    "ResourcePath": "/ok"})
    two = api.ok("CreateService", Name="two", NamespaceId=http,
                 HealthCheckCustomConfig={"FailureThreshold": 5})["Service"]
    api.register(one["Id"], "i", "10.0.0.1", AWS_INSTANCE_PORT="80")
    one["InstanceCount"] = 1
    wanted = {}
    for service in (one, two):
        wanted[service["Id"]] = {name: value for name, value in service.items()
                                 if name not in ("NamespaceId", "CreatorRequestId")}
        wanted[service["Id"]]["DnsConfig"].pop("NamespaceId", None)
    reply = api.ok("ListServices")
    assert {s["Id"]: s for s in reply["Services"]} == wanted and "NextToken" not in reply
    assert wanted[two["Id"]]["DnsConfig"] == {}
    assert wanted[two["Id"]]["HealthCheckCustomConfig"] == {"FailureThreshold": 1}


def names(api, *filters):
    filters = [dict(zip(("Name", "Values", "Condition"), item)) for item in filters]
    return sorted(s["Name"] for s in api.ok("ListServices", Filters=filters)["Services"])


def test_list_filters(api):
    """By namespace, id or ARN; by owner; several must all match."""
    first, second = api.public("x.example"), api.http("h")
    arn = api.namespace(first)["Arn"]
    create(api, first, "a")
    create(api, first, "b")
    api.serve(second, "c")
    assert names(api) == ["a", "b", "c"]
    assert names(api, ("NAMESPACE_ID", [first])) == ["a", "b"]
    assert names(api, ("NAMESPACE_ID", [arn], "EQ")) == ["a", "b"]
    assert names(api, ("NAMESPACE_ID", [second])) == ["c"]
    assert names(api, ("NAMESPACE_ID", [arn, second], "IN")) == ["a", "b", "c"]
    assert names(api, ("NAMESPACE_ID", [second], "IN")) == ["c"]
    for stranger in ("ns-nosuch", arn.replace(ACCOUNT, "111111111111"),
                     arn.replace(REGION, "eu-west-1"), arn.replace("namespace/", "service/"),
                     "arn:x"):
        assert names(api, ("NAMESPACE_ID", [stranger])) == []
    assert names(api, ("RESOURCE_OWNER", ["SELF"])) == ["a", "b", "c"]
    assert names(api, ("RESOURCE_OWNER", ["OTHER_ACCOUNTS"])) == []
    assert names(api, ("RESOURCE_OWNER", ["SELF"]), ("NAMESPACE_ID", [first])) == ["a", "b"]
    assert names(api, ("NAMESPACE_ID", [first]), ("NAMESPACE_ID", [second])) == []


@pytest.mark.parametrize("bad", [
    {"Name": "NAMESPACE_ID", "Values": []}, {"Name": "NAMESPACE_ID", "Values": ["a", "b"]},
    {"Name": "NAMESPACE_ID", "Values": ["a"], "Condition": "BETWEEN"},
    {"Name": "NAMESPACE_ID", "Values": ["a"], "Condition": "BEGINS_WITH"},
    {"Name": "RESOURCE_OWNER", "Values": ["NOBODY"]},
    {"Name": "RESOURCE_OWNER", "Values": ["SELF"], "Condition": "IN"},
    {"Name": "RESOURCE_OWNER", "Values": ["SELF", "SELF"]}])
def test_bad_list_filters_are_refused(shared, bad):
    """No value, too many, a condition that does not belong, an unknown owner."""
    shared.api.fails("InvalidInput", "ListServices", Filters=[bad])


def test_list_stays_in_its_region(api):
    """Another region sees nothing, not even by namespace id."""
    namespace = api.public("x.example")
    create(api, namespace)
    other = api.at(region="eu-west-1")
    assert names(other) == names(other, ("NAMESPACE_ID", [namespace])) == []
    assert names(other, ("NAMESPACE_ID", [api.namespace(namespace)["Arn"]])) == []


@pytest.mark.parametrize("size", [1, 2, 5, 6])
def test_list_pages(api, size):
    """By creation; a deleted service neither shifts nor repeats the others."""
    namespace, other, made = api.public("x.example"), api.public("y.example"), []
    for number in range(6):
        made.append(create(api, namespace, f"s{number}"))
        create(api, other, f"s{number}")
    filters, found, token = [{"Name": "NAMESPACE_ID", "Values": [namespace]}], [], {}
    while True:
        page = api.ok("ListServices", MaxResults=size, Filters=filters, **token)
        found += page["Services"]
        assert 0 < len(page["Services"]) <= size
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
        api.fails("InvalidInput", "ListServices", **token)
    made.sort(key=lambda service: (service["CreateDate"], service["Id"]))
    assert [s["Id"] for s in found] == [s["Id"] for s in made]
    first = api.ok("ListServices", MaxResults=2, Filters=filters)
    for gone in (0, 2):
        api.ok("DeleteService", Id=made[gone]["Id"])
    rest = api.ok("ListServices", Filters=filters, NextToken=first["NextToken"])
    assert [s["Id"] for s in rest["Services"]] == [s["Id"] for s in made[3:]]


def test_namespace_may_be_an_arn(api):
    """In CreateService, too; the answer carries the id."""
    namespace = api.public("x.example")
    found = create(api, api.namespace(namespace)["Arn"])
    assert found["NamespaceId"] == found["DnsConfig"]["NamespaceId"] == namespace
    assert api.ok("GetService", Id=found["Arn"])["Service"] == found


def test_both_places_of_the_namespace_may_name_it_differently(api):
    """The ARN above and the id inside are the same namespace."""
    namespace = api.public("x.example")
    found = create(api, api.namespace(namespace)["Arn"],
                   DnsConfig={"NamespaceId": namespace, **A_60})
    assert found["NamespaceId"] == namespace


def test_health_checks_in_http_namespaces_and_with_cname(api):
    """HTTP namespaces may have either; CNAME records none of Route 53's."""
    http, public = api.http("h"), api.public("x.example")
    for kind in ("HTTP", "HTTPS"):
        found = api.ok("CreateService", Name=kind, NamespaceId=http,
                       HealthCheckConfig={"Type": kind})["Service"]
        assert found["HealthCheckConfig"] == {"Type": kind, "ResourcePath": "/",
                                              "FailureThreshold": 1}
    cname = records("CNAME", policy="WEIGHTED")
    api.fails("InvalidInput", "CreateService", Name="c", NamespaceId=public, DnsConfig=cname,
              HealthCheckConfig={"Type": "HTTP"})
    create(api, public, "c", DnsConfig=cname, HealthCheckCustomConfig={})


def test_pending_registration_is_not_counted(api, slow):
    """InstanceCount is of committed instances, but the service is in use."""
    service = api.serve(api.public("x.example"), "s", "A")
    api = slow()
    api.ok("RegisterInstance", ServiceId=service, InstanceId="i",
           Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    assert api.get_service(service)["InstanceCount"] == 0
    assert api.ok("ListInstances", ServiceId=service)["Instances"] == []
    api.fails("InstanceNotFound", "GetInstance", ServiceId=service, InstanceId="i")
    assert api.discover("x.example", "s") == []
    api.fails("ResourceInUse", "DeleteService", Id=service)


def test_apex_service(daemon):
    """The service '.' owns the namespace's own name; a CNAME cannot be there."""
    api = daemon.api
    namespace = api.public("x.example")
    service = api.serve(namespace, ".", "SRV")
    api.attach(service, "i", AWS_INSTANCE_IPV4="10.0.0.1", AWS_INSTANCE_PORT="80")
    assert gaz.texts(daemon.ask("x.example", "SRV")) == ["1 1 80 i.x.example."]
    assert gaz.texts(daemon.ask("i.x.example")) == ["10.0.0.1"]
    assert len(daemon.ask("x.example", "NS").answer[0]) == 4
    assert api.discover("x.example", ".") == ["i"]
    other = api.serve(api.public("y.example"), ".", "CNAME", policy="WEIGHTED")
    ended = api.failed("RegisterInstance", ServiceId=other, InstanceId="i",
                       Attributes={"AWS_INSTANCE_CNAME": "x.example"})
    assert ended["ErrorCode"] == "INVALID_CHANGE_BATCH"
    assert gaz.texts(daemon.ask("y.example", "SOA"))
