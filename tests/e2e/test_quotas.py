# SPDX-License-Identifier: BSD-2-Clause
"""Resource quotas, per account and region."""

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
