# SPDX-License-Identifier: BSD-2-Clause
"""Every constraint of the service's model, broken once at a time."""

import re

import pytest

import models

ENTRY = re.compile(r"at '(.*?)' failed to satisfy constraint: ")


def expect(shared, operation, members):
    """The call must fail naming exactly what the model says is broken."""
    wanted = models.violations(models.input_shape(operation), members)
    assert wanted, f"the test is wrong: {members} breaks nothing"
    message = shared.api.fails("InvalidInput", operation, **members)["Message"]
    noun = "error" if len(wanted) == 1 else "errors"
    head = f"{len(wanted)} validation {noun} detected: "
    assert message.startswith(head), (message, wanted)
    for path, constraint in wanted:
        assert f"'{path}' failed to satisfy constraint: {constraint}" in message, (
            message, path, constraint)
    return message


@pytest.mark.parametrize("operation", models.OPERATIONS)
def test_each_broken_constraint_is_named(shared, operation):
    """Required, length, range, pattern, enum: one violation each, at every depth; none of
    the model's constraints is left out."""
    shape, broken = models.input_shape(operation), set()
    for _, members in models.mutations(shape):
        expect(shared, operation, members)
        broken |= {(models.nameless(path), constraint)
                   for path, constraint in models.violations(shape, members)}
    assert broken and models.constraints(shape) - broken == set()
    assert shared.api.ok("ListNamespaces")["Namespaces"] == []


@pytest.mark.parametrize("operation", models.OPERATIONS)
def test_values_at_the_limit_break_nothing(shared, operation):
    """The longest, the shortest, the largest, the smallest, each of an enum: only another
    member is complained about, which is too long on purpose, so that nothing is done."""
    shape = models.input_shape(operation)
    texts = [name for name, member in models.SHAPES[shape]["members"].items()
             if "max" in models.SHAPES[member["shape"]]
             and models.SHAPES[member["shape"]]["type"] == "string"]
    for label, members in models.edges(shape):
        assert models.violations(shape, members) == [], label
        others = [name for name in texts if name != label.split(".")[0]]
        if others:
            expect(shared, operation, {**members, others[0]: "x" * 5000})
        else:
            message = shared.api.raw(operation, **members).message
            assert "validation error" not in message, (label, message)


@pytest.mark.parametrize("operation", models.OPERATIONS)
def test_each_wrong_type_is_a_serialization_exception(shared, operation):
    """A wrong JSON type, at every depth."""
    shape = models.input_shape(operation)
    for label, members in models.type_errors(shape):
        if not isinstance(members, dict) or label == "dict":
            continue
        reply = shared.api.raw(operation, **members)
        assert (reply.status, reply.code) == (400, "SerializationException"), (label, reply)


def test_several_violations_are_counted_in_one_message(shared):
    """All of them, joined with semicolons."""
    message = expect(shared, "CreatePrivateDnsNamespace", {
        "Name": "no spaces please", "CreatorRequestId": "x" * 65, "Description": "x" * 1025,
        "Tags": [{"Key": "", "Value": "v"}, {"Key": "k"}, {"Value": "x" * 257}],
        "Properties": {"DnsProperties": {"SOA": {"TTL": -1}}}})
    assert message.startswith("9 validation errors detected: ")
    assert message.count("; ") >= 8


def test_value_and_path_are_quoted_as_aws_does(shared):
    """The exact text of the two simplest cases."""
    assert shared.api.fails("InvalidInput", "GetNamespace")["Message"] == (
        "1 validation error detected: Value null at 'id' failed to satisfy constraint: "
        "Member must not be null")
    assert shared.api.fails("InvalidInput", "ListNamespaces", MaxResults=101)["Message"] == (
        "1 validation error detected: Value '101' at 'maxResults' failed to satisfy "
        "constraint: Member must have value less than or equal to 100")


def test_empty_call_names_every_required_member(shared):
    """Nothing but {}: as many errors as required members."""
    for operation in models.OPERATIONS:
        required = models.SHAPES[models.input_shape(operation)].get("required", ())
        if required:
            message = expect(shared, operation, {})
            assert message.count("Member must not be null") == len(required)


def test_length_counts_code_points(shared):
    """1,024 characters outside the BMP are 1,024 characters."""
    members = {"Name": "a b", "Description": "\U0001f600" * 1024}
    message = expect(shared, "CreateHttpNamespace", members)
    assert message.startswith("1 validation error")


@pytest.mark.parametrize("operation, name", [
    ("CreateHttpNamespace", "line\n"), ("CreatePrivateDnsNamespace", "line\n"),
    ("CreatePublicDnsNamespace", "a.example\n"), ("CreateHttpNamespace", "\u00fcber"),
    ("CreateHttpNamespace", "arn:x"),
    ("CreatePrivateDnsNamespace", "arn:x"), ("CreateHttpNamespace", "")])
def test_patterns_match_the_whole_value(shared, operation, name):
    """A trailing line break, an umlaut, an ARN are no names."""
    message = shared.api.fails("InvalidInput", operation, Name=name, Vpc="vpc-1")["Message"]
    assert "failed to satisfy constraint: Member must satisfy regular expression" in message


def test_nul_in_a_text_is_refused(shared):
    """Never cut at the NUL."""
    reply = shared.api.raw("CreateHttpNamespace", Name="nul\u0000more")
    assert reply.status == 400 and reply.code in ("InvalidInput", "SerializationException")


@pytest.mark.parametrize("name", ["plain", "a.b.", "a..b", "-a.b", "a-.b", "a_b.c", ".a.b",
                                  "a.b-", "x" * 64 + ".com", "a b.c", "a.b/c", "*.b.c"])
def test_public_names_are_host_names(shared, name):
    """At least one dot, letters, digits, hyphens inside, no trailing dot."""
    shared.api.fails("InvalidInput", "CreatePublicDnsNamespace", Name=name)


@pytest.mark.parametrize("properties", [{}, {"DnsProperties": {}},
                                        {"DnsProperties": {"SOA": {}}}])
def test_properties_are_required_all_the_way_down(shared, properties):
    """Half a Properties is an error."""
    for operation, more in (("CreatePublicDnsNamespace", {}),
                            ("CreatePrivateDnsNamespace", {"Vpc": "vpc-1"})):
        expect(shared, operation, {"Name": "a.b", "Properties": properties, **more})


def test_message_stays_short_for_huge_values(shared):
    """A hostile value is not echoed without end, and all errors are still counted."""
    tags = [{"Key": "x" * 129, "Value": "y" * 257}] * 200
    message = shared.api.fails("InvalidInput", "CreateHttpNamespace", Name="x",
                               Tags=tags)["Message"]
    assert message.startswith("400 validation errors detected: ")
