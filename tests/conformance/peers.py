# SPDX-License-Identifier: BSD-2-Clause
"""The four servers, started on the same zone files and made as comparable as they get."""

import os
import pathlib
import re
import socket
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "common"))
import dns.name

import message
import nameserver

BUILD = pathlib.Path(os.environ.get("GAZ_BUILD") or
                     pathlib.Path(__file__).resolve().parent.parent.parent / "build").resolve()
PATIENCE = 60
EDNS_SIZE = 1232


def nsd(work, port, zones):
    return nameserver.nsd(work, port, zones, server=f"""
    hide-version: yes
    hide-identity: yes
    answer-cookie: yes
    tcp-timeout: 60
    tcp-count: 200
    ipv4-edns-size: {EDNS_SIZE}
    minimal-responses: no
""")


def knot(work, port, zones):
    return nameserver.knot(work, port, zones, server=f"""
    udp-max-payload: {EDNS_SIZE}
    tcp-idle-timeout: 60
    identity: ""
    version: ""
    nsid: ""
""", zone="zonefile-sync: -1\n    journal-content: none")


def bind(work, port, zones):
    # no-auth: no NS records beside an answer, but additional addresses.
    return nameserver.bind(work, port, zones, options=f"""
    minimal-responses no-auth;
    max-udp-size {EDNS_SIZE};
    edns-udp-size {EDNS_SIZE};
    max-records-per-type 0;
    version none;
    hostname none;
    allow-transfer {{ none; }};
    check-names primary ignore;
    empty-zones-enable no;
    tcp-clients 200;
    tcp-idle-timeout 600;
    tcp-initial-timeout 600;
""", zone="check-integrity no;")


def gazetteer(work, port, folder):
    """Ours takes all zones of a folder."""
    return [BUILD / "gazetteerd", "--workers", 1, "--listen", f"127.0.0.1:{port}",
            "--api", "none", "--socket", work / "api.sock", "--ephemeral",
            "--zones", folder]


def ours(work, port, zones):
    return gazetteer(work, port, pathlib.Path(next(iter(zones.values()))).parent)


# Zones that a peer does not read, as it lacks some of their types: it answers REFUSED,
# and the other two decide.
UNREAD = {("knot", "old.test")}
SERVERS = {"gazetteer": ours, "nsd": nsd, "knot": knot, "bind": bind}
OURS, PEERS = "gazetteer", ("nsd", "knot", "bind")


SANITIZER = re.compile(r"ERROR: \w*Sanitizer|runtime error:")


def check_end(process):
    """Ours must have ended well, and no sanitizer may have spoken."""
    text = process.log.read_text(errors="replace")
    if process.child.returncode != 0 or SANITIZER.search(text):
        raise RuntimeError(f"gazetteerd: exit status {process.child.returncode}\n"
                           f"{text[-8000:]}")


class Farm:
    """All servers with one set of zones, {origin: path of its file}."""

    def __init__(self, work, zones):
        self.work, self.zones = pathlib.Path(work), zones
        self.ports, self.processes = {}, {}

    def __enter__(self):
        try:
            for name, configure in SERVERS.items():
                folder = self.work / name
                folder.mkdir(parents=True)
                self.ports[name] = nameserver.free_port()
                command = configure(folder, self.ports[name], self.zones)
                self.processes[name] = nameserver.Process(command, folder, None,
                                                          folder / "log")
            for name in SERVERS:
                for origin in self.zones:
                    if (name, origin) not in UNREAD:
                        self.wait_for(name, origin)
        except BaseException as error:
            self.__exit__(error)
            raise
        return self

    def __exit__(self, *error):
        for process in self.processes.values():
            process.child.terminate()  # all at once; then wait for one after the other
        for process in self.processes.values():
            process.stop()
        if not any(error):
            check_end(self.processes[OURS])

    def log(self, name):
        folder = self.work / name
        return "\n".join(path.read_text(errors="replace")[-4000:]
                         for path in (folder / "log", folder / f"{name}.log")
                         if path.exists())

    def wait_for(self, name, origin):
        """Until a server has that zone."""
        qname = dns.name.from_text(origin).to_wire()
        query = message.build([message.question(qname, message.SOA)])
        deadline = time.monotonic() + PATIENCE
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.settimeout(0.5)
            while time.monotonic() < deadline and self.processes[name].alive():
                try:
                    sock.sendto(query, ("127.0.0.1", self.ports[name]))
                    reply = sock.recv(4096)
                except OSError:
                    time.sleep(0.02)
                    continue
                found = message.parse(reply)
                if found.rcode == 0 and found.flags & message.AA and found.answer:
                    return
                if name == OURS or found.rcode not in (0, 2, 5):
                    break
                time.sleep(0.02)
        raise RuntimeError(f"{name} does not serve {origin}:\n{self.log(name)}")
