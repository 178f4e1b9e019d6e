# SPDX-License-Identifier: BSD-2-Clause
"""How long DNS answers take while registrations run, with a CPU for DNS and without."""

import contextlib
import dataclasses
import os
import re
import statistics
import subprocess

import machine
import servers
import updatable

SERVICES = 100
CONNECTIONS = 64
RATE = 5000  # registrations in a second
LIGHT = 10000  # queries in a second
TOO_MANY = 300000
LATE_US = 1000  # the p99 of a rate that is too high
TRY_S = 1  # how long a rate is tried
NAMES = 1000  # that are asked for; they do not change

TITLES = {
    "idle": "idle",
    "loaded": "registrations",
    "control": "same, another daemon",
}


@dataclasses.dataclass
class Setting:
    """Who runs where."""
    name: str
    title: str
    dns_cpus: str  # of the daemons; None: not told
    asking: machine.Setup  # dnslat and dnsperf
    loading: machine.Setup  # apiload


def settings_of(setup):
    cpus = sorted(setup.server_cpus)
    yield Setting("together", f"all on CPU {cpus[0]}-{cpus[-1]}", None, setup, setup)
    if len(cpus) > 1:
        yield Setting("apart", f"DNS on a CPU of its own (--dns-cpus {cpus[0]})",
                      str(cpus[0]), dataclasses.replace(setup, client_cpus={cpus[0]}),
                      dataclasses.replace(setup, client_cpus=set(cpus[1:])))


class Foremost(updatable.Gazetteer):
    def __init__(self, work, setup, dns_cpus):
        super().__init__(work, setup)
        self.options = ["--dns-cpus", dns_cpus] if dns_cpus else []

    def command(self):
        return machine.foremost(super().command() + self.options)


def ask(server, names, rate, setting, seconds):
    row = machine.run_client(setting.asking, machine.foremost([
        setting.asking.build / "dnslat", "--rate", rate, "--duration", seconds,
        "127.0.0.1", server.port, names]))
    if row["failed"]:
        raise RuntimeError(f"{row['failed']} answers were not NOERROR")
    return row


def ask_beside(server, names, rate, other, services, setting, seconds):
    load = machine.apiload(setting.loading, other, "register", services=services,
                           rate=RATE, connections=CONNECTIONS)
    with machine.Beside(setting.loading, load) as beside:
        row = ask(server, names, rate, setting, seconds)
    row["registrations_per_s"] = beside.result["per_s"]
    return row


def prepare(server, work):
    """Names with one address each."""
    services = server.create_services("asked", NAMES)
    server.register(services, connections=CONNECTIONS, count=NAMES)
    names = work / "names"
    names.write_text("".join(f"asked{n}.{servers.ZONE}\n" for n in range(NAMES)))
    return names


def is_in_time(server, names, rate, setting):
    row = ask(server, names, rate, setting, TRY_S)
    return row["p99_us"] <= LATE_US and row["answered"] == row["sent"]


def most_per_s(server, names, setting):
    """How many queries a second, idle, are answered in time. One that is not may be the
    machine's fault, so each rate is tried three times."""
    most, too_many = LIGHT, TOO_MANY
    while too_many > most * 1.1:
        rate = round((most + too_many) / 2)
        if any(is_in_time(server, names, rate, setting) for _ in range(3)):
            most = rate
        else:
            too_many = rate
        machine.say(f"latency, {setting.title}: at most {most} to {too_many} queries/s")
    return most


def most_of_dnsperf(server, names, work, setting):
    """How many queries dnsperf gets answered in a second, idle, where dnslat will run."""
    queries = work / "queries"
    queries.write_text("".join(f"{name} A\n" for name in names.read_text().split()))
    output = subprocess.run(
        [str(part) for part in machine.on_client_cpus(setting.asking, machine.foremost(
            ["dnsperf", "-s", "127.0.0.1", "-p", server.port, "-d", queries, "-l", 3,
             "-c", 8, "-T", 1, "-q", 200]))],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True).stdout
    return round(float(re.search(r"Queries per second: +([\d.]+)", output)[1]))


def measure_windows(server, other, names, rate, setting, options):
    """In every round a window of each kind, in this order and back by turns, so that what
    the machine does meanwhile meets all of them alike."""
    loads = {"loaded": server, "control": other}
    rows = {key: [] for key in TITLES}
    for number in range(options.windows):
        services = {key: loaded.create_services(f"q{rate}r{number}-", SERVICES)
                    for key, loaded in loads.items()}
        for key in list(TITLES)[::-1 if number % 2 else 1]:
            rows[key].append(
                ask_beside(server, names, rate, loads[key], services[key], setting,
                           options.window)
                if key in loads else
                ask(server, names, rate, setting, options.window))
        machine.say(
            f"latency, {setting.title}, {rate} queries/s, {number + 1} of "
            f"{options.windows}: p99 " +
            ", ".join(f"{TITLES[key]} {found[-1]['p99_us']:.0f} µs"
                      for key, found in rows.items()))
    return rows


def summarise(rows):
    return {key: statistics.median(row.get(key, 0) for row in rows)
            for key in ("p50_us", "p99_us", "registrations_per_s")} | {
                "lost": sum(row["sent"] - row["answered"] for row in rows)}


def compare(rows, others):
    """The ratios of the windows of a round: quartiles."""
    ratios = [row["p99_us"] / other["p99_us"] for row, other in zip(rows, others)]
    return statistics.quantiles(ratios, n=4, method="inclusive")


def evaluate(rate, rows):
    return {"rate": rate} | {
        key: summarise(found) | {"ratios": compare(found, rows["idle"])}
        for key, found in rows.items()} | {
            "loaded_over_control": compare(rows["loaded"], rows["control"])}


@contextlib.contextmanager
def out_of_the_way(setting):
    """This script is no client of DNS: it runs where the other load does."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, setting.loading.client_cpus)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def measure_setting(work, setup, setting, options):
    work.mkdir()
    running = []
    with out_of_the_way(setting):
        try:
            for name in ("ours", "other"):
                running.append(Foremost(work / name, setup, setting.dns_cpus).start())
            names = prepare(running[0], work)
            most = most_per_s(running[0], names, setting)
            dnsperf = most_of_dnsperf(running[0], names, work, setting)
            rates = [evaluate(rate, measure_windows(*running, names, rate, setting,
                                                    options))
                     for rate in (LIGHT, round(most / 2), round(dnsperf / 2))]
        finally:
            for server in running:
                server.stop()
    return {"name": setting.name, "title": setting.title, "most_per_s": most,
            "dnsperf_per_s": dnsperf, "rates": rates}


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    machine.say("measuring the latency of DNS ...")
    return {"cores": len(setup.server_cpus), "windows": options.windows,
            "window_s": options.window,
            "settings": [measure_setting(work / setting.name, setup, setting, options)
                         for setting in settings_of(setup)]}


def show_rate(found):
    idle = found["idle"]
    print(f"\n  {str(found['rate']) + ' queries/s':22}{'p50 µs':>8}{'p99 µs':>8}{'lost':>6}"
          f"{'registr./s':>12}{'p99 / idle':>12}{'of each round':>16}{'quartiles':>14}")
    for key, title in TITLES.items():
        row = found[key]
        low, middle, high = row["ratios"]
        print(f"  {title:22}{row['p50_us']:8.0f}{row['p99_us']:8.0f}{row['lost']:6d}"
              f"{row['registrations_per_s']:12.0f}{row['p99_us'] / idle['p99_us']:12.2f}"
              f"{middle:16.2f}{f'{low:.2f}-{high:.2f}':>14}")
    low, middle, high = found["loaded_over_control"]
    print(f"  second row / third row, of each round: {middle:.2f} ({low:.2f}-{high:.2f})")


def show(result):
    print(f"Latency of DNS answers ({result['cores']} cores for servers and clients; "
          f"{result['windows']} windows of\n{result['window_s']:g} s of each kind by "
          f"turns: medians, and the ratios of the windows of a round)")
    for setting in result["settings"]:
        print(f"\n{setting['title']}; {setting['most_per_s']} queries/s were answered in "
              f"time,\nof which the second table is half, and {setting['dnsperf_per_s']} for "
              f"dnsperf, of which the third is")
        for found in setting["rates"]:
            show_rate(found)
    print("\n  What the third row is over the first, the cores do, not the daemon.")
