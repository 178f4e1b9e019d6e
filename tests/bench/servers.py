# SPDX-License-Identifier: BSD-2-Clause
"""The servers that bench.py measures: how each is started and read out."""

import http.client
import json
import pathlib
import re
import selectors
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
import nameserver
from nameserver import Process, become_subreaper, free_port

ZONE = "bench.test"
PATIENCE = 120  # seconds until a server must have loaded its zone


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


def question(name):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\x12\x34\x01\x00\0\x01\0\0\0\0\0\0" + labels + b"\0\0\x01\0\x01"


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

    def command(self):
        write_zone(self.work / "zone", self.names)
        return nameserver.nsd(self.work, self.port, {ZONE: self.work / "zone"},
                              self.setup.workers)


class Knot(Server):
    title = "Knot DNS"

    def command(self):
        write_zone(self.work / "zone", self.names)
        return nameserver.knot(self.work, self.port, {ZONE: self.work / "zone"},
                               self.setup.workers,
                               zone="zonefile-sync: -1\n    journal-content: none")


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
