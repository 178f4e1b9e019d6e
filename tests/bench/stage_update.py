# SPDX-License-Identifier: BSD-2-Clause
"""Durable registrations, next to the dynamic updates of other servers."""

import statistics

import machine
import updatable

SERVICES = 100
CONNECTIONS = 64
ALONE = 200  # registrations one at a time in a round
PEERS = {
    "knot": updatable.Knot,
    "knot-journal": updatable.KnotJournal,
    "bind": updatable.Bind,
}


def measure_ours(server, number, options):
    """One round: services of its own, so that no round finds them fuller."""
    services = server.create_services(f"r{number}-", SERVICES)
    row = server.register(services, connections=CONNECTIONS, count=options.updates)
    alone = server.register(services, connections=1, count=ALONE, first=options.updates)
    sync = machine.sync_times(server.work)
    return row, {"alone_us": alone["p50_us"], "alone_p99_us": alone["p99_us"],
                 "alone_cpu_us": alone["server_cpu_us"] / alone["done"], **sync}


def start(running, work, setup):
    running["ours"] = updatable.Gazetteer(work / "ours", setup).start()
    for key, kind in PEERS.items():
        running[key] = kind(work / key, setup, 0).start()


def measure_rounds(running, options):
    rounds = {key: [] for key in running}
    alone = []
    for number in range(options.rounds):
        row, one = measure_ours(running["ours"], number, options)
        rounds["ours"].append(row)
        alone.append(one)
        for key in PEERS:
            rounds[key].append(running[key].update(f"r{number}", options.updates,
                                                   CONNECTIONS))
        machine.say(f"updates, round {number + 1} of {options.rounds}: " + ", ".join(
            f"{running[key].title} {found[-1]['per_s']:.0f}/s"
            for key, found in rounds.items()))
    return rounds, alone


def summarise(server, rounds):
    rates = [row["per_s"] for row in rounds]
    return {"title": server.title, "per_s": statistics.median(rates),
            "min": min(rates), "max": max(rates),
            "cpu_us": statistics.median(row["server_cpu_us"] / row["done"]
                                        for row in rounds)}


def medians(rows):
    return {key: statistics.median(row[key] for row in rows) for key in rows[0]}


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    running = {}
    try:
        machine.say("starting servers that take updates ...")
        start(running, work, setup)
        rounds, alone = measure_rounds(running, options)
        ours = medians([{key: row[key] for key in ("p50_us", "p99_us")} |
                        {"generator_us": row["cpu_us"] / row["done"]}
                        for row in rounds["ours"]])
        return {"updates": options.updates, "cores": options.cores,
                "file_system": machine.file_system(work), **ours,
                "servers": {key: summarise(running[key], found)
                            for key, found in rounds.items()},
                "alone": medians(alone)}
    finally:
        for server in running.values():
            server.stop()


def show(result):
    ours, alone = result["servers"]["ours"], result["alone"]
    print(f"Durable changes per second ({result['updates']} new A records in a round, "
          f"{CONNECTIONS} under way,\n{result['cores']} cores for server and client; data "
          f"on {result['file_system']}; medians of the rounds)\n")
    print(f"  {'':24}{'per s':>9}{'min':>9}{'max':>9}{'CPU µs each':>13}{'ours / it':>11}")
    for row in result["servers"].values():
        print(f"  {row['title']:24}{row['per_s']:9.0f}{row['min']:9.0f}{row['max']:9.0f}"
              f"{row['cpu_us']:13.1f}{ours['per_s'] / row['per_s']:11.2f}")
    print(f"\n  gazetteerd's replies took {result['p50_us'] / 1000:.1f} ms (median), "
          f"{result['p99_us'] / 1000:.1f} ms (p99);\n  the load generator used "
          f"{result['generator_us']:.1f} µs of CPU for each")
    print("\nOne registration at a time (medians), next to what the disk takes\n")
    print(f"  {'':24}{'µs':>9}{'registration / it':>20}")
    print(f"  {'registration':24}{alone['alone_us']:9.0f}"
          f"     (p99 {alone['alone_p99_us']:.0f}, CPU of the daemon "
          f"{alone['alone_cpu_us']:.0f})")
    for key, title in (("append_fsync_us", "append 100 B, fsync"),
                       ("page_fdatasync_us", "write 4 KiB, fdatasync")):
        print(f"  {title:24}{alone[key]:9.0f}{alone['alone_us'] / alone[key]:20.2f}")
