# SPDX-License-Identifier: BSD-2-Clause
"""How long DNS answers take while registrations run."""

import statistics

import machine
import servers
import updatable

SERVICES = 100
CONNECTIONS = 64
RATE = 5000  # registrations in a second
QUERY_RATE = 10000
NAMES = 1000  # that are asked for; they do not change

TITLES = {
    "idle": "idle",
    "loaded": "registrations",
    "control": "same, another daemon",
}


def ask(server, names, setup, options):
    row = machine.run_client(setup, [
        setup.build / "dnslat", "--rate", QUERY_RATE, "--duration", options.seconds,
        "127.0.0.1", server.port, names])
    if row["failed"]:
        raise RuntimeError(f"{row['failed']} answers were not NOERROR")
    return row


def ask_beside(server, names, other, number, setup, options):
    services = other.create_services(f"r{number}-", SERVICES)
    load = machine.apiload(setup, other, "register", services=services, rate=RATE,
                           connections=CONNECTIONS)
    with machine.Beside(setup, load) as beside:
        row = ask(server, names, setup, options)
    row["registrations_per_s"] = beside.result["per_s"]
    return row


def prepare(server, work):
    """Names with one address each."""
    services = server.create_services("asked", NAMES)
    server.register(services, connections=CONNECTIONS, count=NAMES)
    names = work / "names"
    names.write_text("".join(f"asked{n}.{servers.ZONE}\n" for n in range(NAMES)))
    return names


def measure_rounds(server, other, names, setup, options):
    rows = {key: [] for key in TITLES}
    for number in range(options.rounds):
        rows["idle"].append(ask(server, names, setup, options))
        rows["loaded"].append(ask_beside(server, names, server, number, setup, options))
        rows["control"].append(ask_beside(server, names, other, number, setup, options))
        machine.say(f"latency, round {number + 1} of {options.rounds}: p99 " + ", ".join(
            f"{TITLES[key]} {found[-1]['p99_us']:.0f} µs" for key, found in rows.items()))
    return rows


def summarise(rows):
    return {key: statistics.median(row.get(key, 0) for row in rows)
            for key in ("p50_us", "p99_us", "registrations_per_s")} | {
                "least_p99_us": min(row["p99_us"] for row in rows),
                "lost": sum(row["sent"] - row["answered"] for row in rows)}


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    machine.say("measuring the latency of DNS ...")
    running = []
    try:
        for name in ("ours", "other"):
            running.append(updatable.Gazetteer(work / name, setup).start())
        names = prepare(running[0], work)
        rows = measure_rounds(*running, names, setup, options)
    finally:
        for server in running:
            server.stop()
    return {"cores": options.cores} | {key: summarise(found)
                                       for key, found in rows.items()}


def show(result):
    idle = result["idle"]
    print(f"Latency of DNS answers ({QUERY_RATE} queries/s; {result['cores']} cores for "
          f"servers and clients;\nmedians of the rounds)\n")
    print(f"  {'':24}{'p50 µs':>9}{'p99 µs':>9}{'least':>9}{'lost':>7}"
          f"{'registrations/s':>17}{'p99 / idle':>12}"
          f"{'least / idle':>14}")
    for key, title in TITLES.items():
        row = result[key]
        print(f"  {title:24}{row['p50_us']:9.0f}{row['p99_us']:9.0f}"
              f"{row['least_p99_us']:9.0f}"
              f"{row['lost']:7d}{row['registrations_per_s']:17.0f}"
              f"{row['p99_us'] / idle['p99_us']:12.2f}"
              f"{row['least_p99_us'] / idle['least_p99_us']:14.2f}")
    print("\n  What the third row is over the first, the cores do, not the daemon.")
