# SPDX-License-Identifier: BSD-2-Clause
"""The stub resolvers that people run, on machines whose resolv.conf names gazetteerd and
nothing else: two in VPCs that have a namespace of the same name, and one outside.

                      server: gazetteerd, an upstream (dnsmasq), one that is silent
      10.77.1.1/24 |  10.77.2.1/24 |  10.77.3.1/24 |
               a (vpc-a)       b (vpc-b)        outsider
"""

import collections
import contextlib
import json
import pathlib
import subprocess
import sys
import time

import pytest

import dnsmasq
import gaz
import netns
from stubs import build

UPSTREAM, SILENT = "127.0.0.2", "127.0.0.3"
BIG = sorted(f"192.0.2.{n}" for n in range(1, 91))
CLIENTS = ["glibc", "musl", "go", "node", "c-ares", "python", "java"]
SEARCH = "search none.dev.internal dev.internal\noptions ndots:5\n"

Cluster = collections.namedtuple("Cluster", "server a b outsider daemon home log")


def upstream_options(log):
    return ["--host-record=www.up.org,192.0.2.200,2001:db8::200",
            *(f"--host-record=big.up.org,{address}" for address in BIG),
            "--srv-host=_x._tcp.up.org,www.up.org,443",
            "--local=/org/", "--local=/internal/", "--local=/unknown/", "--local=/web/",
            "--log-queries", f"--log-facility={log}"]


def fill(api):
    """The namespace of each VPC: the same names, other addresses."""
    for vpc, number in (("vpc-a", 1), ("vpc-b", 2)):
        namespace = api.private("dev.internal", vpc)
        api.register(api.service(namespace, "web"), "web-1", f"10.0.0.{number}")
        both = api.serve(namespace, "both", "A", "AAAA")
        api.attach(both, "i", AWS_INSTANCE_IPV4=f"10.0.1.{number}",
                   AWS_INSTANCE_IPV6=f"2001:db8::{number}")
        api.attach(api.serve(namespace, "db", "SRV"), "i1", AWS_INSTANCE_PORT=f"543{number}",
                   AWS_INSTANCE_IPV4="10.0.2.1")


def start_cluster(stack, home):
    server, *hosts = stack.enter_context(netns.machines(4))
    for number, host in enumerate(hosts, 1):
        server.wire(host, f"10.77.{number}.1/24", f"10.77.{number}.2/24")
        host.resolv_conf(f"nameserver 10.77.{number}.1\n")
    log = home / "upstream.log"
    stack.enter_context(dnsmasq.run_in(server, home, *upstream_options(log),
                                       address=UPSTREAM))
    silent = subprocess.Popen([
        *server.prefix, sys.executable, "-c", "import socket, sys\n"
        f"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('{SILENT}', 53))\n"
        "print('bound', flush=True)\nsys.stdin.read()"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    stack.callback(silent.communicate)
    assert silent.stdout.readline() == b"bound\n"
    daemon = server.daemon(
        home, "--vpc", "vpc-a=10.77.1.0/24", "--vpc", "vpc-b=10.77.2.0/24",
        "--forward", UPSTREAM, "--forward", f"dead.org={SILENT}",
        "--allow-recursion", "10.77.0.0/16", ephemeral=True,
        listen=[f"10.77.{n}.1:53" for n in (1, 2, 3)], api=()).start()
    stack.callback(daemon.finish)
    fill(daemon.api)
    return Cluster(server, *hosts, daemon, home, log)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    home = pathlib.Path(tmp_path_factory.mktemp("stubs"))
    with contextlib.ExitStack() as stack:
        yield start_cluster(stack, home)


@pytest.fixture(scope="module")
def clients():
    return build.clients(gaz.BUILD / "stubs")


def look_up(cluster, clients, client, host, *names):
    """What the client says to each KIND:NAME on that host."""
    done = gaz.run([*host.prefix, *clients[client], *names], cluster.home)
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(found) == len(names), done.stdout
    return [sorted(one.get("addresses") or one.get("srv") or [one["error"]])
            for one in found]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("host, number", [("a", 1), ("b", 2)])
def test_in_a_vpc(cluster, clients, client, host, number):
    """Its own namespace, SRV, what is missing and what has no data, and all the rest of
    the world by way of the upstream."""
    found = look_up(cluster, clients, client, getattr(cluster, host),
                    "any:web.dev.internal", "any:both.dev.internal", "srv:db.dev.internal",
                    "any:missing.dev.internal", "v6:web.dev.internal",
                    "any:www.up.org", "srv:_x._tcp.up.org", "any:missing.up.org")
    assert found[0] == [f"10.0.0.{number}"]
    assert found[1] == sorted([f"10.0.1.{number}", json_v6(client, f"2001:db8::{number}")])
    assert found[2] == [f"543{number} i1.db.dev.internal"]
    assert found[3] == ["missing"]
    assert found[4] in (["nodata"], ["missing"])  # not all tell the two apart
    assert found[5] == sorted(["192.0.2.200", json_v6(client, "2001:db8::200")])
    assert found[6] == ["443 www.up.org"]
    assert found[7] == ["missing"]


def json_v6(client, text):
    """Java writes all eight groups."""
    return text.replace("::", ":0:0:0:0:0:") + "" if client == "java" and \
        text.count(":") == 3 else text


@pytest.mark.parametrize("client", CLIENTS)
def test_outside(cluster, clients, client):
    """The namespaces are not there: the names go the way of all names."""
    found = look_up(cluster, clients, client, cluster.outsider, "any:web.dev.internal",
                    "srv:db.dev.internal", "any:www.up.org")
    assert found[:2] == [["missing"], ["missing"]]
    assert "192.0.2.200" in found[2]


@pytest.mark.parametrize("client", CLIENTS)
def test_answer_larger_than_a_datagram(cluster, clients, client):
    """By TCP, but for musl, which asks over TCP since 1.2.4 only: it has no data then,
    and no error."""
    found, = look_up(cluster, clients, client, cluster.a, "any:big.up.org")
    assert found == BIG or (client == "musl" and found in (["nodata"], ["missing"]))


@pytest.mark.parametrize("client", CLIENTS)
def test_search_list(cluster, clients, client):
    """As Kubernetes has it: "web" is found in the second domain of the list, behind a
    missing name, and an unknown one is missing everywhere. Node's dns.resolve knows no
    search list."""
    cluster.a.resolv_conf(f"nameserver 10.77.1.1\n{SEARCH}")
    try:
        found = look_up(cluster, clients, client, cluster.a, "any:web", "any:www.up.org",
                        "any:unknown")
    finally:
        cluster.a.resolv_conf("nameserver 10.77.1.1\n")
    assert found[0] == (["missing"] if client == "c-ares" else ["10.0.0.1"])
    assert "192.0.2.200" in found[1]
    assert found[2] == ["missing"]


def udp_queries(cluster):
    return cluster.daemon.api.ok("Gazetteer.GetStatus")["Status"]["UdpQueries"]


@pytest.mark.parametrize("client", ["glibc", "musl", "go", "python"])
def test_both_questions_of_a_burst_are_answered(cluster, clients, client):
    """A and AAAA from one socket: two replies, so that nothing is asked again."""
    for name in ("web.dev.internal", "both.dev.internal", "www.up.org"):
        before = udp_queries(cluster)
        look_up(cluster, clients, client, cluster.a, f"any:{name}")
        assert udp_queries(cluster) - before == 2


@pytest.mark.parametrize("client", CLIENTS)
def test_dead_upstream_is_a_failure_before_the_client_asks_again(cluster, clients, client):
    """SERVFAIL comes before the timers of stub resolvers run out (5 s), so that each asks
    no more often than it does after any SERVFAIL. The rest goes on meanwhile. Each client
    has a name of its own, of which no failure is known yet: musl has a second round after
    2.5 s, and asks again in both if SERVFAIL is there before that."""
    before, begin = udp_queries(cluster), time.monotonic()
    found = look_up(cluster, clients, client, cluster.a, f"any:{client}.dead.org",
                    "any:web.dev.internal")
    print(f"{client}: {time.monotonic() - begin:.1f} s until it fails")
    assert found == [["failed"], ["10.0.0.1"]] or (
        client == "java" and found == [["missing"], ["10.0.0.1"]])
    assert udp_queries(cluster) - before <= 2 * 4 + 2


def test_private_names_do_not_reach_the_upstream(cluster, clients):
    """Neither those that exist nor those that do not; an outsider's do."""
    lines = len(cluster.log.read_text().splitlines())
    names = ["any:web.dev.internal", "any:leak-1.dev.internal", "srv:leak-2.dev.internal"]
    for host in (cluster.a, cluster.b):
        look_up(cluster, clients, "glibc", host, *names)
    look_up(cluster, clients, "glibc", cluster.a, "any:last.up.org")
    gaz.until("the upstream has noted the last", lambda: "last.up.org" in
              "\n".join(cluster.log.read_text().splitlines()[lines:]))
    noted = "\n".join(cluster.log.read_text().splitlines()[lines:])
    assert "dev.internal" not in noted
    look_up(cluster, clients, "glibc", cluster.outsider, "any:leak-3.dev.internal")
    gaz.until("the outsider's is noted", lambda: "leak-3.dev.internal" in
              cluster.log.read_text())


def test_getent_and_curl(cluster):
    """Programs that everybody has."""
    found = gaz.run([*cluster.a.prefix, "getent", "ahosts", "web.dev.internal"],
                    cluster.home).stdout
    assert {line.split()[0] for line in found.splitlines()} == {"10.0.0.1"}
    gaz.run([*cluster.a.prefix, "getent", "hosts", "missing.dev.internal"], cluster.home, 2)
    # Nobody is there to speak to: what matters is where it looks.
    done = gaz.run([*cluster.b.prefix, "curl", "-sv", "--connect-timeout", "1",
                    "http://web.dev.internal:9/"], cluster.home, None)
    assert done.returncode in (7, 28) and "10.0.0.2" in done.stderr


def test_dnsmasq_in_between(cluster, clients):
    """The machine's own forwarder in front: it passes on what it is told."""
    with dnsmasq.run_in(cluster.a, cluster.home, "--server=10.77.1.1",
                        address="127.0.0.1"):
        cluster.a.resolv_conf("nameserver 127.0.0.1\n")
        try:
            found = look_up(cluster, clients, "glibc", cluster.a, "any:web.dev.internal",
                            "srv:db.dev.internal", "any:missing.dev.internal",
                            "v6:web.dev.internal", "any:www.up.org", "any:big.up.org")
        finally:
            cluster.a.resolv_conf("nameserver 10.77.1.1\n")
    assert found[0] == ["10.0.0.1"] and found[1] == ["5431 i1.db.dev.internal"]
    assert found[2] == ["missing"] and found[3] == ["nodata"]
    assert "192.0.2.200" in found[4] and found[5] == BIG
