# SPDX-License-Identifier: BSD-2-Clause
"""DiscoverInstances and DiscoverInstancesRevision."""

import json

import botocore.config
import pytest
import urllib3.util.connection

import gaz
from gaz import ACCOUNT, VPC_A, VPC_B

IPV4, INIT = "AWS_INSTANCE_IPV4", "AWS_INIT_HEALTH_STATUS"
KINDS = ["http", "private", "public"]
FILTERS = ["HEALTHY", "UNHEALTHY", "ALL", "HEALTHY_OR_ELSE_ALL"]


def build(api, kind="public", custom=True, name="x.example"):
    """A service s in any type of namespace."""
    config = {"HealthCheckCustomConfig": {}} if custom else {}
    types = () if kind == "http" else ("A",)
    return api.serve(getattr(api, kind)(name), "s", *types, **config)


def found(api, **members):
    return sorted(api.discover("x.example", "s", **members))


@pytest.mark.parametrize("kind", KINDS)
def test_reply_is_whole(api, kind):
    """Every member, in every type of namespace; names as they were given."""
    service = build(api, kind)
    api.register(service, "i", "10.0.0.1", color="red", **{INIT: "HEALTHY"})
    assert api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s") == {
        "InstancesRevision": 2, "Instances": [{
            "InstanceId": "i", "NamespaceName": "x.example", "ServiceName": "s",
            "HealthStatus": "HEALTHY",
            "Attributes": {IPV4: "10.0.0.1", INIT: "HEALTHY", "color": "red"}}]}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("healthy, sick, wanted", [
    ("ab", "c", {"HEALTHY": "ab", "UNHEALTHY": "c", "ALL": "abc", "HEALTHY_OR_ELSE_ALL": "ab"}),
    ("ab", "", {"HEALTHY": "ab", "UNHEALTHY": "", "ALL": "ab", "HEALTHY_OR_ELSE_ALL": "ab"}),
    ("", "bc", {"HEALTHY": "", "UNHEALTHY": "bc", "ALL": "bc", "HEALTHY_OR_ELSE_ALL": "bc"})])
def test_health_filters(api, kind, healthy, sick, wanted):
    """All four, and HEALTHY without one."""
    service = build(api, kind)
    for instance in healthy + sick:
        api.register(service, instance, "10.0.0.1")
    for instance in sick:
        api.set_health(service, instance, "UNHEALTHY")
    for name, ids in wanted.items():
        assert found(api, HealthStatus=name) == list(ids)
    assert found(api) == list(healthy)
    reply = api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s",
                   HealthStatus="ALL")
    assert {i["InstanceId"]: i["HealthStatus"] for i in reply["Instances"]} == {
        **dict.fromkeys(healthy, "HEALTHY"), **dict.fromkeys(sick, "UNHEALTHY")}


def test_no_check_no_filter(api):
    """Without a health check every filter keeps everything, which is UNKNOWN."""
    service = build(api, custom=False)
    api.register(service, "i", "10.0.0.1")
    for name in FILTERS:
        reply = api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s",
                       HealthStatus=name)
        assert [i["HealthStatus"] for i in reply["Instances"]] == ["UNKNOWN"]
    assert found(api) == ["i"]


def test_route53_check_passes(api):
    """HEALTHY, and filtered as that."""
    service = api.serve(api.public("x.example"), "s", "A", HealthCheckConfig={"Type": "TCP"})
    api.register(service, "i", "10.0.0.1", AWS_INSTANCE_PORT="80")
    assert [found(api, HealthStatus=name) for name in FILTERS] == [["i"], [], ["i"], ["i"]]


def test_query_parameters_must_all_match(api):
    """Pairs, case-sensitive; an absent attribute is not an empty one."""
    service = build(api, custom=False)
    api.register(service, "a", "10.0.0.1", color="red", size="1")
    api.register(service, "b", "10.0.0.2", color="red", size="2", empty="")
    api.register(service, "c", "10.0.0.3", color="Red")
    for query, ids in (({}, "abc"), ({"color": "red"}, "ab"), ({"color": "Red"}, "c"),
                       ({"color": "red", "size": "2"}, "b"), ({"Color": "red"}, ""),
                       ({"color": "red", "nosuch": "x"}, ""), ({"empty": ""}, "b"),
                       ({IPV4: "10.0.0.3"}, "c"), ({"color": "re"}, "")):
        assert found(api, QueryParameters=query) == list(ids), query


def test_optional_parameters_narrow_if_they_can(api):
    """Those that match all of them, or all that were found without them."""
    service = build(api)
    api.register(service, "a", "10.0.0.1", color="red", zone="1")
    api.register(service, "b", "10.0.0.2", color="red", zone="2")
    api.register(service, "c", "10.0.0.3", color="blue", zone="2")
    for optional, ids in (({}, "abc"), ({"zone": "2"}, "bc"), ({"zone": "3"}, "abc"),
                          ({"zone": "2", "color": "red"}, "b"),
                          ({"zone": "1", "color": "blue"}, "abc")):
        assert found(api, OptionalParameters=optional) == list(ids), optional
    red = {"color": "red"}
    assert found(api, QueryParameters=red, OptionalParameters={"zone": "2"}) == ["b"]
    assert found(api, QueryParameters=red, OptionalParameters={"color": "blue"}) == ["a", "b"]
    assert found(api, QueryParameters={"color": "no"}, OptionalParameters=red) == []


def test_health_comes_after_the_query_and_before_the_options(api):
    """HEALTHY_OR_ELSE_ALL looks at what matches the query; options at what is left."""
    service = build(api)
    api.register(service, "a", "10.0.0.1", group="1", zone="x", **{INIT: "UNHEALTHY"})
    api.register(service, "b", "10.0.0.2", group="1", zone="y", **{INIT: "UNHEALTHY"})
    api.register(service, "c", "10.0.0.3", group="2", zone="y")
    either = {"HealthStatus": "HEALTHY_OR_ELSE_ALL"}
    assert found(api, **either, QueryParameters={"group": "1"}) == ["a", "b"]
    assert found(api, **either) == ["c"]
    assert found(api, OptionalParameters={"zone": "x"}) == ["c"]
    assert found(api, **either, QueryParameters={"group": "1"},
                 OptionalParameters={"zone": "y"}) == ["b"]


def test_order_is_random_and_cut(api):
    """Every call shuffles; MaxResults cuts after that, 100 by default."""
    service = build(api, custom=False)
    conn = api.connect()
    for number in range(110):
        api.ok("RegisterInstance", conn=conn, ServiceId=service, InstanceId=f"{number:03}",
               Attributes={IPV4: "10.0.0.1"})
    conn.close()
    orders = [api.discover("x.example", "s") for _ in range(5)]
    assert all(len(set(order)) == 100 for order in orders)
    assert len({tuple(order) for order in orders}) == 5
    whole = api.discover("x.example", "s", MaxResults=1000)
    assert len(set(whole)) == 110 and whole != sorted(whole)
    ones = {tuple(api.discover("x.example", "s", MaxResults=1)) for _ in range(60)}
    assert len(ones) > 10 and all(len(one) == 1 for one in ones)
    reply = api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s",
                   MaxResults=3)
    assert set(reply) == {"Instances", "InstancesRevision"} and len(reply["Instances"]) == 3


def test_small_result_is_shuffled_evenly(api):
    """Each of three instances comes first in about a third of the calls."""
    service = build(api, custom=False)
    for instance in "abc":
        api.register(service, instance, "10.0.0.1")
    conn, firsts = api.connect(), []
    for _ in range(300):
        reply = api.ok("DiscoverInstances", conn=conn, NamespaceName="x.example",
                       ServiceName="s")
        firsts.append(reply["Instances"][0]["InstanceId"])
    conn.close()
    assert all(50 < firsts.count(instance) < 150 for instance in "abc")


def test_revision_counts_commits(api):
    """+1 for each registration and deregistration, and for nothing else."""
    service = build(api)
    steps = []

    def step(change=None):
        if change:
            change()
        reply = api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s")
        assert reply["InstancesRevision"] == api.revision("x.example", "s")
        steps.append(reply["InstancesRevision"])

    step()
    step(lambda: api.register(service, "i", "10.0.0.1"))
    step(lambda: api.register(service, "i", "10.0.0.1"))
    step(lambda: api.set_health(service, "i", "UNHEALTHY"))
    step(lambda: api.done("UpdateService", Id=service, Service={
        "Description": "d", "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 9}]}}))
    step(lambda: api.ok("UpdateServiceAttributes", ServiceId=service, Attributes={"k": "v"}))
    step(lambda: api.fails("InvalidInput", "RegisterInstance", ServiceId=service,
                           InstanceId="j", Attributes={}))
    step(lambda: api.deregister(service, "i"))
    step(lambda: api.fails("InstanceNotFound", "DeregisterInstance", ServiceId=service,
                           InstanceId="i"))
    assert steps == [1, 2, 3, 3, 3, 3, 3, 4, 4]


def test_revision_is_of_one_service_and_survives(daemon):
    """Others do not move it; a restart does not, either."""
    service = build(daemon.api)
    other = daemon.api.serve(daemon.api.get_service(service)["NamespaceId"], "t", "A")
    for number in range(3):
        daemon.api.register(other, f"{number}", "10.0.0.1")
    daemon.restart(kill=True)
    assert daemon.api.revision("x.example", "s") == 1
    assert daemon.api.revision("x.example", "t") == 4
    daemon.api.register(other, "3", "10.0.0.1")
    assert daemon.api.revision("x.example", "t") == 5


def test_empty_result_is_no_error(api):
    """200 with an empty list: external-dns deletes services by that."""
    build(api)
    assert api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s") == {
        "Instances": [], "InstancesRevision": 1}


def test_names(api):
    """HttpName matters and its case; a service's name folds in DNS namespaces only."""
    first = api.http("Same.example")
    api.attach(api.serve(first, "Web"), "http")
    second = api.public("Same.example")
    hashed = api.namespace(second)["Properties"]["HttpProperties"]["HttpName"]
    api.register(api.serve(second, "Web", "A"), "public", "10.0.0.1")
    assert api.discover("Same.example", "Web") == ["http"]
    assert api.discover(hashed, "web") == api.discover(hashed, "WEB") == ["public"]
    reply = api.ok("DiscoverInstances", NamespaceName=hashed, ServiceName="web")
    assert reply["Instances"][0]["NamespaceName"] == hashed
    assert reply["Instances"][0]["ServiceName"] == "Web"
    for call in ("DiscoverInstances", "DiscoverInstancesRevision"):
        for namespace in ("same.example", "Same.example.", second, hashed.upper()):
            api.fails("NamespaceNotFound", call, NamespaceName=namespace, ServiceName="Web")
        api.fails("ServiceNotFound", call, NamespaceName="Same.example", ServiceName="web")
        api.fails("ServiceNotFound", call, NamespaceName=hashed, ServiceName="nosuch")


def test_private_namespaces_of_one_name_are_apart(api):
    """Each VPC's has its own HttpName."""
    for vpc, instance in ((VPC_A, "a"), (VPC_B, "b")):
        namespace = api.private("x.example", vpc)
        api.register(api.serve(namespace, "s", "A"), instance, "10.0.0.1")
        http = api.namespace(namespace)["Properties"]["HttpProperties"]["HttpName"]
        assert api.discover(http, "s") == [instance]
    assert api.discover("x.example", "s") == ["a"]


def test_regions_are_apart(api):
    """The other region's names are not found."""
    build(api)
    other = api.at(region="eu-west-1")
    other.fails("NamespaceNotFound", "DiscoverInstances", NamespaceName="x.example",
                ServiceName="s")
    other.register(build(other), "far", "10.0.0.1")
    assert other.discover("x.example", "s") == ["far"] and found(api) == []


def test_owner_account(api):
    """Ours finds ours; another has nothing here."""
    api.register(build(api), "i", "10.0.0.1")
    assert found(api, OwnerAccount=ACCOUNT) == ["i"]
    for call in ("DiscoverInstances", "DiscoverInstancesRevision"):
        api.fails("NamespaceNotFound", call, NamespaceName="x.example", ServiceName="s",
                  OwnerAccount="111111111111")


def test_deleted_names_are_gone(api):
    """First the service, then the namespace."""
    service = build(api)
    namespace = api.get_service(service)["NamespaceId"]
    members = {"NamespaceName": "x.example", "ServiceName": "s"}
    api.ok("DeleteService", Id=service)
    api.fails("ServiceNotFound", "DiscoverInstances", **members)
    api.done("DeleteNamespace", Id=namespace)
    api.fails("NamespaceNotFound", "DiscoverInstances", **members)


@pytest.mark.parametrize("way", ["tcp", "unix"])
@pytest.mark.parametrize("host", ["data-localhost", "data-127.0.0.1:1", "localhost",
                                  "data-servicediscovery.us-east-1.amazonaws.com", "data-",
                                  "data-cloudmap.localhost:4566"])
def test_host_does_not_matter(shared, way, host):
    """SDKs put data- before any host name; the socket's is arbitrary."""
    api = shared.api if way == "tcp" else shared.unix_api
    body = json.dumps({"NamespaceName": "nosuch", "ServiceName": "s"}).encode()
    for call in ("DiscoverInstances", "DiscoverInstancesRevision"):
        reply = api.send(body, gaz.TARGET + call, headers={"Host": host})
        assert (reply.status, reply.code) == (400, "NamespaceNotFound")
    assert api.send(b"{}", gaz.TARGET + "ListNamespaces", headers={"Host": host}).status == 200


def test_boto3_with_and_without_the_prefix(daemon, monkeypatch):
    """Both ways of calling; the prefixed name is made to resolve to the daemon."""
    daemon.api.register(build(daemon.api), "i", "10.0.0.1")
    seen = []

    real = urllib3.util.connection.create_connection

    def create(address, *args, **kwargs):
        seen.append(address[0])
        return real(("127.0.0.1", address[1]), *args, **kwargs)

    monkeypatch.setattr(urllib3.util.connection, "create_connection", create)
    for inject, host in ((True, "data-localhost"), (False, "localhost")):
        client = gaz._SESSION.create_client(
            "servicediscovery", region_name=gaz.REGION,
            endpoint_url=f"http://localhost:{daemon.apis[0][1]}", aws_access_key_id="AKID",
            aws_secret_access_key="secret",
            config=botocore.config.Config(inject_host_prefix=inject,
                                          retries={"max_attempts": 0}))
        reply = client.discover_instances(NamespaceName="x.example", ServiceName="s")
        assert [item["InstanceId"] for item in reply["Instances"]] == ["i"]
        assert seen.pop() == host and not seen


def test_default_health_filter_is_configurable(start):
    """HEALTHY_OR_ELSE_ALL where the request names none; what it names still counts."""
    api = start("--discover-health", "HEALTHY_OR_ELSE_ALL").api
    service = build(api, "http", custom=True)
    for name in ("a", "b"):
        api.register(service, name, "10.0.0.1")
    api.set_health(service, "a", "UNHEALTHY")
    assert found(api) == ["b"]
    api.set_health(service, "b", "UNHEALTHY")
    assert found(api) == ["a", "b"]
    assert found(api, HealthStatus="HEALTHY") == []


def test_seed_makes_the_shuffle_repeatable(start):
    """--random-seed: two daemons give the same orders, one after the other."""
    orders = []
    for _ in range(2):
        api = start("--random-seed", "42").api
        service = build(api, "http")
        for number in range(9):
            api.register(service, f"i{number}", "10.0.0.1")
        orders.append([tuple(api.discover("x.example", "s")) for _ in range(10)])
    assert orders[0] == orders[1]
    assert len(set(orders[0])) > 5
