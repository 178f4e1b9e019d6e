# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces: create, read, list, update, delete, with every error."""

import re
import time

import pytest

import gaz
from gaz import ACCOUNT, REGION, VPC_A, VPC_B

NS_ID = re.compile(r"^ns-[a-z2-7]{16}$")
ZONE_ID = re.compile(r"^Z[A-Z0-9]{20}$")


def test_private_namespace_reads_back_whole(api):
    """Every member of GetNamespace, and nothing else."""
    before = time.time()
    namespace = api.private("Whole.Example", ttl=42, Description="d", CreatorRequestId="token")
    found = api.namespace(namespace)
    date = found.pop("CreateDate")
    assert before - 0.01 <= date <= time.time()
    zone = found["Properties"]["DnsProperties"].pop("HostedZoneId")
    assert ZONE_ID.match(zone)
    assert found == {
        "Id": namespace, "Name": "Whole.Example", "Type": "DNS_PRIVATE", "Description": "d",
        "Arn": f"arn:aws:servicediscovery:{REGION}:{ACCOUNT}:namespace/{namespace}",
        "ResourceOwner": ACCOUNT, "ServiceCount": 0, "CreatorRequestId": "token",
        "Properties": {"DnsProperties": {"SOA": {"TTL": 42}},
                       "HttpProperties": {"HttpName": "Whole.Example"}}}
    assert NS_ID.match(namespace)


def test_public_namespace_reads_back_whole(api):
    """The public form, with the default SOA TTL."""
    namespace = api.public("pub.example")
    found = api.namespace(namespace)
    assert found["Type"] == "DNS_PUBLIC" and "Description" not in found
    assert found["Properties"]["DnsProperties"]["SOA"] == {"TTL": 15}
    assert ZONE_ID.match(found["Properties"]["DnsProperties"]["HostedZoneId"])
    assert found["Properties"]["HttpProperties"] == {"HttpName": "pub.example"}
    assert re.match(r"^.{1,64}$", found["CreatorRequestId"])


def test_http_namespace_reads_back_whole(api):
    """No zone: DnsProperties is empty, in lists it holds an empty SOA."""
    namespace = api.http("Http Name".replace(" ", "~"))
    found = api.namespace(namespace)
    assert found["Type"] == "HTTP"
    assert found["Properties"] == {"DnsProperties": {},
                                   "HttpProperties": {"HttpName": "Http~Name"}}
    (summary,) = api.ok("ListNamespaces")["Namespaces"]
    assert summary["Properties"] == {"DnsProperties": {"SOA": {}},
                                     "HttpProperties": {"HttpName": "Http~Name"}}


def test_summary_is_the_namespace_without_its_token(api):
    """ListNamespaces shows what GetNamespace shows, but for CreatorRequestId."""
    namespace = api.private("sum.example", Description="text")
    (summary,) = api.ok("ListNamespaces")["Namespaces"]
    whole = api.namespace(namespace)
    assert "CreatorRequestId" in whole
    del whole["CreatorRequestId"]
    assert summary == whole


def test_empty_description_is_omitted(api):
    """Set to the empty text it is as if never set."""
    namespace = api.http("n", Description="")
    assert "Description" not in api.namespace(namespace)


def test_vpc_is_never_returned(api):
    """No call tells the VPC of a namespace."""
    namespace = api.private("vpc.example")
    for reply in (api.raw("GetNamespace", Id=namespace), api.raw("ListNamespaces")):
        assert VPC_A.encode() not in reply.body


def test_creator_request_id_is_generated_when_absent(api):
    """Two creates without a token have two."""
    tokens = {api.namespace(api.http(name))["CreatorRequestId"] for name in ("a", "b")}
    assert len(tokens) == 2


def test_tags_are_applied_with_the_namespace(api):
    """Create with tags: there from the first moment."""
    namespace = api.public("t.example", Tags=[{"Key": "b", "Value": ""},
                                              {"Key": "a", "Value": "1"}])
    assert api.tags(api.namespace(namespace)["Arn"]) == {"a": "1", "b": ""}


@pytest.mark.parametrize("name", ["local", "test-dns", "_tcp", "under_score.example",
                                  "UPPER.example", "dot.example.", "a" * 63, "x!y.z",
                                  ".".join(["a" * 63] * 3 + ["b" * 61])])
def test_private_names_may_be_anything_dns_can_carry(daemon, name):
    """Single labels, underscores, a trailing dot."""
    namespace = daemon.api.private(name)
    assert daemon.api.namespace(namespace)["Name"] == name
    assert gaz.rcode(daemon.ask(name, "SOA")) == "NOERROR"


@pytest.mark.parametrize("name", ["a..b", ".a", "a" * 64, "..", "a.b..", "b." + "a" * 64])
def test_private_name_that_is_no_dns_name_fails_in_the_operation(api, name):
    """Asynchronous CANNOT_CREATE_HOSTED_ZONE with InvalidDomainName."""
    ended = api.failed("CreatePrivateDnsNamespace", Name=name, Vpc=VPC_A)
    assert ended["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE"
    assert "InvalidDomainName" in ended["ErrorMessage"]
    assert api.ok("ListNamespaces")["Namespaces"] == []
    api.fails("NamespaceNotFound", "GetNamespace", Id=ended["Targets"]["NAMESPACE"])


@pytest.mark.parametrize("name", ["x", "1024" * 256, "has.dots", "digits123", "!\"#$%~",
                                  "Arn:x", "-", "."])
def test_http_names_have_no_dns_rules(api, name):
    """Any printable ASCII up to 1,024 characters."""
    assert api.namespace(api.http(name))["Name"] == name


@pytest.mark.parametrize("ttl", [0, 1, 86400, 86401, 2147483647])
def test_soa_ttl_takes_its_whole_range(daemon, ttl):
    """0 to 2^31-1; negative answers carry min(TTL, MINIMUM)."""
    daemon.api.public("ttl.example", ttl=ttl)
    assert daemon.ask("ttl.example", "SOA").answer[0].ttl == ttl
    missing = daemon.ask("x.ttl.example")
    assert missing.authority[0].ttl == min(ttl, 86400)


def test_default_soa_ttl_is_15(daemon):
    """In the API and in DNS."""
    daemon.api.private("d.example")
    assert daemon.ask("d.example", "SOA").answer[0].ttl == 15
    assert daemon.ask("x.d.example").authority[0].ttl == 15


def test_get_unknown_namespace(api):
    """NamespaceNotFound names the id."""
    for name in ("ns-aaaaaaaaaaaaaaaa", "", "nonsense", "NS-X", "srv-aaaaaaaaaaaaaaaa"):
        body = api.fails("NamespaceNotFound", "GetNamespace", Id=name)
        assert name in body["Message"]


@pytest.mark.parametrize("kind", ["Http", "PrivateDns", "PublicDns"])
def test_description_can_be_updated(api, kind):
    """All three Update calls; the operation has the right type and target."""
    make = {"Http": api.http, "PrivateDns": api.private, "PublicDns": api.public}[kind]
    namespace = make("u.example", Description="old")
    before = api.namespace(namespace)
    ended = api.done(f"Update{kind}Namespace", Id=namespace,
                     Namespace={"Description": "new"})
    assert ended["Type"] == "UPDATE_NAMESPACE"
    assert ended["Targets"] == {"NAMESPACE": namespace}
    assert api.namespace(namespace) == {**before, "Description": "new"}
    api.done(f"Update{kind}Namespace", Id=namespace, Namespace={"Description": ""})
    assert "Description" not in api.namespace(namespace)


@pytest.mark.parametrize("kind", ["PrivateDns", "PublicDns"])
def test_soa_ttl_can_be_updated(daemon, kind):
    """The SOA record and negative answers follow; the description stays."""
    api = daemon.api
    make = {"PrivateDns": api.private, "PublicDns": api.public}[kind]
    namespace = make("u.example", ttl=5, Description="kept")
    api.done(f"Update{kind}Namespace", Id=namespace,
             Namespace={"Properties": {"DnsProperties": {"SOA": {"TTL": 66}}}})
    found = api.namespace(namespace)
    assert found["Properties"]["DnsProperties"]["SOA"] == {"TTL": 66}
    assert found["Description"] == "kept"
    assert daemon.ask("u.example", "SOA").answer[0].ttl == 66
    assert daemon.ask("no.u.example").authority[0].ttl == 66


@pytest.mark.parametrize("kind", ["PrivateDns", "PublicDns"])
def test_empty_update_of_a_dns_namespace_succeeds(api, kind):
    """Namespace {} changes nothing."""
    make = {"PrivateDns": api.private, "PublicDns": api.public}[kind]
    namespace = make("u.example", ttl=5, Description="kept")
    before = api.namespace(namespace)
    api.done(f"Update{kind}Namespace", Id=namespace, Namespace={})
    assert api.namespace(namespace) == before


def test_update_with_the_call_of_another_type_is_refused(api):
    """Each of the six wrong pairs is InvalidInput and changes nothing."""
    ids = {"Http": api.http("h"), "PrivateDns": api.private("p.example"),
           "PublicDns": api.public("q.example")}
    for kind in ids:
        for other, namespace in ids.items():
            if other != kind:
                api.fails("InvalidInput", f"Update{kind}Namespace", Id=namespace,
                          Namespace={"Description": "wrong"})
                assert "Description" not in api.namespace(namespace)


@pytest.mark.parametrize("kind", ["Http", "PrivateDns", "PublicDns"])
def test_update_of_unknown_namespace(api, kind):
    """NamespaceNotFound from all three."""
    api.fails("NamespaceNotFound", f"Update{kind}Namespace", Id="ns-nosuch",
              Namespace={"Description": "x"})


def test_delete_removes_namespace_zone_and_tags(daemon):
    """Gone from Get, List, tags and DNS; its operations stay."""
    api = daemon.api
    namespace = api.public("gone.example", Tags=[{"Key": "k", "Value": "v"}])
    arn = api.namespace(namespace)["Arn"]
    ended = api.done("DeleteNamespace", Id=namespace)
    assert ended["Type"] == "DELETE_NAMESPACE"
    assert ended["Targets"] == {"NAMESPACE": namespace}
    api.fails("NamespaceNotFound", "GetNamespace", Id=namespace)
    api.fails("NamespaceNotFound", "DeleteNamespace", Id=namespace)
    api.fails("ResourceNotFoundException", "ListTagsForResource", ResourceARN=arn)
    assert api.ok("ListNamespaces")["Namespaces"] == []
    assert gaz.rcode(daemon.ask("gone.example", "SOA")) == "REFUSED"
    assert api.operation(ended["Id"])["Status"] == "SUCCESS"
    again = api.public("gone.example")
    assert again != namespace
    assert api.tags(api.namespace(again)["Arn"]) == {}


@pytest.mark.parametrize("kind", ["http", "private", "public"])
def test_namespace_with_a_service_cannot_be_deleted(daemon, kind):
    """ResourceInUse with AWS's own text; afterwards everything is as before."""
    api = daemon.api
    namespace = getattr(api, kind)("busy.example")
    if kind == "http":
        service = api.ok("CreateService", Name="s", NamespaceId=namespace)["Service"]["Id"]
    else:
        service = api.service(namespace, "s")
    assert api.namespace(namespace)["ServiceCount"] == 1
    body = api.fails("ResourceInUse", "DeleteNamespace", Id=namespace)
    assert body["Message"] == ("Namespace has associated services; delete the services before "
                               "deleting the namespace")
    if kind != "http":
        assert gaz.rcode(daemon.ask("busy.example", "SOA")) == "NOERROR"
    api.ok("DeleteService", Id=service)
    assert api.namespace(namespace)["ServiceCount"] == 0
    api.done("DeleteNamespace", Id=namespace)


def test_http_namespace_has_no_zone(daemon):
    """DNS knows nothing of it."""
    daemon.api.http("web.example")
    assert gaz.rcode(daemon.ask("web.example", "SOA")) == "REFUSED"


def fill(api):
    return {"h": api.http("alpha"), "p": api.private("alpha.example"),
            "b": api.private("beta.example", VPC_B), "q": api.public("alpha.public.example")}


@pytest.mark.parametrize("filters, found", [
    ([{"Name": "TYPE", "Values": ["HTTP"]}], "h"),
    ([{"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}], "pb"),
    ([{"Name": "TYPE", "Values": ["DNS_PUBLIC"]}], "q"),
    ([{"Name": "TYPE", "Values": ["DNS_P"], "Condition": "BEGINS_WITH"}], "pbq"),
    ([{"Name": "TYPE", "Values": ["HTTP", "DNS_PUBLIC"], "Condition": "IN"}], "hq"),
    ([{"Name": "NAME", "Values": ["alpha"]}], "h"),
    ([{"Name": "NAME", "Values": ["ALPHA"]}], ""),
    ([{"Name": "NAME", "Values": ["alpha"], "Condition": "BEGINS_WITH"}], "hpq"),
    ([{"Name": "NAME", "Values": ["alpha", "beta.example"], "Condition": "IN"}], "hb"),
    ([{"Name": "HTTP_NAME", "Values": ["beta.example"]}], "b"),
    ([{"Name": "HTTP_NAME", "Values": ["beta"], "Condition": "BEGINS_WITH"}], "b"),
    ([{"Name": "RESOURCE_OWNER", "Values": ["SELF"]}], "hpbq"),
    ([{"Name": "RESOURCE_OWNER", "Values": ["OTHER_ACCOUNTS"]}], ""),
    ([{"Name": "TYPE", "Values": ["DNS_PRIVATE"]}, {"Name": "NAME", "Values": ["beta.example"]}],
     "b"),
    ([{"Name": "NAME", "Values": ["alpha"], "Condition": "BEGINS_WITH"},
      {"Name": "NAME", "Values": ["alpha."], "Condition": "BEGINS_WITH"}], "pq"),
    ([], "hpbq")])
def test_filters_select(api, filters, found):
    """All filters must match; the order is by creation."""
    ids = fill(api)
    listed = api.ok("ListNamespaces", Filters=filters)
    assert [ns["Id"] for ns in listed["Namespaces"]] == [ids[key] for key in found]
    assert "NextToken" not in listed


@pytest.mark.parametrize("filters", [
    [{"Name": "TYPE", "Values": []}], [{"Name": "NAME", "Values": ["a", "b"]}],
    [{"Name": "TYPE", "Values": ["HTTP", "DNS_PUBLIC"], "Condition": "EQ"}],
    [{"Name": "TYPE", "Values": ["NONSENSE"]}],
    [{"Name": "NAME", "Values": ["a", "b"], "Condition": "BEGINS_WITH"}],
    [{"Name": "NAME", "Values": ["a", "b"], "Condition": "BETWEEN"}],
    [{"Name": "TYPE", "Values": ["HTTP", "HTTP"], "Condition": "BETWEEN"}],
    [{"Name": "HTTP_NAME", "Values": ["a"], "Condition": "IN"}],
    [{"Name": "RESOURCE_OWNER", "Values": ["SELF"], "Condition": "BEGINS_WITH"}],
    [{"Name": "RESOURCE_OWNER", "Values": ["NOBODY"]}],
    [{"Name": "NAME", "Values": ["ok"]}, {"Name": "TYPE", "Values": ["http"]}]])
def test_wrong_filters_are_refused(shared, filters):
    """Number of values, condition, enum value."""
    shared.api.fails("InvalidInput", "ListNamespaces", Filters=filters)


def test_boto3_reads_every_namespace(daemon):
    """The paginator of the SDK, and dates as datetimes."""
    ids = fill(daemon.api)
    client = daemon.boto()
    pages = client.get_paginator("list_namespaces").paginate(PaginationConfig={"PageSize": 1})
    found = [ns for page in pages for ns in page["Namespaces"]]
    assert [ns["Id"] for ns in found] == list(ids.values())
    assert all(ns["CreateDate"].year >= 2024 for ns in found)
