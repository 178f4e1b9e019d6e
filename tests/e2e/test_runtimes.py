# SPDX-License-Identifier: BSD-2-Clause
"""What the C library and Node.js make of our answers: the page doc/host says so."""

import json
import subprocess

import pytest

import gaz
import netns

# Asks, waits for a line, asks again.
NODE_LOOKUP = """
const dns = require("dns");
const ask = () => dns.%s("web.dev.internal", (error, found) =>
    console.log(JSON.stringify(error ? error.code : found)));
ask();
process.stdin.once("data", () => { ask(); process.stdin.unref(); });
"""
PYTHON_LOOKUP = """
import json, socket, sys
for _ in range(2):
    found = socket.getaddrinfo("web.dev.internal", None, type=socket.SOCK_STREAM)
    print(json.dumps(found[0][4][0]), flush=True)
    sys.stdin.readline()
"""


@pytest.fixture
def machine(home):
    """A machine whose resolv.conf names gazetteerd alone; run(command) is a process."""
    with netns.machines(1) as (made,):
        daemon = made.daemon(f"{home}", listen=("127.0.53.1:53",))
        daemon.start()
        namespace = daemon.api.private("dev.internal", "vpc-dev")
        daemon.web = daemon.api.service(namespace, "web", ttl=0)
        daemon.api.register(daemon.web, "i", "10.0.0.1")
        with open(f"{home}/resolv.conf", "w", encoding="ascii") as file:
            file.write("nameserver 127.0.53.1\n")
        script = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'
        daemon.prefix = [*made.prefix, "unshare", "-m", "sh", "-e", "-c", script, "sh",
                         f"{home}/resolv.conf"]
        try:
            yield daemon
        finally:
            daemon.finish()


@pytest.mark.parametrize("command, first, second", [
    (["node", "-e", NODE_LOOKUP % "lookup"], "10.0.0.1", "10.0.0.2"),
    (["node", "-e", NODE_LOOKUP % "resolve4"], ["10.0.0.1"], ["10.0.0.2"]),
    (["/usr/bin/python3", "-c", PYTHON_LOOKUP], "10.0.0.1", "10.0.0.2")],
    ids=["lookup", "resolve4", "getaddrinfo"])
def test_a_change_shows_at_once(machine, home, command, first, second):
    """In one process, with TTL 0."""
    process = subprocess.Popen([*machine.prefix, *command], env=gaz.clean_env(home), cwd=home,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        assert json.loads(process.stdout.readline()) == first
        machine.api.register(machine.web, "i", "10.0.0.2")
        process.stdin.write("again\n")
        process.stdin.flush()
        assert json.loads(process.stdout.readline()) == second
    finally:
        process.communicate(timeout=gaz.PATIENCE)


@pytest.mark.parametrize("call, code", [
    ('resolve4("missing.dev.internal"', "ENOTFOUND"), ('resolve6("web.dev.internal"', "ENODATA"),
    ('lookup("missing.dev.internal"', "ENOTFOUND"),
    ('lookup("web.dev.internal", {family: 6}', "ENOTFOUND")])
def test_node_tells_what_is_missing(machine, home, call, code):
    """No such name, or no record of that type."""
    script = f'require("dns").{call}, (error) => console.log(error.code))'
    done = gaz.run([*machine.prefix, "node", "-e", script], home)
    assert done.stdout == f"{code}\n"


def test_node_asks_another_port(home, start):
    """With setServers, for addresses and services."""
    daemon = start()
    namespace = daemon.api.public("dev.example")
    service = daemon.api.serve(namespace, "db", "SRV")
    daemon.api.register(service, "i", "10.0.0.9", AWS_INSTANCE_PORT="5432")
    script = """const resolver = new (require("dns").Resolver)();
resolver.setServers(["127.0.0.1:%d"]);
resolver.resolveSrv("db.dev.example", (error, found) => {
    resolver.resolve4(found[0].name, (wrong, addresses) =>
        console.log(JSON.stringify([found[0].port, addresses])));
});""" % daemon.dns[0][1]
    assert json.loads(gaz.run(["node", "-e", script], home).stdout) == [5432, ["10.0.0.9"]]
