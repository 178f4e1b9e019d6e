# SPDX-License-Identifier: BSD-2-Clause
"""Instances: their attributes, GetInstance and ListInstances."""

import ipaddress

import pytest

import gaz
from gaz import ACCOUNT, records

IPV4, IPV6 = "AWS_INSTANCE_IPV4", "AWS_INSTANCE_IPV6"
PORT, CNAME = "AWS_INSTANCE_PORT", "AWS_INSTANCE_CNAME"
EC2, INIT = "AWS_EC2_INSTANCE_ID", "AWS_INIT_HEALTH_STATUS"
FULL = {IPV4: "10.0.0.1", IPV6: "2001:db8::1", PORT: "80", CNAME: "t.test"}


def get(api, service, instance="i"):
    return api.ok("GetInstance", ServiceId=service, InstanceId=instance)["Instance"]


def refuse(api, service, attributes, naming=None):
    body = api.fails("InvalidInput", "RegisterInstance", ServiceId=service, InstanceId="i",
                     Attributes=attributes)
    assert naming is None or naming in body["Message"]
    assert api.get_service(service)["InstanceCount"] == 0


@pytest.mark.parametrize("key, value", [
    (IPV4, "0.0.0.0"), (IPV4, "255.255.255.255"), (IPV6, "::"), (IPV6, "::ffff:10.0.0.1"),
    (IPV6, "2001:DB8:0000::0001"), (PORT, "1"), (PORT, "65535"), (PORT, "0080"),
    (CNAME, "a"), (CNAME, "a.b."), (CNAME, ".".join(["x" * 63] * 3 + ["y" * 61])),
    (EC2, "i-0123456789abcdef0"), (EC2, "i-12345678"),
    ("color", ""), ("color", "a b\tc "), ("x" * 255, "y" * 1024), ("AWS_OTHER", "x"),
    ("!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~", "!~ ")])
def test_good_values_come_back_as_sent(api, key, value):
    """Every well-known attribute and custom ones, byte for byte."""
    service = api.serve(api.http("h"), "s")
    api.attach(service, "i", **{key: value})
    found = dict(get(api, service)["Attributes"])
    if key == EC2:
        assert ipaddress.ip_address(found.pop(IPV4)) in ipaddress.ip_network("10.0.0.0/8")
    assert found == {key: value}


@pytest.mark.parametrize("key, values", [
    (IPV4, ["", "10.0.0", "10.0.0.256", "10.0.0.1.1", "::1", "10.0.0.x", "10.0.0.1 "]),
    (IPV6, ["", "10.0.0.1", "fe80::1%eth0", "::g", ":::", "1:2:3", "[::1]", "::1/64"]),
    (PORT, ["", "0", "65536", "-1", "+1", "80 ", "http", "0x50", "8.0", "99999999999999999999"]),
    (CNAME, ["", ".", "a..b", ".a", "x" * 64, ".".join(["x" * 63] * 4) + ".x"]),
    (EC2, ["", "i-", "12345678", "i-xyz", "I-12345678", "ami-12345678"]),
    (INIT, ["", "UNKNOWN", "healthy", "ALL"])])
def test_bad_values_are_refused(api, key, values):
    """Each well-known attribute has its form, and the message names it."""
    service = api.serve(api.http("h"), "s", HealthCheckCustomConfig={})
    for value in values:
        refuse(api, service, {key: value},
               None if value.startswith(" ") else key)


REQUIRED = [(["A"], [{IPV4}]), (["AAAA"], [{IPV6}]), (["A", "AAAA"], [{IPV4, IPV6}]),
            (["SRV"], [{PORT, IPV4}, {PORT, IPV6}, {PORT, IPV4, IPV6}]),
            (["CNAME"], [{CNAME}])]


@pytest.mark.parametrize("types, enough", REQUIRED, ids=["a", "aaaa", "both", "srv", "cname"])
def test_required_attributes(api, types, enough):
    """Each sufficient set is accepted; every set without one of them is refused."""
    service = api.serve(api.public("x.example"), "s", *types, policy="WEIGHTED")
    for number in range(16):
        keys = {key for bit, key in enumerate((IPV4, IPV6, PORT, CNAME)) if number >> bit & 1}
        attributes = {key: FULL[key] for key in keys}
        if any(some <= keys for some in enough):
            api.attach(service, "i", **attributes)
            assert get(api, service)["Attributes"] == attributes
            api.deregister(service, "i")
        else:
            refuse(api, service, attributes, "AWS_INSTANCE_")


def test_route53_health_check_needs_address_and_port(api):
    """In HTTP and public namespaces."""
    http = api.serve(api.http("h"), "s", HealthCheckConfig={"Type": "TCP"})
    for bad in ({}, {IPV4: "10.0.0.1"}, {PORT: "80"}):
        refuse(api, http, bad)
    api.attach(http, "i", **{IPV4: "10.0.0.1", PORT: "80"})
    api.attach(http, "j", **{IPV6: "::1", PORT: "80"})
    public = api.serve(api.public("x.example"), "s", "A", HealthCheckConfig={"Type": "TCP"})
    refuse(api, public, {IPV4: "10.0.0.1"}, PORT)
    api.attach(public, "i", **{IPV4: "10.0.0.1", PORT: "80"})


def test_http_services_require_nothing(api):
    """An empty map will do, in HTTP and in DNS namespaces."""
    for service in (api.serve(api.http("h"), "s"),
                    api.serve(api.public("x.example"), "s", Type="HTTP")):
        api.attach(service, "i")
        assert get(api, service)["Attributes"] == {}


def test_ec2_instances(api):
    """HTTP namespaces only, alone but for the initial health; a stable address."""
    service = api.serve(api.http("h"), "s", HealthCheckCustomConfig={})
    identity = {EC2: "i-0123456789abcdef0"}
    for more in ({IPV4: "10.0.0.1"}, {IPV6: "::1"}, {PORT: "80"}, {CNAME: "t.test"}):
        refuse(api, service, {**identity, **more})
    api.attach(service, "i", **identity, **{INIT: "UNHEALTHY"}, color="red")
    first = get(api, service)["Attributes"]
    assert set(first) == {EC2, INIT, IPV4, "color"}
    api.attach(service, "i", **identity)
    again = get(api, service)["Attributes"]
    assert again == {**identity, IPV4: first[IPV4]}
    api.attach(service, "j", **{EC2: "i-0123456789abcdef1"})
    assert get(api, service, "j")["Attributes"][IPV4] != first[IPV4]
    assert api.discover("h", "s", QueryParameters={IPV4: first[IPV4]}) == ["i"]
    public = api.public("x.example")
    refuse(api, api.serve(public, "a", "A"), {**identity, IPV4: "10.0.0.1"}, EC2)
    refuse(api, api.serve(public, "b", Type="HTTP"), identity, EC2)


def test_configured_ec2_addresses(start):
    """--ec2 gives the address of an id; it stays with the instance afterwards."""
    daemon = start("--ec2", "i-0123456789abcdef0=192.168.7.8", "--ec2", "i-12345678=10.9.9.9")
    api = daemon.api
    service = api.serve(api.http("ec2"), "s")
    wanted = {"i-0123456789abcdef0": "192.168.7.8", "i-12345678": "10.9.9.9"}
    for name, address in wanted.items():
        api.attach(service, name, **{EC2: name})
        assert read(api, service, name) == {EC2: name, IPV4: address}
    api.attach(service, "i-1", **{EC2: "i-1"})
    assert read(api, service, "i-1")[IPV4].startswith("10.")
    del daemon.options[:]
    daemon.restart(kill=True)
    for name, address in wanted.items():
        assert read(daemon.api, service, name)[IPV4] == address


def read(api, service, instance):
    return api.ok("GetInstance", ServiceId=service,
                  InstanceId=instance)["Instance"]["Attributes"]


def test_alias_stands_beside_no_instance_attribute(api):
    """Every AWS_INSTANCE_ key is refused, known or not; others are fine."""
    service = api.serve(api.public("al.example"), "s", "A", policy="WEIGHTED")
    alias = {"AWS_ALIAS_DNS_NAME": "lb.example"}
    for key, value in ((IPV4, "10.0.0.1"), ("AWS_INSTANCE_PORT", "80"),
                       ("AWS_INSTANCE_FUTURE", "x")):
        refuse(api, service, {**alias, key: value}, key)
    api.attach(service, "i", **alias, color="red")


def test_initial_health_needs_a_custom_check(api):
    """Without one it is refused, with Route 53's too."""
    namespace = api.public("x.example")
    refuse(api, api.serve(namespace, "a", "A"), {IPV4: "10.0.0.1", INIT: "HEALTHY"}, INIT)
    refuse(api, api.serve(namespace, "b", "A", HealthCheckConfig={"Type": "TCP"}),
           {IPV4: "10.0.0.1", PORT: "1", INIT: "HEALTHY"}, INIT)


def test_limits(api):
    """30 custom attributes, 5,000 characters in all; well-known ones do not count as custom."""
    service = api.serve(api.http("h"), "s")
    many = {f"k{n:02}": "" for n in range(30)}
    api.attach(service, "i", **many, **FULL)
    api.deregister(service, "i")
    refuse(api, service, {**many, "k30": ""})
    large = {f"k{n}": "x" * 998 for n in range(5)}
    api.attach(service, "i", **large)
    api.deregister(service, "i")
    refuse(api, service, {**large, "k0": "x" * 999})


def test_get_instance_reads_back_whole(api):
    """Every member, and nothing else."""
    service = api.serve(api.public("x.example"), "s", "A")
    api.done("RegisterInstance", ServiceId=service, InstanceId="i", CreatorRequestId="tok",
             Attributes={IPV4: "10.0.0.1", "k": "v"})
    reply = api.ok("GetInstance", ServiceId=api.get_service(service)["Arn"], InstanceId="i")
    instance = {"Id": "i", "CreatorRequestId": "tok", "CreatedByAccount": ACCOUNT,
                "Attributes": {IPV4: "10.0.0.1", "k": "v"}}
    assert reply == {"ResourceOwner": ACCOUNT, "Instance": instance}
    del instance["CreatorRequestId"]
    assert api.ok("ListInstances", ServiceId=service) == {
        "ResourceOwner": ACCOUNT, "Instances": [instance]}
    api.attach(service, "i", **{IPV4: "10.0.0.1"})
    assert get(api, service)["CreatorRequestId"] not in ("", "tok")


def test_upsert_replaces_everything(daemon):
    """Keys that are missing in the new map disappear; the count stays."""
    api = daemon.api
    service = api.serve(api.public("x.example"), "s", "A")
    api.attach(service, "i", **{IPV4: "10.0.0.1", "old": "1", "both": "1"})
    revision = api.revision("x.example", "s")
    api.attach(service, "i", **{IPV4: "10.0.0.2", "both": "2", "new": "2"})
    assert get(api, service)["Attributes"] == {IPV4: "10.0.0.2", "both": "2", "new": "2"}
    assert api.get_service(service)["InstanceCount"] == 1
    assert api.revision("x.example", "s") == revision + 1
    assert gaz.addresses(daemon.ask("s.x.example")) == ["10.0.0.2"]


def test_ids_differ_by_case(api):
    """Identity is case-sensitive, for every call."""
    service = api.serve(api.http("h"), "s", HealthCheckCustomConfig={})
    api.attach(service, "Id", k="1")
    for call in ("GetInstance", "DeregisterInstance"):
        assert "id" in api.fails("InstanceNotFound", call, ServiceId=service,
                                 InstanceId="id")["Message"]
    api.fails("InstanceNotFound", "UpdateInstanceCustomHealthStatus", ServiceId=service,
              InstanceId="id", Status="HEALTHY")
    api.fails("InstanceNotFound", "GetInstancesHealthStatus", ServiceId=service,
              Instances=["id"])
    api.attach(service, "id", k="2")
    assert get(api, service, "Id")["Attributes"] == {"k": "1"}
    assert api.get_service(service)["InstanceCount"] == 2


@pytest.mark.parametrize("call, members", [
    ("GetInstance", {"InstanceId": "i"}), ("ListInstances", {}), ("GetInstancesHealthStatus", {}),
    ("UpdateInstanceCustomHealthStatus", {"InstanceId": "i", "Status": "HEALTHY"})])
@pytest.mark.parametrize("service", [
    "srv-nosuch", f"arn:aws:servicediscovery:us-east-1:{ACCOUNT}:service/srv-nosuch",
    "arn:aws:servicediscovery:us-east-1:111111111111:service/srv-nosuch", "arn:x", ""])
def test_unknown_service(shared, call, members, service):
    """ServiceNotFound, whatever the id looks like."""
    shared.api.fails("ServiceNotFound", call, ServiceId=service, **members)


def listed(api, service, **members):
    found, token = [], {}
    while True:
        page = api.ok("ListInstances", ServiceId=service, **members, **token)
        assert page["ResourceOwner"] == ACCOUNT
        found.append([item["Id"] for item in page["Instances"]])
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_list_is_ordered_and_paged(api):
    """By id, bytewise; full pages; tokens belong to their service."""
    service = api.serve(api.http("h"), "s")
    other = api.serve(api.http("g"), "s")
    ids = sorted(["b", "B", "a", "a/1", "a.1", "a-1", "_", "10", "9", "z" * 64])
    for instance in reversed(ids):
        api.attach(service, instance)
        api.attach(other, instance)
    assert listed(api, service) == [ids]
    assert listed(api, service, MaxResults=3) == [ids[:3], ids[3:6], ids[6:9], ids[9:]]
    assert listed(api, service, MaxResults=5) == [ids[:5], ids[5:]]
    token = api.ok("ListInstances", ServiceId=service, MaxResults=2)["NextToken"]
    api.fails("InvalidInput", "ListInstances", ServiceId=other, NextToken=token)
    api.fails("InvalidInput", "ListServices", NextToken=token)
    api.deregister(service, ids[1])
    api.deregister(service, ids[2])
    rest = api.ok("ListInstances", ServiceId=service, NextToken=token)["Instances"]
    assert [item["Id"] for item in rest] == ids[3:]


def test_default_page_is_a_hundred(api):
    """101 instances: a hundred, then one."""
    service = api.serve(api.http("h"), "s")
    conn = api.connect()
    for number in range(101):
        api.ok("RegisterInstance", conn=conn, ServiceId=service, InstanceId=f"{number:03}",
               Attributes={})
    conn.close()
    assert [len(page) for page in listed(api, service)] == [100, 1]


def test_register_retry_gives_the_same_operation(api):
    """The same token and the same request; another request is another operation."""
    service = api.serve(api.http("h"), "s")
    call = {"ServiceId": service, "InstanceId": "i", "CreatorRequestId": "tok"}
    first = api.done("RegisterInstance", **call, Attributes={"k": "1"})["Id"]
    revision = api.revision("h", "s")
    assert api.ok("RegisterInstance", **call, Attributes={"k": "1"})["OperationId"] == first
    assert api.revision("h", "s") == revision
    second = api.done("RegisterInstance", **call, Attributes={"k": "2"})["Id"]
    assert second != first and get(api, service)["Attributes"] == {"k": "2"}


def test_order_of_attributes_does_not_matter_for_a_retry(api):
    """A map has no order."""
    service = api.serve(api.http("h"), "s")
    call = {"ServiceId": service, "InstanceId": "i", "CreatorRequestId": "tok"}
    first = api.done("RegisterInstance", **call, Attributes={"a": "1", "b": "2"})["Id"]
    assert api.ok("RegisterInstance", **call,
                  Attributes={"b": "2", "a": "1"})["OperationId"] == first


def test_everything_survives_a_restart(daemon):
    """Instances with all they carry."""
    api = daemon.api
    service = api.serve(api.public("x.example"), "s", HealthCheckCustomConfig={},
                        DnsConfig=records("A"))
    api.attach(service, "i", **{IPV4: "10.0.0.1", INIT: "UNHEALTHY", "k": "v w"})
    before = (api.ok("ListInstances", ServiceId=service), get(api, service),
              api.revision("x.example", "s"))
    daemon.restart(kill=True)
    api = daemon.api
    assert before == (api.ok("ListInstances", ServiceId=service), get(api, service),
                      api.revision("x.example", "s"))
