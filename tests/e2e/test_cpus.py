# SPDX-License-Identifier: BSD-2-Clause
"""--dns-cpus: which thread may run where, by what the kernel says of each."""

import collections
import json
import os
import pathlib
import threading

import pytest

import endpoint
import gaz
import resolver

CPUS = sorted(os.sched_getaffinity(0))
ABSENT = max(CPUS) + 4000  # no machine that runs this has so many
several = pytest.mark.skipif(len(CPUS) < 2, reason="all threads share the only CPU")


def listed(text):
    """The CPUs of a list: "0-1,4"."""
    cpus = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        cpus |= set(range(int(first), int(last or first) + 1))
    return cpus


def text_of(cpus):
    return ",".join(map(str, cpus))


def threads(daemon):
    """(name, the CPUs that it may run on) of every thread that is there now."""
    found = []
    for task in pathlib.Path(f"/proc/{daemon.process.pid}/task").iterdir():
        try:
            status = (task / "status").read_text(encoding="ascii")
        except (FileNotFoundError, ProcessLookupError):  # it has just ended
            continue
        fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        found.append((fields["Name"], frozenset(listed(fields["Cpus_allowed_list"]))))
    return found


def workers(daemon):
    """How many of them keep to which CPUs."""
    return collections.Counter(cpus for name, cpus in threads(daemon) if name == "dns-worker")


def others(daemon):
    return {cpus for name, cpus in threads(daemon) if name != "dns-worker"}


class Confined(gaz.Daemon):
    """A daemon that may use some CPUs only, as under a service manager."""

    def __init__(self, cpus, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.cpus = cpus

    def command(self):
        return ["taskset", "-c", text_of(self.cpus), *super().command()]


@pytest.fixture
def busy(start, home):
    """Everything on, so that whatever thread there can be is there."""
    upstream = resolver.Resolver()
    checked = endpoint.Endpoint(tls=endpoint.make_certificate(home))
    upstream.give("www.elsewhere.example", "A", "192.0.2.1")
    upstream.give("alias.elsewhere.example", "A", "192.0.2.2")
    os.mkdir(f"{home}/zones")
    pathlib.Path(f"{home}/zones/z.example.zone").write_text(
        "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS a.\n", encoding="ascii")

    def build(*options):
        daemon = start("--zones", f"{home}/zones", "--forward", upstream.address,
                       "--alias-upstream", upstream.address, "--health-checks", "on",
                       "--health-check-interval", "50", *options,
                       env={"MALLOC_CONF": "background_thread:true"})
        daemon.checked = checked
        return daemon
    try:
        yield build
    finally:
        checked.close()
        upstream.close()


def work(daemon):
    """Some of everything that a daemon does, so that threads are started which are not
    there from the start."""
    namespace = daemon.api.public("x.example")
    service = daemon.api.serve(namespace, "web", "A", HealthCheckConfig={"Type": "HTTPS"})
    daemon.api.attach(service, "i", **daemon.checked.attributes())
    alias = daemon.api.serve(namespace, "alias", "A", policy="WEIGHTED")
    daemon.api.attach(alias, "i", AWS_ALIAS_DNS_NAME="alias.elsewhere.example")
    for tcp in (False, True):
        assert daemon.ask("web.x.example", source=None, tcp=tcp).answer
        assert daemon.ask("www.elsewhere.example", source=None, tcp=tcp, rd=True).answer
    gaz.until("an alias has its address", lambda: daemon.ask("alias.x.example",
                                                             source=None).answer)
    gaz.until("a health check", lambda: daemon.checked.requests)
    daemon.unix_api.ok("Gazetteer.ReloadZones")
    gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "cache", "flush"], daemon.home)
    assert daemon.ask("www.elsewhere.example", source=None, rd=True).answer


def until_backup(daemon, look):
    """Look again and again, while one backup follows the other, until it gives True."""
    over = threading.Event()

    def back_up():
        while not over.is_set():
            reply = daemon.unix_api.raw("Gazetteer.Backup")
            assert reply.status == 200
    crowd = gaz.Crowd()
    crowd.add(back_up)
    try:
        gaz.until("a thread that copies the store", look)
    finally:
        over.set()
        crowd.join()


@several
def test_every_thread_keeps_to_its_side(busy):
    """Workers on the first CPU and all others, whoever started them, on the rest; threads
    of libraries among them."""
    rest = frozenset(CPUS[1:])
    daemon = busy("--dns-cpus", str(CPUS[0]))
    assert workers(daemon) == {frozenset([CPUS[0]]): 1}
    work(daemon)
    seen = set()

    def all_in_place():
        for name, cpus in threads(daemon):
            assert cpus == ({CPUS[0]} if name == "dns-worker" else rest), name
            seen.add(name)
        return "copier" in seen
    until_backup(daemon, all_in_place)
    assert seen >= {"gazetteerd", "writer", "api", "zones", "resolver", "upstream", "prober",
                    "dns-worker"}
    line = daemon.wait_log(r" dns-cpus ")
    fields = dict(part.split("=") for part in line.split() if "=" in part)
    assert (listed(fields["dns"]), listed(fields["others"])) == ({CPUS[0]}, rest)


def test_where_no_cpu_remains_the_others_stay_as_they_are(busy):
    """Each worker has its own all the same, and the log says so."""
    daemon = busy("--dns-cpus", text_of(CPUS))
    assert workers(daemon) == {frozenset([cpu]): 1 for cpu in CPUS}
    work(daemon)
    assert others(daemon) == {frozenset(CPUS)}
    assert daemon.wait_log(r" warn dns-cpus-shared ")
    assert not daemon.wait_log(r" info dns-cpus ", patience=0)


def test_more_workers_take_turns(start):
    count = 2 * len(CPUS) + 1
    daemon = start("--workers", str(count), "--dns-cpus", text_of(CPUS))
    expected = collections.Counter(frozenset([CPUS[n % len(CPUS)]]) for n in range(count))
    assert workers(daemon) == expected
    for number in range(4 * count):
        assert gaz.rcode(daemon.ask(f"x{number}.example", source=None)) == "REFUSED"


@several
def test_fewer_workers_leave_the_other_cpus_of_the_list_alone(start):
    daemon = start("--workers", "1", "--dns-cpus", text_of(CPUS[:2]))
    assert workers(daemon) == {frozenset(CPUS[:1]): 1}
    assert others(daemon) == {frozenset(CPUS[2:] or CPUS)}


def test_without_the_option_nothing_is_bound(busy):
    daemon = busy()
    work(daemon)
    assert {cpus for _, cpus in threads(daemon)} == {frozenset(CPUS)}
    assert not daemon.wait_log(r"dns-cpus", patience=0)
    assert "DnsCpus" not in daemon.api.ok("Gazetteer.GetStatus")["Status"]


def test_status_tells_them(start):
    daemon = start("--dns-cpus", str(CPUS[0]))
    status = daemon.api.ok("Gazetteer.GetStatus")["Status"]
    assert (status["DnsCpus"], status["Workers"]) == (str(CPUS[0]), 1)
    done = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "status"], daemon.home)
    assert "DnsCpus" in done.stdout


def test_config_file_has_the_list(start, home):
    file = pathlib.Path(f"{home}/gaz.json")
    file.write_text(json.dumps({"dns-cpus": str(CPUS[-1])}), encoding="ascii")
    assert workers(start("--config", str(file))) == {frozenset(CPUS[-1:]): 1}


def refused(home, *options):
    text = gaz.refused_start(home, *options, "--listen", "127.0.0.1:0", "--api", "none",
                             "--data", f"{home}/store", "--socket", f"{home}/s", expect=2)
    assert not os.path.exists(f"{home}/store")
    assert "--dns-cpus: " in text and text.count("\n") == 1
    return text


@pytest.mark.parametrize("value", ["", "all", "0,", "1-0", "-1", "0,0", "0 1", "99999"])
def test_what_is_no_list_is_refused(home, value):
    text = refused(home, f"--dns-cpus={value}")
    assert f"'{value}'" in text and listed(text.split()[-1]) == set(CPUS)


def test_a_cpu_that_is_not_there_is_refused(home):
    """The error says which there are."""
    text = refused(home, "--dns-cpus", f"{CPUS[0]},{ABSENT}")
    assert f" {ABSENT} " in text and listed(text.split()[-1]) == set(CPUS)


@several
def test_a_cpu_that_the_process_may_not_use_is_refused(home):
    os.mkdir(f"{home}/d")
    done = gaz.run(["taskset", "-c", str(CPUS[1]), gaz.GAZETTEERD, "--listen", "127.0.0.1:0",
                    "--ephemeral", "--api", "none", "--socket", f"{home}/s", "--dns-cpus",
                    str(CPUS[0])], home, 2)
    assert f" {CPUS[0]} " in done.stderr and listed(done.stderr.split()[-1]) == {CPUS[1]}
    daemon = Confined(CPUS[1:], f"{home}/d", "--dns-cpus", str(CPUS[1]))
    daemon.start()
    try:
        assert workers(daemon) == {frozenset([CPUS[1]]): 1}
        assert others(daemon) == {frozenset(CPUS[2:] or CPUS[1:2])}
    finally:
        daemon.finish()


def test_upkeep_does_not_mind(start, home):
    """A configuration file may name CPUs that only the service may use."""
    daemon = start()
    daemon.stop()
    gaz.run([gaz.GAZETTEERD, "--check-store", "--data", daemon.data, "--dns-cpus", str(ABSENT)],
            home)
