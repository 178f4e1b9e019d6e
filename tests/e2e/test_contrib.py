# SPDX-License-Identifier: BSD-2-Clause
"""The files under contrib: with the real programs where there are any."""

import ipaddress
import os
import re
import signal
import subprocess

import pytest
import yaml

import dnsmasq
import gaz
import netns
import test_listeners
from gaz import REPO

CONTRIB = REPO / "contrib"
ROOT_KEY = "E06D44B80B8F1D39A95C0B0D7C65D08458E880409BBC683457104237C7F8EC8D"
UNITS = ("gazetteerd.service", "gazetteerd.socket", "gazetteerd-api.socket")


def text_of(name):
    return (CONTRIB / name).read_text(encoding="utf-8")


# ---- systemd ----

@pytest.fixture
def units(home):
    """Copies that start the program under test."""
    for name in UNITS:
        text = text_of(f"systemd/{name}").replace("=gazetteerd ", f"={gaz.GAZETTEERD} ")
        with open(f"{home}/{name}", "w", encoding="utf-8") as file:
            file.write(text)
    return [f"{home}/{name}" for name in UNITS]


def test_units_are_without_faults(home, units):
    """systemd reads them all, and knows every setting."""
    done = gaz.run(["systemd-analyze", "verify", "--man=no", *units], home,
                   SYSTEMD_UNIT_PATH=f"{home}:")
    assert not [line for line in done.stderr.splitlines() if "gazetteerd" in line], done.stderr


def test_the_service_is_little_exposed(home, units):
    """By systemd's own measure, 1.9 of 10."""
    gaz.run(["systemd-analyze", "security", "--offline=true", "--threshold=19", "--no-pager",
             units[0]], home)


def expand(group, seen):
    """The system calls of a group, groups in it included."""
    listed = subprocess.run(["systemd-analyze", "syscall-filter", "--no-pager", group],
                            check=True, capture_output=True, text=True).stdout
    for line in listed.splitlines()[1:]:
        name = line.strip()
        if name.startswith("@"):
            expand(name, seen)
        elif name and not name.startswith("#"):
            seen.add(name)
    return seen


def allowed_calls():
    """What the filters of the service leave, one line after the other."""
    allowed = set()
    for key, value in settings("gazetteerd.service"):
        if key == "SystemCallFilter":
            calls = set()
            for word in value.lstrip("~").split():
                calls |= expand(word, set()) if word.startswith("@") else {word}
            allowed = allowed - calls if value.startswith("~") else allowed | calls
    return allowed


class Traced(gaz.Daemon):
    def command(self):
        return ["strace", "-f", "-qq", "-o", f"{self.home}/trace", *super().command()]

    def stop(self):
        """strace does not pass the signal on."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            os.kill(int(file.read()), signal.SIGTERM)
        assert self._reap() == 0


def test_the_service_may_do_what_the_daemon_does(home):
    """Every system call of a busy life, under strace, passes the filters."""
    os.mkdir(f"{home}/zones")
    zone = f"{home}/zones/z.example.zone"
    with open(zone, "w", encoding="ascii") as file:
        file.write("@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS a.\n")
    dead = "127.0.0.1:%d" % dnsmasq.free_port()
    daemon = Traced(home, "--zones", f"{home}/zones", "--health-checks", "on",
                    "--alias-upstream", dead, "--forward", dead, "--dns-cpus",
                    str(min(os.sched_getaffinity(0))),
                    env={"ASAN_OPTIONS": "detect_leaks=0"})
    daemon.start()
    try:
        namespace = daemon.api.public("a.example")
        daemon.api.register(daemon.api.service(namespace, "web"), "i", "10.0.0.1")
        for tcp in (False, True):
            assert daemon.ask("web.a.example", source=None, tcp=tcp).answer
        query = gaz.query("elsewhere.example", rd=True)
        daemon.ask_wire(query.to_wire())
        with open(zone, "a", encoding="ascii") as file:
            file.write("www 60 IN A 192.0.2.1\n")
        gaz.until("the zone is read", lambda: daemon.ask("www.z.example", source=None).answer)
        gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "backup", f"{home}/copy"], home)
        assert daemon.unix_api.ok("ListNamespaces")["Namespaces"]
    finally:
        daemon.finish()
    with open(f"{home}/trace", encoding="utf-8", errors="replace") as file:
        used = set(re.findall(r"^\d+ +([a-z]\w*)\(", file.read(), re.M))
    assert {"recvmmsg", "sendmmsg", "prctl", "execve", "sched_setaffinity"} <= used
    used |= {"clock_nanosleep", "sendmsg"}  # under load, and when the network refuses much
    assert sorted(used - allowed_calls()) == []


def settings(name):
    """(key, value) of a unit file, in their order."""
    return [tuple(line.split("=", 1)) for line in text_of(f"systemd/{name}").splitlines()
            if "=" in line and not line.startswith("#")]


def test_the_daemon_serves_what_the_socket_units_hand_over(home):
    """Their sockets and names, on free ports."""
    sockets, own = [], {}
    for unit in UNITS[1:]:
        values = dict(settings(unit))
        for key, value in settings(unit):
            if key not in ("ListenDatagram", "ListenStream"):
                continue
            host, port = gaz.split_address(value)
            if (host, port) not in own:
                own[host, port] = dict(zip(("ListenDatagram", "ListenStream"),
                                           test_listeners.pair(host)))
            sockets.append((values["FileDescriptorName"], own[host, port][key]))
    daemon = test_listeners.Activated(home, sockets, listen=(), api=())
    daemon.start()
    try:
        assert [host for host, _ in daemon.dns] == ["127.0.53.1"]
        assert [host for host, _ in daemon.apis] == ["127.0.0.1"]
        daemon.api.public("a.example")
        for tcp in (False, True):
            assert daemon.ask("a.example", "SOA", source=None, tcp=tcp).answer
    finally:
        daemon.finish()
        for sockets_of_one in own.values():
            for sock in sockets_of_one.values():
                sock.close()


# ---- in front ----

@pytest.fixture(params=["dev.internal", "dev.test"])
def dev(start, request):
    """A daemon with a service "web"; the domain is that of the files, or another."""
    daemon = start()
    daemon.domain = request.param
    namespace = daemon.api.private(request.param, "vpc-dev")
    daemon.service = daemon.api.service(namespace, "web", ttl=0)
    daemon.api.register(daemon.service, "i", "10.0.0.7")
    return daemon


def front(home, name, daemon):
    """The file, for this daemon and its domain."""
    path = f"{home}/{os.path.basename(name)}"
    port = str(daemon.dns[0][1])
    with open(path, "w", encoding="utf-8") as file:
        file.write(text_of(name).replace("10053", port).replace("dev.internal", daemon.domain))
    return path


def check_front(daemon, server):
    """Names and types that are there and that are not; changes show."""
    def ask(label, rdtype="A"):
        return dnsmasq.ask(server, f"{label}{daemon.domain}", rdtype)

    assert gaz.addresses(ask("web.")) == ["10.0.0.7"]
    reply = ask("web.", "AAAA")
    assert (gaz.rcode(reply), reply.answer) == ("NOERROR", [])
    assert gaz.rcode(ask("missing.")) == "NXDOMAIN"
    # The name servers that it names are those of AWS, and nobody is to ask them.
    assert ask("", "NS").answer
    assert gaz.rcode(ask("other.")) == "NXDOMAIN"
    daemon.api.register(daemon.service, "i", "10.0.0.8")
    assert gaz.addresses(ask("web.")) == ["10.0.0.8"]


def test_dnsmasq_in_front(home, dev):
    """With rebind protection on."""
    conf = front(home, "front/dnsmasq.conf", dev)
    with dnsmasq.run(home, "--stop-dns-rebind", f"--conf-file={conf}") as server:
        check_front(dev, server)


def test_unbound_in_front(home, dev):
    """With private addresses filtered, and validation on."""
    port = dnsmasq.free_port()
    conf = front(home, "front/unbound.conf", dev)
    main = f"{home}/main.conf"
    with open(main, "w", encoding="utf-8") as file:
        file.write(f"""server:
    interface: 127.0.0.1@{port}
    username: ""
    chroot: ""
    directory: "{home}"
    pidfile: ""
    use-syslog: no
    private-address: 10.0.0.0/8
    trust-anchor: ". DS 20326 8 2 {ROOT_KEY}"
    module-config: "validator iterator"
include: "{conf}"
""")
    with dnsmasq.serve(["/usr/sbin/unbound", "-d", "-c", main], home,
                       ("127.0.0.1", port)) as server:
        check_front(dev, server)


# ---- containers ----

def options_work(start, options, addresses):
    """gazetteerd starts with these, the addresses being others: those of this machine."""
    listen, api, rest = [], [], []
    for option in options:
        name, value = option.split("=", 1)
        host, port = gaz.split_address(value) if name in ("--listen", "--api") else ("", 0)
        if name == "--listen":
            vpc = value.partition("=")[2]
            listen.append(f"{addresses[host]}:0" + (f"={vpc}" if vpc else ""))
        elif name == "--api":
            api.append(f"{addresses[host]}:0")
        elif name not in ("--data", "--socket"):
            rest.append(option)
    daemon = start(*rest, listen=listen, api=api)
    assert len(daemon.dns) == len(listen) and len(daemon.apis) == len(api)
    return daemon


def test_compose_file_fits_together(start):
    """Fixed addresses lie in their networks and are those that the clients ask."""
    compose = yaml.safe_load(text_of("docker/compose.yaml"))
    services, networks = compose["services"], compose["networks"]
    server = services["gazetteer"]
    assert (CONTRIB / "docker" / server["build"]["context"]).resolve() == REPO
    assert (REPO / server["build"]["dockerfile"]).exists()
    fixed = {}
    for name, place in server["networks"].items():
        subnet = ipaddress.ip_network(networks[name]["ipam"]["config"][0]["subnet"])
        assert ipaddress.ip_address(place["ipv4_address"]) in subnet
        fixed[name] = place["ipv4_address"]
    for name in ("blue", "green"):
        assert services[name]["dns"] == [fixed[name]] and services[name]["networks"] == [name]
    addresses = {fixed["blue"]: "127.0.53.1", fixed["green"]: "127.0.53.2",
                 "0.0.0.0": "127.0.0.1"}
    daemon = options_work(start, server["command"], addresses)
    daemon.api.private("dev.internal", "vpc-blue")
    assert daemon.ask("dev.internal", "SOA", source=None, listener=0).answer
    assert not daemon.ask("dev.internal", "SOA", source=None, listener=1).answer


def test_dockerfile_names_what_there_is(start, home):
    """Its packages, and options that gazetteerd takes."""
    text = text_of("docker/Dockerfile")
    command = re.search(r"\$\((awk '[^']*' contrib/packages)\)", text).group(1)
    packages = gaz.run(["sh", "-c", f"cd {REPO} && {command}"], home).stdout.split()
    assert {"autoconf", "gcc", "libevent-dev"} <= set(packages)
    words = yaml.safe_load(re.search(r"^CMD (\[.*\])$", text, re.M).group(1))
    options = [f"{name}={value}" for name, value in zip(words[::2], words[1::2])]
    options_work(start, options, {"0.0.0.0": "0.0.0.0"})


def test_kubernetes_objects_fit_together(start):
    """Services select the Deployment's pods and name ports that they have."""
    objects = list(yaml.safe_load_all(text_of("kubernetes/gazetteer.yaml")))
    (deployment,) = [o for o in objects if o["kind"] == "Deployment"]
    pod = deployment["spec"]["template"]
    (container,) = pod["spec"]["containers"]
    ports = {p["name"]: p for p in container["ports"]}
    services = [o for o in objects if o["kind"] == "Service"]
    assert len(services) == 3
    for service in services:
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]]["protocol"] == port["protocol"]
    volumes = {v["name"] for v in pod["spec"]["volumes"]}
    assert {m["name"] for m in container["volumeMounts"]} == volumes
    options_work(start, container["args"], {"0.0.0.0": "127.0.0.1"})
    listened = {int(a.split("=")[1].rsplit(":", 1)[1]) for a in container["args"]
                if a.startswith(("--listen", "--api"))}
    assert listened == {p["containerPort"] for p in ports.values()}
    client = yaml.safe_load(text_of("kubernetes/pod.yaml"))
    assert client["spec"]["dnsPolicy"] == "None" and client["spec"]["dnsConfig"]["nameservers"]


def test_corefile_is_one_block():
    """Balanced, for the domain of the other examples."""
    lines = [line for line in text_of("kubernetes/corefile.txt").splitlines()
             if not line.startswith("#")]
    assert lines[0] == "dev.internal:53 {" and lines[-1] == "}"
    assert [line.split()[0] for line in lines[1:-1]] == ["errors", "cache", "forward"]


# ---- continuous integration ----

def test_workflow_steps_run(home):
    """On a machine of their own, where the usual ports are free."""
    job = yaml.safe_load(text_of("github/workflow.yaml"))["jobs"]["test"]
    env = {**gaz.clean_env(home), **job["env"],
           "PATH": f"{gaz.BUILD}:{os.environ['PATH']}"}
    steps = [step["run"].replace("/tmp/", f"{home}/") for step in job["steps"] if "run" in step]
    assert len(steps) == 2
    with netns.machines(1) as (machine,):
        try:
            for step in steps:
                subprocess.run([*machine.prefix, "bash", "-e", "-c", step], check=True, env=env,
                               cwd=home, timeout=gaz.PATIENCE, stdin=subprocess.DEVNULL)
            done = gaz.run([*machine.prefix, "dig", "+short", "@127.0.0.1", "-p", "10053",
                            "web.dev.internal"], home)
            assert done.stdout == "10.0.0.1\n"
        finally:
            pids = gaz.run(["ip", "netns", "pids", machine.name], home).stdout.split()
            for pid in map(int, pids):
                os.kill(pid, signal.SIGTERM)
            gaz.until("gazetteerd has ended", lambda: not gaz.run(
                ["ip", "netns", "pids", machine.name], home).stdout.strip())
