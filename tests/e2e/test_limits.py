# SPDX-License-Identifier: BSD-2-Clause
"""Running out of something is an error reply, never a crash or a half-done change."""

import os
import resource
import socket
import subprocess
import threading

import pytest

import gaz
from gaz import TARGET


def limit(daemon, **limits):
    """Change a running daemon's resource limits."""
    for name, value in limits.items():
        resource.prlimit(daemon.process.pid, getattr(resource, f"RLIMIT_{name}"),
                         (value, resource.prlimit(daemon.process.pid,
                                                  getattr(resource, f"RLIMIT_{name}"))[1]))


def test_full_disk_is_an_error_reply(start):
    """The store cannot grow: InternalFailure, reads go on, nothing acknowledged is lost."""
    daemon = start("--quota", "namespaces=0")
    api, answered = daemon.api, {daemon.api.http("first")}
    store = max(path.stat().st_size for path in daemon.data.iterdir())
    limit(daemon, FSIZE=store + 64 * 1024)

    def create_until_full():
        for number in range(2000):
            reply = api.raw("CreateHttpNamespace", Name=f"n{number}", Description="x" * 1024)
            if reply.status != 200:
                return reply
            answered.add(api.operation(reply.json["OperationId"])["Targets"]["NAMESPACE"])
        raise AssertionError("the limit has no effect")

    reply = create_until_full()
    assert (reply.status, reply.code) == (500, "InternalFailure")
    listed = all_namespaces(api)
    assert listed == answered
    limit(daemon, FSIZE=resource.RLIM_INFINITY)
    answered.add(api.http("afterwards"))
    daemon.restart()
    assert all_namespaces(daemon.api) == answered
    assert daemon.api.ok("ListOperations", Filters=[
        {"Name": "STATUS", "Values": ["SUBMITTED", "PENDING"], "Condition": "IN"}]) == {
            "Operations": []}


def all_namespaces(api):
    found, token = set(), {}
    while True:
        page = api.ok("ListNamespaces", **token)
        found |= {namespace["Id"] for namespace in page["Namespaces"]}
        if "NextToken" not in page:
            return found
        token = {"NextToken": page["NextToken"]}


def test_no_file_descriptors_left(daemon):
    """UDP goes on; when the descriptors are back, everything does."""
    daemon.api.public("x.example", ttl=3)
    limit(daemon, NOFILE=len(os.listdir(f"/proc/{daemon.process.pid}/fd")) + 8)
    held = []
    for _ in range(40):
        for address in (daemon.dns[0], daemon.apis[0]):
            held.append(socket.create_connection(address, timeout=gaz.PATIENCE))
    for _ in range(20):
        assert daemon.ask("x.example", "SOA").answer
    assert daemon.process.poll() is None
    for sock in held:
        sock.close()
    assert daemon.api.raw("ListNamespaces").status == 200
    assert daemon.ask("x.example", "SOA", tcp=True).answer
    assert len(daemon.log) < 50


def test_many_idle_dns_connections_do_not_shut_others_out(daemon):
    """Over TCP, from one greedy client."""
    daemon.api.public("x.example", ttl=3)
    held = []
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 8192), hard))
    try:
        for _ in range(1500):
            held.append(gaz.open_tcp(daemon.dns[0]))
        for _ in range(5):
            assert daemon.ask("x.example", "SOA", tcp=True).answer
            assert daemon.ask("x.example", "SOA").answer
    finally:
        for sock in held:
            sock.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def test_hostile_calls_do_not_flood_the_log(daemon):
    """One line at most per kind and second."""
    before, conn = len(daemon.log), daemon.api.connect()
    for _ in range(500):
        daemon.api.send(b"{", TARGET + "ListNamespaces", conn=conn)
        daemon.api.send(b"{}", "nonsense", conn=conn)
        daemon.ask_wire(b"\0\1\0\0\0\1\0\0\0\0\0\0")
    conn.close()
    assert len(daemon.log) - before < 50


@pytest.mark.parametrize("closed", ["2>&-", "0<&- 1>&- 2>&-"])
def test_closed_standard_streams_do_not_reach_the_store(daemon, closed):
    """Nothing else may become descriptor 2: log lines would be written into it."""
    daemon.stop()
    args = " ".join(daemon.command() + ["--log-level", "debug"])
    process = subprocess.Popen(["sh", "-c", f"exec {args} {closed}"], cwd=daemon.home,
                               env=gaz.clean_env(daemon.home))
    api = gaz.Api(unix=daemon.socket)

    def answers():
        assert process.poll() is None, "ended by itself"
        try:
            return api.raw("ListNamespaces").status == 200
        except OSError:
            return False

    try:
        gaz.until("the management socket", answers)
        for number in (0, 1, 2):
            target = os.readlink(f"/proc/{process.pid}/fd/{number}")
            assert str(daemon.data) not in target and "socket:" not in target
        api.http("n")
        process.terminate()
        assert process.wait(gaz.PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
    daemon.start()
    assert len(daemon.api.ok("ListNamespaces")["Namespaces"]) == 1


def at_once(api, calls):
    """Send all calls at the same moment; gives the replies in their order."""
    gate, crowd, replies = threading.Barrier(len(calls)), gaz.Crowd(), [None] * len(calls)

    def send(index, operation, members):
        conn = api.connect()
        conn.connect()
        gate.wait(gaz.PATIENCE)
        replies[index] = api.raw(operation, conn=conn, **members)
        conn.close()

    for index, (operation, members) in enumerate(calls):
        crowd.add(send, index, operation, members)
    crowd.join()
    return replies


def test_one_of_many_equal_creates_wins(api):
    """Calls that meet in one commit see each other."""
    for number in range(15):
        replies = at_once(api, [("CreatePublicDnsNamespace", {"Name": f"r{number}.example"})] * 8)
        assert sorted(reply.status for reply in replies) == [200] + [400] * 7
        assert {reply.code for reply in replies if reply.status == 400} <= {
            "NamespaceAlreadyExists", "DuplicateRequest"}


def test_quota_holds_when_calls_meet(start):
    """Exactly as many as fit, however they arrive."""
    api = start("--quota", "namespaces=5", "--quota", "instances-per-service=5").api
    replies = at_once(api, [("CreateHttpNamespace", {"Name": f"n{n}"}) for n in range(12)])
    assert sorted(reply.status for reply in replies) == [200] * 5 + [400] * 7
    api.done("DeleteNamespace", Id=api.ok("ListNamespaces")["Namespaces"][0]["Id"])
    service = api.service(api.public("x.example"), "s")
    replies = at_once(api, [("RegisterInstance", {
        "ServiceId": service, "InstanceId": f"i{n}",
        "Attributes": {"AWS_INSTANCE_IPV4": f"10.0.0.{n}"}}) for n in range(12)])
    assert sorted(reply.status for reply in replies) == [200] * 5 + [400] * 7
    assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == 5


def test_delete_and_create_service_exclude_each_other(api):
    """A namespace is never deleted under a service, nor is a service left without one."""
    for _ in range(20):
        namespace = api.public("x.example")
        deleted, created = at_once(api, [
            ("DeleteNamespace", {"Id": namespace}),
            ("CreateService", {"Name": "s", "NamespaceId": namespace,
                               "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 1}]}})])
        assert sorted((deleted.status, created.status)) == [200, 400]
        if created.status == 200:
            assert deleted.code == "ResourceInUse"
            api.ok("DeleteService", Id=created.json["Service"]["Id"])
            api.done("DeleteNamespace", Id=namespace)
        else:
            assert created.code == "NamespaceNotFound"


def test_largest_list_is_answered_whole(api):
    """Fifty namespaces of the longest names and descriptions on one page."""
    conn = api.connect()
    for number in range(50):
        api.ok("CreateHttpNamespace", conn=conn, Name=f"{number:02}" + "n" * 1022,
               Description="\U0001f600" * 1024)
    conn.close()
    listed = api.ok("ListNamespaces")["Namespaces"]
    assert len(listed) == 50
    assert all(namespace["Description"] == "\U0001f600" * 1024 for namespace in listed)
