# SPDX-License-Identifier: BSD-2-Clause
"""Terraform's AWS provider, resource by resource: its calls in its order, and the
comparison of what it reads with what was asked for, which makes the next plan."""

import copy
import uuid

import pytest

import gaz
from gaz import IN_A, VPC_A, VPC_B


class Failed(Exception):
    """The error text of the provider's waiter."""


class Resource:
    """What the provider keeps of one resource, and how it makes a plan of that.

    `config` has the attributes that the user wrote, `state` those that were read last.
    """

    def __init__(self, client, **config):
        self.client, self.config, self.state, self.id = client, config, None, None
        self.create()
        self.read()

    def token(self):
        return "terraform-" + uuid.uuid4().hex[:20]

    def wait(self, reply):
        """SUBMITTED and PENDING go on; FAIL is an error made of its two texts."""
        def ended():
            found = self.client.get_operation(OperationId=reply["OperationId"])["Operation"]
            if found["Status"] == "FAIL":
                raise Failed(f"{found['ErrorCode']}: {found['ErrorMessage']}")
            assert found["Status"] in ("SUBMITTED", "PENDING", "SUCCESS")
            return found if found["Status"] == "SUCCESS" else None
        return gaz.until("the operation", ended)

    def tags_in(self):
        tags = [{"Key": k, "Value": v} for k, v in self.config.get("tags", {}).items()]
        return {"Tags": tags} if tags else {}

    def read_tags(self, arn):
        tags = self.client.list_tags_for_resource(ResourceARN=arn)["Tags"]
        return {tag["Key"]: tag["Value"] for tag in tags}

    def update_tags(self, wanted):
        old = self.state["tags"]
        gone = sorted(set(old) - set(wanted))
        if gone:
            self.client.untag_resource(ResourceARN=self.state["arn"], TagKeys=gone)
        new = [{"Key": k, "Value": v} for k, v in wanted.items() if old.get(k) != v]
        if new:
            self.client.tag_resource(ResourceARN=self.state["arn"], Tags=new)

    def plan(self):
        """Attribute -> (is, shall be). What was not written is not compared, unless
        leaving it out means something by itself."""
        wanted = {"description": "", "tags": {}, **copy.deepcopy(self.config)}
        self.read()
        return {name: (self.state[name], value) for name, value in wanted.items()
                if name in self.state and self.state[name] != value}

    def apply(self, **changes):
        """A new configuration; gives the names of what the plan changed."""
        self.config = {**self.config, **changes}
        planned = sorted(self.plan())
        self.update(planned)
        if "tags" in planned:
            self.update_tags(self.config.get("tags", {}))
        self.read()
        return planned


class Namespace(Resource):
    """aws_service_discovery_{http,private_dns,public_dns}_namespace."""

    def __init__(self, client, kind, **config):
        self.kind = kind
        super().__init__(client, **config)

    def call(self, verb):
        return getattr(self.client, f"{verb}_{self.kind}_namespace")

    def create(self):
        members = {"Name": self.config["name"], "CreatorRequestId": self.token(),
                   **self.tags_in()}
        if self.config.get("description"):
            members["Description"] = self.config["description"]
        if "vpc" in self.config:
            members["Vpc"] = self.config["vpc"]
        operation = self.wait(self.call("create")(**members))
        assert "NAMESPACE" in operation["Targets"], "operation response missing Namespace ID"
        self.id = operation["Targets"]["NAMESPACE"]

    def read(self):
        found = self.client.get_namespace(Id=self.id)["Namespace"]
        properties = found["Properties"]
        self.state = {"name": found["Name"], "description": found.get("Description", ""),
                      "arn": found["Arn"], "tags": self.read_tags(found["Arn"])}
        if self.kind == "http":
            self.state["http_name"] = properties["HttpProperties"]["HttpName"]
        else:
            self.state["hosted_zone"] = properties["DnsProperties"]["HostedZoneId"]

    def update(self, planned):
        if "description" in planned:
            self.wait(self.call("update")(
                Id=self.id, UpdaterRequestId=self.token(),
                Namespace={"Description": self.config["description"]}))

    def destroy(self):
        try:
            self.wait(self.client.delete_namespace(Id=self.id))
        except self.client.exceptions.NamespaceNotFound:
            return "was gone"


def _records(config):
    return [{"Type": kind, "TTL": ttl} for kind, ttl in config["dns_records"]]


class Service(Resource):
    """aws_service_discovery_service."""

    def create(self):
        c = self.config
        members = {"Name": c["name"], "CreatorRequestId": self.token(), **self.tags_in()}
        if c.get("description"):
            members["Description"] = c["description"]
        if "dns_config" in c:
            # The namespace of a DNS service stands here and nowhere else.
            members["DnsConfig"] = {"NamespaceId": c["dns_config"]["namespace_id"],
                                    "RoutingPolicy": c["dns_config"]["routing_policy"],
                                    "DnsRecords": _records(c["dns_config"])}
        for member, name in (("HealthCheckConfig", "health_check_config"),
                             ("HealthCheckCustomConfig", "health_check_custom_config"),
                             ("NamespaceId", "namespace_id"), ("Type", "type")):
            if name in c:
                members[member] = c[name]
        self.id = self.client.create_service(**members)["Service"]["Id"]

    def read(self):
        found = self.client.get_service(Id=self.id)["Service"]
        dns = found["DnsConfig"]
        self.state = {
            "name": found["Name"], "description": found.get("Description", ""),
            "arn": found["Arn"], "namespace_id": found["NamespaceId"], "type": found["Type"],
            "dns_config": dns and {
                "namespace_id": dns["NamespaceId"], "routing_policy": dns["RoutingPolicy"],
                "dns_records": [(r["Type"], r["TTL"]) for r in dns["DnsRecords"]]},
            "health_check_config": found.get("HealthCheckConfig"),
            "health_check_custom_config": found.get("HealthCheckCustomConfig"),
            "tags": self.read_tags(found["Arn"])}

    def update(self, planned):
        if set(planned) - {"tags"}:
            change = {"Description": self.config.get("description", "")}
            if "dns_config" in self.config:
                change["DnsConfig"] = {"DnsRecords": _records(self.config["dns_config"])}
            if "health_check_config" in self.config:
                change["HealthCheckConfig"] = self.config["health_check_config"]
            self.wait(self.client.update_service(Id=self.id, Service=change))

    def destroy(self, force=False):
        client = self.client
        if force:
            for page in client.get_paginator("list_instances").paginate(ServiceId=self.id):
                for instance in page["Instances"]:
                    self.wait(client.deregister_instance(ServiceId=self.id,
                                                         InstanceId=instance["Id"]))
        try:
            client.delete_service(Id=self.id)
        except client.exceptions.ServiceNotFound:
            return "was gone"


class Instance(Resource):
    """aws_service_discovery_instance; it has neither tags nor description."""

    def create(self):
        self.update(None)

    def update(self, planned):
        self.wait(self.client.register_instance(
            ServiceId=self.config["service_id"], InstanceId=self.config["instance_id"],
            CreatorRequestId=self.token(), Attributes=self.config["attributes"]))

    def read(self):
        found = self.client.get_instance(ServiceId=self.config["service_id"],
                                         InstanceId=self.config["instance_id"])["Instance"]
        if "AWS_EC2_INSTANCE_ID" in found["Attributes"]:
            del found["Attributes"]["AWS_INSTANCE_IPV4"]  # filled in by AWS: must be there
        self.state = {"instance_id": found["Id"], "attributes": found["Attributes"]}

    def destroy(self):
        self.wait(self.client.deregister_instance(ServiceId=self.config["service_id"],
                                                  InstanceId=self.config["instance_id"]))


@pytest.fixture
def client(daemon):
    return daemon.boto()


def dns_config(namespace, *found, policy="MULTIVALUE"):
    return {"namespace_id": namespace.id, "routing_policy": policy, "dns_records": list(found)}


NAMESPACES = [("http", {"name": "tf-acc-test-12345"}),
              ("private_dns", {"name": "tf-acc.tf", "vpc": VPC_A}),
              ("private_dns", {"name": "test-dns", "vpc": VPC_A}),
              ("public_dns", {"name": "tf-acc.terraformtest.example"})]


@pytest.mark.parametrize("kind, config", NAMESPACES)
def test_namespace(client, kind, config):
    """An empty plan after each apply; description and tags change in place."""
    namespace = Namespace(client, kind, **config)
    assert namespace.plan() == {}
    first = dict(namespace.state)
    assert namespace.apply(description="test", tags={"a": "1", "b": "2"}) == [
        "description", "tags"]
    assert namespace.plan() == {}
    assert namespace.apply(tags={"a": "3", "c": ""}) == ["tags"]
    assert namespace.plan() == {}
    assert namespace.apply(description="", tags={}) == ["description", "tags"]
    assert namespace.plan() == {} and namespace.state == first
    assert namespace.apply() == []
    namespace.destroy()
    with pytest.raises(client.exceptions.NamespaceNotFound):
        namespace.read()
    assert namespace.destroy() == "was gone"


@pytest.mark.parametrize("kind, config", NAMESPACES)
def test_namespace_created_whole(client, kind, config):
    """Description and tags from the start."""
    namespace = Namespace(client, kind, description="test", tags={"Name": "tf"}, **config)
    assert namespace.plan() == {}
    namespace.destroy()


def test_two_overlapping_private_namespaces(client):
    """The second fails through its operation, with the word that the provider's own test
    looks for; in another VPC it is made."""
    Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    with pytest.raises(Failed, match="CANNOT_CREATE_HOSTED_ZONE: .*ConflictingDomainExists"):
        Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    other = Namespace(client, "private_dns", name="tf.example", vpc=VPC_B)
    assert other.plan() == {}
    listed = [n["Name"] for n in client.list_namespaces(Filters=[
        {"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}])["Namespaces"]]
    assert listed == ["tf.example", "tf.example"]


def test_private_service(daemon, client):
    """TTLs and description in place; DNS follows; types and policy are as they were."""
    namespace = Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    service = Service(client, name="web", description="test", tags={"Name": "web"},
                      dns_config=dns_config(namespace, ("A", 5), ("AAAA", 6)),
                      health_check_custom_config={"FailureThreshold": 1})
    assert service.plan() == {}
    assert (service.state["namespace_id"], service.state["type"]) == (
        namespace.id, "DNS_HTTP")
    Instance(client, service_id=service.id, instance_id="i", attributes={
        "AWS_INSTANCE_IPV4": "10.0.0.1", "AWS_INSTANCE_IPV6": "2001:db8::1"})
    assert service.apply(description="", dns_config=dns_config(
        namespace, ("A", 10), ("AAAA", 5))) == ["description", "dns_config"]
    assert service.plan() == {}
    assert gaz.answer_ttls(daemon.ask("web.tf.example", "A")) == {"A": 10}
    assert gaz.answer_ttls(daemon.ask("web.tf.example", "AAAA")) == {"AAAA": 5}
    assert service.apply(tags={}) == ["tags"]
    with pytest.raises(client.exceptions.ResourceInUse, match="contains registered instances"):
        service.destroy()
    service.destroy(force=True)
    assert service.destroy() == "was gone"
    namespace.destroy()
    assert gaz.rcode(daemon.ask("web.tf.example")) == "REFUSED"


@pytest.mark.parametrize("sent", [{}, {"FailureThreshold": 1}, {"FailureThreshold": 5}])
def test_custom_health_check_comes_back_as_one(client, sent):
    """Whatever was sent: else every plan would replace the service."""
    namespace = Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    service = Service(client, name="s", dns_config=dns_config(namespace, ("A", 5)),
                      health_check_custom_config=sent)
    service.config["health_check_custom_config"] = {"FailureThreshold": 1}
    assert service.plan() == {}


def test_public_service(client):
    """A check of Route 53: path and threshold change, the type cannot, nor can a record's."""
    namespace = Namespace(client, "public_dns", name="tf.example.com")
    check = {"Type": "HTTP", "ResourcePath": "/path", "FailureThreshold": 5}
    service = Service(client, name="s", health_check_config=check,
                      dns_config=dns_config(namespace, ("A", 5), policy="WEIGHTED"))
    assert service.plan() == {}
    assert service.apply(health_check_config={
        **check, "ResourcePath": "/updated", "FailureThreshold": 3}) == ["health_check_config"]
    assert service.plan() == {}
    with pytest.raises(client.exceptions.InvalidInput,
                       match="Type of health check cannot be changed"):
        service.apply(health_check_config={"Type": "TCP", "FailureThreshold": 3})
    service.config["health_check_config"] = dict(service.state["health_check_config"])
    with pytest.raises(client.exceptions.InvalidInput, match=(
            r"Records in the existing service are \[A\], but the records in the request are "
            r"\[AAAA\]\. The record types of a service cannot be changed\.")):
        service.apply(dns_config=dns_config(namespace, ("AAAA", 5), policy="WEIGHTED"))


def test_http_services(client):
    """Without dns_config, in an HTTP namespace and, with type HTTP, in a private one."""
    for kind, config, more in (("http", {"name": "tf"}, {}),
                               ("private_dns", {"name": "tf", "vpc": VPC_A},
                                {"type": "HTTP"})):
        namespace = Namespace(client, kind, **config)
        service = Service(client, name="s", description="d", namespace_id=namespace.id,
                          **more)
        assert service.plan() == {}
        assert not service.state["dns_config"] and service.state["type"] == "HTTP"
        assert service.apply(tags={"k": "v"}) == ["tags"] and service.plan() == {}
    with pytest.raises(client.exceptions.InvalidInput,
                       match="When you specify an HTTP service, you can't include a DnsConfig"):
        Service(client, name="t", dns_config=dns_config(
            Namespace(client, "http", name="h"), ("A", 5)))


def test_instances(daemon, client):
    """Attributes are replaced as a whole; the plan is empty after each apply."""
    private = Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    http = Namespace(client, "http", name="tf")
    web = Service(client, name="web", dns_config=dns_config(private, ("A", 10)))
    plain = Service(client, name="plain", namespace_id=http.id)
    one = Instance(client, service_id=web.id, instance_id="tf-instance", attributes={
        "AWS_INSTANCE_IPV4": "172.18.0.1", "custom_attribute": "custom"})
    two = Instance(client, service_id=plain.id, instance_id="tf-instance", attributes={
        "AWS_EC2_INSTANCE_ID": "i-0abcdabcdabcdabcd", "custom_attribute": "custom"})
    assert one.plan() == two.plan() == {}
    assert gaz.texts(daemon.ask("web.tf.example", source=IN_A)) == ["172.18.0.1"]
    assert one.apply(attributes={"AWS_INSTANCE_IPV4": "172.18.0.2", "other": "x"}) == [
        "attributes"]
    assert two.apply(attributes={"AWS_EC2_INSTANCE_ID": "i-0abcdabcdabcdabcd"}) == [
        "attributes"]
    assert one.plan() == two.plan() == {}
    assert gaz.texts(daemon.ask("web.tf.example", source=IN_A)) == ["172.18.0.2"]
    for resource in (one, two, web, plain, private, http):
        resource.destroy()
    assert client.list_namespaces()["Namespaces"] == []


def test_delete_while_instances_leave(slow, daemon, client):
    """A deregistration takes its time; until it has ended the service stays in use."""
    namespace = Namespace(client, "private_dns", name="tf.example", vpc=VPC_A)
    service = Service(client, name="web", dns_config=dns_config(namespace, ("A", 10)))
    Instance(client, service_id=service.id, instance_id="i",
             attributes={"AWS_INSTANCE_IPV4": "172.18.0.1"})
    slow()
    client = daemon.boto()
    client.deregister_instance(ServiceId=service.id, InstanceId="i")
    with pytest.raises(client.exceptions.ResourceInUse):
        client.delete_service(Id=service.id)


def test_data_sources(client):
    """Namespaces by name and type, services by name in a namespace."""
    private = Namespace(client, "private_dns", name="tf.example", vpc=VPC_A, tags={"k": "v"})
    Namespace(client, "public_dns", name="tf.example")
    service = Service(client, name="web", dns_config=dns_config(private, ("A", 10)))
    pages = client.get_paginator("list_namespaces").paginate(Filters=[
        {"Name": "TYPE", "Values": ["DNS_PRIVATE"], "Condition": "EQ"}])
    (found,) = [n for page in pages for n in page["Namespaces"] if n["Name"] == "tf.example"]
    assert (found["Id"], private.read_tags(found["Arn"])) == (private.id, {"k": "v"})
    pages = client.get_paginator("list_services").paginate(Filters=[
        {"Name": "NAMESPACE_ID", "Values": [private.id], "Condition": "EQ"}])
    (found,) = [s for page in pages for s in page["Services"] if s["Name"] == "web"]
    assert found["Id"] == service.id and "NamespaceId" not in found
