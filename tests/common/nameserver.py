# SPDX-License-Identifier: BSD-2-Clause
"""Processes of name servers, ours and others, for benchmarks and for comparisons.

Everything that a server writes lies in the folder that it is given: nothing of what
Debian has configured or started is used.
"""

import ctypes
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None)


def program(name):
    """Where a daemon is: /usr/sbin may not be in the PATH of a user."""
    return shutil.which(name) or f"/usr/sbin/{name}"


def become_subreaper():
    """Orphans of the servers become our children, not init's."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def free_port():
    """A port of 127.0.0.1 that is free on UDP and TCP."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, \
                socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp:
            udp.bind(("127.0.0.1", 0))
            try:
                tcp.bind(udp.getsockname())
            except OSError:
                continue
            return udp.getsockname()[1]


class Process:
    """A child that cannot outlive us, and what it has consumed with its own children."""

    def __init__(self, args, folder, cpus, log):
        def prepare():
            libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if cpus:
                os.sched_setaffinity(0, cpus)

        self.log = pathlib.Path(log)
        with open(log, "wb") as output:
            self.child = subprocess.Popen([str(a) for a in args], cwd=folder,
                                          stdin=subprocess.DEVNULL, stdout=output,
                                          stderr=output, preexec_fn=prepare)

    def alive(self):
        return self.child.poll() is None

    def tail(self):
        return self.log.read_text(errors="replace")[-2000:]

    def pids(self):
        found, queue = [], [self.child.pid]
        while queue:
            pid = queue.pop()
            try:
                for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                    queue += [int(p) for p in (task / "children").read_text().split()]
            except (FileNotFoundError, ProcessLookupError):
                continue  # it has ended meanwhile
            found.append(pid)
        return found

    def cpu_us(self):
        """Time on a CPU, user and system, summed over threads and children."""
        total_ns = 0
        for pid in self.pids():
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total_ns += int((task / "schedstat").read_text().split()[0])
        return total_ns / 1000

    def memory(self):
        """Bytes of anonymous and shared memory, pages of several processes counted once."""
        total = 0
        for pid in self.pids():
            text = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
            for field in ("Pss_Anon", "Pss_Shmem"):
                total += 1024 * int(re.search(rf"^{field}: +(\d+)", text, re.M)[1])
        return total

    def kill(self):
        """End it without a warning."""
        self.stop(signal.SIGKILL)

    def stop(self, sig=signal.SIGTERM):
        """End it, and the children that it may leave to us (we are a subreaper)."""
        others = [pid for pid in self.pids() if pid != self.child.pid] if self.alive() else []
        if self.alive():
            self.child.send_signal(sig)
            try:
                self.child.wait(20)
            except subprocess.TimeoutExpired:
                self.child.kill()
        self.child.wait()
        for pid in others:
            try:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
            except (ProcessLookupError, ChildProcessError):
                pass


# ---- the configuration of the others ---------------------------------------
# Each function writes the configuration of a server on 127.0.0.1 with these zones,
# {origin: path of its file}, and gives its command line. Further lines of the
# configuration come in as text.

def nsd(work, port, zones, workers=1, server=""):
    """NSD; `server` are further lines of its server section."""
    config = f"""
server:
    server-count: {workers}
    ip-address: 127.0.0.1@{port}
    reuseport: yes
    username: ""
    zonesdir: "{work}"
    database: ""
    pidfile: "{work}/pid"
    xfrdfile: "{work}/xfrd"
    zonelistfile: "{work}/zonelist"
    logfile: "{work}/nsd.log"
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
    {server}
remote-control:
    control-enable: no
"""
    for origin, path in zones.items():
        config += f'zone:\n    name: "{origin}"\n    zonefile: "{path}"\n'
    (work / "nsd.conf").write_text(config)
    return [program("nsd"), "-d", "-c", work / "nsd.conf"]


def knot(work, port, zones, workers=1, server="", sections="", zone=""):
    """Knot DNS; further lines of its server section, sections, lines of each zone."""
    config = f"""
server:
    rundir: "{work}"
    listen: 127.0.0.1@{port}
    udp-workers: {workers}
    tcp-workers: 1
    background-workers: 1
    {server}
database:
    storage: "{work}"
log:
  - target: stderr
    any: error
{sections}
zone:
"""
    for origin, path in zones.items():
        config += f'  - domain: "{origin}"\n    file: "{path}"\n    {zone}\n'
    (work / "knot.conf").write_text(config)
    return [program("knotd"), "-c", work / "knot.conf"]


def bind(work, port, zones, workers=1, options="", zone=""):
    """BIND; further lines of its options and of each zone."""
    config = f"""
options {{
    directory "{work}";
    pid-file "{work}/pid";
    session-keyfile "{work}/session.key";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    recursion no;
    notify no;
    dnssec-validation no;
    {options}
}};
logging {{
    channel quiet {{ stderr; severity warning; }};
    category default {{ quiet; }};
    category update-security {{ quiet; }};
}};
controls {{ }};
"""
    for origin, path in zones.items():
        config += f'zone "{origin}" {{ type primary; file "{path}"; {zone} }};\n'
    (work / "named.conf").write_text(config)
    return [program("named"), "-f", "-n", workers, "-c", work / "named.conf"]
