# SPDX-License-Identifier: BSD-2-Clause
"""gazctl against a live daemon: tables for people, JSON for programs."""

import json
import re
import select
import signal
import subprocess

import pytest

import gaz
from gaz import VPC_A


@pytest.fixture
def ctl(daemon):
    """Run gazctl on the management socket; gives its standard output."""
    def call(*args, expect=0, stdin=None, way=None):
        way = way or ["--socket", daemon.socket]
        done = gaz.run([gaz.GAZCTL, *way, *args], daemon.home, expect, stdin=stdin)
        if expect:
            assert done.stderr.startswith("gazctl: ") or "usage:" in done.stderr
            return done.stderr
        assert done.stderr == ""
        return done.stdout
    return call


def fields(text):
    """'Title  value' lines to a dict."""
    return dict(re.split(r"\s{2,}", line.strip(), 1) for line in text.splitlines() if line)


def test_namespaces_from_create_to_delete(daemon, ctl):
    """All three types, by name and by id, until nothing is left."""
    out = ctl("namespace", "create", "p.example", "--private", "--vpc", VPC_A,
              "--description", "text", "--soa-ttl", "7", "--tag", "a=b", "--tag", "c=d=e")
    shown = fields(out)
    (found,) = daemon.api.ok("ListNamespaces")["Namespaces"]
    assert found["Id"] in out and found["Description"] == "text"
    assert shown["Name"] == "p.example" and shown["SOA TTL"] == "7"
    assert daemon.api.tags(found["Arn"]) == {"a": "b", "c": "d=e"}
    assert daemon.ask("p.example", "SOA").answer[0].ttl == 7
    ctl("namespace", "create", "--public", "q.example")
    ctl("namespace", "create", "--http", "h")
    table = ctl("namespace", "list").splitlines()
    assert len(table) == 4
    assert table[0].split()[:3] == ["ID", "NAME", "TYPE"]
    assert [line.split()[1:4] for line in table[1:]] == [
        ["p.example", "DNS_PRIVATE", VPC_A], ["q.example", "DNS_PUBLIC", "0"],
        ["h", "HTTP", "0"]]
    assert len({line.index("DNS_") for line in table if "DNS_" in line}) == 1
    assert ctl("namespace", "list", "--type", "HTTP").count("\n") == 2
    assert "q.example" in ctl("namespace", "list", "--name", "q.example")
    assert ctl("namespace", "show", "p.example") == ctl("namespace", "show", found["Id"])
    assert ctl("namespace", "show", found["Arn"]) == ctl("namespace", "show", found["Id"])
    ctl("namespace", "update", "p.example", "--soa-ttl", "9")
    ctl("namespace", "update", "h", "--description", "web")
    ctl("namespace", "update", "q.example", "--description", "open", "--soa-ttl", "8")
    assert daemon.ask("p.example", "SOA").answer[0].ttl == 9
    assert daemon.ask("q.example", "SOA").answer[0].ttl == 8
    for name in (found["Id"], "q.example", "h"):
        assert "deleted" in ctl("namespace", "delete", name)
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []
    assert gaz.rcode(daemon.ask("p.example", "SOA")) == "REFUSED"


def test_private_namespaces_of_one_name_are_told_apart(daemon, ctl):
    """By their VPCs, which no call of AWS tells."""
    daemon.api.private("p.example", VPC_A)
    daemon.api.private("p.example", gaz.VPC_B)
    listed = ctl("namespace", "list", "--name", "p.example").splitlines()[1:]
    assert sorted(line.split()[3] for line in listed) == sorted([VPC_A, gaz.VPC_B])
    assert {ns["Vpc"] for ns in json.loads(ctl("--json", "namespace", "list"))[
        "Namespaces"]} == {VPC_A, gaz.VPC_B}


def test_services_and_instances(daemon, ctl):
    """From create to deregister, seen in DNS."""
    daemon.api.private("p.example", VPC_A)
    made = json.loads(ctl("--json", "service", "create", "web", "--namespace", "p.example",
                          "--record", "A:17", "--routing", "WEIGHTED", "--description", "d",
                          "--tag", "k=v"))["Service"]
    shown = ctl("service", "show", made["Id"])
    assert fields(shown)["Name"] == "web" and "A" in shown and "17" in shown
    assert "registered" in ctl("instance", "register", made["Id"], "i1", "--ipv4", "10.0.0.1",
                               "--attribute", "color=red")
    reply = daemon.ask("web.p.example")
    assert gaz.addresses(reply) == ["10.0.0.1"] and reply.answer[0].ttl == 17
    assert "services" in ctl("namespace", "delete", "p.example", expect=1)
    assert "instances" in ctl("service", "delete", made["Id"], expect=1)
    assert "deregistered" in ctl("instance", "deregister", made["Id"], "i1")
    assert gaz.rcode(daemon.ask("web.p.example")) == "NXDOMAIN"
    assert "deleted" in ctl("service", "delete", made["Id"])
    ctl("service", "show", made["Id"], expect=1)


def service_with(daemon, *addresses, **members):
    """A service "web" in the private namespace p.example, instances i0, i1, ... in it."""
    service = daemon.api.service(daemon.api.private("p.example", VPC_A), "web", ttl=17,
                                 **members)
    for number, address in enumerate(addresses):
        daemon.api.register(service, f"i{number}", address, color="red")
    return service


def rows(text):
    """A table without its heading, cells split at two spaces."""
    return [re.split(r"\s{2,}", line.rstrip()) for line in text.splitlines()[1:]]


def test_service_list(daemon, ctl):
    """All, or those of one namespace; records as --record takes them."""
    service = service_with(daemon, "10.0.0.1", Description="text")
    other = daemon.api.ok("CreateService", Name="api",
                          NamespaceId=daemon.api.http("h"))["Service"]["Id"]
    first, second = rows(ctl("service", "list"))
    assert first == [service, "web", "DNS_HTTP", "A:17", "1", "text"]
    assert second == [other, "api", "HTTP", "0"]
    (row,) = rows(ctl("service", "list", "--namespace", "p.example"))
    assert row == [service, "web", "DNS_HTTP", "A:17", "1", "text"]
    listed = json.loads(ctl("--json", "service", "list"))["Services"]
    assert listed == daemon.api.ok("ListServices")["Services"]
    ctl("service", "list", "--namespace", "nosuch", expect=1)


def test_services_by_name(daemon, ctl):
    """NAME when it is the only one, NAMESPACE/NAME, id, ARN; else the ids are listed."""
    service = service_with(daemon)
    arn = daemon.api.ok("GetService", Id=service)["Service"]["Arn"]
    shown = ctl("service", "show", service)
    for way in ("web", "p.example/web", arn):
        assert ctl("service", "show", way) == shown
    odd = daemon.api.http("a/b")
    other = daemon.api.ok("CreateService", Name="web", NamespaceId=odd)["Service"]["Id"]
    assert other in ctl("service", "show", "a/b/web") and other in ctl(
        "service", "show", f"{odd}/web")
    text = ctl("service", "show", "web", expect=1)
    assert service in text and other in text
    assert "service list" in ctl("service", "show", "nosuch", expect=1)
    assert "service list" in ctl("service", "show", "p.example/nosuch", expect=1)
    assert "namespace list" in ctl("service", "show", "nosuch/web", expect=1)
    ctl("instance", "register", "p.example/web", "i1", "--ipv4", "10.0.0.1")
    assert ctl("operation", "list", "--service", "p.example/web").count("SUCCESS") == 1
    ctl("instance", "deregister", "p.example/web", "i1")
    assert service in ctl("service", "delete", "p.example/web")


def test_service_create_with_health_and_type(daemon, ctl):
    """Every member of CreateService has an option."""
    daemon.api.public("q.example")
    where = ["--namespace", "q.example"]
    shown = fields(ctl("service", "create", "a", *where, "--record", "A", "--health-check",
                       "HTTP", "--health-path", "/up", "--failure-threshold", "3"))
    assert shown["Records"] == "A:60"
    assert shown["Health check"] == "Type=HTTP, ResourcePath=/up, FailureThreshold=3"
    made = json.loads(ctl("--json", "service", "create", "b", *where, "--record", "A",
                          "--custom-health"))["Service"]
    assert made["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    made = json.loads(ctl("--json", "service", "create", "c", *where, "--type", "HTTP"))
    assert made["Service"]["Type"] == "HTTP"


def test_service_update_keeps_what_it_is_not_told(daemon, ctl):
    """The records and the health check stay unless they are changed or taken away."""
    namespace = daemon.api.public("q.example")
    service = daemon.api.ok(
        "CreateService", Name="web", NamespaceId=namespace,
        DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 17}, {"Type": "AAAA", "TTL": 18}]},
        HealthCheckConfig={"Type": "HTTP", "ResourcePath": "/", "FailureThreshold": 2}
        )["Service"]["Id"]
    daemon.api.done("RegisterInstance", ServiceId=service, InstanceId="i1", Attributes={
        "AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_IPV6": "fd00::1",
        "AWS_INSTANCE_PORT": "80"})

    def get():
        return daemon.api.ok("GetService", Id=service)["Service"]
    shown = fields(ctl("service", "update", "web", "--description", "new"))
    assert shown["Description"] == "new" and shown["Records"] == "A:17, AAAA:18"
    assert get()["HealthCheckConfig"] == {"Type": "HTTP", "ResourcePath": "/",
                                          "FailureThreshold": 2}
    ctl("service", "update", "web", "--record", "A:27", "--record", "AAAA:18")
    assert daemon.ask("web.q.example").answer[0].ttl == 27
    assert get()["Description"] == "new"
    ctl("service", "update", "web", "--failure-threshold", "5")
    assert get()["HealthCheckConfig"] == {"Type": "HTTP", "ResourcePath": "/",
                                          "FailureThreshold": 5}
    assert "AAAA" in ctl("service", "update", "web", "--record", "A:1", expect=1)
    out = json.loads(ctl("--json", "service", "update", "web", "--no-health-check"))
    assert out["Operation"]["Status"] == "SUCCESS"
    assert "HealthCheckConfig" not in get() and len(get()["DnsConfig"]["DnsRecords"]) == 2
    ctl("service", "update", "web", "--health-check", "TCP")
    assert get()["HealthCheckConfig"]["Type"] == "TCP"
    ctl("service", "update", "web", "--no-records")
    assert get()["DnsConfig"] == {} and get()["HealthCheckConfig"]["Type"] == "TCP"
    assert gaz.rcode(daemon.ask("web.q.example")) == "NXDOMAIN"
    ctl("service", "update", "web", "--description", "")
    assert get()["DnsConfig"] == {} and "Description" not in get()


def test_service_attributes(daemon, ctl):
    """Set, shown, removed."""
    service = service_with(daemon)
    assert ctl("service", "attributes", "show", "web") == ""
    ctl("service", "attributes", "set", "web", "a=1", "b=2=3")
    assert fields(ctl("service", "attributes", "show", "web")) == {"a": "1", "b": "2=3"}
    ctl("service", "attributes", "set", "web", "a=4")
    ctl("service", "attributes", "remove", "web", "b", "nosuch")
    out = json.loads(ctl("--json", "service", "attributes", "show", service))
    assert out == daemon.api.ok("GetServiceAttributes", ServiceId=service)
    assert out["ServiceAttributes"]["Attributes"] == {"a": "4"}
    assert json.loads(ctl("--json", "service", "attributes", "set", "web", "c=5")) == {}


def test_instance_records_of_every_type(daemon, ctl):
    """The short forms of the attributes that DNS records are made of."""
    daemon.api.public("q.example")
    for name, records, options in (
            ("both", ["A", "AAAA"], ["--ipv4", "10.0.0.1", "--ipv6", "fd00::1"]),
            ("srv", ["SRV"], ["--ipv4", "10.0.0.2", "--port", "80"]),
            ("alias", ["CNAME"], ["--cname", "else.example"])):
        ctl("service", "create", name, "--namespace", "q.example",
            *(word for record in records for word in ("--record", record)),
            *(["--routing", "WEIGHTED"] if records == ["CNAME"] else []))
        ctl("instance", "register", name, "i1", *options)
    found = {str(reply.answer[0][0]) for reply in (
        daemon.ask("both.q.example", "A"), daemon.ask("both.q.example", "AAAA"),
        daemon.ask("srv.q.example", "SRV"), daemon.ask("alias.q.example", "CNAME"))}
    assert found == {"10.0.0.1", "fd00::1", "1 1 80 i1.srv.q.example.", "else.example."}


def test_instances_listed_and_shown(daemon, ctl):
    """Attributes and all."""
    service = service_with(daemon, "10.0.0.1", "10.0.0.2")
    assert rows(ctl("instance", "list", "web")) == [
        ["i0", "AWS_INSTANCE_IPV4=10.0.0.1, color=red"],
        ["i1", "AWS_INSTANCE_IPV4=10.0.0.2, color=red"]]
    assert json.loads(ctl("--json", "instance", "list", service)) == daemon.api.ok(
        "ListInstances", ServiceId=service)
    shown = fields(ctl("instance", "show", "web", "i1"))
    assert shown["Id"] == "i1" and shown["color"] == "red"
    assert shown["AWS_INSTANCE_IPV4"] == "10.0.0.2"
    assert json.loads(ctl("--json", "instance", "show", "web", "i1")) == daemon.api.ok(
        "GetInstance", ServiceId=service, InstanceId="i1")
    assert "InstanceNotFound" in ctl("instance", "show", "web", "nosuch", expect=1)
    long = {f"k{number}": str(number) * 80 for number in range(20)}
    daemon.api.register(service, "i2", "10.0.0.3", **long)
    line = ctl("instance", "list", "web").splitlines()[3]
    assert line.startswith("i2  AWS_INSTANCE_IPV4=10.0.0.3, k0=0") and line.endswith("...")
    assert long.items() <= fields(ctl("instance", "show", "web", "i2")).items()


def test_instance_health(daemon, ctl):
    """Of all, of one; set, and DNS follows."""
    service_with(daemon, "10.0.0.1", "10.0.0.2", HealthCheckCustomConfig={})
    assert rows(ctl("instance", "health", "web")) == [["i0", "HEALTHY"], ["i1", "HEALTHY"]]
    assert ctl("instance", "health", "web", "i0", "UNHEALTHY") == "i0 is UNHEALTHY\n"
    assert rows(ctl("instance", "health", "web", "i0")) == [["i0", "UNHEALTHY"]]
    assert gaz.addresses(daemon.ask("web.p.example")) == ["10.0.0.2"]
    assert json.loads(ctl("--json", "instance", "health", "web"))["Status"] == {
        "i0": "UNHEALTHY", "i1": "HEALTHY"}
    assert json.loads(ctl("--json", "instance", "health", "web", "i0", "HEALTHY")) == {}
    assert "InstanceNotFound" in ctl("instance", "health", "web", "nosuch", expect=1)
    ctl("instance", "health", "web", "nosuch", "HEALTHY", expect=1)


def test_health_of_more_than_a_page(daemon, ctl):
    """The map of health statuses is joined over all pages."""
    service = service_with(daemon)
    for number in range(105):
        daemon.api.ok("RegisterInstance", ServiceId=service, InstanceId=f"n{number}",
                      Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    gaz.until("all instances", lambda: daemon.api.ok(
        "GetService", Id=service)["Service"]["InstanceCount"] == 105)
    assert len(rows(ctl("instance", "health", "web"))) == 105
    out = json.loads(ctl("--json", "instance", "health", "web"))
    assert len(out["Status"]) == 105 and "NextToken" not in out
    assert len(rows(ctl("instance", "list", "web"))) == 105


def test_discover(daemon, ctl):
    """Filters by health and attributes, the number of results, the revision."""
    service = service_with(daemon, "10.0.0.1", "10.0.0.2", HealthCheckCustomConfig={})
    daemon.api.register(service, "i2", "10.0.0.3", color="blue")
    ctl("instance", "health", "web", "i0", "UNHEALTHY")

    def ids(*options):
        return sorted(row[0] for row in rows(ctl("discover", "p.example", "web", *options)))
    assert ids() == ["i1", "i2"]
    assert ids("--health", "UNHEALTHY") == ["i0"]
    assert ids("--health", "ALL") == ["i0", "i1", "i2"]
    assert ids("--health", "ALL", "--query", "color=red") == ["i0", "i1"]
    assert ids("--health", "HEALTHY_OR_ELSE_ALL", "--query", "color=red") == ["i1"]
    assert ids("--query", "color=red", "--query", "AWS_INSTANCE_IPV4=10.0.0.3") == []
    assert ids("--optional", "color=blue") == ["i2"]
    assert ids("--optional", "color=green") == ["i1", "i2"]
    assert len(ids("--max", "1")) == 1
    (row,) = rows(ctl("discover", "p.example", "web", "--query", "color=blue"))
    assert row == ["i2", "HEALTHY", "AWS_INSTANCE_IPV4=10.0.0.3, color=blue"]
    answer = json.loads(ctl("--json", "discover", "p.example", "web", "--query",
                            "color=blue"))
    assert answer == daemon.api.ok("DiscoverInstances", NamespaceName="p.example",
                                   ServiceName="web", QueryParameters={"color": "blue"})
    revision = answer["InstancesRevision"]
    assert ctl("discover", "p.example", "web", "--revision") == f"{revision}\n"
    assert json.loads(ctl("--json", "discover", "p.example", "web", "--revision")) == {
        "InstancesRevision": revision}
    namespace = daemon.api.ok("GetService", Id=service)["Service"]["NamespaceId"]
    assert ctl("discover", namespace, "web", "--revision") == f"{revision}\n"
    assert "NamespaceNotFound" in ctl("discover", "nosuch", "web", expect=1)
    assert "ServiceNotFound" in ctl("discover", "p.example", "nosuch", expect=1)
    ctl("discover", "p.example", "web", "--health", "x", expect=1)


class Watch:
    """A running "gazctl watch", line by line."""

    def __init__(self, daemon, *args):
        self.process = subprocess.Popen(
            [gaz.GAZCTL, "--socket", daemon.socket, *args], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, env=gaz.clean_env(daemon.home), encoding="utf-8")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def line(self):
        ready, _, _ = select.select([self.process.stdout], [], [], gaz.PATIENCE)
        assert ready, "no change was printed"
        return self.process.stdout.readline()


def test_watch(daemon, ctl):
    """What is there, then each change; a changed health status is one."""
    service = service_with(daemon, "10.0.0.1", HealthCheckCustomConfig={})
    with Watch(daemon, "watch", "web", "--count", "4") as watch:
        def next_row():
            return re.split(r"\s{2,}", watch.line().rstrip())
        assert next_row() == ["present", "i0", "HEALTHY",
                              "AWS_INSTANCE_IPV4=10.0.0.1, color=red"]
        daemon.api.register(service, "i1", "10.0.0.2")
        assert next_row() == ["added", "i1", "HEALTHY", "AWS_INSTANCE_IPV4=10.0.0.2"]
        ctl("instance", "health", "web", "i1", "UNHEALTHY")
        assert next_row() == ["changed", "i1", "UNHEALTHY", "AWS_INSTANCE_IPV4=10.0.0.2"]
        daemon.api.register(service, "i0", "10.0.0.3")
        assert next_row() == ["changed", "i0", "HEALTHY", "AWS_INSTANCE_IPV4=10.0.0.3"]
        daemon.api.deregister(service, "i1")
        assert next_row()[:2] == ["removed", "i1"]
        assert watch.process.wait(gaz.PATIENCE) == 0
        assert watch.process.stdout.read() == "" and watch.process.stderr.read() == ""


def test_watch_sees_a_check_that_comes_and_goes(daemon):
    """So does the health status, without any registration."""
    service = daemon.api.serve(daemon.api.public("x.example"), "web", "A")
    daemon.api.register(service, "i0", "10.0.0.1")
    with Watch(daemon, "watch", "web", "--count", "2") as watch:
        assert watch.line().split()[:3] == ["present", "i0", "UNKNOWN"]
        for more, status in (({"HealthCheckConfig": {"Type": "TCP"}}, "HEALTHY"),
                             ({}, "UNKNOWN")):
            daemon.api.done("UpdateService", Id=service,
                            Service={"DnsConfig": gaz.records("A"), **more})
            assert watch.line().split()[:3] == ["changed", "i0", status]
        assert watch.process.wait(gaz.PATIENCE) == 0


def test_watch_as_json(daemon):
    """One object per line."""
    service = service_with(daemon, "10.0.0.1")
    with Watch(daemon, "--json", "watch", "p.example/web", "--count", "1") as watch:
        assert json.loads(watch.line()) == {
            "Change": "present", "InstanceId": "i0", "HealthStatus": "UNKNOWN",
            "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1", "color": "red"}}
        daemon.api.deregister(service, "i0")
        assert json.loads(watch.line())["Change"] == "removed"
        assert watch.process.wait(gaz.PATIENCE) == 0


def test_watch_ends_with_ctrl_c_or_its_service(daemon, ctl):
    """SIGINT ends it; a service that is gone is an error."""
    service = service_with(daemon, "10.0.0.1")
    with Watch(daemon, "watch", "web") as watch:
        watch.line()
        watch.process.send_signal(signal.SIGINT)
        assert watch.process.wait(gaz.PATIENCE) != 0
        assert watch.process.stderr.read() == ""
    with Watch(daemon, "watch", "web") as watch:
        watch.line()
        daemon.api.deregister(service, "i0")
        assert watch.line().startswith("removed")
        ctl("service", "delete", "web")
        assert watch.process.wait(gaz.PATIENCE) == 1
        assert "ServiceNotFound" in watch.process.stderr.read()


def test_operations(daemon, ctl):
    """Shown and listed, with filters."""
    namespace = daemon.api.public("p.example")
    daemon.api.http("h")
    (made,) = [op["Id"] for op in daemon.api.ok("ListOperations", Filters=[
        {"Name": "NAMESPACE_ID", "Values": [namespace]}])["Operations"]]
    shown = fields(ctl("operation", "show", made))
    assert shown["Status"] == "SUCCESS" and shown["Namespace"] == namespace
    assert ctl("operation", "list").count("SUCCESS") == 2
    assert ctl("operation", "list", "--namespace", "p.example").count(made) == 1
    assert ctl("operation", "list", "--status", "FAIL").count("\n") <= 1
    assert ctl("operation", "list", "--type", "CREATE_NAMESPACE").count("SUCCESS") == 2
    assert "nosuch" in ctl("operation", "show", "nosuch", expect=1)


def test_vpcs(daemon, ctl):
    """Declared, listed, forgotten."""
    ctl("vpc", "put", "vpc-x", "127.0.40.0/24", "fd00::/64")
    table = ctl("vpc", "list")
    assert "vpc-x" in table and "127.0.40.0/24" in table and VPC_A in table
    daemon.api.private("x.example", "vpc-x", ttl=3)
    assert daemon.ask("x.example", "SOA", source="127.0.40.1").answer[0].ttl == 3
    ctl("vpc", "delete", "vpc-x")
    assert "vpc-x" not in ctl("vpc", "list")
    assert "vpc-x" in ctl("vpc", "delete", "vpc-x", expect=1)
    assert VPC_A in ctl("vpc", "delete", VPC_A, expect=1)
    ctl("vpc", "put", "vpc-x", "nonsense", expect=1)


def test_tags(daemon, ctl):
    """Added, listed, removed."""
    arn = daemon.api.namespace(daemon.api.http("h"))["Arn"]
    ctl("tag", "add", arn, "a=1", "b=2")
    table = ctl("tag", "list", arn)
    assert [line.split() for line in table.splitlines()] == [["KEY", "VALUE"], ["a", "1"],
                                                             ["b", "2"]]
    ctl("tag", "remove", arn, "a")
    assert daemon.api.tags(arn) == {"b": "2"}


def test_status(daemon, ctl):
    """What the daemon tells about itself, true numbers among it."""
    daemon.api.public("p.example")
    for _ in range(3):
        daemon.ask("p.example", "SOA")
    gaz.until("three counted answers", lambda: daemon.api.ok(
        "Gazetteer.GetStatus")["Status"]["Answered"] == 3)
    found = json.loads(ctl("--json", "status"))["Status"]
    assert found["Zones"] == 1 and found["Names"] >= 1
    assert found["UdpQueries"] == 3 and found["Answered"] == 3
    assert found["Rcodes"]["NOERROR"] == 3
    assert found["DataDir"] == str(daemon.data)
    assert str(daemon.dns[0][1]) in ctl("status")


def test_call_is_for_anything(daemon, ctl):
    """Any operation by name, input as an argument or on standard input."""
    out = json.loads(ctl("call", "CreateHttpNamespace", '{"Name":"x"}'))
    assert daemon.api.wait(out["OperationId"])["Status"] == "SUCCESS"
    listed = json.loads(ctl("call", "ListNamespaces"))
    assert [ns["Name"] for ns in listed["Namespaces"]] == ["x"]
    out = json.loads(ctl("call", "GetNamespace", "-",
                         stdin=json.dumps({"Id": listed["Namespaces"][0]["Id"]})))
    assert out["Namespace"]["Name"] == "x"
    assert "Vpcs" in json.loads(ctl("call", "Gazetteer.ListVpcs"))
    assert "UnknownOperation" in ctl("call", "NoSuch", expect=1)
    ctl("call", "ListNamespaces", "{", expect=2)
    for words, stdin in (['{"Name":"a\\u0000"}'], None), (["-"], '{"Name":"a\\u0000"}'):
        assert "Value '\"a\\u0000\"' at 'name' failed" in \
            ctl("call", "CreateHttpNamespace", *words, stdin=stdin, expect=1)


@pytest.mark.parametrize("command, member", [
    (["namespace", "list"], "Namespaces"), (["operation", "list"], "Operations"),
    (["vpc", "list"], "Vpcs")])
def test_json_is_the_apis_own(ctl, daemon, command, member):
    """--json prints what the API answered, whole lists included."""
    for number in range(10):
        daemon.api.http(f"n{number}", Description="x" * number)
    found = json.loads(ctl("--json", *command))[member]
    call = {"Namespaces": "ListNamespaces", "Operations": "ListOperations",
            "Vpcs": "Gazetteer.ListVpcs"}[member]
    assert found == daemon.api.ok(call)[member]


def test_list_reads_every_page(start):
    """More than a hundred rows."""
    daemon = start("--quota", "namespaces=1000")
    conn = daemon.api.connect()
    for number in range(105):
        daemon.api.ok("CreateHttpNamespace", conn=conn, Name=f"n{number}")
    conn.close()
    out = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "namespace", "list"],
                  daemon.home).stdout
    assert out.count("HTTP") == 105
    out = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "--json", "operation", "list"],
                  daemon.home).stdout
    assert len(json.loads(out)["Operations"]) == 105


def test_waits_for_operations_by_default(start):
    """Or does not, when asked; a failed operation is a failure."""
    daemon = start(*gaz.VPC_OPTIONS, "--operation-delay", "700")
    base = [gaz.GAZCTL, "--socket", daemon.socket]
    made = gaz.run([*base, "namespace", "create", "--private", "p.example", "--vpc", VPC_A],
                   daemon.home).stdout
    assert "p.example" in made
    assert len(daemon.api.ok("ListNamespaces")["Namespaces"]) == 1
    done = gaz.run([*base, "namespace", "create", "--private", "p.example", "--vpc", VPC_A],
                   daemon.home, expect=1)
    assert "ConflictingDomainExists" in done.stderr
    quick = gaz.run([*base, "--no-wait", "namespace", "create", "--http", "h"],
                    daemon.home).stdout
    (operation,) = re.findall(r"[a-z2-7]{32}-[0-9a-z]{8}", quick)
    assert daemon.api.wait(operation)["Status"] == "SUCCESS"


def test_timeout_of_the_wait(start):
    """An operation that does not end in time is a failure that says so."""
    daemon = start("--operation-delay", "3600000")
    done = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "--timeout", "1", "namespace",
                    "create", "--http", "h"], daemon.home, expect=1)
    assert done.stderr.startswith("gazctl: ")


def test_api_over_tcp_and_regions(daemon, ctl):
    """--api URL in several spellings, --region, --account."""
    host, port = daemon.apis[0]
    for url in (f"http://{host}:{port}", f"http://{host}:{port}/", f"{host}:{port}"):
        ctl("namespace", "list", way=["--api", url])
    ctl("namespace", "create", "--http", "there", way=["--api", daemon.endpoint,
                                                       "--region", "eu-west-1"])
    assert daemon.api.ok("ListNamespaces")["Namespaces"] == []
    assert len(daemon.api.at(region="eu-west-1").ok("ListNamespaces")["Namespaces"]) == 1
    other = ["--socket", str(daemon.socket), "--region", "eu-west-1", "--account",
             "123456789012"]
    assert "there" not in ctl("namespace", "list", way=other)
    ctl("namespace", "create", "--http", "elsewhere", way=other)
    assert "arn:aws:servicediscovery:eu-west-1:123456789012:" in ctl(
        "namespace", "show", "elsewhere", way=other)


@pytest.mark.parametrize("option", [
    ["--region", "eu_west"], ["--region", ""], ["--region", "a b"], ["--region", "x" * 64],
    ["--account", "123456789012"], ["--region", "r", "--account", "12345678901"],
    ["--region", "r", "--account", "12345678901x"], ["--region", "r", "--account", ""]])
def test_wrong_region_or_account_is_a_usage_error(ctl, option):
    """The daemon would take them for nobody's, and so for its default ones."""
    ctl("namespace", "list", *option, expect=2)


def test_api_error_is_exit_status_1(ctl):
    """One line on stderr that names the error."""
    text = ctl("namespace", "show", "ns-nosuch", expect=1)
    assert text.count("\n") == 1
    text = ctl("call", "GetNamespace", '{"Id":"ns-nosuch"}', expect=1)
    assert "NamespaceNotFound" in text and "ns-nosuch" in text


def test_no_daemon_is_exit_status_1(home, ctl):
    """The socket or address is named."""
    text = ctl("namespace", "list", way=["--socket", f"{home}/none"], expect=1)
    assert f"{home}/none" in text
    text = ctl("namespace", "list", way=["--api", "127.0.0.1:1"], expect=1)
    assert "127.0.0.1" in text


@pytest.mark.parametrize("args", [
    [], ["nonsense"], ["namespace"], ["namespace", "nonsense"], ["namespace", "create"],
    ["namespace", "create", "x"], ["namespace", "create", "x", "--http", "--public"],
    ["namespace", "create", "x", "--private"], ["namespace", "create", "x", "y", "--http"],
    ["namespace", "create", "x", "--public", "--soa-ttl", "soon"],
    ["namespace", "create", "x", "--http", "--nonsense"], ["namespace", "show"],
    ["namespace", "update", "x"], ["namespace", "list", "x"], ["service", "create", "x"],
    ["instance", "register", "x"], ["service", "update", "x"], ["service", "show"],
    ["service", "create", "x", "--namespace", "n", "--health-path", "/"],
    ["service", "update", "x", "--record", "A"],
    ["service", "update", "x", "--record", "A:1", "--no-records"],
    ["service", "update", "x", "--no-health-check", "--failure-threshold", "1"],
    ["service", "update", "x", "--failure-threshold", "soon"],
    ["service", "attributes"], ["service", "attributes", "show"],
    ["service", "attributes", "set", "x"], ["service", "attributes", "set", "x", "nopair"],
    ["service", "attributes", "remove", "x"], ["instance", "list"],
    ["instance", "show", "x"], ["instance", "health"],
    ["instance", "health", "x", "y", "SICK"], ["discover", "x"],
    ["discover", "x", "y", "--query", "nopair"], ["discover", "x", "y", "--max", "many"],
    ["discover", "x", "y", "--revision", "--max", "1"], ["watch"],
    ["watch", "x", "--count", "0"], ["watch", "x", "--count", "many"], ["vpc", "put", "x"], ["call"], ["--socket"],
    ["--timeout", "never", "status"], ["tag", "add", "arn:x", "nopair"],
    ["--api", "https://x:1", "status"], ["--api", "nonsense", "status"]])
def test_wrong_usage_is_exit_status_2(home, args):
    """Told on stderr, nothing on stdout, nobody called."""
    done = gaz.run([gaz.GAZCTL, *args], home, expect=2)
    assert done.stdout == "" and done.stderr


@pytest.mark.parametrize("args", [["service"], ["service", "nonsense"]])
def test_part_of_a_command_names_the_commands(home, args):
    """Those that begin in this way, and no others."""
    lines = gaz.run([gaz.GAZCTL, *args], home, expect=2).stderr.splitlines()
    assert lines[0].startswith("usage: gazctl service")
    assert any(line.startswith("  service attributes show SERVICE") for line in lines)
    assert all(line.startswith("  service ") for line in lines[1:])
    assert "--help" in gaz.run([gaz.GAZCTL, "servi"], home, expect=2).stderr


def test_ambiguous_name_is_an_error_that_lists_the_ids(daemon, ctl):
    """The same name in two VPCs: say which."""
    ids = [daemon.api.private("same.example", vpc) for vpc in (VPC_A, gaz.VPC_B)]
    text = ctl("namespace", "show", "same.example", expect=1)
    assert all(name in text for name in ids)
    assert ids[0] in ctl("namespace", "show", ids[0])


def test_help_and_version(home):
    """--help for all and for each command; --version."""
    assert gaz.run([gaz.GAZCTL, "--version"], home).stdout.startswith("gazctl ")
    text = gaz.run([gaz.GAZCTL, "--help"], home).stdout
    for word in ("namespace create", "vpc put", "status", "call", "--json", "--api",
                 "exit status"):
        assert word in text
    assert "--soa-ttl" in gaz.run([gaz.GAZCTL, "namespace", "create", "--help"], home).stdout


@pytest.mark.parametrize("words", [[], ["namespace", "create"], ["status"]])
def test_h_is_help(home, words):
    """For all and for each command, wherever it stands; the daemon has it too."""
    text = gaz.run([gaz.GAZCTL, *words, "--help"], home).stdout
    assert gaz.run([gaz.GAZCTL, *words, "-h"], home).stdout == text
    assert gaz.run([gaz.GAZCTL, "-h", *words], home).stdout == text
    assert "unknown option -x" in gaz.run([gaz.GAZCTL, *words, "-x"], home, expect=2).stderr
    assert gaz.run([gaz.GAZETTEERD, "-h"], home).stdout == \
        gaz.run([gaz.GAZETTEERD, "--help"], home).stdout


def test_hostile_text_does_not_reach_the_terminal(daemon, ctl):
    """Control characters of a description are shown harmless."""
    daemon.api.http("h", Description="\u001b[31mred\u0007\nline")
    out = ctl("namespace", "list") + ctl("namespace", "show", "h")
    assert "\u001b" not in out and "\u0007" not in out


def test_closed_output_is_reported(daemon):
    """A full disk behind standard output is not success."""
    done = gaz.run(["sh", "-c", f"{gaz.GAZCTL} --socket {daemon.socket} vpc list > /dev/full"],
                   daemon.home, expect=1)
    assert done.stderr.startswith("gazctl: ")
