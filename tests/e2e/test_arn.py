# SPDX-License-Identifier: BSD-2-Clause
"""Wherever an id is asked for, the full ARN will do."""

import pytest

from gaz import ACCOUNT, REGION


def arn(kind, name, region=REGION, account=ACCOUNT, partition="aws", service="servicediscovery"):
    return f"arn:{partition}:{service}:{region}:{account}:{kind}/{name}"


def test_every_call_takes_a_namespace_arn(api):
    """Get, update, CreateService, delete."""
    namespace = api.private("a.example")
    name = api.namespace(namespace)["Arn"]
    assert name == arn("namespace", namespace)
    assert api.namespace(name)["Id"] == namespace
    ended = api.done("UpdatePrivateDnsNamespace", Id=name, Namespace={"Description": "x"})
    assert ended["Targets"] == {"NAMESPACE": namespace}
    service = api.service(name, "s")
    found = api.ok("GetService", Id=service)["Service"]
    assert found["NamespaceId"] == namespace
    assert found["DnsConfig"]["NamespaceId"] == namespace
    assert api.ok("GetService", Id=found["Arn"])["Service"] == found
    ended = api.register(found["Arn"], "i", "10.0.0.1")
    assert ended["Targets"] == {"SERVICE": service, "INSTANCE": "i"}
    api.deregister(found["Arn"], "i")
    api.ok("DeleteService", Id=found["Arn"])
    assert api.done("DeleteNamespace", Id=name)["Targets"] == {"NAMESPACE": namespace}


@pytest.mark.parametrize("change", [
    {"region": "eu-west-1"}, {"account": "123456789012"}, {"kind": "service"},
    {"service": "route53"}, {"partition": "aws-cn"}, {"account": ""}, {"region": ""}])
def test_foreign_arns_are_not_found(api, change):
    """Another region, account, type, service or partition: NotFound."""
    namespace = api.public("a.example")
    service = api.service(namespace, "s")
    wrong = arn(**{"kind": "namespace", "name": namespace, **change})
    api.fails("NamespaceNotFound", "GetNamespace", Id=wrong)
    api.fails("NamespaceNotFound", "DeleteNamespace", Id=wrong)
    api.fails("NamespaceNotFound", "UpdatePublicDnsNamespace", Id=wrong, Namespace={})
    api.fails("NamespaceNotFound", "CreateService", Name="t", NamespaceId=wrong,
              DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 1}]})
    if change == {"kind": "service"}:
        change = {"kind": "namespace"}
    wrong = arn(**{"kind": "service", "name": service, **change})
    api.fails("ServiceNotFound", "GetService", Id=wrong)
    api.fails("ServiceNotFound", "DeleteService", Id=wrong)
    api.fails("ServiceNotFound", "DeregisterInstance", ServiceId=wrong, InstanceId="i")


@pytest.mark.parametrize("text", ["arn:", "arn:aws", "arn:::::", "arn:aws:servicediscovery:::",
                                  "arn:aws:servicediscovery:us-east-1:000000000000:namespace/",
                                  "arn:aws:servicediscovery:us-east-1:000000000000:namespace",
                                  "arn:" + ":" * 200, "arn:" + "x" * 251])
def test_broken_arns_are_not_found(shared, text):
    """Whatever starts with arn: is parsed as one, and nothing crashes."""
    shared.api.fails("NamespaceNotFound", "GetNamespace", Id=text)
    shared.api.fails("ServiceNotFound", "GetService", Id=text)


def test_arn_is_limited_to_255_characters(shared):
    """One more is a violation, not a NotFound."""
    body = shared.api.fails("InvalidInput", "GetNamespace", Id="arn:" + "x" * 252)
    assert "less than or equal to 255" in body["Message"]


@pytest.mark.parametrize("region, partition", [("us-east-1", "aws"), ("cn-north-1", "aws-cn"),
                                               ("us-gov-west-1", "aws-us-gov")])
def test_partition_follows_the_region(api, region, partition):
    """China and GovCloud have their own."""
    there = api.at(region=region)
    namespace = there.http("n")
    name = there.namespace(namespace)["Arn"]
    assert name == arn("namespace", namespace, region, partition=partition)
    assert there.namespace(name)["Id"] == namespace
