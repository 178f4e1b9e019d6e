# SPDX-License-Identifier: BSD-2-Clause
"""The judge itself: it sees what differs, and lets pass what may."""

import struct

import pytest

import judge
import message
import queries
from message import AA, QR, TC, build, opt_record, question, record_text
from queries import A, ANY, NS, record

APEX = b"\4zone\4test\0"
WWW = b"\3www" + APEX
ADDRESS, OTHER = record(WWW, A, b"\1\2\3\4", ttl=9), record(WWW, A, b"\1\2\3\5", ttl=9)
SERVER = record(APEX, NS, b"\2ns" + APEX, ttl=9)
GLUE = record(b"\2ns" + APEX, A, b"\1\1\1\1", ttl=9)


def reply(flags=QR | AA, **sections):
    return build([question(WWW, A)], flags, **sections)


GOOD = reply(answer=[ADDRESS])


def fields(ours, *theirs, query=None, tcp=False):
    """The fields that differ when these are the replies."""
    query = queries.Query(query or build([question(WWW, A)]), tcp)
    case = judge.Case(query, dict(zip(("gazetteer", "nsd", "knot", "bind"),
                                      (ours, *theirs))), frozenset({APEX}))
    return {difference.field for difference in case.differences()}


def test_equal_replies_agree():
    assert fields(GOOD, GOOD, GOOD, GOOD) == set()


@pytest.mark.parametrize("ours, field", [
    (reply(QR, answer=[ADDRESS]), "AA"),
    (reply(QR | AA | 5, answer=[ADDRESS]), "rcode"),
    (reply(QR | AA | message.RD, answer=[ADDRESS]), "RD"),
    (reply(QR | AA | 4 << 11, answer=[ADDRESS]), "opcode"),
    (reply(AA, answer=[ADDRESS]), "QR"),
    (reply(QR | AA | TC), "TC"),
    (reply(answer=[OTHER]), "answer"),
    (reply(answer=[ADDRESS, OTHER]), "answer"),
    (reply(answer=[record(WWW, A, b"\1\2\3\4", ttl=8)]), "answer"),
    (reply(answer=[ADDRESS], authority=[SERVER]), None),
    (reply(answer=[ADDRESS], authority=[SERVER], additional=[GLUE]), None),
    (reply(answer=[ADDRESS], additional=[OTHER]), "additional"),
    (reply(answer=[ADDRESS, ADDRESS]), "doubles"),
    (reply(answer=[ADDRESS], additional=[opt_record()]), "edns"),
    (build([], QR | AA, answer=[ADDRESS]), "question"),
    (build([question(WWW.upper(), A)], QR | AA, answer=[ADDRESS]), "question"),
    (GOOD + b"\0", "reply"), (GOOD[:-1], "reply"), (GOOD[:11], "reply"), (None, "reply")])
def test_difference_is_seen(ours, field):
    """But NS records beside a whole answer, which may be there."""
    assert fields(ours, GOOD, GOOD, GOOD) == ({field} if field else set())


def test_majority_decides():
    other = reply(answer=[OTHER])
    assert fields(GOOD, GOOD, GOOD, other) == set()
    assert fields(GOOD, GOOD, other, other) == {"answer"}


def test_without_a_majority_one_peer_must_agree():
    other, both = reply(answer=[OTHER]), reply(answer=[ADDRESS, OTHER])
    assert fields(GOOD, GOOD, other, both) == set()
    assert fields(reply(), GOOD, other, both) == {"answer"}


def test_silence_of_all_agrees():
    assert fields(None, None, None, None) == set()
    assert fields(GOOD, None, None, GOOD) == {"reply"}


def test_content_of_truncated_replies_is_free():
    short = reply(QR | AA | TC)
    assert fields(short, reply(QR | AA | TC, answer=[ADDRESS]), short, short) == set()


def test_any_may_be_one_whole_set():
    query = build([question(WWW, ANY)])
    txt = record(WWW, 16, b"\1a", ttl=9)
    full = reply(answer=[ADDRESS, OTHER, txt])
    assert fields(reply(answer=[txt]), full, full, full, query=query) == set()
    assert fields(reply(answer=[ADDRESS]), full, full, full, query=query) == {"answer"}
    assert fields(reply(), full, full, full, query=query) == {"answer"}


def test_additional_records_may_be_more_if_one_peer_has_them():
    more = reply(answer=[ADDRESS], additional=[GLUE])
    assert fields(more, GOOD, more, GOOD) == set()
    assert fields(GOOD, GOOD, more, more) == {"additional"}
    assert fields(reply(answer=[ADDRESS], additional=[OTHER]), GOOD, more, GOOD) == {
        "additional"}


def test_reply_keeps_to_the_size():
    big = reply(answer=[record(WWW, 16, b"\xff" + b"a" * 255, ttl=9),
                        record(WWW, 16, b"\xff" + b"b" * 255, ttl=9)])
    assert fields(big, big, big, big) == {"size"}
    assert fields(big, big, big, big, tcp=True) == set()
    query = build([question(WWW, A)], 0, [opt_record(900)])
    assert fields(big, big, big, big, query=query) == set()


def test_names_agree_whatever_their_case_and_compression():
    upper = reply(answer=[record(WWW.upper(), A, b"\1\2\3\4", ttl=9)])
    pointer = reply(answer=[record(b"\xc0\x0c", A, b"\1\2\3\4", ttl=9)])
    assert fields(upper, pointer, GOOD, GOOD) == set()
    forward = reply(answer=[record(struct.pack("!H", 0xc000 | 60), A, b"\1\2\3\4", ttl=9)])
    assert fields(forward + bytes(20), GOOD, GOOD, GOOD) == {"reply"}


def test_records_have_a_text():
    assert record_text(message.parse(GOOD).answer[0]) == "www.zone.test. 9 IN A 1.2.3.4"
