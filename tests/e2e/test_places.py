# SPDX-License-Identifier: BSD-2-Clause
"""Instances of a few services against a model, wherever the store has them: random changes
and looks, kill -9 and --check-store between."""

import os
import random

import gaz
from gaz import VPC_A, records

SEED = int(os.environ.get("GAZ_PLACES_SEED", 1))
STEPS = int(os.environ.get("GAZ_PLACES_STEPS", 500))
QUOTA = 24
# Ids of which some begin others, and whose order is that of octets.
IDS = ["-", ".", "/", "0", "00", "000", "1", "10", ":", "@", "A", "AA", "_", "a", "a-",
       "a.", "a/", "a/a", "aa", "aaa", "ab", "b", "i", "i-", "i-1", "i-10", "i-2", "i-20",
       "z", "z" * 64]


class Model:
    """What one service must look like."""

    def __init__(self, api, conn, namespace, name):
        self.name, self.conn = name, conn
        self.instances = {}  # id -> [address, healthy]
        self.create(api, namespace)

    def create(self, api, namespace):
        self.id = api.ok("CreateService", conn=self.conn[0], Name=self.name,
                         NamespaceId=namespace, DnsConfig=records("A", policy="MULTIVALUE"),
                         HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]["Id"]
        self.instances.clear()


def address(rng):
    return f"10.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}"


def call(api, model, operation, **members):
    return api.ok(operation, conn=model.conn[0], ServiceId=model.id, **members)


def register(api, model, rng):
    if len(model.instances) >= QUOTA - 1 and rng.random() < 0.5:
        return
    name = rng.choice(IDS)
    at = address(rng)
    reply = api.raw("RegisterInstance", conn=model.conn[0], ServiceId=model.id,
                    InstanceId=name, Attributes={"AWS_INSTANCE_IPV4": at,
                                                 "blob": "x" * rng.choice((1, 900))})
    if name not in model.instances and len(model.instances) >= QUOTA:
        assert reply.status == 400 and reply.code == "ResourceLimitExceeded", reply
        return
    assert reply.status == 200, reply
    model.instances[name] = [at, True]


def deregister(api, model, rng):
    name = rng.choice(IDS)
    reply = api.raw("DeregisterInstance", conn=model.conn[0], ServiceId=model.id,
                    InstanceId=name)
    assert reply.status == (200 if name in model.instances else 400), reply
    model.instances.pop(name, None)


def turn(api, model, rng):
    name = rng.choice(IDS)
    healthy = rng.random() < 0.5
    reply = api.raw("UpdateInstanceCustomHealthStatus", conn=model.conn[0],
                    ServiceId=model.id, InstanceId=name,
                    Status="HEALTHY" if healthy else "UNHEALTHY")
    assert reply.status == (200 if name in model.instances else 400), reply
    if name in model.instances:
        model.instances[name][1] = healthy


def update(api, model, rng):
    ttl = rng.randrange(1, 1000)
    api.ok("UpdateService", conn=model.conn[0], Id=model.id, Service={
        "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": ttl}]}})


def empty(api, model, rng):
    """All go; the service goes, too, and comes back."""
    if model.instances:
        reply = api.raw("DeleteService", conn=model.conn[0], Id=model.id)
        assert reply.status == 400 and reply.code == "ResourceInUse", reply
    for name in rng.sample(sorted(model.instances), len(model.instances)):
        call(api, model, "DeregisterInstance", InstanceId=name)
    namespace = api.ok("GetService", conn=model.conn[0],
                       Id=model.id)["Service"]["NamespaceId"]
    api.ok("DeleteService", conn=model.conn[0], Id=model.id)
    model.create(api, namespace)


def get(api, model, rng):
    name = rng.choice(IDS)
    reply = api.raw("GetInstance", conn=model.conn[0], ServiceId=model.id, InstanceId=name)
    if name not in model.instances:
        assert reply.status == 400 and reply.code == "InstanceNotFound", reply
        return
    assert reply.json["Instance"]["Attributes"]["AWS_INSTANCE_IPV4"] == \
        model.instances[name][0]


def pages(api, model, rng, operation, change=lambda: None):
    """The pages of a list; between two of them something may change."""
    token = {}
    while True:
        page = call(api, model, operation, MaxResults=rng.randrange(1, 8), **token)
        yield page
        if "NextToken" not in page:
            return
        token = {"NextToken": page["NextToken"]}
        change()


def listed(api, model, rng, **more):
    return [item for page in pages(api, model, rng, "ListInstances", **more)
            for item in page["Instances"]]


def compare_list(api, model, rng):
    found = listed(api, model, rng)
    assert [item["Id"] for item in found] == sorted(model.instances)
    assert {item["Id"]: item["Attributes"]["AWS_INSTANCE_IPV4"] for item in found} == \
        {name: at for name, (at, _) in model.instances.items()}


def list_meanwhile(api, model, rng):
    """What is there from the first page to the last is on one of them, and just once."""
    before = set(model.instances)
    ever = set(before)

    def change():
        for _ in range(rng.randrange(1, 5)):
            rng.choice((register, register, deregister))(api, model, rng)
            before.intersection_update(model.instances)
            ever.update(model.instances)

    found = [item["Id"] for item in listed(api, model, rng, change=change)]
    assert found == sorted(set(found)), found
    assert before <= set(found) <= ever, (before, found, ever)


def compare_health(api, model, rng):
    if not model.instances:
        return
    expect = {name: "HEALTHY" if healthy else "UNHEALTHY"
              for name, (_, healthy) in model.instances.items()}
    found = {}
    for page in pages(api, model, rng, "GetInstancesHealthStatus"):
        assert not found.keys() & page["Status"].keys()
        found.update(page["Status"])
    assert found == expect
    some = rng.sample(sorted(expect), rng.randrange(1, len(expect) + 1))
    assert call(api, model, "GetInstancesHealthStatus",
                Instances=some)["Status"] == {name: expect[name] for name in some}


def compare_discovery(api, model, rng):
    def ask(status):
        return sorted(item["InstanceId"] for item in api.ok(
            "DiscoverInstances", conn=model.conn[0], NamespaceName="p.example",
            ServiceName=model.name, MaxResults=100, HealthStatus=status)["Instances"])

    healthy = sorted(name for name, (_, is_so) in model.instances.items() if is_so)
    assert ask("ALL") == sorted(model.instances)
    assert ask("HEALTHY") == healthy
    assert ask("UNHEALTHY") == sorted(set(model.instances) - set(healthy))
    assert ask("HEALTHY_OR_ELSE_ALL") == (healthy or sorted(model.instances))


def compare_counts(api, model, rng):
    service = api.ok("GetService", conn=model.conn[0], Id=model.id)["Service"]
    assert service.get("InstanceCount", 0) == len(model.instances)


LOOKS = (get, compare_list, compare_health, compare_discovery, compare_counts)
CHANGES = (register,) * 12 + (deregister,) * 6 + (turn,) * 3 + (update, list_meanwhile)


def compare_all(daemon, models, rng):
    for model in models:
        for look in LOOKS[1:]:
            look(daemon.api, model, rng)
        reply = daemon.ask(f"{model.name}.p.example", tcp=True)
        healthy = {at for at, is_so in model.instances.values() if is_so}
        every = {at for at, _ in model.instances.values()}
        assert set(gaz.addresses(reply)) <= (healthy or every)
        assert bool(gaz.addresses(reply)) == bool(every)


def restart(daemon, home, conn, rng):
    conn[0].close()
    rng.choice((daemon.kill, daemon.stop))()
    gaz.run([gaz.GAZETTEERD, "--check-store", "--data", daemon.data], home)
    daemon.start()
    conn[0] = daemon.api.connect()


def test_instances_are_as_the_model_has_them(start, home):
    rng = random.Random(SEED)
    daemon = start(*gaz.VPC_OPTIONS, "--quota", f"instances-per-service={QUOTA}")
    conn = [daemon.api.connect()]
    namespace = daemon.api.private("p.example", VPC_A)
    models = [Model(daemon.api, conn, namespace, name) for name in ("a", "aa", "b")]
    for _ in range(STEPS):
        model = rng.choice(models)
        rng.choice(CHANGES if rng.random() < 0.85 else LOOKS)(daemon.api, model, rng)
        if rng.random() < 0.005:
            empty(daemon.api, rng.choice(models), rng)
        if rng.random() < 0.01:
            restart(daemon, home, conn, rng)
            compare_all(daemon, models, rng)
    compare_all(daemon, models, rng)
    restart(daemon, home, conn, rng)
    compare_all(daemon, models, rng)
    conn[0].close()
