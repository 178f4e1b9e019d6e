# SPDX-License-Identifier: BSD-2-Clause
"""Zone files that change: reload by signal, command and by themselves; list and export."""

import ctypes
import itertools
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import threading

import pytest

import gaz
from gaz import VPC_A

HEAD = "$TTL 300\n@ SOA ns.example.net. h {serial} 3600 900 604800 60\n NS ns.example.net.\n"


def text(serial, *lines):
    return HEAD.format(serial=serial) + "".join(f"{line}\n" for line in lines)


class Folder:
    """A folder of zone files and a daemon that serves it."""

    def __init__(self, start, home):
        self.path = pathlib.Path(home) / "zones"
        self.path.mkdir()
        self.home, self.starter, self.daemon = home, start, None

    def start(self, *options):
        self.daemon = self.starter("--zones", str(self.path), *gaz.VPC_OPTIONS, *options)
        return self.daemon

    def write(self, name, content):
        """As an editor does: a file of another name, renamed."""
        part = self.path / f".{name.replace('/', '-')}.part"
        part.write_text(content, encoding="ascii")
        os.rename(part, self.path / name)

    def ctl(self, *args, expect=0):
        return gaz.run([gaz.GAZCTL, "--socket", self.daemon.socket, *args], self.home, expect)

    def zones(self, *args):
        return {zone["Name"]: zone for zone in
                json.loads(self.ctl("--json", "zone", "list", *args).stdout)["Zones"]}

    def serial(self, zone):
        answer = self.daemon.ask(zone, "SOA").answer
        return answer[0][0].serial if answer else None

    def becomes(self, zone, serial):
        gaz.until(f"serial {serial} of {zone}", lambda: self.serial(zone) == serial)


@pytest.fixture
def folder(start, home):
    return Folder(start, home)


def test_files_that_change_are_read_again_by_themselves(folder):
    """Written, renamed into place, new, removed, included: nobody is told."""
    folder.write("a.example.zone", text(1, "www A 192.0.2.1"))
    daemon = folder.start()
    assert folder.serial("a.example") == 1
    folder.write("a.example.zone", text(2, "www A 192.0.2.2"))
    folder.becomes("a.example", 2)
    assert gaz.addresses(daemon.ask("www.a.example")) == ["192.0.2.2"]
    (folder.path / "a.example.zone").write_text(text(3), encoding="ascii")
    folder.becomes("a.example", 3)
    assert gaz.rcode(daemon.ask("www.a.example")) == "NXDOMAIN"
    os.mkdir(folder.path / "parts")
    folder.write("parts/hosts", "www A 192.0.2.7\n")
    folder.write("b.example.zone", text(1, "$INCLUDE parts/hosts"))
    folder.becomes("b.example", 1)
    folder.write("parts/hosts", "www A 192.0.2.8\n")
    gaz.until("the included file", lambda: gaz.addresses(daemon.ask("www.b.example")) ==
              ["192.0.2.8"])
    os.unlink(folder.path / "a.example.zone")
    folder.becomes("a.example", None)
    assert gaz.rcode(daemon.ask("a.example", "SOA")) == "REFUSED"
    assert folder.serial("b.example") == 1


OPEN, CLOSE_NOWRITE = 0x20, 0x10  # of inotify


def wait_for_reader(path, event=CLOSE_NOWRITE):
    """A function that waits until somebody has opened, read and closed a file (inotify)."""
    libc = ctypes.CDLL(None, use_errno=True)
    notify = libc.inotify_init1(os.O_CLOEXEC)
    assert libc.inotify_add_watch(notify, os.fsencode(path), event) > 0

    def wait():
        assert os.read(notify, 4096)
        os.close(notify)
    return wait


def test_included_file_that_changes_before_its_folder_is_watched(folder):
    """Which folders matter is known only when the zone has been read."""
    daemon = folder.start()
    (folder.path / "parts").mkdir()
    hosts = folder.path / "parts" / "hosts"
    hosts.write_text("www A 192.0.2.7\n", encoding="ascii")
    wait = wait_for_reader(hosts)
    folder.write("a.example.zone", text(1, "$INCLUDE parts/hosts",
                                        *(f"n{i} A 192.0.2.1" for i in range(300000))))
    wait()
    hosts.write_text("www A 192.0.2.8\n", encoding="ascii")
    folder.becomes("a.example", 1)
    gaz.until("the included file", lambda: gaz.addresses(daemon.ask("www.a.example")) ==
              ["192.0.2.8"])


def test_links_that_are_switched_over(folder):
    """Every file is a link into a folder, and one rename changes them all."""
    for number in (1, 2):
        os.mkdir(folder.path / f"..v{number}")
        for zone in "ab":
            (folder.path / f"..v{number}/{zone}").write_text(text(number), encoding="ascii")
    os.symlink("..v1", folder.path / "..data")
    for zone in "ab":
        os.symlink(f"..data/{zone}", folder.path / f"{zone}.example.zone")
    folder.start()
    assert folder.serial("a.example") == folder.serial("b.example") == 1
    os.symlink("..v2", folder.path / "..new")
    os.rename(folder.path / "..new", folder.path / "..data")
    folder.becomes("a.example", 2)
    folder.becomes("b.example", 2)


def test_file_renamed_in_case_only_is_served_throughout(folder):
    """And what else has changed is published while it is read under its new name."""
    folder.write("Z.example.zone", text(1, *(f"n{i} A 192.0.2.1" for i in range(100000))))
    folder.write("other", text(1, *(f"n{i} A 192.0.2.1" for i in range(250000))))
    daemon = folder.start()
    stop = threading.Event()

    def ask():
        while not stop.is_set():
            assert gaz.rcode(daemon.ask("n7.z.example")) == "NOERROR"
    crowd = gaz.Crowd()
    crowd.add(ask)
    try:
        os.rename(folder.path / "Z.example.zone", folder.path / "z.example.zone")
        os.rename(folder.path / "other", folder.path / "a.example.zone")
        assert daemon.wait_log(r"zone-loaded file=\S*/z\.example\.zone ")
    finally:
        stop.set()
        crowd.join()
    folder.becomes("a.example", 1)
    assert folder.zones()["z.example"]["Source"] == str(folder.path / "z.example.zone")
    assert not [line for line in daemon.log if "zone-removed" in line]


def test_folder_that_is_replaced(folder):
    """Gone, the zones stay; another one in its place counts."""
    folder.write("a.example.zone", text(1))
    daemon = folder.start()
    os.rename(folder.path, f"{folder.path}.old")
    assert daemon.wait_log("zone-files-not-read")
    assert folder.serial("a.example") == 1
    os.mkdir(folder.path)
    folder.write("a.example.zone", text(2))
    folder.becomes("a.example", 2)
    folder.write("a.example.zone", text(3))
    folder.becomes("a.example", 3)


def leave_descriptors(daemon, count):
    """The daemon can open so many files, and the limit that is to be restored."""
    pid = daemon.process.pid
    before = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    used = {int(fd) for fd in os.listdir(f"/proc/{pid}/fd")}
    free = (number for number in itertools.count() if number not in used)
    limit = next(itertools.islice(free, count, None))
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (limit, before[1]))
    return before


@pytest.mark.parametrize("left, told, well", [
    (0, "zone-files-not-read .*Too many open files.*tried again", "zone-files-read directory="),
    (1, r"zone-file-not-reloaded .*/a\.example\.zone:4: .*Too many open files.*tried again",
     r"zone-loaded file=\S*/a\.example\.zone names=2 ")])
def test_what_could_not_be_read_is_tried_again(folder, left, told, well):
    """Nobody touches the files again, and nobody asks for a reload."""
    (folder.path / "parts").mkdir()
    folder.write("parts/hosts", "www A 192.0.2.7\n")
    folder.write("a.example.zone", text(1, "$INCLUDE parts/hosts"))
    daemon = folder.start()
    first = len(daemon.log)
    limit = leave_descriptors(daemon, left)
    folder.write("a.example.zone", text(2, "$INCLUDE parts/hosts"))
    assert daemon.wait_log(told, first)
    assert folder.serial("a.example") == 1
    resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, limit)
    folder.becomes("a.example", 2)
    assert daemon.wait_log(well, first)
    assert len([line for line in daemon.log if "tried again" in line]) == 1
    assert folder.zones()["a.example"]["State"] == "LOADED"


def test_hangup_reads_all_files(folder):
    """SIGHUP, without --zones too; a bad file keeps its old version."""
    folder.write("a.example.zone", text(1, "www A 192.0.2.1"))
    daemon = folder.start()
    first = len(daemon.log)
    daemon.process.send_signal(signal.SIGHUP)
    assert daemon.wait_log(r"zone-loaded file=\S*a\.example\.zone", first)
    folder.write("a.example.zone", text(2, "www A nonsense"))
    assert daemon.wait_log(r"zone-file-not-reloaded .*a\.example\.zone:4: ", first)
    assert folder.serial("a.example") == 1
    zone = folder.zones()["a.example"]
    assert zone["Served"] and zone["State"] == "FAILED" and zone["Serial"] == 1
    assert "a.example.zone:4: " in zone["Error"]
    plain = folder.starter()
    plain.process.send_signal(signal.SIGHUP)
    assert plain.wait_log("^.* reload signal=HUP")
    assert gaz.rcode(plain.ask("a.example")) == "REFUSED"


def test_reload_by_command(folder):
    """All or one; what cannot be loaded is an error, and what does not exist."""
    folder.write("a.example.zone", text(1))
    folder.write("b.example.zone", text(1))
    folder.start()
    assert folder.ctl("zone", "reload").stdout == "loaded 2 zones\n"
    folder.write("a.example.zone", text(2))
    assert folder.ctl("zone", "reload", "A.example.").stdout == "loaded 1 zone\n"
    assert folder.serial("a.example") == 2
    folder.write("b.example.zone", text(2, "x A nonsense"))
    done = folder.ctl("zone", "reload", expect=1)
    assert done.stdout == "loaded 1 zone\n" and "b.example.zone:4: not an IPv4" in done.stderr
    assert "ResourceNotFoundException" in folder.ctl("zone", "reload", "c.example",
                                                     expect=1).stderr
    assert "ResourceNotFoundException" in folder.ctl("zone", "reload", "bad..name",
                                                     expect=1).stderr
    folder.daemon = folder.starter()
    assert "--zones" in folder.ctl("zone", "reload", expect=1).stderr


def test_list_and_show(folder):
    """Namespaces and files, served or not."""
    folder.write("a.example.zone", text(7, "www A 192.0.2.1", "www A 192.0.2.2",
                                        "out.example.net. A 192.0.2.3"))
    folder.write("bad.example.zone", "nonsense\n")
    daemon = folder.start()
    namespace = daemon.api.private("n.example", VPC_A)
    daemon.api.register(daemon.api.service(namespace, "web"), "i", "10.0.0.1")
    zones = folder.zones()
    assert list(zones) == ["a.example", "bad.example", "n.example"]
    a, bad, own = zones.values()
    assert (a["Type"], a["Serial"], a["Records"], a["Names"], a["Warnings"]) == (
        "STATIC", 7, 4, 2, 1)
    assert a["Source"] == str(folder.path / "a.example.zone")
    assert a["Served"] and a["State"] == "LOADED" and a["LoadDate"] >= a["ReadDate"] > 0
    assert not bad["Served"] and bad["State"] == "FAILED" and bad["Records"] == 0
    assert "bad.example.zone:1: " in bad["Error"] and "Serial" not in bad
    assert own["Id"] == namespace and own["Type"] == "DNS_PRIVATE" and own["Served"]
    assert own["Records"] == 6 and own["Source"] == "namespace"
    daemon.api.deregister(daemon.api.ok("ListServices")["Services"][0]["Id"], "i")
    assert folder.zones()["n.example"]["Records"] == 5
    assert "static:a.example." in folder.ctl("zone", "show", "a.example").stdout
    assert namespace in folder.ctl("zone", "show", namespace).stdout
    assert "ResourceNotFoundException" in folder.ctl("zone", "show", "x", expect=1).stderr
    table = folder.ctl("zone", "list").stdout
    assert "not served" in table and "n.example" in table


def test_zones_of_one_name_are_told_apart(folder):
    """By their ids and VPCs, in the table and in JSON."""
    api = folder.start().api
    ids = {vpc: api.private("same.example", vpc) for vpc in (VPC_A, gaz.VPC_B)}
    public = api.public("same.example")
    rows = [line.split() for line in folder.ctl("zone", "list").stdout.splitlines()]
    assert rows[0][:5] == ["ZONE", "ID", "TYPE", "VPC", "SERIAL"]
    assert sorted(row[1:4] for row in rows[1:] if row[2] == "DNS_PRIVATE") == \
        sorted([number, "DNS_PRIVATE", vpc] for vpc, number in ids.items())
    assert [row[1] for row in rows[1:] if row[2] == "DNS_PUBLIC"] == [public]
    zones = json.loads(folder.ctl("--json", "zone", "list").stdout)["Zones"]
    assert {zone.get("VpcId"): zone["Id"] for zone in zones} == {None: public, **ids}
    assert gaz.VPC_B in folder.ctl("zone", "show", ids[gaz.VPC_B]).stdout


@pytest.mark.parametrize("call", ["ListZones", "ReloadZones", "ExportZone"])
def test_only_the_management_socket_tells_of_zones(folder, call):
    """They are of all accounts, and paths of the machine are in it."""
    folder.start().api.fails("AccessDeniedException", f"Gazetteer.{call}", Zone="a.example")


def test_every_answer_is_of_one_version(folder):
    """Two records that always agree, while the file changes as fast as it can be read."""
    lines = [f"h{n} A 192.0.2.1" for n in range(500)]
    folder.write("a.example.zone", text(
        1, "x A 192.0.2.1", "x A 192.0.2.101", "chain CNAME t1", "t1 A 192.0.2.1", *lines))
    daemon = folder.start()
    crowd, stop = gaz.Crowd(), threading.Event()
    replies = set()

    def ask():
        while not stop.is_set() and not crowd.over.is_set():
            reply = daemon.ask("x.a.example")
            assert gaz.rcode(reply) == "NOERROR"
            replies.add(tuple(sorted(gaz.addresses(reply))))
            assert gaz.addresses(daemon.ask("h77.a.example")) == ["192.0.2.1"]
            chain = daemon.ask("chain.a.example").answer
            assert len(chain) == 2 and chain[0][0].target == chain[1].name

    for _ in range(3):
        crowd.add(ask)
    try:
        for serial in range(2, 60):
            folder.write("a.example.zone", text(
                serial, f"x A 192.0.2.{serial}", f"x A 192.0.2.{serial + 100}",
                f"chain CNAME t{serial}", f"t{serial} A 192.0.2.1", *lines))
            folder.ctl("zone", "reload", "a.example")
            assert folder.serial("a.example") == serial
    finally:
        stop.set()
        crowd.join()
    for one, other in replies:
        assert abs(int(one.split(".")[3]) - int(other.split(".")[3])) == 100
    assert len(replies) > 2


# ---- export ----

ALL_TYPES = r"""
a A 192.0.2.1
aaaa AAAA 2001:db8::1
cname CNAME a
d DNAME a
mx MX 10 a
txt TXT "two strings" "\"quoted\" \\ \200\000;"
_s._tcp SRV 1 2 3 a
ptr PTR a
caa CAA 0 issue "ca.example.net; x=y"
ds DS 12345 13 2 0102030405060708090a0b0c0d0e0f100102030405060708090a0b0c0d0e0f10
ds NS ns.example.net.
tlsa TLSA 3 1 1 0102030405060708090a0b0c0d0e0f100102030405060708090a0b0c0d0e0f10
sshfp SSHFP 4 2 0102030405060708090a0b0c0d0e0f100102030405060708090a0b0c0d0e0f10
naptr NAPTR 100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .
hinfo HINFO "a b" linux
rp RP mbox txt
loc LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m
svcb SVCB 1 a port=53 alpn=dot
https HTTPS 1 . alpn="h2,h3"
uri URI 10 1 "ftp://ftp.example.com/public"
spf SPF "v=spf1 -all"
dnskey DNSKEY 257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0dxCjjnopKl+GqJxpVXckHAeF+KkxLbxILfDLUT0rAK9iUzy1L53eKGQ==
afsdb AFSDB 1 a
kx KX 1 a
nid NID 10 0014:4fff:ff20:ee64
eui EUI48 00-00-5e-00-53-2a
odd TYPE65280 \# 3 010203
odd TYPE65281 \# 0
strange\.name\032\(\;\@\$\"x A 192.0.2.2
*.wild A 192.0.2.3
deep.er.than.that A 192.0.2.4
"""


def records(path, origin, home):
    """What ldns finds in a zone file, in an order that does not matter."""
    done = gaz.run(["ldns-read-zone", "-c", path], home)
    return sorted(done.stdout.splitlines())


def check(path, origin, home):
    """named-checkzone accepts it too."""
    done = gaz.run([shutil.which("named-checkzone") or "/usr/bin/named-checkzone",
                    "-i", "none", origin, path], home)
    assert done.stdout.endswith("OK\n")


def test_export_of_every_type_is_what_was_read(folder):
    """Also after a second round, and to other programs."""
    path = folder.path / "all.example.zone"
    folder.write(path.name, text(1) + ALL_TYPES)
    folder.start()
    first = folder.ctl("zone", "export", "all.example").stdout
    assert first.startswith("all.example.\t300\tIN\tSOA\tns.example.net. ")
    copy = pathlib.Path(folder.home) / "copy"
    copy.write_text(first, encoding="ascii")
    original = pathlib.Path(folder.home) / "original"
    original.write_text("$ORIGIN all.example.\n" + path.read_text(encoding="ascii"),
                        encoding="ascii")
    assert records(copy, "all.example", folder.home) == records(original, "all.example",
                                                                folder.home)
    check(copy, "all.example", folder.home)
    shutil.copy(copy, path)
    folder.ctl("zone", "reload", "all.example")
    assert folder.ctl("zone", "export", "all.example").stdout == first


def test_export_of_a_namespace(folder):
    """Healthy records, aliases and further CNAMEs as comments; several zones of one name."""
    daemon = folder.start()
    api = daemon.api
    space = api.private("n.example", VPC_A)
    service = api.serve(space, "web", "A", HealthCheckCustomConfig={})
    for number in (1, 2):
        api.attach(service, f"i{number}", AWS_INSTANCE_IPV4=f"10.0.0.{number}")
    api.ok("UpdateInstanceCustomHealthStatus", ServiceId=service, InstanceId="i2",
           Status="UNHEALTHY")
    names = api.serve(space, "cname", "CNAME", policy="WEIGHTED")
    for number in (1, 2):
        api.attach(names, f"c{number}", AWS_INSTANCE_CNAME=f"t{number}.example.net")
    alias = api.serve(space, "alias", "A", policy="WEIGHTED")
    api.attach(alias, "x", AWS_ALIAS_DNS_NAME="lb.example.net")
    api.attach(api.serve(space, "srv", "SRV"), "s1", AWS_INSTANCE_IPV4="10.0.0.9",
               AWS_INSTANCE_PORT="80")
    exported = folder.ctl("zone", "export", "n.example").stdout
    lines = exported.splitlines()
    assert "web.n.example.\t60\tIN\tA\t10.0.0.1" in lines
    assert "; unhealthy: web.n.example.\t60\tIN\tA\t10.0.0.2" in lines
    assert "srv.n.example.\t60\tIN\tSRV\t1 1 80 s1.srv.n.example." in lines
    assert "; alias: alias.n.example. A of lb.example.net." in lines
    assert sum("cname.n.example.\t60\tIN\tCNAME" in line for line in lines) == 2
    assert sum(line.startswith("; one of several: cname.n.example.") for line in lines) == 1
    copy = pathlib.Path(folder.home) / "copy"
    copy.write_text(exported, encoding="ascii")
    check(copy, "n.example", folder.home)
    folder.write("again.example.zone", exported.replace("n.example", "again.example"))
    folder.becomes("again.example", 1)
    assert gaz.addresses(daemon.ask("web.again.example")) == ["10.0.0.1"]
    api.public("n.example")
    assert "Several zones" in folder.ctl("zone", "export", "n.example", expect=1).stderr
    assert folder.ctl("zone", "export", space).stdout == exported
    assert "ResourceNotFound" in folder.ctl("zone", "export", "x", expect=1).stderr


def test_export_is_one_moment_under_load(folder):
    """Instances are registered one after the other: none is there without the one before."""
    daemon = folder.start()
    space = daemon.api.public("n.example")
    service = daemon.api.serve(space, "srv", "SRV")
    crowd, stop = gaz.Crowd(), threading.Event()

    def register():
        number = 0
        while not stop.is_set() and number < 900:
            number += 1
            daemon.api.attach(service, f"i{number}", AWS_INSTANCE_IPV4="10.0.0.1",
                              AWS_INSTANCE_PORT="80")

    crowd.add(register)
    try:
        for _ in range(10):
            lines = folder.ctl("zone", "export", "n.example").stdout.splitlines()
            targets = {line.split()[-1] for line in lines if "\tSRV\t" in line}
            owners = {line.split()[0] for line in lines if "\tA\t" in line}
            assert targets == owners
            assert targets == {f"i{n}.srv.n.example." for n in range(1, len(targets) + 1)}
    finally:
        stop.set()
        crowd.join()


def write_big(folder):
    """A zone that takes longer to load than a daemon without one takes to stop."""
    path = folder.path / "big.example.zone"
    with open(path, "w", encoding="ascii") as file:
        file.write(text(1))
        file.writelines(f"h{n} A 10.{n >> 16}.{n >> 8 & 255}.{n & 255}\n"
                        for n in range(400000))
    return path


@pytest.mark.parametrize("how", ["change", "hangup", "command"])
def test_stop_does_not_wait_for_a_load(folder, how):
    """Nor does a call that waits for it: it is told that we are stopping."""
    path = write_big(folder)
    daemon = folder.start()
    first = len(daemon.log)
    wait = wait_for_reader(path, OPEN)
    crowd, done = gaz.Crowd(), []
    if how == "change":
        os.utime(path)
    elif how == "hangup":
        daemon.process.send_signal(signal.SIGHUP)
    else:
        crowd.add(lambda: done.append(folder.ctl("zone", "reload", expect=1)))
    wait()
    daemon.stop()
    crowd.join()
    assert not [line for line in daemon.log[first:] if "big.example" in line]
    assert all("shutting down" in command.stderr for command in done)
    daemon.start()
    assert folder.serial("big.example") == 1


@pytest.mark.parametrize("numbers", [[signal.SIGTERM], [signal.SIGHUP, signal.SIGTERM]])
def test_stop_does_not_wait_for_the_first_load(folder, numbers):
    """Nor does it become ready, and a reload that was wanted before it is over, too."""
    secrets = pathlib.Path(folder.home, "secrets")
    secrets.write_text(f"{'1f' * 16}\n", encoding="ascii")
    wait = wait_for_reader(write_big(folder), OPEN)
    daemon = gaz.Daemon(folder.home, "--zones", str(folder.path), "--cookie-secret-file",
                        str(secrets))
    process = subprocess.Popen(daemon.command(), stderr=subprocess.PIPE, text=True,
                               env=gaz.clean_env(folder.home))
    wait()
    for number in numbers:
        process.send_signal(number)
    _, told = process.communicate(timeout=gaz.PATIENCE)
    assert process.returncode == 0 and "stopping signal=TERM" in told
    assert "ready" not in told and "big.example" not in told and "reload" not in told


def test_large_zone_comes_and_goes(folder):
    """50,000 names, exported, read back, and all gone again."""
    count = 50000
    folder.write("big.example.zone", text(1, *(
        f"h{n} A 10.0.{n // 256}.{n % 256}" for n in range(count))))
    daemon = folder.start()
    with open(f"{folder.home}/copy", "wb") as file:
        subprocess.run([gaz.GAZCTL, "--socket", daemon.socket, "zone", "export",
                        "big.example"], stdout=file, check=True, timeout=gaz.PATIENCE)
    with open(f"{folder.home}/copy", encoding="ascii") as file:
        assert sum(1 for line in file if "\tA\t" in line) == count
    shutil.copy(f"{folder.home}/copy", folder.path / "big.example.zone")
    folder.ctl("zone", "reload")
    assert folder.zones()["big.example"]["Records"] == count + 2
    assert daemon.ask("h49999.big.example").answer
    os.unlink(folder.path / "big.example.zone")
    folder.becomes("big.example", None)
    gaz.until("no names", lambda: daemon.unix_api.ok(
        "Gazetteer.GetStatus")["Status"]["Names"] == 0)
