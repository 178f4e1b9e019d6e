# SPDX-License-Identifier: BSD-2-Clause
"""The API by name: our DNS is the machine's only one, and SDKs, none of which is told
anything about their "data-" prefix, find the API through it."""

import json
import os
import sys

import pytest

import gaz
import js_sdk
import netns

DNS = "127.0.53.1"
NAME = "cloudmap.internal"
KEYS = {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x",
        "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
BOTO = """
import boto3, json, sys
client = boto3.client("servicediscovery", **json.loads(sys.argv[1]))
found = client.discover_instances(NamespaceName="dev.example", ServiceName="web")
client.list_namespaces()
print(*(i["InstanceId"] for i in found["Instances"]))
"""
JS = """
import { createRequire } from "node:module";
const sdk = createRequire(process.argv[2] + "/package.json")(
  "@aws-sdk/client-servicediscovery");
const client = new sdk.ServiceDiscoveryClient(JSON.parse(process.argv[3]));
const found = await client.send(new sdk.DiscoverInstancesCommand(
  { NamespaceName: "dev.example", ServiceName: "web" }));
await client.send(new sdk.ListNamespacesCommand({}));
console.log(found.Instances.map((i) => i.InstanceId).join(" "));
"""


@pytest.fixture
def machine():
    """A machine whose resolv.conf names only gazetteerd."""
    with netns.machines(1) as (made,):
        made.resolv_conf(f"nameserver {DNS}\n")
        yield made


@pytest.fixture
def named(machine, home):
    """gazetteerd on it, with one instance to discover."""
    daemon = machine.daemon(
        home, "--api-name", NAME, "--aws-names", "us-east-1,cn-north-1",
        listen=[f"{DNS}:53"], api=[f"{DNS}:8053", f"{DNS}:80"]).start()
    try:
        service = daemon.api.service(daemon.api.public("dev.example"), "web")
        daemon.api.register(service, "web-1", "10.0.0.1")
        yield daemon
    finally:
        daemon.finish()


def run(machine, daemon, *command):
    return gaz.run([*machine.prefix, *command], daemon.home, **KEYS).stdout.strip()


@pytest.mark.parametrize("options", [
    {"endpoint_url": f"http://{NAME}:8053"},
    {"endpoint_url": "http://servicediscovery.us-east-1.amazonaws.com:8053"},
    {"use_ssl": False},  # AWS's own endpoint, but for the encryption
    {"use_ssl": False, "region_name": "cn-north-1"}])
def test_boto3(machine, named, options):
    """Both calls with the prefix and one without."""
    if "region_name" in options:  # another region has other namespaces
        west = named.api.at(region="cn-north-1")
        west.register(west.service(west.public("dev.example"), "web"), "web-1", "10.0.0.1")
    assert run(machine, named, sys.executable, "-c", BOTO,
               json.dumps(options)) == "web-1"


def test_aws_cli(machine, named):
    """The version of Debian, which cannot turn the prefix off."""
    found = run(machine, named, "aws", "--endpoint-url", f"http://{NAME}:8053", "--output",
                "json", "servicediscovery", "discover-instances", "--namespace-name",
                "dev.example", "--service-name", "web")
    assert [i["InstanceId"] for i in json.loads(found)["Instances"]] == ["web-1"]


@pytest.mark.parametrize("options", [
    {"endpoint": f"http://{NAME}:8053"},
    {"endpoint": "http://servicediscovery.us-east-1.amazonaws.com"}])
def test_javascript_sdk(machine, named, options):
    """The version of npm, with our name and with AWS's own."""
    where = js_sdk.install(os.environ.get("GAZ_JS", gaz.BUILD / "js"))
    assert run(machine, named, js_sdk.NODE, "--input-type=module", "-e", JS, "x", where,
               json.dumps({"region": "us-east-1", **options})) == "web-1"


def answers(daemon, name, rdtype="A"):
    reply = daemon.ask(name, rdtype)
    return gaz.rcode(reply), sorted(gaz.addresses(reply))


def test_addresses(start):
    """Those that are given, else those of the API; of both families; nothing beside."""
    daemon = start("--api-name", f"api.test=192.0.2.1,2001:db8::1,192.0.2.2",
                   "--api-name", "Plain.Test.", "--aws-names", "eu-west-1")
    for name in ("api.test", "data-api.test", "DATA-API.test"):
        assert answers(daemon, name) == ("NOERROR", ["192.0.2.1", "192.0.2.2"])
        assert answers(daemon, name, "AAAA") == ("NOERROR", ["2001:db8::1"])
    for name in ("plain.test", "data-plain.test",
                 "data-servicediscovery.eu-west-1.amazonaws.com",
                 "servicediscovery.eu-west-1.amazonaws.com"):
        assert answers(daemon, name) == ("NOERROR", ["127.0.0.1"])
        assert answers(daemon, name, "AAAA") == ("NOERROR", [])
        assert answers(daemon, f"x.{name}")[0] == "NXDOMAIN"
    for name in ("test", "amazonaws.com", "servicediscovery.us-east-1.amazonaws.com",
                 "eu-west-1.amazonaws.com"):
        assert answers(daemon, name)[0] == "REFUSED"
    zones = daemon.unix_api.ok("Gazetteer.ListZones")["Zones"]
    assert {zone["Source"] for zone in zones} == {"options"} and len(zones) == 6


@pytest.mark.parametrize("args,word", [
    (["--api-name", "bad..name"], "domain name"),
    (["--api-name", "x" * 60 + ".test"], "domain name"),
    (["--api-name", ""], "domain name"),  # such as of a variable that is not set
    (["--api-name", "."], "domain name"),
    (["--api-name", "=127.0.0.1"], "domain name"),
    (["--api-name", "a.test=somewhere"], "addresses"),
    (["--aws-names", "eu west"], "region"),
    (["--api-name", "a.test", "--api", "0.0.0.0:0", "--listen", "127.0.0.1:0"], "a.test=ADDR"),
    (["--api-name", "a.test", "--api", "none", "--listen", "127.0.0.1:0"], "a.test=ADDR"),
])
def test_what_cannot_be_answered_is_said_at_the_start(home, args, word):
    """With what to do about it."""
    assert word in gaz.refused_start(home, "--ephemeral", "--socket", f"{home}/s", *args)
