# SPDX-License-Identifier: BSD-2-Clause
"""The servers that bench.py measures: how each is started and read out."""

import ctypes
import http.client
import json
import os
import pathlib
import re
import selectors
import shutil
import signal
import socket
import subprocess
import time

ZONE = "bench.test"
PATIENCE = 120  # seconds until a server must have loaded its zone
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
libc = ctypes.CDLL(None)


def become_subreaper():
    """Orphans of the servers become our children, not init's."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1)


def host_name(number):
    return f"h{number:06d}"


def address(number):
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def write_zone(path, names):
    """The zone that every server gets: one A record for each name."""
    with open(path, "w", encoding="ascii") as file:
        file.write(f"$ORIGIN {ZONE}.\n$TTL 60\n"
                   "@ SOA ns1 hostmaster 1 7200 900 1209600 60\n"
                   "@ NS ns1\nns1 A 127.0.0.1\n")
        for number in range(names):
            file.write(f"{host_name(number)} A {address(number)}\n")


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


def question(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


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
            found.append(pid)
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                queue += [int(p) for p in (task / "children").read_text().split()]
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
        others = self.pids()[1:] if self.alive() else []
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


class Server:
    """One server with one zone of so many names."""

    title = "?"
    # Does it answer from a zone, or only send back what it got?
    authoritative = True

    def __init__(self, work, setup, names):
        self.work = pathlib.Path(work)
        self.work.mkdir()
        self.setup, self.names, self.port = setup, names, free_port()
        self.process = None

    def command(self):
        raise NotImplementedError

    def start(self):
        self.process = Process(self.command(), self.work, self.setup.server_cpus,
                               self.work / "log")
        try:
            self.wait_for(host_name(self.names - 1) if self.names else "ns1")
        except BaseException:
            self.process.stop()
            raise
        return self

    def wait_for(self, name):
        """Until the server has that name."""
        deadline = time.monotonic() + PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.2)
            while time.monotonic() < deadline and self.process.alive():
                try:
                    sock.sendto(question(f"{name}.{ZONE}"), ("127.0.0.1", self.port))
                    reply = sock.recv(4096)
                except OSError:
                    time.sleep(0.05)
                    continue
                if not self.authoritative or (reply[3] & 15 == 0 and reply[7] > 0):
                    return
                time.sleep(0.05)
        raise RuntimeError(f"{self.title} does not answer:\n{self.process.tail()}")

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class Nsd(Server):
    title = "NSD"
    program = shutil.which("nsd") or "/usr/sbin/nsd"

    def command(self):
        write_zone(self.work / "zone", self.names)
        (self.work / "nsd.conf").write_text(f"""
server:
    server-count: {self.setup.workers}
    ip-address: 127.0.0.1@{self.port}
    reuseport: yes
    username: ""
    zonesdir: "{self.work}"
    database: ""
    pidfile: "{self.work}/pid"
    xfrdfile: "{self.work}/xfrd"
    zonelistfile: "{self.work}/zonelist"
    logfile: "{self.work}/nsd.log"
    rrl-ratelimit: 0
    rrl-whitelist-ratelimit: 0
remote-control:
    control-enable: no
zone:
    name: {ZONE}
    zonefile: zone
""")
        return [self.program, "-d", "-c", self.work / "nsd.conf"]


class Knot(Server):
    title = "Knot DNS"
    program = shutil.which("knotd") or "/usr/sbin/knotd"

    def command(self):
        write_zone(self.work / "zone", self.names)
        (self.work / "knot.conf").write_text(f"""
server:
    rundir: "{self.work}"
    listen: 127.0.0.1@{self.port}
    udp-workers: {self.setup.workers}
    tcp-workers: 1
    background-workers: 1
database:
    storage: "{self.work}"
log:
  - target: stderr
    any: error
zone:
  - domain: {ZONE}
    file: "{self.work}/zone"
    zonefile-sync: -1
    journal-content: none
""")
        return [self.program, "-c", self.work / "knot.conf"]


class Reflector(Server):
    title = "reflector"
    authoritative = False

    def command(self):
        return [self.setup.build / "reflector", "--workers", self.setup.workers,
                f"127.0.0.1:{self.port}"]


class Gazetteer(Server):
    """The data comes from a zone file."""

    title = "gazetteerd, zone file"

    def command(self):
        zones = self.work / "zones"
        zones.mkdir()
        write_zone(zones / f"{ZONE}.zone", self.names)
        return self.daemon("--zones", zones)

    def daemon(self, *options):
        self.socket = self.work / "api.sock"
        command = [self.setup.build / "gazetteerd", "--workers", self.setup.workers,
                   "--listen", f"127.0.0.1:{self.port}", "--api", "none",
                   "--socket", self.socket, "--data", self.work / "data",
                   "--log-level", "warn"]
        for quota in ("namespaces", "instances-per-service", "instances-per-namespace"):
            command += ["--quota", f"{quota}=0"]
        return command + list(options)


class GazetteerApi(Gazetteer):
    """The data comes through the API: a service with one instance for each name."""

    title = "gazetteerd, namespace"

    def command(self):
        return self.daemon()

    def start(self):
        names, self.names = self.names, 0
        self.process = Process(self.command(), self.work, self.setup.server_cpus,
                               self.work / "log")
        try:
            wait_for_path(self.socket, self.process)
            self.namespace = create_namespace(self.socket, ZONE)
            load_names(self.socket, self.namespace, range(names))
            self.names = names
            self.wait_for(host_name(names - 1))
        except BaseException:
            self.process.stop()
            raise
        return self


def wait_for_path(path, process):
    deadline = time.monotonic() + PATIENCE
    while not path.exists():
        if time.monotonic() > deadline or not process.alive():
            raise RuntimeError(f"gazetteerd did not start:\n{process.tail()}")
        time.sleep(0.02)


# ---- the API, as fast as a script can speak it ------------------------------

class Connection(http.client.HTTPConnection):
    """One keep-alive connection to the management socket."""

    def __init__(self, path):
        super().__init__("localhost", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def encode(operation, members):
    body = json_bytes(members)
    return (b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.1"
            b"\r\nX-Amz-Target: Route53AutoNaming_v20170314." + operation.encode() +
            b"\r\nContent-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body)


def json_bytes(members):
    return json.dumps(members, separators=(",", ":")).encode()


def decode(operation, status, body):
    if status != 200:
        raise RuntimeError(f"{operation}: {status} {body.decode(errors='replace')}")
    return json.loads(body or b"{}")


def call_many(path, operation, inputs, connections=64):
    """Many calls over parallel keep-alive connections; the outputs in order."""
    inputs = list(inputs)
    outputs, following, open_calls = [None] * len(inputs), 0, 0
    selector = selectors.DefaultSelector()
    sockets = []

    def send_next(sock):
        nonlocal following, open_calls
        if following == len(inputs):
            return
        sock.sendall(encode(operation, inputs[following]))
        selector.modify(sock, selectors.EVENT_READ, [following, b""])
        following += 1
        open_calls += 1

    try:
        for _ in range(min(connections, len(inputs))):
            sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            sockets.append(sock)
            sock.settimeout(PATIENCE)
            sock.connect(str(path))
            selector.register(sock, selectors.EVENT_READ)
            send_next(sock)
        while open_calls:
            for key, _ in selector.select(PATIENCE):
                data = key.fileobj.recv(65536)
                if not data:
                    raise RuntimeError(f"{operation}: the daemon closed a connection")
                key.data[1] += data
                head, end, body = key.data[1].partition(b"\r\n\r\n")
                length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
                if not end or len(body) < int(length[1]):
                    continue
                outputs[key.data[0]] = decode(operation, int(head.split(b" ", 2)[1]), body)
                open_calls -= 1
                send_next(key.fileobj)
    finally:
        for sock in sockets:
            sock.close()
        selector.close()
    return outputs


def call(path, operation, **members):
    return call_many(path, operation, [members])[0]


def create_namespace(path, name):
    operation = call(path, "CreatePublicDnsNamespace", Name=name)["OperationId"]
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        found = call(path, "GetOperation", OperationId=operation)["Operation"]
        if found["Status"] == "SUCCESS":
            return found["Targets"]["NAMESPACE"]
        if found["Status"] == "FAIL":
            raise RuntimeError(found)
        time.sleep(0.01)
    raise RuntimeError(f"{operation} does not end")


def create_services(path, namespace, names):
    config = {"DnsRecords": [{"Type": "A", "TTL": 60}]}
    replies = call_many(path, "CreateService",
                        ({"Name": name, "NamespaceId": namespace, "DnsConfig": config}
                         for name in names))
    return [reply["Service"]["Id"] for reply in replies]


def load_names(path, namespace, numbers):
    services = create_services(path, namespace, [host_name(n) for n in numbers])
    call_many(path, "RegisterInstance",
              ({"ServiceId": service, "InstanceId": "i",
                "Attributes": {"AWS_INSTANCE_IPV4": address(number)}}
               for number, service in zip(numbers, services)))
