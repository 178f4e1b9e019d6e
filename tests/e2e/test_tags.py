# SPDX-License-Identifier: BSD-2-Clause
"""Tags of namespaces and services."""

import pytest


def pairs(tags):
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@pytest.fixture(params=["http", "private", "public", "service"])
def arn(api, request):
    """A taggable resource of each kind."""
    if request.param == "service":
        return api.ok("GetService", Id=api.service(api.public("x.example"), "s"))["Service"]["Arn"]
    return api.namespace(getattr(api, request.param)("x.example"))["Arn"]


def test_tag_and_untag(api, arn):
    """Upsert by key, remove by key, unknown keys ignored, sorted output."""
    assert api.ok("ListTagsForResource", ResourceARN=arn) == {"Tags": []}
    assert api.ok("TagResource", ResourceARN=arn, Tags=pairs({"b": "1", "a": "2"})) == {}
    assert api.ok("TagResource", ResourceARN=arn, Tags=pairs({"b": "3", "B": "4"})) == {}
    listed = api.ok("ListTagsForResource", ResourceARN=arn)["Tags"]
    assert listed == pairs({"B": "4", "a": "2", "b": "3"})
    assert api.ok("UntagResource", ResourceARN=arn, TagKeys=["a", "nosuch", "a"]) == {}
    assert api.tags(arn) == {"B": "4", "b": "3"}
    assert api.ok("TagResource", ResourceARN=arn, Tags=[]) == {}
    assert api.ok("UntagResource", ResourceARN=arn, TagKeys=[]) == {}
    assert api.tags(arn) == {"B": "4", "b": "3"}


def test_tag_text_is_kept_exactly(api, arn):
    """Any Unicode, 128 and 256 characters, empty values."""
    tags = {"k" * 128: "v" * 256, "\u2603 /=+-@:": "", " ": "\U0001f600" * 256, "\u00e9": "\n"}
    api.ok("TagResource", ResourceARN=arn, Tags=pairs(tags))
    assert api.tags(arn) == tags
    api.ok("UntagResource", ResourceARN=arn, TagKeys=list(tags))
    assert api.tags(arn) == {}


@pytest.mark.parametrize("key", ["aws:x", "AWS:x", "aWs:", "Aws:cloudformation:stack"])
def test_reserved_keys_are_refused(api, arn, key):
    """aws: in any case, on tagging and on creation; nothing is changed."""
    api.fails("InvalidInput", "TagResource", ResourceARN=arn, Tags=pairs({"ok": "1", key: "2"}))
    assert api.tags(arn) == {}
    api.fails("InvalidInput", "CreateHttpNamespace", Name="reserved", Tags=pairs({key: ""}))
    api.ok("TagResource", ResourceARN=arn, Tags=pairs({"aws": "fine", "xaws:": "fine"}))


def test_duplicate_keys_in_one_call_are_refused(api, arn):
    """Also on creation."""
    double = [{"Key": "k", "Value": "1"}, {"Key": "k", "Value": "2"}]
    api.fails("InvalidInput", "TagResource", ResourceARN=arn, Tags=double)
    assert api.tags(arn) == {}
    api.fails("InvalidInput", "CreateHttpNamespace", Name="double", Tags=double)


def test_fifty_tags_after_the_merge_are_the_limit(api, arn):
    """TooManyTagsException names the resource and changes nothing."""
    fifty = {f"k{number:02}": "v" for number in range(50)}
    api.ok("TagResource", ResourceARN=arn, Tags=pairs(fifty))
    api.ok("TagResource", ResourceARN=arn, Tags=pairs({"k00": "changed"}))
    body = api.fails("TooManyTagsException", "TagResource", ResourceARN=arn,
                     Tags=pairs({"k01": "lost", "more": "1"}))
    assert body["ResourceName"] == arn
    assert api.tags(arn) == {**fifty, "k00": "changed"}


@pytest.mark.parametrize("call, members", [
    ("CreateHttpNamespace", {}), ("CreatePrivateDnsNamespace", {"Vpc": "vpc-1"}),
    ("CreatePublicDnsNamespace", {})])
def test_create_with_too_many_tags_is_refused(api, call, members):
    """51 tags: nothing is created, no operation either. 50 are fine."""
    tags = pairs({f"k{number}": "" for number in range(51)})
    api.fails("TooManyTagsException", call, Name="t.example", Tags=tags, **members)
    assert api.ok("ListNamespaces")["Namespaces"] == []
    assert api.ok("ListOperations")["Operations"] == []
    ended = api.done(call, Name="t.example", Tags=tags[:50], **members)
    assert len(api.tags(api.namespace(ended["Targets"]["NAMESPACE"])["Arn"])) == 50


def test_create_service_with_tags(api):
    """CreateService takes tags, and refuses 51."""
    namespace = api.public("x.example")
    tags = pairs({f"k{number}": "" for number in range(51)})
    config = {"DnsRecords": [{"Type": "A", "TTL": 1}]}
    api.fails("TooManyTagsException", "CreateService", Name="s", NamespaceId=namespace,
              DnsConfig=config, Tags=tags)
    found = api.ok("CreateService", Name="s", NamespaceId=namespace, DnsConfig=config,
                   Tags=tags[:50])["Service"]
    assert len(api.tags(found["Arn"])) == 50


@pytest.mark.parametrize("call, members", [
    ("TagResource", {"Tags": []}), ("UntagResource", {"TagKeys": []}),
    ("ListTagsForResource", {})])
def test_unknown_and_malformed_arns(api, call, members):
    """Well formed but unknown: ResourceNotFoundException; else InvalidInput."""
    base = "arn:aws:servicediscovery:us-east-1:000000000000:"
    for arn in (base + "namespace/ns-aaaaaaaaaaaaaaaa", base + "service/srv-aaaaaaaaaaaaaaaa",
                base.replace("0000", "1111") + "namespace/ns-aaaaaaaaaaaaaaaa",
                base.replace("us-east-1", "eu-west-1") + "namespace/ns-aaaaaaaaaaaaaaaa"):
        api.fails("ResourceNotFoundException", call, ResourceARN=arn, **members)
    for arn in ("nonsense", "ns-aaaaaaaaaaaaaaaa", "arn:", "arn:aws:s3:::bucket", base,
                "arn:aws:s3:us-east-1:000000000000:namespace/ns-aaaaaaaaaaaaaaaa"):
        api.fails("InvalidInput", call, ResourceARN=arn, **members)


def test_tags_die_with_their_service(api):
    """DeleteService takes them along."""
    service = api.service(api.public("x.example"), "s", Tags=pairs({"a": "b"}))
    arn = api.ok("GetService", Id=service)["Service"]["Arn"]
    assert api.tags(arn) == {"a": "b"}
    api.ok("DeleteService", Id=service)
    api.fails("ResourceNotFoundException", "ListTagsForResource", ResourceARN=arn)


def test_boto3_tags(daemon):
    """The SDK's three calls."""
    client = daemon.boto()
    arn = daemon.api.namespace(daemon.api.http("n"))["Arn"]
    client.tag_resource(ResourceARN=arn, Tags=[{"Key": "k", "Value": "v"}])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == [
        {"Key": "k", "Value": "v"}]
    client.untag_resource(ResourceARN=arn, TagKeys=["k"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_tags_change_neither_dns_nor_operations(daemon):
    """Tagging is synchronous and starts no operation."""
    namespace = daemon.api.public("x.example")
    arn = daemon.api.namespace(namespace)["Arn"]
    before = daemon.api.ok("ListOperations"), daemon.api.namespace(namespace)
    daemon.api.ok("TagResource", ResourceARN=arn, Tags=pairs({"k": "v"}))
    assert (daemon.api.ok("ListOperations"), daemon.api.namespace(namespace)) == before
