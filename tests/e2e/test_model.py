# SPDX-License-Identifier: BSD-2-Clause
"""Every operation's replies against the service's public model.

gaz.Api checks each reply of all tests by models.check_reply; here every operation is
called in every state, and the check itself is tested.
"""

import json

import pytest

import gaz
import models
from gaz import VPC_A, records

PORT = {"AWS_INSTANCE_PORT": "80"}


@pytest.mark.parametrize("operation, status, body", [
    ("ListTagsForResource", 200, {"Tags": [{"Key": "k", "Value": 1}]}),
    ("ListTagsForResource", 200, {"Tags": [{"Key": "k"}]}),
    ("ListTagsForResource", 200, {"Tags": {}}),
    ("ListTagsForResource", 200, {"Tags": None}),
    ("GetNamespace", 200, {"Namespace": {"Type": "DNS"}}),
    ("GetNamespace", 200, {"Namespace": {"ServiceCount": True}}),
    ("GetNamespace", 200, {"Namespace": {"CreateDate": "2024-01-01T00:00:00Z"}}),
    ("GetNamespace", 200, {"Namespace": {"VpcId": "vpc-1"}}),
    ("GetInstance", 200, {"Instance": {"Attributes": {"k": 1}}}),
    ("DeleteService", 200, {"OperationId": "x"}),
    ("UpdateInstanceCustomHealthStatus", 200, {}),
    ("CreateService", 400, {"__type": "ResourceInUse"}),
    ("ListNamespaces", 400, {"__type": "ValidationException"})])
def test_the_check_finds_faults(operation, status, body):
    """Wrong types, enums, members; missing ones; errors that are not modelled."""
    with pytest.raises(AssertionError):
        models.check_reply(operation, status, json.dumps(body).encode())


class Recorder(gaz.Api):
    """Notes which operations have answered with success."""

    def __init__(self, api):
        super().__init__(api.tcp, api.unix)
        self.seen = {}

    def raw(self, operation, conn=None, **members):
        reply = super().raw(operation, conn, **members)
        if reply.status == 200:
            body = json.loads(reply.body or b"{}")
            self.seen.setdefault(operation, []).append(body)
        return reply


def members_seen(shape_name, value, found):
    """Collect Shape.Member of everything in a reply."""
    shape = models.SHAPES[shape_name]
    if shape["type"] == "structure":
        for name, item in value.items():
            found.add(f"{shape_name}.{name}")
            members_seen(shape["members"][name]["shape"], item, found)
    elif shape["type"] == "list":
        for item in value:
            members_seen(shape["member"]["shape"], item, found)


def members_of(shape_name, found):
    shape = models.SHAPES[shape_name]
    if shape["type"] == "structure":
        for name, member in shape["members"].items():
            if f"{shape_name}.{name}" not in found:
                found.add(f"{shape_name}.{name}")
                members_of(member["shape"], found)
    elif shape["type"] == "list":
        members_of(shape["member"]["shape"], found)


def build(api):
    """All kinds of everything."""
    tags = [{"Key": "k", "Value": "v"}]
    private = api.private("p.example", ttl=5, Description="d", Tags=tags)
    public, http = api.public("q.example", ttl=5, Description="d"), api.http("h")
    api.failed("CreatePrivateDnsNamespace", Name="p.example", Vpc=VPC_A)
    a = api.serve(private, "a", "A", HealthCheckCustomConfig={}, Tags=tags, Description="d")
    srv = api.serve(public, "srv", "SRV", HealthCheckConfig={
        "Type": "HTTP", "ResourcePath": "/x", "FailureThreshold": 2})
    plain = api.serve(http, "plain")
    for service in (a, srv, plain):
        for number in range(2):
            api.register(service, f"i{number}", f"10.0.0.{number}", k="v", **PORT)
    return private, public, http, a, srv, plain


def read(api, ids):
    namespaces, services = ids[:3], ids[3:]
    for call in ("ListNamespaces", "ListServices", "ListOperations"):
        api.ok(call)
        api.ok(call, MaxResults=1)
    for operation in api.ok("ListOperations")["Operations"]:
        api.operation(operation["Id"])
    for namespace in namespaces:
        api.tags(api.namespace(namespace)["Arn"])
    for service, names in zip(services, (("p.example", "a"), ("q.example", "srv"),
                                         ("h", "plain"))):
        api.tags(api.get_service(service)["Arn"])
        for call in ("ListInstances", "GetInstancesHealthStatus"):
            api.ok(call, ServiceId=service)
            api.ok(call, ServiceId=service, MaxResults=1)
        api.ok("GetInstance", ServiceId=service, InstanceId="i0")
        api.ok("GetServiceAttributes", ServiceId=service)
        api.discover(*names)
        api.revision(*names)


def change(api, ids):
    private, public, http, a, srv, plain = ids
    properties = {"DnsProperties": {"SOA": {"TTL": 6}}}
    api.done("UpdateHttpNamespace", Id=http, Namespace={"Description": "d"})
    api.done("UpdatePrivateDnsNamespace", Id=private, Namespace={"Properties": properties})
    api.done("UpdatePublicDnsNamespace", Id=public, Namespace={"Properties": properties})
    api.done("UpdateService", Id=a, Service={"DnsConfig": records("A")})
    api.done("UpdateService", Id=srv, Service={})
    api.set_health(a, "i0", "UNHEALTHY")
    api.ok("UpdateServiceAttributes", ServiceId=a, Attributes={"k": "v", "l": "w"})
    api.ok("DeleteServiceAttributes", ServiceId=a, Attributes=["l"])
    arn = api.namespace(http)["Arn"]
    api.ok("TagResource", ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    api.ok("UntagResource", ResourceARN=arn, TagKeys=["k"])


def clear(api, ids):
    for service in ids[3:]:
        for number in range(2):
            api.deregister(service, f"i{number}")
        api.ok("DeleteService", Id=service)
    for namespace in ids[:3]:
        api.done("DeleteNamespace", Id=namespace)


def test_every_operation_answers_as_modelled(daemon):
    """All thirty, before and after changes; every member of every output was met."""
    api = Recorder(daemon.api)
    ids = build(api)
    read(api, ids)
    change(api, ids)
    read(api, ids)
    clear(api, ids)
    read(api, ())
    assert sorted(name for name in api.seen if "." not in name) == models.OPERATIONS
    met, promised = set(), set()
    for operation in models.OPERATIONS:
        output = models.CALLS[operation].get("output", {}).get("shape")
        if output:
            members_of(output, promised)
            for body in api.seen[operation]:
                members_seen(output, body, met)
    assert promised - met == set()


def test_lists_are_there_when_empty(api):
    """[] or {}, never left out, never null."""
    service = api.serve(api.public("x.example"), "s", "A")
    api.ok("DeleteService", Id=api.serve(api.http("h"), "t"))
    empty = [{"Name": "RESOURCE_OWNER", "Values": ["OTHER_ACCOUNTS"]}]
    arn = api.get_service(service)["Arn"]
    for call, member, value, members in (
            ("ListNamespaces", "Namespaces", [], {"Filters": empty}),
            ("ListServices", "Services", [], {"Filters": empty}),
            ("ListOperations", "Operations", [],
             {"Filters": [{"Name": "SERVICE_ID", "Values": ["x"]}]}),
            ("ListInstances", "Instances", [], {"ServiceId": service}),
            ("GetInstancesHealthStatus", "Status", {}, {"ServiceId": service}),
            ("DiscoverInstances", "Instances", [],
             {"NamespaceName": "x.example", "ServiceName": "s"}),
            ("ListTagsForResource", "Tags", [], {"ResourceARN": arn})):
        reply = api.ok(call, **members)
        assert reply[member] == value and None not in reply.values(), call
        assert "NextToken" not in reply


def test_boto3_raises_the_modelled_classes(daemon):
    """The SDK maps each code to its own exception."""
    client, api = daemon.boto(), daemon.api
    service = api.serve(api.public("x.example"), "s", "A")
    api.register(service, "i", "10.0.0.1")
    errors = client.exceptions
    for error, call, members in (
            (errors.ServiceNotFound, client.get_service, {"Id": "x"}),
            (errors.ServiceNotFound, client.update_service, {"Id": "x", "Service": {}}),
            (errors.InstanceNotFound, client.get_instance,
             {"ServiceId": service, "InstanceId": "x"}),
            (errors.InstanceNotFound, client.get_instances_health_status,
             {"ServiceId": service, "Instances": ["x"]}),
            (errors.CustomHealthNotFound, client.update_instance_custom_health_status,
             {"ServiceId": service, "InstanceId": "i", "Status": "HEALTHY"}),
            (errors.NamespaceNotFound, client.discover_instances,
             {"NamespaceName": "no", "ServiceName": "s"}),
            (errors.ServiceNotFound, client.discover_instances,
             {"NamespaceName": "x.example", "ServiceName": "no"}),
            (errors.ResourceInUse, client.delete_service, {"Id": service}),
            (errors.InvalidInput, client.update_service,
             {"Id": service, "Service": {"DnsConfig": records("AAAA")}}),
            (errors.InvalidInput, client.list_services,
             {"Filters": [{"Name": "NAMESPACE_ID", "Values": ["a", "b"]}]})):
        with pytest.raises(error):
            call(**members)
    with pytest.raises(errors.ServiceAlreadyExists) as caught:
        client.create_service(Name="S", DnsConfig=records("A"),
                              NamespaceId=api.get_service(service)["NamespaceId"])
    assert caught.value.response["ServiceId"] == service
