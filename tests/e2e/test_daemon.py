# SPDX-License-Identifier: BSD-2-Clause
"""The daemon as a process: options, readiness, start, stop, and what goes wrong."""

import json
import os
import pathlib
import re
import shutil
import signal
import socket
import stat
import threading

import pytest

import gaz
from gaz import GAZETTEERD, IN_A, VPC_A

OPTIONS = ["--config", "--listen", "--api", "--socket", "--data", "--ephemeral", "--zones",
           "--vpc", "--strict-vpcs", "--workers", "--log-level", "--version", "--help",
           "--region", "--account", "--auth", "--key", "--quota", "--operation-delay",
           "--ptr", "--random-seed", "--seed", "--rate", "--soa", "--ns", "--soa-ttl",
           "--soa-serial", "--ec2", "--discover-health"]


def test_help_names_every_option(home):
    """On standard output, exit status 0."""
    done = gaz.run([GAZETTEERD, "--help"], home)
    assert done.stderr == ""
    for option in OPTIONS:
        assert re.search(rf"{option}\b", done.stdout), option
    assert max(len(line) for line in done.stdout.splitlines()) <= 100


def test_version_is_one_line(home):
    """Name and number."""
    done = gaz.run([GAZETTEERD, "--version"], home)
    assert re.match(r"^gazetteerd \d+(\.\d+)*\S*\n$", done.stdout)


def free_options(home):
    return ["--listen", "127.0.0.1:0", "--api", "127.0.0.1:0", "--socket", f"{home}/s.sock",
            "--data", f"{home}/store"]


@pytest.mark.parametrize("options, word", [
    (["--nonsense"], "nonsense"), (["--listen"], "listen"), (["operand"], "operand"),
    (["--listen", "nowhere"], "nowhere"), (["--listen", "127.0.0.1:99999"], "99999"),
    (["--listen", "localhost:53"], "localhost"), (["--listen", "127.0.0.1:0="], "127.0.0.1"),
    (["--api", "nowhere"], "nowhere"), (["--api", "127.0.0.1"], "127.0.0.1"),
    (["--vpc", "vpc-1"], "vpc-1"), (["--vpc", "vpc-1="], "vpc-1"),
    (["--vpc", "vpc-1=10.0.0.0/33"], "10.0.0.0/33"), (["--vpc", "vpc-1=10.0.0.1/8"],
                                                      "10.0.0.1/8"),
    (["--vpc", "=10.0.0.0/8"], "vpc"), (["--workers", "0"], "workers"),
    (["--workers", "many"], "many"), (["--workers", "-1"], "-1"),
    (["--log-level", "loud"], "loud"), (["--auth", "maybe"], "maybe"),
    (["--key", "nosecret"], "key"), (["--quota", "nonsense=1"], "nonsense"),
    (["--quota", "namespaces=x"], "quota"), (["--quota", "namespaces"], "namespaces"),
    (["--operation-delay", "soon"], "soon"), (["--account", "12"], "12"),
    (["--account", "12345678901x"], "12345678901x"), (["--random-seed", "x"], "random-seed"),
    (["--quota", "tags-per-resource="], "quota"),
    (["--discover-health", "ALL"], "HEALTHY_OR_ELSE_ALL"),
    (["--discover-health", "healthy"], "healthy"), (["--ec2", "i-12"], "i-12"),
    (["--ec2", "i-12=10.0.0"], "10.0.0"), (["--ec2", "i-12=::1"], "::1"),
    (["--ec2", "x-12=10.0.0.1"], "x-12"), (["--ec2", "i-AB=10.0.0.1"], "i-AB"),
    (["--ec2", "i-=10.0.0.1"], "i-"),
    (["--ec2", "i-12=10.0.0.1", "--ec2", "i-12=10.0.0.2"], "twice"),
    (["--zones", "/nonexistent/zones"], "/nonexistent/zones"),
    (["--config", "/nonexistent/config"], "gazetteerd: --config: unable to open /nonexistent/config")])
def test_bad_option_is_named(home, options, word):
    """A clear line on stderr, an exit status, no store made."""
    text = gaz.refused_start(home, *free_options(home), *options)
    assert word in text
    assert not os.path.exists(f"{home}/s.sock")


def write(path, text):
    pathlib.Path(path).write_text(text, encoding="utf-8")
    return str(path)


def test_config_file_has_every_option(start, home):
    """One member per option, the same name; repeatable ones are lists."""
    os.mkdir(f"{home}/zones")
    write(f"{home}/zones/z.example.zone", "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS ns.example.net.\n")
    config = {"listen": ["127.0.0.1:0", f"127.0.53.1:0={VPC_A}"], "api": ["127.0.0.1:0"],
              "socket": f"{home}/conf.sock", "data": f"{home}/confdata",
              "zones": f"{home}/zones",
              "vpc": [f"{VPC_A}=127.0.10.0/24,127.0.11.0/24", "vpc-2=127.0.12.0/24"],
              "strict-vpcs": True, "workers": 1, "log-level": "debug",
              "region": "eu-west-3", "account": "444455556666", "auth": "parse",
              "key": ["AKID=secret"], "quota": ["namespaces=1"], "operation-delay": 1,
              "random-seed": 7}
    file = write(f"{home}/gaz.json", json.dumps(config))
    daemon = ConfigDaemon(f"{home}", "--config", file)
    daemon.socket = pathlib.Path(f"{home}/conf.sock")
    daemon.start()
    try:
        api = daemon.api.at(region="eu-west-3")
        daemon.api.raw("ListNamespaces")
        assert daemon.api.raw("ListNamespaces").code == "MissingAuthenticationTokenException"
        api.failed("CreatePrivateDnsNamespace", Name="d.example", Vpc="vpc-3")
        namespace = api.private("c.example", VPC_A, ttl=5)
        assert ":eu-west-3:444455556666:" in api.namespace(namespace)["Arn"]
        api.fails("ResourceLimitExceeded", "CreateHttpNamespace", Name="x")
        for source, listener in (("127.0.11.1", 0), ("127.0.0.1", 1)):
            assert daemon.ask("c.example", "SOA", source=source, listener=listener).answer
        assert daemon.ask("z.example", "SOA", source="127.0.0.1").answer
        assert os.path.exists(f"{home}/confdata")
    finally:
        daemon.finish()


class ConfigDaemon(gaz.Daemon):
    """A daemon that gets exactly these options."""

    def command(self):
        return [str(GAZETTEERD), *self.options]


def test_command_line_wins_over_the_config_file(home):
    """A single-valued option given on both sides."""
    file = write(f"{home}/gaz.json", json.dumps({"region": "eu-west-3", "ephemeral": True}))
    daemon = ConfigDaemon(home, "--config", file, "--listen", "127.0.0.1:0", "--api",
                          "127.0.0.1:0", "--socket", f"{home}/s.sock", "--region",
                          "eu-west-2")
    daemon.start()
    try:
        namespace = daemon.api.http("n")
        assert ":eu-west-2:" in daemon.api.namespace(namespace)["Arn"]
    finally:
        daemon.finish()


@pytest.mark.parametrize("text, word", [
    ('{"nonsense": 1}', "nonsense"), ('{"listen": ["nowhere"]}', "nowhere"),
    ('{"workers": "two"}', "workers"), ('{"workers": 0}', "workers"),
    ('{"ephemeral": "yes"}', "ephemeral"), ('{"vpc": "vpc-1"}', "vpc"), ('{"data": true}', "data"),
    ("{", "gaz.json"), ("[]", "gaz.json"), ("", "gaz.json"), ('{"a":1} x', "gaz.json"),
    ('{"help": true}', "help"), ('{"config": "x"}', "config"),
    ('{"data": 5}', "data"),
    ('{"auth": "verify"}', "--key"),
])
def test_bad_config_file_is_explained(home, text, word):
    """An unknown member, a wrong type, no JSON."""
    file = write(f"{home}/gaz.json", text)
    options = free_options(home)
    for name in ("--listen", "--data"):  # what the command line gives counts alone
        if name[2:] in text:
            at = options.index(name)
            del options[at:at + 2]
    assert word in gaz.refused_start(home, *options, "--config", file)


def test_ready_line_names_the_real_addresses(start):
    """dns=, api= and socket= with the ports that the kernel chose."""
    daemon = start(listen=["127.0.0.1:0", "[::1]:0", f"127.0.53.1:0={VPC_A}"],
                   api=["127.0.0.1:0", "[::1]:0"])
    line = daemon.wait_log("^ready ")
    assert re.match(r"^ready dns=127\.0\.0\.1:\d+,\[::1\]:\d+,127\.0\.53\.1:\d+\S* "
                    r"api=127\.0\.0\.1:\d+,\[::1\]:\d+ socket=\S+$", line)
    assert daemon.ready["socket"] == str(daemon.socket)
    assert all(port > 0 for _, port in daemon.dns + daemon.apis)
    assert len([line for line in daemon.log if line.startswith("ready ")]) == 1
    for address in daemon.apis:
        assert gaz.Api(tcp=address).raw("ListNamespaces").status == 200


def test_every_listener_answers_over_udp_and_tcp(start):
    """One port number for both transports."""
    daemon = start(listen=["127.0.0.1:0", "127.0.0.2:0", "[::1]:0"])
    daemon.api.public("l.example", ttl=3)
    for listener in range(3):
        for tcp in (False, True):
            reply = daemon.ask("l.example", "SOA", source=None, listener=listener, tcp=tcp)
            assert reply.answer[0].ttl == 3


def test_api_none_leaves_the_socket_only(start):
    """--api none: no TCP port for the API."""
    daemon = start(api=["none"])
    assert daemon.apis == []
    assert daemon.unix_api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("abstract", [False, True])
def test_service_manager_is_notified(home, start, abstract):
    """READY=1 through NOTIFY_SOCKET, as sd_notify does."""
    path = f"{home}/notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind("\0" + path if abstract else path)
        sock.settimeout(gaz.PATIENCE)
        daemon = start(env={"NOTIFY_SOCKET": ("@" if abstract else "") + path})
        assert b"READY=1" in sock.recv(4096).split(b"\n")
        assert daemon.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("zones", [False, True])
def test_service_manager_is_told_of_a_reload(home, start, zones):
    """RELOADING=1 on SIGHUP, READY=1 when the zone files have been read, STOPPING=1."""
    os.mkdir(f"{home}/zones")
    options = ["--zones", f"{home}/zones"] if zones else []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"{home}/notify")
        sock.settimeout(gaz.PATIENCE)
        daemon = start(*options, env={"NOTIFY_SOCKET": f"{home}/notify"})
        assert sock.recv(4096) == b"READY=1"
        write(f"{home}/zones/z.example.zone", "@ 60 IN SOA a b 1 2 3 4 5\n@ 60 IN NS a.\n")
        daemon.process.send_signal(signal.SIGHUP)
        assert re.fullmatch(rb"RELOADING=1\nMONOTONIC_USEC=[1-9]\d+", sock.recv(4096))
        assert sock.recv(4096) == b"READY=1"
        assert bool(daemon.ask("z.example", "SOA").answer) == zones
        daemon.stop()
        assert sock.recv(4096) == b"STOPPING=1"


@pytest.mark.parametrize("kind", ["dns-udp", "dns-tcp", "api"])
def test_port_in_use_is_named(home, kind):
    """One clear line with the address; nothing is half started."""
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM if kind == "dns-udp"
                         else socket.SOCK_STREAM)
    with sock:
        sock.bind(("127.0.0.1", 0))
        if kind != "dns-udp":
            sock.listen()
        address = f"127.0.0.1:{sock.getsockname()[1]}"
        options = ["--socket", f"{home}/s.sock", "--data", f"{home}/store",
                   "--listen", address if kind != "api" else "127.0.0.1:0",
                   "--api", address if kind == "api" else "127.0.0.1:0"]
        text = gaz.refused_start(home, *options)
    assert address in text
    assert not os.path.exists(f"{home}/s.sock")
    assert len([line for line in text.splitlines() if "use" in line.lower()]) == 1


def test_second_daemon_on_the_same_dns_port_is_refused(daemon, home):
    """SO_REUSEPORT is for our own workers, not for another daemon."""
    host, port = daemon.dns[0]
    text = gaz.refused_start(home, "--listen", f"{host}:{port}", "--api", "none", "--socket",
                             f"{home}/s.sock", "--data", f"{home}/store")
    assert f"{host}:{port}" in text
    daemon.api.public("x.example")
    for _ in range(20):
        assert gaz.rcode(daemon.ask("x.example", "SOA")) == "NOERROR"


def test_listener_given_twice_is_refused(home):
    """One address, one listener."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{sock.getsockname()[1]}"
    text = gaz.refused_start(home, "--listen", address, "--listen", address, "--api", "none",
                             "--socket", f"{home}/s.sock", "--ephemeral")
    assert address in text


def test_overlong_socket_path_is_explained(home):
    """Unix socket names are short."""
    options = free_options(home)
    options[options.index(f"{home}/s.sock")] = f"{home}/" + "s" * 120
    assert "ssss" in gaz.refused_start(home, *options)


def test_foreign_address_is_named(home):
    """An address that is not ours."""
    text = gaz.refused_start(home, "--listen", "192.0.2.1:0", "--api", "none", "--socket",
                             f"{home}/s.sock", "--ephemeral")
    assert "192.0.2.1" in text


def test_second_daemon_on_the_same_data_is_refused(daemon, home):
    """It says so; the first one serves on."""
    daemon.api.public("first.example")
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                             "--socket", f"{home}/other.sock", "--data", str(daemon.data))
    assert str(daemon.data) in text
    assert daemon.ask("first.example", "SOA").answer
    daemon.api.http("still-writes")
    daemon.restart()
    assert len(daemon.api.ok("ListNamespaces")["Namespaces"]) == 2


def test_second_daemon_on_the_same_socket_is_refused(daemon, home):
    """A live management socket is not taken away."""
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                             "--socket", str(daemon.socket), "--data", f"{home}/other")
    assert str(daemon.socket) in text
    assert daemon.unix_api.raw("ListNamespaces").status == 200


def test_stale_socket_is_replaced(home, start):
    """Left over by a crash: nobody listens there."""
    daemon = start()
    daemon.kill()
    assert stat.S_ISSOCK(os.stat(daemon.socket).st_mode)
    daemon.start()
    assert daemon.unix_api.raw("ListNamespaces").status == 200


def test_file_in_place_of_the_socket_is_not_removed(home):
    """Only a socket may be replaced."""
    write(f"{home}/s.sock", "precious")
    text = gaz.refused_start(home, *free_options(home))
    assert f"{home}/s.sock" in text
    assert pathlib.Path(f"{home}/s.sock").read_text(encoding="utf-8") == "precious"


def test_socket_is_for_owner_and_group(daemon):
    """Mode 0660, whatever the umask; gone after the end."""
    mode = os.stat(daemon.socket).st_mode
    assert stat.S_ISSOCK(mode) and stat.S_IMODE(mode) == 0o660
    daemon.stop()
    assert not os.path.exists(daemon.socket)


@pytest.mark.parametrize("damage", ["junk", "short", "zeroed", "foreign"])
def test_damaged_store_is_explained(daemon, home, damage):
    """A clear line that names the store; no crash, no change to the file."""
    daemon.api.public("x.example")
    daemon.stop()
    (path,) = [p for p in daemon.data.rglob("*") if p.is_file() and "lock" not in p.name]
    content = path.read_bytes()
    if damage == "junk":
        content = os.urandom(len(content))
    elif damage == "short":
        content = content[:3000]
    elif damage == "zeroed":
        content = b"\0" * len(content)
    else:
        content = b"not a store at all\n"
    path.write_bytes(content)
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                             "--socket", f"{home}/s.sock", "--data", str(daemon.data))
    assert str(daemon.data) in text
    assert not os.path.exists(f"{home}/s.sock")


@pytest.mark.parametrize("place", ["file", "below-file", "/proc/gaz", "/nonexistent/a/b"])
def test_unusable_data_folder_is_explained(home, place):
    """Not a directory, or cannot be made."""
    path = place if place.startswith("/") else write(f"{home}/file", "precious")
    if place == "below-file":
        path += "/below"
    options = free_options(home)
    options[options.index(f"{home}/store")] = path
    if place == "/nonexistent/a/b":
        path = f"{home}/file2/a"
        write(f"{home}/file2", "")
        options[options.index(place)] = path
    assert path in gaz.refused_start(home, *options)


def test_data_folder_without_permission_is_explained(home):
    """As an ordinary user, on a folder of somebody else."""
    os.mkdir(f"{home}/locked", 0o000)
    options = free_options(home)
    options[options.index(f"{home}/store")] = f"{home}/locked/store"
    if os.geteuid() == 0:
        os.chmod(home, 0o777)
        program = f"{home}/gazetteerd"
        shutil.copy(GAZETTEERD, program)
        done = gaz.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups",
                        program, *options], home, expect=None)
        assert done.returncode > 0
        text = done.stderr
    else:
        text = gaz.refused_start(home, *options)
    assert f"{home}/locked" in text
    os.chmod(f"{home}/locked", 0o700)


def test_ephemeral_leaves_nothing_behind(home, start):
    """Its store is removed at the end; the next start is empty."""
    os.mkdir(f"{home}/tmp")
    daemon = start(ephemeral=True, env={"TMPDIR": f"{home}/tmp"})
    daemon.api.public("x.example")
    assert daemon.ask("x.example", "SOA").answer
    daemon.stop()
    assert os.listdir(f"{home}/tmp") == []
    assert not daemon.data.exists() and not daemon.socket.exists()
    daemon.start()
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signals_stop_it_cleanly(daemon, number):
    """SIGTERM and Ctrl-C: exit status 0."""
    daemon.api.public("x.example")
    idle = daemon.api.connect()
    idle.connect()
    with gaz.open_tcp(daemon.dns[0], IN_A):
        daemon.process.send_signal(number)
        assert daemon._reap() == 0
    idle.close()


def test_stop_does_not_wait_for_pending_operations(start):
    """They end after the next start."""
    daemon = start("--operation-delay", "3600000")
    operation = daemon.api.ok("CreateHttpNamespace", Name="n")["OperationId"]
    daemon.restart()
    assert daemon.api.operation(operation)["Status"] in ("SUBMITTED", "PENDING")


def test_sigterm_under_load_loses_no_answered_call(daemon):
    """Calls under way are answered whole or not at all; exit status 0."""
    answered, lock = set(), threading.Lock()

    def work(part):
        conn = daemon.api.connect()
        try:
            for number in range(10 ** 6):
                name = f"n{part}-{number}"
                reply = daemon.api.raw("CreateHttpNamespace", conn=conn, Name=name)
                if reply.status == 503:
                    return
                if reply.status == 400 and reply.code == "ResourceLimitExceeded":
                    return
                assert reply.status == 200, reply
                with lock:
                    answered.add(name)
                reply = daemon.api.raw("GetOperation", conn=conn, **reply.json)
                assert reply.status in (200, 503), reply
        except (OSError, gaz.http.client.HTTPException):
            return
        finally:
            conn.close()

    daemon.options += ["--quota", "namespaces=1000000"]
    daemon.restart()
    crowd = gaz.Crowd()
    for part in range(4):
        crowd.add(work, part)
    gaz.until("some answers", lambda: len(answered) > 20 or crowd.errors)
    daemon.stop()
    crowd.join()
    daemon.start()
    found, token = set(), {}
    while True:
        page = daemon.api.ok("ListNamespaces", **token)
        found |= {namespace["Name"] for namespace in page["Namespaces"]}
        if "NextToken" not in page:
            break
        token = {"NextToken": page["NextToken"]}
    assert answered <= found
    assert len(found - answered) <= 4


def test_bad_zone_file_is_named_and_the_others_are_served(home, start):
    """File and line on stderr; the good zone answers."""
    os.mkdir(f"{home}/zones")
    head = "$TTL 60\n@ IN SOA a b 1 2 3 4 5\n@ IN NS ns.example.net.\n"
    write(f"{home}/zones/good.example.zone", head + "www IN A 192.0.2.1\n")
    write(f"{home}/zones/bad.example.zone", head + "www IN A not-an-address\n")
    write(f"{home}/zones/nosoa.example.zone", "www 60 IN A 192.0.2.1\n")
    write(f"{home}/zones/empty.example.zone", "")
    write(f"{home}/zones/noise.example.zone", "\x01\x02 \xff ( \n")
    write(f"{home}/zones/README", "not a zone file")
    daemon = start("--zones", f"{home}/zones")
    assert daemon.wait_log(r"bad\.example\.zone:4\b")
    for name in ("nosoa", "empty", "noise"):
        assert daemon.wait_log(rf"{name}\.example\.zone")
        assert gaz.rcode(daemon.ask(f"{name}.example", "SOA")) == "REFUSED"
    assert gaz.addresses(daemon.ask("www.good.example")) == ["192.0.2.1"]
    assert gaz.rcode(daemon.ask("www.bad.example")) == "REFUSED"
    assert not any("README" in line for line in daemon.log)


def test_static_zones_live_beside_namespaces(home, start):
    """Public, and behind a public namespace of the same name; never in the API."""
    os.mkdir(f"{home}/zones")
    write(f"{home}/zones/s.example.zone",
          "$TTL 60\n@ IN SOA a b 1 2 3 4 77\n@ IN NS ns.example.net.\nwww IN A 192.0.2.1\n")
    daemon = start(*gaz.VPC_OPTIONS, "--zones", f"{home}/zones")
    api = daemon.api
    assert api.ok("ListNamespaces")["Namespaces"] == []
    for source in (IN_A, gaz.OUTSIDE):
        assert gaz.addresses(daemon.ask("www.s.example", source=source)) == ["192.0.2.1"]
    api.private("s.example", VPC_A, ttl=2)
    assert gaz.rcode(daemon.ask("www.s.example")) == "NXDOMAIN"
    assert daemon.ask("www.s.example", source=gaz.OUTSIDE).answer
    public = api.public("s.example", ttl=3)
    assert daemon.ask("www.s.example", source=gaz.OUTSIDE).authority[0].ttl == 3
    daemon.restart(kill=True)
    assert daemon.ask("www.s.example", source=gaz.OUTSIDE).authority[0].ttl == 3
    daemon.api.done("DeleteNamespace", Id=public)
    assert gaz.addresses(daemon.ask("www.s.example", source=gaz.OUTSIDE)) == ["192.0.2.1"]


def test_shipped_zones_load_without_complaint(start):
    """zones/ of the tree: localhost resolves, no warning."""
    folder = gaz.REPO / "zones"
    files = sorted(folder.glob("*.zone"))
    assert files
    daemon = start("--zones", str(folder), "--log-level", "warn")
    for file in files:
        origin = "." if file.stem == "root" else file.stem
        reply = daemon.ask(origin, "SOA")
        assert reply.answer and reply.answer[0].name.to_text().rstrip(".") == origin.rstrip(".")
    assert gaz.addresses(daemon.ask("localhost")) == ["127.0.0.1"]
    assert gaz.addresses(daemon.ask("localhost", "AAAA")) == ["::1"]
    assert [line for line in daemon.log if not line.startswith("ready ")] == []


def test_default_data_and_socket_places_are_in_the_help(home):
    """A user must know where things go without options."""
    text = gaz.run([GAZETTEERD, "--help"], home).stdout
    assert "gazetteer" in text and "127.0.0.1:10053" in text and "127.0.0.1:8053" in text


def test_log_is_escaped(daemon):
    """Hostile bytes never reach the log raw."""
    daemon.api.send(b"\x1b[31m", "x\x1b[31my")
    daemon.ask("\\027[31m.example")
    assert not any("\x1b" in line for line in daemon.log)
