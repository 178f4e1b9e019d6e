# SPDX-License-Identifier: BSD-2-Clause
"""Loading a large zone file: time to the first answer, and memory."""

import pathlib
import re
import statistics
import subprocess
import time

import machine
import servers
from stage_million import wait_for_answer

YOUNG_S = 0.1  # gazetteerd reads a file again that may still be changing when it begins
SETTLE_S = 1  # until memory is read: what was taken for loading only has gone
SERVERS = {"gazetteerd": servers.Gazetteer, "nsd": servers.Nsd, "knot": servers.Knot}


def peak(server):
    """The most resident memory that one of its processes has ever had, bytes."""
    texts = [pathlib.Path(f"/proc/{pid}/status").read_text()
             for pid in server.process.pids()]
    return 1024 * max(int(size) for text in texts
                      for size in re.findall(r"^VmHWM:\s+(\d+)", text, re.M))


def launch(server):
    """From exec to the answer for the last name; seconds, and of them on a CPU."""
    command = server.command() # writes the zone file
    time.sleep(YOUNG_S)
    begin = time.monotonic()
    server.process = servers.Process(command, server.work, server.setup.server_cpus,
                                     server.work / "log")
    wait_for_answer(server, servers.host_name(server.names - 1) if server.names else "ns1")
    return {"wall_s": time.monotonic() - begin, "cpu_s": server.process.cpu_us() / 1e6}


def reload(server, setup):
    """All of it again, by command: until it is served."""
    begin = time.monotonic()
    subprocess.run([setup.build / "gazctl", "--socket", server.socket, "zone", "reload"],
                   stdout=subprocess.DEVNULL, check=True)
    return time.monotonic() - begin


def measure_one(key, work, setup, names):
    server = SERVERS[key](work, setup, names)
    try:
        found = launch(server)
        time.sleep(SETTLE_S)
        found |= {"memory": server.process.memory(), "peak": peak(server)}
        if key == "gazetteerd" and names:
            found["reload_s"] = reload(server, setup)
            found["memory_reloaded"] = server.process.memory()
        return found
    finally:
        server.stop()


def measure(work, setup, options):
    setup = machine.together(setup, options.cores)
    names = options.load_names
    empty = {key: measure_one(key, work / f"{key}-empty", setup, 0) for key in SERVERS}
    rounds = {key: [] for key in SERVERS}
    for number in range(options.rounds):
        for key in SERVERS:
            row = measure_one(key, work / f"{key}-{number}", setup, names)
            rounds[key].append(row)
            machine.say(f"load: round {number + 1} of {options.rounds}: "
                        f"{SERVERS[key].title} {row['wall_s']:.2f} s")
    return {"names": names, "empty": empty, "rounds": rounds}


def median(result, key, what, less=None):
    """Of the rounds; what the empty server has taken off, by name, where `less` says what."""
    values = [row[what] for row in result["rounds"][key]]
    if less:
        values = [(value - result["empty"][key][less]) / result["names"]
                  for value in values]
    return statistics.median(values)


def show(result):
    print(f"Loading a zone file with {result['names']} names of one A record (medians of "
          f"{len(result['rounds']['nsd'])} rounds)\n")
    print(f"  {'':34}{'gazetteerd':>12}{'NSD':>10}{'Knot DNS':>10}{'/ NSD':>8}{'/ Knot':>8}")
    for what, title, per_name in (
            ("wall_s", "exec to first answer, s", False),
            ("cpu_s", "CPU of that, s", False),
            ("memory", "memory per name, bytes", True),
            ("peak", "the most it ever had, per name", True)):
        ours, nsd, knot = (median(result, key, what, what if per_name else None)
                           for key in SERVERS)
        form = ".0f" if per_name else ".2f"
        # NSD loads in a process that hands over to others: its peak is not seen.
        seen = what != "peak"
        print(f"  {title:34}{ours:12{form}}{format(nsd, form) if seen else '-':>10}"
              f"{knot:10{form}}{format(ours / nsd, '.2f') if seen else '-':>8}"
              f"{ours / knot:8.2f}")
    print(f"\n  all of it again (gazctl zone reload): "
          f"{median(result, 'gazetteerd', 'reload_s'):.2f} s, then "
          f"{median(result, 'gazetteerd', 'memory_reloaded', 'memory'):.0f} bytes per name")
