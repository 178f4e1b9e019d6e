# SPDX-License-Identifier: BSD-2-Clause
"""Executed health checks: what the endpoints do, and what DNS and the API say of it."""

import re

import pytest

import endpoint
import gaz
from endpoint import Endpoint, status

ON = ["--health-checks", "on", "--health-check-interval", "150"]
FIXED = "10.9.9.9"  # the address of an instance that nobody probes


@pytest.fixture
def checked(start):
    return start(*ON)


@pytest.fixture
def serve():
    """Endpoints that end with the test."""
    made = []

    def build(*args, **kwargs):
        made.append(Endpoint(*args, **kwargs))
        return made[-1]
    yield build
    for item in made:
        item.close()


def make(api, kind="HTTP", path=None, threshold=2, name="s", records=("A",)):
    """A service with a check in the namespace x.example, which may be there. One answer
    that is late because the machine is busy changes nothing."""
    check = {"Type": kind, "FailureThreshold": threshold}
    if path is not None:
        check["ResourcePath"] = path
    found = api.ok("ListNamespaces")["Namespaces"]
    namespace = found[0]["Id"] if found else api.public("x.example")
    return api.serve(namespace, name, *records, HealthCheckConfig=check)


def statuses(api, service):
    return api.ok("GetInstancesHealthStatus", ServiceId=service)["Status"]


def wait_for(daemon, service, **expected):
    """Until the instances have these statuses."""
    def reached():
        found = statuses(daemon.api, service)
        return all(found.get(name) == value for name, value in expected.items())
    try:
        gaz.until(f"{expected}", reached)
    except AssertionError:
        raise AssertionError(f"{expected}: {statuses(daemon.api, service)}\n"
                             f"{daemon.stderr()}") from None


def wait_requests(place, more):
    """Until the endpoint has seen so many more requests."""
    target = len(place.requests) + more
    gaz.until(f"{more} more requests", lambda: len(place.requests) >= target)


def changes(daemon, first=0):
    """(instance, status, reason) of each change in the log."""
    found = [re.search(r'health-changed service=\S+ instance=(\S+) status=(\S+) '
                       r'reason="([^"]*)"', line) for line in daemon.log[first:]]
    return [match.groups() for match in found if match]


@pytest.mark.parametrize("kind", ["HTTP", "HTTPS", "TCP"])
def test_down_and_up_again(checked, serve, home, kind):
    """Everywhere at once, and nothing else changes."""
    api = checked.api
    tls = endpoint.make_certificate(home) if kind == "HTTPS" else None
    good, bad = serve(tls=tls), serve(tls=tls)
    service = make(api, kind)
    api.attach(service, "good", **good.attributes())
    api.attach(service, "bad", **bad.attributes())
    both = sorted([good.address, bad.address])

    def rest():
        return (api.revision("x.example", "s"), api.ok("ListInstances", ServiceId=service),
                api.get_service(service), gaz.texts(checked.ask("x.example", "SOA")))

    before = rest()
    assert statuses(api, service) == {"good": "HEALTHY", "bad": "HEALTHY"}
    wait_requests(bad, 2)
    assert gaz.texts(checked.ask("s.x.example")) == both
    for _ in range(2):
        bad.down()
        wait_for(checked, service, good="HEALTHY", bad="UNHEALTHY")
        assert gaz.texts(checked.ask("s.x.example")) == [good.address]
        assert api.discover("x.example", "s") == ["good"]
        assert api.discover("x.example", "s", HealthStatus="UNHEALTHY") == ["bad"]
        assert sorted(api.discover("x.example", "s", HealthStatus="ALL")) == ["bad", "good"]
        bad.up()
        wait_for(checked, service, good="HEALTHY", bad="HEALTHY")
        assert gaz.texts(checked.ask("s.x.example")) == both
        assert sorted(api.discover("x.example", "s")) == ["bad", "good"]
    assert rest() == before
    gaz.until("the log says so", lambda: len(changes(checked)) >= 4)
    assert [change[:2] for change in changes(checked)] == [("bad", "UNHEALTHY"),
                                                           ("bad", "HEALTHY")] * 2
    up = "connected" if kind == "TCP" else "status 200"
    assert [change[2] for change in changes(checked)[1::2]] == [up] * 2


def test_all_down_is_all_answered(checked, serve):
    """DNS and HEALTHY_OR_ELSE_ALL fail open."""
    places = [serve() for _ in range(3)]
    service = make(checked.api, "TCP")
    for number, place in enumerate(places):
        place.down()
        checked.api.attach(service, f"i{number}", **place.attributes())
    wait_for(checked, service, i0="UNHEALTHY", i1="UNHEALTHY", i2="UNHEALTHY")
    assert gaz.texts(checked.ask("s.x.example")) == sorted(p.address for p in places)
    assert checked.api.discover("x.example", "s") == []
    assert len(checked.api.discover("x.example", "s",
                                    HealthStatus="HEALTHY_OR_ELSE_ALL")) == 3
    places[1].up()
    wait_for(checked, service, i1="HEALTHY")
    assert gaz.texts(checked.ask("s.x.example")) == [places[1].address]
    gaz.until("the log", lambda: len(changes(checked)) == 4)
    assert {reason for _, status, reason in changes(checked) if status == "UNHEALTHY"} == {
        "connection refused"}


def test_threshold_counts_results_in_a_row(checked, serve):
    """Both ways; a result between that says otherwise starts the count anew."""
    place = serve()
    service = make(checked.api, threshold=3)
    checked.api.attach(service, "i", **place.attributes())
    wait_requests(place, 1)

    def answer_now(code):
        given = []

        def answer(path):
            given.append(code)
            return status(code)
        place.answer = answer
        return given

    given = answer_now(500)
    wait_for(checked, service, i="UNHEALTHY")
    assert len(given) >= 3
    given = answer_now(200)
    wait_for(checked, service, i="HEALTHY")
    assert len(given) >= 3
    gaz.until("both changes in the log", lambda: len(changes(checked)) == 2)
    place.answer = lambda path: status(500 if len(place.requests) % 3 else 200)
    wait_requests(place, 12)
    assert statuses(checked.api, service) == {"i": "HEALTHY"}
    assert len(changes(checked)) == 2


def test_status_decides(checked, serve):
    """200 to 399 will do; redirects are not followed."""
    elsewhere = serve()
    location = f"Location: http://{elsewhere.address}:{elsewhere.port}/"
    place = serve(lambda path: status(int(path[1:]), location))
    services = {}
    for code in (200, 204, 301, 302, 399, 400, 404, 500, 503, 599):
        services[code] = make(checked.api, path=f"/{code}", name=f"s{code}")
        checked.api.attach(services[code], "i", **place.attributes())
    for code, service in services.items():
        gaz.until(f"two requests for {code}",
                  lambda path=f"/{code}": place.requests.count(path) >= 2)
        wait_for(checked, service, i="HEALTHY" if code < 400 else "UNHEALTHY")
    gaz.until("all in the log", lambda: len(changes(checked)) == 5)
    assert {reason for _, _, reason in changes(checked)} == {
        f"status {code}" for code in services if code >= 400}
    assert elsewhere.requests == []


def test_request_is_well_formed(checked, serve):
    """Path, Host, and nothing that would break out of the request line."""
    place = serve()
    for number, (path, wanted) in enumerate({
            "/a/b?c=d&e=%20": "/a/b?c=d&e=%20", "no/slash": "/no/slash",
            "/a b": "/a%20b", "/x\r\nEvil: 1": "/x%0D%0AEvil:%201",
            "/" + "\u00fc" * 254: "/" + "%C3%BC" * 254}.items()):
        service = make(checked.api, path=path, name=f"s{number}")
        checked.api.attach(service, "i", **place.attributes())
        gaz.until(f"a request for {wanted}", lambda text=wanted: text in place.requests)
    for head in place.heads:
        lines = head.decode().split("\r\n")
        assert lines[0].startswith("GET /") and lines[0].endswith(" HTTP/1.1")
        assert lines[1] == f"Host: {place.address}:{place.port}"
        assert lines[-2:] == ["", ""] and not any(l.startswith("Evil") for l in lines)


BAD = {
    "silent": (lambda path: None, "timed out waiting for an answer"),
    "slow": (endpoint.trickle, "timed out waiting for an answer"),
    "garbage": (endpoint.garbage, "the answer is not HTTP"),
    "reset": (endpoint.reset, "connection reset by peer|closed"),
    "hang-up": (endpoint.hang_up, "connection closed without an answer"),
    "endless-interim": (endpoint.endless(b"HTTP/1.1 103 Early\r\n", b"X-Filler: 0\r\n"),
                        "no status in the first"),
    "interim-after-interim": (endpoint.endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
                              "no status in the first"),
    "half-a-status": (lambda path: b"HTTP/1.1 20", "connection closed without an answer"),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_endpoints_are_unhealthy(checked, serve, name):
    """And cost nothing but their own time: a good one beside them is looked at."""
    answer, reason = BAD[name]
    bad, good = serve(answer), serve()
    service = make(checked.api)
    checked.api.attach(service, "bad", **bad.attributes())
    checked.api.attach(service, "good", **good.attributes())
    wait_for(checked, service, bad="UNHEALTHY")
    gaz.until("the log", lambda: changes(checked))
    assert re.search(reason, changes(checked)[0][2]), changes(checked)
    wait_requests(good, 3)
    assert statuses(checked.api, service)["good"] == "HEALTHY"


@pytest.mark.parametrize("answer", [
    endpoint.endless(status(200)[:-4] + b"\r\n", b"X-Filler: 0\r\n"),
    endpoint.endless(b"HTTP/1.1 200 OK\r\n\r\n", b"x" * 65536),
    lambda path: status(103)[:-2] + b"\r\n" + status(200),
    lambda path: b"HTTP/1.0 200\r\n\r\n",
    lambda path: b"HTTP/1.1 200 OK\n",
], ids=["endless-headers", "endless-body", "interim", "short", "bare-newline"])
def test_only_the_status_matters(checked, serve, answer):
    """Whatever follows it."""
    place = serve(lambda path: status(500))
    service = make(checked.api)
    checked.api.attach(service, "i", **place.attributes())
    wait_for(checked, service, i="UNHEALTHY")
    place.answer = answer
    wait_for(checked, service, i="HEALTHY")


def test_https_needs_tls(checked, serve, home):
    """Plain HTTP is no HTTPS, a silent server no TLS; the certificate may be anything."""
    plain = serve(endpoint.garbage)
    silent = serve(mute=True)
    secure = serve(tls=endpoint.make_certificate(home))
    service = make(checked.api, "HTTPS")
    for name, place in (("plain", plain), ("silent", silent), ("secure", secure)):
        checked.api.attach(service, name, **place.attributes())
    wait_for(checked, service, plain="UNHEALTHY", silent="UNHEALTHY")
    wait_requests(secure, 2)
    assert statuses(checked.api, service)["secure"] == "HEALTHY"
    gaz.until("the log", lambda: len(changes(checked)) >= 2)
    reasons = {name: reason for name, _, reason in changes(checked)}
    assert reasons["plain"].startswith("TLS: ")
    assert reasons["silent"] == "timed out waiting for the TLS handshake"


def test_deregistered_and_registered_while_probed(checked, serve):
    """What is found out about one that has gone counts for nobody."""
    place, api = serve(lambda path: None), checked.api
    service = make(api)
    other = serve()
    api.attach(service, "other", **other.attributes())
    for _ in range(5):
        api.attach(service, "i", **place.attributes())
        wait_requests(place, 1)
        api.deregister(service, "i")
    assert statuses(api, service) == {"other": "HEALTHY"}
    wait_requests(other, 3)
    place.answer = lambda path: status(500)
    api.attach(service, "i", **place.attributes())
    wait_for(checked, service, i="UNHEALTHY")
    # Registered anew it starts over, where it is looked at now.
    api.attach(service, "i", **other.attributes())
    assert statuses(api, service) == {"other": "HEALTHY", "i": "HEALTHY"}
    wait_requests(other, 6)
    assert statuses(api, service) == {"other": "HEALTHY", "i": "HEALTHY"}
    seen = len(place.requests)
    wait_requests(other, 12)
    assert len(place.requests) < seen + 3
    for instance in ("i", "other"):
        api.deregister(service, instance)
    api.ok("DeleteService", Id=service)


def test_update_service_adds_changes_and_removes(checked, serve):
    """Added: probed. Another path: probed there. Removed: healthy, UNKNOWN, left alone."""
    api = checked.api
    place = serve(lambda path: status(200 if path == "/good" else 500))
    service = api.serve(api.public("x.example"), "s", "A")
    api.attach(service, "i", **place.attributes())
    api.attach(service, "no-port", AWS_INSTANCE_IPV4=FIXED)

    def update(**check):
        change = {"DnsConfig": gaz.records("A")}
        if check:
            change["HealthCheckConfig"] = {"Type": "HTTP", **check}
        api.done("UpdateService", Id=service, Service=change)

    assert statuses(api, service) == {"i": "UNKNOWN", "no-port": "UNKNOWN"}
    assert place.requests == []
    update(ResourcePath="/bad")
    wait_for(checked, service, i="UNHEALTHY")
    # No port, nowhere to look.
    assert statuses(api, service)["no-port"] == "HEALTHY"
    assert gaz.texts(checked.ask("s.x.example")) == [FIXED]
    update(ResourcePath="/good")
    wait_for(checked, service, i="HEALTHY")
    update(ResourcePath="/bad", FailureThreshold=2)
    wait_for(checked, service, i="UNHEALTHY")
    update()
    assert statuses(api, service) == {"i": "UNKNOWN", "no-port": "UNKNOWN"}
    assert gaz.texts(checked.ask("s.x.example")) == sorted([FIXED, place.address])
    found = api.ok("DiscoverInstances", NamespaceName="x.example", ServiceName="s")
    assert {item["HealthStatus"] for item in found["Instances"]} == {"UNKNOWN"}
    # Once more: from HEALTHY on, whatever was found before.
    place.answer = lambda path: None
    update(ResourcePath="/bad", FailureThreshold=10)
    assert statuses(api, service)["i"] == "HEALTHY"
    place.answer = lambda path: status(500)
    wait_for(checked, service, i="UNHEALTHY")
    checked.restart()
    assert gaz.texts(checked.ask("s.x.example")) == [FIXED]


@pytest.mark.parametrize("kill", [True, False], ids=["kill", "stop"])
def test_statuses_survive_a_restart(checked, serve, kill):
    """And go on from there: the one that is up again is found."""
    good, bad = serve(), serve(lambda path: status(503))
    service = make(checked.api)
    checked.api.attach(service, "good", **good.attributes())
    checked.api.attach(service, "bad", **bad.attributes())
    wait_for(checked, service, bad="UNHEALTHY")
    options = list(checked.options)
    checked.options[-1] = "3600000"  # nobody is looked at for now, in all likelihood
    checked.restart(kill=kill)
    assert statuses(checked.api, service) == {"good": "HEALTHY", "bad": "UNHEALTHY"}
    assert gaz.texts(checked.ask("s.x.example")) == [good.address]
    checked.options = options
    bad.answer = good.answer
    checked.restart(kill=kill)
    wait_for(checked, service, good="HEALTHY", bad="HEALTHY")
    assert gaz.texts(checked.ask("s.x.example")) == sorted([good.address, bad.address])


def test_off_means_healthy(checked, serve):
    """What was found is forgotten, also for when they are on again."""
    place = serve(lambda path: status(503))
    service = make(checked.api)
    checked.api.attach(service, "i", **place.attributes())
    checked.api.attach(service, "j", AWS_INSTANCE_IPV4=place.address,
                       AWS_INSTANCE_PORT=str(place.port))
    wait_for(checked, service, i="UNHEALTHY", j="UNHEALTHY")
    options = list(checked.options)
    checked.options = []
    checked.restart()
    assert statuses(checked.api, service) == {"i": "HEALTHY", "j": "HEALTHY"}
    unseen = serve()
    checked.api.attach(service, "unseen", **unseen.attributes())
    assert sorted(checked.api.discover("x.example", "s")) == ["i", "j", "unseen"]
    checked.api.deregister(service, "j")
    assert gaz.texts(checked.ask("s.x.example")) == sorted([place.address, unseen.address])
    checked.stop()
    assert unseen.requests == []
    checked.options = options[:-1] + ["3600000"]
    checked.start()
    assert statuses(checked.api, service) == {"i": "HEALTHY", "unseen": "HEALTHY"}
    checked.options = options
    checked.restart()
    wait_for(checked, service, i="UNHEALTHY")


def test_concurrency_is_bounded(start, serve):
    """--health-check-max: never more at an endpoint, and each instance has its turn."""
    daemon = start("--health-checks", "on", "--health-check-interval", "10",
                   "--health-check-max", "3")
    # Takes connections, and neither reads nor says anything.
    place = serve(mute=True)
    service = make(daemon.api, "HTTPS", threshold=1)
    for number in range(9):
        daemon.api.attach(service, f"i{number}", **place.attributes())
    wait_for(daemon, service, **{f"i{number}": "UNHEALTHY" for number in range(9)})
    assert len(place.requests) >= 9
    assert place.most_open <= 3


def test_srv_aaaa_and_alias(checked, serve):
    """IPv6 where there is no IPv4; the SRV goes, its target stays; an alias is healthy."""
    api = checked.api
    try:
        six = serve(lambda path: status(500), address="::1")
    except OSError:
        pytest.skip("no IPv6 here")
    service = make(api, records=("SRV",), name="srv")
    api.attach(service, "six", **six.attributes())
    good = serve()
    api.attach(service, "four", AWS_INSTANCE_IPV6="::1", **good.attributes())
    wait_for(checked, service, six="UNHEALTHY")
    assert statuses(api, service)["four"] == "HEALTHY"
    assert gaz.texts(checked.ask("srv.x.example", "SRV")) == [
        f"1 1 {good.port} four.srv.x.example."]
    assert gaz.texts(checked.ask("six.srv.x.example", "AAAA")) == ["::1"]
    namespace = api.ok("ListNamespaces")["Namespaces"][0]["Id"]
    alias = api.serve(namespace, "alias", "A", policy="WEIGHTED",
                      HealthCheckConfig={"Type": "TCP"})
    api.attach(alias, "a", AWS_ALIAS_DNS_NAME="lb.test")
    wait_requests(good, 3)
    assert statuses(api, alias) == {"a": "HEALTHY"}


def test_gazctl_shows_them(checked, serve, home):
    """gazctl instance health, and gazctl watch."""
    place = serve(lambda path: status(503 if len(place.requests) % 16 < 8 else 200))
    service = make(checked.api)
    checked.api.attach(service, "i", **place.attributes())
    done = gaz.run([gaz.GAZCTL, "--socket", checked.socket, "watch", service,
                    "--count", "2"], home)
    assert re.search(r"^changed +i +UNHEALTHY ", done.stdout, re.M), done.stdout
    assert re.search(r"^changed +i +HEALTHY ", done.stdout, re.M), done.stdout
    place.answer = lambda path: status(503)
    wait_for(checked, service, i="UNHEALTHY")
    done = gaz.run([gaz.GAZCTL, "--socket", checked.socket, "instance", "health", service],
                   home)
    assert re.search(r"^i\s+UNHEALTHY$", done.stdout, re.M)


def test_many_at_once(start, serve):
    """A few hundred instances that come, go and fail, with calls in between."""
    daemon = start(*ON, "--health-check-max", "16", "--quota", "instances-per-service=0")
    place, api = serve(), daemon.api
    service = make(api, "TCP")
    conn = api.connect()
    for number in range(200):
        api.ok("RegisterInstance", conn, ServiceId=service, InstanceId=f"i{number}",
               Attributes=place.attributes())
    for number in range(0, 200, 2):
        api.ok("DeregisterInstance", conn, ServiceId=service, InstanceId=f"i{number}")
    conn.close()
    place.down()
    wait_for(daemon, service, **{f"i{number}": "UNHEALTHY" for number in range(1, 101, 2)})
    place.up()
    wait_for(daemon, service, **{f"i{number}": "HEALTHY" for number in range(1, 101, 2)})
    # It is stopped while statuses are on their way: those that have changed will change
    # back the next time.
    for change, status in 2 * ((place.down, "UNHEALTHY"), (place.up, "HEALTHY")):
        first = len(daemon.log)
        change()
        assert daemon.wait_log(f"health-changed .*status={status}", first), daemon.stderr()
        daemon.restart()


@pytest.mark.parametrize("options", [
    ["--health-checks", "yes"], ["--health-check-interval", "0"],
    ["--health-check-interval", "0.2"], ["--health-check-max", "0"]])
def test_wrong_options_are_refused(home, options):
    """With the option's name."""
    assert options[0] in gaz.refused_start(home, *options, "--ephemeral", expect=2)
