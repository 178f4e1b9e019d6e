# SPDX-License-Identifier: BSD-2-Clause
"""What gazctl's commands can say, against the service's public model.

A recorder between gazctl and the daemon notes what the commands send. Together they must
have called every operation with every member, and used every option that --help names: a
member that the model gets, or an option that is connected with nothing, is noticed.
"""

import json
import re

import pytest

import gaz
import models
from gaz import VPC_A

# Members that nothing but "gazctl call" can say, and why.
LEFT_OUT = {
    # Deprecated for CreateService.NamespaceId, which --namespace gives.
    "CreateService.DnsConfig.NamespaceId"}

# Commands that make calls of their own, or several calls of Cloud Map together.
OTHERS = {"watch", "explain", "vpc put", "vpc list", "vpc delete", "zone list", "zone show",
          "zone reload", "zone export", "cache flush", "status", "backup", "restore",
          "resolver install", "resolver remove", "resolver status", "doctor", "apply",
          "export", "call"}


class Recorder(gaz.FakeApi):
    """An endpoint that passes calls on to a daemon and notes them."""

    def __init__(self, daemon):
        self.calls, self.daemon = [], daemon
        super().__init__(self.answer)

    def answer(self, target, body):
        # Gazetteer.ListNamespaces is AWS's own, and tells the VPC besides.
        operation = target.removeprefix(gaz.TARGET).removeprefix("Gazetteer.")
        self.calls.append((operation, json.loads(body)))
        reply = self.daemon.api.send(body, target)
        return reply.status, reply.body


@pytest.fixture
def recorder(daemon):
    found = Recorder(daemon)
    yield found
    found.close()


@pytest.fixture
def ctl(daemon, recorder):
    """Run gazctl by way of the recorder; gives its JSON, None if it prints none."""
    def call(*words, expect=0):
        done = gaz.run([gaz.GAZCTL, "--api", recorder.url, "--json", *words], daemon.home,
                       expect)
        call.used.append(words)
        return json.loads(done.stdout) if done.stdout else done.stderr
    call.used = []
    return call


def pages(ctl, member, *words):
    """All items of a list, one a page."""
    page = ctl(*words, "--max", "1")
    found = list(page[member])
    while "NextToken" in page:
        page = ctl(*words, "--max", "1", "--next-token", page["NextToken"])
        found += page[member]
    return found


def say_namespaces(ctl):
    common = ["--description", "d", "--tag", "a=b", "--request-id"]
    ctl("namespace", "create", "p.example", "--private", "--vpc", VPC_A, "--soa-ttl", "7",
        *common, "1")
    ctl("namespace", "create", "q.example", "--public", "--soa-ttl", "7", *common, "2")
    ctl("namespace", "create", "h", "--http", *common, "3")
    for name, more in (("p.example", ["--soa-ttl", "8"]), ("q.example", ["--soa-ttl", "8"]),
                       ("h", [])):
        ctl("namespace", "update", name, "--description", "e", "--request-id", "4", *more)
    ctl("namespace", "show", "h")
    assert len(pages(ctl, "Namespaces", "namespace", "list", "--owner", "SELF")) == 3
    ctl("namespace", "list", "--type", "HTTP", "--type", "DNS_PUBLIC", "--name", "h",
        "--http-name", "h")
    ctl("namespace", "list", "--begins-with", "--name", "p.")


def say_services(ctl):
    common = ["--description", "d", "--tag", "a=b", "--request-id"]
    ctl("service", "create", "a", "--namespace", "q.example", "--record", "A:5", "--routing",
        "WEIGHTED", "--health-check", "HTTP", "--health-path", "/", "--failure-threshold", "2",
        *common, "1")
    ctl("service", "create", "b", "--namespace", "p.example", "--type", "HTTP",
        "--custom-health", "--failure-threshold", "2", *common, "2")
    ctl("service", "show", "a")
    names = ["--namespace", "q.example", "--namespace", "p.example"]
    assert len(pages(ctl, "Services", "service", "list", "--owner", "SELF", *names)) == 2
    ctl("service", "update", "a", "--description", "e", "--record", "A:6", "--health-check",
        "HTTP", "--health-path", "/x", "--failure-threshold", "3")
    ctl("service", "update", "a", "--no-health-check", "--no-records")
    ctl("service", "attributes", "set", "a", "k=v")
    ctl("service", "attributes", "show", "a")
    ctl("service", "attributes", "remove", "a", "k")


def say_instances(ctl):
    ctl("instance", "register", "b", "i", "--ipv4", "10.0.0.1", "--ipv6", "fd00::1", "--cname",
        "x.example", "--port", "80", "--attribute", "k=v", "--request-id", "1")
    ctl("instance", "register", "b", "j")
    ctl("instance", "show", "b", "i")
    assert len(pages(ctl, "Instances", "instance", "list", "b")) == 2
    assert pages(ctl, "Status", "instance", "health", "b", "i", "--instance", "j") == ["i", "j"]
    ctl("instance", "health", "b", "i", "UNHEALTHY")
    owner = ["--owner", gaz.ACCOUNT]
    found = ctl("discover", "p.example", "b", "--health", "ALL", "--query", "k=v", "--optional",
                "AWS_INSTANCE_PORT=80", "--max", "5", *owner)
    assert [item["InstanceId"] for item in found["Instances"]] == ["i"]
    assert ctl("discover", "p.example", "b", "--revision", *owner)["InstancesRevision"] > 0


def say_operations(ctl):
    ctl("operation", "list", "--namespace", "p.example", "--service", "b", "--status",
        "SUCCESS", "--status", "FAIL", "--type", "REGISTER_INSTANCE", "--since",
        "2020-01-01T00:00:00Z", "--until", "4000000000")
    first = pages(ctl, "Operations", "operation", "list", "--type", "REGISTER_INSTANCE")[0]
    ctl("operation", "show", first["Id"], "--owner", gaz.ACCOUNT)


def say_tags(ctl):
    arn = ctl("namespace", "show", "h")["Namespace"]["Arn"]
    ctl("tag", "add", arn, "c=d")
    ctl("tag", "list", arn)
    ctl("tag", "remove", arn, "c")


def say_goodbye(ctl):
    for name in ("i", "j"):
        ctl("instance", "deregister", "b", name)
    ctl("service", "delete", "b")
    ctl("namespace", "delete", "h")


def say_everything(ctl):
    for part in (say_namespaces, say_services, say_instances, say_operations, say_tags,
                 say_goodbye):
        part(ctl)


def members_sent(value, path, found):
    """The paths of everything in an input, filters' names with them."""
    if isinstance(value, dict):
        for name, item in value.items():
            found.add(f"{path}.{name}")
            members_sent(item, f"{path}.{name}", found)
        if path.endswith("Filters[]"):
            found.add(f"{path}.Name={value['Name']}")
    elif isinstance(value, list):
        for item in value:
            members_sent(item, f"{path}[]", found)


def members_of(shape_name, path, found):
    """The paths of everything that an input can have; of a map only itself."""
    shape = models.SHAPES[shape_name]
    if shape["type"] == "structure":
        for name, member in shape["members"].items():
            found.add(f"{path}.{name}")
            members_of(member["shape"], f"{path}.{name}", found)
    elif shape["type"] == "list":
        members_of(shape["member"]["shape"], f"{path}[]", found)
    elif path.endswith("Filters[].Name"):
        found.update(f"{path}={value}" for value in shape["enum"])


def conditions(calls):
    return {each.get("Condition", "EQ") for _, members in calls
            for each in members.get("Filters", ())}


def test_commands_reach_every_member_of_the_model(ctl, recorder):
    """But for those that are left out, and no more of these."""
    say_everything(ctl)
    wanted, found = set(), set()
    for operation in models.OPERATIONS:
        wanted.add(operation)
        members_of(models.input_shape(operation), operation, wanted)
    for operation, members in recorder.calls:
        found.add(operation)
        members_sent(members, operation, found)
    assert wanted - found == LEFT_OUT
    assert conditions(recorder.calls) == set(models.SHAPES["FilterCondition"]["enum"])


def help_of(home, *words):
    return gaz.run([gaz.GAZCTL, *words, "--help"], home).stdout


def commands(home):
    text = help_of(home).split("commands:\n")[1].split("\n\n")[0]
    return {re.match(r"  ((?:[a-z]+ )*[a-z]+)", line)[1] for line in text.splitlines()}


def options(home, command):
    return set(re.findall(r"^  (--[a-z0-9-]+)", help_of(home, *command.split()), re.M))


def test_every_option_of_every_command_is_said(ctl, home):
    """So that the test above is about all that there is."""
    say_everything(ctl)
    unused = {}
    for command in commands(home) - OTHERS:
        words = command.split()
        uses = [used[len(words):] for used in ctl.used if list(used[:len(words)]) == words]
        assert uses, f"{command} is not used"
        said = {word for used in uses for word in used if word.startswith("--")}
        if options(home, command) - said:
            unused[command] = options(home, command) - said
    assert unused == {}
    assert OTHERS <= commands(home)


def test_a_request_with_the_same_id_is_made_once(ctl, daemon):
    """Creations, registrations, updates: the same operation again."""
    words = ["--no-wait", "namespace", "create", "h", "--http", "--request-id", "one"]
    assert ctl(*words) == ctl(*words)
    (namespace,) = daemon.api.ok("ListNamespaces")["Namespaces"]
    assert daemon.api.namespace(namespace["Id"])["CreatorRequestId"] == "one"
    words = ["service", "create", "s", "--namespace", "h", "--request-id", "two"]
    assert ctl(*words) == ctl(*words)
    for words in (["instance", "register", "s", "i"],
                  ["namespace", "update", "h", "--description", "d"]):
        words = ["--no-wait", *words, "--request-id"]
        assert ctl(*words, "three") == ctl(*words, "three") != ctl(*words, "four")


def test_a_request_id_that_cannot_be_sent_is_an_error(ctl, daemon, recorder):
    """What is not UTF-8 is no member of a request, which is not made without it."""
    service = daemon.api.serve(daemon.api.http("h"), "s")
    for words in (["instance", "register", service, "i"], ["namespace", "create", "n", "--http"],
                  ["namespace", "update", "h", "--description", "d"],
                  ["service", "create", "t", "--namespace", "h"]):
        assert "UTF-8" in ctl(*words, "--request-id", "\udcff", expect=1)
    assert not [call for call, _ in recorder.calls if not call.startswith(("List", "Get"))]


def test_filters_of_namespaces(ctl, daemon):
    """Alternatives, beginnings, HTTP names, owners."""
    first, second = daemon.api.private("a.example"), daemon.api.public("a.example")
    third = daemon.api.http("b")
    hashed = daemon.api.namespace(second)["Properties"]["HttpProperties"]["HttpName"]

    def ids(*words):
        return [item["Id"] for item in ctl("namespace", "list", *words)["Namespaces"]]
    assert ids("--type", "HTTP", "--type", "DNS_PUBLIC") == [second, third]
    assert ids("--name", "a.example", "--name", "b") == [first, second, third]
    assert ids("--http-name", hashed) == [second]
    assert ids("--begins-with", "--name", "a.", "--type", "DNS_") == [first, second]
    assert ids("--begins-with", "--http-name", "a.example-") == [second]
    assert ids("--owner", "SELF") == [first, second, third]
    assert ids("--owner", "OTHER_ACCOUNTS") == []
    for words in (["--begins-with", "--name", "a", "--name", "b"], ["--owner", "ME"],
                  ["--http-name", "a", "--http-name", "b"]):
        assert "InvalidInput" in ctl("namespace", "list", *words, expect=1)
    for words in (["--begins-with"], ["--begins-with", "--owner", "SELF"]):
        assert "--begins-with" in ctl("namespace", "list", *words, expect=2)


def test_filters_of_services(ctl, daemon):
    """In either of two namespaces; owners."""
    made = [daemon.api.serve(daemon.api.http(name), "s") for name in ("a", "b", "c")]

    def ids(*words):
        return [item["Id"] for item in ctl("service", "list", *words)["Services"]]
    assert ids("--namespace", "a", "--namespace", "c") == [made[0], made[2]]
    assert ids("--owner", "SELF") == made and ids("--owner", "OTHER_ACCOUNTS") == []


def test_filters_of_operations(ctl, daemon):
    """By date: as gazctl prints it, as a number; and by several types."""
    daemon.api.http("a")
    daemon.api.done("DeleteNamespace", Id=daemon.api.http("b"))
    everything = [item["Id"] for item in daemon.api.ok("ListOperations")["Operations"]]
    last = daemon.api.operation(everything[0])
    shown = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "operation", "show", last["Id"]],
                    daemon.home).stdout
    date = re.search(r"^Updated +(.+)$", shown, re.M)[1]

    def ids(*words):
        return [item["Id"] for item in ctl("operation", "list", *words)["Operations"]]
    assert last["Id"] in ids("--since", date) and last["Id"] in ids("--until", date)
    assert last["Id"] in ids("--since", date, "--until", date)
    assert last["Id"] in ids("--since", date.replace(" ", "T"))
    assert ids("--until", "1970-01-02T00:00:00Z") == ids("--since", "2200-01-01T00:00:00Z") == []
    exact = f"{last['UpdateDate']:.3f}"
    assert last["Id"] in ids("--since", exact, "--until", exact.replace(".", ""))
    assert ids("--since", "0") == ids("--until", "2200-01-01T00:00:00Z") == everything
    assert len(ids("--type", "DELETE_NAMESPACE", "--type", "UPDATE_SERVICE")) == 1
    assert ids("--status", "SUBMITTED", "--status", "PENDING") == []
    for words in (["--since", "yesterday"], ["--until", "2026-01-31"], ["--since", "1" * 40]):
        assert words[0] in ctl("operation", "list", *words, expect=2)
    assert "InvalidInput" in ctl("operation", "list", "--since", "2", "--until", "1", expect=1)


def test_pages(ctl, daemon):
    """One page with --max, its token below the table and in the JSON."""
    service = daemon.api.serve(daemon.api.http("a"), "s")
    for name in ("i", "j", "k"):
        daemon.api.attach(service, name)

    def text(*words):
        return gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "instance", "list", "s", *words],
                       daemon.home).stdout.splitlines()
    head, first, second, last = text("--max", "2")
    assert [head.split()[0], first.split()[0], second.split()[0]] == ["ID", "i", "j"]
    token = re.fullmatch(r"there are more: --next-token (\S+)", last)[1]
    assert [line.split()[0] for line in text("--next-token", token)] == ["ID", "k"]
    assert len(text()) == 4
    page = ctl("instance", "list", "s", "--max", "2")
    assert len(page["Instances"]) == 2 and page["NextToken"] == token
    assert ctl("instance", "health", "s", "--max", "2", "--instance", "k")["Status"] == {
        "k": "UNKNOWN"}
    assert "InvalidInput" in ctl("instance", "list", "s", "--max", "101", expect=1)
    assert "InvalidInput" in ctl("instance", "list", "s", "--next-token", "x", expect=1)
    assert "--max" in ctl("instance", "list", "s", "--max", "two", expect=2)
    ctl("instance", "health", "s", "i", "HEALTHY", "--max", "1", expect=2)


def test_owners_of_what_is_asked_for(ctl, daemon):
    """An account that is not the daemon's has nothing."""
    service = daemon.api.serve(daemon.api.http("a"), "s")
    operation = daemon.api.attach(service, "i")["Id"]
    other = ["--owner", "999999999999"]
    assert "OperationNotFound" in ctl("operation", "show", operation, *other, expect=1)
    assert "NamespaceNotFound" in ctl("discover", "a", "s", *other, expect=1)
    assert "NamespaceNotFound" in ctl("discover", "a", "s", "--revision", *other, expect=1)


def test_threshold_of_a_custom_check(ctl):
    """Sent where it belongs; it is 1 whatever it was."""
    ctl("namespace", "create", "q.example", "--public")
    words = ["service", "create", "a", "--namespace", "q.example", "--type", "HTTP",
             "--failure-threshold", "4"]
    assert "--failure-threshold" in ctl(*words, expect=2)
    made = ctl(*words, "--custom-health")["Service"]
    assert made["HealthCheckCustomConfig"] == {"FailureThreshold": 1}
    assert "HealthCheckConfig" not in made
    assert "InvalidInput" in ctl(*words, "--custom-health", "--health-check", "TCP", expect=1)
