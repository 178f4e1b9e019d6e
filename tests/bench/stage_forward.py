# SPDX-License-Identifier: BSD-2-Clause
"""What an answer of an upstream costs once it is cached, next to Unbound, and what
forwarding costs those that ask for our own names."""

import dataclasses
import subprocess

import nameserver
import servers
import stage_query
from machine import say


class Unbound(servers.Server):
    """Forwards all names to one upstream, as the gazetteerd beside it."""

    title = "Unbound"

    def __init__(self, work, setup, names, upstream):
        super().__init__(work, setup, names)
        self.upstream = upstream

    def command(self):
        config = self.work / "unbound.conf"
        config.write_text(f"""
server:
    num-threads: {self.setup.workers}
    interface: 127.0.0.1
    port: {self.port}
    access-control: 127.0.0.0/8 allow
    chroot: ""
    username: ""
    directory: "{self.work}"
    pidfile: "{self.work}/pid"
    use-syslog: no
    module-config: "iterator"
    do-not-query-localhost: no
    so-reuseport: yes
    local-zone: "test." nodefault
    msg-cache-size: 64m
    rrset-cache-size: 128m
forward-zone:
    name: "."
    forward-addr: 127.0.0.1@{self.upstream.port}
""")
        return [nameserver.program("unbound"), "-d", "-c", config]


def forward_to(upstream):
    """The zone is one of those that are not forwarded unless they are named."""
    address = f"127.0.0.1:{upstream.port}"
    return ["--forward", address, "--forward", f"test={address}"]


class Forwarding(servers.Gazetteer):
    """Has no zone: all names are its upstream's."""

    title = "gazetteerd, cached"

    def __init__(self, work, setup, names, upstream):
        super().__init__(work, setup, names)
        self.upstream = upstream

    def command(self):
        return self.daemon(*forward_to(self.upstream))


class Both(servers.Gazetteer):
    """Has the zone itself, and forwards the names that nobody asks for here."""

    title = "gazetteerd --forward, own"

    def __init__(self, work, setup, names, upstream):
        super().__init__(work, setup, names)
        self.upstream = upstream

    def command(self):
        return super().command() + forward_to(self.upstream)


class Alone(servers.Gazetteer):
    title = "gazetteerd, own"


def fill(server, queries):
    """Each name once, so that it is cached, gently: answers come from the upstream."""
    subprocess.run(["dnsperf", "-s", "127.0.0.1", "-p", str(server.port), "-d",
                    str(queries), "-n", "1", "-c", "1", "-T", "1", "-q", "50", "-t", "5"],
                   stdin=subprocess.DEVNULL, capture_output=True, check=True)


def measure_running(running, upstream, work, setup, options):
    for key, kind in (("cached", Forwarding), ("unbound", Unbound), ("both", Both)):
        say(f"starting {kind.title} ...")
        running[key] = kind(work / key, setup, options.names, upstream).start()
    running["alone"] = Alone(work / "alone", setup, options.names).start()
    queries = work / "queries"
    stage_query.write_queries(queries, options)
    rounds = {key: [] for key in running}
    for number in range(options.rounds):
        for key, server in running.items():
            if key in ("cached", "unbound"):
                fill(server, queries)
            rounds[key].append(stage_query.measure_round(server, setup, queries, options))
            say(f"round {number + 1} of {options.rounds}: {server.title} "
                f"{rounds[key][-1]['cpu_us_per_query']:.2f} µs")
    return {"names": options.names, "workers": options.workers,
            "titles": {key: server.title for key, server in running.items()},
            "queries": {key: stage_query.summarise(found) for key, found in rounds.items()}}


def measure(work, setup, options):
    # All of them stay in the cache; with the memory that each has, more would not.
    options = Options(options.queries, options.rounds, options.workers)
    running = {}
    upstream = servers.Nsd(work / "upstream", setup, options.names)
    try:
        say("starting the upstream ...")
        upstream.start()
        return measure_running(running, upstream, work, setup, options)
    finally:
        for server in [*running.values(), upstream]:
            server.stop()


@dataclasses.dataclass
class Options:
    queries: int
    rounds: int
    workers: int
    names: int = 10000


def show(result):
    found, titles = result["queries"], result["titles"]
    print(f"CPU time per query for names of others, cached, and for our own with and "
          f"without\n--forward ({result['names']} names, 10 % of the queries for missing "
          f"ones, {result['workers']} worker(s) each)\n")
    print(f"  {'':26}{'µs':>7}{'min':>8}{'max':>8}{'queries/s':>12}{'lost':>7}")
    for key, row in found.items():
        print(f"  {titles[key]:26}{row['median']:7.2f}{row['min']:8.2f}{row['max']:8.2f}"
              f"{row['queries_per_s']:12.0f}{row['lost']:7d}   {row['rcodes']}")
    print(f"\n  cached / Unbound  "
          f"{found['cached']['median'] / found['unbound']['median']:.2f}"
          f"\n  own with / without --forward  "
          f"{found['both']['median'] / found['alone']['median']:.3f}"
          f" (of the least: {found['both']['min'] / found['alone']['min']:.3f})")
