# SPDX-License-Identifier: BSD-2-Clause
"""What a query, a name and one registration more cost, next to other servers."""

import os
import random
import re
import statistics
import subprocess
import time

import servers
from machine import say

SERVERS = {
    "file": servers.Gazetteer,
    "namespace": servers.GazetteerApi,
    "nsd": servers.Nsd,
    "knot": servers.Knot,
    "reflector": servers.Reflector,
}


def write_queries(path, options):
    """Random names, one in ten of them missing; the same for every server."""
    pick = random.Random(1)
    with open(path, "w", encoding="ascii") as file:
        for _ in range(options.names):
            name = servers.host_name(pick.randrange(options.names))
            name = f"no{name}" if pick.randrange(10) == 0 else name
            file.write(f"{name}.{servers.ZONE} A\n")


def measure_round(server, setup, queries, options, more=(), sockets=8, share=1):
    """One run of dnsperf: CPU µs per answered query, and what dnsperf counted."""
    passes = max(1, round(options.queries * share / options.names))
    command = ["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d", str(queries),
               "-n", str(passes), "-c", str(sockets), "-T", "1", "-q", "200", "-t", "2", *more]
    if setup.client_cpus:
        command = ["taskset", "-c", ",".join(map(str, setup.client_cpus))] + command
    before = server.process.cpu_us()
    output = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                            text=True, check=True).stdout
    used = server.process.cpu_us() - before
    answered = int(re.search(r"Queries completed: +(\d+)", output)[1])
    sent = int(re.search(r"Queries sent: +(\d+)", output)[1])
    rcodes = re.search(r"Response codes: +(.*)", output)
    if answered == 0:
        raise RuntimeError(f"{server.title} answered nothing:\n{output}")
    return {"cpu_us_per_query": used / answered, "sent": sent, "answered": answered,
            "rcodes": rcodes[1] if rcodes else "",
            "queries_per_s": float(re.search(r"Queries per second: +([\d.]+)", output)[1])}


def summarise(rounds):
    costs = [r["cpu_us_per_query"] for r in rounds]
    return {"median": statistics.median(costs), "min": min(costs), "max": max(costs),
            "queries_per_s": statistics.median(r["queries_per_s"] for r in rounds),
            "lost": sum(r["sent"] - r["answered"] for r in rounds),
            "rcodes": rounds[-1]["rcodes"]}


def memory_per_name(running, work, setup, options):
    """What a name costs: against the same server with an empty zone."""
    found = {}
    for key, server in running.items():
        if not server.authoritative:
            continue
        kind = servers.Gazetteer if key == "namespace" else type(server)
        empty = kind(work / f"{key}-empty", setup, 0).start()
        try:
            found[key] = (server.process.memory() - empty.process.memory()) / options.names
        finally:
            empty.stop()
    return found


def probe(path, namespace, name):
    """A service to register and deregister again and again."""
    return {"ServiceId": servers.create_services(path, namespace, [name])[0],
            "InstanceId": "i"}


def one_registration(server, connection, target, cost):
    def call(operation, members):
        connection.request("POST", "/", servers.json_bytes(members), {
            "Content-Type": "application/x-amz-json-1.1",
            "X-Amz-Target": f"Route53AutoNaming_v20170314.{operation}"})
        reply = connection.getresponse()
        servers.decode(operation, reply.status, reply.read())

    used, begin = server.process.cpu_us(), time.monotonic()
    call("RegisterInstance", {**target, "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1"}})
    cost["wall_us"].append((time.monotonic() - begin) * 1e6)
    cost["cpu_us"].append(server.process.cpu_us() - used)
    call("DeregisterInstance", target)


def measure_registrations(server, options):
    """One registration more, in turn in a small and in the large namespace."""
    path = server.socket
    small = servers.create_namespace(path, "small.test")
    servers.load_names(path, small, range(10))
    targets = {"small": probe(path, small, "probe"),
               "large": probe(path, server.namespace, "probe")}
    costs = {key: {"cpu_us": [], "wall_us": []} for key in targets}
    connection = servers.Connection(path)
    try:
        for _ in range(options.registrations):
            for key, target in targets.items():
                one_registration(server, connection, target, costs[key])
    finally:
        connection.close()
    result = {f"{key}_{unit}": statistics.median(values)
              for key, cost in costs.items() for unit, values in cost.items()}
    for unit in ("cpu_us", "wall_us"):
        result[f"ratio_{unit}"] = result[f"large_{unit}"] / result[f"small_{unit}"]
    return result


def start_servers(running, work, setup, options):
    for key in options.servers.split(","):
        say(f"starting {SERVERS[key].title} with {options.names} names ...")
        running[key] = SERVERS[key](work / key, setup, options.names)
        running[key].start()


def measure_rounds(running, setup, queries, options, **load):
    rounds = {key: [] for key in running}
    for number in range(options.rounds):
        for key, server in running.items():
            rounds[key].append(measure_round(server, setup, queries, options, **load))
            say(f"round {number + 1} of {options.rounds}: {server.title} "
                f"{rounds[key][-1]['cpu_us_per_query']:.2f} µs")
    return {key: summarise(found) for key, found in rounds.items()}


def measure_queries(running, work, setup, options):
    """With few ports for all queries, and with a port for each that is under way."""
    queries = work / "queries"
    write_queries(queries, options)
    few = measure_rounds(running, setup, queries, options)
    others = {key: server for key, server in running.items() if key != "namespace"}
    many = measure_rounds(others, setup, queries, options, sockets=200, share=2 / 3)
    return few, many


def measure_running(running, work, setup, options):
    start_servers(running, work, setup, options)
    few, many = measure_queries(running, work, setup, options)
    result = {"names": options.names, "workers": options.workers,
              "queries": few, "queries_of_many_ports": many,
              "titles": {key: server.title for key, server in running.items()}}
    say("measuring memory ...")
    result["memory_per_name"] = memory_per_name(running, work, setup, options)
    if "namespace" in running:
        say("measuring registrations ...")
        result["registration"] = measure_registrations(running["namespace"], options)
    program = setup.build / "bench_answer"
    if os.access(program, os.X_OK):
        say("measuring answer_query() alone ...")
        result["answer_query"] = subprocess.run(
            [program], stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=True).stdout
    return result


def measure(work, setup, options):
    running = {}
    try:
        return measure_running(running, work, setup, options)
    finally:
        for server in running.values():
            server.stop()


def print_queries(result, found):
    titles = result["titles"]
    others = [key for key in ("nsd", "knot", "reflector") if key in found]
    print(f"  {'':24}{'µs':>7}{'min':>8}{'max':>8}{'queries/s':>12}{'lost':>7}" +
          "".join(f"{'/ ' + titles[key]:>13}" for key in others))
    for key, row in found.items():
        print(f"  {titles[key]:24}{row['median']:7.2f}{row['min']:8.2f}{row['max']:8.2f}"
              f"{row['queries_per_s']:12.0f}{row['lost']:7d}" +
              "".join(f"{row['median'] / found[other]['median']:13.2f}"
                      for other in others))


def show(result):
    print(f"CPU time per query ({result['names']} names, 10 % of the queries for missing "
          f"ones,\n{result['workers']} worker(s) each; median of the rounds)\n")
    print_queries(result, result["queries"])
    print("\nThe same with a port for each query\n")
    print_queries(result, result["queries_of_many_ports"])
    print("\nMemory per name, bytes (against the same server with an empty zone)\n")
    for key, size in result["memory_per_name"].items():
        print(f"  {result['titles'][key]:24}{size:7.0f}")
    if "registration" in result:
        row = result["registration"]
        print(f"\nOne registration more (median), in a namespace with 10 and one with "
              f"{result['names']} names\n")
        for unit, title in (("cpu_us", "CPU of the daemon, µs"), ("wall_us", "wall, µs")):
            print(f"  {title:24}{row['small_' + unit]:9.0f}{row['large_' + unit]:9.0f}"
                  f"   ratio {row['ratio_' + unit]:.2f}")
    if "answer_query" in result:
        print(f"\nanswer_query() alone, in process\n\n{result['answer_query']}")
