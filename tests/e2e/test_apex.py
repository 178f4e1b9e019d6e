# SPDX-License-Identifier: BSD-2-Clause
"""SOA and NS of namespaces, where they are configured: values, default TTL, serial."""

import json
import threading

import pytest

import gaz
from gaz import VPC_A

SERVERS = ["--ns", "ns1.cloud.test", "--ns", "NS2.cloud.test."]
SOA = ["--soa", "main.cloud.test. host\\.master.cloud.test 1 2 3 4"]
COUNTING = ["--soa-serial", "counting"]


def soa(daemon, name="a.example", rdtype="SOA"):
    """The SOA of an answer, or of a negative one."""
    reply = daemon.ask(name, rdtype)
    (rrset,) = reply.answer or reply.authority
    return rrset


def serial(daemon, name="a.example"):
    return soa(daemon, name)[0].serial


def is_later(new, old):
    """RFC 1982."""
    return 0 < (new - old) % 2**32 < 2**31


def servers(daemon, name):
    return sorted(gaz.texts(daemon.ask(name, "NS")))


@pytest.mark.parametrize("kind", ["private", "public"])
def test_configured_names_replace_route_53s(start, kind):
    """The NS records, the SOA, and the SOA of negative answers."""
    daemon = start(*gaz.VPC_OPTIONS, *SERVERS, *SOA)
    getattr(daemon.api, kind)("a.example", ttl=60)
    assert soa(daemon)[0].to_text() == "main.cloud.test. host\\.master.cloud.test. 1 1 2 3 4"
    assert soa(daemon).ttl == 60
    negative = soa(daemon, "nosuch.a.example", "A")
    assert negative[0] == soa(daemon)[0]
    assert negative.ttl == 4  # RFC 2308: MINIMUM caps it
    assert servers(daemon, "a.example") == ["NS2.cloud.test.", "ns1.cloud.test."]
    assert daemon.ask("a.example", "NS").answer[0].ttl == 172800


def test_first_name_server_is_the_mname(start):
    """With --ns alone; the rest is Route 53's."""
    daemon = start(*gaz.VPC_OPTIONS, *SERVERS)
    daemon.api.private("a.example")
    rest = gaz.SOA_RDATA.split(" ", 1)[1]
    assert soa(daemon)[0].to_text() == f"ns1.cloud.test. {rest}"


def test_soa_alone_leaves_the_name_servers(start):
    """MNAME and RNAME suffice: the figures and the NS records stay Route 53's."""
    daemon = start(*gaz.VPC_OPTIONS, "--soa", "m.test r.test")
    daemon.api.private("a.example")
    assert soa(daemon)[0].to_text() == "m.test. r.test. 1 7200 900 1209600 86400"
    assert set(servers(daemon, "a.example")) == gaz.PRIVATE_NS


def test_new_values_count_after_a_restart(daemon):
    """For namespaces that are there already, in both directions."""
    daemon.api.private("a.example", ttl=60)
    assert soa(daemon)[0].to_text() == gaz.SOA_RDATA
    daemon.options += [*SERVERS, *SOA]
    daemon.restart()
    assert soa(daemon)[0].mname.to_text() == "main.cloud.test."
    assert soa(daemon, "x.a.example").ttl == 4
    assert servers(daemon, "a.example") == ["NS2.cloud.test.", "ns1.cloud.test."]
    del daemon.options[-len(SERVERS + SOA):]
    daemon.restart(kill=True)
    assert soa(daemon)[0].to_text() == gaz.SOA_RDATA
    assert set(servers(daemon, "a.example")) == gaz.PRIVATE_NS


def test_config_file_has_them_all(start, home):
    """Members of the same names; the numbers may be numbers."""
    path = f"{home}/gaz.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"ns": ["n.test", "o.test"], "soa": "m.test r.test 5", "soa-ttl": 77,
                   "soa-serial": "counting", "discover-health": "HEALTHY_OR_ELSE_ALL",
                   "ec2": ["i-1=10.1.2.3"], "rate": ["other=1000"],
                   "quota": ["tags-per-resource=1"]}, file)
    daemon = start("--config", path)
    namespace = daemon.api.public("a.example")
    assert soa(daemon)[0].to_text() == "m.test. r.test. 1 5 900 1209600 86400"
    assert soa(daemon).ttl == 77
    assert servers(daemon, "a.example") == ["n.test.", "o.test."]
    daemon.api.register(daemon.api.service(namespace, "s"), "i", "10.0.0.1")
    assert serial(daemon) == 2


def shown_ttl(api, namespace):
    return api.namespace(namespace)["Properties"]["DnsProperties"]["SOA"]["TTL"]


def test_default_ttl_is_of_creates_without_properties(start):
    """Echoed, served, and kept when the default changes later."""
    daemon = start(*gaz.VPC_OPTIONS, "--soa-ttl", "900")
    plain = daemon.api.private("a.example", CreatorRequestId="token")
    given = daemon.api.public("b.example", ttl=7)
    for _ in range(2):
        assert (shown_ttl(daemon.api, plain), soa(daemon).ttl) == (900, 900)
        assert (shown_ttl(daemon.api, given), soa(daemon, "b.example").ttl) == (7, 7)
        daemon.options[-1] = "0"
        daemon.restart()
    retried = daemon.api.ok("CreatePrivateDnsNamespace", Name="a.example", Vpc=VPC_A,
                            CreatorRequestId="token")
    assert daemon.api.wait(retried["OperationId"])["Targets"]["NAMESPACE"] == plain
    zero = daemon.api.public("c.example")
    assert (shown_ttl(daemon.api, zero), soa(daemon, "x.c.example").ttl) == (0, 0)


@pytest.mark.parametrize("options, words", [
    (["--ns", ""], ["--ns", "domain name"]), (["--ns", "."], ["--ns"]),
    (["--ns", "a..b"], ["a..b"]), (["--ns", "x" * 64], ["--ns"]),
    (["--ns", "a.test", "--ns", "a.test"], ["twice"]),
    ([word for number in range(17) for word in ("--ns", f"n{number}.test")], ["16"]),
    (["--soa", "m.test"], ["MNAME RNAME"]), (["--soa", ""], ["MNAME RNAME"]),
    (["--soa", "m.test r.test 1 2 3 4 5"], ["MNAME RNAME", "--soa-serial"]),
    (["--soa", "m.test me@r.test"], ["dot", "me@r.test"]),
    (["--soa", "m..test r.test"], ["m..test"]),
    (["--soa", "m.test r.test x"], ["--soa", "'x'"]),
    (["--soa", "m.test r.test 1 2147483648"], ["2147483647"]),
    (["--soa-ttl", "-1"], ["--soa-ttl"]), (["--soa-ttl", "2147483648"], ["--soa-ttl"]),
    (["--soa-serial", "date"], ["fixed", "counting"])])
def test_bad_values_are_named(home, options, words):
    """The daemon does not start, and says what is wrong."""
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                             "--socket", f"{home}/s.sock", "--ephemeral", *options)
    assert [word for word in words if word not in text] == []


def test_fixed_serial_is_one_for_ever(daemon):
    """As on AWS."""
    namespace = daemon.api.private("a.example")
    service = daemon.api.service(namespace, "s")
    daemon.api.register(service, "i", "10.0.0.1")
    daemon.api.deregister(service, "i")
    assert serial(daemon) == 1


def changes(api, namespace, service):
    """What changes the records of the zone, one after the other."""
    def config(ttl):
        return {"DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": ttl}]}}

    yield lambda: api.register(service, "i", "10.0.0.1")
    yield lambda: api.register(service, "j", "10.0.0.2")
    yield lambda: api.register(service, "i", "10.0.0.3")
    yield lambda: api.done("UpdateService", Id=service, Service=config(7))
    yield lambda: api.done("UpdateService", Id=service, Service={})
    yield lambda: api.done("UpdateService", Id=service, Service=config(8))
    yield lambda: api.done("UpdatePrivateDnsNamespace", Id=namespace, Namespace={
        "Properties": {"DnsProperties": {"SOA": {"TTL": 99}}}})
    yield lambda: api.deregister(service, "i")


def test_counting_serial_follows_every_change(start):
    """Greater at the reply, in answers and in negative ones, and after a crash."""
    daemon = start(*gaz.VPC_OPTIONS, *COUNTING)
    api = daemon.api
    namespace, other = api.private("a.example"), api.private("b.example")
    service = api.service(namespace, "s", HealthCheckCustomConfig={})
    before = serial(daemon)
    assert before == 1
    for change in changes(api, namespace, service):
        change()
        after = serial(daemon)
        assert is_later(after, before)
        assert soa(daemon, "x.a.example", "A")[0].serial == after
        before = after
    assert serial(daemon, "b.example") == 1
    daemon.restart(kill=True)
    assert serial(daemon) == before
    daemon.api.deregister(service, "j")
    assert is_later(serial(daemon), before)
    assert soa(daemon).ttl == 99
    assert daemon.api.namespace(other)["ServiceCount"] == 0


def test_counting_serial_ignores_the_rest(start):
    """Health, descriptions, tags, services without records, refused and failed calls."""
    daemon = start(*gaz.VPC_OPTIONS, *COUNTING)
    api = daemon.api
    namespace = api.private("a.example")
    service = api.service(namespace, "s", HealthCheckCustomConfig={})
    plain = api.serve(namespace, "h", Type="HTTP")
    alias = api.serve(namespace, "x.t", "CNAME", policy="WEIGHTED")
    target = api.serve(namespace, "t", "SRV")
    api.register(service, "i", "10.0.0.1")
    api.attach(alias, "c", AWS_INSTANCE_CNAME="d.example")
    before = serial(daemon)
    api.set_health(service, "i", "UNHEALTHY")
    api.attach(plain, "p", AWS_INSTANCE_IPV4="10.0.0.9")
    api.deregister(plain, "p")
    api.done("UpdatePrivateDnsNamespace", Id=namespace, Namespace={"Description": "d"})
    api.done("UpdateService", Id=service, Service={
        "Description": "d", "DnsConfig": {"DnsRecords": [{"Type": "A", "TTL": 60}]}})
    api.ok("UpdateServiceAttributes", ServiceId=service, Attributes={"k": "v"})
    api.ok("TagResource", ResourceARN=api.namespace(namespace)["Arn"],
           Tags=[{"Key": "k", "Value": "v"}])
    api.fails("InvalidInput", "RegisterInstance", ServiceId=service, InstanceId="k",
              Attributes={})
    api.failed("RegisterInstance", ServiceId=target, InstanceId="x",
               Attributes={"AWS_INSTANCE_PORT": "1", "AWS_INSTANCE_IPV4": "10.0.0.2"})
    assert serial(daemon) == before


def test_serial_goes_on_where_counting_begins_later(daemon):
    """Changes made under the fixed policy count, so that it never goes back."""
    service = daemon.api.service(daemon.api.private("a.example"), "s")
    daemon.api.register(service, "i", "10.0.0.1")
    daemon.api.deregister(service, "i")
    daemon.options += COUNTING
    daemon.restart()
    assert serial(daemon) == 3
    del daemon.options[-2:]
    daemon.restart()
    assert serial(daemon) == 1


def test_serial_is_greater_at_every_reply_of_a_crowd(start):
    """Changes that share a commit: none may be answered with the old serial."""
    daemon = start(*gaz.VPC_OPTIONS, *COUNTING)
    service = daemon.api.service(daemon.api.private("a.example"), "s")
    crowd = gaz.Crowd()
    ready = threading.Barrier(6)

    def work(number):
        conn = daemon.api.connect()
        ready.wait(gaz.PATIENCE)
        for turn in range(20):
            before = serial(daemon)
            daemon.api.ok("RegisterInstance", conn=conn, ServiceId=service,
                          InstanceId=f"i{number}-{turn}",
                          Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
            assert is_later(serial(daemon), before)
        conn.close()

    for number in range(6):
        crowd.add(work, number)
    crowd.join()
    last = serial(daemon)
    daemon.restart(kill=True)
    assert serial(daemon) == last == 121
