# SPDX-License-Identifier: BSD-2-Clause
"""What makes a query dearer: more names, EDNS, large sets, many VPCs, TCP."""

import random
import re
import shutil
import subprocess

import servers
import stage_query
from machine import say

VPCS, NAMESPACES_EACH, SET_SIZE = 200, 50, 100
OWN_VPC = f"vpc-{VPCS - 1}"
COOKIE = "10:0123456789abcdef"


class Zone(servers.Gazetteer):
    """A static zone of so many names."""

    title = "gazetteerd"


class Namespaces(servers.Gazetteer):
    """Data that comes through the API; the names to ask for in `asked`."""

    def command(self):
        return self.daemon()

    def start(self):
        self.process = servers.Process(self.command(), self.work, self.setup.server_cpus,
                                       self.work / "log")
        try:
            servers.wait_for_path(self.socket, self.process)
            self.asked = self.load()
        except BaseException:
            self.process.stop()
            raise
        return self

    def load(self):
        raise NotImplementedError


class LargeSet(Namespaces):
    """MULTIVALUE services with 100 instances each."""

    title = f"MULTIVALUE, {SET_SIZE} instances"

    def load(self):
        namespace = servers.create_namespace(self.socket, servers.ZONE)
        names = [servers.host_name(n) for n in range(self.names // SET_SIZE)]
        ids = servers.create_services(self.socket, namespace, names)
        servers.call_many(self.socket, "RegisterInstance", (
            {"ServiceId": service, "InstanceId": f"i{n}",
             "Attributes": {"AWS_INSTANCE_IPV4": servers.address(n)}}
            for service in ids for n in range(SET_SIZE)))
        return [f"{name}.{servers.ZONE}" for name in names]


class ManyVpcs(Namespaces):
    """Each VPC has the same 50 private namespaces; loopback is one of the VPCs."""

    title = f"{VPCS} VPCs, {VPCS * NAMESPACES_EACH:,} namespaces"

    def command(self):
        options = ["--vpc", f"{OWN_VPC}=127.0.0.0/8"]
        for n in range(VPCS - 1):
            options += ["--vpc", f"vpc-{n}=10.{n}.0.0/16"]
        return self.daemon(*options)

    def load(self):
        names = [f"ns{n:02d}.{servers.ZONE}" for n in range(NAMESPACES_EACH)]
        wanted = [(name, f"vpc-{vpc}") for name in names for vpc in range(VPCS)]
        operations = servers.call_many(self.socket, "CreatePrivateDnsNamespace", (
            {"Name": name, "Vpc": vpc} for name, vpc in wanted))
        done = servers.call_many(self.socket, "GetOperation", (
            {"OperationId": reply["OperationId"]} for reply in operations))
        ids = [reply["Operation"]["Targets"]["NAMESPACE"] for reply in done]
        hosts = [servers.host_name(n)
                 for n in range(self.names // (VPCS * NAMESPACES_EACH))]
        for (_, vpc), namespace in zip(wanted, ids):
            servers.load_names(self.socket, namespace,
                               range(len(hosts)) if vpc == OWN_VPC else range(1))
        return [f"{host}.{name}" for name in names for host in hosts]


def random_lines(names, count):
    """Of these names, one in ten missing, as in stage_query."""
    pick = random.Random(1)
    for _ in range(count):
        name = names[pick.randrange(len(names))]
        yield f"no{name} A\n" if pick.randrange(10) == 0 else f"{name} A\n"


def write_asked(path, names, count):
    path.write_text("".join(random_lines(names, count)), encoding="ascii")
    return path


def zone_names(count):
    return [f"{servers.host_name(n)}.{servers.ZONE}" for n in range(count)]


def rows(work, setup, options, running):
    """(key, title, server, queries, options of dnsperf); starts the servers."""
    def start(kind, key, names):
        say(f"starting {kind.title} with {names} names ...")
        running[key] = kind(work / key, setup, names)
        return running[key].start()

    def asked(key, names):
        return write_asked(work / f"{key}-queries", names, options.names)

    plain = start(Zone, "plain", options.names)
    queries = asked("plain", zone_names(options.names))
    yield "plain", "plain", plain, queries, []
    yield "cookie", "EDNS and a cookie", plain, queries, ["-e", "-E", COOKIE]
    for key, names in (("few", 1000), ("many", 1000000)):
        yield (key, f"{names:,} names", start(Zone, key, names),
               asked(key, zone_names(names)), [])
    for key, kind in (("large-set", LargeSet), ("vpcs", ManyVpcs)):
        server = start(kind, key, options.names)
        yield key, kind.title, server, asked(key, server.asked), []


def tcp_rows(work, setup, options, running):
    for key in ("plain", "nsd", "knot"):
        if key not in running:
            running[key] = stage_query.SERVERS[key](work / key, setup, options.names)
            running[key].start()
        yield key, running[key]


def measure_all(found, options, measure):
    """In turn, and every other round backwards: the machine gets faster and slower."""
    rounds = {row[0]: [] for row in found}
    for number in range(options.rounds):
        for row in found[::-1 if number % 2 else 1]:
            rounds[row[0]].append(measure(row))
            say(f"round {number + 1} of {options.rounds}: {row[1]} "
                f"{rounds[row[0]][-1]['cpu_us_per_query']:.2f} µs")
    return {row[0]: stage_query.summarise(rounds[row[0]]) for row in found}


def measure_running(running, work, setup, options):
    udp = list(rows(work, setup, options, running))
    result = {"titles": {row[0]: row[1] for row in udp},
              "udp": measure_all(udp, options, lambda row: stage_query.measure_round(
                  row[2], setup, row[3], options, row[4]))}
    queries = udp[0][3]
    tcp = [(key, f"{server.title}, TCP", server)
           for key, server in tcp_rows(work, setup, options, running)]
    result["tcp"] = measure_all(tcp, options, lambda row: stage_query.measure_round(
        row[2], setup, queries, options, ["-m", "tcp"]))
    result["tcp_titles"] = {key: server.title for key, _, server in tcp}
    return result


def count_instructions(setup):
    """Of the engine alone, for each query; None where valgrind is missing."""
    program = setup.build / "bench_answer"
    if not shutil.which("valgrind") or not program.exists():
        return None
    say("counting instructions ...")
    output = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         "--toggle-collect=answer_all", program, "--count"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    queries = int(re.search(r"queries=(\d+)", output.stdout)[1])
    return int(re.search(r"Collected : (\d+)", output.stderr)[1]) / queries


def measure(work, setup, options):
    running = {}
    try:
        result = measure_running(running, work, setup, options)
    finally:
        for server in running.values():
            server.stop()
    result["instructions"] = count_instructions(setup)
    return result


def show(result):
    udp = result["udp"]
    print("CPU time per query of gazetteerd over UDP (median of the rounds)\n")
    print(f"  {'':32}{'µs':>7}{'min':>8}{'max':>8}{'lost':>7}{'ratio':>9}")
    for key, row in udp.items():
        base = "few" if key in ("few", "many") else "plain"
        ratio = row["median"] / udp[base]["median"]
        print(f"  {result['titles'][key]:32}{row['median']:7.2f}{row['min']:8.2f}"
              f"{row['max']:8.2f}{row['lost']:7d}{ratio:9.2f}"
              f"  of {result['titles'][base]}")
    tcp = result["tcp"]
    print("\nTCP, persistent connections, pipelined: queries per CPU second\n")
    for key, row in tcp.items():
        print(f"  {result['tcp_titles'][key]:32}{1e6 / row['median']:9.0f}   "
              f"{tcp['knot']['median'] / row['median']:.2f} of Knot DNS, "
              f"{tcp['nsd']['median'] / row['median']:.2f} of NSD")
    if result["instructions"]:
        print(f"\nThe engine alone: {result['instructions']:.0f} instructions a query")
