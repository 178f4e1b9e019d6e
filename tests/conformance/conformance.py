#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""Compare gazetteerd with NSD, Knot DNS and BIND, message by message."""

import argparse
import collections
import os
import signal
import sys

sys.dont_write_bytecode = True

import compare
import differences
import message
import peers
import queries
from peers import nameserver


def parse_options():
    parser = argparse.ArgumentParser(
        prog="contrib/dev conformance", description=__doc__,
        formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--world", action="append", choices=compare.WORLDS,
                        help="which zones; repeatable; all of them if none is named")
    parser.add_argument("--seed", type=int, default=1, help="of zones and queries")
    parser.add_argument("--zones", type=int, default=200, help="random zones")
    parser.add_argument("--queries", type=int, metavar="N", default=0,
                        help="so many of each world's queries by chance; 0: all")
    parser.add_argument("--show", type=int, default=20, help="differences shown in full")
    parser.add_argument("--wire", metavar="HEX", help="one message: show all replies to it")
    parser.add_argument("--tcp", action="store_true", help="send it over TCP")
    options = parser.parse_args()
    if options.wire and len(options.world or ()) != 1:
        parser.error("--wire needs one --world")
    return options


def say(text):
    print(text, flush=True)


def show_one(world, query):
    case = compare.ask_one(world, query)
    say(message.query_text(query.wire))
    for server, wire in case.wires.items():
        say(f"\n== {server}\n{message.reply_text(wire)}")
    for found in case.differences():
        entry = differences.find(case, found)
        say(f"\ndiffers in {found.field}: " + (f"{entry.name}, {entry.rfc}" if entry else
                                               "not in the table"))
    return 0


def run_world(world, show):
    """All differences of a world; the number of those not shown here is told."""
    found = compare.Comparison(world, say).run()
    for case, left in found.failed()[:show]:
        say(f"\n{compare.case_text(world, case, left)}")
    if len(found.failed()) > show:
        say(f"\n... and {len(found.failed()) - show} more")
    fields = collections.Counter(difference.field for _, left in found.failed()
                                 for difference in left)
    say(f"{world.name}: {found.asked()} queries, {len(found.failed())} differ" +
        "".join(f", {count} in {field}" for field, count in fields.most_common()))
    for entry in differences.TABLE:
        if entry.name in found.used:
            say(f"  known: {entry.name} ({entry.rfc})")
    return len(found.failed())


def main():
    options = parse_options()
    nameserver.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    if not os.access(peers.BUILD / "gazetteerd", os.X_OK):
        sys.exit(f"{peers.BUILD}/gazetteerd is missing: build first, or set GAZ_BUILD")
    picked = [compare.World(name, options.seed, options.zones, options.queries or None)
              for name in options.world or compare.WORLDS]
    if options.wire:
        wire = bytes.fromhex(options.wire.strip("-"))
        return show_one(picked[0], queries.Query(wire, options.tcp))
    failed = sum([run_world(world, options.show) for world in picked])
    say(f"{failed} differences that are not in the table (tests/conformance/differences.py)")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
