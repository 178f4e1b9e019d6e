# SPDX-License-Identifier: BSD-2-Clause
"""Every error that the model gives an operation, met by a real client as its own class.

The client is the AWS SDK for JavaScript: it knows all operations, and checks nothing
itself before it sends.
"""

import shutil
import tempfile
import time
import types

import pytest

import gaz
import js_sdk
import models
from gaz import VPC_A, records

PAIRS = sorted((operation, error["shape"]) for operation, call in models.CALLS.items()
               for error in call["errors"])

# Modelled, but no call meets them. Whoever changes that moves the row to CASES.
UNREACHABLE = {
    ("CreatePrivateDnsNamespace", "NamespaceAlreadyExists"):
        "AWS finds the conflict in the operation: CANNOT_CREATE_HOSTED_ZONE"}

# They need a daemon with limits.
LIMITED = {("DiscoverInstances", "RequestLimitExceeded"),
           ("DiscoverInstancesRevision", "RequestLimitExceeded")}

NO = {"Id": "no-such-id"}
NO_SERVICE = {"ServiceId": "no-such-id"}
TAGS = [{"Key": f"k{number}", "Value": "v"} for number in range(51)]
DESCRIPTION = {"Namespace": {"Description": "d"}}


@pytest.fixture(scope="module")
def world(js):
    """Things at rest and things in the middle of an operation, and no room for more."""
    home = tempfile.mkdtemp(prefix="gaz-")
    daemon = gaz.Daemon(home, *gaz.VPC_OPTIONS, "--quota", "namespaces=8",
                        "--quota", "instances-per-service=2",
                        "--quota", "services-per-namespace=2")
    try:
        daemon.start()
        w = types.SimpleNamespace(daemon=daemon, js=js)
        settle(w, daemon.api)
        daemon.options += gaz.NEVER
        daemon.restart()
        start_operations(w, daemon.api)
        js.open(daemon.endpoint)
        yield w
    finally:
        daemon.finish()
        shutil.rmtree(home)


def settle(w, api):
    w.http = api.http("h", CreatorRequestId="token-h")
    w.public = api.public("q.example", CreatorRequestId="token-q")
    w.private = api.private("p.example")
    w.kinds = {"Http": w.http, "PublicDns": w.public, "PrivateDns": w.private}
    w.gone = {"Http": api.http("gone-h"), "PublicDns": api.public("gone.q.example"),
              "PrivateDns": api.private("gone.p.example")}
    w.busy = {"Http": api.http("busy-h")}
    w.service = api.serve(w.http, "s", CreatorRequestId="token-s")
    w.checked = api.serve(w.http, "checked", HealthCheckCustomConfig={})
    w.updated = api.serve(w.private, "updated", "A")
    for service in (w.service, w.checked, w.updated):
        api.attach(service, "i", AWS_INSTANCE_IPV4="10.0.0.1")
    api.attach(w.service, "j")
    api.ok("UpdateServiceAttributes", ServiceId=w.service,
           Attributes={f"k{number}": "v" for number in range(30)})
    w.arn = api.namespace(w.http)["Arn"]
    w.service_arn = api.get_service(w.service)["Arn"]
    w.no_arn = w.arn.rsplit("/", 1)[0] + "/ns-aaaaaaaaaaaaaaaa"


def start_operations(w, api):
    """None of them ends."""
    w.creating = api.ok("CreateHttpNamespace", Name="new.example")["OperationId"]
    w.updating = {kind: api.ok(f"Update{kind}Namespace", Id=namespace,
                               Namespace={"Description": "new"})["OperationId"]
                  for kind, namespace in w.kinds.items()}
    for namespace in w.gone.values():
        api.ok("DeleteNamespace", Id=namespace)
    w.deleting = api.ok("DeleteNamespace", Id=w.busy["Http"])["OperationId"]
    w.update = api.ok("UpdateService", Id=w.updated, Service={
        "DnsConfig": records("A", ttl=5)})["OperationId"]
    w.leaving = api.ok("DeregisterInstance", ServiceId=w.checked,
                       InstanceId="i")["OperationId"]


def create_cases(kind):
    """The three creations of a namespace. What has too many tags was not made: it has
    no ARN to tell."""
    call, more = f"Create{kind}Namespace", {"Vpc": VPC_A} if kind == "PrivateDns" else {}
    existing = {"Http": ("h", "token-h"), "PublicDns": ("q.example", "token-q")}.get(kind)
    if existing:
        yield (call, "NamespaceAlreadyExists"), lambda w: (
            {"Name": existing[0]},
            {"NamespaceId": w.kinds[kind], "CreatorRequestId": existing[1]})
    yield (call, "DuplicateRequest"), lambda w: (
        {"Name": "new.example", **more}, {"DuplicateOperationId": w.creating})
    yield (call, "ResourceLimitExceeded"), lambda w: ({"Name": "more.example", **more}, {})
    yield (call, "TooManyTagsException"), lambda w: (
        {"Name": "more.example", "Tags": TAGS, **more}, {})


def update_cases(kind):
    call = f"Update{kind}Namespace"
    yield (call, "NamespaceNotFound"), lambda w: ({**NO, **DESCRIPTION}, {})
    yield (call, "ResourceInUse"), lambda w: ({"Id": w.gone[kind], **DESCRIPTION}, {})
    yield (call, "DuplicateRequest"), lambda w: (
        {"Id": w.kinds[kind], **DESCRIPTION}, {"DuplicateOperationId": w.updating[kind]})


def invalid_case(operation):
    """The first violation of a maximum that the model has for the operation."""
    label, members = next((label, members) for label, members in
                          models.mutations(models.input_shape(operation))
                          if label.endswith(".max"))
    return (operation, "InvalidInput"), lambda w: (members, {})


CASES = {
    ("CreateService", "NamespaceNotFound"): lambda w: (
        {"Name": "s", "NamespaceId": "no-such-id"}, {}),
    ("CreateService", "ServiceAlreadyExists"): lambda w: (
        {"Name": "s", "NamespaceId": w.http},
        {"ServiceId": w.service, "ServiceArn": w.service_arn,
         "CreatorRequestId": "token-s"}),
    ("CreateService", "TooManyTagsException"): lambda w: (
        {"Name": "t", "NamespaceId": w.http, "Tags": TAGS}, {}),
    ("CreateService", "ResourceLimitExceeded"): lambda w: (
        {"Name": "t", "NamespaceId": w.http}, {}),
    ("DeleteNamespace", "NamespaceNotFound"): lambda w: (NO, {}),
    ("DeleteNamespace", "ResourceInUse"): lambda w: ({"Id": w.http}, {}),
    ("DeleteNamespace", "DuplicateRequest"): lambda w: (
        {"Id": w.busy["Http"]}, {"DuplicateOperationId": w.deleting}),
    ("DeleteService", "ServiceNotFound"): lambda w: (NO, {}),
    ("DeleteService", "ResourceInUse"): lambda w: ({"Id": w.service}, {}),
    ("DeleteServiceAttributes", "ServiceNotFound"): lambda w: (
        {**NO_SERVICE, "Attributes": ["k"]}, {}),
    ("DeregisterInstance", "DuplicateRequest"): lambda w: (
        {"ServiceId": w.checked, "InstanceId": "i"}, {"DuplicateOperationId": w.leaving}),
    ("DeregisterInstance", "InstanceNotFound"): lambda w: (
        {"ServiceId": w.service, "InstanceId": "no"}, {}),
    ("DeregisterInstance", "ResourceInUse"): lambda w: (
        {"ServiceId": w.updated, "InstanceId": "i"}, {}),
    ("DeregisterInstance", "ServiceNotFound"): lambda w: ({**NO_SERVICE, "InstanceId": "i"}, {}),
    ("GetInstance", "InstanceNotFound"): lambda w: (
        {"ServiceId": w.service, "InstanceId": "no"}, {}),
    ("GetInstance", "ServiceNotFound"): lambda w: ({**NO_SERVICE, "InstanceId": "i"}, {}),
    ("GetInstancesHealthStatus", "InstanceNotFound"): lambda w: (
        {"ServiceId": w.service, "Instances": ["i", "no"]}, {}),
    ("GetInstancesHealthStatus", "ServiceNotFound"): lambda w: (NO_SERVICE, {}),
    ("GetNamespace", "NamespaceNotFound"): lambda w: (NO, {}),
    ("GetOperation", "OperationNotFound"): lambda w: ({"OperationId": "no-such-id"}, {}),
    ("GetService", "ServiceNotFound"): lambda w: (NO, {}),
    ("GetServiceAttributes", "ServiceNotFound"): lambda w: (NO_SERVICE, {}),
    ("ListInstances", "ServiceNotFound"): lambda w: (NO_SERVICE, {}),
    ("ListTagsForResource", "ResourceNotFoundException"): lambda w: (
        {"ResourceARN": w.no_arn}, {}),
    ("RegisterInstance", "DuplicateRequest"): lambda w: (
        {"ServiceId": w.checked, "InstanceId": "i", "Attributes": {}},
        {"DuplicateOperationId": w.leaving}),
    ("RegisterInstance", "ResourceInUse"): lambda w: (
        {"ServiceId": w.updated, "InstanceId": "k",
         "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.2"}}, {}),
    ("RegisterInstance", "ResourceLimitExceeded"): lambda w: (
        {"ServiceId": w.service, "InstanceId": "k", "Attributes": {}}, {}),
    ("RegisterInstance", "ServiceNotFound"): lambda w: (
        {**NO_SERVICE, "InstanceId": "i", "Attributes": {}}, {}),
    ("TagResource", "ResourceNotFoundException"): lambda w: (
        {"ResourceARN": w.no_arn, "Tags": TAGS[:1]}, {}),
    ("TagResource", "TooManyTagsException"): lambda w: (
        {"ResourceARN": w.arn, "Tags": TAGS}, {"ResourceName": w.arn}),
    ("UntagResource", "ResourceNotFoundException"): lambda w: (
        {"ResourceARN": w.no_arn, "TagKeys": ["k"]}, {}),
    ("UpdateInstanceCustomHealthStatus", "ServiceNotFound"): lambda w: (
        {**NO_SERVICE, "InstanceId": "i", "Status": "HEALTHY"}, {}),
    ("UpdateInstanceCustomHealthStatus", "InstanceNotFound"): lambda w: (
        {"ServiceId": w.checked, "InstanceId": "no", "Status": "HEALTHY"}, {}),
    ("UpdateInstanceCustomHealthStatus", "CustomHealthNotFound"): lambda w: (
        {"ServiceId": w.service, "InstanceId": "i", "Status": "HEALTHY"}, {}),
    ("UpdateService", "ServiceNotFound"): lambda w: ({**NO, "Service": {}}, {}),
    ("UpdateService", "DuplicateRequest"): lambda w: (
        {"Id": w.updated, "Service": {"DnsConfig": records("A")}},
        {"DuplicateOperationId": w.update}),
    ("UpdateServiceAttributes", "ServiceNotFound"): lambda w: (
        {**NO_SERVICE, "Attributes": {"k": "v"}}, {}),
    ("UpdateServiceAttributes", "ServiceAttributesLimitExceededException"): lambda w: (
        {"ServiceId": w.service, "Attributes": {"more": "v"}}, {}),
    **{(call, error): lambda w, names=names: (names, {})
       for call in ("DiscoverInstances", "DiscoverInstancesRevision")
       for error, names in (
           ("NamespaceNotFound", {"NamespaceName": "no", "ServiceName": "s"}),
           ("ServiceNotFound", {"NamespaceName": "h", "ServiceName": "no"}))},
    **{pair: case for kind in ("Http", "PrivateDns", "PublicDns")
       for cases in (create_cases, update_cases) for pair, case in cases(kind)},
    **dict(invalid_case(operation) for operation in models.OPERATIONS)}


def test_the_table_is_whole():
    """Each pair of the model has a case or a reason; nothing else is in the table."""
    assert sorted([*CASES, *UNREACHABLE, *LIMITED]) == PAIRS


@pytest.mark.parametrize("operation, error", sorted(CASES))
def test_modelled_error(world, operation, error):
    """The SDK's own class, status 400, with exactly the members that the model has."""
    members, wanted = CASES[operation, error](world)
    with pytest.raises(js_sdk.Failed) as caught:
        world.js.call(operation, **members)
    failed = caught.value
    assert (failed.name, failed.status) == (error, 400), failed
    assert failed.typed and failed.service and failed.message and failed.requestId
    extra = {name: value for name, value in failed.members.items()
             if name in models.SHAPES[error]["members"] and name != "Message"}
    assert extra == wanted


@pytest.mark.parametrize("operation, error", sorted(LIMITED))
def test_modelled_error_of_a_limit(world, start, operation, error):
    """More calls than the limit allows: the SDK's own class again."""
    daemon = start("--rate", f"{operation}=1:1")
    world.js.open(daemon.endpoint)
    try:
        deadline = time.monotonic() + gaz.PATIENCE
        seen = None
        while seen != error:
            assert time.monotonic() < deadline
            with pytest.raises(js_sdk.Failed) as caught:
                world.js.call(operation, NamespaceName="no", ServiceName="s")
            seen = caught.value.name
        assert caught.value.typed and caught.value.status == 400
    finally:
        world.js.open(world.daemon.endpoint)
