#!/usr/bin/python3
# SPDX-License-Identifier: BSD-2-Clause
"""What queries and registrations cost; tests/bench/README describes the method."""

import argparse
import json
import pathlib
import shutil
import signal
import sys
import tempfile

sys.dont_write_bytecode = True

import servers
import machine
import stage_discover
import stage_engine
import stage_forward
import stage_latency
import stage_load
import stage_million
import stage_query
import stage_update

STAGES = {
    "queries": stage_query,
    "engine": stage_engine,
    "forward": stage_forward,
    "updates": stage_update,
    "discover": stage_discover,
    "latency": stage_latency,
    "load": stage_load,
    "million": stage_million,
}


def parse_options():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.ArgumentDefaultsHelpFormatter)
    parser.add_argument("--build", default="build", help="folder with the programs")
    parser.add_argument("--only", default=",".join(STAGES), metavar="STAGES",
                        help="which stages to run")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--workers", type=int, default=1, help="of each server")
    parser.add_argument("--json", action="store_true", help="print JSON, not tables")
    stage = parser.add_argument_group("queries")
    stage.add_argument("--names", type=int, default=100000, help="of each server")
    stage.add_argument("--queries", type=int, default=300000, help="in one round")
    stage.add_argument("--registrations", type=int, default=1000, help="per namespace")
    stage.add_argument("--servers", default=",".join(stage_query.SERVERS),
                       help="which to measure")
    stage = parser.add_argument_group("the other stages")
    stage.add_argument("--cores", type=int, default=2,
                       help="for server and clients together")
    stage.add_argument("--updates", type=int, default=10000,
                       help="updates: new records in one round")
    stage.add_argument("--seconds", type=float, default=3,
                       help="discover: length of a round")
    stage.add_argument("--windows", type=int, default=5,
                       help="latency: windows of each kind")
    stage.add_argument("--window", type=float, default=2, metavar="SECONDS",
                       help="latency: length of a window")
    stage.add_argument("--load-names", type=int, default=1000000,
                       help="load: names of the zone file")
    stage.add_argument("--services", type=int, default=1000, help="million: services")
    stage.add_argument("--instances", type=int, default=1000,
                       help="million: instances of each service")
    options = parser.parse_args()
    options.only = options.only.split(",")
    for name in options.only:
        if name not in STAGES:
            parser.error(f"--only: there is no stage '{name}', but {', '.join(STAGES)}")
    return options


def measure(work, options):
    setup = machine.make_setup(options)
    found = {}
    for name in options.only:
        folder = work / name
        folder.mkdir()
        found[name] = STAGES[name].measure(folder, setup, options)
        shutil.rmtree(folder)
    return found


def main():
    options = parse_options()
    work = pathlib.Path(tempfile.mkdtemp(prefix="gaz-bench-"))
    servers.become_subreaper()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        found = measure(work, options)
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(work, ignore_errors=True)
    if options.json:
        json.dump(found, sys.stdout, indent=2, ensure_ascii=False)
        print()
        return 0
    for number, (name, result) in enumerate(found.items()):
        print("\n" if number else "", end="")
        STAGES[name].show(result)
    return 0


if __name__ == "__main__":
    sys.exit(main())
