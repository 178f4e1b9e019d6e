# SPDX-License-Identifier: BSD-2-Clause
"""Everything that was answered is still there after stop, kill -9 and start."""

import contextlib
import http.client
import json
import os
import random
import threading
import time

import pytest

import gaz
from gaz import IN_A, IN_B, OUTSIDE, VPC_A, VPC_B

ROUNDS = int(os.environ.get("GAZ_STORM_ROUNDS", "200"))
LOST = (OSError, http.client.HTTPException, json.JSONDecodeError)


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


class Subject:
    """One namespace name in the storm: what was acknowledged, what may be."""

    def __init__(self, number):
        self.name = f"s{number}.example"
        self.now = None  # the acknowledged state; None: no such namespace
        self.pending = []  # the state that an unanswered call may have led to
        self.id = self.arn = self.service_id = None
        self.started = None  # an answered operation whose end was not seen yet
        self.acknowledged = []  # operation ids

    def choose(self, rng):
        """The next call: (operation, members, state after it)."""
        now, value = self.now, rng.randrange(1, 10 ** 6)
        if now is None:
            state = {"ttl": value, "description": f"d{value}", "tags": {"a": f"{value}"},
                     "service": None, "ip": None}
            return "CreatePublicDnsNamespace", {
                "Name": self.name, "Description": state["description"],
                "Tags": [{"Key": "a", "Value": f"{value}"}],
                "Properties": {"DnsProperties": {"SOA": {"TTL": value}}}}, state
        calls = ["update", "tag"]
        calls += ["register"] * 2 if now["service"] else ["service", "delete"]
        if now["service"]:
            calls.append("deregister" if now["ip"] else "drop")
        return getattr(self, "_" + rng.choice(calls))(now, value)

    def _update(self, now, value):
        change = {"Description": f"d{value}",
                  "Properties": {"DnsProperties": {"SOA": {"TTL": value}}}}
        return "UpdatePublicDnsNamespace", {"Id": self.id, "Namespace": change}, {
            **now, "ttl": value, "description": f"d{value}"}

    def _tag(self, now, value):
        pair = {"t": f"{value}", "u": f"{value}"}
        return "TagResource", {"ResourceARN": self.arn, "Tags": [
            {"Key": key, "Value": text} for key, text in pair.items()]}, {
                **now, "tags": {**now["tags"], **pair}}

    def _service(self, now, value):
        return "CreateService", self.service_members(f"token{value}"), {
            **now, "service": f"token{value}"}

    def service_members(self, token):
        return {"Name": "svc", "NamespaceId": self.id, "CreatorRequestId": token,
                "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 5}]}}

    def _drop(self, now, _):
        return "DeleteService", {"Id": self.service_id}, {**now, "service": None}

    def _register(self, now, value):
        address = f"10.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
        return "RegisterInstance", {
            "ServiceId": self.service_id, "InstanceId": "i",
            "Attributes": {"AWS_INSTANCE_IPV4": address}}, {**now, "ip": address}

    def _deregister(self, now, _):
        return "DeregisterInstance", {"ServiceId": self.service_id, "InstanceId": "i"}, {
            **now, "ip": None}

    def _delete(self, _, __):
        return "DeleteNamespace", {"Id": self.id}, None

    def step(self, api, conn, rng):
        """One call, recorded before it is sent and again when it is answered."""
        operation, members, after = self.choose(rng)
        self.pending = [after]
        answer = api.ok(operation, conn=conn, **members)
        if "OperationId" in answer:
            self.started = answer["OperationId"]
            self.acknowledged.append(self.started)
            gaz.until("the end of the operation", lambda: api.ok(
                "GetOperation", conn=conn, OperationId=self.started)["Operation"]["Status"]
                      == "SUCCESS")
        self.now, self.pending, self.started = after, [], None
        if operation == "CreateService":
            self.service_id = answer["Service"]["Id"]
        if operation == "CreatePublicDnsNamespace":
            self.learn(api, conn)

    def learn(self, api, conn=None):
        """Find the namespace by its name; gives its summary or None."""
        found = api.ok("ListNamespaces", conn=conn, Filters=[
            {"Name": "NAME", "Values": [self.name]}])["Namespaces"]
        assert len(found) <= 1, found
        if found:
            self.id, self.arn = found[0]["Id"], found[0]["Arn"]
        return found[0] if found else None

    def observe(self, daemon):
        """The state as API and DNS show it, which must agree."""
        api, summary = daemon.api, self.learn(daemon.api)
        soa = daemon.ask(self.name, "SOA")
        if summary is None:
            assert gaz.rcode(soa) == "REFUSED", f"{self.name} is half there:\n{soa}"
            return None
        whole = api.namespace(self.id)
        ttl = whole["Properties"]["DnsProperties"]["SOA"]["TTL"]
        assert soa.answer[0].ttl == ttl
        token = None
        if summary["ServiceCount"]:
            # Known only when the call was answered: its token finds it again.
            token = next(state["service"] for state in [*self.pending, self.now]
                         if state and state["service"])
            service = api.ok("CreateService", **self.service_members(token))["Service"]
            assert api.namespace(self.id)["ServiceCount"] == 1
            self.service_id = service["Id"]
        reply = daemon.ask(f"svc.{self.name}")
        address = gaz.addresses(reply)[0] if reply.answer else None
        assert gaz.rcode(reply) == ("NOERROR" if address else "NXDOMAIN")
        if token:
            count = api.ok("GetService", Id=self.service_id)["Service"]["InstanceCount"]
            assert count == (1 if address else 0)
        return {"ttl": ttl, "description": whole["Description"], "tags": api.tags(self.arn),
                "service": token, "ip": address}

    def settle(self, daemon):
        """After a restart: what is there was acknowledged, or is the last call whole."""
        if self.started:
            self.now, self.pending, self.started = self.pending[0], [], None
        found = self.observe(daemon)
        assert found in [self.now, *self.pending], (
            f"{self.name}: found {found}, acknowledged {self.now}, maybe {self.pending}")
        self.now, self.pending = found, []


def storm(daemon, subjects, seed, stop):
    """One client: random calls on its own names until the daemon is gone."""
    rng, conn = random.Random(seed), daemon.api.connect()
    try:
        while not stop.is_set():
            rng.choice(subjects).step(daemon.api, conn, rng)
    except LOST:
        pass
    finally:
        conn.close()


@pytest.mark.parametrize("delay, rounds", [(0, ROUNDS), (15, ROUNDS // 4)])
def test_storm_of_kills_loses_nothing(start, delay, rounds):
    """Rounds of create, update and delete with kill -9 at random moments, operations
    ending at once or later."""
    seed = random.randrange(10 ** 9)
    print(f"storm seed {seed}")
    rng = random.Random(seed)
    daemon = start("--operation-delay", str(delay))
    subjects = [Subject(number) for number in range(6)]
    for number in range(rounds):
        stop, crowd = threading.Event(), gaz.Crowd()
        for half in (subjects[:3], subjects[3:]):
            crowd.add(storm, daemon, half, rng.random(), stop)
        time.sleep(rng.uniform(0, 0.06))  # the random moment
        daemon.kill()
        crowd.join()
        daemon.start()
        check_operations(daemon, subjects, every=number == rounds - 1)
        for subject in subjects:
            subject.settle(daemon)
        assert len(daemon.api.ok("ListNamespaces")["Namespaces"]) == sum(
            subject.now is not None for subject in subjects)
    changes = sum(len(subject.acknowledged) for subject in subjects)
    print(f"{changes} operations in {rounds} rounds")
    assert changes > rounds, "the storm did not blow"


def check_operations(daemon, subjects, every):
    """Acknowledged operations are there, and all end by themselves."""
    with contextlib.closing(daemon.api.connect()) as conn:
        gaz.until("the end of every operation", lambda: not daemon.api.ok(
            "ListOperations", conn=conn, Filters=[
                {"Name": "STATUS", "Values": ["SUBMITTED", "PENDING"], "Condition": "IN"}]
        )["Operations"])
        for subject in subjects:
            wanted = subject.acknowledged if every else subject.acknowledged[-3:]
            for operation in wanted:
                found = daemon.api.ok("GetOperation", conn=conn, OperationId=operation)
                assert found["Operation"]["Status"] == "SUCCESS", found
        failed = daemon.api.ok("ListOperations", conn=conn, Filters=[
            {"Name": "STATUS", "Values": ["FAIL"]}])
        assert failed["Operations"] == []
