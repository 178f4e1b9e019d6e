# SPDX-License-Identifier: BSD-2-Clause
"""Aliases (AWS_ALIAS_DNS_NAME): targets in our zones, the static table, and the upstream
resolver, which the tests run themselves."""

import json
import os
import resource
import socket
import threading

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
import pytest

import gaz
from gaz import IN_A, IN_B, VPC_A, VPC_B

ALIAS, IPV4, CNAME = "AWS_ALIAS_DNS_NAME", "AWS_INSTANCE_IPV4", "AWS_INSTANCE_CNAME"
HOST = "lb-1.elb.amazonaws.com"


class Upstream:
    """A resolver on loopback. `answers` maps (name, type) to lists of lines as in a zone
    file, or to a function that makes the reply (None: no reply) of the query."""

    def __init__(self):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.bind(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.sock.getsockname()[1]
        self.answers, self.asked, self.speaks = {}, [], True
        self.thread = threading.Thread(target=self._serve)
        self.thread.start()

    def give(self, name, rdtype, *addresses, ttl=60):
        self.answers[name, rdtype] = [f"{name}. {ttl} IN {rdtype} {text}" for text in addresses]

    def _serve(self):
        while True:
            wire, peer = self.sock.recvfrom(4096)
            if not wire:
                return
            query = dns.message.from_wire(wire)
            question = query.question[0]
            key = (question.name.to_text(omit_final_dot=True).lower(),
                   dns.rdatatype.to_text(question.rdtype))
            self.asked.append(key)
            reply = self._reply(query, self.answers.get(key))
            if self.speaks and reply is not None:
                self.sock.sendto(reply, peer)

    @staticmethod
    def _reply(query, answer):
        if callable(answer):
            return answer(query)
        reply = dns.message.make_response(query)
        if answer is None:
            reply.set_rcode(dns.rcode.NXDOMAIN)
        for line in answer or []:
            owner, ttl, _, rdtype, rdata = line.split()
            reply.answer.append(dns.rrset.from_text(owner, int(ttl), "IN", rdtype, rdata))
        return reply.to_wire()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", self.sock.getsockname())
        self.thread.join()
        self.sock.close()


@pytest.fixture
def upstream():
    server = Upstream()
    yield server
    server.close()
    ours = [name for name, _ in server.asked if not name.endswith((".amazonaws.com", ".test"))]
    assert not ours  # it was asked for nothing but hosts of aliases


@pytest.fixture
def asking(start, upstream):
    """A daemon with that resolver."""
    return start(*gaz.VPC_OPTIONS, "--alias-upstream", upstream.address)


def weighted(daemon, namespace, name, *attributes, types=("A",)):
    """A weighted service with an instance for each of these sets of attributes."""
    service = daemon.api.serve(namespace, name, *types, policy="WEIGHTED")
    for number, each in enumerate(attributes):
        daemon.api.attach(service, f"i{number}", **each)
    return service


def answer(daemon, name, rdtype="A", **how):
    """Addresses and TTL of an answer that shows no CNAME; NODATA is ([], None)."""
    reply = daemon.ask(name, rdtype, **how)
    assert gaz.rcode(reply) == "NOERROR"
    ttls = gaz.answer_ttls(reply)
    assert set(ttls) <= {rdtype}
    if not ttls:
        assert [dns.rdatatype.to_text(rrset.rdtype) for rrset in reply.authority] == ["SOA"]
    return gaz.texts(reply), ttls.get(rdtype)


def soon(daemon, name, want, rdtype="A", **how):
    """Wait until that is answered."""
    gaz.until(f"{want} at {name}", lambda: answer(daemon, name, rdtype, **how) == want)


NODATA = ([], None)


# ---- in our zones ----

def test_alias_follows_services_and_static_names(start, tmp_path):
    """CNAME services, CNAMEs of zone files, and aliases of aliases; the smallest TTL counts."""
    os.mkdir(tmp_path / "zones")
    (tmp_path / "zones/st.test.zone").write_text(
        "$TTL 300\n@ IN SOA ns h 7 3600 900 604800 60\n@ IN NS ns.example.net.\n"
        "www 40 IN CNAME web.x.test.\n", encoding="ascii")
    daemon = start("--zones", str(tmp_path / "zones"))
    api, public = daemon.api, daemon.api.public("x.test")
    web = api.serve(public, "web", ("A", 50), policy="MULTIVALUE",
                    HealthCheckCustomConfig={})
    api.attach(web, "one", **{IPV4: "10.0.0.1"})
    api.attach(web, "two", **{IPV4: "10.0.0.2"})
    api.attach(api.serve(public, "c", ("CNAME", 30), policy="WEIGHTED"), "i",
               **{CNAME: "www.st.test"})
    weighted(daemon, public, "direct", {ALIAS: "WEB.X.test."})
    weighted(daemon, public, "static", {ALIAS: "www.st.test"})
    weighted(daemon, public, "service", {ALIAS: "c.x.test"})
    weighted(daemon, public, "far", {ALIAS: "service.x.test"})
    both = ["10.0.0.1", "10.0.0.2"]
    assert answer(daemon, "direct.x.test") == (both, 50)
    assert answer(daemon, "static.x.test") == (both, 40)
    assert answer(daemon, "service.x.test") == (both, 30)
    assert answer(daemon, "far.x.test") == (both, 30)
    api.set_health(web, "one", "UNHEALTHY")
    assert answer(daemon, "far.x.test") == (["10.0.0.2"], 30)
    daemon.restart(kill=True)
    assert answer(daemon, "far.x.test")[1] == 30


def test_alias_loops_are_nodata(start):
    daemon = start()
    public = daemon.api.public("x.test")
    weighted(daemon, public, "self", {ALIAS: "self.x.test"})
    weighted(daemon, public, "a", {ALIAS: "b.x.test"})
    service = weighted(daemon, public, "b", {ALIAS: "a.x.test"}, {ALIAS: "b.x.test"})
    for name in ("self", "a", "b"):
        assert answer(daemon, f"{name}.x.test") == NODATA
    daemon.api.attach(service, "own", **{IPV4: "10.0.0.1"})
    for _ in range(50):  # what resolves is healthy, the loops are not
        assert answer(daemon, "a.x.test") == (["10.0.0.1"], 60)


def test_alias_of_a_private_name_falls_to_the_table_for_others(start):
    daemon = start(*gaz.VPC_OPTIONS, "--alias", "lb.inner.test=192.0.2.1@9")
    inside = daemon.api.private("inner.test", vpc=VPC_B)
    lb = daemon.api.serve(inside, "lb", ("A", 17), policy="MULTIVALUE")
    daemon.api.attach(lb, "one", **{IPV4: "10.0.0.1"})
    weighted(daemon, daemon.api.public("x.test"), "s", {ALIAS: "lb.inner.test"})
    assert answer(daemon, "s.x.test", source=IN_B) == (["10.0.0.1"], 17)
    assert answer(daemon, "s.x.test", source=IN_A) == (["192.0.2.1"], 9)
    assert gaz.rcode(daemon.ask("lb.inner.test", source=IN_A)) == "REFUSED"


# ---- the table ----

def test_table_gives_hosts_their_addresses(start):
    """Both families, a TTL of its own, whatever the case and the final dot."""
    daemon = start("--alias", "LB-1.elb.amazonaws.com.=192.0.2.1,2001:db8::1,192.0.2.2@9",
                   "--alias", "plain.test=192.0.2.3")
    public = daemon.api.public("x.test")
    client = gaz.boto(daemon.endpoint)
    service = weighted(daemon, public, "s", types=("A", "AAAA"))
    client.register_instance(ServiceId=service, InstanceId="i",
                             Attributes={ALIAS: "lb-1.ELB.amazonaws.com"})
    gaz.until("the operation", lambda: client.list_instances(ServiceId=service)["Instances"])
    found = client.get_instance(ServiceId=service, InstanceId="i")["Instance"]
    assert found["Attributes"] == {ALIAS: "lb-1.ELB.amazonaws.com"}  # as given
    weighted(daemon, public, "p", {ALIAS: "plain.test."}, types=("A", "AAAA"))
    soon(daemon, "s.x.test", (["192.0.2.1", "192.0.2.2"], 9))
    assert answer(daemon, "s.x.test", "AAAA") == (["2001:db8::1"], 9)
    assert answer(daemon, "p.x.test") == (["192.0.2.3"], 60)
    assert answer(daemon, "p.x.test", "AAAA") == NODATA
    assert gaz.rcode(daemon.ask("plain.test")) == "REFUSED"  # a name for aliases alone


def test_table_may_stand_in_the_configuration_file(start, tmp_path):
    path = tmp_path / "config.json"
    table = ["a.test=192.0.2.1@0", "b.test=::1"] + [f"h{i}.test=192.0.2.9" for i in range(999)]
    path.write_text(json.dumps({"alias": table}), encoding="ascii")
    daemon = start("--config", str(path))
    public = daemon.api.public("x.test")
    weighted(daemon, public, "s", {ALIAS: "a.test"})
    weighted(daemon, public, "t", {ALIAS: "b.test"}, types=("AAAA",))
    assert answer(daemon, "s.x.test") == (["192.0.2.1"], 0)
    assert answer(daemon, "t.x.test", "AAAA") == (["::1"], 60)


@pytest.mark.parametrize("options, advice", [
    (["--alias", "a.test"], "HOST=ADDR"), (["--alias", "a.test="], "'' is not an address"),
    (["--alias", "=192.0.2.1"], "not a domain name"),
    (["--alias", "a..test=192.0.2.1"], "not a domain name"),
    (["--alias", "a.test=b.test"], "not an address"),
    (["--alias", "a.test=192.0.2.1@"], "not a TTL"),
    (["--alias", "a.test=192.0.2.1@2147483648"], "not a TTL"),
    (["--alias", "a.test=192.0.2.1@-1"], "not a TTL"),
    (["--alias", "a.test=" + ",".join(["192.0.2.1"] * 65)], "at most 64"),
    (["--alias", "a.test=192.0.2.1", "--alias", "A.test.=192.0.2.2"], "given twice"),
    (["--alias-upstream", "resolver.test"], "ADDR"),
    (["--alias-upstream", "127.0.0.1:0"], "ADDR")])
def test_useless_alias_options_are_refused(home, options, advice):
    errors = gaz.refused_start(home, "--ephemeral", "--listen", "127.0.0.1:0", "--api", "none",
                               "--socket", f"{home}/api.sock", *options)
    assert advice in errors


def test_mixed_services_draw_from_all_that_answer(start):
    """Addresses, aliases that resolve and aliases that do not: uniform among the former."""
    daemon = start("--random-seed", "11", "--alias", f"{HOST}=192.0.2.1,192.0.2.2")
    public = daemon.api.public("x.test")
    weighted(daemon, public, "s", {ALIAS: HOST}, {ALIAS: "dead.test"}, {IPV4: "10.0.0.1"},
             {ALIAS: "dead2.test"}, {IPV4: "10.0.0.2"})
    seen = [tuple(answer(daemon, "s.x.test")[0]) for _ in range(600)]
    counts = {each: seen.count(each) for each in set(seen)}
    assert set(counts) == {("192.0.2.1", "192.0.2.2"), ("10.0.0.1",), ("10.0.0.2",)}
    assert all(140 <= count <= 260 for count in counts.values())  # 200 each, and 5 sigma
    weighted(daemon, public, "t", {ALIAS: "dead.test"}, {ALIAS: "dead2.test"})
    assert answer(daemon, "t.x.test") == NODATA


# ---- the resolver ----

def test_resolver_answers_for_unknown_hosts(asking, upstream):
    """TTLs up to 60; both types on their own; hosts are known before anybody asks."""
    upstream.give(HOST, "A", "192.0.2.1", "192.0.2.2", ttl=300)
    upstream.give(HOST, "AAAA", "2001:db8::1", ttl=21)
    upstream.answers["v4.test", "A"] = ["v4.test. 5 IN CNAME far.test.",
                                        "far.test. 44 IN A 192.0.2.9"]
    longest = ".".join(["h" * 63] * 3 + ["h" * 56, "test"])
    upstream.give(longest, "A", "192.0.2.10")
    upstream.give(r"a\@\$b.test", "A", "192.0.2.11")
    public = asking.api.public("x.test")
    weighted(asking, public, "odd", {ALIAS: r"a\.b.test"})  # evdns cannot ask for this
    weighted(asking, public, "signs", {ALIAS: "a@$b.test"})
    weighted(asking, public, "long", {ALIAS: longest})
    weighted(asking, public, "s", {ALIAS: HOST.upper() + "."}, types=("A", "AAAA"))
    service = weighted(asking, public, "t", {ALIAS: "v4.test"})
    soon(asking, "s.x.test", (["192.0.2.1", "192.0.2.2"], 60))
    soon(asking, "s.x.test", (["2001:db8::1"], 21), "AAAA")
    soon(asking, "t.x.test", (["192.0.2.9"], 44))
    soon(asking, "long.x.test", (["192.0.2.10"], 60))
    soon(asking, "signs.x.test", (["192.0.2.11"], 60))
    assert answer(asking, "odd.x.test") == NODATA
    assert ("v4.test", "AAAA") not in upstream.asked  # no alias has a use for it
    asking.restart(kill=True)
    soon(asking, "s.x.test", (["192.0.2.1", "192.0.2.2"], 60))
    asking.api.deregister(service, "i0")
    assert gaz.rcode(asking.ask("t.x.test")) == "NXDOMAIN"
    asking.api.attach(service, "again", **{ALIAS: "v4.test"})
    soon(asking, "t.x.test", (["192.0.2.9"], 44))


def test_late_resolver_is_heard(asking, upstream):
    """Registration succeeds at once; until an answer comes there is no data."""
    upstream.speaks = False
    upstream.give(HOST, "A", "192.0.2.1")
    weighted(asking, asking.api.public("x.test"), "s", {ALIAS: HOST})
    assert answer(asking, "s.x.test") == NODATA
    gaz.until("a question", lambda: upstream.asked)
    assert answer(asking, "s.x.test") == NODATA
    upstream.speaks = True
    soon(asking, "s.x.test", (["192.0.2.1"], 60))


def test_dead_resolver_means_no_data(start):
    """Nobody listens there; other aliases are answered as ever."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.connect(("127.0.0.1", 9))  # now it takes nothing from anybody else
        port = sock.getsockname()[1]
        daemon = start("--alias-upstream", f"127.0.0.1:{port}", "--alias", "t.test=192.0.2.1")
        public = daemon.api.public("x.test")
        weighted(daemon, public, "s", {ALIAS: HOST}, {ALIAS: "t.test"})
        weighted(daemon, public, "u", {ALIAS: HOST})
        for _ in range(50):
            assert answer(daemon, "s.x.test") == (["192.0.2.1"], 60)
        assert daemon.wait_log("upstream-failing")
        assert answer(daemon, "s.x.test") == (["192.0.2.1"], 60)
        assert answer(daemon, "u.x.test") == NODATA
        daemon.stop()


def test_changed_answers_are_followed(asking, upstream):
    """Asked again before the TTL is over; kept while the resolver fails, dropped when it
    says that there are none."""
    upstream.give(HOST, "A", "192.0.2.1", ttl=1)
    weighted(asking, asking.api.public("x.test"), "s", {ALIAS: HOST})
    soon(asking, "s.x.test", (["192.0.2.1"], 1))
    upstream.give(HOST, "A", "192.0.2.2", ttl=2)
    soon(asking, "s.x.test", (["192.0.2.2"], 2))

    upstream.answers[HOST, "A"] = refuse
    before = len(upstream.asked)
    gaz.until("more questions", lambda: len(upstream.asked) > before + 2)
    assert answer(asking, "s.x.test") == (["192.0.2.2"], 2)
    upstream.give(HOST, "A")
    soon(asking, "s.x.test", NODATA)
    upstream.give(HOST, "A", "192.0.2.3")
    soon(asking, "s.x.test", (["192.0.2.3"], 60))


def refuse(query):
    reply = dns.message.make_response(query)
    reply.set_rcode(dns.rcode.REFUSED)
    return reply.to_wire()


def test_lack_of_descriptors_passes(asking, upstream):
    """No socket to the resolver for a while: it is asked again when there may be one."""
    upstream.answers[HOST, "A"] = refuse
    weighted(asking, asking.api.public("x.test"), "s", {ALIAS: HOST})
    pid = asking.process.pid
    limits = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    resource.prlimit(pid, resource.RLIMIT_NOFILE, (3, limits[1]))
    try:
        assert asking.wait_log("upstream-unusable"), asking.stderr()
        upstream.give(HOST, "A", "192.0.2.1")
        asked = len(upstream.asked)
    finally:
        resource.prlimit(pid, resource.RLIMIT_NOFILE, limits)
    soon(asking, "s.x.test", (["192.0.2.1"], 60))
    assert len(upstream.asked) > asked


def wrong_id(query):
    query.id ^= 1
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.66"))
    return reply.to_wire()


def other_question(query):
    reply = dns.message.make_response(query)
    reply.question = dns.message.make_query("evil.test", "A").question
    reply.answer.append(dns.rrset.from_text("evil.test.", 60, "IN", "A", "192.0.2.66"))
    return reply.to_wire()


def cut_short(query):
    reply = dns.message.make_response(query)
    reply.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", "192.0.2.66"))
    return reply.to_wire()[:-2]


def truncated(query):
    reply = dns.message.make_response(query)
    reply.flags |= dns.flags.TC
    return reply.to_wire()


def header_only(query):
    return dns.message.make_response(query).to_wire()[:12]


@pytest.mark.parametrize("nonsense", [wrong_id, other_question, cut_short, truncated,
                                      header_only, lambda query: b"\xff" * 600])
def test_nonsense_from_the_resolver_changes_nothing(asking, upstream, nonsense):
    upstream.answers[HOST, "A"] = nonsense
    weighted(asking, asking.api.public("x.test"), "s", {ALIAS: HOST})
    gaz.until("a question", lambda: upstream.asked)
    assert answer(asking, "s.x.test") == NODATA
    upstream.give(HOST, "A", "192.0.2.1")
    soon(asking, "s.x.test", (["192.0.2.1"], 60))


def test_a_resolver_that_fails_now_and_then_does_not_flood_the_log(asking, upstream):
    """Of some hosts it has no answer of use: that it answers is told where it was told
    that it does not."""
    service = weighted(asking, asking.api.public("x.test"), "s")
    for number in range(90):
        if number % 2:
            upstream.give(f"h{number}.test", "A", "192.0.2.1")
        else:
            upstream.answers[f"h{number}.test", "A"] = cut_short
        asking.api.attach(service, f"i{number}", **{ALIAS: f"h{number}.test"})
    gaz.until("all questions", lambda: len(set(upstream.asked)) == 90)
    asking.stop()
    told = [line.split()[2] for line in asking.log if " upstream-" in line]
    assert told == [("upstream-failing", "upstream-answers")[n % 2] for n in range(len(told))]
    assert told


def test_names_of_our_zones_are_asked_for_once_missed(asking, upstream):
    """A private name is nobody's business until a client needs it that cannot see it."""
    inside = asking.api.private("inner.test", vpc=VPC_A)
    lb = asking.api.serve(inside, "lb", ("A", 17), policy="MULTIVALUE")
    asking.api.attach(lb, "one", **{IPV4: "10.0.0.1"})
    public = asking.api.public("x.test")
    weighted(asking, public, "s", {ALIAS: "lb.inner.test"})
    weighted(asking, public, "t", {ALIAS: HOST})
    upstream.give("lb.inner.test", "A", "192.0.2.1")
    upstream.give(HOST, "A", "192.0.2.2")
    assert answer(asking, "s.x.test", source=IN_A) == (["10.0.0.1"], 17)
    soon(asking, "t.x.test", (["192.0.2.2"], 60))
    assert ("lb.inner.test", "A") not in upstream.asked
    soon(asking, "s.x.test", (["192.0.2.1"], 60), source=IN_B)
    assert answer(asking, "s.x.test", source=IN_A) == (["10.0.0.1"], 17)


def test_many_hosts_are_all_resolved(asking, upstream):
    """More than can be asked for at once, and some that nobody knows."""
    public = asking.api.public("x.test")
    service = weighted(asking, public, "s")
    for number in range(150):
        if number % 3:
            upstream.give(f"h{number}.test", "A", f"192.0.2.{number}")
        asking.api.attach(service, f"i{number}", **{ALIAS: f"h{number}.test"})
    want = {f"192.0.2.{number}" for number in range(150) if number % 3}
    seen = set()

    def all_seen():
        seen.update(answer(asking, "s.x.test")[0])
        return seen >= want

    gaz.until("every host", all_seen)
    assert seen == want


def test_hosts_may_come_and_go_while_they_are_asked_for(asking, upstream):
    """Answers that come too late find no host, or the next one of that name."""
    public = asking.api.public("x.test")
    service = weighted(asking, public, "s", {ALIAS: "stays.test"})
    upstream.give("stays.test", "A", "192.0.2.1", ttl=0)
    crowd = gaz.Crowd()

    def come_and_go(number):
        host = f"h{number}.test"
        upstream.give(host, "A", f"192.0.2.{number}", ttl=0)
        for _ in range(40):
            asking.api.attach(service, f"c{number}", **{ALIAS: host})
            answer(asking, "s.x.test")
            asking.api.deregister(service, f"c{number}")

    for number in range(10, 14):
        crowd.add(come_and_go, number)
    crowd.join()
    soon(asking, "s.x.test", (["192.0.2.1"], 0))
