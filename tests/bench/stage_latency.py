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
        setup.build / "dnslat", "--rate", QUERY_RATE, "--duration", options.window,
        "127.0.0.1", server.port, names])
    if row["failed"]:
        raise RuntimeError(f"{row['failed']} answers were not NOERROR")
    return row


def ask_beside(server, names, other, services, setup, options):
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


def measure_windows(server, other, names, setup, options):
    """In every round a window of each kind, in this order and back by turns, so that what
    the machine does meanwhile meets all of them alike."""
    loads = {"loaded": server, "control": other}
    rows = {key: [] for key in TITLES}
    for number in range(options.windows):
        services = {key: loaded.create_services(f"r{number}-", SERVICES)
                    for key, loaded in loads.items()}
        for key in list(TITLES)[::-1 if number % 2 else 1]:
            rows[key].append(
                ask_beside(server, names, loads[key], services[key], setup, options)
                if key in loads else ask(server, names, setup, options))
        machine.say(f"latency, {number + 1} of {options.windows}: p99 " + ", ".join(
            f"{TITLES[key]} {found[-1]['p99_us']:.0f} µs" for key, found in rows.items()))
    return rows


def summarise(rows):
    return {key: statistics.median(row.get(key, 0) for row in rows)
            for key in ("p50_us", "p99_us", "registrations_per_s")} | {
                "lost": sum(row["sent"] - row["answered"] for row in rows)}


def compare(rows, others):
    """The ratios of the windows of a round: quartiles."""
    ratios = [row["p99_us"] / other["p99_us"] for row, other in zip(rows, others)]
    return statistics.quantiles(ratios, n=4, method="inclusive")


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    machine.say("measuring the latency of DNS ...")
    running = []
    try:
        for name in ("ours", "other"):
            running.append(updatable.Gazetteer(work / name, setup).start())
        names = prepare(running[0], work)
        rows = measure_windows(*running, names, setup, options)
    finally:
        for server in running:
            server.stop()
    return {"cores": options.cores, "windows": options.windows,
            "window_s": options.window} | {
                key: summarise(found) | {"ratios": compare(found, rows["idle"])}
                for key, found in rows.items()} | {
                    "loaded_over_control": compare(rows["loaded"], rows["control"])}


def show(result):
    idle = result["idle"]
    print(f"Latency of DNS answers ({QUERY_RATE} queries/s; {result['cores']} cores for "
          f"servers and clients;\n{result['windows']} windows of {result['window_s']:g} s "
          f"of each kind by turns: medians, and the ratios of the\nwindows of a round)\n")
    print(f"  {'':22}{'p50 µs':>8}{'p99 µs':>8}{'lost':>6}{'registr./s':>12}"
          f"{'p99 / idle':>12}{'of each round':>16}{'quartiles':>14}")
    for key, title in TITLES.items():
        row = result[key]
        low, middle, high = row["ratios"]
        print(f"  {title:22}{row['p50_us']:8.0f}{row['p99_us']:8.0f}{row['lost']:6d}"
              f"{row['registrations_per_s']:12.0f}{row['p99_us'] / idle['p99_us']:12.2f}"
              f"{middle:16.2f}{f'{low:.2f}-{high:.2f}':>14}")
    low, middle, high = result["loaded_over_control"]
    print(f"\n  What the third row is over the first, the cores do, not the daemon. The "
          f"second over\n  the third, of each round: {middle:.2f} ({low:.2f}-{high:.2f}).")
