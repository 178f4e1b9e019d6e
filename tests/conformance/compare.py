# SPDX-License-Identifier: BSD-2-Clause
"""One world in all servers: ask, judge, collect by group."""

import dataclasses
import tempfile
import time

import dns.name

import exchange
import judge
import message
import peers
import queries
import worlds

WORLDS = ("features", "root", "random")
# Where the odd messages are asked: they need a zone with a name that has an address.
ODD_ZONE, ODD_NAME = "feat.test", "www"
SIZES_ZONE = "big.test"


@dataclasses.dataclass
class World:
    name: str
    seed: int = 1
    zones: int = 0
    limit: int = None

    def command(self, query):
        """What shows the replies to one query again."""
        made = f" --seed {self.seed} --zones {self.zones}" if self.name == "random" else ""
        return (f"contrib/dev conformance --world {self.name}{made} "
                f"--wire {query.wire.hex() or '-'}" + (" --tcp" if query.tcp else ""))


@dataclasses.dataclass
class Group:
    """The queries about one zone, or of one kind."""

    asked: int = 0
    failed: list = dataclasses.field(default_factory=list)  # (Case, [Difference])


class Comparison:
    def __init__(self, world, tell=lambda text: None):
        self.world, self.tell = world, tell
        self.groups, self.used = {}, set()

    def run(self):
        with tempfile.TemporaryDirectory(prefix="gaz-conf-") as work:
            zones = self.stage(work)
            with peers.Farm(work, zones) as farm:
                started = time.monotonic()
                self.ask_ordinary(farm)
                if ODD_ZONE in zones:
                    self.ask_odd(farm)
                exchange.forget_connections()
                self.tell(f"{self.world.name}: {self.asked()} queries to each server in "
                          f"{time.monotonic() - started:.1f} s")
        return self

    def stage(self, work):
        zones = worlds.stage(self.world.name, f"{work}/zones", self.world.seed,
                             self.world.zones)
        self.tell(f"{self.world.name}: {len(zones)} zones")
        self.records = {wire_name(origin): worlds.read_records(origin, path)
                        for origin, path in zones.items()}
        self.apexes = frozenset(self.records)
        return zones

    def asked(self):
        return sum(group.asked for group in self.groups.values())

    def failed(self):
        return [failure for group in self.groups.values() for failure in group.failed]

    def judge(self, group, query, wires):
        case = judge.Case(query, wires, self.apexes)
        left, used = case.unexplained()
        self.used |= used
        group = self.groups.setdefault(group, Group())
        group.asked += 1
        if left:
            group.failed.append((case, left))

    def group_of(self, query):
        """The zone that a query is about."""
        name, _ = message.read_name(query.wire, 12)
        name = name.lower()
        while name is not None and name not in self.apexes:
            name = queries.parent(name)
        return message.name_text(name).rstrip(".") or "." if name else "no zone"

    def ask_ordinary(self, farm):
        found = queries.for_world(self.records, self.world.seed, self.world.limit)
        self.ask(farm, [(self.group_of(query), query) for query in found])
        big = self.records.get(wire_name(SIZES_ZONE))
        if big:
            self.ask(farm, [("sizes", query) for query in queries.sizes(big)])

    def ask(self, farm, asked):
        for tcp in (False, True):
            some = [(group, query) for group, query in asked if query.tcp == tcp]
            wires = [query.wire for _, query in some]
            if tcp:
                replies = [exchange.ask_tcp(port, wires) for port in farm.ports.values()]
            else:
                replies = exchange.ask_udp(list(farm.ports.values()), wires, lambda done, of:
                                           self.tell(f"{self.world.name}: {done} of {of}"))
            for (group, query), found in zip(some, zip(*replies)):
                self.judge(group, query, dict(zip(farm.ports, found)))

    def ask_odd(self, farm):
        apex, www = wire_name(ODD_ZONE), wire_name(f"{ODD_NAME}.{ODD_ZONE}")
        for name, wires in queries.odd_messages(apex, www).items():
            for tcp in (False, True):
                for wire, found in zip(wires, zip(*ask_odd(farm, wires, apex, tcp))):
                    group = f"odd {name} {'TCP' if tcp else 'UDP'}"
                    self.judge(group, queries.Query(wire, tcp), dict(zip(farm.ports, found)))


def ask_odd(farm, wires, apex, tcp):
    exchange_odd = exchange.ask_odd_tcp if tcp else exchange.ask_odd_udp
    probe = message.build([message.question(apex, message.SOA)])
    return [exchange_odd(port, wires, probe) for port in farm.ports.values()]


def wire_name(text):
    return dns.name.from_text(text).to_wire().lower()


def ask_one(world, query):
    """The case of one query, asked as if it were odd."""
    with tempfile.TemporaryDirectory(prefix="gaz-conf-") as work:
        zones = worlds.stage(world.name, f"{work}/zones", world.seed, world.zones)
        apexes = frozenset(map(wire_name, zones))
        with peers.Farm(work, zones) as farm:
            found = ask_odd(farm, [query.wire], min(apexes, key=len), query.tcp)
            return judge.Case(query, {name: replies[0] for name, replies
                                      in zip(farm.ports, found)}, apexes)


def case_text(world, case, differences):
    """A failure for people to read."""
    return "\n".join([f"{'TCP ' if case.query.tcp else ''}{message.query_text(case.query.wire)}",
                      *map(judge.difference_text, differences),
                      f"  again: {world.command(case.query)}"])
