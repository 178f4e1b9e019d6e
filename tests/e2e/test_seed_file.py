# SPDX-License-Identifier: BSD-2-Clause
"""What a file says is there: gazetteerd --seed, gazctl apply and export."""

import copy
import json
import os
import pathlib
import signal
import subprocess

import pytest

import gaz

EXAMPLE = pathlib.Path(__file__).parents[2] / "contrib" / "example-seed.json"
SMALL = {"Vpcs": [{"Id": "vpc-a", "Cidrs": ["127.0.0.0/8"]}],
         "Namespaces": [
             {"Name": "dev.internal", "Type": "DNS_PRIVATE", "Vpc": "vpc-a",
              "Services": [
                  {"Name": "web", "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]},
                   "Instances": [{"InstanceId": "web-1",
                                  "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1"}}]}]}]}


def write(home, document):
    path = pathlib.Path(home) / "seed.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document))
    return path


def ctl(daemon, *words, expect=0, stdin=None):
    return gaz.run([gaz.GAZCTL, "--socket", daemon.socket, *words], daemon.home, expect, stdin)


def export(daemon, *words):
    return json.loads(ctl(daemon, "export", *words).stdout)


def apply(daemon, document, *words):
    """Applied from standard input: {name: action}."""
    done = ctl(daemon, "--json", "apply", "-", *words, stdin=json.dumps(document))
    reply = json.loads(done.stdout)
    assert reply["Faults"] == []
    return {item["Name"]: item["Action"] for item in reply["Items"]}


def counts(daemon):
    """The numbers of the last seed-applied line."""
    line = [line for line in daemon.log if "seed-applied" in line][-1]
    return {key: int(value) for key, value in
            (part.split("=") for part in line.split() if "ed=" in part)}


def test_the_example_is_there_when_the_daemon_is_ready(start, home):
    """Every kind of namespaces, records, tags, attributes; a restart changes nothing."""
    daemon = start("--seed", str(EXAMPLE))
    for _ in range(2):
        assert gaz.texts(daemon.ask("web.dev.internal")) == ["10.0.1.1", "10.0.1.2"]
        assert gaz.texts(daemon.ask("web.dev.internal", "AAAA")) == ["2001:db8::1", "2001:db8::2"]
        assert gaz.texts(daemon.ask("_db._tcp.dev.internal", "SRV")) == [
            "1 1 5432 db-1._db._tcp.dev.internal."]
        assert gaz.texts(daemon.ask("www.example.com", "CNAME")) == ["shop.example.net."]
        assert gaz.answer_ttls(daemon.ask("dev.internal", "SOA")) == {"SOA": 30}
        assert daemon.api.discover("queues", "orders") == ["orders-1"]
        before = export(daemon)
        assert before["Namespaces"][0]["Tags"] == [{"Key": "stage", "Value": "dev"}]
        assert before["Namespaces"][0]["Services"][0]["Attributes"] == {"team": "storefront"}
        operations = len(daemon.api.ok("ListOperations")["Operations"])
        daemon.restart()
        assert export(daemon) == before
        assert len(daemon.api.ok("ListOperations")["Operations"]) == operations
    assert counts(daemon) == {"created": 0, "changed": 0, "unchanged": 13}


def test_what_differs_is_changed_and_the_rest_left_alone(start, home):
    """At each start, with the changed file; what it does not name stays."""
    path = write(home, SMALL)
    daemon = start("--seed", str(path))
    namespace = daemon.api.ok("ListNamespaces")["Namespaces"][0]["Id"]
    service = daemon.api.ok("ListServices")["Services"][0]["Id"]
    daemon.api.register(service, "mine", "10.0.0.9")
    daemon.api.http("my-own")
    changed = copy.deepcopy(SMALL)
    changed["Vpcs"][0]["Cidrs"] = ["127.0.0.0/8", "10.0.0.0/8"]
    ns = changed["Namespaces"][0]
    ns.update(Description="new", Properties={"DnsProperties": {"SOA": {"TTL": 7}}},
              Tags=[{"Key": "k", "Value": "v"}])
    web = ns["Services"][0]
    web.update(Description="svc", Attributes={"a": "b"}, Tags=[{"Key": "s", "Value": "t"}])
    web["DnsConfig"]["DnsRecords"][0]["TTL"] = 5
    web["Instances"][0]["Attributes"]["AWS_INSTANCE_IPV4"] = "10.0.0.2"
    web["Instances"].append({"InstanceId": "web-2", "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.3"}})
    write(home, changed)
    daemon.restart()
    assert counts(daemon) == {"created": 1, "changed": 4, "unchanged": 0}
    assert daemon.api.vpcs()["vpc-a"][0] == ["127.0.0.0/8", "10.0.0.0/8"]
    reply = daemon.ask("web.dev.internal")
    assert gaz.texts(reply) == ["10.0.0.2", "10.0.0.3", "10.0.0.9"]
    assert gaz.answer_ttls(reply) == {"A": 5}
    assert gaz.answer_ttls(daemon.ask("dev.internal", "SOA")) == {"SOA": 7}
    found = daemon.api.namespace(namespace)
    assert found["Description"] == "new" and daemon.api.tags(found["Arn"]) == {"k": "v"}
    found = daemon.api.ok("GetService", Id=service)["Service"]
    assert found["Description"] == "svc" and daemon.api.tags(found["Arn"]) == {"s": "t"}
    assert {n["Name"] for n in daemon.api.ok("ListNamespaces")["Namespaces"]} == {
        "dev.internal", "my-own"}
    daemon.restart()
    assert counts(daemon) == {"created": 0, "changed": 0, "unchanged": 5}


WRONG = [
    (lambda d: d["Namespaces"][0]["Services"][0]["DnsConfig"]["DnsRecords"][0].update(TTL=-1),
     "Namespaces[0].Services[0].DnsConfig.DnsRecords[0].TTL: Value '-1' failed to satisfy"),
    (lambda d: d["Namespaces"][0]["Services"][0]["DnsConfig"]["DnsRecords"][0].update(TTL="1"),
     "Namespaces[0].Services[0].DnsConfig.DnsRecords[0].TTL: The value must be an integer"),
    (lambda d: d["Namespaces"][0]["Services"][0]["DnsConfig"].update(DnsRecord=[]),
     "Namespaces[0].Services[0].DnsConfig.DnsRecord: Value '[]' failed"),
    (lambda d: d["Namespaces"][0]["Services"][0].update(Instance=[]),
     "Namespaces[0].Services[0].Instance: "),
    (lambda d: d["Namespaces"][0]["Services"][0].update(NamespaceId="ns-1"),
     "Namespaces[0].Services[0].NamespaceId: "),
    (lambda d: d["Namespaces"][0]["Services"][0]["Instances"][0]["Attributes"].update({"a.b": "\x01"}),
     "Namespaces[0].Services[0].Instances[0].Attributes.a.b: "),
    (lambda d: d["Namespaces"][0]["Services"][0]["Instances"][0].pop("InstanceId"),
     "Namespaces[0].Services[0].Instances[0].InstanceId: Value null failed"),
    (lambda d: d["Namespaces"][0].pop("Vpc"), "Namespaces[0].Vpc: Value null failed"),
    (lambda d: d["Namespaces"][0].update(Type="PRIVATE"), "Namespaces[0].Type: Type must be"),
    (lambda d: d["Namespaces"][0].update(Services={}), "Namespaces[0].Services: The value must"),
    (lambda d: d["Namespaces"][0].update(Services=[1]), "Namespaces[0].Services[0]: The value"),
    (lambda d: d["Namespaces"].append(dict(d["Namespaces"][0])),
     "Namespaces[1].Name: It is there already, as Namespaces[0]"),
    (lambda d: d["Vpcs"][0].update(Cidrs=[]), "Vpcs[0].Cidrs: Value '[]' failed"),
    (lambda d: d["Vpcs"][0].update(Id=""), "Vpcs[0].Id: Value '' failed"),
    (lambda d: d.update(Namespace=[]), "Namespace: Member must be Vpcs or Namespaces"),
]


@pytest.mark.parametrize("spoil, told", WRONG)
def test_a_fault_is_told_with_its_place_and_nothing_is_done(start, home, spoil, told):
    """By the daemon, which does not start, and by gazctl."""
    document = copy.deepcopy(SMALL)
    spoil(document)
    path = write(home, document)
    data = f"{home}/data"
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "none", "--socket",
                             f"{home}/s", "--data", data, "--seed", str(path), expect=1)
    assert f"gazetteerd: {path}: {told}" in text, text
    assert "1 fault; correct the file" in text
    daemon = start()
    done = ctl(daemon, "apply", path, expect=1)
    assert done.stderr.startswith(f"gazctl: {told}"), done.stderr
    assert export(daemon) == {"Namespaces": []}
    daemon.stop()
    daemon.data = pathlib.Path(data)
    assert export(daemon.start()) == {"Namespaces": []}


def test_all_faults_are_told_at_once(home):
    """The whole list, not the first of them."""
    document = copy.deepcopy(SMALL)
    for spoil, _ in WRONG[:1] + WRONG[2:6] + WRONG[12:]:
        spoil(document)
    path = write(home, document)
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "none", "--socket",
                             f"{home}/s", "--ephemeral", "--seed", str(path), expect=1)
    for _, told in WRONG[:1] + WRONG[2:6] + WRONG[12:]:
        assert told in text, text
    assert "8 faults" in text


def test_a_rule_beyond_members_is_told_with_the_item(start, home):
    """What only the call itself can find; the items around it are done."""
    document = copy.deepcopy(SMALL)
    web = document["Namespaces"][0]["Services"][0]
    web["Instances"].insert(0, {"InstanceId": "odd", "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0"}})
    daemon = start()
    done = ctl(daemon, "apply", write(home, document), expect=1)
    assert "Namespaces[0].Services[0].Instances[0]: RegisterInstance: InvalidInput: " in done.stderr
    assert daemon.api.discover("dev.internal", "web") == ["web-1"]


@pytest.mark.parametrize("text, told", [
    ("{", "seed.json:1:1: "), ("[]", "The document must be an object"),
    ('{"Vpcs": [],\n "Vpcs": []}', "seed.json:2:7: duplicate object key"),
    ("\xff", "seed.json:1:")])
def test_what_is_no_document_is_refused(start, home, text, told):
    """With the line, where there is one."""
    path = write(home, text)
    said = gaz.refused_start(home, "--ephemeral", "--seed", str(path), "--listen", "127.0.0.1:0",
                             "--api", "none", "--socket", f"{home}/s", expect=1)
    assert told in said
    assert told in ctl(start(), "apply", path, expect=1).stderr


def test_a_file_that_is_not_there_is_refused(home):
    """And named."""
    said = gaz.refused_start(home, "--ephemeral", "--seed", "/nonexistent/seed.json", expect=1)
    assert "/nonexistent/seed.json" in said


@pytest.mark.parametrize("member, value, told", [
    ("HealthCheckCustomConfig", {}, ".HealthCheckCustomConfig: The service that is there"),
    ("DnsConfig", {"RoutingPolicy": "WEIGHTED", "DnsRecords": [{"Type": "A", "TTL": 60}]},
     ".DnsConfig.RoutingPolicy: The service that is there has MULTIVALUE"),
    ("DnsConfig", {"DnsRecords": [{"Type": "AAAA", "TTL": 60}]}, ": UpdateService: InvalidInput")])
def test_what_cannot_be_changed_is_an_error(start, home, member, value, told):
    """UpdateService knows neither the policy nor the types of records."""
    daemon = start("--seed", str(write(home, SMALL)))
    before = export(daemon)
    document = copy.deepcopy(SMALL)
    document["Namespaces"][0]["Services"][0][member] = value
    done = ctl(daemon, "apply", write(home, document), expect=1)
    assert f"gazctl: Namespaces[0].Services[0]{told}" in done.stderr
    assert export(daemon) == before


def test_dry_run_tells_and_does_nothing(start, home):
    """The same list as the real one."""
    daemon = start()
    names = ["vpc-a", "dev.internal", "dev.internal/web", "dev.internal/web/web-1"]
    assert apply(daemon, SMALL, "--dry-run") == {name: "CREATE" for name in names}
    assert export(daemon) == {"Namespaces": []}
    assert apply(daemon, SMALL) == {name: "CREATE" for name in names}
    assert apply(daemon, SMALL) == {name: "LEAVE" for name in names}
    document = copy.deepcopy(SMALL)
    document["Namespaces"][0]["Services"][0]["Description"] = "x"
    assert apply(daemon, document, "--dry-run")["dev.internal/web"] == "CHANGE"
    assert "Description" not in export(daemon)["Namespaces"][0]["Services"][0]
    done = ctl(daemon, "apply", write(home, document))
    assert done.stdout == ("left vpc vpc-a\nleft namespace dev.internal\n"
                           "changed service dev.internal/web\n"
                           "left instance dev.internal/web/web-1\n"
                           "0 created, 1 changed, 3 left\n")


def fill(daemon):
    """Something of everything that a document can say."""
    api = daemon.api
    api.put_vpc("vpc-1", "10.1.0.0/16", "fd00::/8")
    api.put_vpc("vpc-2", "10.2.0.0/16")
    for vpc in ("vpc-1", "vpc-2"):
        api.done("CreatePrivateDnsNamespace", Name="same.internal", Vpc=vpc, Description=vpc,
                 Properties={"DnsProperties": {"SOA": {"TTL": 99}}})
    api.done("CreatePublicDnsNamespace", Name="example.org", Tags=[{"Key": "a", "Value": "b"}])
    api.http("plain")
    for ns in api.ok("ListNamespaces")["Namespaces"]:
        dns = {} if ns["Type"] == "HTTP" else {
            "DnsConfig": {"RoutingPolicy": "WEIGHTED", "DnsRecords": [{"Type": "A", "TTL": 5}]}}
        svc = api.ok("CreateService", NamespaceId=ns["Id"], Name="s", Description="ünï", **dns,
                     HealthCheckCustomConfig={"FailureThreshold": 1},
                     Tags=[{"Key": "x", "Value": ""}])["Service"]["Id"]
        api.ok("UpdateServiceAttributes", ServiceId=svc, Attributes={"port": "1"})
        api.register(svc, "i", "10.9.9.9", AWS_INIT_HEALTH_STATUS="UNHEALTHY", note="n")
        if not dns:
            api.done("RegisterInstance", ServiceId=svc, InstanceId="ec2",
                     Attributes={"AWS_EC2_INSTANCE_ID": "i-0123456789abcdef0"})
        else:
            kind = api.ok("CreateService", NamespaceId=ns["Id"], Name="hidden", Type="HTTP")
            api.register(kind["Service"]["Id"], "h", "10.1.1.1")
            api.ok("CreateService", NamespaceId=ns["Id"], Name="checked",
                   DnsConfig={"DnsRecords": [{"Type": "SRV", "TTL": 1}]},
                   **({} if ns["Type"] == "DNS_PRIVATE" else {
                       "HealthCheckConfig": {"Type": "HTTP", "ResourcePath": "/ok",
                                             "FailureThreshold": 3}}))


def test_export_applied_to_an_empty_daemon_makes_an_equal_one(start, home):
    """Export, apply, export; then a second apply has nothing to do."""
    first, second = start(), start()
    fill(first)
    document = export(first)
    assert len(document["Namespaces"]) == 4 and len(document["Vpcs"]) == 2
    assert set(apply(second, document).values()) == {"CREATE"}
    assert export(second) == document
    assert set(apply(second, document).values()) == {"LEAVE"}
    assert set(apply(first, document).values()) == {"LEAVE"}
    for daemon in (first, second):
        daemon.restart()
        assert export(daemon) == document


def test_export_of_one_namespace_has_its_vpc_alone(start):
    """By id or by name; the wrong name is an error."""
    daemon = start()
    fill(daemon)
    document = export(daemon, "same.internal")
    assert [ns["Vpc"] for ns in document["Namespaces"]] == ["vpc-1", "vpc-2"]
    namespace = daemon.api.ok("ListNamespaces")["Namespaces"][1]["Id"]
    document = export(daemon, namespace)
    assert [ns["Vpc"] for ns in document["Namespaces"]] == ["vpc-2"]
    assert [vpc["Id"] for vpc in document["Vpcs"]] == ["vpc-2"]
    assert "Vpcs" not in export(daemon, "plain")
    assert "no namespace is called nosuch" in ctl(daemon, "export", "nosuch", expect=1).stderr


def test_apply_waits_for_the_operations(start, home):
    """Both kinds of apply, when operations take their time."""
    document = copy.deepcopy(SMALL)
    document["Namespaces"][0]["Services"][0]["Instances"] += [
        {"InstanceId": f"i{n}", "Attributes": {"AWS_INSTANCE_IPV4": f"10.0.1.{n}"}}
        for n in range(30)]
    daemon = start("--operation-delay", "50", "--seed", str(write(home, SMALL)))
    assert gaz.texts(daemon.ask("web.dev.internal")) == ["10.0.0.1"]
    apply(daemon, document)
    assert len(daemon.api.ok("DiscoverInstances", NamespaceName="dev.internal",
                             ServiceName="web", MaxResults=100)["Instances"]) == 31


def test_a_full_disk_is_not_blamed_on_the_file(home):
    """It is told that the store failed; what is in it is whole."""
    document = copy.deepcopy(SMALL)
    document["Namespaces"][0]["Services"][0]["Instances"] = [
        {"InstanceId": f"web-{n}",
         "Attributes": {"AWS_INSTANCE_IPV4": f"10.0.0.{n}", "note": "x" * 1000}}
        for n in range(250)]
    command = [gaz.GAZETTEERD, "--listen", "127.0.0.1:0", "--api", "none", "--socket",
               f"{home}/s", "--data", f"{home}/data", "--seed", write(home, document)]
    done = gaz.run(["prlimit", "--fsize=131072", *command], home, expect=1)
    assert ": RegisterInstance: " in done.stderr, done.stderr
    assert "not all is done: " in done.stderr and "correct the file" not in done.stderr
    done = gaz.run([*command, "--check-store"], home)
    assert "no faults" in done.stdout


def test_a_signal_ends_a_long_seed(home):
    """The daemon does not wait for the end of an operation that takes an hour."""
    daemon = gaz.Daemon(home, "--operation-delay", "3600000", "--log-level", "debug", "--seed",
                        str(write(home, SMALL)))
    process = subprocess.Popen(daemon.command(), stdin=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, cwd=home, env=gaz.clean_env(home))
    try:
        for line in process.stderr:
            if b"seed-item" in line:
                break
        process.send_signal(signal.SIGTERM)
        _, rest = process.communicate(timeout=gaz.PATIENCE)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert process.returncode == 0 and b"stopped by a signal" in rest
    assert b"ready " not in rest


def test_operations_that_a_kill_left_under_way_are_waited_for(start, home):
    """A namespace, and a registration, of which nothing is to be seen yet at the start."""
    path = write(home, SMALL)
    daemon = start("--operation-delay", "300")
    call = dict(Name="dev.internal", Vpc="vpc-a")
    daemon.api.ok("CreatePrivateDnsNamespace", **call)
    daemon.kill()
    daemon.options += ["--seed", str(path)]
    daemon.start()
    assert export(daemon)["Namespaces"][0]["Services"] == [
        dict(SMALL["Namespaces"][0]["Services"][0],
             DnsConfig={"RoutingPolicy": "MULTIVALUE", "DnsRecords": [{"Type": "A", "TTL": 60}]})]
    service = daemon.api.ok("ListServices")["Services"][0]["Id"]
    daemon.api.done("DeregisterInstance", ServiceId=service, InstanceId="web-1")
    daemon.api.ok("RegisterInstance", ServiceId=service, InstanceId="web-1",
                  Attributes={"AWS_INSTANCE_IPV4": "10.0.0.7"})
    daemon.restart(kill=True)
    assert gaz.texts(daemon.ask("web.dev.internal")) == ["10.0.0.1"]


def many(services, instances, width=0):
    """Namespaces of every type, with services and instances."""
    return {"Namespaces": [
        {"Name": f"many{n}.internal", "Type": kind, **({"Vpc": "vpc-a"} if n == 0 else {}),
         "Services": [
             {"Name": f"s{k}", "Attributes": {"number": str(k)}, "Tags": [{"Key": "k", "Value": "v"}],
              **({} if kind == "HTTP" else {
                  "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]}}),
              "Instances": [{"InstanceId": f"i{i}".ljust(width, "x"),
                             "Attributes": {"AWS_INSTANCE_IPV4": f"10.{n}.{k}.{i}"}}
                            for i in range(instances)]} for k in range(services)]}
        for n, kind in enumerate(("DNS_PRIVATE", "DNS_PUBLIC", "HTTP"))]}


def ids(daemon):
    """{"NAMESPACE/SERVICE": the ids of its instances}."""
    return {f"{ns['Name']}/{svc['Name']}": {i["InstanceId"] for i in svc.get("Instances", [])}
            for ns in export(daemon)["Namespaces"] for svc in ns.get("Services", [])}


def order(document):
    """What is listed in the order of its creation."""
    return [(ns["Name"], [svc["Name"] for svc in ns["Services"]])
            for ns in document["Namespaces"]]


@pytest.mark.parametrize("options", [(), ("--operation-delay", "30")])
def test_thousands_are_listed_as_the_document_has_them(start, home, options):
    """Namespaces and services, of which several are created within a millisecond."""
    document = {"Namespaces": [
        {"Name": f"n{n}", "Type": "HTTP", "Services": [
            {"Name": f"s{k}"} for k in range(3000 if n == 0 else 1)]} for n in range(50)]}
    daemon = start(*options, "--seed", str(write(home, document)))
    assert order(export(daemon)) == order(document)
    daemon.restart()
    assert order(export(daemon)) == order(document)


def spoiled(numbers):
    """A document of one service, in which these instances cannot be registered."""
    document = many(1, 150)
    document["Namespaces"] = document["Namespaces"][2:]
    instances = document["Namespaces"][0]["Services"][0]["Instances"]
    for number in numbers:
        instances[number]["Attributes"] = {"AWS_INSTANCE_IPV4": "10.0.0"}
    return document


@pytest.mark.parametrize("options", [(), ("--operation-delay", "30")])
def test_many_of_everything_are_there_once(start, home, options):
    """At the first start, when applied, and when both are done again."""
    document = many(5, 90)
    expected = {f"many{n}.internal/s{k}": {f"i{i}" for i in range(90)}
                for n in range(3) for k in range(5)}
    first = start(*options, "--seed", str(write(home, document)))
    second = start(*options)
    told = apply(second, document)
    assert set(told.values()) == {"CREATE"} and len(told) == 3 + 15 + 15 * 90
    assert ids(first) == ids(second) == expected
    assert counts(first) == {"created": len(told), "changed": 0, "unchanged": 0}
    for daemon in (first, second):
        before = export(daemon)
        assert order(before) == order(document)
        assert before["Namespaces"][1]["Services"][2]["Attributes"] == {"number": "2"}
        assert apply(daemon, document) == dict.fromkeys(told, "LEAVE")
        daemon.restart(kill=True)
        assert export(daemon) == before
    assert counts(first) == {"created": 0, "changed": 0, "unchanged": len(told)}


def test_calls_that_fail_among_many_spoil_no_others(start, home):
    """Each is told with its place, and all others are done and told."""
    wrong = {0, 37, 38, 101, 149}
    document = spoiled(wrong)
    path = write(home, document)
    rest = {f"i{i}" for i in range(150) if i not in wrong}
    places = [f"Namespaces[0].Services[0].Instances[{i}]: RegisterInstance: InvalidInput: "
              for i in sorted(wrong)]
    daemon = start()
    done = ctl(daemon, "apply", path, expect=1)
    assert [line.startswith(f"gazctl: {place}") for line, place in
            zip(done.stderr.splitlines(), places, strict=True)] == [True] * 5, done.stderr
    told = {line.rsplit("/", 1)[1] for line in done.stdout.splitlines() if "/s0/" in line}
    assert told == ids(daemon)["many2.internal/s0"] == rest
    data = f"{home}/data2"
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "none", "--socket",
                             f"{home}/s", "--data", data, "--seed", str(path), expect=1)
    assert all(f"gazetteerd: {path}: {place}" in text for place in places), text
    assert "5 faults" in text
    daemon.stop()
    daemon.data = pathlib.Path(data)
    assert ids(daemon.start())["many2.internal/s0"] == rest


def test_a_quota_that_ends_in_the_middle_is_told_for_each(start, home):
    """As many as there is room for, whichever they are, and a fault for all others."""
    daemon = start("--quota", "instances-per-service=40")
    done = ctl(daemon, "apply", write(home, spoiled(())), expect=1)
    there = ids(daemon)["many2.internal/s0"]
    told = {line.rsplit("/", 1)[1] for line in done.stdout.splitlines() if "/s0/" in line}
    refused = [line for line in done.stderr.splitlines()
               if ": RegisterInstance: ResourceLimitExceeded: " in line]
    assert told == there and len(there) == 40
    assert len(refused) == 110


def test_the_daemon_dies_while_much_is_applied(start, home):
    """What was told as done is there; the rest is done the next time."""
    document = many(2, 250, width=60)
    path = write(home, document)
    daemon = start()
    # So many lines do not fit into the pipe: it cannot have come to its end when it is read.
    with subprocess.Popen([gaz.GAZCTL, "--socket", daemon.socket, "apply", path], cwd=home,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=gaz.clean_env(home)) as process:
        lines = [next(line for line in process.stdout
                      if line.startswith("created instance "))]
        daemon.kill()
        lines += process.stdout
        err = process.stderr.read()
    assert process.returncode == 1
    assert len(err.splitlines()) == 1 and err.startswith("gazctl: Namespaces["), err
    daemon.start()
    there = {f"{service}/{instance}" for service, found in ids(daemon).items()
             for instance in found}
    told = {line.split()[2] for line in lines if line.startswith("created instance ")}
    assert told <= there and len(there) < 1500
    again = apply(daemon, document)
    assert {name for name, action in again.items() if action == "LEAVE"} >= told
    assert set(apply(daemon, document).values()) == {"LEAVE"}
    assert sum(len(found) for found in ids(daemon).values()) == 1500


def test_throttled_calls_are_made_again(start, home):
    """As an SDK would do it: a limit makes it last longer, and nothing else."""
    daemon = start("--rate", "other=400:20")
    done = ctl(daemon, "apply", write(home, spoiled(())))
    assert (done.stderr, done.stdout.splitlines()[-1]) == ("", "152 created, 0 changed, 0 left")
    assert len(ids(daemon)["many2.internal/s0"]) == 150
    daemon.options[:] = "--rate", "other=100:1"
    daemon.restart()
    assert len(ids(daemon)["many2.internal/s0"]) == 150


def test_a_daemon_that_is_silent_is_given_up(start, home):
    """All calls that are under way have waited for the same --timeout, not each for its own."""
    daemon = start()
    path = write(home, spoiled(()))
    os.kill(daemon.process.pid, signal.SIGSTOP)
    try:
        done = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "--timeout", "2", "apply", path],
                       daemon.home, 1, patience=gaz.PATIENCE)
    finally:
        os.kill(daemon.process.pid, signal.SIGCONT)
    assert done.stderr.count("\n") == 1 and "no reply in time; see --timeout" in done.stderr


def test_apply_goes_over_tcp_too(start):
    """Many connections, each for many calls."""
    daemon = start()
    done = gaz.run([gaz.GAZCTL, "--api", daemon.endpoint, "apply", "-"], daemon.home,
                   stdin=json.dumps(many(1, 100)))
    assert done.stdout.endswith("306 created, 0 changed, 0 left\n")
    assert sum(len(found) for found in ids(daemon).values()) == 300


def test_a_vpc_of_the_configuration_may_be_named(start, home):
    """Equal is fine; other prefixes are refused by the API."""
    document = {"Vpcs": [{"Id": "vpc-c", "Cidrs": ["10.5.0.0/16"]}]}
    path = write(home, document)
    daemon = start("--vpc", "vpc-c=10.5.0.0/16", "--seed", str(path))
    assert apply(daemon, document) == {"vpc-c": "LEAVE"}
    document["Vpcs"][0]["Cidrs"] = ["10.6.0.0/16"]
    done = ctl(daemon, "apply", write(home, document), expect=1)
    assert "Vpcs[0]: Gazetteer.PutVpc: InvalidInput: " in done.stderr


def test_prefixes_may_be_written_in_several_ways(start, home):
    """They are compared by what they mean."""
    document = {"Vpcs": [{"Id": "vpc-v", "Cidrs": ["FD00:0::/8", "10.0.0.0/8"]}]}
    daemon = start()
    assert apply(daemon, document) == {"vpc-v": "CREATE"}
    assert apply(daemon, document) == {"vpc-v": "LEAVE"}


def test_trial_checks_and_does_nothing(daemon):
    """The header that apply sends: any operation, strictly, without effect."""
    def send(operation, members):
        conn = daemon.api.connect()
        conn.request("POST", "/", json.dumps(members), {
            "X-Gazetteer-Trial": "1", "X-Amz-Target": gaz.TARGET + operation,
            "Content-Type": gaz.JSON})
        with conn.getresponse() as reply:
            body = json.loads(reply.read())
        conn.close()
        return reply.status, body.get("__type"), body.get("Message")

    assert send("CreateHttpNamespace", {"Name": "x"}) == (200, None, None)
    assert send("DeleteNamespace", {"Id": "ns-nosuch"}) == (200, None, None)
    status, code, message = send("CreateHttpNamespace", {"Name": "x", "Nmae": "y"})
    assert (status, code) == (400, "InvalidInput") and "'nmae'" in message
    assert send("CreateHttpNamespace", {})[:2] == (400, "InvalidInput")
    assert send("NoSuch", {})[:2] == (400, "UnknownOperationException")
    assert daemon.api.ok("ListNamespaces") == {"Namespaces": []}
