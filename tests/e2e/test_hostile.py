# SPDX-License-Identifier: BSD-2-Clause
"""gazctl and a server that means the user of the terminal ill.

Whatever text of a reply is shown, no control character of it reaches the terminal: not those
below the space, not DELETE, and not those of ISO 6429's second set (U+0080 to U+009F), one of
which, CSI, does alone what ESC and "[" do.
"""

import itertools
import json
import os
import re
import subprocess

import pytest

import gaz

# Line ends are gazctl's own; a hostile one is found by its neighbours.
CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f]")


def bad(word):
    """A text with control characters of all three kinds."""
    return f"\x1b[31m\n\x9b1m\x7f{word}"


def shown(word):
    """How people see it."""
    return f"?[31m??1m?{word}"


def escaped(word):
    """How programs see it."""
    return f"\\u001B[31m\\n\\u009B1m\\u007F{word}"


class Liar(gaz.FakeApi):
    """Answers each operation with what `replies` has for it: a status and an object, or
    octets as they are, or a function that gives an object."""

    def __init__(self):
        self.replies = {}
        super().__init__(self.answer)

    def answer(self, target, _):
        reply = self.replies[target.split(".")[1]]
        status, body = reply if isinstance(reply, tuple) else (200, reply)
        body = body() if callable(body) else body
        if not isinstance(body, bytes):
            # As it stands, where JSON allows that.
            body = json.dumps(body, ensure_ascii=False).encode()
        return status, body


@pytest.fixture
def liar():
    found = Liar()
    yield found
    found.close()


@pytest.fixture
def ctl(home, liar):
    """Run gazctl; gives what a terminal would have got."""
    def call(*words, expect=0):
        done = gaz.run([gaz.GAZCTL, "--api", liar.url, *words], home, expect)
        text = done.stdout + done.stderr
        assert not CONTROL.search(text), repr(text)
        return text
    return call


STARTED = {"OperationId": bad("operation")}
ENDED = {"Operation": {"Id": "o", "Status": "SUCCESS", "Targets": {"NAMESPACE": bad("target")}}}


@pytest.mark.parametrize("status", [400, 500])
def test_errors_of_the_api(liar, ctl, status):
    """The code, the message, and the other members with their names."""
    liar.replies["ListNamespaces"] = status, {
        "__type": bad("code"), "message": bad("message"), bad("key"): bad("value"),
        bad("second"): bad("last"), "number": 1}
    for words in (["namespace", "show", "x"], ["--json", "namespace", "show", "x"],
                  ["call", "ListNamespaces"]):
        text = ctl(*words, expect=1)
        assert f"gazctl: {shown('code')}: {shown('message')} (" in text
        assert f"{shown('key')}={shown('value')}" in text
        assert f"{shown('second')}={shown('last')}" in text


def test_errors_instead_of_a_file(liar, ctl, home):
    liar.replies["Backup"] = 400, {"__type": bad("code"), "message": bad("message")}
    text = ctl("backup", os.path.join(home, "copy"), expect=1)
    assert shown("code") in text and shown("message") in text


def test_id_of_an_operation(liar, ctl):
    """Of one that has been started, and of one that does not end."""
    liar.replies.update(DeleteNamespace=STARTED, GetOperation={"Operation": {"Id": "o"}})
    words = ["namespace", "delete", "ns-aaaaaaaaaaaaaaaa"]
    assert ctl("--no-wait", *words) == f"started operation {shown('operation')}\n"
    assert f"show {shown('operation')}\n" in ctl("--timeout", "1", *words, expect=1)


def test_operation_that_failed(liar, ctl):
    liar.replies.update(DeleteNamespace=STARTED, GetOperation={"Operation": {
        "Status": "FAIL", "Type": bad("type"), "ErrorCode": bad("code"),
        "ErrorMessage": bad("message")}})
    text = ctl("namespace", "delete", "ns-aaaaaaaaaaaaaaaa", expect=1)
    assert f"{shown('type')} failed: {shown('code')}: {shown('message')}\n" in text


def test_id_of_what_was_deleted(liar, ctl):
    """It is the server's where the user gave a name."""
    liar.replies.update(
        ListNamespaces={"Namespaces": [{"Id": bad("ns"), "Name": "x"}]}, DeleteNamespace=STARTED,
        ListServices={"Services": [{"Id": bad("srv"), "Name": "x"}]}, DeleteService={},
        GetOperation=ENDED)
    assert ctl("namespace", "delete", "x") == f"deleted {shown('ns')}\n"
    assert ctl("service", "delete", "x") == f"deleted {shown('srv')}\n"


def test_ids_of_which_one_is_to_be_named(liar, ctl):
    liar.replies["ListNamespaces"] = {"Namespaces": [{"Id": bad("a")}, {"Id": bad("b")}]}
    assert f"{shown('a')}, {shown('b')}\n" in ctl("namespace", "show", "x", expect=1)


@pytest.mark.parametrize("operation, member, words", [
    ("ListNamespaces", "Namespaces", ["namespace", "list"]),
    ("ListServices", "Services", ["service", "list"]),
    ("ListOperations", "Operations", ["operation", "list"]),
    ("ListInstances", "Instances", ["instance", "list", "srv-aaaaaaaaaaaaaaaa"])])
def test_token_of_the_next_page(liar, ctl, operation, member, words):
    liar.replies[operation] = {member: [{"Id": bad("id")}], "NextToken": bad("token")}
    text = ctl(*words, "--max", "1")
    assert f"\nthere are more: --next-token {shown('token')}\n" in text
    assert shown("id") in text


def test_token_of_the_next_page_of_healths(liar, ctl):
    liar.replies["GetInstancesHealthStatus"] = {
        "Status": {bad("id"): bad("status")}, "NextToken": bad("token")}
    text = ctl("instance", "health", "srv-aaaaaaaaaaaaaaaa", "--max", "1")
    for word in ("id", "status", "token"):
        assert shown(word) in text


def test_every_text_of_an_explanation(liar, ctl):
    zone = {"Name": "zone", "Type": "kind", "Id": "zone-id", "VpcId": "zone-vpc"}
    other = {member: f"other-{word}" for member, word in zone.items()}
    explanation = {
        "Name": "name", "Type": "type", "Owner": "owner", "Match": "EXACT", "Cname": "cname",
        "Source": {"Address": "address", "Listener": "listener", "Rule": "PREFIX",
                   "Prefix": "prefix", "VpcIds": ["vpc-1", "vpc-2"]},
        "Zone": zone, "OtherZones": [other, other],
        "Service": {"Name": "service", "Id": "service-id", "RoutingPolicy": "policy"},
        "Instances": [{"Id": "instance", "HealthStatus": "health", "Data": "data"}],
        "Reply": {"Rcode": "rcode", "Answer": ["answer-1", "answer-2"],
                  "Authority": ["authority"], "Additional": ["additional"]}}
    words = set()

    def spoil(value):
        if isinstance(value, dict):
            return {key: spoil(item) for key, item in value.items()}
        if isinstance(value, list):
            return [spoil(item) for item in value]
        if value.isupper():  # it has a meaning
            return value
        words.add(value)
        return bad(value)

    liar.replies["ExplainAnswer"] = {"Explanation": spoil(explanation)}
    text = ctl("explain", "x")
    assert len(words) > 20
    assert {word for word in words if shown(word) not in text} == set(), text


def test_json_is_escaped_and_the_same(liar, home, ctl):
    """What JSON could leave as it is (DELETE, U+009B) is escaped on the way out."""
    reply = {"Namespaces": [{"Id": bad("id"), "Name": "\u00e4\u20ac\U0001f600\u00a0"}],
             bad("key"): bad("value")}
    liar.replies["ListNamespaces"] = reply
    text = ctl("call", "ListNamespaces")
    assert json.loads(text) == reply
    for word in ("id", "key", "value"):
        assert escaped(word) in text
    assert reply["Namespaces"][0]["Name"] in text


def test_json_of_changes(liar, ctl):
    """One line for each."""
    service = "srv-aaaaaaaaaaaaaaaa"
    number = itertools.count()

    def instances():
        return {"Instances": [{"Id": bad(f"i{next(number)}"), "Attributes": {}}]}

    liar.replies.update(
        GetService={"Service": {"Name": "s", "NamespaceId": "ns", "HealthCheckCustomConfig": {}}},
        GetNamespace={"Namespace": {"Properties": {"HttpProperties": {"HttpName": "h"}}}},
        DiscoverInstancesRevision={"InstancesRevision": 1},
        ListInstances=instances,
        GetInstancesHealthStatus={"Status": {bad(f"i{i}"): bad("health") for i in range(9)}})
    lines = ctl("--json", "watch", service, "--count", "2").splitlines()
    assert [json.loads(line)["Change"] for line in lines] == ["present", "removed", "added"]
    assert escaped("i0") in lines[0] and escaped("health") in lines[0]
    number = itertools.count()
    lines = ctl("watch", service, "--count", "1").splitlines()
    assert shown("i0") in lines[0] and shown("health") in lines[0]


ZONE = bad("zone").encode() + b"\tIN\tTXT\n; \xc2\x9b \x00\x9b\nend"


def test_zone_on_a_terminal(liar, home):
    """A zone's lines and tabs, and nothing else that moves the cursor."""
    liar.replies["ExportZone"] = ZONE
    command = [str(gaz.GAZCTL), "--api", liar.url, "zone", "export", "x"]
    master, slave = os.openpty()
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=slave,
                          stderr=subprocess.PIPE, env=gaz.clean_env(home), check=False,
                          timeout=gaz.PATIENCE)
    os.close(slave)
    got = b""
    try:
        while part := os.read(master, 65536):
            got += part
    except OSError:  # the end, on Linux
        pass
    os.close(master)
    assert done.returncode == 0 and done.stderr == b""
    assert got.replace(b"\r\n", b"\n").expandtabs() == \
        b"?[31m\n??1m?zone\tIN\tTXT\n; ?? ??\nend".expandtabs()


def test_zone_in_a_file_is_what_came(liar, home):
    liar.replies["ExportZone"] = ZONE
    path = os.path.join(home, "zone")
    with open(path, "wb") as file:
        subprocess.run([str(gaz.GAZCTL), "--api", liar.url, "zone", "export", "x"], stdout=file,
                       env=gaz.clean_env(home), check=True, timeout=gaz.PATIENCE)
    with open(path, "rb") as file:
        assert file.read() == ZONE
