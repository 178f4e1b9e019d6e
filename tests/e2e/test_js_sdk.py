# SPDX-License-Identifier: BSD-2-Clause
"""The AWS SDK for JavaScript, version 3, against a daemon: js_sdk.py runs it."""

import json

import pytest

import gaz
import js_sdk
import models
from gaz import VPC_A, records

IPV4 = {"AWS_INSTANCE_IPV4": "10.0.0.1"}


def ended(js, reply):
    """Poll an operation to its end; gives every status seen, and the operation."""
    seen = []

    def look():
        found = js.call("GetOperation", OperationId=reply["OperationId"])["Operation"]
        if found["Status"] not in seen:
            seen.append(found["Status"])
        return found if found["Status"] in ("SUCCESS", "FAIL") else None
    return seen, gaz.until("the operation", look)


def target(js, kind, reply):
    _, operation = ended(js, reply)
    assert operation["Status"] == "SUCCESS", operation
    return operation["Targets"][kind]


def create(js):
    """All the creating calls; gives the ids."""
    soa = {"DnsProperties": {"SOA": {"TTL": 5}}}
    http = target(js, "NAMESPACE", js.call("CreateHttpNamespace", Name="h"))
    private = target(js, "NAMESPACE", js.call(
        "CreatePrivateDnsNamespace", Name="p.example", Vpc=VPC_A, Properties=soa,
        Tags=[{"Key": "k", "Value": "v"}]))
    public = target(js, "NAMESPACE", js.call(
        "CreatePublicDnsNamespace", Name="q.example", Properties=soa))
    service = js.call("CreateService", Name="web", NamespaceId=private,
                      DnsConfig=records("A"), HealthCheckCustomConfig={})["Service"]["Id"]
    reply = js.call("RegisterInstance", ServiceId=service, InstanceId="i", Attributes=IPV4)
    assert target(js, "INSTANCE", reply) == "i"
    return http, private, public, service


def change(js, ids):
    http, private, public, service = ids
    soa = {"Properties": {"DnsProperties": {"SOA": {"TTL": 7}}}}
    for call, namespace, wanted in (("UpdateHttpNamespace", http, {"Description": "d"}),
                                    ("UpdatePrivateDnsNamespace", private, soa),
                                    ("UpdatePublicDnsNamespace", public, soa)):
        assert target(js, "NAMESPACE",
                      js.call(call, Id=namespace, Namespace=wanted)) == namespace
    reply = js.call("UpdateService", Id=service, Service={"DnsConfig": records("A", ttl=9)})
    assert target(js, "SERVICE", reply) == service
    js.call("UpdateServiceAttributes", ServiceId=service, Attributes={"k": "v", "l": "w"})
    js.call("DeleteServiceAttributes", ServiceId=service, Attributes=["l"])
    js.call("UpdateInstanceCustomHealthStatus", ServiceId=service, InstanceId="i",
            Status="UNHEALTHY")
    arn = js.call("GetNamespace", Id=http)["Namespace"]["Arn"]
    js.call("TagResource", ResourceARN=arn, Tags=[{"Key": "a", "Value": ""},
                                                  {"Key": "b", "Value": "c"}])
    js.call("UntagResource", ResourceARN=arn, TagKeys=["b"])
    assert js.call("ListTagsForResource", ResourceARN=arn)["Tags"] == [
        {"Key": "a", "Value": ""}]


def check(js, ids):
    """Every reading call, with what it must show."""
    http, private, public, service = ids
    names = {"NamespaceName": "p.example", "ServiceName": "web"}
    found = js.call("GetNamespace", Id=private)["Namespace"]
    assert found["Properties"]["DnsProperties"]["SOA"] == {"TTL": 7}
    assert {n["Id"] for n in js.call("ListNamespaces")["Namespaces"]} == {http, private, public}
    found = js.call("GetService", Id=service)["Service"]
    assert found["DnsConfig"] == {"NamespaceId": private,
                                  **records("A", ttl=9, policy="MULTIVALUE")}
    (found,) = js.call("ListServices")["Services"]
    assert found["InstanceCount"] == 1 and found["HealthCheckCustomConfig"] == {
        "FailureThreshold": 1}
    attributes = js.call("GetServiceAttributes", ServiceId=service)["ServiceAttributes"]
    assert attributes["Attributes"] == {"k": "v"}
    assert js.call("GetInstance", ServiceId=service, InstanceId="i")["Instance"][
        "Attributes"] == IPV4
    (found,) = js.call("ListInstances", ServiceId=service)["Instances"]
    assert found["Id"] == "i"
    assert js.call("GetInstancesHealthStatus", ServiceId=service)["Status"] == {
        "i": "UNHEALTHY"}
    found = js.call("DiscoverInstances", HealthStatus="ALL", **names)
    assert [i["HealthStatus"] for i in found["Instances"]] == ["UNHEALTHY"]
    assert js.call("DiscoverInstancesRevision", **names) == {
        "InstancesRevision": found["InstancesRevision"]}
    assert {o["Status"] for o in js.call("ListOperations")["Operations"]} == {"SUCCESS"}


def remove(js, ids):
    http, private, public, service = ids
    target(js, "INSTANCE", js.call("DeregisterInstance", ServiceId=service, InstanceId="i"))
    js.call("DeleteService", Id=service)
    for namespace in (http, private, public):
        target(js, "NAMESPACE", js.call("DeleteNamespace", Id=namespace))


def test_every_operation(daemon, js):
    """All thirty, from creation to deletion, over one connection that is kept."""
    called = set()
    js.open(daemon.endpoint)
    ask = js.ask

    def note(command, **fields):
        called.add(fields["operation"])
        return ask(command, **fields)
    js.ask = note
    try:
        ids = create(js)
        change(js, ids)
        check(js, ids)
        assert gaz.texts(daemon.ask("web.p.example")) == ["10.0.0.1"]
        remove(js, ids)
    finally:
        js.ask = ask
    assert sorted(called) == models.OPERATIONS
    assert js.connections == 1
    assert gaz.rcode(daemon.ask("web.p.example")) == "REFUSED"


def test_dates_are_dates_with_milliseconds(api, daemon, js):
    """As they were sent."""
    namespace = api.http("h")
    found = js.open(daemon.endpoint).call("GetNamespace", Id=namespace)["Namespace"]
    sent = json.loads(js.wire[0]["body"])["Namespace"]["CreateDate"]
    assert found["CreateDate"] == {"$date": round(sent * 1000)}


def test_paginators(api, daemon, js):
    """All that the SDK has; no page is short before the last, nothing comes twice."""
    js.open(daemon.endpoint)
    assert {name for name in js.ask("names") if name.startswith("paginate")} == {
        "paginateListNamespaces", "paginateListServices", "paginateListInstances",
        "paginateListOperations", "paginateGetInstancesHealthStatus"}
    spaces = [api.http(f"n{n}") for n in range(5)]
    services = [api.serve(spaces[0], f"s{n}") for n in range(5)]
    for number in range(5):
        api.attach(services[0], f"i{number}")
    eq = [{"Name": "NAMESPACE_ID", "Values": [spaces[0]], "Condition": "EQ"}]
    kind = [{"Name": "TYPE", "Values": ["REGISTER_INSTANCE"], "Condition": "EQ"}]
    for call, member, members, wanted in (
            ("ListNamespaces", "Namespaces", {}, spaces),
            ("ListServices", "Services", {"Filters": eq}, services),
            ("ListInstances", "Instances", {"ServiceId": services[0]},
             [f"i{n}" for n in range(5)]),
            ("GetInstancesHealthStatus", "Status", {"ServiceId": services[0]},
             [f"i{n}" for n in range(5)]),
            ("ListOperations", "Operations", {"Filters": kind}, None)):
        pages = js.pages(call, 2, **members)
        assert [len(page[member]) for page in pages] == [2, 2, 1], call
        assert "NextToken" not in pages[-1]
        got = [item if member == "Status" else item["Id"] for page in pages
               for item in page[member]]
        assert len(set(got)) == 5 and (wanted is None or got == wanted)
    assert js.connections == 1


def test_polling_sees_a_slow_operation_end(start, js):
    """Statuses only move forward; what it made is there then, and not before."""
    daemon = start(*gaz.VPC_OPTIONS, "--operation-delay", "1000")
    js.open(daemon.endpoint)
    seen, operation = ended(js, js.call("CreateHttpNamespace", Name="h"))
    assert seen == [s for s in ("SUBMITTED", "PENDING", "SUCCESS") if s in seen]
    assert operation["UpdateDate"]["$date"] - operation["CreateDate"]["$date"] >= 1000
    assert js.call("GetNamespace", Id=operation["Targets"]["NAMESPACE"])[
        "Namespace"]["Name"] == "h"


def test_failed_operation_explains_itself(api, daemon, js):
    """The two fields that error messages are made of."""
    api.private("p.example")
    _, operation = ended(js.open(daemon.endpoint), js.call(
        "CreatePrivateDnsNamespace", Name="p.example", Vpc=VPC_A))
    assert (operation["Status"], operation["ErrorCode"]) == (
        "FAIL", "CANNOT_CREATE_HOSTED_ZONE")
    assert "ConflictingDomainExists" in operation["ErrorMessage"]


@pytest.mark.parametrize("name", ["127.0.0.1", "cloudmap.localhost"])
def test_discovery_prefix_goes_before_any_host(start, js, name):
    """A client that left the prefix on, and whose resolver finds the name. The
    signature is over the host as sent."""
    daemon = start("--auth", "verify", "--key", "AKIDEXAMPLE=secret")
    unix = daemon.unix_api
    unix.attach(unix.serve(unix.http("h"), "s"), "i")
    port = daemon.apis[0][1]
    js.open(f"http://{name}:{port}", disableHostPrefix=False)
    names = {"NamespaceName": "h", "ServiceName": "s"}
    assert len(js.call("ListNamespaces")["Namespaces"]) == 1
    assert js.wire[0]["host"] == f"{name}:{port}"
    for call in ("DiscoverInstances", "DiscoverInstancesRevision"):
        assert js.call(call, **names)["InstancesRevision"] > 1
        assert js.wire[0]["host"] == f"data-{name}:{port}"
    js.open(daemon.endpoint, credentials={"accessKeyId": "AKIDEXAMPLE",
                                          "secretAccessKey": "wrong"})
    with pytest.raises(js_sdk.Failed) as caught:
        js.call("ListNamespaces")
    assert (caught.value.name, caught.value.status) == ("InvalidSignatureException", 403)


def test_connection_is_reused_after_errors(daemon, js):
    """A refused call costs no connection."""
    js.open(daemon.endpoint)
    for number in range(10):
        with pytest.raises(js_sdk.Failed) as caught:
            js.call("GetNamespace", Id=f"ns-{number}")
        assert caught.value.typed and caught.value.requestId
    assert js.connections == 1
