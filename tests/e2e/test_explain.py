# SPDX-License-Identifier: BSD-2-Clause
"""gazctl explain: which view, zone, service, instances and rule make an answer."""

import json
import pathlib

import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B

HEALTH = {"HealthCheckCustomConfig": {}}


def explain(daemon, *args):
    """What it says to programs; what it says to people must have the same words."""
    ctl = [gaz.GAZCTL, "--socket", daemon.socket]
    found = json.loads(gaz.run([*ctl, "--json", "explain", *args], daemon.home).stdout)
    text = gaz.run([*ctl, "explain", *args], daemon.home).stdout
    found = found["Explanation"]
    assert found["Name"] in text and found["Reply"]["Rcode"] in text
    for zone in [found.get("Zone"), *found["OtherZones"]]:
        assert zone is None or (zone["Id"] in text and zone["Type"] in text)
    for instance in found.get("Instances", []):
        assert instance["Id"] in text
    return found


def check_reply(daemon, found, name, rdtype="A", source=IN_A, listener=0):
    """The reply of the explanation is the one that DNS gives."""
    reply = daemon.ask(name, rdtype, source=source, listener=listener)
    assert found["Reply"]["Rcode"] == gaz.rcode(reply)
    said = {line.split(" ", 4)[4].lower() for line in found["Reply"]["Answer"]}
    assert said == {record.to_text().lower() for rrset in reply.answer for record in rrset}


def web(api, namespace, *addresses, **more):
    service = api.serve(namespace, "web", "A", **more)
    for number, address in enumerate(addresses, 1):
        api.register(service, f"i{number}", address)
    return service


def test_view_zone_service_and_instances(daemon):
    """Two VPCs with a namespace of the same name: each source gets its own."""
    api = daemon.api
    ids = {vpc: api.private("dev.internal", vpc) for vpc in (VPC_A, VPC_B)}
    services = {VPC_A: web(api, ids[VPC_A], "10.0.0.1", "10.0.0.2"),
                VPC_B: web(api, ids[VPC_B], "10.0.1.1")}
    for vpc, other, source in ((VPC_A, VPC_B, IN_A), (VPC_B, VPC_A, IN_B)):
        found = explain(daemon, "web.dev.internal", "--from", source)
        assert found["Source"]["VpcIds"] == [vpc]
        assert found["Source"]["Rule"] == "PREFIX"
        assert source.rsplit(".", 1)[0] in found["Source"]["Prefix"]
        assert found["Zone"] == {"Id": ids[vpc], "Name": "dev.internal.",
                                 "Type": "DNS_PRIVATE", "VpcId": vpc}
        assert [zone["VpcId"] for zone in found["OtherZones"]] == [other]
        assert found["Match"] == "EXACT" and found["Owner"] == "web.dev.internal."
        assert found["Service"]["Id"] == services[vpc]
        assert not found["FailOpen"]
        assert {i["HealthStatus"] for i in found["Instances"]} == {"UNKNOWN"}
        check_reply(daemon, found, "web.dev.internal", source=source)
    outside = explain(daemon, "web.dev.internal", "--from", OUTSIDE)
    assert outside["Match"] == "NO_ZONE" and "Zone" not in outside
    assert len(outside["OtherZones"]) == 2
    check_reply(daemon, outside, "web.dev.internal", source=OUTSIDE)


def test_health_decides_and_fails_open(daemon):
    """The unhealthy instance may not answer, until no other is healthy."""
    api = daemon.api
    service = web(api, api.public("p.example"), "10.0.0.1", "10.0.0.2", **HEALTH)
    api.set_health(service, "i1", "UNHEALTHY")
    found = explain(daemon, "WEB.p.example", "A")
    assert [(i["Id"], i["Data"], i["HealthStatus"], i["Eligible"])
            for i in found["Instances"]] == [("i1", "10.0.0.1", "UNHEALTHY", False),
                                             ("i2", "10.0.0.2", "HEALTHY", True)]
    check_reply(daemon, found, "web.p.example")
    found = explain(daemon, "web.p.example", "MX")
    assert not found["FailOpen"] and not any(i["Eligible"] for i in found["Instances"])
    api.set_health(service, "i2", "UNHEALTHY")
    found = explain(daemon, "web.p.example")
    assert found["FailOpen"] and all(i["Eligible"] for i in found["Instances"])
    check_reply(daemon, found, "web.p.example")


def test_helper_name_belongs_to_its_service(daemon):
    """The target of an SRV record: its service is the one behind the instance's id."""
    api = daemon.api
    service = api.serve(api.public("p.example"), "db", "SRV")
    api.attach(service, "i1", AWS_INSTANCE_IPV4="10.0.0.1", AWS_INSTANCE_PORT="5432")
    found = explain(daemon, "i1.db.p.example")
    assert found["Service"]["Id"] == service
    found = explain(daemon, "db.p.example", "SRV")
    assert found["Instances"][0]["Data"] == "5432"
    check_reply(daemon, found, "db.p.example", "SRV")


def test_listener_decides_over_the_source(start):
    """What belongs to the listener's VPC, whoever asks."""
    daemon = start(*gaz.VPC_OPTIONS, listen=["127.0.0.1:0", f"127.0.0.1:0={VPC_B}"])
    web(daemon.api, daemon.api.private("dev.internal", VPC_B), "10.0.1.1")
    to = "{}:{}".format(*daemon.dns[1])
    found = explain(daemon, "web.dev.internal", "--from", IN_A, "--to", to)
    assert found["Source"]["Rule"] == "LISTENER"
    assert found["Source"]["VpcIds"] == [VPC_B] and found["Source"]["Listener"] == to
    check_reply(daemon, found, "web.dev.internal", listener=1)


def test_loopback_and_undeclared_vpcs(daemon):
    """A VPC that nobody declared is where loopback is."""
    web(daemon.api, daemon.api.private("dev.internal", "vpc-unknown"), "10.0.0.1")
    found = explain(daemon, "web.dev.internal")
    assert found["Source"]["Rule"] == "UNDECLARED_VPCS"
    assert found["Zone"]["VpcId"] == "vpc-unknown"


def test_what_a_static_zone_has_for_a_name(home, start):
    """Every kind of match."""
    zones = pathlib.Path(home) / "zones"
    zones.mkdir()
    (zones / "static.example.zone").write_text("""
$TTL 60
@ SOA ns hostmaster 1 2 3 4 5
@ NS ns
ns A 192.0.2.1
a.b A 192.0.2.2
*.w A 192.0.2.3
sub NS ns.elsewhere.example.
d DNAME target.example.
c CNAME ns
""")
    daemon = start("--zones", str(zones))
    for name, match, owner in (
            ("ns", "EXACT", "ns"), ("b", "EMPTY_NON_TERMINAL", "b"),
            ("no", "MISSING", "no"), ("x.w", "WILDCARD", "*.w"),
            ("x.sub", "DELEGATION", "sub"), ("x.d", "DNAME", "d")):
        found = explain(daemon, f"{name}.static.example")
        assert (found["Match"], found["Owner"]) == (match, f"{owner}.static.example.")
        assert found["Zone"]["Type"] == "STATIC" and "Service" not in found
        check_reply(daemon, found, f"{name}.static.example")
    assert explain(daemon, "c.static.example")["Cname"] == "ns.static.example."


def test_namespace_of_another_region(daemon):
    """Its zone is told; its service is that region's."""
    west = daemon.api.at(region="eu-west-1")
    web(west, west.public("p.example"), "10.0.0.1")
    found = explain(daemon, "web.p.example")
    assert found["Zone"]["Type"] == "DNS_PUBLIC" and "Service" not in found
    ctl = [gaz.GAZCTL, "--socket", daemon.socket, "--region", "eu-west-1", "--json"]
    found = json.loads(gaz.run([*ctl, "explain", "web.p.example"], daemon.home).stdout)
    assert found["Explanation"]["Service"]["Name"] == "web"


@pytest.mark.parametrize("args,word", [
    (["bad..name"], "domain name"),
    (["a.example", "NOTYPE"], "type of records"),
    (["a.example", "--from", "somewhere"], "From"),
    (["a.example", "--to", "nowhere"], "To"),
    (["a.example", "--to", "127.0.0.1:1"], "no listener"),
])
def test_errors_say_what_is_wrong(daemon, args, word):
    """In the terms of the request."""
    done = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "explain", *args], daemon.home,
                   1)
    assert "InvalidInput" in done.stderr and word in done.stderr
