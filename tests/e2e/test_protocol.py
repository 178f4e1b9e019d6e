# SPDX-License-Identifier: BSD-2-Clause
"""AWS JSON 1.1 over HTTP, row by row."""

import email.utils
import json
import re
import socket
import time

import pytest

import gaz
from gaz import TARGET

UUID4 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
LIST = TARGET + "ListNamespaces"


def error(reply, status, code):
    assert (reply.status, reply.code) == (status, code), reply
    assert reply.headers["x-amzn-ErrorType"] == code
    assert reply.headers["Content-Type"] == gaz.JSON
    assert UUID4.match(reply.headers["x-amzn-RequestId"])
    assert reply.message


@pytest.fixture
def raw(shared):
    """Bytes to the API port, bytes back until it closes or the reply is whole."""
    def exchange(data, pieces=None, end=False):
        with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
            for piece in pieces or [data]:
                sock.sendall(piece)
            if end:
                sock.shutdown(socket.SHUT_WR)
            return read_reply(sock)
    return exchange


def read_reply(sock):
    """One HTTP reply: (status, headers, body)."""
    data = b""
    while b"\r\n\r\n" not in data:
        more = sock.recv(65536)
        if not more:
            return (0, {}, data)
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1])
    headers = {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}
    if status != 100:
        while len(body) < int(headers.get("content-length", 0)):
            body += sock.recv(65536)
    return (status, headers, body)


def read_all(sock):
    """Every byte until the server closes."""
    data = b""
    while more := sock.recv(65536):
        data += more
    return data


def is_ours(reply, status, code):
    """An error in the service's form: (status, headers, body) as read_reply() gives it."""
    found, headers, body = reply
    assert (found, headers.get("x-amzn-errortype")) == (status, code), reply
    assert headers["content-type"] == gaz.JSON
    assert UUID4.match(headers["x-amzn-requestid"])
    assert abs(email.utils.parsedate_to_datetime(headers["date"]).timestamp() - time.time()) < 60
    assert int(headers["content-length"]) == len(body)
    members = json.loads(body)
    assert members["__type"] == code and members["message"]
    assert set(members) == {"__type", "message"}


def request(*lines, body=b"{}", length=True):
    fields = ["POST / HTTP/1.1", "Host: localhost", f"X-Amz-Target: {LIST}",
              f"Content-Type: {gaz.JSON}", *lines]
    if length:
        fields.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(fields) + "\r\n\r\n").encode() + body


def test_success_has_the_headers_that_sdks_read(shared):
    """200, JSON 1.1, a fresh request id, Content-Length, a true Date."""
    ids = set()
    for _ in range(3):
        before = int(time.time())
        reply = shared.api.raw("ListNamespaces")
        assert reply.status == 200
        assert reply.headers["Content-Type"] == gaz.JSON
        assert int(reply.headers["Content-Length"]) == len(reply.body)
        date = email.utils.parsedate_to_datetime(reply.headers["Date"]).timestamp()
        assert before - 1 <= date <= time.time() + 1
        assert reply.headers["Date"].endswith("GMT")
        ids.add(reply.headers["x-amzn-RequestId"])
        assert UUID4.match(reply.headers["x-amzn-RequestId"])
    assert len(ids) == 3
    assert reply.json == {"Namespaces": []}


def test_boto3_surfaces_the_request_id(shared):
    """botocore finds the request id in successes and errors."""
    client = shared.boto()
    good = client.list_namespaces()["ResponseMetadata"]
    assert UUID4.match(good["RequestId"]) and good["HTTPStatusCode"] == 200
    with pytest.raises(client.exceptions.NamespaceNotFound) as caught:
        client.get_namespace(Id="ns-nosuch")
    response = caught.value.response
    assert UUID4.match(response["ResponseMetadata"]["RequestId"])
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "ns-nosuch" in response["Error"]["Message"]


@pytest.mark.parametrize("kind", [gaz.JSON, gaz.JSON + "; charset=utf-8", "application/json",
                                  "application/x-amz-json-1.0"])
def test_lenient_content_types_are_accepted(shared, kind):
    """Charset suffix and the two related JSON types."""
    reply = shared.api.send(b"{}", LIST, headers={"Content-Type": kind})
    assert reply.status == 200


def test_header_name_case_is_ignored(raw):
    """X-AMZ-TARGET is as good as X-Amz-Target."""
    data = request().replace(b"X-Amz-Target", b"x-AMZ-tARGET")
    assert raw(data)[0] == 200


@pytest.mark.parametrize("target", [
    None, "", "ListNamespaces", "Route53AutoNaming.ListNamespaces", TARGET,
    TARGET + "listnamespaces", TARGET + "NoSuchOperation", TARGET + "ListNamespaces ",
    TARGET + "ListNamespaces.x", "Gazetteer.NoSuch", "route53autonaming_v20170314.ListNamespaces",
    TARGET + "x" * 2000])
def test_unknown_target_is_refused(shared, target):
    """Missing, wrong prefix, wrong case, unknown operation."""
    if target and target.endswith(" "):
        target = target.strip() + "\tX"
    error(shared.api.send(b"{}", target), 400, "UnknownOperationException")


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
def test_other_methods_are_404(shared, method):
    """Only POST is served."""
    reply = shared.api.send(None, LIST, method=method)
    assert reply.status == 404
    assert reply.headers["x-amzn-ErrorType"] == "UnknownOperationException"
    assert int(reply.headers["Content-Length"]) > 0
    if method != "HEAD":
        error(reply, 404, "UnknownOperationException")


def test_empty_body_is_an_empty_object(shared):
    """Zero bytes mean {}."""
    assert shared.api.send(b"", LIST).json == {"Namespaces": []}


@pytest.mark.parametrize("body", [
    b"{", b"nonsense", b"[]", b"\"x\"", b"1", b"null", b"{\"a\":}", b"{} {}", b"{\"a\":1,}",
    b"{\"Name\":\"\xff\xfe\"}", b"\xef\xbb\xbf{}x", b"{\"Name\":\"\\ud800\"}", b"\x00",
    b"[" * 100000, b"{\"Name\":" * 50000, b"{\"a\":\"\x01\"}"])
def test_malformed_json_is_a_serialization_exception(shared, body):
    """Not JSON, not an object, not UTF-8, or nested without end."""
    error(shared.api.send(body, TARGET + "CreateHttpNamespace"), 400, "SerializationException")


@pytest.mark.parametrize("operation, members, place", [
    ("CreateHttpNamespace", {"Name": "a\0"}, "name"),
    ("CreatePublicDnsNamespace", {"Name": "a.b\0"}, "name"),
    ("DiscoverInstances", {"NamespaceName": "a\0b", "ServiceName": "s"}, "namespaceName"),
    ("RegisterInstance", {"ServiceId": "s", "InstanceId": "i\0", "Attributes": {}},
     "instanceId"),
    ("RegisterInstance", {"ServiceId": "s", "InstanceId": "i", "Attributes": {"k": "\0"}},
     "attributes.k.member"),
    ("ListNamespaces", {"Filters": [{"Name": "TYPE\0", "Values": ["HTTP"]}]},
     "filters.1.member.name"),
    ("UpdateInstanceCustomHealthStatus",
     {"ServiceId": "s", "InstanceId": "i", "Status": "HEALTHY\0"}, "status")])
def test_a_zero_octet_is_legal_json_but_violates_patterns_and_sets(shared, operation, members,
                                                                   place):
    """It ends no text early: what stands before it would be good."""
    message = shared.api.fails("InvalidInput", operation, **members)["Message"]
    assert f"1 validation error detected: Value '\"" in message
    assert "\\u0000" in message and f"at '{place}' failed" in message


def test_a_zero_octet_where_no_pattern_is(shared):
    """Ignored in what is not ours; nothing that could be kept else."""
    assert shared.api.ok("ListNamespaces", Other="a\0", More=[{"x": "\0"}])["Namespaces"] == []
    for members in ({"Name": "n", "Description": "a\0"}, {"Name": "n", "CreatorRequestId": "\0"},
                    {"Name": "n", "Tags": [{"Key": "k\0", "Value": ""}]}):
        error(shared.api.raw("CreateHttpNamespace", **members), 400, "SerializationException")


@pytest.mark.parametrize("operation, members", [
    ("GetNamespace", {"Id": 1}), ("GetNamespace", {"Id": ["x"]}), ("GetNamespace", {"Id": {}}),
    ("GetNamespace", {"Id": True}), ("GetNamespace", {"Id": 1.5}),
    ("ListNamespaces", {"MaxResults": "10"}), ("ListNamespaces", {"MaxResults": 10.5}),
    ("ListNamespaces", {"MaxResults": True}), ("ListNamespaces", {"MaxResults": 1e300}),
    ("ListNamespaces", {"Filters": {}}), ("ListNamespaces", {"Filters": "x"}),
    ("ListNamespaces", {"Filters": ["x"]}),
    ("ListNamespaces", {"Filters": [{"Name": "NAME", "Values": "x"}]}),
    ("ListNamespaces", {"Filters": [{"Name": "NAME", "Values": [1]}]}),
    ("CreateHttpNamespace", {"Name": "x", "Tags": {"a": "b"}}),
    ("CreateHttpNamespace", {"Name": "x", "Tags": [["a", "b"]]}),
    ("CreatePublicDnsNamespace", {"Name": "x.y", "Properties": []}),
    ("CreatePublicDnsNamespace",
     {"Name": "x.y", "Properties": {"DnsProperties": {"SOA": {"TTL": "15"}}}}),
    ("RegisterInstance", {"ServiceId": "s", "InstanceId": "i", "Attributes": []}),
    ("RegisterInstance", {"ServiceId": "s", "InstanceId": "i", "Attributes": {"k": 1}}),
    ("UntagResource", {"ResourceARN": "arn:", "TagKeys": "k"})])
def test_wrong_json_type_is_a_serialization_exception(shared, operation, members):
    """Types are checked before any rule."""
    reply = shared.api.raw(operation, **members)
    error(reply, 400, "SerializationException")


def test_types_are_checked_before_constraints(shared):
    """A type error wins over a missing required member."""
    error(shared.api.raw("CreateHttpNamespace", Description=5), 400, "SerializationException")


def test_integral_float_is_an_integer(shared):
    """10.0 is accepted where an integer is due."""
    assert shared.api.send(b'{"MaxResults":10.0}', LIST).status == 200


def test_null_member_is_absent(shared):
    """null is the same as leaving the member out, at any depth."""
    body = b'{"NextToken":null,"MaxResults":null,"Filters":null}'
    assert shared.api.send(body, LIST).status == 200
    body = shared.api.fails("InvalidInput", "GetNamespace", Id=None)
    assert "'id' failed to satisfy constraint: Member must not be null" in body["Message"]
    body = shared.api.fails("InvalidInput", "CreatePublicDnsNamespace", Name="a.b",
                            Properties={"DnsProperties": {"SOA": None}})
    assert "Member must not be null" in body["Message"]


def test_unknown_members_are_ignored_at_any_depth(shared):
    """Newer clients send members that we do not know."""
    assert shared.api.ok("ListNamespaces", Novel={"a": [1, {"b": None}]},
                         Filters=[{"Name": "NAME", "Values": ["x"], "Novel": 1}]) == {
                             "Namespaces": []}


@pytest.mark.parametrize("number", ["9" * 18, "9" * 30, "-" + "9" * 300,
                                    "1" + "0" * 100 + ".5"])
def test_any_number_of_an_unknown_member_is_ignored(shared, number):
    """It is JSON, however many digits it has; as a member of ours it has the wrong type."""
    for body in (f'{{"MaxResults": 5, "Other": {number}}}',
                 f'{{"Filters": [{{"Name": "NAME", "Values": ["n"], "Other": [{number}]}}]}}'):
        assert shared.api.send(body.encode(), LIST).status == 200
    reply = shared.api.send(f'{{"MaxResults": {number}}}'.encode(), LIST)
    code = "InvalidInput" if len(number) == 18 else "SerializationException"
    assert (reply.status, reply.code) == (400, code)


def test_last_of_duplicate_keys_wins(shared):
    """As AWS's own parser does."""
    reply = shared.api.send(b'{"Id":"ns-first","Id":"ns-second"}', TARGET + "GetNamespace")
    assert reply.code == "NamespaceNotFound" and "ns-second" in reply.message


def test_modelled_error_has_capital_message(shared):
    """Bare __type, Message with capital M, status 400, the error type header."""
    body = shared.api.fails("NamespaceNotFound", "GetNamespace", Id="ns-nosuch")
    assert set(body) == {"__type", "Message"}


def test_body_over_the_cap_is_413(shared):
    """One byte more than 1 MiB is refused; 1 MiB itself is not."""
    body = json.dumps({"Novel": "x" * (1024 * 1024 - 13)}).encode()
    assert len(body) == 1024 * 1024
    assert shared.api.send(body, LIST).status == 200
    error(shared.api.send(body + b" ", LIST), 413, "RequestEntityTooLargeException")


@pytest.mark.parametrize("size", [2 ** 21, 2 ** 24])
def test_huge_body_is_413(shared, size):
    """Far beyond the cap the server reads no more than it must, and lives on."""
    for api in (shared.api, shared.unix_api):
        error(api.send(b" " * size, LIST), 413, "RequestEntityTooLargeException")
    assert shared.api.raw("ListNamespaces").status == 200


def test_body_just_below_the_cap_is_read(shared):
    """A million bytes of ignored members are fine."""
    body = json.dumps({"Novel": "x" * 1000000}).encode()
    assert shared.api.send(body, LIST).status == 200


def test_chunked_body_is_read(raw):
    """Transfer-Encoding: chunked instead of Content-Length."""
    body = b"5\r\n{\"Max\r\nD\r\nResults\": 10}\r\n0\r\n\r\n"
    data = request("Transfer-Encoding: chunked", body=body, length=False)
    status, _, text = raw(data)
    assert (status, json.loads(text)) == (200, {"Namespaces": []})


def test_chunked_body_over_the_cap_is_refused(raw, shared):
    """The cap counts what arrives, not what is announced."""
    chunk = b"10000\r\n" + b" " * 65536 + b"\r\n"
    head = request("Transfer-Encoding: chunked", body=b"", length=False)
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        try:
            sock.sendall(head)
            for _ in range(40):
                sock.sendall(chunk)
            sock.sendall(b"0\r\n\r\n")
            status = read_reply(sock)[0]
        except OSError:
            status = 0
    assert status in (0, 400, 413)
    assert shared.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("tail, status, code", [
    (b"100001\r\n", 413, "RequestEntityTooLargeException"),
    (b"80000\r\n" + b" " * 0x80000 + b"\r\n80001\r\n", 413, "RequestEntityTooLargeException"),
    (b"zz\r\n", 413, "RequestEntityTooLargeException"),
    (b"-1\r\n", 413, "RequestEntityTooLargeException"),
    (b"2\r\n{}\r\n0\r\nno colon\r\n", 413, "RequestEntityTooLargeException")])
def test_bad_chunks_are_answered_in_json(raw, tail, status, code):
    """A chunk that makes the body too large, or is none, or a bad trailer."""
    is_ours(raw(request("Transfer-Encoding: chunked", body=b"", length=False) + tail),
            status, code)


def test_other_expectations_are_refused(raw):
    """There is only 100-continue."""
    is_ours(raw(request("Expect: the-unexpected")), 400, "MalformedHttpRequestException")


def test_expect_100_continue_for_a_body_over_the_cap_is_413(raw):
    """The client may send the body nevertheless, or not."""
    size = 1024 * 1024 + 1
    data = request("Expect: 100-continue", f"Content-Length: {size}", body=b"", length=False)
    is_ours(raw(data + b" " * size), 413, "RequestEntityTooLargeException")


def test_expect_100_continue_is_answered(shared):
    """curl sends it for large bodies and waits."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        sock.sendall(request("Expect: 100-continue", "Content-Length: 2", body=b"",
                             length=False))
        assert read_reply(sock)[0] == 100
        sock.sendall(b"{}")
        assert read_reply(sock)[0] == 200


def test_byte_by_byte_request_is_answered(raw):
    """TCP has no packets: any split of the bytes is the same request."""
    data = request(body=b'{"MaxResults":5}')
    assert raw(None, [data[i:i + 1] for i in range(len(data))])[0] == 200


def test_http_1_0_client_is_answered_and_closed(shared):
    """No keep-alive unless asked for."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        sock.sendall(request().replace(b"HTTP/1.1", b"HTTP/1.0"))
        assert read_reply(sock)[0] == 200
        assert sock.recv(1) == b""


def test_pipelined_requests_are_all_answered(shared):
    """SDKs do not, but HTTP/1.1 allows it; the order is kept."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        sock.sendall(request() + request(body=b"{") + request())
        data = b""
        while data.count(b"HTTP/1.1 ") < 3 or not data.endswith(b"}"):
            more = sock.recv(65536)
            assert more, data
            data += more
    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"200", b"400", b"200"]


def test_connection_is_kept_alive(shared):
    """Many calls, one connection, errors among them."""
    conn = shared.api.connect()
    conn.connect()
    port = conn.sock.getsockname()
    for _ in range(5):
        assert shared.api.raw("ListNamespaces", conn=conn).status == 200
        assert shared.api.raw("GetNamespace", conn=conn, Id="x").status == 400
        assert shared.api.send(b"{", LIST, conn=conn).status == 400
    assert conn.sock.getsockname() == port
    conn.close()


@pytest.mark.parametrize("extra, body", [
    (["Content-Length: 2", "Content-Length: 3"], b"{}x"),
    (["Content-Length: 2", "Transfer-Encoding: chunked"], b"2\r\n{}\r\n0\r\n\r\n"),
    (["Content-Length: -1"], b""), (["Content-Length: +2"], b"{}"),
    (["Content-Length: 2x"], b"{}"), (["Content-Length: 0x2"], b"{}"),
    (["Transfer-Encoding: gzip"], b""), (["Transfer-Encoding: chunked, gzip"], b""),
    (["Transfer-Encoding: xchunked"], b"0\r\n\r\n")])
def test_doubtful_framing_is_refused(shared, raw, extra, body):
    """Whoever disagrees with a proxy about a body's length can be smuggled through."""
    reply = raw(request(*extra, body=body, length=False))
    is_ours(reply, 400, "MalformedHttpRequestException")
    assert shared.api.raw("ListNamespaces").status == 200


def test_chunks_of_an_http_1_0_client_are_refused(raw):
    """A proxy of that age does not know them (RFC 9112, section 6.1)."""
    data = request("Transfer-Encoding: chunked", "Connection: keep-alive",
                   body=b"2\r\n{}\r\n0\r\n\r\n", length=False)
    is_ours(raw(data.replace(b"HTTP/1.1", b"HTTP/1.0")), 400, "MalformedHttpRequestException")


def test_a_length_beyond_all_numbers_harms_nobody(shared, raw):
    """The body never ends, so there is nothing to answer when the client has gone."""
    status, _, _ = raw(request("Content-Length: 99999999999999999999", body=b"{}",
                               length=False), end=True)
    assert status == 0
    assert shared.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("fields", [
    "X-Big: " + "x" * 17000, "\r\n".join(f"X-{n}: y" for n in range(3000))])
def test_oversized_headers_are_refused(shared, raw, fields):
    """A header section without end does not eat the memory."""
    is_ours(raw(request(fields)), 400, "MalformedHttpRequestException")
    assert shared.api.raw("ListNamespaces").status == 200


def test_endless_headers_are_refused(shared, raw):
    """Whoever sends on after the refusal may find the connection reset."""
    try:
        status = raw(request("X-Big: " + "x" * 2000000))[0]
    except ConnectionError:
        status = 0
    assert status in (0, 400)
    assert shared.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("junk", [
    b"\r\n\r\n", b"GARBAGE\r\n\r\n", b"POST /\r\n\r\n", b"POST / HTTP/9.9\r\n\r\n",
    b"POST / HTTP/0.9\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/-1.5\r\nContent-Length: 0\r\n\r\n",
    b"POST / HTTP/1.99\r\nNo colon here\r\n\r\n", b"POST http://[ HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nNo colon here\r\n\r\n", b"POST / HTTP/1.1\r\n continued\r\n\r\n",
    b"POST / HTTP/1.1\r\nBad name: x\r\nContent-Length: 0\r\n\r\n",
    b"POST / FTP/1.1\r\n\r\n", b"\x00" * 64 + b"\r\n", b"\x16\x03\x01\x02\x00\r\n",
    b"POST " + b"/" * 17000 + b" HTTP/1.1\r\n\r\n"])
def test_what_is_not_http_is_answered_in_json(shared, junk):
    """Also what libevent refuses before we see it; then the connection is closed."""
    for family, address in ((socket.AF_INET, shared.apis[0]),
                            (socket.AF_UNIX, str(shared.socket))):
        with socket.socket(family, socket.SOCK_STREAM) as sock:
            sock.settimeout(gaz.PATIENCE)
            sock.connect(address)
            sock.sendall(junk)
            is_ours(read_reply(sock), 400, "MalformedHttpRequestException")
            assert read_all(sock) == b""
    assert shared.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("method", ["BREW", "post", "PROPFIND", "CONNECT"])
def test_unknown_methods_are_404(raw, method):
    """Methods that no library knows are other methods, too."""
    target = "localhost:1" if method == "CONNECT" else "/"
    is_ours(raw(f"{method} {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode()), 404,
            "UnknownOperationException")


@pytest.mark.parametrize("version", ["1.0", "1.1"])
def test_the_reply_to_head_has_all_headers_and_no_body(shared, version):
    """Content-Length says what the body would be."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        sock.sendall(f"HEAD / HTTP/{version}\r\nHost: x\r\n\r\n".encode())
        head, body = read_all(sock).split(b"\r\n\r\n")
    assert head.startswith(f"HTTP/{version} 404 ".encode()) and body == b""
    for name in (b"Date", b"Content-Length", b"x-amzn-RequestId", b"x-amzn-ErrorType"):
        assert head.count(b"\r\n" + name + b": ") == 1, head


def test_replies_over_http_1_0_have_all_headers(raw):
    """Date and Content-Length do not depend on the version or the method."""
    is_ours(raw(b"GET / HTTP/1.0\r\n\r\n"), 404, "UnknownOperationException")
    data = request().replace(b"HTTP/1.1", b"HTTP/1.0")
    status, headers, body = raw(data)
    assert status == 200 and int(headers["content-length"]) == len(body)
    assert headers["date"] and headers["x-amzn-requestid"]


@pytest.mark.parametrize("junk", [b"\x00" * 64, b"\x16\x03\x01\x02\x00",
                                  b"POST " + b"/" * 70000 + b" HTTP/1.1\r\n\r\n"])
def test_junk_on_the_api_port_harms_nobody(shared, junk):
    """Not HTTP at all."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        try:
            sock.sendall(junk)
            sock.shutdown(socket.SHUT_WR)
            read_all(sock)
        except OSError:
            pass
    assert shared.api.raw("ListNamespaces").status == 200


def test_pipelined_junk_is_answered_after_the_good_request(shared):
    """The good request has its reply, the junk its own, and then it is over."""
    with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
        sock.sendall(request() + b"GARBAGE\r\n\r\n")
        data = read_all(sock)
    assert re.findall(rb"HTTP/1.1 (\d+)", data) == [b"200", b"400"]
    assert b"MalformedHttpRequestException" in data and b"<" not in data


def test_half_a_request_and_gone_harms_nobody(shared):
    """Clients that vanish at any byte."""
    data = request()
    for end in range(0, len(data), 7):
        with socket.create_connection(shared.apis[0], timeout=gaz.PATIENCE) as sock:
            sock.sendall(data[:end])
    assert shared.api.raw("ListNamespaces").status == 200


@pytest.mark.parametrize("host", ["data-servicediscovery.us-east-1.amazonaws.com",
                                  "data-localhost:1", "nonsense", "[::1]:8053", ""])
def test_host_header_does_not_matter(shared, host):
    """SDKs put a data- prefix before any host; a unix socket has none."""
    for api in (shared.api, shared.unix_api):
        assert api.send(b"{}", LIST, headers={"Host": host}).status == 200


def test_unix_socket_and_tcp_are_one_api(daemon):
    """What one way creates the other way sees."""
    namespace = daemon.unix_api.http("by-socket")
    assert daemon.api.namespace(namespace)["Name"] == "by-socket"
    error(daemon.unix_api.send(b"{", LIST), 400, "SerializationException")
    error(daemon.unix_api.send(b"{}", "x"), 400, "UnknownOperationException")


def test_timestamps_are_numbers_with_milliseconds(daemon):
    """Seconds since the epoch, three decimals at most, never a string."""
    namespace = daemon.api.http("dated")
    reply = daemon.api.raw("GetNamespace", Id=namespace)
    text = re.search(rb'"CreateDate": ?([^,}]+)', reply.body).group(1)
    assert re.match(rb"^\d{10}(\.\d{1,3})?$", text), text
    date = daemon.boto().get_namespace(Id=namespace)["Namespace"]["CreateDate"]
    assert abs(date.timestamp() - float(text)) < 0.001


def test_output_without_members_is_an_empty_object(daemon):
    """TagResource and friends answer exactly {}."""
    arn = daemon.api.namespace(daemon.api.http("tagged"))["Arn"]
    reply = daemon.api.raw("TagResource", ResourceARN=arn, Tags=[])
    assert (reply.status, reply.body) == (200, b"{}")


def test_text_comes_back_exactly(daemon):
    """Any Unicode text survives the trip through JSON and the store."""
    for text in ("ünïcödé ☃ 𝄞", "quote \" backslash \\ slash / tab \t newline \n", "\u0001\x7f",
                 "𝄞" * 1024):
        namespace = daemon.api.http("text", Description=text)
        assert daemon.api.namespace(namespace)["Description"] == text
        daemon.api.done("DeleteNamespace", Id=namespace)


def test_many_connections_at_once_are_served(shared):
    """Idle connections do not keep others out."""
    conns = [shared.api.connect() for _ in range(100)]
    for conn in conns:
        conn.connect()
    for conn in conns:
        assert shared.api.raw("ListNamespaces", conn=conn).status == 200
        conn.close()
