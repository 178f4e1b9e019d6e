# SPDX-License-Identifier: BSD-2-Clause
"""Very many instances: memory, start, and registrations next to few of them."""

import socket
import statistics
import time

import machine
import servers
import updatable

CONNECTIONS = 64
CHUNK = 50000  # instances between two lines of progress
ROUNDS = 4 # each with few instances made anew, or they become many
TURNS = 8
ALONE = 60  # registrations in a turn
MANY = 1000
STARTS = 3


class Gazetteer(updatable.Gazetteer):
    """SRV records, so that every instance has a name of its own."""

    def load(self, services, each, told=False):
        path = self.create_services("s", services, "SRV")
        total, spent = services * each, 0
        for first in range(0, total, CHUNK):
            spent += self.register(path, connections=CONNECTIONS, first=first,
                                   count=min(CHUNK, total - first))["seconds"]
            if told:
                machine.say(f"million: {min(first + CHUNK, total)} of {total} instances, "
                            f"{min(first + CHUNK, total) / spent:.0f}/s")
        self.names = total
        return path, spent

    def launch(self):
        self.process = servers.Process(self.command(), self.work, self.setup.server_cpus,
                                       self.work / "log")


class Nsd(servers.Nsd):
    """The names of the instances. Without their SRV records: NSD compares every record
    with all others of its RRset, so that sets of a thousand take it minutes."""

    def __init__(self, work, setup, services, each):
        super().__init__(work, setup, 0)
        self.services, self.each = services, each

    def write_zone(self, path):
        with open(path, "w", encoding="ascii") as file:
            file.write(f"$ORIGIN {servers.ZONE}.\n$TTL 60\n"
                       "@ SOA ns1 hostmaster 1 7200 900 1209600 60\n@ NS ns1\n"
                       "ns1 A 127.0.0.1\n")
            for number in range(self.services * self.each):
                file.write(f"{instance(number)}.s{number % self.services} A "
                           f"{servers.address(number)}\n")

    def prepare(self):
        self.arguments = self.command()
        self.write_zone(self.work / "zone")

    def launch(self):
        self.process = servers.Process(self.arguments, self.work, self.setup.server_cpus,
                                       self.work / "log")


def instance(number):
    return f"i{number:08d}"


def wait_for_answer(server, name):
    """Like Server.wait_for(), but in steps that can be told apart."""
    question = servers.question(f"{name}.{servers.ZONE}")
    deadline = time.monotonic() + servers.PATIENCE
    while time.monotonic() < deadline and server.process.alive():
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.01)
            try:
                sock.sendto(question, ("127.0.0.1", server.port))
                reply = sock.recv(4096)
                if reply[3] & 15 == 0 and reply[7] > 0:
                    return
            except OSError:
                pass
        time.sleep(0.002)
    raise RuntimeError(f"{server.title} does not answer:\n{server.process.tail()}")


def start_times(server, services, each):
    """Seconds from the start of the process to the first answer, and of CPU until then,
    of every start. What runs is killed as hard as can be."""
    last = services * each - 1
    name = f"{instance(last)}.s{last % services}"
    spent, used = [], []
    for _ in range(STARTS):
        if server.process:
            server.process.kill()
        begin = time.monotonic()
        server.launch()
        wait_for_answer(server, name)
        spent.append(time.monotonic() - begin)
        used.append(server.process.cpu_us() / 1e6)
    return {"starts_s": spent, "starts_cpu_s": used}


def probe(server, path, first):
    """Registrations into these services: one at a time, and many at once."""
    alone = server.register(path, connections=1, count=ALONE, first=first)
    many = server.register(path, connections=CONNECTIONS, count=MANY, first=first + ALONE)
    return {"alone_us": alone["p50_us"], "per_s": many["per_s"],
            "cpu_us": many["server_cpu_us"] / many["done"]}


def take_turns(small, large, rows):
    """Each a server, the services and the number of the first new instance. In turns, so
    that whatever else the machine does meets both alike."""
    sides = {"small": small, "large": large}
    for turn in range(TURNS):
        for key in list(sides)[::-1 if turn % 2 else 1]:
            server, path, first = sides[key]
            rows[key].append(probe(server, path, first + turn * (ALONE + MANY)))


def compare_with_few(large, path, work, setup, options):
    """Registrations next to a store of a thousand instances: in as many services, and in
    one."""
    found = {}
    single = large.work / "single"
    single.write_text(path.read_text().split()[0] + "\n")
    first = options.services * options.instances
    kinds = (("spread", options.services, 1, path),
             ("single", 1, options.instances, single))
    for number, (key, services, each, into) in enumerate(kinds * ROUNDS):
        rows = found.setdefault(key, {"small": [], "large": []})
        small = Gazetteer(work / f"small-{number}", setup).start()
        try:
            small_path, _ = small.load(services, each)
            take_turns((small, small_path, services * each), (large, into, first), rows)
            first += TURNS * (ALONE + MANY)
        finally:
            small.stop()
    return found


def measure_large(work, setup, options):
    services, each = options.services, options.instances
    server = Gazetteer(work / "large", setup).start()
    try:
        empty = server.process.memory()
        path, spent = server.load(services, each, told=True)
        found = {"load_s": spent, "memory": server.process.memory() - empty,
                 "disk": (server.work / "data" / "data.mdb").stat().st_blocks * 512}
        machine.say("million: measuring registrations ...")
        found["registration"] = compare_with_few(server, path, work, setup, options)
        found |= start_times(server, services, each)
        found["names_restarted"] = server.instance_count(path)
        found["memory_restarted"] = server.process.memory() - empty
    finally:
        server.stop()
    return found


def measure_nsd(work, setup, options):
    empty = servers.Nsd(work / "nsd-empty", setup, 0).start()
    server = Nsd(work / "nsd", setup, options.services, options.instances)
    try:
        server.prepare()
        return start_times(server, options.services, options.instances) | {
            "memory": server.process.memory() - empty.process.memory()}
    finally:
        empty.stop()
        server.stop()


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    result = {"services": options.services, "instances": options.instances}
    for key, title, stage in (
            ("nsd", "loading the names into NSD", measure_nsd),
            ("large", "measuring with very many", measure_large)):
        machine.say(f"million: {title} ...")
        result[key] = stage(work, setup, options)
    return result


def show_turns(rows):
    for unit, name in (("alone_us", "one at a time, µs (median)"),
                       ("per_s", f"{CONNECTIONS} connections, per s"),
                       ("cpu_us", "CPU of the daemon each, µs")):
        small, large = ([row[unit] for row in rows[key]] for key in ("small", "large"))
        low, middle, high = statistics.quantiles(
            [many / few for few, many in zip(small, large)], n=4, method="inclusive")
        print(f"  {name:32}{statistics.median(small):12.0f}"
              f"{statistics.median(large):12.0f}{middle:9.2f}"
              f"{f'{low:.2f}-{high:.2f}':>14}")


def show(result):
    total = result["services"] * result["instances"]
    large, nsd = result["large"], result["nsd"]
    print(f"{total} instances ({result['services']} services of {result['instances']}, "
          f"SRV: each instance has a name of its own)\n")
    print(f"  loaded through the API in {large['load_s']:.0f} s, "
          f"{total / large['load_s']:.0f}/s; {large['disk'] / total:.0f} bytes of disk "
          f"for each instance\n")
    print(f"  {'':32}{'gazetteerd':>12}{'NSD':>12}{'ratio':>9}")
    print(f"  {'memory per name, bytes':32}{large['memory'] / total:12.0f}"
          f"{nsd['memory'] / total:12.0f}{large['memory'] / nsd['memory']:9.2f}")
    print(f"  {'same, after a restart':32}"
          f"{large['memory_restarted'] / large['names_restarted']:12.0f}")
    for key, title in (("starts_s", "start to first answer, s"),
                       ("starts_cpu_s", "CPU of that, s")):
        ours_s, nsd_s = (statistics.median(row[key]) for row in (large, nsd))
        print(f"  {title:32}{ours_s:12.2f}{nsd_s:12.2f}{ours_s / nsd_s:9.2f}")
    for key, title, few in (
            ("spread", "into all services", result["services"]),
            ("single", "into one service", result["instances"])):
        print(f"\n  {'Registrations ' + title:32}{f'at {few}':>12}{f'at {total}':>12}"
              f"{'ratio':>9}{'quartiles':>14}")
        show_turns(large["registration"][key])
