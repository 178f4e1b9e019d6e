# SPDX-License-Identifier: BSD-2-Clause
"""Network namespaces: machines of their own, with port 53 free, and wires between."""

import contextlib
import itertools
import os
import pathlib
import shutil
import subprocess

import gaz

_numbers = itertools.count()


def ip(*args):
    subprocess.run(["ip", *map(str, args)], check=True, timeout=gaz.PATIENCE,
                   stdin=subprocess.DEVNULL)


class Netns:
    """One machine; `prefix` runs a command on it."""

    def __init__(self):
        self.name = f"gaz-{os.getpid()}-{next(_numbers)}"
        ip("netns", "add", self.name)
        self.etc = None
        self.prefix = ["ip", "netns", "exec", self.name]
        self.ip("link", "set", "lo", "up")

    def ip(self, *args):
        ip("-n", self.name, *args)

    def resolv_conf(self, text):
        """What its programs find as /etc/resolv.conf (ip-netns(8)), and nothing else."""
        self.etc = pathlib.Path("/etc/netns") / self.name
        self.etc.mkdir(parents=True, exist_ok=True)
        (self.etc / "resolv.conf").write_text(text, encoding="ascii")

    def delete(self):
        ip("netns", "del", self.name)
        if self.etc:
            shutil.rmtree(self.etc)

    def wire(self, other, here, there):
        """A link to another machine, with these addresses (CIDR)."""
        ends = [f"w{os.getpid() % 10000}x{next(_numbers)}" for _ in range(2)]
        ip("link", "add", ends[0], "netns", self.name, "type", "veth", "peer", "name",
           ends[1], "netns", other.name)
        for machine, end, address in ((self, ends[0], here), (other, ends[1], there)):
            machine.ip("addr", "add", address, "dev", end)
            machine.ip("link", "set", end, "up")

    def daemon(self, home, *options, **kwargs):
        """gazetteerd on it; its API over the management socket."""
        return Daemon(self, home, *options, **kwargs)


class Daemon(gaz.Daemon):
    def __init__(self, machine, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.machine = machine

    def command(self):
        return [*self.machine.prefix, *super().command()]

    def _parse_ready(self, line):
        super()._parse_ready(line)
        self.api = self.unix_api


@contextlib.contextmanager
def machines(count):
    made = []
    try:
        for _ in range(count):
            made.append(Netns())
        yield made
    finally:
        for machine in made:
            machine.delete()
