# SPDX-License-Identifier: BSD-2-Clause
"""Pages: tokens are keys, so that what happens between pages harms none."""

import json
import pathlib

import pytest


def pages(api, call, size, **members):
    """Every page as a list of ids."""
    member = {"ListNamespaces": "Namespaces", "ListOperations": "Operations"}[call]
    token, seen = {}, []
    while True:
        reply = api.ok(call, MaxResults=size, **token, **members)
        seen.append([item["Id"] for item in reply[member]])
        assert len(seen[-1]) <= size
        if "NextToken" not in reply:
            return seen
        assert reply["NextToken"] and len(reply["NextToken"]) <= 4096
        assert token != {"NextToken": reply["NextToken"]}, "the same token twice"
        token = {"NextToken": reply["NextToken"]}


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 100])
def test_pages_hold_everything_once(api, size):
    """Full pages, no empty last page, the order of one page."""
    ids = [api.http(f"n{number}") for number in range(6)]
    for call, order in (("ListNamespaces", ids), ("ListOperations", None)):
        found = pages(api, call, size)
        flat = [item for page in found for item in page]
        assert order in (None, flat)
        assert len(flat) == len(set(flat)) == 6
        assert all(len(page) == size for page in found[:-1])
        assert len(found) == -(-6 // size)


def test_default_page_is_a_hundred(start):
    """Without MaxResults: 100, then the rest."""
    api = start("--quota", "namespaces=1000").api
    with_conn = api.connect()
    for number in range(101):
        api.ok("CreateHttpNamespace", conn=with_conn, Name=f"n{number}")
    for call, member in (("ListNamespaces", "Namespaces"), ("ListOperations", "Operations")):
        first = api.ok(call)
        assert len(first[member]) == 100
        second = api.ok(call, NextToken=first["NextToken"])
        assert len(second[member]) == 1 and "NextToken" not in second
    with_conn.close()


def test_changes_between_pages_neither_shift_nor_repeat(api):
    """Delete what was seen, what is next, and add more: the rest comes once."""
    ids = [api.http(f"n{number}") for number in range(6)]
    first = api.ok("ListNamespaces", MaxResults=2)
    assert [ns["Id"] for ns in first["Namespaces"]] == ids[:2]
    for gone in (ids[0], ids[1], ids[2]):
        api.done("DeleteNamespace", Id=gone)
    late = api.http("late")
    rest = api.ok("ListNamespaces", MaxResults=100, NextToken=first["NextToken"])
    assert [ns["Id"] for ns in rest["Namespaces"]] == ids[3:] + [late]


def test_operations_page_stays_put_while_new_ones_start(api):
    """Newest first: later operations do not push old ones onto the next page."""
    for number in range(4):
        api.http(f"n{number}")
    first = api.ok("ListOperations", MaxResults=2)
    old = {op["Id"] for op in api.ok("ListOperations")["Operations"]}
    api.http("later")
    second = api.ok("ListOperations", MaxResults=100, NextToken=first["NextToken"])
    seen = [op["Id"] for op in first["Operations"] + second["Operations"]]
    assert len(seen) == len(set(seen)) == 4 and set(seen) == old


def test_filter_comes_before_paging(api):
    """Clients that read one page only: no short, no empty early pages."""
    for number in range(5):
        api.http(f"n{number}")
    wanted = [api.http(f"w{number}") for number in range(3)]
    filters = [{"Name": "NAME", "Values": ["w"], "Condition": "BEGINS_WITH"}]
    assert pages(api, "ListNamespaces", 2, Filters=filters) == [wanted[:2], wanted[2:]]
    assert pages(api, "ListNamespaces", 3, Filters=filters) == [wanted]


def test_page_size_may_change_between_pages(api):
    """MaxResults is no part of the token."""
    ids = [api.http(f"n{number}") for number in range(5)]
    token = api.ok("ListNamespaces", MaxResults=1)["NextToken"]
    rest = api.ok("ListNamespaces", MaxResults=3, NextToken=token)
    assert [ns["Id"] for ns in rest["Namespaces"]] == ids[1:4]


def test_token_survives_a_restart(daemon):
    """It is a key of the store, not a cursor in memory."""
    ids = [daemon.api.http(f"n{number}") for number in range(3)]
    token = daemon.api.ok("ListNamespaces", MaxResults=1)["NextToken"]
    daemon.restart(kill=True)
    rest = daemon.api.ok("ListNamespaces", NextToken=token)
    assert [ns["Id"] for ns in rest["Namespaces"]] == ids[1:]


def test_foreign_tokens_are_refused(api):
    """Not ours, of another operation, of other filters, damaged."""
    for number in range(3):
        api.http(f"n{number}")
    token = api.ok("ListNamespaces", MaxResults=1)["NextToken"]
    other = api.ok("ListOperations", MaxResults=1)["NextToken"]
    filters = [{"Name": "TYPE", "Values": ["HTTP"]}]
    bad = ["x", "", "AAAA", "!" * 4096, token[:-1], token + "A", token[1:], token.swapcase(),
           other]
    for wrong in bad:
        body = api.fails("InvalidInput", "ListNamespaces", NextToken=wrong)
        assert "NextToken" in body["Message"]
    api.fails("InvalidInput", "ListOperations", NextToken=token)
    api.fails("InvalidInput", "ListNamespaces", NextToken=token, Filters=filters)
    filtered = api.ok("ListNamespaces", MaxResults=1, Filters=filters)["NextToken"]
    api.fails("InvalidInput", "ListNamespaces", NextToken=filtered)
    assert api.ok("ListNamespaces", NextToken=filtered, Filters=filters)["Namespaces"]


@pytest.mark.parametrize("ids", [
    ["arn:aws:servicediscovery:eu-west-1:000000000000:namespace/ns-aaaaaaaaaaaaaaaa"],
    ["ns-aaaaaaaaaaaaaaaa", "ns-bbbbbbbbbbbbbbbb"]])
def test_foreign_tokens_are_refused_also_where_nothing_can_be(api, ids):
    """A namespace of another region, or two at a time."""
    api.http("n1")
    api.http("n2")
    filters = [{"Name": "NAMESPACE_ID", "Values": [name]} for name in ids]
    assert api.ok("ListOperations", Filters=filters) == {"Operations": []}
    token = api.ok("ListOperations", MaxResults=1)["NextToken"]
    for wrong in ("x", token):
        api.fails("InvalidInput", "ListOperations", Filters=filters, NextToken=wrong)


def test_boto3_paginates_operations(daemon):
    """The SDK's paginator stops by itself."""
    for number in range(5):
        daemon.api.http(f"n{number}")
    paginator = daemon.boto().get_paginator("list_operations")
    found = [op["Id"] for page in paginator.paginate(PaginationConfig={"PageSize": 2})
             for op in page["Operations"]]
    assert len(found) == len(set(found)) == 5


def test_filter_that_leaves_out_very_many(start, home):
    """A page ends after 10,000 that do not match, with what it has and a token, as pages
    on AWS may: nobody waits for a walk over all of them. The pages together are whole."""
    path = pathlib.Path(home) / "seed.json"
    path.write_text(json.dumps({"Namespaces": [{
        "Name": "n", "Type": "HTTP", "Services": [{"Name": "s", "Instances": [
            {"InstanceId": f"i{number}", "Attributes": {"a": "b"}}
            for number in range(10050)]}]}]}))
    api = start("--seed", str(path), "--quota", "instances-per-service=0", "--quota",
                "instances-per-namespace=0").api

    def filtered(**filters):
        return pages(api, "ListOperations", 100, Filters=[
            {"Name": name, "Values": [value]} for name, value in filters.items()])

    assert [len(page) for page in filtered(TYPE="CREATE_NAMESPACE")] == [0, 1]
    assert [len(page) for page in filtered(STATUS="FAIL")] == [0, 0]
    assert [len(page) for page in filtered(TYPE="REGISTER_INSTANCE")] == [100] * 100 + [50]
