# SPDX-License-Identifier: BSD-2-Clause
"""Rate limits: off unless asked for, one bucket per account, region and kind of call."""

import botocore.exceptions
import pytest

import gaz

DATA = {"NamespaceName": "n", "ServiceName": "s"}


def make_service(api):
    api.ok("CreateService", Name="s", NamespaceId=api.http("n"))


def exhaust(api, operation, **members):
    """Call until it is refused: however slow the machine, some call comes too soon."""
    conn = api.connect()
    for number in range(2000):
        reply = api.raw(operation, conn=conn, **members)
        if reply.status != 200:
            conn.close()
            return number, reply
    raise AssertionError("never refused")


def test_nothing_is_limited_by_default(api):
    """Far more calls than AWS would take at once."""
    make_service(api)
    conn = api.connect()
    for _ in range(150):
        api.ok("ListNamespaces", conn=conn)
        api.ok("DiscoverInstances", conn=conn, **DATA)


@pytest.mark.parametrize("operation, other", [
    ("DiscoverInstances", "DiscoverInstancesRevision"),
    ("DiscoverInstancesRevision", "DiscoverInstances")])
def test_data_calls_have_their_own_error_and_bucket(start, operation, other):
    """RequestLimitExceeded, modelled; the other calls go on; time fills the bucket."""
    api = start("--rate", f"{operation}=1:3").api
    make_service(api)
    count, reply = exhaust(api, operation, **DATA)
    assert count >= 3
    assert (reply.status, reply.code) == (400, "RequestLimitExceeded")
    assert reply.headers["x-amzn-ErrorType"] == "RequestLimitExceeded"
    assert reply.json["Message"]
    for _ in range(10):
        api.ok(other, **DATA)
        api.ok("ListNamespaces")
    gaz.until("a new token", lambda: api.raw(operation, **DATA).status == 200)


def test_other_calls_are_throttled(start):
    """ThrottlingException; the data calls and Gazetteer's own ones go on."""
    daemon = start("--rate", "other=1:5")
    api = daemon.api
    service = gaz.until("the service", lambda: try_to_make(api))
    assert service
    count, reply = exhaust(api, "ListNamespaces")
    assert (reply.status, reply.code) == (400, "ThrottlingException")
    assert reply.headers["x-amzn-ErrorType"] == "ThrottlingException"
    assert reply.message == "Rate exceeded"
    for _ in range(10):
        api.ok("DiscoverInstances", **DATA)
        api.ok("Gazetteer.GetStatus")
    # On the socket the same account has the same bucket.
    assert exhaust(daemon.unix_api, "ListNamespaces")[1].code == "ThrottlingException"
    gaz.until("a new token", lambda: api.raw("ListNamespaces").status == 200)


def try_to_make(api):
    """A namespace and its service, of which one call or the other may be throttled."""
    listed = api.raw("ListNamespaces")
    if listed.status != 200:
        return None
    if not listed.json["Namespaces"]:
        api.raw("CreateHttpNamespace", Name="n")
        return None
    namespace = listed.json["Namespaces"][0]["Id"]
    reply = api.raw("CreateService", Name="s", NamespaceId=namespace)
    return reply.status == 200 or reply.code == "ServiceAlreadyExists"


def test_buckets_are_of_an_account_in_a_region(start):
    """Whoever has used up his own takes nothing from others."""
    api = start("--rate", "other=1:2").api
    exhaust(api, "ListNamespaces")
    for other in (api.at(region="eu-west-1"), api.at(key="123456789012")):
        other.ok("ListNamespaces")
        other.ok("ListServices")


def test_refused_calls_count_too(start):
    """Also a call that breaks a constraint takes a token."""
    api = start("--rate", "other=1:2").api
    conn = api.connect()
    codes = {api.raw("GetNamespace", conn=conn).code for _ in range(500)}
    assert codes == {"InvalidInput", "ThrottlingException"}


def test_many_regions_do_not_grow_the_table(start):
    """More callers than there are buckets: everybody's first call is served."""
    api = start("--rate", "other=1:1").api
    conn = api.connect()
    for number in range(6000):
        headers = {"Authorization": gaz.scope(f"r-{number}")}
        reply = api.send(b"{}", gaz.TARGET + "ListNamespaces", headers=headers, conn=conn)
        assert reply.status == 200


def test_boto3_sees_the_errors(start):
    """The modelled class for the one, the code for the other; no retries."""
    daemon = start("--rate", "DiscoverInstances=1:1", "--rate", "other=1:1")
    client = daemon.boto()
    names = {"NamespaceName": "n", "ServiceName": "s"}
    with pytest.raises(client.exceptions.RequestLimitExceeded):
        for _ in range(500):
            try:
                client.discover_instances(**names)
            except client.exceptions.NamespaceNotFound:
                pass
    with pytest.raises(botocore.exceptions.ClientError) as caught:
        for _ in range(500):
            client.list_namespaces()
    assert caught.value.response["Error"] == {"Code": "ThrottlingException",
                                              "Message": "Rate exceeded"}
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400


@pytest.mark.parametrize("mode", ["legacy", "standard"])
def test_boto3_retries_until_there_is_a_token(start, mode):
    """With its retries on the user sees nothing but the time it takes."""
    daemon = start("--rate", "other=2:1")
    client = daemon.boto(retries={"mode": mode, "max_attempts": 10})
    retried = 0
    for _ in range(200):
        reply = client.list_namespaces()
        retried += reply["ResponseMetadata"]["RetryAttempts"]
        if retried:
            break
    assert retried > 0


@pytest.mark.parametrize("value", ["", "other", "other=", "other=x", "other=1:", "other=1:0",
                                   "other=1:x", "other=-1", "ListNamespaces=1", "=1",
                                   "discoverinstances=1", "other=10000000"])
def test_bad_rates_are_refused(home, value):
    """The daemon does not start."""
    text = gaz.refused_start(home, "--listen", "127.0.0.1:0", "--api", "127.0.0.1:0",
                             "--socket", f"{home}/s.sock", "--ephemeral", "--rate", value)
    assert "--rate" in text


def test_rate_zero_is_no_limit(start):
    """To undo one."""
    api = start("--rate", "other=1:1", "--rate", "other=0").api
    conn = api.connect()
    for _ in range(50):
        api.ok("ListNamespaces", conn=conn)
