# SPDX-License-Identifier: BSD-2-Clause
"""Random small zones, dense with what is hard: few labels, so that names meet.

A zone keeps the rules that a server may insist on (one CNAME and nothing beside it, one
DNAME, nothing below a DNAME); anything else goes.
"""

import random

LABELS = ("a", "b", "c", "*", "d", "e")
TARGET_LABELS = ("a", "b", "c", "d", "x")


def origins(count):
    """Every fourth zone is the child of the one before it."""
    names = []
    for number in range(count):
        names.append(f"b.{names[-1]}" if number % 4 == 3 else f"r{number}.test")
    return names


class Zone:
    def __init__(self, rng, origin, others):
        self.rng, self.origin, self.others = rng, origin, others
        self.types = {"@": {"SOA", "NS"}}
        self.lines = [f"$TTL {rng.choice((60, 300))}",
                      f"@ {rng.choice((30, 3600))} SOA ns h 1 2 3 4 {rng.choice((5, 999))}",
                      "@ NS ns", "ns A 192.0.2.53"]
        if rng.random() < 0.3:
            self.lines.append(f"@ NS ns.{rng.choice(others)}.")

    def owner(self):
        depth = self.rng.choice((1, 1, 1, 2, 2, 2, 3, 3, 4))
        return ".".join(self.rng.choice(LABELS) for _ in range(depth))

    def target(self):
        """A name to point to: mostly here, sometimes in another zone, or in none."""
        kind = self.rng.random()
        depth = self.rng.choice((1, 1, 2, 2, 3))
        name = ".".join(self.rng.choice(TARGET_LABELS) for _ in range(depth))
        if kind < 0.75:
            return name
        if kind < 0.8:
            return "@"
        if kind < 0.95:
            return f"{name}.{self.rng.choice(self.others)}."
        return f"{name}.elsewhere.example."

    def below_dname(self, owner):
        """Does it lie below a DNAME, or has it something below it?"""
        labels = owner.split(".")
        return any("DNAME" in self.types.get(".".join(labels[n:]), ())
                   for n in range(1, len(labels)))

    def has_children(self, owner):
        return any(name.endswith(f".{owner}") for name in self.types)

    def may_add(self, owner, kind):
        there = self.types.get(owner, set())
        if self.below_dname(owner) or "CNAME" in there:
            return False
        # NSD takes what a parent has below its child's name for the child's.
        if f"b.{self.origin}" in self.others and (
                owner.endswith(".b") or (owner, kind) == ("b", "DNAME")):
            return False
        if kind == "CNAME":
            return not there
        if kind == "DNAME":
            return "*" not in owner and not there & {"DNAME", "NS"} and \
                not self.has_children(owner)
        if kind == "NS":
            return "*" not in owner and "DNAME" not in there
        return True

    def add(self, owner, kind):
        if not self.may_add(owner, kind):
            return
        rng = self.rng
        data = {"A": f"192.0.2.{rng.randrange(256)}",
                "AAAA": f"2001:db8::{rng.randrange(65536):x}",
                "TXT": f'"{rng.randrange(1000)}"',
                "MX": f"{rng.randrange(10)} {self.target()}",
                "SRV": f"1 2 3 {self.target()}",
                "DS": "1 8 2 " + f"{rng.randrange(256):02X}" * 32,
                }.get(kind) or self.target()
        self.types.setdefault(owner, set()).add(kind)
        self.lines.append(f"{owner} {kind} {data}")

    def fill(self, count):
        kinds = ("A", "A", "A", "AAAA", "TXT", "MX", "SRV", "CNAME", "CNAME", "CNAME",
                 "DNAME", "NS", "NS")
        for _ in range(count):
            owner, kind = self.owner(), self.rng.choice(kinds)
            self.add(owner, kind)
            if kind == "NS" and "NS" in self.types.get(owner, ()) and \
                    self.rng.random() < 0.3:
                self.add(owner, "DS")


def generate(seed, count):
    """{origin: lines of its file}; a zone depends on the seed and its number alone,
    but for targets in other zones."""
    names, zones = origins(count), {}
    for number, origin in enumerate(names):
        zone = Zone(random.Random(f"{seed}/{number}"), origin, names)
        zone.fill(zone.rng.choice((4, 10, 25, 50)))
        zones[origin] = zone.lines
    return zones
