# SPDX-License-Identifier: BSD-2-Clause
"""The store on bad days: the check of it, copies and their way back, damage, full disks."""

import contextlib
import gzip
import json
import os
import pathlib
import random
import resource
import shutil
import signal
import stat
import subprocess
import threading

import pytest

import gaz
from gaz import IN_A, VPC_A

SEED = int(os.environ.get("GAZ_DAMAGE_SEED", random.randrange(10 ** 9)))


def fill(api):
    """A little of everything; gives the services."""
    namespace = api.private("one.example", VPC_A, Tags=[{"Key": "k", "Value": "v"}])
    public, _ = api.public("two.example"), api.http("three")
    services = [api.service(namespace, "web"), api.service(public, "_api._tcp")]
    for number in range(4):
        api.register(services[number % 2], f"i{number}", f"10.0.0.{number}")
    api.put_vpc("vpc-stored", "10.9.0.0/16")
    api.ok("UpdateServiceAttributes", ServiceId=services[0], Attributes={"a": "b"})
    return services


def check(home, place, expect=0):
    return gaz.run([gaz.GAZETTEERD, "--check-store", "--data", place], home, expect)


def ctl(daemon, *args, expect=0):
    return gaz.run([gaz.GAZCTL, "--socket", daemon.socket, *args], daemon.home, expect)


def digest(folder):
    """Every file of a folder, to the last octet."""
    return {path.relative_to(folder): path.read_bytes()
            for path in pathlib.Path(folder).rglob("*") if path.is_file()}


def answers(daemon):
    return [sorted(gaz.addresses(daemon.ask(name, source=IN_A)))
            for name in ("web.one.example", "_api._tcp.two.example")]


# ---- --check-store


def test_check_of_a_good_store_says_so_and_changes_nothing(daemon, home):
    fill(daemon.api)
    daemon.stop()
    before = digest(daemon.data)
    done = check(home, daemon.data)
    assert done.stdout.startswith("no faults in ") and str(daemon.data) in done.stdout
    assert digest(daemon.data) == before


def test_check_finds_what_is_pending_in_order(start, home):
    """Operations under way hold locks, places and tokens."""
    daemon = start(*gaz.VPC_OPTIONS)
    services = fill(daemon.api)
    daemon.options += [*gaz.NEVER, "--custom-health-delay", "3600000"]
    daemon.restart()
    api = daemon.api
    api.ok("CreatePublicDnsNamespace", Name="later.example", CreatorRequestId="t")
    api.ok("RegisterInstance", ServiceId=services[0], InstanceId="new",
           Attributes={"AWS_INSTANCE_IPV4": "10.1.1.1"})
    api.ok("DeregisterInstance", ServiceId=services[1], InstanceId="i1")
    daemon.kill()
    check(home, daemon.data)


def test_check_finds_no_fault_after_much_use(start, home):
    """Crowds, sweeps, every kind of record, health that changed, calls that failed."""
    daemon = start(*gaz.VPC_OPTIONS, "--operation-max", "5",
                   "--soa-serial", "counting")
    api = daemon.api
    namespaces = [api.private("one.example", VPC_A), api.public("two.example"),
                  api.http("three")]
    configs = [gaz.records("A", "AAAA"), gaz.records("SRV", policy="WEIGHTED"),
               gaz.records("CNAME", policy="WEIGHTED"), gaz.records("A", policy="WEIGHTED"),
               None]
    values = [{"AWS_INSTANCE_IPV4": "10.1.1.1", "AWS_INSTANCE_IPV6": "2001:db8::1"},
              {"AWS_INSTANCE_IPV4": "10.1.1.1", "AWS_INSTANCE_PORT": "80"},
              {"AWS_INSTANCE_CNAME": "x.example.org"},
              {"AWS_ALIAS_DNS_NAME": "lb.example.org"}, {"a": "b"}]

    def work(number):
        conn = api.connect()
        for kind, config in enumerate(configs):
            if namespaces[number] == namespaces[2] and config:
                continue
            more = {"DnsConfig": config} if config else {"Type": "HTTP"} if number < 2 else {}
            created, empty = (
                api.ok("CreateService", conn=conn, Name=f"{name}{kind}",
                       NamespaceId=namespaces[number],
                       HealthCheckCustomConfig={"FailureThreshold": 1},
                       **more)["Service"]["Id"] for name in "se")
            for serial in range(6):
                api.ok("RegisterInstance", conn=conn, ServiceId=created,
                       InstanceId=f"i{serial}", Attributes=values[kind])
            api.ok("UpdateInstanceCustomHealthStatus", conn=conn, ServiceId=created,
                   InstanceId="i1", Status="UNHEALTHY")
            api.ok("DeregisterInstance", conn=conn, ServiceId=created, InstanceId="i2")
            api.fails("ResourceInUse", "DeleteService", conn=conn, Id=created)
            api.ok("DeleteService", conn=conn, Id=empty)
            # Fails, as an operation: it is one.example once more.
            api.ok("CreatePrivateDnsNamespace", conn=conn, Name="\\111ne.example", Vpc=VPC_A,
                   CreatorRequestId=f"{number} {kind}")
        conn.close()
    crowd = gaz.Crowd()
    for number in range(3):
        crowd.add(work, number)
    crowd.join()
    daemon.kill()
    check(home, daemon.data)
    daemon.start()
    for number in range(10):
        daemon.api.http(f"later{number}")
    daemon.stop()
    check(home, daemon.data)


def test_check_leaves_a_store_in_use_alone(daemon, home):
    assert "another gazetteerd uses" in check(home, daemon.data, expect=1).stderr


def test_check_of_nothing_is_explained(home):
    text = check(home, f"{home}/nowhere", expect=1).stderr
    assert f"{home}/nowhere" in text
    os.mkdir(f"{home}/empty")
    text = check(home, f"{home}/empty", expect=1).stderr
    assert f"{home}/empty" in text and os.listdir(f"{home}/empty") == []
    os.mkfifo(f"{home}/pipe")
    assert "name a data directory" in check(home, f"{home}/pipe", expect=1).stderr


def test_daemon_does_not_start_while_its_store_is_checked(daemon, home):
    """A shared lock, as the check has it."""
    daemon.stop()
    with open(daemon.data / "gazetteerd.lock", "rb") as lock:
        subprocess.run(["flock", "--shared", "--nonblock", str(lock.fileno())], check=True,
                       pass_fds=[lock.fileno()])
        text = gaz.refused_start(home, "--data", str(daemon.data), "--listen",
                                 "127.0.0.1:0", "--api", "none", "--socket", f"{home}/s")
        check(home, daemon.data)
    assert "another gazetteerd uses" in text


# ---- damage


def overwrite_pages(path, rng):
    """Some pages become random octets, or copies of others."""
    data = bytearray(path.read_bytes())
    pages = len(data) // 4096
    for _ in range(rng.randrange(1, 4)):
        at = rng.randrange(pages) * 4096
        other = rng.randrange(pages) * 4096
        data[at:at + 4096] = rng.choice([rng.randbytes(4096), bytes(4096),
                                         bytes(data[other:other + 4096])])
    path.write_bytes(data)


def test_overwritten_pages_are_no_crash_and_no_hang(daemon, home):
    """The check tells, or finds that nothing is amiss (a page that was free, a copy of
    itself); what starts has a good store; what does not start says why."""
    print(f"seed: GAZ_DAMAGE_SEED={SEED}")
    rng = random.Random(SEED)
    fill(daemon.api)
    daemon.stop()
    good = (daemon.data / "data.mdb").read_bytes()
    found = 0
    for _ in range(30):
        (daemon.data / "data.mdb").write_bytes(good)
        overwrite_pages(daemon.data / "data.mdb", rng)
        done = check(home, daemon.data, expect=None)
        assert done.returncode in (0, 1), (done.returncode, done.stderr)
        found += done.returncode
        assert done.returncode == 0 or "gazetteerd: " in done.stderr
        if done.returncode == 0:
            daemon.start()
            daemon.stop()
    assert found > 10


def test_pages_of_a_kind_without_values_are_no_crash(daemon, home):
    """LMDB has leaves with keys alone, from which it reads no value; we use none."""
    fill(daemon.api)
    daemon.stop()
    good = (daemon.data / "data.mdb").read_bytes()
    leaf, keys_alone = 0x02, 0x20
    faulty = 0
    for flags in range(2 * 4096 + 10, len(good), 4096):
        if good[flags] == leaf:
            data = bytearray(good)
            data[flags] |= keys_alone
            (daemon.data / "data.mdb").write_bytes(data)
            done = check(home, daemon.data, expect=None)
            assert done.returncode in (0, 1) and "Sanitizer" not in done.stderr, done.stderr
            faulty += done.returncode
    assert faulty > 5


@pytest.mark.parametrize("place, value", [(0, 0xffff), (10, 0), (12, 0), (12, 0xfffe),
                                          (14, 0xffff), (16, 0xffff)])
def test_page_that_lmdb_would_stumble_over_is_found_at_the_start(daemon, home, place, value):
    """The number, the kind, the bounds of a page and the place of its first node: in LMDB
    these are an endless loop or an abort, hours later if need be. Of an operation nothing is
    read at the start; its page counts all the same."""
    fill(daemon.api)
    daemon.stop()
    good = (daemon.data / "data.mdb").read_bytes()
    refused = 0
    for page in range(2 * 4096, len(good), 4096):
        data = bytearray(good)
        data[page + place:page + place + 2] = value.to_bytes(2, "little")
        (daemon.data / "data.mdb").write_bytes(data)
        done = check(home, daemon.data, expect=None)
        assert done.returncode in (0, 1), done.stderr
        if done.returncode == 1:
            text = gaz.refused_start(home, *daemon.command()[1:])
            assert f"page {page // 4096} of data.mdb" in text and "--restore" in text
            refused += 1
            continue
        daemon.start()  # that page was free
        assert daemon.unix_api.ok("ListOperations")["Operations"]
        daemon.stop()
    assert refused > 5


@pytest.mark.parametrize("length", [0, 1, 4096, 8192, 20000])
def test_cut_store_is_refused(daemon, home, length):
    """Short of its end in any place; an empty file is a new store to LMDB."""
    fill(daemon.api)
    daemon.stop()
    with open(daemon.data / "data.mdb", "r+b") as file:
        file.truncate(length)
    text = check(home, daemon.data, expect=1).stderr
    assert str(daemon.data) in text


# ---- backup and restore


def test_backup_is_the_whole_store_and_comes_back(daemon, home):
    """What was made after the copy is not in it; the former store is kept."""
    services = fill(daemon.api)
    before = answers(daemon)
    assert all(before)
    done = ctl(daemon, "backup", f"{home}/copy.mdb")
    assert f"{home}/copy.mdb" in done.stdout
    assert os.stat(f"{home}/copy.mdb").st_mode & 0o777 == 0o600
    check(home, f"{home}/copy.mdb")
    daemon.api.register(services[0], "late", "10.0.0.99")
    daemon.stop()
    done = gaz.run([gaz.GAZCTL, "restore", f"{home}/copy.mdb", "--data", daemon.data,
                    "--force"], home)
    kept = [path for path in daemon.data.iterdir() if ".before-" in path.name]
    assert len(kept) == 1 and str(kept[0]) in done.stdout
    check(home, daemon.data)
    daemon.start()
    assert answers(daemon) == before
    daemon.api.fails("InstanceNotFound", "GetInstance", ServiceId=services[0],
                     InstanceId="late")
    daemon.stop()
    gaz.run([gaz.GAZETTEERD, "--restore", kept[0], "--data", daemon.data, "--force"], home)
    daemon.start()
    assert "10.0.0.99" in answers(daemon)[0]


def restore_old(daemon, home, number):
    """Take over a copy that a gazetteerd wrote when that was the format."""
    daemon.stop()
    copy = pathlib.Path(f"{home}/old.mdb")
    packed = pathlib.Path(__file__).parent / "data" / f"format-{number}.mdb.gz"
    copy.write_bytes(gzip.decompress(packed.read_bytes()))
    assert copy.read_bytes().count(b"format\0\0\0" + bytes([number])) == 1
    check(home, copy)
    gaz.run([gaz.GAZETTEERD, "--restore", copy, "--data", daemon.data, "--force"], home)


def test_store_of_the_first_format_is_taken_over(daemon, home):
    """i-00 to i-11 in web.old.example, without i-05. It may be used on, and then has the
    present format."""
    restore_old(daemon, home, 1)
    daemon.start()
    service = daemon.api.ok("ListServices")["Services"][0]["Id"]
    names = [f"i-{number:02}" for number in range(12) if number != 5]
    assert [item["Id"] for item in daemon.api.ok(
        "ListInstances", ServiceId=service)["Instances"]] == names
    for name in (*names[:3], *(f"new-{number}" for number in range(10))):
        daemon.api.register(service, name, "192.0.2.100")
    daemon.api.ok("DeregisterInstance", ServiceId=service, InstanceId="i-11")
    names = names[:-1] + [f"new-{number}" for number in range(10)]
    for _ in range(2):
        assert [item["Id"] for item in daemon.api.ok(
            "ListInstances", ServiceId=service)["Instances"]] == names
        assert gaz.addresses(daemon.ask("web.old.example"))
        daemon.stop()
        check(home, daemon.data)
        daemon.start()
    assert (daemon.data / "data.mdb").read_bytes().count(b"format\0\0\0\x03") >= 1


def operations(api, **filters):
    """Their ids as they are listed, page by page: all, or those of a service."""
    found, token = [], {}
    while True:
        page = api.ok("ListOperations", MaxResults=3, **token, Filters=[
            {"Name": name, "Values": [value]} for name, value in filters.items()])
        found += [item["Id"] for item in page["Operations"]]
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_operations_of_the_second_format_are_taken_over(daemon, home):
    """The same instances, each with a token; and two operations that are still to be done.
    They and new ones are one list, and can be read one by one."""
    restore_old(daemon, home, 2)
    daemon.options += ["--operation-hours", "876000"]
    daemon.start()
    service = daemon.api.ok("ListServices")["Services"][0]
    late = "aagcw54jrgb3e653tblykej4nz6nrqoh-mx401as6"
    away = "rtfzwnl2j4oln4lldekt7qo3gg7zssfs-mx401as7"
    for number in (late, away):
        assert daemon.api.wait(number)["Status"] == "SUCCESS"
    old = operations(daemon.api)
    assert len(old) == 17 and {old[0], old[1]} == {late, away}
    again = {"ServiceId": service["Id"], "InstanceId": "i-07",
             "CreatorRequestId": "token-7", "Attributes": {"AWS_INSTANCE_IPV4": "192.0.2.7"}}
    assert daemon.api.ok("RegisterInstance", **again)["OperationId"] in old
    again["CreatorRequestId"] = "other"
    new = [daemon.api.ok("RegisterInstance", **again)["OperationId"]]
    new[:0] = [daemon.api.ok("DeregisterInstance", ServiceId=service["Id"],
                             InstanceId="late")["OperationId"]]
    for _ in range(2):
        assert operations(daemon.api) == new + old
        of_service = operations(daemon.api, SERVICE_ID=service["Id"])
        assert of_service == [one for one in new + old if one in of_service]
        assert len(of_service) == len(new) + 15
        for number in new + old:
            assert daemon.api.ok("GetOperation", OperationId=number)["Operation"]["Id"] == number
        for number in (late, new[0]): # the target is another one, the time the same
            daemon.api.fails("OperationNotFound", "GetOperation",
                             OperationId=number[:30] + "77" + number[32:])
        daemon.stop()
        check(home, daemon.data)
        daemon.start()
    daemon.options += ["--operation-max", "3"]
    daemon.restart()
    gaz.until("the sweep", lambda: operations(daemon.api) == (new + old)[:3])
    daemon.stop()
    check(home, daemon.data)


def test_backup_into_a_folder_names_the_time(daemon, home):
    os.mkdir(f"{home}/copies")
    found = json.loads(ctl(daemon, "--json", "backup", f"{home}/copies").stdout)
    assert [os.path.basename(found["File"])] == os.listdir(f"{home}/copies")
    again = json.loads(ctl(daemon, "--json", "backup", f"{home}/copies/").stdout)
    assert again["File"].startswith(f"{home}/copies/gazetteer-")
    assert os.path.getsize(found["File"]) == found["Size"]
    check(home, found["File"])


def test_backup_under_load_is_one_moment_of_it(daemon, home):
    """Writers and readers go on meanwhile; every copy is without a fault."""
    services, stop = fill(daemon.api), threading.Event()

    def work(number):
        conn, serial = daemon.api.connect(), 0
        while not stop.is_set():
            serial += 1
            daemon.api.ok("RegisterInstance", conn=conn, ServiceId=services[number],
                          InstanceId=f"w{number}-{serial % 50}",
                          Attributes={"AWS_INSTANCE_IPV4": f"10.3.{number}.{serial % 250}"})
        conn.close()
    crowd = gaz.Crowd()
    for number in range(2):
        crowd.add(work, number)
    try:
        for number in range(10):
            ctl(daemon, "backup", f"{home}/copy{number}.mdb")
    finally:
        stop.set()
        crowd.join()
    for number in range(10):
        check(home, f"{home}/copy{number}.mdb")
    assert os.listdir(daemon.data) == [name for name in os.listdir(daemon.data)
                                       if name in ("data.mdb", "lock.mdb",
                                                   "gazetteerd.lock")]


def test_backup_is_refused_over_tcp(daemon, home):
    """It holds everything of all accounts."""
    daemon.api.fails("AccessDeniedException", "Gazetteer.Backup")
    url = f"http://127.0.0.1:{daemon.apis[0][1]}"
    done = gaz.run([gaz.GAZCTL, "--api", url, "backup", f"{home}/copy.mdb"], home, 1)
    assert "AccessDeniedException" in done.stderr
    assert not [name for name in os.listdir(home) if "copy" in name]


def test_backup_without_room_leaves_nothing(daemon, home):
    """Neither on the client's side nor on the daemon's."""
    fill(daemon.api)
    done = gaz.run(["prlimit", "--fsize=8192", gaz.GAZCTL, "--socket", daemon.socket,
                    "backup", f"{home}/copy.mdb"], home, None)
    assert "cannot write" in done.stderr and done.returncode == 1
    assert not [name for name in os.listdir(home) if "copy" in name]
    limit_file_size(daemon, 8192)
    done = ctl(daemon, "backup", f"{home}/copy.mdb", expect=1)
    assert "InternalFailure" in done.stderr and "log" in done.stderr
    assert not os.path.exists(f"{home}/copy.mdb")
    limit_file_size(daemon, -1)
    ctl(daemon, "backup", f"{home}/copy.mdb")
    check(home, f"{home}/copy.mdb")


def test_interrupted_backup_leaves_nothing(daemon, home):
    """Neither beside its name nor, once the client is gone, in the way of the next."""
    fill(daemon.api)
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        with subprocess.Popen([gaz.GAZCTL, "--socket", daemon.socket, "backup",
                               f"{home}/copy.mdb"], stderr=subprocess.PIPE) as client:
            gaz.until("the copy was begun", lambda: "copy" in " ".join(os.listdir(home)))
            client.terminate()
            client.communicate(timeout=gaz.PATIENCE)
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    assert client.returncode == -signal.SIGTERM
    assert not [name for name in os.listdir(home) if "copy" in name]
    gaz.until("another backup", lambda: ctl(daemon, "backup", f"{home}/copy.mdb",
                                            expect=None).returncode == 0)
    check(home, f"{home}/copy.mdb")


def test_backup_does_not_replace_what_is_no_file(daemon, home):
    """Such as /dev/null, when root says so."""
    os.mkfifo(f"{home}/pipe")
    done = ctl(daemon, "backup", f"{home}/pipe", expect=1)
    assert f"{home}/pipe is no file" in done.stderr
    assert stat.S_ISFIFO(os.stat(f"{home}/pipe").st_mode)


def test_stop_during_a_backup_is_clean(daemon, home):
    """Either the copy is whole, or there is none."""
    fill(daemon.api)
    with subprocess.Popen([gaz.GAZCTL, "--socket", daemon.socket, "backup",
                           f"{home}/copy.mdb"], stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as client:
        daemon.stop()
        client.communicate(timeout=gaz.PATIENCE)
    if client.returncode == 0:
        check(home, f"{home}/copy.mdb")
    else:
        assert not os.path.exists(f"{home}/copy.mdb")


@pytest.mark.parametrize("kind", ["junk", "cut", "empty", "newer", "faulty", "missing"])
def test_bad_copy_is_not_restored(daemon, home, kind):
    """Refused with advice, and nothing is touched."""
    fill(daemon.api)
    copy = pathlib.Path(f"{home}/copy.mdb")
    ctl(daemon, "backup", copy)
    daemon.stop()
    data = copy.read_bytes()
    if kind == "junk":
        copy.write_bytes(os.urandom(len(data)))
    elif kind == "cut":
        copy.write_bytes(data[:len(data) // 2])
    elif kind == "empty":
        copy.write_bytes(b"")
    elif kind == "missing":
        copy.unlink()
    elif kind == "newer":
        assert data.count(b"format\0\0\0\x03") == 1
        copy.write_bytes(data.replace(b"format\0\0\0\x03", b"format\0\0\0\x04"))
    else:
        assert data.count(b"us-east-1\0000000") > 0
        copy.write_bytes(data.replace(b"us-east-1\0000000", b"us-east-2\0000000"))
    before = digest(daemon.data)
    for place, force in ((daemon.data, ["--force"]), (f"{home}/new", [])):
        done = gaz.run([gaz.GAZETTEERD, "--restore", copy, "--data", place, *force], home, 1)
        assert str(copy) in done.stderr and len(done.stderr) > 40
        assert kind != "newer" or "use the version that wrote it" in done.stderr
    assert digest(daemon.data) == before
    assert not os.path.exists(f"{home}/new")


def test_restore_does_not_take_what_is_there(daemon, home):
    """A store in use, a store that is there, a folder of somebody else."""
    fill(daemon.api)
    copy = f"{home}/copy.mdb"
    ctl(daemon, "backup", copy)
    for force in ([], ["--force"]):
        done = gaz.run([gaz.GAZCTL, "restore", copy, "--data", daemon.data, *force], home, 1)
        assert "another gazetteerd uses" in done.stderr
    daemon.stop()
    before = digest(daemon.data)
    done = gaz.run([gaz.GAZCTL, "restore", copy, "--data", daemon.data], home, 1)
    assert "--force" in done.stderr and digest(daemon.data) == before
    os.mkdir(f"{home}/photos")
    pathlib.Path(f"{home}/photos/cat").write_text("miau")
    done = gaz.run([gaz.GAZCTL, "restore", copy, "--data", f"{home}/photos"], home, 1)
    assert "not empty (cat)" in done.stderr and os.listdir(f"{home}/photos") == ["cat"]
    done = gaz.run([gaz.GAZCTL, "restore", copy, "--data", f"{home}/photos/cat"], home, 1)
    assert "--data must name a directory" in done.stderr


@pytest.mark.parametrize("where", [["--socket", "{}/api.sock"], ["--api", "127.0.0.1:9"]])
def test_restore_says_that_it_asks_no_daemon(daemon, home, where):
    """Not even into the default directory, which need not be that of this daemon."""
    fill(daemon.api)
    ctl(daemon, "backup", f"{home}/copy.mdb")
    daemon.stop()
    before = digest(daemon.data)
    for data in [], ["--data", daemon.data]:
        done = gaz.run([gaz.GAZCTL, *(word.format(home) for word in where), "restore",
                        f"{home}/copy.mdb", *data, "--force"], home, 2)
        assert where[0] in done.stderr and "--data" in done.stderr
    assert digest(daemon.data) == before
    assert not list(pathlib.Path(home).rglob("gazetteer/data.mdb"))


def test_restore_into_a_new_folder_starts(start, home):
    daemon = start(*gaz.VPC_OPTIONS)
    fill(daemon.api)
    before = answers(daemon)
    ctl(daemon, "backup", f"{home}/copy.mdb")
    daemon.stop()
    daemon.data = pathlib.Path(f"{home}/deep/new")
    gaz.run([gaz.GAZCTL, "restore", f"{home}/copy.mdb", "--data", daemon.data], home)
    daemon.start()
    assert answers(daemon) == before


@pytest.mark.parametrize("options, word", [
    (["--force"], "--restore"), (["--check-store", "--ephemeral"], "--data"),
    (["--restore"], "restore")])
def test_wrong_use_is_explained(home, options, word):
    assert word in gaz.run([gaz.GAZETTEERD, *options], home, 2).stderr


# ---- no room


def limit_file_size(daemon, size):
    resource.prlimit(daemon.process.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY if size < 0 else size, resource.RLIM_INFINITY))


def write_until_full(api, services):
    """Each kind of call until one has failed; gives the instances that were answered."""
    known, failed = {}, set()
    for number in range(4000):
        service, instance = services[number % 2], f"f{number}"
        reply = api.raw("RegisterInstance", ServiceId=service, InstanceId=instance,
                        Attributes={"AWS_INSTANCE_IPV4": "10.5.0.1", "x": "y" * 900})
        if reply.status == 200:
            known[instance] = service
            continue
        assert (reply.status, reply.code) == (500, "InternalFailure"), reply
        failed.add(instance)
        if len(failed) == 5:
            return known, failed
    raise AssertionError("there is no end of room")


def list_instances(api, service):
    found, token = set(), {}
    while True:
        page = api.ok("ListInstances", ServiceId=service, MaxResults=100, **token)
        found |= {item["Id"] for item in page["Instances"]}
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def survive_full_disk(daemon, home, make_room):
    """Errors, nothing half applied, reads and DNS as before; then all is well again."""
    services = fill_wide(daemon.api)
    before = answers(daemon)
    known, failed = write_until_full(daemon.api, services)
    for service in services:
        assert list_instances(daemon.api, service) >= {
            name for name, place in known.items() if place == service}
        assert not failed & list_instances(daemon.api, service)
        assert daemon.api.get_service(service)["InstanceCount"] == len(
            list_instances(daemon.api, service))
    assert [bool(found) for found in answers(daemon)] == [bool(found) for found in before]
    assert daemon.api.raw("CreateHttpNamespace", Name="x", Description="d" * 1024).status in (
        200, 500)
    make_room()
    daemon.api.register(services[0], "room", "10.7.7.7")
    daemon.api.deregister(services[0], "room")
    daemon.kill()
    check(home, daemon.data)
    daemon.start()
    for service in services:
        assert not failed & list_instances(daemon.api, service)
        assert {name for name, place in known.items() if place == service} <= list_instances(
            daemon.api, service)


def fill_wide(api):
    public = api.public("two.example")
    private = api.private("one.example", VPC_A)
    services = [api.service(private, "web"), api.service(public, "_api._tcp")]
    for number in range(4):
        api.register(services[number % 2], f"i{number}", f"10.0.0.{number}")
    return services


WIDE = [*gaz.VPC_OPTIONS, "--quota", "instances-per-service=0", "--quota",
        "instances-per-namespace=0"]


def test_limited_file_size_is_an_error_reply(start, home):
    daemon = start(*WIDE)
    limit_file_size(daemon, (daemon.data / "data.mdb").stat().st_size + 512 * 1024)
    survive_full_disk(daemon, home, lambda: limit_file_size(daemon, -1))


def mount(*args):
    return subprocess.run(["mount", *args], capture_output=True, check=False).returncode == 0


@pytest.fixture
def small_disk(home):
    """A file system of 1 MiB, where we may mount one."""
    place = f"{home}/disk"
    os.mkdir(place)
    if os.geteuid() != 0 or not mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", place):
        pytest.skip("needs the right to mount a tmpfs")
    yield place
    subprocess.run(["umount", "--lazy", place], check=True)


def test_full_disk_is_an_error_reply_until_there_is_room(start, home, small_disk):
    """ENOSPC, as LMDB meets it in its data file; the file system is made larger."""
    daemon = start(*WIDE)
    daemon.stop()
    shutil.copytree(daemon.data, f"{small_disk}/data")
    daemon.data = pathlib.Path(f"{small_disk}/data")
    daemon.start()

    def make_room():
        assert mount("-o", "remount,size=64m", small_disk)
    survive_full_disk(daemon, home, make_room)
    daemon.stop()


def test_start_on_a_full_disk_serves_what_is_there(start, home, small_disk):
    """Reading needs no room."""
    daemon = start(*WIDE)
    fill_wide(daemon.api)
    before = answers(daemon)
    daemon.stop()
    shutil.copytree(daemon.data, f"{small_disk}/data")
    daemon.data = pathlib.Path(f"{small_disk}/data")
    with open(f"{small_disk}/ballast", "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while file.write(bytes(4096)):
                pass
    daemon.start()
    assert answers(daemon) == before
    os.unlink(f"{small_disk}/ballast")
    daemon.api.http("later")
    daemon.stop()
