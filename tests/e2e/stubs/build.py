# SPDX-License-Identifier: BSD-2-Clause
"""Builds the clients of test_stubs.py, once; gives how each is run."""

import fcntl
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
GO, JAVA, JAVAC, NODE = "/usr/bin/go", "/usr/bin/java", "/usr/bin/javac", "/usr/bin/node"


def _compile(where):
    source = HERE / "lookup.c"
    steps = [
        ["gcc", "-O1", "-D_GNU_SOURCE", "-o", where / "glibc", source, "-lresolv"],
        ["musl-gcc", "-O1", "-D_GNU_SOURCE", "-static", "-o", where / "musl", source],
        [GO, "build", "-o", where / "go", HERE / "lookup.go"],
        [JAVAC, "-d", where, HERE / "Lookup.java"],
    ]
    env = {**os.environ, "GOCACHE": str(where / "go-cache"), "GO111MODULE": "off",
           "GOFLAGS": "", "CGO_ENABLED": "0"}
    for step in steps:
        subprocess.run([str(part) for part in step], env=env, check=True, timeout=300,
                       stdin=subprocess.DEVNULL)


def clients(where):
    """Name -> command; each takes KIND:NAME as arguments and prints a line of JSON for
    each. In `where`, which other test runs may use at the same time."""
    where = pathlib.Path(where).resolve()
    where.mkdir(parents=True, exist_ok=True)
    newest = max(path.stat().st_mtime for path in HERE.iterdir())
    with open(where / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = where / "done"
        if not done.exists() or done.stat().st_mtime < newest:
            _compile(where)
            done.touch()
    return {
        "glibc": [where / "glibc"],
        "musl": [where / "musl"],
        "go": [where / "go"],
        "node": [NODE, HERE / "lookup.mjs", "system"],
        "c-ares": [NODE, HERE / "lookup.mjs", "c-ares"],
        "python": [sys.executable, HERE / "lookup.py"],
        "java": [JAVA, "-XX:TieredStopAtLevel=1", "-Xshare:auto", "-cp", where, "Lookup"],
    }
