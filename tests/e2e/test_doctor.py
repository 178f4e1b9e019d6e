# SPDX-License-Identifier: BSD-2-Clause
"""gazctl doctor: each fault is made for real, and found; a healthy machine has none."""

import contextlib
import json
import pathlib
import subprocess
import sys

import dns.edns
import dns.message
import pytest

import dnsmasq
import gaz
import netns
from gaz import GAZCTL

OURS = "127.0.53.1"


class Patient:
    """A machine with gazetteerd on port 53 of an address of its own, a namespace
    dev.internal with web.dev.internal = 10.0.0.7, and files in a tree."""

    def __init__(self, machine, home, stack):
        self.machine, self.home, self.stack = machine, pathlib.Path(home), stack
        self.root = self.home / "root"
        (self.root / "etc").mkdir(parents=True)
        self.daemon = None

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def nameservers(self, *addresses, more=""):
        self.write("etc/resolv.conf", "".join(f"nameserver {a}\n" for a in addresses) + more)

    def resolved(self):
        """systemd-resolved rules, as far as files tell."""
        self.write("run/systemd/resolve/stub-resolv.conf", "nameserver 127.0.0.1\n")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        (self.root / "etc/resolv.conf").symlink_to("/run/systemd/resolve/stub-resolv.conf")

    def start(self, *options, listen=(f"{OURS}:53",), name="dev.internal"):
        home = self.home / "daemon"
        home.mkdir(exist_ok=True)
        self.daemon = self.machine.daemon(home, *options, listen=listen)
        self.daemon.start()
        self.stack.callback(self.daemon.finish)
        namespace = self.daemon.api.private(name, "vpc-dev")
        self.daemon.api.register(self.daemon.api.service(namespace, "web"), "i", "10.0.0.7")
        return self.daemon

    def in_front(self, *options, domain="dev.internal", address="127.0.0.1"):
        """dnsmasq as the machine's resolver; `domain` is sent to gazetteerd."""
        route = [f"--server=/{domain}/{OURS}"] if domain else []
        self.stack.enter_context(dnsmasq.run_in(self.machine, self.home, *route, *options,
                                        address=address))
        self.nameservers(address)

    def doctor(self, *args, on=None):
        socket_path = self.daemon.socket if self.daemon else self.home / "none.sock"
        done = gaz.run([*(on or self.machine).prefix, GAZCTL, "doctor", "--json", "--root",
                        self.root, "--socket", socket_path, *args], self.home, None)
        result = json.loads(done.stdout)
        assert done.returncode == (1 if result["Findings"] else 0), done
        for finding in result["Findings"]:
            assert finding["Remedy"] and finding["Finding"]
        return {(f["Check"], f["Finding"]) for f in result["Findings"]}

    def finds(self, check, *words, args=(), on=None):
        """That fault, and no other."""
        found = self.doctor(*args, on=on)
        assert {name for name, _ in found} == {check}, found
        for word in words:
            assert any(word in text for _, text in found), (word, found)


@pytest.fixture
def pair():
    with netns.machines(2) as both:
        yield both


@pytest.fixture
def patient(home):
    with netns.machines(1) as (machine,), contextlib.ExitStack() as stack:
        yield Patient(machine, home, stack)


def test_a_healthy_machine_has_no_finding(patient):
    """Its own resolver sends the domain here; for people it says so in a line."""
    patient.start()
    patient.in_front()
    assert patient.doctor() == set()
    done = gaz.run([*patient.machine.prefix, GAZCTL, "doctor", "--root", patient.root,
                    "--socket", patient.daemon.socket], patient.home)
    assert done.stdout.startswith("nothing found in ")


def test_findings_for_people(patient):
    """The finding, then the remedy, a line each."""
    patient.nameservers("192.0.2.1")
    done = gaz.run([*patient.machine.prefix, GAZCTL, "doctor", "--root", patient.root,
                    "--socket", f"{patient.home}/none.sock"], patient.home, 1)
    lines = done.stdout.splitlines()
    assert lines[0].startswith("daemon: no gazetteerd answers at ")
    assert lines[1].startswith("    remedy: start it")


def test_no_daemon(patient):
    """And the port that it would take is free."""
    patient.nameservers("192.0.2.1")
    patient.finds("daemon", "none.sock")


def test_a_taken_port_has_an_owner(patient):
    """Named, with its process."""
    patient.nameservers("192.0.2.1")
    script = ("import socket,sys; s=socket.socket(type=socket.SOCK_DGRAM); "
              "s.bind(('127.0.0.1',10053)); print(flush=True); sys.stdin.read()")
    process = subprocess.Popen([*patient.machine.prefix, sys.executable, "-c", script],
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        process.stdout.readline()
        found = patient.doctor()
        assert {name for name, _ in found} == {"daemon", "port"}
        text = next(text for name, text in found if name == "port")
        assert "127.0.0.1:10053 is taken by python" in text and str(process.pid) in text
        elsewhere = patient.doctor("--server", "127.0.0.1:99")
        assert {name for name, _ in elsewhere} == {"daemon"}
    finally:
        process.communicate()


def test_no_answer_over_dns(patient):
    """The management socket works, the network does not."""
    patient.start()
    patient.nameservers("192.0.2.1")
    patient.machine.ip("link", "set", "lo", "down")
    patient.finds("answers", "over UDP", "over TCP")


def test_another_server_at_the_address(patient):
    """Who answers is no gazetteerd."""
    patient.start()
    patient.in_front()
    found = patient.doctor("--server", "127.0.0.1")
    assert ("answers", "who answers at 127.0.0.1:53 over UDP is no gazetteerd") in found


RELAY = """
import socket, sys
front = socket.socket(type=socket.SOCK_DGRAM)
front.bind((sys.argv[1], 53))
back = socket.socket(type=socket.SOCK_DGRAM)
back.connect((sys.argv[2], 53))
tcp = socket.create_server((sys.argv[1], 53))
import threading
def serve():
    while True:
        client, _ = tcp.accept()
        with client, socket.create_connection((sys.argv[2], 53)) as server:
            server.sendall(client.recv(65535))
            client.sendall(server.recv(65535))
threading.Thread(target=serve, daemon=True).start()
print(flush=True)
while True:
    data, client = front.recvfrom(65535)
    back.send(data)
    front.sendto(back.recv(65535), client)
"""


def test_a_source_behind_a_proxy_is_in_no_vpc(pair, home):
    """A port published by a proxy: the daemon sees the proxy's address."""
    outside, inside = pair
    with contextlib.ExitStack() as stack:
        patient = Patient(inside, home, stack)
        outside.wire(inside, "10.98.0.1/24", "10.98.0.2/24")
        inside.ip("addr", "add", "172.30.0.1/24", "dev", "lo")
        patient.start("--strict-vpcs", "--vpc", "vpc-dev=10.98.0.0/24",
                      listen=("172.30.0.1:53", "10.98.0.2:53"))
        proxy = subprocess.Popen([*inside.prefix, sys.executable, "-c", RELAY, "127.0.0.1",
                                  "172.30.0.1"], stdout=subprocess.PIPE)
        stack.callback(proxy.stdout.close)
        stack.callback(proxy.wait)
        stack.callback(proxy.kill)
        proxy.stdout.readline()
        patient.nameservers("10.98.0.2")
        # Seen directly all is well, but for that nothing is forwarded.
        found = patient.doctor("--server", "10.98.0.2", on=outside)
        assert {name for name, _ in found} == {"forwarding"}
        found = patient.doctor("--server", "127.0.0.1", on=inside)
        assert any(name == "vpc" and "source=172.30.0.1" in text for name, text in found)


def test_a_vpc_of_the_listener_is_a_vpc(patient):
    """Whatever the source."""
    patient.start("--strict-vpcs", "--vpc", "vpc-dev=192.0.2.0/24",
                  listen=(f"{OURS}:53=vpc-dev",))
    patient.in_front()
    assert patient.doctor() == set()


def test_a_namespace_of_a_vpc_that_no_listener_is_bound_to(patient):
    """While each is bound to some VPC; one that is not leaves it to the source."""
    daemon = patient.start("--vpc", "vpc-blue=127.0.0.0/8",
                           listen=(f"{OURS}:53=vpc-dev", "0.0.0.0:54=vpc-green"))
    patient.in_front()
    assert patient.doctor() == set()
    # One of a name that is found all the same, in the VPC of a listener.
    for name, vpc in (("blue.internal", "vpc-blue"), ("dev.internal", "vpc-red"),
                      ("green.internal", "vpc-green")):
        daemon.api.private(name, vpc)
    found = {text.split(", ")[0] for check, text in patient.doctor() if check == "listeners"}
    assert found == {"blue.internal is private to vpc-blue", "dev.internal is private to vpc-red"}
    patient.finds("listeners", "--proxy-from")
    daemon.stop()
    daemon.listen = (f"{OURS}:53=vpc-dev", "127.0.53.2:53")
    daemon.start()
    assert patient.doctor() == set()


def test_a_vpc_whose_id_is_long_is_named_as_a_whole(patient):
    """It has 64 characters at most, each of which may have four octets."""
    vpc = "vpc-" + 60 * "\U0001f600"
    patient.start(listen=(f"{OURS}:53=vpc-dev",)).api.private("long.internal", vpc)
    patient.in_front()
    assert f"long.internal is private to {vpc}, and" in \
        {check: text for check, text in patient.doctor()}.get("listeners", "")


def test_whoami_tells_the_source(start):
    """The record that the doctor reads: who asks, and what that means."""
    daemon = start("--vpc", "vpc-1=127.0.10.0/24", "--vpc", "vpc-2=127.0.10.0/24",
                   listen=("127.0.0.1:0", "127.0.0.1:0=vpc-3"))

    def ask(source, listener=0, name="WhoAmI.gazetteer", rdtype="TXT", tcp=False):
        query = dns.message.make_query(name, rdtype, "CH")
        return dns.message.from_wire(daemon.ask_wire(query.to_wire(), source, tcp, listener))

    for source, listener, words in (
            ("127.0.10.9", 0, ("vpcs=2", "undeclared=no", "listener=no")),
            ("127.0.0.5", 0, ("vpcs=0", "undeclared=yes", "listener=no")),
            ("127.0.0.5", 1, ("vpcs=1", "undeclared=no", "listener=yes"))):
        for tcp in (False, True):
            reply = ask(source, listener, tcp=tcp)
            (rrset,) = reply.answer
            assert (rrset.ttl, str(rrset.name), rrset.rdclass) == (0, "WhoAmI.gazetteer.", 3)
            strings = [s.decode() for s in rrset[0].strings]
            assert strings == [f"source={source}", *words, "subnet=no"]
    for name, rdtype in (("whoami.gazetteer", "A"), ("x.whoami.gazetteer", "TXT"),
                         ("version.bind", "TXT"), ("whoami.gazettee", "TXT")):
        assert gaz.rcode(ask("127.0.0.5", name=name, rdtype=rdtype)) == "REFUSED"
    assert gaz.rcode(daemon.ask("whoami.gazetteer", "TXT", source=None)) == "REFUSED"


def test_whoami_with_a_client_subnet(start):
    """Of somebody whom the daemon believes it chooses the VPCs, of others not."""
    daemon = start("--vpc", "vpc-1=127.0.10.0/24", "--subnet-from", "127.0.20.0/24")
    option = dns.edns.ECSOption("127.0.10.0", 24)
    query = dns.message.make_query("whoami.gazetteer", "TXT", "CH", use_edns=0,
                                   options=[option])
    for source, words in (("127.0.20.1", ["vpcs=1", "subnet=yes"]),
                          ("127.0.30.1", ["vpcs=0", "subnet=no"])):
        reply = dns.message.from_wire(daemon.ask_wire(query.to_wire(), source))
        strings = [s.decode() for s in reply.answer[0][0].strings]
        assert strings[0] == f"source={source}" and set(words) <= set(strings)


@pytest.mark.parametrize("servers, word", [
    (("127.0.0.1", OURS), "before gazetteerd"), ((OURS, "127.0.0.1"), "besides gazetteerd")])
def test_a_second_nameserver(patient, servers, word):
    """Before or behind."""
    patient.start()
    patient.in_front()
    patient.nameservers(*servers)
    found = {(name, text) for name, text in patient.doctor() if name != "forwarding"}
    assert {name for name, _ in found} == {"nameservers"}
    assert any(word in text for _, text in found)


def test_a_resolv_conf_from_windows(patient):
    """The C library takes no notice of the carriage returns, nor of what is behind ";"."""
    patient.start()
    (patient.root / "etc/resolv.conf").write_bytes(
        f"nameserver {OURS}\r\nnameserver 192.0.2.1;x\r\noptions ndots:2\r\n".encode())
    found = {(name, text) for name, text in patient.doctor() if name != "forwarding"}
    assert {name for name, _ in found} == {"nameservers"}
    assert any("192.0.2.1:53 besides gazetteerd" in text for _, text in found)


def test_all_names_go_to_one_that_does_not_forward(patient):
    """The machine is cut off from the rest of the world."""
    patient.start()
    patient.nameservers(OURS)
    patient.finds("forwarding")


def test_the_resolver_that_it_forwards_to_is_silent(patient):
    """Nobody is there; with one that answers nothing is found."""
    patient.start("--forward", "127.0.0.99")
    patient.nameservers(OURS)
    patient.finds("upstream")


UPSTREAM = """server:
    interface: 127.0.0.99
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    module-config: "iterator"
    local-zone: "." static
    local-data: ". 60 IN NS a.example."
    local-data: "www.elsewhere.example. 60 IN A 192.0.2.9"
"""


def test_a_machine_that_was_given_over(patient):
    """All names go to gazetteerd, and on to the server of before: an Unbound."""
    (patient.home / "unbound.conf").write_text(UPSTREAM, encoding="ascii")
    patient.stack.enter_context(dnsmasq.serve_in(
        patient.machine, ["/usr/sbin/unbound", "-d", "-c", patient.home / "unbound.conf"],
        patient.home, "127.0.0.99"))
    patient.nameservers("127.0.0.99")
    gaz.run([GAZCTL, "resolver", "install", "--root", patient.root, "--server", OURS],
            patient.home)
    daemon = patient.start("--forward",
                           f"{patient.root}/var/lib/gazetteer-resolver/upstream.conf")
    for name, address in (("www.elsewhere.example", "192.0.2.9"),
                          ("web.dev.internal", "10.0.0.7")):
        done = gaz.run([*patient.machine.prefix, "dig", "+short", f"@{OURS}", name], daemon.home)
        assert done.stdout == f"{address}\n"
    assert patient.doctor() == set()
    gaz.run([GAZCTL, "resolver", "remove", "--root", patient.root], patient.home)
    assert (patient.root / "etc/resolv.conf").read_text() == "nameserver 127.0.0.99\n"


def test_a_domain_that_is_not_routed_here(patient):
    """The resolver does not know it; or nobody answers at all."""
    patient.start()
    patient.in_front(domain="other.internal")
    patient.finds("routing", "dev.internal does not lead", "127.0.0.1:53")
    patient.nameservers("127.0.0.77")
    patient.finds("routing", "127.0.0.77:53")


def test_systemd_resolved_without_a_routing_domain(patient):
    """The file in force is named."""
    patient.start()
    patient.in_front(domain=None)
    patient.resolved()
    patient.finds("routing", "systemd-resolved")


def test_a_name_that_exists_elsewhere_too(patient):
    """Another server's zone of that name is not ours."""
    patient.start()
    patient.in_front("--auth-server=ns.example,lo", "--auth-zone=dev.internal",
                     "--auth-soa=1", domain=None)
    patient.finds("routing", "dev.internal")


def test_a_filter_against_rebinding(patient):
    """A real dnsmasq with it; with the exception all is well."""
    patient.start()
    patient.in_front("--stop-dns-rebind")
    patient.finds("rebind", "web.dev.internal", "127.0.0.1:53")


def test_the_exception_for_rebinding(patient):
    """As the remedy says."""
    patient.start()
    patient.in_front("--stop-dns-rebind", "--rebind-domain-ok=/dev.internal/")
    assert patient.doctor() == set()


def test_local_names(patient):
    """By nsswitch.conf, or by systemd-resolved without a routing domain."""
    patient.start(name="dev.local")
    patient.in_front(domain="dev.local")
    assert patient.doctor() == set()
    patient.write("etc/nsswitch.conf", "passwd: files\nhosts: files mdns4_minimal "
                  "[NOTFOUND=return] dns\n")
    patient.finds("local", "dev.local", "nsswitch.conf")
    patient.write("etc/nsswitch.conf", "hosts: files dns\n")
    assert patient.doctor() == set()
    patient.resolved()
    patient.finds("local", "dev.local", "systemd-resolved")
    gaz.run([GAZCTL, "resolver", "install", "--root", patient.root, "--server", f"{OURS}",
             "--domain", "dev.local"], patient.home)
    assert patient.doctor() == set()


def test_many_search_domains(patient):
    """As Kubernetes has them; few dots are no trouble without them."""
    patient.start()
    patient.in_front()
    patient.nameservers("127.0.0.1", more="options ndots:5\n")
    assert patient.doctor() == set()
    patient.nameservers("127.0.0.1", more="search a.example b.example\noptions ndots:5\n")
    patient.finds("search", "ndots:5 makes 3 questions")
    patient.nameservers("127.0.0.1", more="search a.example b.example\noptions ndots:2\n")
    assert patient.doctor() == set()


def test_a_single_label_and_systemd_resolved(patient):
    """Which asks no server for it."""
    patient.start(name="corp")
    patient.in_front(domain="corp")
    assert patient.doctor() == set()
    patient.resolved()
    patient.finds("single-label", '"corp"')


def test_validation_without_a_negative_trust_anchor(patient):
    """Only for names that systemd-resolved would validate."""
    patient.start(name="dev.example")
    patient.in_front(domain="dev.example")
    patient.resolved()
    patient.write("etc/systemd/resolved.conf.d/x.conf", "[Resolve]\nDNSSEC=yes\n")
    patient.finds("dnssec", "dev.example")
    patient.write("etc/dnssec-trust-anchors.d/gazetteer.negative", "dev.example\n")
    assert patient.doctor() == set()


def test_what_was_installed_is_checked(patient):
    """Changed by somebody, or aimed at where nobody listens."""
    patient.start()
    patient.in_front()
    patient.resolved()
    install = [GAZCTL, "resolver", "install", "--root", patient.root, "--domain",
               "dev.internal", "--server"]
    gaz.run([*install, "127.0.0.1:9953"], patient.home)
    patient.finds("installed", "127.0.0.1:9953")
    gaz.run([GAZCTL, "resolver", "remove", "--root", patient.root], patient.home)
    gaz.run([*install, OURS], patient.home)
    assert patient.doctor() == set()
    patient.write("etc/systemd/resolved.conf.d/gazetteer.conf", "[Resolve]\n")
    patient.finds("installed", "gazetteer.conf")
