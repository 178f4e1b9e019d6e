# SPDX-License-Identifier: BSD-2-Clause
"""Which namespaces of one name may live side by side, and who gets the HttpName."""

import re

import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B

CALLS = {
    "http": ("CreateHttpNamespace", {}),
    "private": ("CreatePrivateDnsNamespace", {"Vpc": VPC_A}),
    "private-b": ("CreatePrivateDnsNamespace", {"Vpc": VPC_B}),
    "public": ("CreatePublicDnsNamespace", {})}


def make(api, kind, name="same.example", **more):
    call, members = CALLS[kind]
    return api.done(call, Name=name, **members, **more)["Targets"]["NAMESPACE"]


@pytest.mark.parametrize("old", CALLS)
@pytest.mark.parametrize("new", CALLS)
def test_each_pair_of_types(api, old, new):
    """The whole table: allowed with a hashed HttpName, refused, or failing later."""
    first = make(api, old, CreatorRequestId="first-token")
    call, members = CALLS[new]
    if old == new and old in ("http", "public"):
        body = api.fails("NamespaceAlreadyExists", call, Name="same.example", **members)
        assert body["NamespaceId"] == first
        assert body["CreatorRequestId"] == "first-token"
        assert "same.example" in body["Message"]
        found = 1
    elif old == new:
        ended = api.failed(call, Name="same.example", **members)
        assert ended["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE"
        assert "ConflictingDomainExists" in ended["ErrorMessage"]
        zone = api.namespace(first)["Properties"]["DnsProperties"]["HostedZoneId"]
        assert zone in ended["ErrorMessage"]
        found = 1
    else:
        second = api.namespace(make(api, new))
        assert second["Name"] == "same.example"
        http_name = second["Properties"]["HttpProperties"]["HttpName"]
        assert re.match(r"^same\.example-[a-z2-7]{8}$", http_name)
        found = 2
    assert len(api.ok("ListNamespaces")["Namespaces"]) == found
    assert api.namespace(first)["Properties"]["HttpProperties"] == {
        "HttpName": "same.example"}


def test_http_names_differ_by_case(api):
    """HTTP namespaces have case-sensitive identity."""
    assert make(api, "http", "Case") != make(api, "http", "case")


@pytest.mark.parametrize("kind", ["private", "public"])
def test_dns_names_do_not_differ_by_case(api, kind):
    """Zones do not."""
    make(api, kind, "case.example")
    call, members = CALLS[kind]
    if kind == "public":
        api.fails("NamespaceAlreadyExists", call, Name="CASE.Example", **members)
    else:
        api.failed(call, Name="CASE.Example", **members)


def test_trailing_dot_is_the_same_private_zone(api):
    """'a.b' and 'a.b.' are one DNS name."""
    make(api, "private", "dot.example")
    ended = api.failed("CreatePrivateDnsNamespace", Name="dot.example.", Vpc=VPC_A)
    assert "ConflictingDomainExists" in ended["ErrorMessage"]


@pytest.mark.parametrize("parent, child", [("private", "private"), ("public", "public"),
                                           ("private", "public"), ("public", "private")])
def test_parent_and_child_never_conflict(api, parent, child):
    """In either order of creation."""
    make(api, parent, "example.com")
    make(api, child, "a.example.com")
    make(api, parent, "z.y.example.com")
    make(api, child, "y.example.com")


def test_hashed_http_name_stays_when_its_owner_goes(api):
    """HttpName never changes; the free name goes to the next comer."""
    first, second = make(api, "http"), make(api, "public")
    hashed = api.namespace(second)["Properties"]["HttpProperties"]["HttpName"]
    api.done("DeleteNamespace", Id=first)
    assert api.namespace(second)["Properties"]["HttpProperties"]["HttpName"] == hashed
    third = api.namespace(make(api, "http"))
    assert third["Properties"]["HttpProperties"]["HttpName"] == "same.example"
    found = api.ok("ListNamespaces", Filters=[{"Name": "HTTP_NAME", "Values": [hashed]}])
    assert [ns["Id"] for ns in found["Namespaces"]] == [second]


def test_hashed_http_name_of_the_longest_dns_name(api):
    """The hash is appended; a DNS name always leaves room for it."""
    private = api.namespace(api.private(".".join(["y" * 63] * 3 + ["y" * 61]), VPC_A))
    assert len(private["Properties"]["HttpProperties"]["HttpName"]) == 253
    other = api.namespace(api.private(".".join(["y" * 63] * 3 + ["y" * 61]), VPC_B))
    assert len(other["Properties"]["HttpProperties"]["HttpName"]) == 253 + 9


def test_failed_create_releases_its_http_name(api):
    """The name that a failed private create had reserved is free again."""
    api.private("r.example")
    ended = api.failed("CreatePrivateDnsNamespace", Name="r.example", Vpc=VPC_A)
    assert ended["Status"] == "FAIL"
    names = {api.namespace(make(api, kind, "r.example"))
             ["Properties"]["HttpProperties"]["HttpName"] for kind in ("http", "public")}
    assert len(names) == 2 and "r.example" not in names


def test_same_private_name_in_two_vpcs_has_two_zones(daemon):
    """Each VPC sees its own data."""
    api = daemon.api
    for vpc, ttl in ((VPC_A, 11), (VPC_B, 22)):
        api.private("twin.example", vpc, ttl=ttl)
    assert daemon.ask("twin.example", "SOA", source=IN_A).answer[0].ttl == 11
    assert daemon.ask("twin.example", "SOA", source=IN_B).answer[0].ttl == 22
    assert gaz.rcode(daemon.ask("twin.example", "SOA", source=OUTSIDE)) == "REFUSED"


def test_boto3_sees_the_existing_namespace(daemon):
    """The modelled class with its extra members."""
    client = daemon.boto()
    first = daemon.api.http("n", CreatorRequestId="tok")
    try:
        client.create_http_namespace(Name="n")
        raise AssertionError("a second namespace of that name")
    except client.exceptions.NamespaceAlreadyExists as error:
        assert error.response["NamespaceId"] == first
        assert error.response["CreatorRequestId"] == "tok"
