# SPDX-License-Identifier: BSD-2-Clause
"""The AWS SDK for JavaScript, run by Debian's node: js/calls.mjs at the end of a pipe.

The SDK comes from npm's registry, as js/package-lock.json says, into GAZ_JS (default: a
folder in GAZ_BUILD), once: "python3 js_sdk.py DIR" does it before the tests, and a test
that finds nothing does it itself. Where that fails, the tests fail.
"""

import fcntl
import hashlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import threading

HERE = pathlib.Path(__file__).resolve().parent / "js"
NODE, NPM = "/usr/bin/node", "/usr/bin/npm"  # Debian's, whatever else is in PATH


def install(where):
    """`npm ci` into a folder that is named after the lock file; gives that folder."""
    where = pathlib.Path(where).resolve()
    digest = hashlib.sha256()
    for name in ("package.json", "package-lock.json"):
        digest.update((HERE / name).read_bytes())
    place = where / digest.hexdigest()[:16]
    where.mkdir(parents=True, exist_ok=True)
    with open(where / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (place / "node_modules").exists():
            return place
        fresh = where / "new"
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for name in ("package.json", "package-lock.json"):
            shutil.copyfile(HERE / name, fresh / name)
        done = subprocess.run(
            [NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund",
             "--no-update-notifier"], cwd=fresh, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300,
            encoding="utf-8", errors="replace")
        if done.returncode:
            raise RuntimeError("npm could not install the AWS SDK for JavaScript; is its "
                               f"registry to be reached?\n{done.stdout}")
        fresh.rename(place)
    return place


class Failed(Exception):
    """What the SDK threw, with the fields that calls.mjs gives it."""

    def __init__(self, fields):
        super().__init__(f"{fields['name']}: {fields['message']}")
        self.__dict__.update(fields)


class Sdk:
    """One node process. `check` gets (operation, status, body) of every reply."""

    def __init__(self, place, env, patience, check):
        self.patience, self.check = patience, check
        self.wire, self.connections = [], 0
        self.process = subprocess.Popen(
            [NODE, str(HERE / "calls.mjs"), str(place)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, env={**env, "NODE_NO_WARNINGS": "1"})
        self.lines = queue.Queue()
        self.reader = threading.Thread(target=self._read)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(b"")

    def ask(self, command, **fields):
        self.process.stdin.write(json.dumps({"command": command, **fields}).encode() + b"\n")
        self.process.stdin.flush()
        line = self.lines.get(timeout=self.patience)
        assert line, "node ended"
        reply = json.loads(line)
        self.wire, self.connections = reply["wire"], reply.get("connections", 0)
        for item in self.wire:
            self.check(item["target"].split(".")[1], item["status"], item["body"].encode())
        if "error" in reply:
            raise Failed(reply["error"])
        return reply["result"]

    def open(self, endpoint, **config):
        """A new client; the discovery prefix is off unless told otherwise."""
        self.ask("open", endpoint=endpoint, **{"disableHostPrefix": True, **config})
        return self

    def call(self, operation, **members):
        return self.ask("call", operation=operation, input=members)

    def pages(self, operation, size, **members):
        return self.ask("pages", paginator="paginate" + operation, pageSize=size,
                        input=members)

    def close(self):
        self.process.stdin.close()
        try:
            status = self.process.wait(self.patience)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        assert status == 0, f"node ended with {status}"


if __name__ == "__main__":
    print(install(sys.argv[1]))
