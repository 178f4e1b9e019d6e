# SPDX-License-Identifier: BSD-2-Clause
"""Request signatures: off, parse and verify, with boto3's own signer."""

import datetime

import botocore.auth
import botocore.awsrequest
import botocore.credentials
import botocore.exceptions
import pytest

import gaz
from gaz import JSON, TARGET

KEY, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
VERIFY = ["--auth", "verify", "--key", f"{KEY}={SECRET}"]


def signed(daemon, service="servicediscovery", region=gaz.REGION, key=KEY, secret=SECRET,
           skew=0, token=None, body=b"{}", send=None, monkeypatch=None, drop=(), change=None):
    """ListNamespaces with a signature made `skew` seconds from now."""
    request = botocore.awsrequest.AWSRequest(
        "POST", daemon.endpoint + "/", data=body,
        headers={"Content-Type": JSON, "X-Amz-Target": TARGET + "ListNamespaces"})
    real = datetime.datetime

    class Clock(real):
        @classmethod
        def utcnow(cls):
            return real.utcnow() + datetime.timedelta(seconds=skew)

    class Module:
        datetime = Clock

    credentials = botocore.credentials.Credentials(key, secret, token)
    before = botocore.auth.datetime
    botocore.auth.datetime = Module
    try:
        botocore.auth.SigV4Auth(credentials, service, region).add_auth(request)
    finally:
        botocore.auth.datetime = before
    headers = dict(request.headers.items())
    for name in drop:
        headers.pop(name)
    headers.update(change or {})
    return daemon.api.send(body if send is None else send, headers=headers)


def refused(reply, status, code):
    assert (reply.status, reply.code) == (status, code), reply
    assert "message" in reply.json
    assert reply.headers["x-amzn-ErrorType"] == code


def test_off_needs_no_signature(daemon):
    """The default: none needed, and a wrong one does no harm."""
    assert daemon.api.raw("ListNamespaces").status == 200
    assert signed(daemon, secret="other").status == 200
    assert signed(daemon, skew=-86400).status == 200
    assert daemon.boto(secret="anything").list_namespaces()["Namespaces"] == []


@pytest.mark.parametrize("mode", ["parse", "verify"])
def test_missing_signature_is_refused(start, mode):
    """403 MissingAuthenticationTokenException while signatures are required."""
    daemon = start("--auth", mode, "--key", f"{KEY}={SECRET}")
    refused(daemon.api.raw("ListNamespaces"), 403, "MissingAuthenticationTokenException")


@pytest.mark.parametrize("header", [
    "nonsense", "AWS4-HMAC-SHA256", "AWS4-HMAC-SHA256 Credential=x",
    "AWS4-HMAC-SHA256 Credential=AKID/20240101/us-east-1/aws4_request, SignedHeaders=host, "
    "Signature=" + "0" * 64,
    "AWS4-HMAC-SHA256 Credential=AKID/20240101/us-east-1/servicediscovery/aws4_request, "
    "SignedHeaders=host",
    "AWS4-HMAC-SHA256 Credential=AKID/20240101/us-east-1/servicediscovery/aws4_request, "
    "Signature=" + "0" * 64,
    "AWS4-HMAC-SHA256 Credential=////, SignedHeaders=, Signature=", "Basic dXNlcjpwYXNz"])
@pytest.mark.parametrize("mode", ["parse", "verify"])
def test_malformed_signature_is_refused(start, mode, header):
    """A header or scope with a part missing."""
    daemon = start("--auth", mode, "--key", f"{KEY}={SECRET}")
    reply = daemon.api.send(b"{}", TARGET + "ListNamespaces",
                            headers={"Authorization": header,
                                     "X-Amz-Date": "20240101T000000Z"})
    assert reply.status in (400, 403)
    assert reply.code in ("IncompleteSignatureException", "MissingAuthenticationTokenException",
                          "InvalidSignatureException")


def test_parse_checks_the_form_only(start):
    """Well formed and for this service: enough, whoever signed."""
    daemon = start("--auth", "parse")
    assert signed(daemon).status == 200
    assert signed(daemon, secret="wrong", key="AKIDOTHER").status == 200
    refused(signed(daemon, service="route53"), 403, "InvalidSignatureException")


def test_verify_accepts_the_right_key(start):
    """boto3, botocore's signer, and temporary credentials' token header."""
    daemon = start(*VERIFY, "--key", "AKIDSECOND=other/secret=")
    client = daemon.boto(key=KEY, secret=SECRET)
    assert client.list_namespaces()["Namespaces"] == []
    client.create_http_namespace(Name="signed", Description="ü" * 100)
    assert len(client.list_namespaces()["Namespaces"]) == 1
    assert signed(daemon).status == 200
    assert signed(daemon, token="session-token").status == 200
    assert signed(daemon, key="AKIDSECOND", secret="other/secret=").status == 200
    assert signed(daemon, region="eu-west-1").json == {"Namespaces": []}


def test_the_unix_socket_needs_no_signature(start):
    """Its mode is the credential: gazctl works beside a TCP endpoint that verifies."""
    daemon = start(*VERIFY)
    refused(daemon.api.raw("ListNamespaces"), 403, "MissingAuthenticationTokenException")
    assert daemon.unix_api.raw("ListNamespaces").json == {"Namespaces": []}
    gaz.run([gaz.GAZCTL, "--socket", daemon.socket, "namespace", "list"], daemon.home)
    for region in ((), ("--region", "us-east-1")):
        done = gaz.run([gaz.GAZCTL, "--api", daemon.endpoint, *region, "namespace", "list"],
                       daemon.home, expect=1)
        assert "--socket" in done.stderr


def test_verify_refuses_an_unknown_key(start):
    """The access key id is not in the table."""
    daemon = start(*VERIFY)
    reply = signed(daemon, key="AKIDOTHER")
    refused(reply, 403, "UnrecognizedClientException")
    assert reply.message == "The security token included in the request is invalid."


@pytest.mark.parametrize("how", [
    {"secret": "wrong"}, {"service": "route53"}, {"send": b'{"MaxResults":5}'},
    {"change": {"X-Amz-Target": TARGET + "ListOperations"}}, {"skew": -3600}, {"skew": 3600}],
    ids=["secret", "service", "body", "target", "old", "future"])
def test_verify_refuses_a_wrong_signature(start, how):
    """Wrong secret, service, body or signed header; more than five minutes off."""
    daemon = start(*VERIFY)
    reply = signed(daemon, **how)
    refused(reply, 403, "InvalidSignatureException")
    if how.get("skew", 0) < 0:
        assert reply.message.startswith("Signature expired:")
    if how.get("skew", 0) > 0:
        assert reply.message.startswith("Signature not yet current:")
    assert signed(daemon).status == 200


@pytest.mark.parametrize("skew", [-200, 200])
def test_verify_tolerates_small_skew(start, skew):
    """Clocks differ; five minutes are allowed."""
    assert signed(start(*VERIFY), skew=skew).status == 200


def test_refused_call_changes_nothing(start):
    """Authentication comes before everything but the target."""
    daemon = start(*VERIFY)
    with pytest.raises(botocore.exceptions.ClientError):
        daemon.boto(key=KEY, secret="wrong").create_http_namespace(Name="x")
    assert daemon.boto(key=KEY, secret=SECRET).list_namespaces()["Namespaces"] == []
    reply = daemon.api.send(b"{", TARGET + "ListNamespaces")
    assert reply.code in ("SerializationException", "MissingAuthenticationTokenException")
