# SPDX-License-Identifier: BSD-2-Clause
"""PTR records for the addresses of instances: --ptr on."""

import ipaddress

import dns.reversename
import pytest

import gaz
from gaz import IN_A, IN_B, VPC_A, VPC_B

OUTSIDE = "127.0.99.1"


def reverse(address):
    return ipaddress.ip_address(address).reverse_pointer


def ptr(daemon, address, source=IN_A, **more):
    """The names of an address, sorted; None when it does not exist."""
    reply = daemon.ask(reverse(address), "PTR", source=source, **more)
    if gaz.rcode(reply) == "NXDOMAIN":
        assert [rrset.rdtype for rrset in reply.authority] == [6], reply
        return None
    assert gaz.rcode(reply) == "NOERROR", reply
    return gaz.texts(reply)


@pytest.fixture
def on(start):
    return start(*gaz.VPC_OPTIONS, "--ptr", "on")


def private(api, vpc=VPC_A, name="dev.internal"):
    api.done("CreatePrivateDnsNamespace", Name=name, Vpc=vpc)
    return api.ok("ListNamespaces")["Namespaces"][-1]["Id"]


def service(api, namespace, name="web", kinds=("A",), ttl=60):
    return api.ok("CreateService", NamespaceId=namespace, Name=name, DnsConfig={
        "DnsRecords": [{"Type": kind, "TTL": ttl} for kind in kinds]})["Service"]["Id"]


def test_an_address_leads_to_its_service(on):
    """A and AAAA: the service's name; the TTL is 60; the forward name leads back."""
    svc = service(on.api, private(on.api), kinds=("A", "AAAA"))
    on.api.register(svc, "i", "10.0.0.5", AWS_INSTANCE_IPV6="fd00::5")
    assert ptr(on, "10.0.0.5") == ptr(on, "fd00::5") == ["web.dev.internal."]
    assert ptr(on, "10.0.0.5", tcp=True) == ["web.dev.internal."]
    assert gaz.answer_ttls(on.ask(reverse("10.0.0.5"), "PTR")) == {"PTR": 60}
    assert gaz.texts(on.ask("web.dev.internal")) == ["10.0.0.5"]


def test_an_address_of_an_srv_service_leads_to_the_instance(on):
    """Which has a name of its own."""
    svc = service(on.api, private(on.api), "_db._tcp", ("SRV",))
    on.api.register(svc, "one", "10.0.0.5", AWS_INSTANCE_PORT="5432")
    assert ptr(on, "10.0.0.5") == ["one._db._tcp.dev.internal."]


def test_only_addresses_that_dns_shows_have_names(on):
    """A service with A records alone: no PTR for the other address."""
    svc = service(on.api, private(on.api))
    on.api.register(svc, "i", "10.0.0.5", AWS_INSTANCE_IPV6="fd00::5")
    assert ptr(on, "10.0.0.5") == ["web.dev.internal."] and ptr(on, "fd00::5") is None


def test_private_names_are_for_their_vpc(on):
    """Others get what they would get without the namespace; public ones are for all."""
    svc = service(on.api, private(on.api))
    before = on.ask(reverse("10.0.0.5"), "PTR", source=IN_B).to_text().split("\n", 1)[1]
    on.api.register(svc, "i", "10.0.0.5")
    assert ptr(on, "10.0.0.5", IN_A) == ["web.dev.internal."]
    after = on.ask(reverse("10.0.0.5"), "PTR", source=IN_B).to_text().split("\n", 1)[1]
    assert before == after and ptr(on, "10.0.0.5", OUTSIDE) is None
    on.api.done("CreatePublicDnsNamespace", Name="example.org")
    public = service(on.api, on.api.ok("ListNamespaces")["Namespaces"][-1]["Id"])
    for address in ("10.0.0.5", "10.0.0.6", "203.0.113.7", "198.18.0.1"):
        on.api.register(public, address, address)
    for source in (IN_A, IN_B, OUTSIDE):
        for address in ("10.0.0.6", "203.0.113.7", "198.18.0.1"):
            assert ptr(on, address, source) == ["web.example.org."]
    assert ptr(on, "10.0.0.5", IN_A) == ["web.dev.internal."]
    assert ptr(on, "10.0.0.5", IN_B) == ["web.example.org."]


def test_each_vpc_has_its_own_names(on):
    """The same address in two VPCs."""
    for vpc, name in ((VPC_A, "a.internal"), (VPC_B, "b.internal")):
        on.api.register(service(on.api, private(on.api, vpc, name)), "i", "10.0.0.5")
    assert ptr(on, "10.0.0.5", IN_A) == ["web.a.internal."]
    assert ptr(on, "10.0.0.5", IN_B) == ["web.b.internal."]


def test_records_follow_what_happens(on):
    """Registration, another address, deregistration, deletion, restart."""
    api = on.api
    namespace = private(api)
    svc, other = service(api, namespace), service(api, namespace, "other")
    api.register(svc, "1", "10.0.0.5")
    api.register(svc, "2", "10.0.0.5")
    api.register(other, "3", "10.0.0.5")
    assert ptr(on, "10.0.0.5") == ["other.dev.internal.", "web.dev.internal."]
    api.deregister(svc, "1")
    assert ptr(on, "10.0.0.5") == ["other.dev.internal.", "web.dev.internal."]
    api.register(svc, "2", "10.0.0.5", note="same address")
    assert ptr(on, "10.0.0.5") == ["other.dev.internal.", "web.dev.internal."]
    api.register(svc, "2", "10.0.0.6")
    assert ptr(on, "10.0.0.5") == ["other.dev.internal."]
    assert ptr(on, "10.0.0.6") == ["web.dev.internal."]
    on.restart(kill=True)
    api = on.api
    assert ptr(on, "10.0.0.5") == ["other.dev.internal."]
    assert ptr(on, "10.0.0.6") == ["web.dev.internal."]
    api.done("UpdateService", Id=other, Service={"DnsConfig": {
        "DnsRecords": [{"Type": "A", "TTL": 5}]}})
    assert ptr(on, "10.0.0.5") == ["other.dev.internal."]
    api.done("UpdateService", Id=other, Service={"Description": "no records"})
    assert ptr(on, "10.0.0.5") is None
    api.done("UpdateService", Id=other, Service={"DnsConfig": {
        "DnsRecords": [{"Type": "A", "TTL": 5}]}})
    assert ptr(on, "10.0.0.5") == ["other.dev.internal."]
    for service_id, instance in ((svc, "2"), (other, "3")):
        api.deregister(service_id, instance)
        api.ok("DeleteService", Id=service_id)
    api.done("DeleteNamespace", Id=namespace)
    assert ptr(on, "10.0.0.5") is None and ptr(on, "10.0.0.6") is None


def test_health_does_not_matter(on):
    """An address belongs to its instance, healthy or not."""
    svc = on.api.ok("CreateService", NamespaceId=private(on.api), Name="web",
                    HealthCheckCustomConfig={}, DnsConfig={
                        "DnsRecords": [{"Type": "A", "TTL": 60}]})["Service"]["Id"]
    on.api.register(svc, "i", "10.0.0.5")
    on.api.set_health(svc, "i", "UNHEALTHY")
    assert ptr(on, "10.0.0.5") == ["web.dev.internal."]


@pytest.mark.parametrize("address", [
    "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.1.1", "127.0.0.1", "169.254.0.1",
    "0.0.0.0", "192.0.2.1", "198.51.100.1", "203.0.113.1", "255.255.255.255", "::", "::1",
    "fd12::1", "fe80::1", "febf::1", "2001:db8::1"])
def test_private_networks_are_answered_here(on, address):
    """RFC 6303: NXDOMAIN with a SOA record, not REFUSED; also without any namespace."""
    reply = on.ask(reverse(address), "PTR", source=OUTSIDE)
    if address in ("::", "::1", "255.255.255.255"):  # names that are zones themselves
        assert gaz.rcode(reply) == "NOERROR" and reply.authority[0].rdtype == 6
    else:
        assert ptr(on, address, OUTSIDE) is None
    assert reply.authority[0].ttl == 15


def test_other_networks_are_not_ours(on):
    """No claim on what belongs to others, and none without the option."""
    assert gaz.rcode(on.ask(reverse("198.18.0.2"), "PTR")) == "REFUSED"
    assert gaz.rcode(on.ask("in-addr.arpa", "SOA")) == "REFUSED"
    assert gaz.rcode(on.ask(reverse("172.32.0.1"), "PTR")) == "REFUSED"


def test_off_is_the_default(daemon):
    """No PTR, no zones."""
    daemon.api.register(service(daemon.api, private(daemon.api)), "i", "10.0.0.5")
    assert gaz.rcode(daemon.ask(reverse("10.0.0.5"), "PTR")) == "REFUSED"


def test_a_zone_file_goes_before_an_empty_zone(start, home):
    """Somebody's own reverse zone; addresses of instances are seen beside it."""
    zones = f"{home}/zones"
    import os
    os.mkdir(zones)
    with open(f"{zones}/10.in-addr.arpa.zone", "w") as file:
        file.write("@ 60 IN SOA a. b. 1 2 3 4 5\n@ 60 IN NS a.\n9.0.0 60 IN PTR nine.example.\n")
    daemon = start(*gaz.VPC_OPTIONS, "--ptr", "on", "--zones", zones)
    daemon.api.register(service(daemon.api, private(daemon.api)), "i", "10.0.0.5")
    assert ptr(daemon, "10.0.0.9") == ["nine.example."]
    assert ptr(daemon, "10.0.0.5") == ["web.dev.internal."]
    listed = gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "zone", "list"], home).stdout
    assert "10.in-addr.arpa" in listed and "168.192" not in listed and "5.0.0.10" not in listed


def test_many_changes_at_once_leave_what_is_there(on):
    """Registrations and deregistrations of one address that share their commits."""
    api = on.api
    namespace = private(api)
    services = [service(api, namespace, f"s{n}") for n in range(4)]

    def flap(svc):
        for n in range(15):
            api.register(svc, "i", "10.0.0.5" if n % 2 else "10.0.0.6")
            if n % 3 == 0:
                api.deregister(svc, "i")
    crowd = gaz.Crowd()
    for svc in services:
        crowd.add(flap, svc)
    crowd.join()
    assert ptr(on, "10.0.0.6") == [f"s{n}.dev.internal." for n in range(4)]
    assert ptr(on, "10.0.0.5") is None
    for svc in services:
        api.deregister(svc, "i")
    assert ptr(on, "10.0.0.6") is None


def test_explain_knows_reverse_names(on, home):
    """It says what was answered, and that no service is behind the zone."""
    on.api.register(service(on.api, private(on.api)), "i", "10.0.0.5")
    done = gaz.run([gaz.GAZCTL, "--socket", on.socket, "explain", reverse("10.0.0.5"), "PTR",
                    "--from", IN_A], home)
    assert "web.dev.internal." in done.stdout
