# SPDX-License-Identifier: BSD-2-Clause
"""DiscoverInstances, alone and while registrations run beside it."""

import statistics

import machine
import servers
import updatable

SERVICES = 100
INSTANCES = 10
CONNECTIONS = 32
RATE = 1000  # registrations in a second beside it


def discover(server, setup, options):
    used = server.process.cpu_us()
    row = machine.run_client(setup, machine.apiload(
        setup, server, "discover", connections=CONNECTIONS, duration=options.seconds,
        namespace=servers.ZONE, service="found0"))
    row["server_cpu_us"] = server.process.cpu_us() - used
    return row


def discover_beside(server, number, setup, options):
    services = server.create_services(f"r{number}-", SERVICES)
    load = machine.apiload(setup, server, "register", services=services, rate=RATE,
                           connections=CONNECTIONS)
    with machine.Beside(setup, load) as beside:
        row = discover(server, setup, options)
    row["registrations_per_s"] = beside.result["per_s"]
    row["beside_cpu_us"] = beside.result["cpu_us"]
    return row


def shares(row, options):
    """Of the cores: what the daemon and what the clients had of them."""
    whole = row["seconds"] * 1e6 * options.cores
    return {"cpu_us": row["server_cpu_us"] / row["done"],
            "server_share": row["server_cpu_us"] / whole,
            "clients_share": (row["cpu_us"] + row.get("beside_cpu_us", 0)) / whole}


def summarise(rows, options):
    rates = [row["per_s"] for row in rows]
    shared = [shares(row, options) for row in rows]
    return {"per_s": statistics.median(rates), "min": min(rates), "max": max(rates),
            **{key: statistics.median(row.get(key, 0) for row in rows)
               for key in ("p50_us", "p99_us", "registrations_per_s")},
            **{key: statistics.median(row[key] for row in shared) for key in shared[0]}}


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    machine.say("measuring DiscoverInstances ...")
    server = updatable.Gazetteer(work / "ours", setup).start()
    rows = {"alone": [], "beside": []}
    try:
        found = server.create_services("found", 1)
        server.register(found, count=INSTANCES)
        for number in range(options.rounds):
            rows["alone"].append(discover(server, setup, options))
            rows["beside"].append(discover_beside(server, number, setup, options))
            machine.say(f"discover, round {number + 1} of {options.rounds}: "
                        f"{rows['alone'][-1]['per_s']:.0f}/s alone, "
                        f"{rows['beside'][-1]['per_s']:.0f}/s beside registrations")
    finally:
        server.stop()
    return {"cores": options.cores} | {
        key: summarise(found, options) for key, found in rows.items()}


def show(result):
    print(f"DiscoverInstances per second (a service of {INSTANCES} instances, "
          f"{CONNECTIONS} connections;\n{result['cores']} cores for server and clients; "
          f"medians of the rounds)\n")
    print(f"  {'':24}{'per s':>9}{'min':>9}{'max':>9}{'CPU µs each':>13}{'p50 µs':>8}"
          f"{'p99 µs':>8}{'daemon':>8}{'clients':>9}")
    beside = result["beside"]
    for key, title in (("alone", "alone"), (
            "beside", f"+ {beside['registrations_per_s']:.0f} registrations/s")):
        row = result[key]
        print(f"  {title:24}{row['per_s']:9.0f}{row['min']:9.0f}{row['max']:9.0f}"
              f"{row['cpu_us']:13.1f}{row['p50_us']:8.0f}{row['p99_us']:8.0f}"
              f"{row['server_share']:8.0%}{row['clients_share']:9.0%}")
    print("\n  CPU is the daemon's, registrations included; the shares are of all "
          "those cores.")
