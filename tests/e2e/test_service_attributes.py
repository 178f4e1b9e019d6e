# SPDX-License-Identifier: BSD-2-Clause
"""The attributes of services."""

import pytest

from gaz import ACCOUNT


@pytest.fixture
def service(api):
    return api.serve(api.public("x.example"), "s", "A")


def get(api, service):
    return api.ok("GetServiceAttributes", ServiceId=service)["ServiceAttributes"]["Attributes"]


def put(api, service, attributes):
    assert api.ok("UpdateServiceAttributes", ServiceId=service, Attributes=attributes) == {}


def test_none_at_first(api, service):
    """All members, and an empty map."""
    arn = api.get_service(service)["Arn"]
    for name in (service, arn):
        assert api.ok("GetServiceAttributes", ServiceId=name) == {"ServiceAttributes": {
            "ServiceArn": arn, "ResourceOwner": ACCOUNT, "Attributes": {}}}


def test_update_merges(api, service):
    """Given keys are set, the others stay; any text is a key or a value."""
    put(api, service, {"a": "1", "b": "2"})
    put(api, service, {"b": "3", "\u2603 key": "\U0001f600\n", "e": ""})
    assert get(api, service) == {"a": "1", "b": "3", "\u2603 key": "\U0001f600\n", "e": ""}
    put(api, service, {"x" * 255: "y" * 1024})
    assert get(api, service)["x" * 255] == "y" * 1024


def test_delete_ignores_unknown_keys(api, service):
    """What is named goes; keys are case-sensitive, twice is once."""
    put(api, service, {"a": "1", "b": "2", "c": "3"})
    assert api.ok("DeleteServiceAttributes", ServiceId=service,
                  Attributes=["a", "A", "nosuch", "c", "c"]) == {}
    assert get(api, service) == {"b": "2"}
    api.ok("DeleteServiceAttributes", ServiceId=service, Attributes=["b"])
    assert get(api, service) == {}


def test_thirty_at_most(api, service):
    """The merged map counts; an error changes nothing."""
    whole = {f"k{n}": "v" for n in range(30)}
    put(api, service, whole)
    for more in ({"k30": "v"}, {"k0": "new", "k30": "v"}):
        api.fails("ServiceAttributesLimitExceededException", "UpdateServiceAttributes",
                  ServiceId=service, Attributes=more)
    assert get(api, service) == whole
    put(api, service, {"k0": "new"})
    api.ok("DeleteServiceAttributes", ServiceId=service, Attributes=["k1"])
    put(api, service, {"k30": "v"})
    assert len(get(api, service)) == 30 and get(api, service)["k0"] == "new"


@pytest.mark.parametrize("call, more", [
    ("GetServiceAttributes", {}), ("UpdateServiceAttributes", {"Attributes": {"k": "v"}}),
    ("DeleteServiceAttributes", {"Attributes": ["k"]})])
def test_unknown_service(api, service, call, more):
    """ServiceNotFound for ids and ARNs, also after the service has gone."""
    arn = api.get_service(service)["Arn"]
    put(api, service, {"k": "v"})
    api.ok("DeleteService", Id=service)
    for name in (service, arn, "srv-nosuch"):
        api.fails("ServiceNotFound", call, ServiceId=name, **more)


def test_attributes_stay_out_of_discovery(daemon, service):
    """No effect on instances, revision or the service; they survive a restart."""
    api = daemon.api
    api.register(service, "i", "10.0.0.1")
    before = api.get_service(service), api.revision("x.example", "s")
    put(api, service, {"k": "v"})
    assert (api.get_service(service), api.revision("x.example", "s")) == before
    (found,) = api.ok("DiscoverInstances", NamespaceName="x.example",
                      ServiceName="s")["Instances"]
    assert found["Attributes"] == {"AWS_INSTANCE_IPV4": "10.0.0.1"}
    assert api.discover("x.example", "s", QueryParameters={"k": "v"}) == []
    daemon.restart(kill=True)
    assert get(daemon.api, service) == {"k": "v"}


def test_new_service_of_the_same_name_has_none(api, service):
    """They die with their service."""
    namespace = api.get_service(service)["NamespaceId"]
    put(api, service, {"k": "v"})
    api.ok("DeleteService", Id=service)
    assert get(api, api.serve(namespace, "s", "A")) == {}


def test_other_regions_do_not_see_it(api, service):
    """An id belongs to its region."""
    api.at(region="eu-west-1").fails("ServiceNotFound", "GetServiceAttributes",
                                     ServiceId=service)
