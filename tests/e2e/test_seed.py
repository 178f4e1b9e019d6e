# SPDX-License-Identifier: BSD-2-Clause
"""The main job, end to end, with the clients that users have."""

import json
import shutil

import dns.message
import pytest

import gaz
from gaz import IN_A, OUTSIDE, VPC_A


def create_and_poll(client, call, **members):
    """Create with boto3 and poll the operation; gives the namespace id."""
    operation = getattr(client, call)(**members)["OperationId"]

    def ended():
        found = client.get_operation(OperationId=operation)["Operation"]
        return found if found["Status"] in ("SUCCESS", "FAIL") else None

    found = gaz.until("the create operation", ended)
    assert found["Status"] == "SUCCESS"
    assert found["Type"] == "CREATE_NAMESPACE"
    return found["Targets"]["NAMESPACE"]


def create_private(daemon, name="seed.example", ttl=7):
    return create_and_poll(daemon.boto(), "create_private_dns_namespace", Name=name, Vpc=VPC_A,
                           Properties={"DnsProperties": {"SOA": {"TTL": ttl}}})


def blank(wire):
    """A reply without its id and its question: what an outsider could compare."""
    message = dns.message.from_wire(wire)
    name = message.question[0].name
    end = 12 + len(name.to_wire()) + 4
    return wire[2:12] + wire[end:]


def test_boto3_creates_a_private_namespace_and_its_soa_answers(daemon):
    """Create with SOA.TTL 7, poll, read back, ask for the SOA."""
    client = daemon.boto()
    namespace = create_private(daemon)
    found = client.get_namespace(Id=namespace)["Namespace"]
    assert found["Name"] == "seed.example"
    assert found["Type"] == "DNS_PRIVATE"
    assert found["Properties"]["DnsProperties"]["SOA"]["TTL"] == 7
    assert found["Properties"]["HttpProperties"]["HttpName"] == "seed.example"
    assert found["ServiceCount"] == 0
    reply = daemon.ask("seed.example", "SOA")
    assert gaz.rcode(reply) == "NOERROR"
    assert reply.answer[0].ttl == 7
    assert [r.to_text() for r in reply.answer[0]] == [gaz.SOA_RDATA]


@pytest.mark.parametrize("tcp", [False, True])
def test_missing_name_is_nxdomain_with_the_soa_ttl(daemon, tcp):
    """The negative answer may be cached for SOA.TTL seconds."""
    create_private(daemon)
    reply = daemon.ask("nosuch.seed.example", tcp=tcp)
    assert gaz.rcode(reply) == "NXDOMAIN"
    assert not reply.answer
    (soa,) = reply.authority
    assert (soa.name.to_text(), soa.ttl, soa[0].to_text()) == ("seed.example.", 7,
                                                              gaz.SOA_RDATA)


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize("edns", [None, 1232])
@pytest.mark.parametrize("label", ["", "nosuch."])
@pytest.mark.parametrize("rdtype", ["SOA", "A", "NS", "ANY", "DS", "AXFR", "IXFR"])
def test_outside_cannot_tell_it_from_a_zone_never_created(daemon, tcp, edns, label, rdtype):
    """Byte for byte the same reply but for id and question."""
    create_private(daemon)
    inside = daemon.ask("seed.example", "SOA", source=IN_A, tcp=tcp, edns=edns)
    assert gaz.rcode(inside) == "NOERROR" and inside.answer
    hidden, absent = (daemon.ask_wire(gaz.query(label + zone, rdtype, edns=edns).to_wire(),
                                      OUTSIDE, tcp)
                      for zone in ("seed.example", "none.example"))
    assert blank(hidden) == blank(absent)
    transfers = {"AXFR": "NOTAUTH" if tcp else "NOTIMP", "IXFR": "NOTAUTH"}  # RFC 5936
    expected = transfers.get(rdtype, "REFUSED")
    assert gaz.rcode(dns.message.from_wire(hidden)) == expected


def test_public_namespace_answers_everybody(daemon):
    """The public twin of the seed story."""
    namespace = create_and_poll(daemon.boto(), "create_public_dns_namespace",
                                Name="open.example",
                                Properties={"DnsProperties": {"SOA": {"TTL": 9}}})
    assert daemon.api.namespace(namespace)["Type"] == "DNS_PUBLIC"
    for source in (IN_A, OUTSIDE, "127.0.0.1"):
        reply = daemon.ask("open.example", "SOA", source=source)
        assert reply.answer[0].ttl == 9
        missing = daemon.ask("nosuch.open.example", source=source)
        assert gaz.rcode(missing) == "NXDOMAIN"
        assert missing.authority[0].ttl == 9


def test_instances_of_a_service_resolve(daemon):
    """Namespace, service and instance with boto3, then the A record."""
    client, namespace = daemon.boto(), create_private(daemon)
    service = client.create_service(Name="web", NamespaceId=namespace, DnsConfig={
        "DnsRecords": [{"Type": "A", "TTL": 33}]})["Service"]["Id"]
    assert gaz.rcode(daemon.ask("web.seed.example")) == "NXDOMAIN"
    client.register_instance(ServiceId=service, InstanceId="i1",
                             Attributes={"AWS_INSTANCE_IPV4": "10.1.2.3"})
    reply = daemon.ask("web.seed.example")
    assert gaz.addresses(reply) == ["10.1.2.3"]
    assert reply.answer[0].ttl == 33
    client.deregister_instance(ServiceId=service, InstanceId="i1")
    assert gaz.rcode(daemon.ask("web.seed.example")) == "NXDOMAIN"
    client.delete_service(Id=service)
    client.delete_namespace(Id=namespace)
    assert gaz.rcode(daemon.ask("seed.example", "SOA")) == "REFUSED"


def test_dig_and_kdig_see_what_boto3_created(daemon):
    """The two query tools of Debian, over UDP and TCP, from both sides."""
    create_private(daemon)
    host, port = daemon.dns[0]
    for transport in ("+notcp", "+tcp"):
        for tool in ("dig", "kdig"):
            assert shutil.which(tool), f"{tool} is not installed"
            base = [tool, f"@{host}", "-p", port, transport]
            inside = base + ["-b", IN_A]
            soa = gaz.run([*inside, "+noall", "+answer", "seed.example", "SOA"],
                          daemon.home).stdout
            assert soa.split() == ["seed.example.", "7", "IN", "SOA",
                                   *gaz.SOA_RDATA.split()]
            missing = gaz.run([*inside, "nosuch.seed.example", "A"], daemon.home).stdout
            assert "NXDOMAIN" in missing and "\nseed.example." in missing
            outside = gaz.run([*base, "-b", OUTSIDE, "seed.example", "SOA"],
                              daemon.home).stdout
            assert "REFUSED" in outside and "awsdns" not in outside


def test_curl_speaks_to_the_management_socket(daemon):
    """The same API on the unix socket, by hand."""
    def call(operation, **members):
        done = gaz.run(["curl", "-sS", "--unix-socket", daemon.socket, "-X", "POST",
                        "-H", f"X-Amz-Target: {gaz.TARGET}{operation}",
                        "-H", f"Content-Type: {gaz.JSON}", "-d", json.dumps(members),
                        "http://localhost/"], daemon.home)
        return json.loads(done.stdout)

    operation = call("CreatePrivateDnsNamespace", Name="curl.example", Vpc=VPC_A,
                     Properties={"DnsProperties": {"SOA": {"TTL": 7}}})["OperationId"]
    ended = daemon.api.wait(operation)
    assert ended["Status"] == "SUCCESS"
    found = call("GetNamespace", Id=ended["Targets"]["NAMESPACE"])["Namespace"]
    assert found["Name"] == "curl.example"
    assert daemon.ask("curl.example", "SOA").answer[0].ttl == 7
    assert call("GetNamespace", Id="ns-nosuch")["__type"] == "NamespaceNotFound"


def aws(daemon, *args):
    """One call of the aws CLI; gives its JSON."""
    done = gaz.run(["aws", "--endpoint-url", daemon.endpoint, "--output", "json",
                    "servicediscovery", *args], daemon.home,
                   AWS_ACCESS_KEY_ID="AKIDEXAMPLE", AWS_SECRET_ACCESS_KEY="secret",
                   AWS_DEFAULT_REGION=gaz.REGION)
    return json.loads(done.stdout) if done.stdout.strip() else {}


def test_aws_cli_from_create_to_delete(daemon):
    """The aws CLI with nothing but an endpoint, a region and keys."""
    def ended(reply):
        found = aws(daemon, "get-operation", "--operation-id", reply["OperationId"])
        assert found["Operation"]["Status"] == "SUCCESS"
        return found["Operation"]["Targets"]

    namespace = ended(aws(daemon, "create-private-dns-namespace", "--name", "cli.example",
                          "--vpc", VPC_A, "--properties", "DnsProperties={SOA={TTL=7}}",
                          "--tags", "Key=k,Value=v"))["NAMESPACE"]
    listed = aws(daemon, "list-namespaces", "--filters",
                 "Name=TYPE,Values=DNS_PRIVATE,Condition=EQ", "--page-size", "1")
    assert [ns["Id"] for ns in listed["Namespaces"]] == [namespace]
    found = aws(daemon, "get-namespace", "--id", namespace)["Namespace"]
    assert found["Name"] == "cli.example"
    assert aws(daemon, "list-tags-for-resource", "--resource-arn", found["Arn"]) == {
        "Tags": [{"Key": "k", "Value": "v"}]}
    assert daemon.ask("cli.example", "SOA").answer[0].ttl == 7
    ended(aws(daemon, "update-private-dns-namespace", "--id", namespace, "--namespace",
              "Description=text,Properties={DnsProperties={SOA={TTL=8}}}"))
    assert daemon.ask("cli.example", "SOA").answer[0].ttl == 8
    service = aws(daemon, "create-service", "--name", "web", "--namespace-id", namespace,
                  "--dns-config", "DnsRecords=[{Type=A,TTL=5}]")["Service"]["Id"]
    ended(aws(daemon, "register-instance", "--service-id", service, "--instance-id", "i",
              "--attributes", "AWS_INSTANCE_IPV4=10.0.0.1"))
    assert gaz.addresses(daemon.ask("web.cli.example")) == ["10.0.0.1"]
    ended(aws(daemon, "deregister-instance", "--service-id", service, "--instance-id", "i"))
    aws(daemon, "delete-service", "--id", service)
    ended(aws(daemon, "delete-namespace", "--id", namespace))
    assert gaz.rcode(daemon.ask("cli.example", "SOA")) == "REFUSED"
    assert len(aws(daemon, "list-operations")["Operations"]) == 5


@pytest.mark.parametrize("kind", ["http", "private_dns", "public_dns"])
def test_boto3_from_create_to_delete(daemon, kind):
    """Every namespace call of the SDK, for each type."""
    client = daemon.boto()
    more = {"Vpc": VPC_A} if kind == "private_dns" else {}
    namespace = create_and_poll(client, f"create_{kind}_namespace", Name="b.example",
                                Tags=[{"Key": "k", "Value": "v"}], **more)
    change = {"Description": "text"}
    if kind != "http":
        change["Properties"] = {"DnsProperties": {"SOA": {"TTL": 8}}}
    operation = getattr(client, f"update_{kind}_namespace")(Id=namespace, Namespace=change)
    daemon.api.wait(operation["OperationId"])
    found = client.get_namespace(Id=namespace)["Namespace"]
    assert found["Description"] == "text"
    assert found["CreateDate"].tzinfo is not None
    (listed,) = client.list_namespaces()["Namespaces"]
    assert (listed["Id"], listed["Type"]) == (namespace, found["Type"])
    client.tag_resource(ResourceARN=found["Arn"], Tags=[{"Key": "l", "Value": "w"}])
    client.untag_resource(ResourceARN=found["Arn"], TagKeys=["k"])
    assert client.list_tags_for_resource(ResourceARN=found["Arn"])["Tags"] == [
        {"Key": "l", "Value": "w"}]
    operation = client.delete_namespace(Id=namespace)["OperationId"]
    ended = client.get_operation(OperationId=operation)["Operation"]
    assert (ended["Type"], ended["Status"]) == ("DELETE_NAMESPACE", "SUCCESS")
    assert len(client.list_operations()["Operations"]) == 3
    with pytest.raises(client.exceptions.NamespaceNotFound):
        client.get_namespace(Id=namespace)
