# SPDX-License-Identifier: BSD-2-Clause
"""Well-known clients, call by call as their sources make them."""

import time

import pytest

import gaz
from gaz import VPC_A, records


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


class Terraform:
    """What the AWS provider does for namespace, service and instance."""

    def __init__(self, client):
        self.client = client

    def apply(self):
        client = self.client
        reply = client.create_private_dns_namespace(
            Name="tf.example", Vpc=VPC_A, CreatorRequestId="terraform-1",
            Description="by terraform", Tags=[{"Key": "Name", "Value": "tf"}])
        self.namespace = wait(client, reply["OperationId"])["Targets"]["NAMESPACE"]
        reply = client.create_service(
            Name="web", CreatorRequestId="terraform-2", Tags=[{"Key": "Name", "Value": "web"}],
            DnsConfig={"NamespaceId": self.namespace, **records("A", ttl=10, policy="MULTIVALUE")},
            HealthCheckCustomConfig={"FailureThreshold": 5})
        self.service = reply["Service"]["Id"]
        self.register({"AWS_INSTANCE_IPV4": "172.18.0.1", "custom_attribute": "custom"})

    def register(self, attributes):
        reply = self.client.register_instance(
            ServiceId=self.service, InstanceId="tf-instance", CreatorRequestId=str(time.time()),
            Attributes=attributes)
        wait(self.client, reply["OperationId"])

    def tags(self, arn):
        return self.client.list_tags_for_resource(ResourceARN=arn)["Tags"]

    def refresh(self):
        """The attributes that Terraform compares with its configuration."""
        namespace = self.client.get_namespace(Id=self.namespace)["Namespace"]
        service = self.client.get_service(Id=self.service)["Service"]
        instance = self.client.get_instance(ServiceId=self.service,
                                            InstanceId="tf-instance")["Instance"]
        return {
            "namespace": (namespace["Name"], namespace["Description"], namespace["Arn"],
                          bool(namespace["Properties"]["DnsProperties"]["HostedZoneId"]),
                          self.tags(namespace["Arn"])),
            "service": (service["Name"], service.get("Description", ""),
                        service["DnsConfig"], service.get("HealthCheckConfig"),
                        service["HealthCheckCustomConfig"], service["Type"],
                        service["NamespaceId"], self.tags(service["Arn"])),
            "instance": (instance["Id"], instance["Attributes"])}

    def destroy(self):
        client = self.client
        for page in client.get_paginator("list_instances").paginate(ServiceId=self.service):
            for instance in page["Instances"]:
                reply = client.deregister_instance(ServiceId=self.service,
                                                   InstanceId=instance["Id"])
                wait(client, reply["OperationId"])
        client.delete_service(Id=self.service)
        with pytest.raises(client.exceptions.ServiceNotFound):
            client.get_service(Id=self.service)
        wait(client, client.delete_namespace(Id=self.namespace)["OperationId"])
        with pytest.raises(client.exceptions.NamespaceNotFound):
            client.get_namespace(Id=self.namespace)


def test_terraform(daemon, client):
    """Create, an empty plan, update in place, an empty plan, destroy."""
    terraform = Terraform(client)
    terraform.apply()
    first = terraform.refresh()
    assert first == terraform.refresh()
    assert first["service"] == (
        "web", "", {"NamespaceId": terraform.namespace,
                    **records("A", ttl=10, policy="MULTIVALUE")}, None,
        {"FailureThreshold": 1}, "DNS_HTTP", terraform.namespace,
        [{"Key": "Name", "Value": "web"}])
    assert first["namespace"][-1] == [{"Key": "Name", "Value": "tf"}]
    assert first["instance"] == ("tf-instance", {"AWS_INSTANCE_IPV4": "172.18.0.1",
                                                 "custom_attribute": "custom"})
    reply = client.update_service(Id=terraform.service, Service={
        "Description": "new", "DnsConfig": records("A", ttl=20)})
    wait(client, reply["OperationId"])
    terraform.register({"AWS_INSTANCE_IPV4": "172.18.0.2"})
    client.untag_resource(ResourceARN=first["namespace"][2], TagKeys=["Name"])
    second = terraform.refresh()
    assert second == terraform.refresh() and second["namespace"][-1] == []
    assert second["service"][1:3] == ("new", {
        "NamespaceId": terraform.namespace, **records("A", ttl=20, policy="MULTIVALUE")})
    reply = daemon.ask("web.tf.example")
    assert gaz.texts(reply) == ["172.18.0.2"] and gaz.answer_ttls(reply) == {"A": 20}
    terraform.destroy()
    assert gaz.rcode(daemon.ask("web.tf.example")) == "REFUSED"


def test_terraform_overlap_fails_through_the_operation(client):
    """The acceptance test of the provider matches this word."""
    Terraform(client).apply()
    reply = client.create_private_dns_namespace(Name="tf.example", Vpc=VPC_A)
    with pytest.raises(AssertionError, match="ConflictingDomainExists"):
        wait(client, reply["OperationId"])


def test_terraform_ec2_instance(client):
    """AWS fills the address in; everything else is as it was sent."""
    reply = client.create_http_namespace(Name="tf", CreatorRequestId="terraform")
    namespace = wait(client, reply["OperationId"])["Targets"]["NAMESPACE"]
    service = client.create_service(Name="s", NamespaceId=namespace)["Service"]
    assert service["NamespaceId"] == namespace
    sent = {"AWS_EC2_INSTANCE_ID": "i-0abcdabcdabcdabcd", "custom": "x"}
    reply = client.register_instance(ServiceId=service["Id"], InstanceId="i", Attributes=sent)
    wait(client, reply["OperationId"])
    got = client.get_instance(ServiceId=service["Id"], InstanceId="i")["Instance"]["Attributes"]
    assert got.pop("AWS_INSTANCE_IPV4") and got == sent


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
