# SPDX-License-Identifier: BSD-2-Clause
"""The region and the account of a request's signature select a world of its own."""

import pytest

import gaz
from gaz import ACCOUNT


def test_regions_are_worlds_apart(daemon):
    """What one region holds the other does not know."""
    here, there = daemon.api, daemon.api.at(region="eu-west-1")
    namespace = here.http("same")
    there.fails("NamespaceNotFound", "GetNamespace", Id=namespace)
    there.fails("NamespaceNotFound", "DeleteNamespace", Id=namespace)
    assert there.ok("ListNamespaces")["Namespaces"] == []
    assert there.ok("ListOperations")["Operations"] == []
    other = there.http("same")
    assert there.namespace(other)["Arn"].split(":")[3] == "eu-west-1"
    assert there.namespace(other)["Properties"]["HttpProperties"] == {"HttpName": "same"}
    operation = there.ok("ListOperations")["Operations"][0]["Id"]
    here.fails("OperationNotFound", "GetOperation", OperationId=operation)
    arn = there.namespace(other)["Arn"]
    here.fails("ResourceNotFoundException", "ListTagsForResource", ResourceARN=arn)


def test_boto3_regions(daemon):
    """The SDK's region is all a user has to set."""
    for region in ("us-west-2", "ap-south-1"):
        daemon.boto(region=region).create_http_namespace(Name="n")
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []
    found = daemon.boto(region="us-west-2").list_namespaces()["Namespaces"]
    assert found[0]["Arn"].startswith("arn:aws:servicediscovery:us-west-2:")


@pytest.mark.parametrize("region", ["US-EAST-1", "r", "x" * 63])
def test_any_region_that_an_sdk_takes_is_one_of_its_own(daemon, region):
    """Not the default one in disguise."""
    daemon.boto(region=region).create_http_namespace(Name="n")
    (found,) = daemon.boto(region=region).list_namespaces()["Namespaces"]
    assert found["Arn"].split(":")[3] == region
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []


def test_default_region_and_account_can_be_set(start):
    """--region and --account are for requests without a signature."""
    daemon = start("--region", "eu-central-1", "--account", "111122223333")
    found = daemon.api.namespace(daemon.api.http("n"))
    assert found["Arn"].startswith(
        "arn:aws:servicediscovery:eu-central-1:111122223333:namespace/")
    assert found["ResourceOwner"] == "111122223333"
    assert daemon.api.at(region="us-east-1").ok("ListNamespaces")["Namespaces"] == []
    client = daemon.boto(region="eu-central-1")
    assert len(client.list_namespaces()["Namespaces"]) == 1


def test_twelve_digit_access_key_is_the_account(daemon):
    """The convention of other emulators."""
    mine, yours = daemon.api, daemon.api.at(key="123456789012")
    namespace = yours.http("n")
    assert yours.namespace(namespace)["ResourceOwner"] == "123456789012"
    mine.fails("NamespaceNotFound", "GetNamespace", Id=namespace)
    assert mine.ok("ListNamespaces")["Namespaces"] == []
    found = mine.namespace(mine.http("n"))
    assert found["ResourceOwner"] == ACCOUNT
    assert mine.at(key="1234567890123").ok("ListNamespaces")["Namespaces"][0]["Id"] == (
        found["Id"])


def test_zones_of_all_regions_are_served_together(daemon):
    """DNS knows no regions; of equal public names the older answers."""
    daemon.api.public("one.example", ttl=1)
    daemon.api.at(region="eu-west-1").public("two.example", ttl=2)
    assert daemon.ask("one.example", "SOA").answer[0].ttl == 1
    assert daemon.ask("two.example", "SOA").answer[0].ttl == 2
    younger = daemon.api.at(region="eu-west-1").public("one.example", ttl=3)
    assert daemon.ask("one.example", "SOA").answer[0].ttl == 1
    older = daemon.api.ok("ListNamespaces")["Namespaces"][0]["Id"]
    daemon.api.done("DeleteNamespace", Id=older)
    assert daemon.ask("one.example", "SOA").answer[0].ttl == 3
    daemon.api.at(region="eu-west-1").done("DeleteNamespace", Id=younger)
    assert gaz.rcode(daemon.ask("one.example", "SOA")) == "REFUSED"


def test_regions_survive_a_restart(daemon):
    """Both worlds come back, each with its own."""
    here, there = daemon.api.http("n"), daemon.api.at(region="eu-west-1").http("n")
    daemon.restart(kill=True)
    for api, own, other in ((daemon.api, here, there),
                            (daemon.api.at(region="eu-west-1"), there, here)):
        assert [ns["Id"] for ns in api.ok("ListNamespaces")["Namespaces"]] == [own]
        api.fails("NamespaceNotFound", "GetNamespace", Id=other)
