# SPDX-License-Identifier: BSD-2-Clause
"""Everything that was answered is still there after stop, kill -9 and start."""

import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B


def build(api):
    """A little of everything."""
    ids = [api.private("one.example", VPC_A, ttl=7, Description="first",
                       Tags=[{"Key": "k", "Value": "v"}]),
           api.private("one.example", VPC_B, ttl=8), api.public("one.example", ttl=9),
           api.http("one.example"), api.public("gone.example")]
    service = api.service(ids[0], "_http._tcp", ttl=3)
    for number in range(3):
        api.register(service, f"i{number}", f"10.0.0.{number}")
    api.deregister(service, "i1")
    weighted = api.service(ids[2], "w", policy="WEIGHTED", Tags=[{"Key": "s", "Value": ""}])
    api.register(weighted, "i", "10.0.1.1")
    api.done("UpdatePublicDnsNamespace", Id=ids[2], Namespace={
        "Description": "changed", "Properties": {"DnsProperties": {"SOA": {"TTL": 10}}}})
    api.failed("CreatePrivateDnsNamespace", Name="one.example", Vpc=VPC_A)
    api.done("DeleteNamespace", Id=ids.pop())
    api.put_vpc("vpc-stored", "127.0.40.0/24")
    api.private("stored.example", "vpc-stored", ttl=11)
    return ids, [service, weighted]


def sorted_records(section):
    """One line for each record: the order of an answer is random."""
    return sorted(line for rrset in section for line in rrset.to_text().splitlines())


def photograph(daemon, services):
    """Everything that API and DNS tell, as one comparable value."""
    api = daemon.api
    found = {"namespaces": {}, "operations": {}, "dns": {}, "vpcs": api.vpcs()}
    found["list"] = api.ok("ListNamespaces")
    for summary in found["list"]["Namespaces"]:
        found["namespaces"][summary["Id"]] = (api.namespace(summary["Id"]),
                                              api.tags(summary["Arn"]))
    found["order"] = api.ok("ListOperations")
    for operation in found["order"]["Operations"]:
        found["operations"][operation["Id"]] = api.operation(operation["Id"])
    for service in services:
        found[service] = api.ok("GetService", Id=service)["Service"]
        found[service]["tags"] = api.tags(found[service]["Arn"])
    for name in ("one.example", "_tcp.one.example", "_http._tcp.one.example", "w.one.example",
                 "no.one.example", "gone.example", "stored.example"):
        for rdtype in ("SOA", "NS", "A"):
            for source in (IN_A, IN_B, OUTSIDE, "127.0.40.1"):
                reply = daemon.ask(name, rdtype, source=source)
                found["dns"][name, rdtype, source] = (
                    gaz.rcode(reply), reply.flags,
                    sorted_records(reply.answer), sorted_records(reply.authority))
    return found


@pytest.mark.parametrize("kill", [False, True], ids=["stop", "kill"])
def test_restart_changes_nothing(daemon, kill):
    """API, operations, tags, VPCs and every DNS answer are the same, twice."""
    _, services = build(daemon.api)
    before = photograph(daemon, services)
    assert len(before["namespaces"]) == 5 and len(before["operations"]) == 14
    for _ in range(2):
        daemon.restart(kill=kill)
        assert photograph(daemon, services) == before


def test_ids_are_not_reused_after_a_restart(daemon):
    """What is made after a restart is new, and works like before."""
    ids, services = build(daemon.api)
    daemon.restart(kill=True)
    api = daemon.api
    assert api.http("later") not in ids
    api.register(services[0], "i9", "10.0.0.9")
    assert "10.0.0.9" in gaz.addresses(daemon.ask("_http._tcp.one.example"))
    api.deregister(services[0], "i0")
    api.done("DeleteNamespace", Id=ids[1])
    daemon.restart(kill=True)
    assert sorted(gaz.addresses(daemon.ask("_http._tcp.one.example"))) == [
        "10.0.0.2", "10.0.0.9"]
    daemon.api.fails("NamespaceNotFound", "GetNamespace", Id=ids[1])
