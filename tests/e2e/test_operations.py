# SPDX-License-Identifier: BSD-2-Clause
"""Operations: their life, their locks, their list."""

import re
import time

import pytest

import gaz
from gaz import ACCOUNT, NEVER, VPC_A, VPC_B

OPERATION_ID = re.compile(r"^[a-z2-7]{32}-[0-9a-z]{8}$")
LIVE = ("SUBMITTED", "PENDING")


def start_create(api, name="p.example", vpc=VPC_A, **members):
    return api.ok("CreatePrivateDnsNamespace", Name=name, Vpc=vpc, **members)["OperationId"]


def test_operation_reads_back_whole(api):
    """Every member of GetOperation after success, and nothing else."""
    before = time.time()
    operation = start_create(api)
    found = api.wait(operation)
    created, updated = found.pop("CreateDate"), found.pop("UpdateDate")
    assert before - 0.01 <= created <= updated <= time.time()
    namespace = found["Targets"]["NAMESPACE"]
    assert found == {"Id": operation, "Status": "SUCCESS", "Type": "CREATE_NAMESPACE",
                     "OwnerAccount": ACCOUNT, "Targets": {"NAMESPACE": namespace}}
    assert OPERATION_ID.match(operation)
    assert int(operation.split("-")[1], 36) == round(created * 1000)
    assert api.namespace(namespace)["CreateDate"] <= updated


def test_operation_ids_share_their_prefix_by_target(api):
    """Create and delete of one namespace; register and deregister of one instance."""
    def prefix(operation):
        return operation["Id"].split("-")[0]

    made = api.done("CreatePublicDnsNamespace", Name="p.example")
    namespace = made["Targets"]["NAMESPACE"]
    service = api.service(namespace, "s")
    one, two = api.register(service, "i", "10.0.0.1"), api.deregister(service, "i")
    other = api.register(service, "j", "10.0.0.1")
    assert prefix(one) == prefix(two) != prefix(other)
    api.deregister(service, "j")
    api.ok("DeleteService", Id=service)
    gone = api.done("DeleteNamespace", Id=namespace)
    assert prefix(made) == prefix(gone)
    assert made["Id"] != gone["Id"]


def test_targets_name_what_was_touched(api):
    """Instance operations carry SERVICE and INSTANCE."""
    service = api.service(api.public("p.example"), "s")
    for ended, kind in ((api.register(service, "i", "10.0.0.1"), "REGISTER_INSTANCE"),
                        (api.deregister(service, "i"), "DEREGISTER_INSTANCE")):
        assert ended["Type"] == kind
        assert ended["Targets"] == {"SERVICE": service, "INSTANCE": "i"}


def test_failed_operation_explains_itself(api):
    """FAIL has code and message, keeps its targets and leaves nothing else."""
    api.private("p.example")
    before = api.ok("ListNamespaces")
    ended = api.failed("CreatePrivateDnsNamespace", Name="P.Example", Vpc=VPC_A)
    assert ended["ErrorCode"] == "CANNOT_CREATE_HOSTED_ZONE"
    assert "ConflictingDomainExists" in ended["ErrorMessage"]
    assert VPC_A in ended["ErrorMessage"]
    api.fails("NamespaceNotFound", "GetNamespace", Id=ended["Targets"]["NAMESPACE"])
    assert api.ok("ListNamespaces") == before


def test_unknown_operation(api):
    """OperationNotFound names the id."""
    body = api.fails("OperationNotFound", "GetOperation", OperationId="nosuch-1")
    assert "nosuch-1" in body["Message"]


def test_owner_account_is_checked_for_its_form(api):
    """Twelve digits are asked for; our own account finds our operation."""
    operation = start_create(api)
    assert api.ok("GetOperation", OperationId=operation,
                  OwnerAccount=ACCOUNT)["Operation"]["Id"] == operation
    api.fails("InvalidInput", "GetOperation", OperationId=operation, OwnerAccount="1")


def test_pending_create_is_invisible(start):
    """SUBMITTED or PENDING: not in Get, List or DNS, but in the operations."""
    daemon = start(*gaz.VPC_OPTIONS, *NEVER)
    api = daemon.api
    operation = start_create(api)
    found = api.operation(operation)
    assert found["Status"] in LIVE
    namespace = found["Targets"]["NAMESPACE"]
    api.fails("NamespaceNotFound", "GetNamespace", Id=namespace)
    assert api.ok("ListNamespaces")["Namespaces"] == []
    assert gaz.rcode(daemon.ask("p.example", "SOA")) == "REFUSED"
    assert [op["Id"] for op in api.ok("ListOperations")["Operations"]] == [operation]


@pytest.mark.parametrize("delay", ["1", "50", "400"])
def test_delayed_operation_ends_and_then_shows(start, delay):
    """The effect comes with SUCCESS, in the API and in DNS together."""
    daemon = start(*gaz.VPC_OPTIONS, "--operation-delay", delay)
    api = daemon.api
    operation = start_create(api)
    ended = api.wait(operation)
    assert ended["Status"] == "SUCCESS"
    assert ended["UpdateDate"] - ended["CreateDate"] >= int(delay) / 1000 - 0.001
    found = api.namespace(ended["Targets"]["NAMESPACE"])
    assert ended["CreateDate"] < found["CreateDate"] <= ended["UpdateDate"]
    assert gaz.rcode(daemon.ask("p.example", "SOA")) == "NOERROR"


def test_states_only_move_forward(start):
    """SUBMITTED, PENDING, SUCCESS; UpdateDate never goes back."""
    daemon = start("--operation-delay", "2000")
    api, order = daemon.api, ["SUBMITTED", "PENDING", "SUCCESS"]
    operation = start_create(api)
    seen = []

    def ended():
        seen.append(api.operation(operation))
        return seen[-1]["Status"] == "SUCCESS"

    gaz.until("success", ended)
    ranks = [order.index(found["Status"]) for found in seen]
    assert ranks == sorted(ranks)
    assert ranks[0] < 2
    dates = [found["UpdateDate"] for found in seen]
    assert dates == sorted(dates)


@pytest.mark.parametrize("call", ["CreateHttpNamespace", "CreatePrivateDnsNamespace",
                                  "CreatePublicDnsNamespace"])
def test_create_in_flight_locks_its_name_for_every_type(start, call):
    """DuplicateRequest names the running operation, in message and member."""
    api = start(*gaz.VPC_OPTIONS, *NEVER).api
    operation = start_create(api, "lock.example")
    members = {"Name": "Lock.Example"}
    if call == "CreatePrivateDnsNamespace":
        members["Vpc"] = VPC_B
    body = api.fails("DuplicateRequest", call, **members)
    assert body["DuplicateOperationId"] == operation
    assert body["Message"] == (f"Another operation of type CreatePrivateDnsNamespace and id "
                               f"{operation} is in progress")
    api.ok(call, **{**members, "Name": "other.example"})


def test_same_token_gives_the_same_operation(start):
    """An SDK's retry of a running call is not run again."""
    api = start(*gaz.VPC_OPTIONS, *NEVER).api
    first = start_create(api, CreatorRequestId="token", Description="d")
    assert start_create(api, CreatorRequestId="token", Description="d") == first
    assert len(api.ok("ListOperations")["Operations"]) == 1
    for changed in ({"CreatorRequestId": "other", "Description": "d"},
                    {"CreatorRequestId": "token", "Description": "other"}):
        body = api.fails("DuplicateRequest", "CreatePrivateDnsNamespace", Name="p.example",
                         Vpc=VPC_A, **changed)
        assert body["DuplicateOperationId"] == first


@pytest.mark.parametrize("call, members", [
    ("CreateHttpNamespace", {"Name": "t.example", "Tags": [{"Key": "a", "Value": "b"}]}),
    ("CreatePrivateDnsNamespace", {"Name": "t.example", "Vpc": VPC_A}),
    ("CreatePublicDnsNamespace", {"Name": "t.example", "Properties": {
        "DnsProperties": {"SOA": {"TTL": 3}}}})])
def test_same_token_after_the_end_gives_the_same_operation(daemon, call, members):
    """Also when it has ended, also after a crash."""
    api = daemon.api
    first = api.done(call, CreatorRequestId="token", **members)["Id"]
    assert api.ok(call, CreatorRequestId="token", **members)["OperationId"] == first
    daemon.restart(kill=True)
    api = daemon.api
    assert api.ok(call, CreatorRequestId="token", **members)["OperationId"] == first
    assert len(api.ok("ListNamespaces")["Namespaces"]) == 1


def test_updater_token_gives_the_same_operation(api):
    """The Update calls have a token of their own."""
    namespace = api.http("n")
    members = {"Id": namespace, "UpdaterRequestId": "u", "Namespace": {"Description": "1"}}
    first = api.done("UpdateHttpNamespace", **members)["Id"]
    assert api.ok("UpdateHttpNamespace", **members)["OperationId"] == first
    other = api.done("UpdateHttpNamespace", **{**members, "UpdaterRequestId": "v"})["Id"]
    assert other != first


def test_register_token_gives_the_same_operation(api):
    """RegisterInstance too; without it the registration runs again."""
    service = api.service(api.public("p.example"), "s")
    members = {"ServiceId": service, "InstanceId": "i", "CreatorRequestId": "c",
               "Attributes": {"AWS_INSTANCE_IPV4": "10.0.0.1"}}
    first = api.done("RegisterInstance", **members)["Id"]
    assert api.ok("RegisterInstance", **members)["OperationId"] == first


def test_namespace_operation_in_flight_locks_the_namespace(daemon, slow):
    """Update in flight: second update, delete are refused; the old state shows."""
    namespace = daemon.api.public("p.example", ttl=5)
    api = slow()
    change = {"Properties": {"DnsProperties": {"SOA": {"TTL": 6}}}}
    operation = api.ok("UpdatePublicDnsNamespace", Id=namespace,
                       Namespace=change)["OperationId"]
    for call, members in (("UpdatePublicDnsNamespace", {"Namespace": change}),
                          ("DeleteNamespace", {})):
        body = api.fails("DuplicateRequest", call, Id=namespace, **members)
        assert body["DuplicateOperationId"] == operation
        assert "UpdatePublicDnsNamespace" in body["Message"]
    assert api.namespace(namespace)["Properties"]["DnsProperties"]["SOA"]["TTL"] == 5
    assert daemon.ask("p.example", "SOA").answer[0].ttl == 5


def test_delete_in_flight_keeps_the_namespace_but_takes_no_services(daemon, slow):
    """Still returned and served; CreateService does not find it any more."""
    namespace = daemon.api.public("p.example")
    api = slow()
    operation = api.ok("DeleteNamespace", Id=namespace)["OperationId"]
    assert api.namespace(namespace)["Id"] == namespace
    assert gaz.rcode(daemon.ask("p.example", "SOA")) == "NOERROR"
    body = api.fails("DuplicateRequest", "DeleteNamespace", Id=namespace)
    assert body["DuplicateOperationId"] == operation
    assert "DeleteNamespace" in body["Message"]
    api.fails("NamespaceNotFound", "CreateService", Name="s", NamespaceId=namespace,
              DnsConfig={"DnsRecords": [{"Type": "A", "TTL": 1}]})
    reply = api.raw("UpdatePublicDnsNamespace", Id=namespace, Namespace={})
    assert reply.status == 400 and reply.code in ("ResourceInUse", "DuplicateRequest")


def test_instance_operation_in_flight_locks_the_instance(daemon, slow):
    """Register in flight: not counted, not in DNS; the service cannot go."""
    service = daemon.api.service(daemon.api.public("p.example"), "s")
    api = slow()
    members = {"ServiceId": service, "InstanceId": "i"}
    operation = api.ok("RegisterInstance", **members,
                       Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})["OperationId"]
    body = api.fails("DuplicateRequest", "RegisterInstance", **members,
                     Attributes={"AWS_INSTANCE_IPV4": "10.0.0.2"})
    assert body["DuplicateOperationId"] == operation
    assert body["Message"] == (f"Another operation of type RegisterInstance and id {operation} "
                               "is in progress")
    reply = api.raw("DeregisterInstance", **members)
    assert reply.status == 400 and reply.code in ("DuplicateRequest", "InstanceNotFound")
    assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == 0
    assert gaz.rcode(daemon.ask("s.p.example")) == "NXDOMAIN"
    api.fails("ResourceInUse", "DeleteService", Id=service)


def test_deregister_in_flight_keeps_the_instance(daemon, slow):
    """Counted and answered until the end; DeleteService fails meanwhile."""
    service = daemon.api.service(daemon.api.public("p.example"), "s")
    daemon.api.register(service, "i", "10.0.0.1")
    api = slow()
    members = {"ServiceId": service, "InstanceId": "i"}
    operation = api.ok("DeregisterInstance", **members)["OperationId"]
    body = api.fails("DuplicateRequest", "RegisterInstance", **members,
                     Attributes={"AWS_INSTANCE_IPV4": "10.0.0.2"})
    assert body["DuplicateOperationId"] == operation
    assert api.ok("GetService", Id=service)["Service"]["InstanceCount"] == 1
    assert gaz.addresses(daemon.ask("s.p.example")) == ["10.0.0.1"]
    api.fails("ResourceInUse", "DeleteService", Id=service)


@pytest.mark.parametrize("kill", [True, False], ids=["kill", "stop"])
def test_pending_operations_survive_and_end(daemon, kill):
    """Pending at the crash, ended after the restart, effect and all."""
    api = daemon.api
    old = api.public("old.example", ttl=5)
    service = api.service(api.public("svc.example"), "s")
    daemon.options += ["--operation-delay", "4000"]
    daemon.restart()
    api = daemon.api
    operations = [
        start_create(api, "new.example"),
        api.ok("UpdatePublicDnsNamespace", Id=old, Namespace={"Properties": {
            "DnsProperties": {"SOA": {"TTL": 6}}}})["OperationId"],
        api.ok("RegisterInstance", ServiceId=service, InstanceId="i",
               Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})["OperationId"]]
    before = [api.operation(operation) for operation in operations]
    daemon.restart(kill=kill)
    api = daemon.api
    for found in before:
        ended = api.wait(found["Id"])
        assert ended["Status"] == "SUCCESS"
        for member in ("Type", "CreateDate", "Targets"):
            assert ended[member] == found[member]
    assert gaz.rcode(daemon.ask("new.example", "SOA")) == "NOERROR"
    assert daemon.ask("old.example", "SOA").answer[0].ttl == 6
    assert gaz.addresses(daemon.ask("s.svc.example")) == ["10.0.0.1"]
    locked = api.ok("DeleteNamespace", Id=old)["OperationId"]
    assert api.operation(locked)["Status"] in LIVE


def test_boto3_sees_the_duplicate_operation_id(start):
    """The modelled class with its extra member."""
    daemon = start(*gaz.VPC_OPTIONS, *NEVER)
    client = daemon.boto()
    first = client.create_http_namespace(Name="n")["OperationId"]
    with pytest.raises(client.exceptions.DuplicateRequest) as caught:
        client.create_http_namespace(Name="n")
    assert caught.value.response["DuplicateOperationId"] == first


@pytest.fixture
def history(api):
    """Ten operations of every kind this daemon knows: name -> id."""
    made = {}

    def run(label, call, **members):
        made[label] = api.wait(api.ok(call, **members)["OperationId"])
        return made[label]["Targets"]

    namespace = run("create", "CreatePublicDnsNamespace", Name="h.example")["NAMESPACE"]
    run("update", "UpdatePublicDnsNamespace", Id=namespace, Namespace={"Description": "x"})
    run("create-http", "CreateHttpNamespace", Name="other")
    service = api.service(namespace, "s")
    second = api.service(namespace, "t")
    for label, target, instance in (("reg", service, "i"), ("reg2", second, "i")):
        run(label, "RegisterInstance", ServiceId=target, InstanceId=instance,
            Attributes={"AWS_INSTANCE_IPV4": "10.0.0.1"})
    run("dereg", "DeregisterInstance", ServiceId=service, InstanceId="i")
    api.private("c.example")
    run("fail", "CreatePrivateDnsNamespace", Name="c.example", Vpc=VPC_A)
    made["namespace"], made["service"] = namespace, service
    return made


def listed(api, *filters, **members):
    reply = api.ok("ListOperations", Filters=list(filters), **members)
    assert all(set(op) == {"Id", "Status"} for op in reply["Operations"])
    return [op["Id"] for op in reply["Operations"]]


def where(name, *values, condition=None):
    more = {"Condition": condition} if condition else {}
    return {"Name": name, "Values": list(values), **more}


def ids(history, labels):
    return {history[label]["Id"] for label in labels.split()}


def test_list_is_newest_first(api, history):
    """All of them, in the order of their submission, newest first."""
    found = listed(api)
    times = [int(operation.split("-")[1], 36) for operation in found]
    assert times == sorted(times, reverse=True)
    assert len(found) == 8
    assert ids(history, "create update create-http reg reg2 dereg fail") <= set(found)


def test_list_filters_by_namespace_and_service(api, history):
    """A namespace's list holds what happened inside it; ids and ARNs."""
    namespace, service = history["namespace"], history["service"]
    inside = ids(history, "create update reg reg2 dereg")
    arn = api.namespace(namespace)["Arn"]
    service_arn = api.ok("GetService", Id=service)["Service"]["Arn"]
    for value in (namespace, arn):
        assert set(listed(api, where("NAMESPACE_ID", value))) == inside
        assert set(listed(api, where("NAMESPACE_ID", value, condition="EQ"))) == inside
    for value in (service, service_arn):
        assert set(listed(api, where("SERVICE_ID", value))) == ids(history, "reg dereg")
    assert listed(api, where("NAMESPACE_ID", "ns-nosuch")) == []
    assert listed(api, where("SERVICE_ID", "srv-nosuch")) == []


def test_list_filters_by_status_and_type(api, history):
    """EQ and IN; SUCCEED is another word for SUCCESS."""
    every = set(listed(api))
    fail = ids(history, "fail")
    assert set(listed(api, where("STATUS", "FAIL"))) == fail
    assert set(listed(api, where("STATUS", "SUCCESS"))) == every - fail
    assert set(listed(api, where("STATUS", "SUCCEED"))) == every - fail
    assert set(listed(api, where("STATUS", "SUCCESS", "FAIL", condition="IN"))) == every
    assert listed(api, where("STATUS", "SUBMITTED", "PENDING", condition="IN")) == []
    assert set(listed(api, where("TYPE", "DEREGISTER_INSTANCE"))) == ids(history, "dereg")
    assert set(listed(api, where("TYPE", "REGISTER_INSTANCE", "UPDATE_NAMESPACE",
                                 condition="IN"))) == ids(history, "reg reg2 update")
    assert set(listed(api, where("TYPE", "CREATE_NAMESPACE"),
                      where("STATUS", "FAIL"))) == fail


@pytest.mark.parametrize("form", ["{ms}", "{s}", "{s}.{fraction}"])
def test_list_filters_by_update_date(api, history, form):
    """BETWEEN, inclusive, in milliseconds or seconds with or without fraction; a whole
    second is inside to its end."""
    def text(date):
        ms = round(date * 1000)
        return form.format(ms=ms, s=ms // 1000, fraction=f"{ms % 1000:03}")

    for label in ("create", "fail"):
        date = history[label]["UpdateDate"]
        found = listed(api, where("UPDATE_DATE", text(date), text(date),
                                  condition="BETWEEN"))
        assert history[label]["Id"] in found
    last = max(api.operation(operation)["UpdateDate"] for operation in listed(api))
    assert listed(api, where("UPDATE_DATE", text(last + 1), text(last + 60),
                             condition="BETWEEN")) == []
    assert listed(api, where("UPDATE_DATE", "0", text(last - 3600),
                             condition="BETWEEN")) == []


def test_the_mcs_controllers_own_call_finds_its_operation(daemon, history):
    """SERVICE_ID, STATUS IN, TYPE and UPDATE_DATE in ms up to a minute ahead."""
    start = round(history["reg"]["CreateDate"] * 1000)
    end = round(time.time() * 1000) + 60000
    found = daemon.boto().list_operations(Filters=[
        {"Name": "SERVICE_ID", "Values": [history["service"]], "Condition": "EQ"},
        {"Name": "STATUS", "Values": ["FAIL", "SUCCESS"], "Condition": "IN"},
        {"Name": "TYPE", "Values": ["REGISTER_INSTANCE"], "Condition": "EQ"},
        {"Name": "UPDATE_DATE", "Values": [str(start), str(end)], "Condition": "BETWEEN"}])
    assert [(op["Id"], op["Status"]) for op in found["Operations"]] == [
        (history["reg"]["Id"], "SUCCESS")]


@pytest.mark.parametrize("bad", [
    where("NAMESPACE_ID"), where("NAMESPACE_ID", "a", "b"), where("SERVICE_ID", "a", "b"),
    where("NAMESPACE_ID", "a", condition="IN"), where("NAMESPACE_ID", "a", "b",
                                                      condition="BETWEEN"),
    where("SERVICE_ID", "a", condition="BEGINS_WITH"), where("STATUS", "DONE"),
    where("STATUS", "success"), where("STATUS", "FAIL", "SUCCESS"),
    where("STATUS", "FAIL", "SUCCESS", condition="EQ"),
    where("STATUS", "FAIL", condition="BEGINS_WITH"), where("TYPE", "NONSENSE"),
    where("TYPE", "UPDATE_SERVICE", "NONSENSE", condition="IN"),
    where("UPDATE_DATE", "1", condition="BETWEEN"),
    where("UPDATE_DATE", "1", "2", "3", condition="BETWEEN"),
    where("UPDATE_DATE", "2", "1", condition="BETWEEN"), where("UPDATE_DATE", "1", "2"),
    where("UPDATE_DATE", "1", condition="EQ"), where("UPDATE_DATE", "1", "2", condition="IN"),
    where("UPDATE_DATE", "yesterday", "today", condition="BETWEEN"),
    where("UPDATE_DATE", "-5", "5", condition="BETWEEN"),
    where("UPDATE_DATE", "1e3", "9e99", condition="BETWEEN"),
    where("UPDATE_DATE", "1", "99999999999999999999999999", condition="BETWEEN")])
def test_wrong_filters_are_refused(shared, bad):
    """Number of values, condition, enum value, date."""
    shared.api.fails("InvalidInput", "ListOperations", Filters=[bad])
