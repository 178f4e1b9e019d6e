# SPDX-License-Identifier: BSD-2-Clause
"""Resource quotas, per account and region."""

import pytest

import gaz


def test_fifty_namespaces_are_the_default(api):
    """The 51st create is refused; a deletion makes room."""
    ids = [api.http(f"n{number}") for number in range(50)]
    for call, members in (("CreateHttpNamespace", {}),
                          ("CreatePrivateDnsNamespace", {"Vpc": "vpc-1"}),
                          ("CreatePublicDnsNamespace", {})):
        body = api.fails("ResourceLimitExceeded", call, Name="more.example", **members)
        assert "namespaces" in body["Message"]
    assert len(api.ok("ListOperations", MaxResults=100)["Operations"]) == 50
    api.done("DeleteNamespace", Id=ids[7])
    api.http("more.example")
    api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="again")


def test_namespace_quota_is_per_region_and_account(start):
    """Another region or account has its own count."""
    api = start("--quota", "namespaces=1").api
    api.http("one")
    api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="two")
    api.at(region="eu-west-1").http("two")
    api.at(key="123456789012").http("two")


def test_conflict_is_found_before_the_quota(start):
    """A name that exists is NamespaceAlreadyExists even when nothing more fits."""
    api = start("--quota", "namespaces=1").api
    api.http("one")
    api.fails("NamespaceAlreadyExists", "CreateHttpNamespace", Name="one")


def test_pending_creates_count(start):
    """A namespace that is being created takes its place at once."""
    api = start("--quota", "namespaces=1", "--operation-delay", "3600000").api
    api.ok("CreateHttpNamespace", Name="one")
    api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="two")


def test_failed_create_gives_its_place_back(start):
    """A failed operation holds nothing."""
    api = start(*gaz.VPC_OPTIONS, "--quota", "namespaces=2").api
    api.private("p.example")
    api.failed("CreatePrivateDnsNamespace", Name="p.example", Vpc=gaz.VPC_A)
    api.http("second")
    api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="third")


def test_services_per_namespace(start):
    """Of each namespace; a retry of the one that fitted is answered."""
    api = start("--quota", "services-per-namespace=1").api
    one, two = api.http("one"), api.http("two")
    service = api.serve(one, "s", CreatorRequestId="token")
    body = api.fails("ResourceLimitExceeded", "CreateService", Name="t", NamespaceId=one)
    assert "services" in body["Message"]
    assert api.serve(one, "s", CreatorRequestId="token") == service
    api.serve(two, "s")
    api.ok("DeleteService", Id=service)
    api.serve(one, "t")


def test_instances_per_service(start):
    """Refused beyond the quota; a replacement of an existing one is not."""
    daemon = start("--quota", "instances-per-service=2")
    api = daemon.api
    namespace = api.public("q.example")
    service, other = api.service(namespace, "s"), api.service(namespace, "t")
    api.register(service, "a", "10.0.0.1")
    api.register(service, "b", "10.0.0.2")
    api.fails("ResourceLimitExceeded", "RegisterInstance", ServiceId=service, InstanceId="c",
              Attributes={"AWS_INSTANCE_IPV4": "10.0.0.3"})
    api.register(service, "b", "10.0.0.4")
    api.register(other, "c", "10.0.0.5")
    assert sorted(gaz.addresses(daemon.ask("s.q.example"))) == ["10.0.0.1", "10.0.0.4"]
    api.deregister(service, "a")
    api.register(service, "c", "10.0.0.3")


def test_instances_per_namespace(start):
    """Counted over all services of the namespace."""
    api = start("--quota", "instances-per-namespace=2").api
    namespace = api.public("q.example")
    service, other = api.service(namespace, "s"), api.service(namespace, "t")
    api.register(service, "a", "10.0.0.1")
    api.register(other, "a", "10.0.0.2")
    for target in (service, other):
        api.fails("ResourceLimitExceeded", "RegisterInstance", ServiceId=target,
                  InstanceId="b", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.3"})
    api.register(service, "a", "10.0.0.9")
    away = api.service(api.public("r.example"), "s")
    api.register(away, "b", "10.0.0.3")


def test_quotas_hold_after_a_restart(start):
    """Counted from the store, not from memory."""
    daemon = start("--quota", "namespaces=2", "--quota", "instances-per-service=1")
    service = daemon.api.service(daemon.api.public("q.example"), "s")
    daemon.api.register(service, "a", "10.0.0.1")
    daemon.api.http("second")
    daemon.restart(kill=True)
    daemon.api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="third")
    daemon.api.fails("ResourceLimitExceeded", "RegisterInstance", ServiceId=service,
                     InstanceId="b", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.3"})


def colors(count):
    return {f"color{number}": "red" for number in range(count)}


@pytest.mark.parametrize("limit, good, bad", [(None, 30, 31), (2, 2, 3), (0, 60, None)])
def test_custom_attributes_per_instance(start, limit, good, bad):
    """Thirty by default; 0 means none; AWS's own attributes do not count."""
    options = [] if limit is None else ["--quota", f"attributes-per-instance={limit}"]
    api = start(*options).api
    service = api.service(api.public("q.example"), "s")
    api.register(service, "a", "10.0.0.1", **colors(good))
    if bad:
        body = api.fails("InvalidInput", "RegisterInstance", ServiceId=service,
                         InstanceId="b",
                         Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1", **colors(bad)})
        assert str(good) in body["Message"]


@pytest.mark.parametrize("limit, good", [(None, 30), (2, 2), (0, None)])
def test_attributes_per_service(start, limit, good):
    """Of all calls together; one call carries thirty at most."""
    options = [] if limit is None else ["--quota", f"attributes-per-service={limit}"]
    api = start(*options).api
    service = api.service(api.public("q.example"), "s")
    api.ok("UpdateServiceAttributes", ServiceId=service, Attributes=colors(good or 30))
    call = {"ServiceId": service, "Attributes": {"one": "more"}}
    if good:
        api.fails("ServiceAttributesLimitExceededException", "UpdateServiceAttributes", **call)
    else:
        api.ok("UpdateServiceAttributes", **call)


@pytest.mark.parametrize("limit, good", [(None, 50), (1, 1), (0, None)])
def test_tags_per_resource(start, limit, good):
    """On creation and afterwards."""
    def tags(count):
        return [{"Key": f"k{number}", "Value": "v"} for number in range(count)]

    options = [] if limit is None else ["--quota", f"tags-per-resource={limit}"]
    api = start(*options).api
    arn = api.namespace(api.http("q", Tags=tags(good or 199)))["Arn"]
    call = {"ResourceARN": arn, "Tags": [{"Key": "one more", "Value": ""}]}
    if not good:
        api.ok("TagResource", **call)
        return
    body = api.fails("TooManyTagsException", "TagResource", **call)
    assert body["ResourceName"] == arn
    api.fails("TooManyTagsException", "CreateHttpNamespace", Name="r", Tags=tags(good + 1))
