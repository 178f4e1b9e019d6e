# SPDX-License-Identifier: BSD-2-Clause
"""kill -9 at random moments, a thousand times, under a load of every mutating operation:
what was answered is there, what was not is there whole or not at all, DNS shows what the
API shows, and the store has no fault."""

import contextlib
import copy
import http.client
import json
import os
import random
import threading
import time

import pytest

import gaz
from gaz import IN_A, VPC_A

IS_SANITIZED = "\nSAN_CFLAGS = -f" in (gaz.BUILD / "Makefile").read_text(encoding="utf-8")
ROUNDS = int(os.environ.get("GAZ_STORM_ROUNDS", "100" if IS_SANITIZED else "1000"))
SEED = int(os.environ.get("GAZ_STORM_SEED", random.randrange(10 ** 9)))
CHECK_EVERY = 5  # rounds from one --check-store to the next
LOOK_EVERY = 25  # rounds from one look at everything to the next
LOST = (OSError, http.client.HTTPException, json.JSONDecodeError)
INSTANCES = [f"i{number}" for number in range(6)]  # all of them fit into one answer
SERVICES = ["web", "_api._tcp"]


class Subject:
    """One namespace name: its acknowledged state, and that which a call without an
    answer may have led to. A state is None (there is no such namespace) or plain data."""

    def __init__(self, number):
        self.kind = ("Public", "Private", "Http")[number % 3]
        self.name = f"s{number}.example"
        self.now = None
        self.after = None  # in doubt, or on its way
        self.in_doubt = self.is_started = False
        self.id = self.arn = None
        self.services = {}  # name -> (id, ARN)
        self.call = None  # the last one: (operation, members)
        self.operation = None  # the last one that was answered
        self.calls = 0

    @property
    def has_dns(self):
        return self.kind != "Http"

    # ---- choosing a call: it gives (operation, members), and changes self.after

    def choose(self, rng):
        self.after = copy.deepcopy(self.now)
        value = rng.randrange(1, 10 ** 6)
        if self.now is None:
            return self.create(value)
        calls = [self.update, self.tag, self.untag]
        absent = [name for name in SERVICES if name not in self.now["services"]]
        calls += [lambda v: self.create_service(rng.choice(absent), v)] if absent else []
        if not self.now["services"]:
            calls.append(self.delete)
        else:
            name = rng.choice(sorted(self.now["services"]))
            calls += [lambda v, c=call: c(name, v, rng) for call in (
                self.register, self.register, self.deregister, self.health, self.attributes,
                self.forget_attributes, self.drop_or_update)]
        return rng.choice(calls)(value)

    def create(self, value):
        self.after = {"description": f"d{value}", "ttl": value if self.has_dns else None,
                      "tags": {"a": f"{value}"}, "services": {}}
        members = {"Name": self.name, "Description": f"d{value}",
                   "Tags": [{"Key": "a", "Value": f"{value}"}]}
        if self.has_dns:
            members["Properties"] = {"DnsProperties": {"SOA": {"TTL": value}}}
        if self.kind == "Private":
            members["Vpc"] = VPC_A
        return f"Create{self.kind}{'Dns' if self.has_dns else ''}Namespace", members

    def update(self, value):
        change = {"Description": f"d{value}"}
        self.after["description"] = f"d{value}"
        if self.has_dns:
            change["Properties"] = {"DnsProperties": {"SOA": {"TTL": value}}}
            self.after["ttl"] = value
        return f"Update{self.kind}{'Dns' if self.has_dns else ''}Namespace", {
            "Id": self.id, "Namespace": change}

    def delete(self, _):
        self.after = None
        return "DeleteNamespace", {"Id": self.id}

    def tagged(self, value):
        """The namespace, or one of its services."""
        names = [None, *self.services] if self.now["services"] else [None]
        name = names[value % len(names)]
        if name is None or name not in self.after["services"]:
            return self.arn, self.after
        return self.services[name][1], self.after["services"][name]

    def tag(self, value):
        arn, state = self.tagged(value)
        state["tags"].update({"t": f"{value}", "u": f"{value}"})
        return "TagResource", {"ResourceARN": arn, "Tags": [
            {"Key": key, "Value": f"{value}"} for key in "tu"]}

    def untag(self, value):
        arn, state = self.tagged(value)
        state["tags"].pop("t", None)
        return "UntagResource", {"ResourceARN": arn, "TagKeys": ["t"]}

    def create_service(self, name, value):
        self.after["services"][name] = {
            "description": f"s{value}", "ttl": value if self.has_dns else None,
            "tags": {"b": f"{value}"}, "attributes": {}, "instances": {}}
        members = {"Name": name, "NamespaceId": self.id, "Description": f"s{value}",
                   "HealthCheckCustomConfig": {"FailureThreshold": 1},
                   "Tags": [{"Key": "b", "Value": f"{value}"}]}
        if self.has_dns:
            members["DnsConfig"] = {"DnsRecords": [{"Type": "A", "TTL": value}]}
        return "CreateService", members

    def drop_or_update(self, name, value, _):
        service, service_id = self.after["services"][name], self.services[name][0]
        if not service["instances"]:
            del self.after["services"][name]
            return "DeleteService", {"Id": service_id}
        if not self.has_dns:
            return self.attributes(name, value, _)
        service["description"] = f"s{value}"
        change = {"Description": f"s{value}"}
        service["ttl"] = None if value % 4 == 0 else value
        if service["ttl"]:
            change["DnsConfig"] = {"DnsRecords": [{"Type": "A", "TTL": value}]}
        return "UpdateService", {"Id": service_id, "Service": change}

    def register(self, name, value, rng):
        address = f"10.{value >> 16 & 255}.{value >> 8 & 255}.{value & 255}"
        instance = rng.choice(INSTANCES)
        self.after["services"][name]["instances"][instance] = [address, "HEALTHY"]
        # With a token of its own: the same request once more would start nothing.
        return "RegisterInstance", {
            "ServiceId": self.services[name][0], "InstanceId": instance,
            "CreatorRequestId": f"{value}-{self.calls}",
            "Attributes": {"AWS_INSTANCE_IPV4": address}}

    def deregister(self, name, value, rng):
        instances = self.after["services"][name]["instances"]
        if not instances:
            return self.register(name, value, rng)
        instance = rng.choice(sorted(instances))
        del instances[instance]
        return "DeregisterInstance", {"ServiceId": self.services[name][0],
                                      "InstanceId": instance}

    def health(self, name, value, rng):
        instances = self.after["services"][name]["instances"]
        if not instances:
            return self.register(name, value, rng)
        instance = rng.choice(sorted(instances))
        status = ("HEALTHY", "UNHEALTHY")[value % 2]
        instances[instance][1] = status
        return "UpdateInstanceCustomHealthStatus", {
            "ServiceId": self.services[name][0], "InstanceId": instance, "Status": status}

    def attributes(self, name, value, _):
        self.after["services"][name]["attributes"][f"k{value % 5}"] = f"{value}"
        return "UpdateServiceAttributes", {"ServiceId": self.services[name][0],
                                           "Attributes": {f"k{value % 5}": f"{value}"}}

    def forget_attributes(self, name, value, _):
        self.after["services"][name]["attributes"].pop(f"k{value % 5}", None)
        return "DeleteServiceAttributes", {"ServiceId": self.services[name][0],
                                           "Attributes": [f"k{value % 5}"]}

    # ---- calling

    def step(self, api, conn, rng):
        """One call, in doubt from before it is sent until it is answered, and one that
        starts an operation until that has ended."""
        operation, members = self.choose(rng)
        self.in_doubt, self.call = True, (operation, members)
        answer = api.ok(operation, conn=conn, **members)
        self.in_doubt, self.is_started = False, True
        self.calls += 1
        if answer and "OperationId" in answer:
            self.operation = answer["OperationId"]
            gaz.until("the end of the operation", lambda: api.ok(
                "GetOperation", conn=conn, OperationId=self.operation)["Operation"]["Status"]
                      == "SUCCESS")
        elif operation == "UpdateInstanceCustomHealthStatus":
            gaz.until("the health to turn", lambda: api.ok(
                "GetInstancesHealthStatus", conn=conn, ServiceId=members["ServiceId"])[
                    "Status"][members["InstanceId"]] == members["Status"])
        self.now, self.is_started = self.after, False
        if operation == "CreateService":
            service = answer["Service"]
            self.services[service["Name"]] = (service["Id"], service["Arn"])
        elif self.now and not self.id:
            self.look(api, conn)
        elif self.now is None:
            self.id, self.arn, self.services = None, None, {}

    # ---- looking

    def look(self, api, conn):
        """The state as the API has it; learns the ids."""
        self.id, self.arn, self.services = None, None, {}
        found = api.ok("ListNamespaces", conn=conn, Filters=[
            {"Name": "NAME", "Values": [self.name]}])["Namespaces"]
        assert len(found) <= 1, found
        if not found:
            return None
        namespace = found[0]
        self.id, self.arn = namespace["Id"], namespace["Arn"]
        ttl = namespace["Properties"].get("DnsProperties", {}).get("SOA", {}).get("TTL")
        services = api.ok("ListServices", conn=conn, Filters=[
            {"Name": "NAMESPACE_ID", "Values": [self.id]}])["Services"]
        assert namespace["ServiceCount"] == len(services)
        return {"description": namespace["Description"], "ttl": ttl,
                "tags": tags_of(api, conn, self.arn),
                "services": {service["Name"]: self.look_at(service, api, conn)
                             for service in services}}

    def look_at(self, service, api, conn):
        self.services[service["Name"]] = (service["Id"], service["Arn"])
        instances = api.ok("DiscoverInstances", conn=conn, NamespaceName=self.name,
                           ServiceName=service["Name"], HealthStatus="ALL")["Instances"]
        assert service.get("InstanceCount", 0) == len(instances)
        records = service.get("DnsConfig", {}).get("DnsRecords", [])
        return {"description": service["Description"],
                "ttl": records[0]["TTL"] if records else None,
                "tags": tags_of(api, conn, service["Arn"]),
                "attributes": api.ok("GetServiceAttributes", conn=conn,
                                     ServiceId=service["Id"])["ServiceAttributes"][
                                         "Attributes"],
                "instances": {item["InstanceId"]: [item["Attributes"]["AWS_INSTANCE_IPV4"],
                                                   item["HealthStatus"]]
                              for item in instances}}

    def settle(self, daemon, conn):
        """After a restart: what is there was acknowledged, or is the last call whole."""
        if daemon.killed_delay:
            self.end_pending(daemon.api, conn)
        if self.is_started:  # it was answered: it ends by itself, if it has not yet
            gaz.until(f"{self.name} to become {self.after} by {self.call}",
                      lambda: self.look(daemon.api, conn) == self.after)
            self.now = self.after
        found = self.look(daemon.api, conn)
        assert found == self.now or (self.in_doubt and found == self.after), (
            f"{self.name}: found {found}\nacknowledged {self.now}\nmaybe {self.after}\n"
            f"started {self.is_started}, in doubt {self.in_doubt}, {self.call}")
        self.now, self.in_doubt, self.is_started = found, False, False
        self.compare_dns(daemon)
        if self.operation:
            found = daemon.api.ok("GetOperation", conn=conn, OperationId=self.operation)
            assert found["Operation"]["Status"] == "SUCCESS", found

    def end_pending(self, api, conn):
        """What was stored may have its effect only now. Of an operation one can wait for the
        end. A health status that is on its way does not show: asked for once more, it comes
        for sure."""
        gaz.until("the end of every operation", lambda: not api.ok(
            "ListOperations", conn=conn, Filters=[
                {"Name": "STATUS", "Values": ["SUBMITTED", "PENDING"], "Condition": "IN"}]
        )["Operations"])
        if self.in_doubt and self.call[0] == "UpdateInstanceCustomHealthStatus":
            api.ok(self.call[0], conn=conn, **self.call[1])
            self.in_doubt, self.is_started = False, True

    def compare_dns(self, daemon):
        """DNS is what the acknowledged state implies."""
        soa = daemon.ask(self.name, "SOA", source=IN_A)
        if self.now is None or not self.has_dns:
            assert gaz.rcode(soa) == "REFUSED", f"{self.name} is there:\n{soa}"
            return
        assert soa.answer[0].ttl == self.now["ttl"]
        for name in SERVICES:
            service = self.now["services"].get(name, {"ttl": None, "instances": {}})
            everything = list(service["instances"].values())
            healthy = [item for item in everything if item[1] == "HEALTHY"]
            wanted = [address for address, _ in healthy or everything]
            reply = daemon.ask(f"{name}.{self.name}", source=IN_A)
            if not service["ttl"] or not wanted:
                assert not reply.answer, f"{self.name}: {self.now}\n{reply}"
                continue
            assert reply.answer, f"{self.name}: {self.now}\n{reply}"
            assert reply.answer[0].ttl == service["ttl"]
            # Two instances may have one address: that is one record.
            assert set(gaz.addresses(reply)) == set(wanted), f"{self.now}\n{reply}"


def tags_of(api, conn, arn):
    found = api.ok("ListTagsForResource", conn=conn, ResourceARN=arn)["Tags"]
    return {tag["Key"]: tag["Value"] for tag in found}


def blow(daemon, subject, seed, stop):
    """One client: random calls until the daemon is gone."""
    rng, conn = random.Random(seed), daemon.api.connect()
    try:
        while not stop.is_set():
            subject.step(daemon.api, conn, rng)
    except LOST:
        pass
    finally:
        conn.close()


def flap_vpc(daemon, vpcs, seed, stop):
    """A client that declares VPCs and forgets them."""
    rng, conn = random.Random(seed), daemon.api.connect()
    try:
        while not stop.is_set():
            vpc, number = f"vpc-storm{rng.randrange(3)}", rng.randrange(256)
            known, vpcs[vpc] = vpcs.get(vpc), "in doubt"
            if known is None or known == "in doubt" or rng.random() < 0.5:
                cidr = f"10.{number}.0.0/16"
                daemon.api.ok("Gazetteer.PutVpc", conn=conn, VpcId=vpc, Cidrs=[cidr])
                vpcs[vpc] = cidr
            else:
                daemon.api.ok("Gazetteer.DeleteVpc", conn=conn, VpcId=vpc)
                vpcs[vpc] = None
            time.sleep(0.002)
    except LOST:
        pass
    finally:
        conn.close()


def compare_vpcs(daemon, vpcs):
    found = {vpc: cidrs[0] for vpc, (cidrs, fixed) in daemon.api.vpcs().items() if not fixed}
    for vpc, known in vpcs.items():
        assert known == "in doubt" or found.get(vpc) == known, (vpc, known, found)
        vpcs[vpc] = found.get(vpc)


def check_store(daemon, home):
    done = gaz.run([gaz.GAZETTEERD, "--check-store", "--data", daemon.data], home)
    assert done.stdout.startswith("no faults in "), done.stdout


def set_delay(daemon, delay):
    """Operations and health changes take that long from the next start on."""
    daemon.delay = delay
    daemon.options = [*gaz.VPC_OPTIONS, "--operation-delay", str(delay),
                      "--custom-health-delay", str(delay)]


def wait_for_moment(at_work, rng):
    """A random number of answered calls, and a little more or less of the next one; by
    calls and not by the clock, so that a busy machine has its storm as well."""
    wanted = sum(subject.calls for subject in at_work) + rng.randrange(0, 12)
    deadline = time.monotonic() + 1
    while sum(subject.calls for subject in at_work) < wanted:
        if time.monotonic() > deadline:
            break
        time.sleep(0.0005)
    time.sleep(rng.uniform(0, 0.004))


def run_round(daemon, subjects, vpcs, rng):
    """Load, kill, start; every subject that was at work is as it was answered to be."""
    stop, crowd = threading.Event(), gaz.Crowd()
    at_work = rng.sample(subjects, 2)
    for subject in at_work:
        crowd.add(blow, daemon, subject, rng.random(), stop)
    crowd.add(flap_vpc, daemon, vpcs, rng.random(), stop)
    wait_for_moment(at_work, rng)
    daemon.kill()
    daemon.killed_delay = daemon.delay
    stop.set()
    crowd.join()
    return at_work


def test_a_thousand_kills_lose_nothing(start, home):
    """Operations end at once in three rounds of four, later in the fourth."""
    print(f"seed: GAZ_STORM_SEED={SEED}")
    rng = random.Random(SEED)
    daemon = start()
    daemon.kill()
    set_delay(daemon, 0)
    daemon.start()
    subjects, vpcs = [Subject(number) for number in range(6)], {}
    for number in range(ROUNDS):
        at_work = run_round(daemon, subjects, vpcs, rng)
        if number % CHECK_EVERY == 0 or number == ROUNDS - 1:
            check_store(daemon, home)
        set_delay(daemon, 4 if number % 4 == 3 else 0)
        daemon.start()
        with contextlib.closing(daemon.api.connect()) as conn:
            for subject in at_work if number % LOOK_EVERY else subjects:
                subject.settle(daemon, conn)
        compare_vpcs(daemon, vpcs)
    calls = sum(subject.calls for subject in subjects)
    print(f"{calls} calls in {ROUNDS} rounds")
    assert calls > ROUNDS // 2, "the storm did not blow"
