# SPDX-License-Identifier: BSD-2-Clause
"""Servers whose names change while they run: through the API, or RFC 2136."""

import re
import subprocess

import servers
import nameserver
import machine

KNOT_ACL = """
acl:
  - id: local
    address: 127.0.0.0/8
    action: update
"""


class Gazetteer(servers.Gazetteer):
    """An empty public namespace, and the API on a TCP port."""

    title = "gazetteerd"

    def __init__(self, work, setup):
        super().__init__(work, setup, 0)
        self.api_port = servers.free_port()
        self.namespace = None

    def command(self):
        return self.daemon("--api", f"127.0.0.1:{self.api_port}")

    def start(self):
        self.process = servers.Process(self.command(), self.work, self.setup.server_cpus,
                                       self.work / "log")
        try:
            servers.wait_for_path(self.socket, self.process)
            self.namespace = servers.create_namespace(self.socket, servers.ZONE)
        except BaseException:
            self.process.stop()
            raise
        return self

    def create_services(self, prefix, count, record="A"):
        """New services, and the file with their ids that apiload wants."""
        config = {"DnsRecords": [{"Type": record, "TTL": 60}]}
        replies = servers.call_many(self.socket, "CreateService", (
            {"Name": f"{prefix}{number}", "NamespaceId": self.namespace,
             "DnsConfig": config} for number in range(count)))
        path = self.work / f"services-{prefix}"
        path.write_text("".join(f"{reply['Service']['Id']}\n" for reply in replies))
        return path

    def instance_count(self, path):
        replies = servers.call_many(self.socket, "GetService", (
            {"Id": line} for line in path.read_text().split()))
        return sum(reply["Service"]["InstanceCount"] for reply in replies)

    def register(self, services, **options):
        """A load of registrations with the daemon's CPU time; all must be there."""
        before = self.instance_count(services)
        used = self.process.cpu_us()
        result = machine.run_client(self.setup, machine.apiload(
            self.setup, self, "register", services=services, **options))
        result["server_cpu_us"] = self.process.cpu_us() - used
        there = self.instance_count(services) - before
        if there != result["done"]:
            raise RuntimeError(f"{result['done']} registrations answered, {there} there")
        return result


class Updates:
    """Dynamic updates with dnsperf, each of one new A record."""

    def update(self, prefix, count, concurrency):
        path = self.work / "updates"
        with open(path, "w", encoding="ascii") as file:
            for number in range(count):
                file.write(f"{servers.ZONE}\nadd {prefix}-{number} 60 A "
                           f"{servers.address(number)}\nsend\n")
        command = ["dnsperf", "-u", "-s", "127.0.0.1", "-p", self.port, "-d", path, "-n",
                   1, "-c", min(concurrency, 8), "-T", 1, "-q", concurrency, "-t", 10]
        used = self.process.cpu_us()
        output = subprocess.run(machine.on_client_cpus(self.setup, command),
                                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                                check=True).stdout
        used = self.process.cpu_us() - used
        good = re.search(r"Response codes: +NOERROR (\d+)", output)
        if not good or int(good[1]) != count:
            raise RuntimeError(f"{self.title} did not take all updates:\n{output}\n"
                               f"{self.process.tail()}")
        self.wait_for(f"{prefix}-{count - 1}")
        return {"done": count, "server_cpu_us": used,
                "per_s": float(re.search(r"Updates per second: +([\d.]+)", output)[1])}


class Knot(Updates, servers.Server):
    title = "Knot DNS"
    options = ""  # by default a changed zone is written to its file at once

    def command(self):
        servers.write_zone(self.work / "zone", self.names)
        return nameserver.knot(
            self.work, self.port, {servers.ZONE: self.work / "zone"},
            self.setup.workers, sections=KNOT_ACL,
            zone=f"acl: local\n    {self.options}")


class KnotJournal(Knot):
    title = "Knot DNS, journal only"
    options = "zonefile-sync: -1"


class Bind(Updates, servers.Server):
    title = "BIND"

    def command(self):
        servers.write_zone(self.work / "zone", self.names)
        return nameserver.bind(self.work, self.port, {servers.ZONE: self.work / "zone"},
                               self.setup.workers,
                               zone="allow-update { 127.0.0.0/8; };")
