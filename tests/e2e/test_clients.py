# SPDX-License-Identifier: BSD-2-Clause
"""Well-known clients, call by call as their sources make them. Terraform is in
test_terraform.py, the AWS SDK for JavaScript in test_js_sdk.py."""

import threading
import time

import pytest

import gaz
from gaz import records


@pytest.fixture
def client(daemon):
    return daemon.boto()


def wait(client, operation):
    """Terraform's waiter: SUBMITTED and PENDING go on, FAIL is an error with its text."""
    def ended():
        found = client.get_operation(OperationId=operation)["Operation"]
        assert found["Status"] in ("SUBMITTED", "PENDING", "SUCCESS"), (
            f"{found['ErrorCode']}: {found['ErrorMessage']}")
        return found if found["Status"] == "SUCCESS" else None
    return gaz.until("the operation", ended)


def services_of(client, namespace):
    pages = client.get_paginator("list_services").paginate(
        Filters=[{"Name": "NAMESPACE_ID", "Values": [namespace]}])
    return {s["Name"]: s for page in pages for s in page["Services"]}


def test_external_dns(daemon, client):
    """Everything from lists; nothing is ever polled; empty services go."""
    daemon.api.public("ext.example")
    daemon.api.http("other")
    pages = client.get_paginator("list_namespaces").paginate(
        Filters=[{"Name": "TYPE", "Values": ["DNS_PUBLIC"], "Condition": "EQ"}])
    (namespace,) = [ns for page in pages for ns in page["Namespaces"]]
    label = 'heritage=external-dns,external-dns/owner=me,external-dns/resource="x"'
    for name, kind, attribute, targets in (
            ("web", "A", "AWS_INSTANCE_IPV4", ["1.2.3.4", "5.6.7.8"]),
            ("alias", "CNAME", "AWS_INSTANCE_CNAME", ["lb.test"])):
        policy = "MULTIVALUE" if kind == "A" else "WEIGHTED"
        service = client.create_service(
            Name=name, Description=label, NamespaceId=namespace["Id"],
            DnsConfig=records(kind, ttl=300, policy=policy))["Service"]
        for target in targets:
            client.register_instance(ServiceId=service["Id"], InstanceId=target,
                                     Attributes={attribute: target})
    found = services_of(client, namespace["Id"])
    assert {name: s["Description"] for name, s in found.items()} == {"web": label,
                                                                     "alias": label}
    assert found["web"]["DnsConfig"]["DnsRecords"][0] == {"Type": "A", "TTL": 300}

    def targets(name):
        instances = client.discover_instances(NamespaceName=namespace["Name"],
                                              ServiceName=name)["Instances"]
        return sorted(i["InstanceId"] for i in instances)

    gaz.until("registrations", lambda: (targets("web"), targets("alias")) == (
        ["1.2.3.4", "5.6.7.8"], ["lb.test"]))
    assert gaz.texts(daemon.ask("web.ext.example")) == ["1.2.3.4", "5.6.7.8"]
    client.update_service(Id=found["web"]["Id"], Service={
        "Description": label, "DnsConfig": records("A", ttl=600)})
    client.deregister_instance(ServiceId=found["alias"]["Id"], InstanceId="lb.test")
    gaz.until("deregistration", lambda: targets("alias") == [])
    client.delete_service(Id=found["alias"]["Id"])
    assert list(services_of(client, namespace["Id"])) == ["web"]


def test_external_dns_with_many_services(daemon, client):
    """All of them in pages, with all that it needs: nothing is asked for one by one."""
    namespace, conn = daemon.api.public("ext.example"), daemon.api.connect()
    for number in range(201):
        daemon.api.ok("CreateService", conn=conn, Name=f"s{number}", NamespaceId=namespace,
                      Description=f"owner {number}", DnsConfig=records("A", ttl=number))
    conn.close()
    pages = list(client.get_paginator("list_services").paginate(
        Filters=[{"Name": "NAMESPACE_ID", "Values": [namespace]}], MaxResults=100))
    assert [len(page["Services"]) for page in pages] == [100, 100, 1]
    found = [s for page in pages for s in page["Services"]]
    assert {s["Name"]: (s["Description"], s["DnsConfig"]["DnsRecords"][0])
            for s in found} == {f"s{n}": (f"owner {n}", {"Type": "A", "TTL": n})
                                for n in range(201)}


def test_external_dns_without_a_type(daemon, client):
    """Its filter for the type is an empty list then; load balancers become aliases, and
    are listed as they were sent."""
    daemon.api.http("other")
    namespace = daemon.api.public("ext.example")
    assert len(client.list_namespaces(Filters=[])["Namespaces"]) == 2
    service = client.create_service(
        Name="lb", NamespaceId=namespace, Description="",
        DnsConfig=records("A", ttl=300, policy="WEIGHTED"))["Service"]["Id"]
    balancer = "name-1.us-east-1.elb.amazonaws.com"
    client.register_instance(ServiceId=service, InstanceId=balancer[:64],
                             Attributes={"AWS_ALIAS_DNS_NAME": balancer})
    (page,) = client.get_paginator("list_instances").paginate(ServiceId=service)
    assert page["Instances"][0]["Attributes"] == {"AWS_ALIAS_DNS_NAME": balancer}


def test_external_dns_moves_a_target(slow, daemon, client):
    """It takes the order for granted: who registers what is just leaving is refused."""
    service = daemon.api.serve(daemon.api.public("ext.example"), "web", "A")
    attributes = {"AWS_INSTANCE_IPV4": "1.2.3.4"}
    daemon.api.attach(service, "1.2.3.4", **attributes)
    slow()
    client = daemon.boto()
    leaving = client.deregister_instance(ServiceId=service, InstanceId="1.2.3.4")
    with pytest.raises(client.exceptions.DuplicateRequest) as caught:
        client.register_instance(ServiceId=service, InstanceId="1.2.3.4",
                                 Attributes=attributes)
    assert caught.value.response["DuplicateOperationId"] == leaving["OperationId"]


def test_mcs_controller(daemon, client):
    """SRV without a policy, empty values, operations polled through their list."""
    namespace = daemon.api.private("mcs.example")
    service = client.create_service(Name="svc", NamespaceId=namespace,
                                    DnsConfig=records("SRV"))["Service"]["Id"]
    start = int(time.time() * 1000)
    attributes = {"AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_PORT": "8080",
                  "ENDPOINT_PORT_NAME": "", "ENDPOINT_PROTOCOL": "TCP", "SVC_NAME": ""}
    started = {client.register_instance(ServiceId=service, InstanceId=f"tcp-10_0_0_1-{n}",
                                        Attributes=attributes)["OperationId"]
               for n in range(3)}

    def unfinished():
        pages = client.get_paginator("list_operations").paginate(Filters=[
            {"Name": "SERVICE_ID", "Values": [service], "Condition": "EQ"},
            {"Name": "STATUS", "Values": ["FAIL", "SUCCESS"], "Condition": "IN"},
            {"Name": "TYPE", "Values": ["REGISTER_INSTANCE"], "Condition": "EQ"},
            {"Name": "UPDATE_DATE", "Condition": "BETWEEN", "Values": [
                str(start), str(int(time.time() * 1000) + 60000)]}])
        done = {op["Id"]: op["Status"] for page in pages for op in page["Operations"]}
        assert set(done.values()) <= {"SUCCESS"}
        return started - set(done)

    gaz.until("the registrations", lambda: not unfinished())
    reply = client.discover_instances(NamespaceName="mcs.example", ServiceName="svc",
                                      HealthStatus="ALL", MaxResults=1000)
    assert [i["Attributes"] for i in reply["Instances"]] == [attributes] * 3
    assert len(gaz.texts(daemon.ask("svc.mcs.example", "SRV"))) == 3


def test_mcs_controller_in_an_http_namespace(daemon, client):
    """It makes the namespace by itself; without records instances need no address."""
    operation = wait(client, client.create_http_namespace(Name="mcs")["OperationId"])
    service = client.create_service(NamespaceId=operation["Targets"]["NAMESPACE"],
                                    Name="svc")["Service"]["Id"]
    for number, attributes in enumerate(({"CLUSTERSET_ID": "c1"}, {"CLUSTERSET_ID": "c2"})):
        wait(client, client.register_instance(
            ServiceId=service, InstanceId=f"i{number}", Attributes=attributes)["OperationId"])
    reply = client.discover_instances(NamespaceName="mcs", ServiceName="svc",
                                      HealthStatus="ALL", MaxResults=1000,
                                      QueryParameters={"CLUSTERSET_ID": "c2"})
    assert [i["Attributes"] for i in reply["Instances"]] == [{"CLUSTERSET_ID": "c2"}]
    client.deregister_instance(ServiceId=service, InstanceId="i0")
    assert client.list_services()["Services"][0]["InstanceCount"] == 1


def test_discovered_cname_has_no_address(daemon, client):
    """Nothing is made up for it."""
    service = daemon.api.serve(daemon.api.private("mcs.example"), "c", "CNAME",
                               policy="WEIGHTED")
    daemon.api.attach(service, "i", AWS_INSTANCE_CNAME="db.test")
    reply = client.discover_instances(NamespaceName="mcs.example", ServiceName="c")
    assert reply["Instances"][0]["Attributes"] == {"AWS_INSTANCE_CNAME": "db.test"}


def test_prometheus_target_groups(daemon, client):
    """Namespaces, their services, their instances, as targets."""
    api = daemon.api
    http, dns = api.http("shop"), api.private("shop.example")
    for service, instance, attributes in (
            (api.serve(http, "cart"), "a", {"AWS_INSTANCE_IPV4": "10.0.0.1",
                                            "AWS_INSTANCE_PORT": "9100"}),
            (api.serve(http, "bare"), "b", {"custom": "x"}),
            (api.serve(dns, "six", "AAAA"), "c", {"AWS_INSTANCE_IPV6": "2001:db8::1"})):
        api.attach(service, instance, **attributes)
    targets = {}
    for namespace in client.list_namespaces()["Namespaces"]:
        for service in client.list_services(Filters=[
                {"Name": "NAMESPACE_ID", "Values": [namespace["Id"]]}])["Services"]:
            reply = client.discover_instances(NamespaceName=namespace["Name"],
                                              ServiceName=service["Name"])
            found = [i["Attributes"] for i in reply["Instances"]]
            targets[namespace["Name"], service["Name"]] = [
                (a.get("AWS_INSTANCE_IPV4") or a.get("AWS_INSTANCE_IPV6"),
                 a.get("AWS_INSTANCE_PORT")) for a in found]
    assert targets == {("shop", "cart"): [("10.0.0.1", "9100")], ("shop", "bare"): [
        (None, None)], ("shop.example", "six"): [("2001:db8::1", None)]}


def test_prometheus_reads_first_pages_only(daemon, client):
    """A hundred on the first page, though others come before them."""
    conn = daemon.api.connect()
    other, mine = daemon.api.http("other"), daemon.api.http("mine")
    for number in range(100):
        for namespace in (other, mine):
            daemon.api.ok("CreateService", conn=conn, Name=f"s{number}", NamespaceId=namespace)
    conn.close()
    assert len(client.list_namespaces()["Namespaces"]) == 2
    reply = client.list_services(Filters=[{"Name": "NAMESPACE_ID", "Values": [mine],
                                           "Condition": "EQ"}])
    assert len(reply["Services"]) == 100 and "NextToken" not in reply


def test_grpc_resolver(daemon, client):
    """Dereferences address and port of everything that it gets."""
    api = daemon.api
    service = api.serve(api.http("grpc"), "svc", HealthCheckCustomConfig={})
    for number in range(3):
        api.register(service, f"i{number}", f"10.0.0.{number}", AWS_INSTANCE_PORT="50051")
    api.set_health(service, "i1", "UNHEALTHY")
    reply = client.discover_instances(NamespaceName="grpc", ServiceName="svc",
                                      HealthStatus="HEALTHY", MaxResults=100)
    found = sorted((i["Attributes"]["AWS_INSTANCE_IPV4"], i["Attributes"]["AWS_INSTANCE_PORT"])
                   for i in reply["Instances"])
    assert found == [("10.0.0.0", "50051"), ("10.0.0.2", "50051")]


def test_ecs_agent_style_health(daemon, client):
    """A new task is in DNS at once, unless it starts UNHEALTHY, and goes when told so."""
    service = client.create_service(
        Name="task", NamespaceId=daemon.api.private("ecs.example"), DnsConfig=records("A"),
        HealthCheckCustomConfig={"FailureThreshold": 1})["Service"]["Id"]
    for task, address, init in (("t1", "10.0.0.1", {}),
                                ("t2", "10.0.0.2", {"AWS_INIT_HEALTH_STATUS": "UNHEALTHY"})):
        reply = client.register_instance(ServiceId=service, InstanceId=task, Attributes={
            "AWS_INSTANCE_IPV4": address, "ECS_TASK_DEFINITION_FAMILY": "f", **init})
        wait(client, reply["OperationId"])
    assert gaz.texts(daemon.ask("task.ecs.example")) == ["10.0.0.1"]
    for task, status in (("t2", "HEALTHY"), ("t1", "UNHEALTHY")):
        client.update_instance_custom_health_status(ServiceId=service, InstanceId=task,
                                                    Status=status)
    assert gaz.texts(daemon.ask("task.ecs.example")) == ["10.0.0.2"]


def test_cdk_creates_in_parallel(slow, daemon, client):
    """Many stacks make one namespace: one does, the others are told which operation."""
    slow()
    client, wins, refused = daemon.boto(), [], []
    crowd, together = gaz.Crowd(), threading.Barrier(4)

    def deploy():
        together.wait(gaz.PATIENCE)
        try:
            wins.append(client.create_http_namespace(Name="cdk")["OperationId"])
        except client.exceptions.DuplicateRequest as error:
            refused.append(error.response)

    for _ in range(4):
        crowd.add(deploy)
    crowd.join()
    assert len(wins) == 1 and len(refused) == 3
    for response in refused:
        assert response["DuplicateOperationId"] == wins[0]
        assert response["Error"]["Message"] == (
            f"Another operation of type CreateHttpNamespace and id {wins[0]} is in progress")


def test_cdk_private_and_http_namespace_of_one_name(daemon, client):
    """They live side by side; a lookup by name meets both."""
    wait(client, client.create_private_dns_namespace(Name="cdk.example",
                                                     Vpc=gaz.VPC_A)["OperationId"])
    wait(client, client.create_http_namespace(Name="cdk.example")["OperationId"])
    found = client.list_namespaces(Filters=[
        {"Name": "NAME", "Values": ["cdk.example"], "Condition": "EQ"}])["Namespaces"]
    assert sorted(n["Type"] for n in found) == ["DNS_PRIVATE", "HTTP"]
    names = {n["Properties"]["HttpProperties"]["HttpName"] for n in found}
    assert len(names) == 2 and "cdk.example" in names


def test_ansible_deletes_twice(slow, daemon, client):
    """The second time is DuplicateRequest: the module takes it for success, and polls the
    operation that it names."""
    namespace = daemon.api.http("ansible")
    slow()
    client = daemon.boto()
    first = client.delete_namespace(Id=namespace)["OperationId"]
    with pytest.raises(client.exceptions.DuplicateRequest) as caught:
        client.delete_namespace(Id=namespace)
    assert caught.value.response["Error"]["Code"] == "DuplicateRequest"
    running = client.get_operation(
        OperationId=caught.value.response["DuplicateOperationId"])["Operation"]
    assert (running["Id"], running["Type"]) == (first, "DELETE_NAMESPACE")
    assert running["Targets"] == {"NAMESPACE": namespace}
