# SPDX-License-Identifier: BSD-2-Clause
"""An answered call is visible to the very next query, on every worker."""

import random

import gaz

CLIENTS, STEPS = 6, 60


def hammer(daemon, number):
    """One client with its own namespace: change, then ask at once, anywhere."""
    api, rng, conn = daemon.api, random.Random(number), daemon.api.connect()
    zone = f"v{number}.example"
    namespace = api.public(zone, ttl=1)
    service = api.service(namespace, "s")
    alive = {}
    for step in range(STEPS):
        if alive and rng.random() < 0.4:
            gone = rng.choice(list(alive))
            api.ok("DeregisterInstance", conn=conn, ServiceId=service, InstanceId=gone)
            del alive[gone]
        else:
            name = f"i{rng.randrange(8)}"
            alive[name] = f"10.{number}.{step}.1"
            api.ok("RegisterInstance", conn=conn, ServiceId=service, InstanceId=name,
                   Attributes={"AWS_INSTANCE_IPV4": alive[name]})
        for tcp in (False, False, False, True):
            reply = daemon.ask(f"s.{zone}", tcp=tcp)
            assert set(gaz.addresses(reply)) == set(alive.values()), (number, step)
            assert gaz.rcode(reply) == ("NOERROR" if alive else "NXDOMAIN")
        if step % 10 == 9:
            api.ok("UpdatePublicDnsNamespace", conn=conn, Id=namespace, Namespace={
                "Properties": {"DnsProperties": {"SOA": {"TTL": step}}}})
            for _ in range(4):
                assert daemon.ask(f"no.{zone}").authority[0].ttl == step
    for name in list(alive):
        api.ok("DeregisterInstance", conn=conn, ServiceId=service, InstanceId=name)
    api.ok("DeleteService", conn=conn, Id=service)
    api.ok("DeleteNamespace", conn=conn, Id=namespace)
    for _ in range(4):
        assert gaz.rcode(daemon.ask(zone, "SOA")) == "REFUSED"
    conn.close()


def test_reply_is_visible_to_the_next_query(start):
    """Several clients at once, so that commits are grouped."""
    daemon = start("--workers", "4")
    crowd = gaz.Crowd()
    for number in range(CLIENTS):
        crowd.add(hammer, daemon, number)
    crowd.join()
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []


def test_creation_is_visible_to_the_next_query(start):
    """New zones, and their end, again and again."""
    daemon = start("--workers", "4")
    conn = daemon.api.connect()
    for number in range(40):
        operation = daemon.api.ok("CreatePublicDnsNamespace", conn=conn, Name="n.example",
                                  Properties={"DnsProperties": {"SOA": {"TTL": number}}})
        for tcp in (False, False, False, True):
            assert daemon.ask("n.example", "SOA", tcp=tcp).answer[0].ttl == number
        found = daemon.api.ok("GetOperation", conn=conn, **operation)["Operation"]
        daemon.api.ok("DeleteNamespace", conn=conn, Id=found["Targets"]["NAMESPACE"])
        for tcp in (False, False, False, True):
            assert gaz.rcode(daemon.ask("n.example", "SOA", tcp=tcp)) == "REFUSED"
    conn.close()


def test_readers_never_see_a_half_change(daemon):
    """While addresses are replaced, a query sees the old or the new one, never none."""
    service = daemon.api.service(daemon.api.public("h.example"), "s", policy="WEIGHTED")
    daemon.api.register(service, "i", "10.0.0.0")
    crowd = gaz.Crowd()

    def read():
        while not crowd.over.is_set():
            (address,) = gaz.addresses(daemon.ask("s.h.example"))
            assert address.startswith("10.0.")

    for _ in range(3):
        crowd.add(read)
    try:
        for number in range(150):
            daemon.api.ok("RegisterInstance", ServiceId=service, InstanceId="i",
                          Attributes={"AWS_INSTANCE_IPV4": f"10.0.{number}.1"})
    finally:
        crowd.over.set()
        crowd.join()
