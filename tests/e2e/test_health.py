# SPDX-License-Identifier: BSD-2-Clause
"""Custom health: what it is told, what it tells, what it does to DNS."""

import pytest

import gaz

INIT = "AWS_INIT_HEALTH_STATUS"
ADDRESSES = {"a": "10.0.0.1", "b": "10.0.0.2", "c": "10.0.0.3"}


def statuses(api, service, **members):
    return api.ok("GetInstancesHealthStatus", ServiceId=service, **members)["Status"]


@pytest.fixture
def make(daemon):
    """A service with a custom check and the instances a, b, c."""
    def build(*types, policy="MULTIVALUE", kind="private"):
        api = daemon.api
        service = api.serve(getattr(api, kind)("x.example"), "s", *types, policy=policy,
                            HealthCheckCustomConfig={"FailureThreshold": 3})
        for instance, address in ADDRESSES.items():
            api.register(service, instance, address, AWS_INSTANCE_PORT="80",
                         AWS_INSTANCE_IPV6=f"2001:db8::{address[-1]}",
                         AWS_INSTANCE_CNAME=f"{instance}.test")
        return service
    return build


def test_response_has_no_body(daemon, make):
    """200, zero octets, the request id; both spellings of the service."""
    service = make("A")
    arn = daemon.api.get_service(service)["Arn"]
    for name in (service, arn):
        reply = daemon.api.raw("UpdateInstanceCustomHealthStatus", ServiceId=name,
                               InstanceId="a", Status="UNHEALTHY")
        assert (reply.status, reply.body) == (200, b"")
        assert reply.headers["Content-Length"] == "0" and reply.headers["x-amzn-RequestId"]
    assert statuses(daemon.api, service)["a"] == "UNHEALTHY"
    daemon.boto().update_instance_custom_health_status(ServiceId=service, InstanceId="a",
                                                       Status="HEALTHY")
    assert statuses(daemon.api, service)["a"] == "HEALTHY"


def test_multivalue_leaves_out_the_unhealthy(daemon, make):
    """Until none is healthy: then all answer."""
    service, api = make("A"), daemon.api
    left = dict(ADDRESSES)
    for instance in "ab":
        api.set_health(service, instance, "UNHEALTHY")
        del left[instance]
        assert gaz.texts(daemon.ask("s.x.example")) == sorted(left.values())
    api.set_health(service, "c", "UNHEALTHY")
    assert gaz.texts(daemon.ask("s.x.example")) == sorted(ADDRESSES.values())
    api.set_health(service, "b", "HEALTHY")
    assert gaz.texts(daemon.ask("s.x.example")) == [ADDRESSES["b"]]


@pytest.mark.parametrize("types", [["A"], ["AAAA"], ["CNAME"], ["SRV"], ["A", "AAAA"]])
def test_weighted_chooses_among_the_healthy(daemon, make, types):
    """One at a time, of the healthy ones, or of all."""
    service, api = make(*types, policy="WEIGHTED"), daemon.api

    def seen():
        found = set()
        for rdtype in types:
            for _ in range(60):
                (text,) = gaz.texts(daemon.ask("s.x.example", rdtype))
                found.add((rdtype, text))
        return found

    everything = seen()
    assert len(everything) == 3 * len(types)
    api.set_health(service, "a", "UNHEALTHY")
    assert len(seen()) == 2 * len(types) and seen() < everything
    api.set_health(service, "b", "UNHEALTHY")
    assert len(seen()) == len(types)
    api.set_health(service, "c", "UNHEALTHY")
    assert seen() == everything


def test_addresses_of_srv_targets_ignore_health(daemon, make):
    """The SRV goes, the helper stays."""
    service = make("SRV")
    daemon.api.set_health(service, "a", "UNHEALTHY")
    assert gaz.texts(daemon.ask("s.x.example", "SRV")) == [
        f"1 1 80 {instance}.s.x.example." for instance in "bc"]
    assert gaz.texts(daemon.ask("a.s.x.example", "A")) == ["10.0.0.1"]
    assert gaz.texts(daemon.ask("a.s.x.example", "AAAA")) == ["2001:db8::1"]


def test_eight_of_the_healthy(daemon):
    """Nine healthy, three not: eight of the nine."""
    api = daemon.api
    service = api.serve(api.public("x.example"), "s", "A", HealthCheckCustomConfig={})
    for number in range(12):
        api.register(service, f"i{number}", f"10.0.0.{number}",
                     **{INIT: "UNHEALTHY" if number < 3 else "HEALTHY"})
    seen = set()
    for _ in range(60):
        found = gaz.addresses(daemon.ask("s.x.example"))
        assert len(set(found)) == 8
        seen.update(found)
    assert seen == {f"10.0.0.{number}" for number in range(3, 12)}


def test_initial_status(daemon):
    """HEALTHY unless asked otherwise; registering again starts over."""
    api = daemon.api
    service = api.serve(api.public("x.example"), "s", "A", HealthCheckCustomConfig={})
    api.register(service, "default", "10.0.0.1")
    api.register(service, "good", "10.0.0.2", **{INIT: "HEALTHY"})
    api.register(service, "bad", "10.0.0.3", **{INIT: "UNHEALTHY"})
    assert statuses(api, service) == {"default": "HEALTHY", "good": "HEALTHY",
                                      "bad": "UNHEALTHY"}
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.1", "10.0.0.2"]
    found = api.ok("GetInstance", ServiceId=service, InstanceId="bad")["Instance"]
    assert found["Attributes"][INIT] == "UNHEALTHY"
    api.set_health(service, "bad", "HEALTHY")
    api.set_health(service, "default", "UNHEALTHY")
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.2", "10.0.0.3"]
    api.register(service, "default", "10.0.0.1")
    api.register(service, "bad", "10.0.0.3", **{INIT: "UNHEALTHY"})
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.1", "10.0.0.2"]


def test_health_changes_nothing_else(daemon, make):
    """Neither revision nor attributes nor SOA; the same status again is fine."""
    service, api = make("A", kind="public"), daemon.api

    def all_else():
        return (api.revision("x.example", "s"), api.ok("ListInstances", ServiceId=service),
                api.get_service(service), gaz.texts(daemon.ask("x.example", "SOA")),
                api.ok("ListOperations"))

    before = all_else()
    for status in ("UNHEALTHY", "UNHEALTHY", "HEALTHY", "HEALTHY"):
        api.set_health(service, "a", status)
        assert all_else() == before


@pytest.mark.parametrize("kill", [True, False], ids=["kill", "stop"])
def test_health_survives_a_restart(daemon, make, kill):
    """In the API and in DNS."""
    service = make("A")
    daemon.api.set_health(service, "b", "UNHEALTHY")
    daemon.restart(kill=kill)
    assert statuses(daemon.api, service) == {"a": "HEALTHY", "b": "UNHEALTHY", "c": "HEALTHY"}
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.1", "10.0.0.3"]
    daemon.api.deregister(service, "a")
    daemon.api.set_health(service, "b", "HEALTHY")
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.2", "10.0.0.3"]


def test_deregistering_the_last_healthy_one_opens(daemon, make):
    """Only unhealthy ones are left: they answer."""
    service, api = make("A"), daemon.api
    for instance in "ab":
        api.set_health(service, instance, "UNHEALTHY")
    api.deregister(service, "c")
    assert gaz.texts(daemon.ask("s.x.example")) == ["10.0.0.1", "10.0.0.2"]
    for instance in "ab":
        api.deregister(service, instance)
    assert gaz.rcode(daemon.ask("s.x.example")) == "NXDOMAIN"


def test_errors_and_their_order(api):
    """The service, then its check, then the instance."""
    namespace = api.public("x.example")
    call = "UpdateInstanceCustomHealthStatus"
    members = {"InstanceId": "nosuch", "Status": "HEALTHY"}
    api.fails("ServiceNotFound", call, ServiceId="srv-nosuch", **members)
    for name, config in (("none", {}), ("route53", {"HealthCheckConfig": {"Type": "TCP"}})):
        service = api.serve(namespace, name, "A", **config)
        api.register(service, "i", "10.0.0.1", AWS_INSTANCE_PORT="80")
        api.fails("CustomHealthNotFound", call, ServiceId=service, **members)
        api.fails("CustomHealthNotFound", call, ServiceId=service, InstanceId="i",
                  Status="HEALTHY")
    service = api.serve(namespace, "custom", "A", HealthCheckCustomConfig={})
    assert "nosuch" in api.fails("InstanceNotFound", call, ServiceId=service,
                                 **members)["Message"]


def test_status_of_services_without_a_check(api):
    """UNKNOWN without one; Route 53's counts as passing."""
    namespace = api.public("x.example")
    for name, config, status in (("none", {}, "UNKNOWN"),
                                 ("route53", {"HealthCheckConfig": {"Type": "TCP"}}, "HEALTHY")):
        service = api.serve(namespace, name, "A", **config)
        assert statuses(api, service) == {}
        api.register(service, "i", "10.0.0.1", AWS_INSTANCE_PORT="80")
        assert statuses(api, service) == statuses(api, service, Instances=["i"]) == {"i": status}


def pages(api, service, **members):
    found, token = [], {}
    while True:
        page = api.ok("GetInstancesHealthStatus", ServiceId=service, **members, **token)
        found.append(sorted(page["Status"]))
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_status_of_chosen_instances_and_pages(api):
    """Named ones, doubled ones once, unknown ones fail; pages by id."""
    service = api.serve(api.http("h"), "s", HealthCheckCustomConfig={})
    ids = sorted(f"i{number}" for number in range(7))
    for instance in ids:
        api.attach(service, instance)
    api.set_health(service, "i3", "UNHEALTHY")
    assert statuses(api, service, Instances=["i3", "i1", "i3"]) == {"i1": "HEALTHY",
                                                                    "i3": "UNHEALTHY"}
    api.fails("InstanceNotFound", "GetInstancesHealthStatus", ServiceId=service,
              Instances=["i1", "nosuch"])
    assert pages(api, service) == [ids]
    assert pages(api, service, MaxResults=3) == [ids[:3], ids[3:6], ids[6:]]
    named = [ids[5], ids[0], ids[2], ids[0], ids[3]]
    assert pages(api, service, Instances=named, MaxResults=2) == [
        [ids[0], ids[2]], [ids[3], ids[5]]]
    assert pages(api, service, Instances=ids, MaxResults=7) == [ids]


def test_foreign_tokens_are_refused(api):
    """A token belongs to its call, its service and its list of instances."""
    first = api.serve(api.http("h"), "s")
    second = api.serve(api.http("g"), "s")
    for instance in "abc":
        api.attach(first, instance)
        api.attach(second, instance)
    call = {"ServiceId": first, "MaxResults": 1}
    token = api.ok("GetInstancesHealthStatus", **call)["NextToken"]
    named = api.ok("GetInstancesHealthStatus", **call, Instances=["a", "b"])["NextToken"]
    for wrong in ("x", "!", token + "0"):
        for more in ({}, {"Instances": ["a", "b"]}):
            api.fails("InvalidInput", "GetInstancesHealthStatus", ServiceId=first,
                      NextToken=wrong, **more)
    api.fails("InvalidInput", "GetInstancesHealthStatus", ServiceId=second, NextToken=token)
    api.fails("InvalidInput", "GetInstancesHealthStatus", ServiceId=first, NextToken=named)
    api.fails("InvalidInput", "GetInstancesHealthStatus", ServiceId=first, NextToken=token,
              Instances=["a", "b"])


def test_a_delayed_status_survives_a_kill_and_takes_effect(start):
    """--custom-health-delay: the API and DNS change together, also after kill -9."""
    daemon = start("--custom-health-delay", "1500")
    api = daemon.api
    service = api.serve(api.public("x.example"), "s", "A", HealthCheckCustomConfig={})
    for instance, address in ADDRESSES.items():
        api.register(service, instance, address)
    api.ok("UpdateInstanceCustomHealthStatus", ServiceId=service, InstanceId="a",
           Status="UNHEALTHY")
    daemon.kill()
    daemon.start()
    gaz.until("the status takes effect",
              lambda: statuses(daemon.api, service)["a"] == "UNHEALTHY")
    gaz.until("DNS follows",
              lambda: gaz.texts(daemon.ask("s.x.example", "A")) == ["10.0.0.2", "10.0.0.3"])


def test_a_delayed_status_can_be_called_off(start):
    """By asking for the present status, also where nothing is delayed any more."""
    daemon = start("--custom-health-delay", "3000")
    service = daemon.api.serve(daemon.api.http("h"), "s", HealthCheckCustomConfig={})
    for instance in "abcd":
        daemon.api.attach(service, instance)
        daemon.api.set_health(service, instance, "UNHEALTHY")
    daemon.api.set_health(service, "a", "HEALTHY")
    daemon.options[-1] = "0"
    daemon.restart()
    daemon.api.set_health(service, "b", "HEALTHY")
    daemon.api.set_health(service, "c", "UNHEALTHY")
    assert statuses(daemon.api, service)["c"] == "UNHEALTHY"
    gaz.until("the last one turns",
              lambda: statuses(daemon.api, service)["d"] == "UNHEALTHY")
    assert statuses(daemon.api, service) == {"a": "HEALTHY", "b": "HEALTHY",
                                             "c": "UNHEALTHY", "d": "UNHEALTHY"}
