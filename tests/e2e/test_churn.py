# SPDX-License-Identifier: BSD-2-Clause
"""Namespaces, VPCs, services, instances and their health come and go through the API,
and zone files are read again, while UDP and TCP clients ask without a pause. Each answer
is the state before a change or the one after it. In a build with ThreadSanitizer, any
report fails the test."""

import os
import random
import socket
import struct

import dns.rcode

import gaz
from gaz import IN_A, OUTSIDE

ROUNDS = int(os.environ.get("GAZ_CHURN_ROUNDS", "12"))
BURST = 32  # queries on their way at once, of one client
REFUSED, NXDOMAIN = "REFUSED", "NXDOMAIN"
VPC_C, IN_C, NOT_IN_C = "vpc-cccc3333", "127.0.40.1", "127.0.50.0/24"
A_RECORD = struct.Struct("!HHHIH4s")  # owner (a pointer), type, class, TTL, length, data


def state_of(wire):
    """What a reply says: a set of addresses, or the name of its rcode."""
    code = wire[3] & 15
    if code:
        return dns.rcode.to_text(code)
    records = struct.unpack("!H", wire[6:8])[0]
    at = wire.index(b"\0", 12) + 5
    return frozenset(A_RECORD.unpack_from(wire, at + i * A_RECORD.size)[5]
                     for i in range(records))


class Subject:
    """One name as clients in one place see it: the states that it had or may have."""

    def __init__(self, name, source, state=REFUSED):
        self.name, self.source = name, source
        self.wire = gaz.query(name).to_wire()[2:]
        self.states = [state]
        self.settled = 0  # the newest state that has been acknowledged

    def become(self, state, call):
        """The state may be seen from now on; once `call` is over nothing else is."""
        self.states.append(state)
        done = call()
        self.settled = len(self.states) - 1
        return done

    def check(self, since, wire):
        got = state_of(wire)
        assert got in self.states[since:], \
            f"{self.name} from {self.source}: {got}, not in {self.states[since:]}"


def change(daemon, subject, number, create):
    """One client of the API: a namespace from its creation to its end, ROUNDS times."""
    api, rng = daemon.api, random.Random(number)
    service_name, zone = subject.name.split(".", 1)
    for step in range(ROUNDS):
        namespace = subject.become(NXDOMAIN, lambda: create(zone))
        service = api.service(namespace, service_name,
                              HealthCheckCustomConfig={"FailureThreshold": 1})
        alive = {}

        def become(call):
            state = frozenset(socket.inet_aton(address) for address in alive.values())
            subject.become(state or NXDOMAIN, call)

        for version in range(8):
            instance = f"i{rng.randrange(4)}"
            alive[instance] = f"10.{number}.{step}.{version}"
            become(lambda: api.register(service, instance, alive[instance]))
            if version == 5 and len(alive) > 1:
                address = alive.pop(instance)
                become(lambda: api.set_health(service, instance, "UNHEALTHY"))
                alive[instance] = address
                become(lambda: api.set_health(service, instance, "HEALTHY"))
        for instance in list(alive):
            del alive[instance]
            become(lambda: api.deregister(service, instance))
        api.ok("DeleteService", Id=service)
        subject.become(REFUSED, lambda: api.done("DeleteNamespace", Id=namespace))


def move_vpc(daemon, subject, address):
    """VPC C has the subject's source, then not, and so on."""
    api = daemon.api
    namespace = api.private(subject.name.split(".", 1)[1], VPC_C)
    service = api.service(namespace, subject.name.split(".")[0])
    api.register(service, "i", address)
    state = frozenset([socket.inet_aton(address)])
    for _ in range(4 * ROUNDS):
        subject.become(state, lambda: api.put_vpc(VPC_C, "127.0.40.0/24"))
        subject.become(REFUSED, lambda: api.put_vpc(VPC_C, NOT_IN_C))


def rewrite_zone(daemon, subject, folder):
    """A zone file gets a new version, or goes."""
    zone = subject.name.split(".", 1)[1]
    for step in range(2 * ROUNDS):
        for address in (f"10.8.{step}.1", None):
            path, state = folder / f"{zone}.zone", REFUSED
            if address:
                state = frozenset([socket.inet_aton(address)])
                path.with_suffix(".new").write_text(
                    f"$TTL 60\n@ SOA ns h {step} 2 3 4 5\n NS ns\nns A 192.0.2.1\n"
                    f"web A {address}\n" + "".join(f"n{i} A 10.0.0.1\n" for i in range(99)))

            def reload():
                path.with_suffix(".new").rename(path) if address else path.unlink()
                daemon.unix_api.ok("Gazetteer.ReloadZones")
            if address or step % 4 == 3:
                subject.become(state, reload)


def ask(daemon, subjects, source, tcp, seed, over, counts):
    """One client of the DNS: bursts of queries for any of the subjects of a source."""
    rng, asked = random.Random(seed), 0
    mine = [subject for subject in subjects if subject.source == source]
    kind = socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.settimeout(gaz.PATIENCE)
        sock.bind((source, 0))
        sock.connect(daemon.dns[0])
        while not over.is_set():
            burst = {}
            for number in range(BURST):
                subject = rng.choice(mine)
                burst[number] = subject, subject.settled
                wire = struct.pack("!H", number) + subject.wire
                sock.sendall(struct.pack("!H", len(wire)) + wire if tcp else wire)
            while burst:
                wire = gaz.read_tcp(sock) if tcp else sock.recv(65535)
                subject, since = burst.pop(wire[0] << 8 | wire[1])
                subject.check(since, wire)
            asked += BURST
    counts.append(asked)


def test_answers_are_true_while_everything_changes(start, tmp_path):
    daemon = start(*gaz.VPC_OPTIONS, "--workers", "3", "--zones", str(tmp_path))
    daemon.api.put_vpc(VPC_C, NOT_IN_C)
    public = [Subject(f"web.p{i}.example", OUTSIDE) for i in range(2)]
    private = [Subject(f"web.a{i}.example", IN_A) for i in range(2)]
    moved = Subject("web.c.example", IN_C)
    hidden = [Subject(subject.name, source) for subject, source in (
        (private[0], OUTSIDE), (private[1], IN_C), (moved, OUTSIDE), (moved, IN_A))]
    static = Subject("web.static.test", OUTSIDE)
    subjects = [*public, *private, moved, *hidden, static]

    readers, writers, counts = gaz.Crowd(), gaz.Crowd(), []
    for seed in range(2):
        for source, tcp in ((OUTSIDE, False), (IN_A, False), (OUTSIDE, True)):
            readers.add(ask, daemon, subjects, source, tcp, f"{source} {tcp} {seed}",
                        readers.over, counts)
    readers.add(ask, daemon, subjects, IN_C, False, 0, readers.over, counts)
    try:
        for number, subject in enumerate(public + private):
            writers.add(change, daemon, subject, number,
                        daemon.api.public if subject in public else daemon.api.private)
        writers.add(move_vpc, daemon, moved, "10.9.9.9")
        writers.add(rewrite_zone, daemon, static, tmp_path)
        writers.join()
    finally:
        readers.over.set()
        readers.join()
    assert len(counts) == 7 and min(counts) > 0
