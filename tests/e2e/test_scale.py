# SPDX-License-Identifier: BSD-2-Clause
"""Correct at size: many names in one namespace, many instances in one service."""

import gaz

NAMES, CLIENTS = 2000, 8


def fill(api, namespace, part, services):
    conn = api.connect()
    for number in range(part, NAMES, CLIENTS):
        made = api.ok("CreateService", conn=conn, Name=f"n{number}", NamespaceId=namespace,
                      DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 60}]})
        services[number] = made["Service"]["Id"]
        api.ok("RegisterInstance", conn=conn, ServiceId=services[number], InstanceId="i",
               Attributes={"AWS_INSTANCE_IPV4": f"10.1.{number // 250}.{number % 250}"})
    conn.close()


def empty(api, part, services):
    conn = api.connect()
    for number in range(part, NAMES, CLIENTS):
        if number % 2:
            api.ok("DeregisterInstance", conn=conn, ServiceId=services[number], InstanceId="i")
            api.ok("DeleteService", conn=conn, Id=services[number])
    conn.close()


def check(daemon, exists):
    for number in range(NAMES):
        reply = daemon.ask(f"n{number}.big.example")
        if exists(number):
            assert gaz.addresses(reply) == [f"10.1.{number // 250}.{number % 250}"]
        else:
            assert gaz.rcode(reply) == "NXDOMAIN"


def in_parallel(work, *args):
    crowd = gaz.Crowd()
    for part in range(CLIENTS):
        crowd.add(work, *(part if arg is Ellipsis else arg for arg in args))
    crowd.join()


def test_two_thousand_names_in_one_namespace(start):
    """Registered by several clients, half removed again, restarted."""
    daemon = start("--quota", "instances-per-namespace=100000")
    namespace, services = daemon.api.public("big.example"), {}
    in_parallel(fill, daemon.api, namespace, ..., services)
    assert daemon.api.namespace(namespace)["ServiceCount"] == NAMES
    check(daemon, lambda number: True)
    in_parallel(empty, daemon.api, ..., services)
    assert daemon.api.namespace(namespace)["ServiceCount"] == NAMES // 2
    check(daemon, lambda number: number % 2 == 0)
    daemon.restart(kill=True)
    check(daemon, lambda number: number % 2 == 0)
    assert daemon.api.namespace(namespace)["ServiceCount"] == NAMES // 2


def test_thousand_instances_in_one_service(daemon):
    """The default quota's worth; every one of them is answered at some time."""
    api = daemon.api
    service = api.service(api.public("many.example"), "s")

    def register(part):
        conn = api.connect()
        for number in range(part, 1000, CLIENTS):
            api.ok("RegisterInstance", conn=conn, ServiceId=service, InstanceId=f"i{number}",
                   Attributes={"AWS_INSTANCE_IPV4": f"10.2.{number // 250}.{number % 250}"})
        conn.close()

    in_parallel(register, ...)
    assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == 1000
    api.fails("ResourceLimitExceeded", "RegisterInstance", ServiceId=service,
              InstanceId="more", Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    wanted = {f"10.2.{n // 250}.{n % 250}" for n in range(1000)}
    seen = set()
    for _ in range(2500):
        found = gaz.addresses(daemon.ask("s.many.example"))
        assert len(found) == 8
        seen.update(found)
    assert seen == wanted
