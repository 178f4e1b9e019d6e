# SPDX-License-Identifier: BSD-2-Clause
"""Corners of every part: where two rules meet, and where a limit is just reached."""

import json
import os
import pathlib
import re
import stat

import dns.edns
import dns.message
import dns.opcode
import dns.rcode
import dns.rrset
import dns.update
import pytest

import gaz
from gaz import GAZETTEERD, IN_A, IN_B, OUTSIDE, VPC_A, rcode

ZONE_HEAD = "$TTL 300\n@ IN SOA ns hostmaster 7 3600 900 604800 60\n@ IN NS ns.example.net.\n"
LOG_LINE = re.compile(r"^(ready dns=|\d{4}(-\d\d){2}T(\d\d:){2}\d\d\.\d{3}Z "
                      r"(error|warn|info|debug) [a-z-]+ )")


def lines(section):
    return [line for rrset in section for line in rrset.to_text().splitlines()]


def write_zones(home, **files):
    """A folder of zone files, each an SOA and an NS record and what is given."""
    folder = pathlib.Path(home) / "zones"
    folder.mkdir()
    for origin, text in files.items():
        (folder / f"{origin}.zone").write_text(ZONE_HEAD + text, encoding="ascii")
    return str(folder)


# ---- VPCs ----


def test_strict_vpcs_take_the_loopback_prefixes_away(start):
    """What an undeclared VPC had before is gone after a restart, over IPv6 too."""
    daemon = start(*gaz.VPC_OPTIONS, listen=["127.0.0.1:0", "[::1]:0"])
    daemon.api.private("u.example", "vpc-undeclared")
    daemon.api.private("a.example", VPC_A)

    def seen(name, **where):
        return rcode(daemon.ask(name, "SOA", **where))

    for where in ({"source": "127.0.0.1"}, {"source": OUTSIDE}, {"listener": 1}):
        assert seen("u.example", **where) == "NOERROR"
    daemon.options.append("--strict-vpcs")
    daemon.restart()
    for where in ({"source": "127.0.0.1"}, {"source": OUTSIDE}, {"source": IN_A},
                  {"listener": 1}):
        assert seen("u.example", **where) == "REFUSED"
    assert seen("a.example", source=IN_A) == "NOERROR"
    daemon.api.put_vpc("vpc-undeclared", "127.0.0.0/8")
    assert seen("u.example", source="127.0.0.1") == "NOERROR"
    daemon.api.delete_vpc("vpc-undeclared")
    assert seen("u.example", source="127.0.0.1") == "REFUSED"


def test_strict_vpc_of_all_addresses_has_the_loopback_too(start):
    """No longer prefix takes it away."""
    daemon = start("--strict-vpcs", "--vpc", "all=0.0.0.0/0,::/0",
                   listen=["127.0.0.1:0", "[::1]:0"])
    daemon.api.private("all.example", "all", ttl=3)
    for where in ({"source": "127.0.0.1"}, {"source": OUTSIDE}, {"listener": 1}):
        assert daemon.ask("all.example", "SOA", **where).answer[0].ttl == 3


def test_vpc_of_a_listener_is_declared_by_it(start):
    """Namespaces may name it; who asks at another listener is not in it."""
    daemon = start("--strict-vpcs", listen=["127.0.0.1:0", "127.0.53.2:0=vpc-l"])
    assert daemon.api.vpcs() == {"vpc-l": ([], True)}
    daemon.api.private("l.example", "vpc-l")
    daemon.api.failed("CreatePrivateDnsNamespace", Name="n.example", Vpc="vpc-no")
    reply = daemon.api.raw("Gazetteer.PutVpc", VpcId="vpc-l", Cidrs=["127.0.0.0/8"])
    assert (reply.status, reply.code) == (400, "InvalidInput")
    for source in ("127.0.0.1", "127.0.53.2", OUTSIDE):
        assert rcode(daemon.ask("l.example", "SOA", source=source)) == "REFUSED"
        inside = daemon.ask("l.example", "SOA", source=source, listener=1)
        assert rcode(inside) == "NOERROR"


def test_vpc_of_a_listener_has_no_loopback_prefixes(start):
    """Not even where undeclared VPCs have them."""
    daemon = start(listen=["127.0.0.1:0", "127.0.53.2:0=vpc-l"])
    daemon.api.private("l.example", "vpc-l")
    assert rcode(daemon.ask("l.example", "SOA", source="127.0.0.1")) == "REFUSED"
    assert daemon.ask("l.example", "SOA", source="127.0.0.1", listener=1).answer


def test_ipv4_mapped_prefix_is_the_ipv4_prefix(start):
    """On the command line and in PutVpc, which gives it back as that."""
    daemon = start("--vpc", "vpc-m=::ffff:127.0.30.0/120", "--strict-vpcs")
    api = daemon.api
    vpc = api.put_vpc("vpc-n", "::ffff:127.0.40.0/120", "::FFFF:7f00:3201/128")["Vpc"]
    wanted = ["127.0.40.0/24", "127.0.50.1/32"]
    assert vpc == {"VpcId": "vpc-n", "Cidrs": wanted, "Fixed": False}
    assert api.vpcs() == {"vpc-m": (["127.0.30.0/24"], True), "vpc-n": (wanted, False)}
    api.private("m.example", "vpc-m", ttl=1)
    api.private("m.example", "vpc-n", ttl=2)
    for source, ttl in ((IN_B, 1), ("127.0.30.255", 1), ("127.0.40.9", 2),
                        ("127.0.50.1", 2)):
        assert daemon.ask("m.example", "SOA", source=source).answer[0].ttl == ttl
    for source in ("127.0.31.0", "127.0.50.2"):
        assert rcode(daemon.ask("m.example", "SOA", source=source)) == "REFUSED"


# ---- static zones ----


def test_second_file_of_one_origin_is_left_out(start, home):
    """The case of a file's name does not make another zone; the log names the file."""
    zones = write_zones(home, Dup="www A 192.0.2.1\n", dup="www A 192.0.2.2\n",
                        other="www A 192.0.2.3\n")
    daemon = start("--zones", zones)
    served = gaz.addresses(daemon.ask("www.dup"))
    assert served in (["192.0.2.1"], ["192.0.2.2"])
    left_out = "dup.zone" if served == ["192.0.2.1"] else "Dup.zone"
    (line,) = [line for line in daemon.log if "zone-file-left-out" in line]
    assert f"{zones}/{left_out}:" in line
    assert gaz.addresses(daemon.ask("www.other")) == ["192.0.2.3"]


def many_addresses(count):
    return "".join(f"many A 10.1.{n // 256}.{n % 256}\n" for n in range(count))


def test_rrset_that_fits_into_no_message_is_left_out(start, home):
    """5,000 addresses are more than 65,535 octets; 3,000 are answered over TCP."""
    zones = write_zones(home, **{"big.example": many_addresses(5000),
                                 "fits.example": many_addresses(3000)})
    daemon = start("--zones", zones)
    (line,) = [line for line in daemon.log if "zone-file-left-out" in line]
    number = int(re.search(r"/big\.example\.zone:(\d+):", line).group(1))
    assert len(ZONE_HEAD.splitlines()) < number <= 5003
    assert rcode(daemon.ask("many.big.example")) == "REFUSED"
    full = daemon.ask("many.fits.example", tcp=True)
    assert len(set(gaz.addresses(full))) == 3000 and not full.flags & dns.flags.TC
    for edns in (None, 4096, 65535):
        assert daemon.ask("many.fits.example", edns=edns).flags & dns.flags.TC


@pytest.fixture(scope="module")
def chains(tmp_path_factory):
    """Chains of eight and of nine CNAMEs, loops, and a wildcard that meets itself."""
    home = tmp_path_factory.mktemp("chains", numbered=True)
    chain = [f"{kind}{n} CNAME {kind}{n + 1 if n < last else 'end'}\n"
             for kind, last in (("c", 8), ("n", 9)) for n in range(1, last + 1)]
    loops = [f"l{n} CNAME l{n % 3 + 1}\n" for n in (1, 2, 3)]
    zones = write_zones(home, **{"ch.example": "".join(chain + loops) + (
        "cend A 192.0.2.8\nnend A 192.0.2.9\nself CNAME self\nto1 CNAME l1\n"
        "*.wloop CNAME q.wloop\n*.w CNAME cend\n")})
    daemon = gaz.Daemon(home, *gaz.VPC_OPTIONS, "--zones", zones).start()
    try:
        yield daemon
    finally:
        daemon.finish()


@pytest.mark.parametrize("first, chain", [
    ("c1", "c1 c2 c3 c4 c5 c6 c7 c8 cend 192.0.2.8"),
    ("n1", "n1 n2 n3 n4 n5 n6 n7 n8 n9"),  # the client asks on
    ("n2", "n2 n3 n4 n5 n6 n7 n8 n9 nend 192.0.2.9"),
    ("self", "self self"), ("l1", "l1 l2 l3 l1"), ("to1", "to1 l1 l2 l3 l1"),
    ("z.wloop", "z.wloop q.wloop q.wloop"), ("q.wloop", "q.wloop q.wloop"),
    ("z.w", "z.w cend 192.0.2.8")])
@pytest.mark.parametrize("tcp", [False, True])
def test_cname_chain_ends_and_repeats_nothing(chains, first, chain, tcp):
    """At the address, after eight CNAMEs, or where it comes back to a name."""
    reply = chains.ask(f"{first}.ch.example", tcp=tcp)
    assert rcode(reply) == "NOERROR"
    names = chain.split()
    wanted = []
    for owner, target in zip(names, names[1:]):
        kind, tail = ("A", "") if target[0].isdigit() else ("CNAME", ".ch.example.")
        wanted.append(f"{owner}.ch.example. 300 IN {kind} {target}{tail}")
    # Nothing is merged: a record that came twice would be counted twice.
    assert lines(reply.answer) == wanted
    wire = chains.ask_wire(gaz.query(f"{first}.ch.example").to_wire(), IN_A, tcp)
    assert int.from_bytes(wire[6:8], "big") == len(wanted)


# ---- messages ----


def test_long_padding_is_answered(daemon):
    """An EDNS padding option of 2,200 octets (RFC 7830), over UDP and TCP."""
    daemon.api.public("x.example", ttl=3)
    padding = [dns.edns.GenericOption(dns.edns.OptionType.PADDING, bytes(2200))]
    message = gaz.query("x.example", "SOA", edns=1232, options=padding)
    wire = message.to_wire(max_size=65535)
    assert len(wire) > 2200
    for tcp in (False, True):
        reply = dns.message.from_wire(daemon.ask_wire(wire, IN_A, tcp))
        assert message.is_response(reply) and rcode(reply) == "NOERROR"
        assert reply.answer[0].ttl == 3 and reply.edns == 0


def notify(hint):
    """With a hint it holds the new SOA record, as most primaries send it (RFC 1996)."""
    message = dns.message.make_query("x.example", "SOA")
    message.set_opcode(dns.opcode.NOTIFY)
    if hint:
        message.answer.append(dns.rrset.from_text("x.example.", 60, "IN", "SOA",
                                                  "a. b. 1 2 3 4 5"))
    return message


def update(prerequisites):
    """An addition and a deletion; prerequisites of class ANY and NONE (RFC 2136)."""
    message = dns.update.UpdateMessage("x.example")
    if prerequisites:
        message.present("www")
        message.absent("new", "A")
    message.add("new", 60, "A", "192.0.2.1")
    message.delete("old")
    return message


@pytest.mark.parametrize("make, more", [(notify, False), (notify, True), (update, False),
                                        (update, True)])
@pytest.mark.parametrize("tcp", [False, True])
def test_other_opcodes_are_answered_with_edns(daemon, make, more, tcp):
    """NOTIMP with an OPT record where the message had one, without where not."""
    daemon.api.public("x.example", ttl=3)
    for edns in (-1, 0):
        message = make(more)
        message.use_edns(edns, payload=1232)
        wire = daemon.ask_wire(message.to_wire(), IN_A, tcp)
        assert wire[:2] == message.id.to_bytes(2, "big")
        reply = dns.message.from_wire(wire)
        assert reply.opcode() == message.opcode() and rcode(reply) == "NOTIMP"
        assert reply.edns == edns
        assert not reply.flags & dns.flags.TC


# ---- operations, services and names ----


def test_update_of_a_namespace_in_creation_is_a_duplicate(start):
    """It names the create that is in flight; the id and the ARN are the same."""
    api = start(*gaz.VPC_OPTIONS, "--operation-delay", "3600000").api
    operation = api.ok("CreatePrivateDnsNamespace", Name="p.example",
                       Vpc=VPC_A)["OperationId"]
    namespace = api.operation(operation)["Targets"]["NAMESPACE"]
    arn = f"arn:aws:servicediscovery:{gaz.REGION}:{gaz.ACCOUNT}:namespace/{namespace}"
    for name in (namespace, arn):
        body = api.fails("DuplicateRequest", "UpdatePrivateDnsNamespace", Id=name,
                         Namespace={"Description": "x"})
        assert body["DuplicateOperationId"] == operation
    api.fails("NamespaceNotFound", "UpdatePrivateDnsNamespace", Id="ns-nosuch",
              Namespace={"Description": "x"})


def test_both_places_of_the_namespace_id_are_resolved(api):
    """An id and an ARN of one namespace are the same; of two they are not. The inner
    place has no room for an ARN: 64 characters, as Cloud Map has it."""
    one, two = api.public("one.example"), api.public("two.example")
    arn = api.namespace(one)["Arn"]

    def service(name, outer, inner):
        return {"Name": name, "NamespaceId": outer, "DnsConfig": {
            "NamespaceId": inner, "DnsRecords": [{"Type": "A", "TTL": 1}]}}

    for number, outer in enumerate((arn, one)):
        found = api.ok("CreateService", **service(f"s{number}", outer, one))["Service"]
        assert found["NamespaceId"] == found["DnsConfig"]["NamespaceId"] == one
    for outer, inner in ((arn, two), (one, two), (arn, "ns-nosuch"), (one, arn)):
        api.fails("InvalidInput", "CreateService", **service("t", outer, inner))
    assert [api.namespace(n)["ServiceCount"] for n in (one, two)] == [2, 0]


def test_escaped_name_is_the_same_name(api):
    r"""\097 is another way to write an a: one zone, one VPC."""
    first = api.private("a.test", VPC_A)
    zone = api.namespace(first)["Properties"]["DnsProperties"]["HostedZoneId"]
    for name in (r"\097.test", r"\065.test.", r"\a.te\115t"):
        ended = api.failed("CreatePrivateDnsNamespace", Name=name, Vpc=VPC_A)
        assert ended["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE"
        assert "ConflictingDomainExists" in ended["ErrorMessage"]
        assert zone in ended["ErrorMessage"]
    api.private(r"\097.test", gaz.VPC_B)
    assert len(api.ok("ListNamespaces")["Namespaces"]) == 2


def test_filters_are_limited_in_number_and_values(shared):
    """One more of either is InvalidInput; as many as may be are taken."""
    def filters(count, values):
        return [{"Name": "STATUS", "Values": ["SUCCESS"] * values,
                 "Condition": "IN" if values > 1 else "EQ"}] * count

    shared.api.fails("InvalidInput", "ListOperations", Filters=filters(1, 101))
    shared.api.fails("InvalidInput", "ListOperations", Filters=filters(21, 1))
    shared.api.fails("InvalidInput", "ListOperations", Filters=filters(1, 50000))
    assert shared.api.raw("ListOperations", Filters=filters(20, 100)).status == 200


def test_oldest_operations_go_when_there_are_too_many(start):
    """Five stay; a sixth may wait for the next change. A restart changes nothing."""
    daemon = start("--operation-max", "5")
    made = []
    for number in range(15):
        daemon.api.http(f"n{number}")
        made.append(daemon.api.ok("ListOperations")["Operations"][0]["Id"])
    assert len(set(made)) == 15
    for restarted in (False, True):
        if restarted:
            daemon.restart(kill=True)
        api = daemon.api
        left = [op["Id"] for op in api.ok("ListOperations")["Operations"]]
        assert left in (made[:-6:-1], made[:-7:-1])
        for operation in made[-5:]:
            assert api.operation(operation)["Status"] == "SUCCESS"
        for operation in made[:-6]:
            api.fails("OperationNotFound", "GetOperation", OperationId=operation)
    assert len(daemon.api.ok("ListNamespaces")["Namespaces"]) == 15


# ---- start ----


@pytest.mark.parametrize("size", [4, 8, 12, 16])
def test_full_disk_at_start_is_not_called_damage(home, size):
    """A file system of so many KiB, in a mount namespace of its own."""
    disk = f"{home}/disk"
    os.mkdir(disk)
    options = ["--listen", "127.0.0.1:0", "--api", "none", "--socket", f"{home}/s.sock",
               "--data", f"{disk}/data"]
    script = f'mount -t tmpfs -o size={size}k tmpfs {disk} && exec "$@"'
    done = gaz.run(["unshare", "--mount", "sh", "-c", script, "sh", GAZETTEERD, *options],
                   home, expect=1, patience=gaz.PATIENCE / 2)
    (line,) = done.stderr.splitlines()
    assert "cannot open the store" in line and f"{disk}/data" in line
    assert "damaged" not in line


@pytest.mark.parametrize("tail", ["/", "//", ""])
def test_missing_folders_are_created(home, tail):
    """The data's own is nobody else's; of the socket every parent is made."""
    daemon = gaz.Daemon(home)
    folder = f"{home}/var/lib/store"
    daemon.data = folder + tail
    daemon.socket = pathlib.Path(f"{home}/run/a/b/c/api.sock")
    daemon.start()
    try:
        assert stat.S_IMODE(os.stat(folder).st_mode) == 0o700
        assert os.path.exists(f"{folder}/data.mdb")
        assert daemon.unix_api.raw("ListNamespaces").status == 200
    finally:
        daemon.finish()


@pytest.mark.parametrize("options, config, word", [
    (["--data", "store", "--ephemeral"], None, "--ephemeral"),
    (["--ephemeral"], {"data": "store"}, "--ephemeral"),
    (["--ephemeral", "--vpc", "a=10.0.0.0/8,,"], None, "--vpc"),
    (["--ephemeral", "--vpc", "a=,10.0.0.0/8"], None, "--vpc"),
    (["--ephemeral"], {"listen": []}, "listen"),
    (["--ephemeral", "--vpc", "v" * 65 + "=10.0.0.0/8"], None, "v" * 65),
    (["--ephemeral", "--listen", "127.0.0.1:0=" + "v" * 65], None, "v" * 65),
    (["--ephemeral"], {"vpc": ["v" * 65 + "=10.0.0.0/8"]}, "v" * 65)])
def test_contradictions_are_refused_in_one_line(home, options, config, word):
    """Exit status 2, and nothing is made."""
    if config is not None:
        file = pathlib.Path(home) / "gaz.json"
        file.write_text(json.dumps(config), encoding="utf-8")
        options = ["--config", str(file), *options]
    text = gaz.refused_start(home, "--api", "none", "--socket", f"{home}/s.sock", *options,
                             expect=2)
    assert len(text.splitlines()) == 1 and word in text
    assert set(os.listdir(home)) <= {"gaz.json"}


def test_longest_vpc_id_of_the_command_line(start):
    """64 characters, as in the API."""
    daemon = start("--vpc", "v" * 64 + "=127.0.10.0/24", listen=[f"127.0.0.1:0={'w' * 64}"])
    assert set(daemon.api.vpcs()) == {"v" * 64, "w" * 64}


def test_clients_write_no_lines_into_the_log(start):
    """Every line is the daemon's own, whatever a name, an id or a text holds."""
    daemon = start("--log-level", "debug")
    api, forged = daemon.api, "x\nforged line\r\n\x1b[2J"
    api.private("l.example", forged[:64])
    api.put_vpc(forged, "127.0.40.0/24")
    api.delete_vpc(forged)
    namespace = api.public("p.example", Description=forged, CreatorRequestId=forged,
                           Tags=[{"Key": "a", "Value": "b"}])
    service = api.service(namespace, "s", Description=forged, CreatorRequestId=forged)
    api.register(service, "i", "10.0.0.1", custom="x forged line")
    for operation, members in (
            ("GetNamespace", {"Id": forged}), ("GetOperation", {"OperationId": forged}),
            ("RegisterInstance", {"ServiceId": service, "InstanceId": forged,
                                  "Attributes": {forged: forged}}),
            ("CreateHttpNamespace", {"Name": forged}),
            ("Gazetteer.DeleteVpc", {"VpcId": forged})):
        assert api.raw(operation, **members).status == 400
    api.deregister(service, "i")
    api.ok("DeleteService", Id=service)
    api.done("DeleteNamespace", Id=namespace)
    daemon.ask("forged\\010line.p.example")
    daemon.stop()
    for event in ("namespace-created", "namespace-deleted", "service-created"):
        assert any(f" debug {event} " in line for line in daemon.log), event
    for line in daemon.log:
        assert LOG_LINE.match(line) and "forged" not in line and "\x1b" not in line, line
