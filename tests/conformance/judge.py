# SPDX-License-Identifier: BSD-2-Clause
"""Whether four replies to one query say the same.

Replies are reduced to fields, after the few normalisations that "normalise" explains;
each field of ours is held against the one that two of the three peers agree on. When no
two of them agree, it must be that of one of them.
"""

import collections
import struct
import typing

import differences
import message
from message import AA, ANY, NS, QR
from peers import EDNS_SIZE, OURS, PEERS

FLAG_FIELDS = {"AA": AA, "TC": message.TC, "RD": message.RD, "RA": message.RA, "Z": message.Z,
               "AD": message.AD, "CD": message.CD}
EDE = 15  # an extended error is for people to read (RFC 8914, section 2)
SECTIONS = ("answer", "authority", "additional")


def qtype_of(wire):
    """The type asked for, or None when there is no such thing."""
    try:
        return struct.unpack_from("!H", wire, message.read_name(wire, 12)[1])[0]
    except (message.Malformed, struct.error, IndexError):
        return None


def drop_apex_ns(sections, apexes):
    """NSD adds the zone's NS set, and its addresses, to answers that are complete
    without (RFC 1034, section 3.7: the authority section "may" have them). The NS sets
    of referrals are at cuts: they have no apex as owner, or there is no answer."""
    answer, authority, additional = sections
    servers = {r.data for r in authority if r.type == NS}
    if not answer or not servers or any(
            r.type != NS or r.owner not in apexes for r in authority):
        return sections
    wanted = {r.data[-len(server):] for r in answer for server in servers}
    additional = frozenset(r for r in additional
                           if r.owner not in servers or r.owner in wanted)
    return [answer, frozenset(), additional]


def sections_of(reply, apexes):
    sections = [frozenset(getattr(reply, name)) for name in SECTIONS]
    if reply.flags & AA:
        sections = drop_apex_ns(sections, apexes)
    return dict(zip(SECTIONS, sections))


def fields_of(wire, apexes):
    """Everything that is compared, by name."""
    if wire is None:
        return {"reply": "none"}
    try:
        reply = message.parse(wire)
    except (message.Malformed, struct.error, IndexError) as error:
        return {"reply": f"malformed: {error}"}
    fields = {"reply": "one", "QR": bool(reply.flags & QR),
              "opcode": reply.flags >> 11 & 15, "rcode": reply.rcode,
              "question": reply.question}
    for name, bit in FLAG_FIELDS.items():
        fields[name] = bool(reply.flags & bit)
    fields.update(sections_of(reply, apexes))
    fields["edns"] = reply.opt and (
        f"version {reply.opt[2]} flags {reply.opt[3]:04x} options "
        f"{sorted(code for code, _ in reply.opt[4] if code != EDE)}")
    return fields


def forget_truncated(replies):
    """What a reply with TC still holds is up to the server: the client asks again over
    TCP (RFC 2181, section 9)."""
    if any(fields.get("TC") for fields in replies.values()):
        for fields in replies.values():
            for name in SECTIONS:
                fields.pop(name, None)


def reduce_any(replies):
    """ANY may be answered with one set (RFC 8482, section 4.1), or with all: ours counts
    as the answer of a peer that holds it whole."""
    ours = replies[OURS].get("answer")
    if not ours:
        return
    types = {(r.owner, r.type) for r in ours}
    for peer in PEERS:
        theirs = replies[peer].get("answer", frozenset())
        if ours == {r for r in theirs if (r.owner, r.type) in types}:
            replies[peer]["answer"] = ours
        replies[peer].pop("additional", None)
    replies[OURS].pop("additional", None)


class Difference(typing.NamedTuple):
    field: str
    ours: object
    theirs: dict  # peer -> value
    expected: object  # of the majority, or None


class Case(typing.NamedTuple):
    """One query with all replies."""

    query: object  # queries.Query
    wires: dict  # server -> octets or None
    apexes: frozenset

    @property
    def qtype(self):
        return qtype_of(self.query.wire)

    def reply(self, server=OURS):
        """A reply taken apart; None when it cannot be, or there is none."""
        try:
            return message.parse(self.wires[server])
        except (TypeError, message.Malformed, struct.error):
            return None

    def differences(self):
        return list(find_differences(self))

    def unexplained(self):
        """Those that the table of differences does not have; the entries used."""
        left, used = [], set()
        for difference in self.differences():
            entry = differences.find(self, difference)
            if entry:
                used.add(entry.name)
            else:
                left.append(difference)
        return left, used


def check_ours(case, fields):
    """What has to be right whatever the others say."""
    wire = case.wires[OURS]
    reply = case.reply()
    if not reply:
        return
    limit = 65535
    if not case.query.tcp:
        limit = min(max(512, announced_size(case.query.wire)), EDNS_SIZE)
    if len(wire) > limit:
        yield Difference("size", len(wire), {"limit": limit}, limit)
    for name in SECTIONS:
        records = [r[:3] + r[4:] for r in getattr(reply, name)]
        if len(set(records)) != len(records):
            yield Difference("doubles", name, {}, None)
    if reply.opt and reply.opt[0] != EDNS_SIZE:
        yield Difference("edns size", reply.opt[0], {}, EDNS_SIZE)


def announced_size(wire):
    """The size in the OPT record of a query that is well-formed, or 0."""
    try:
        _, at = message.read_name(wire, 12)
        record, _ = message.read_record(wire, at + 4)
        return record.cls if record.type == message.OPT else 0
    except (message.Malformed, struct.error, IndexError):
        return 0


def is_useful(ours, expected, theirs):
    """What may be useful is added to the additional section (RFC 1034, section 4.3.2,
    step 6): we may have more than two peers do, if it is what the third has."""
    return None not in (ours, expected) and expected < ours and ours in theirs.values()


def find_differences(case):
    replies = {name: fields_of(wire, case.apexes) for name, wire in case.wires.items()}
    yield from check_ours(case, replies[OURS])
    forget_truncated(replies)
    if case.qtype == ANY:
        reduce_any(replies)
    names = dict.fromkeys(name for fields in replies.values() for name in fields)
    for name in names:
        ours = replies[OURS].get(name)
        theirs = {peer: replies[peer].get(name) for peer in PEERS}
        value, votes = collections.Counter(theirs.values()).most_common(1)[0]
        if name == "additional" and votes > 1 and is_useful(ours, value, theirs):
            continue
        if votes > 1 and ours != value:
            yield Difference(name, ours, theirs, value)
        elif votes == 1 and ours not in theirs.values():
            yield Difference(name, ours, theirs, None)
        if name == "reply" and (votes == 1 or ours != value or value != "one"):
            return


# ---- text ---------------------------------------------------------------------------

def value_lines(value):
    if isinstance(value, frozenset):
        return sorted(map(message.record_text, value)) or ["(empty)"]
    if isinstance(value, tuple):
        return [part.hex() for part in value] or ["(empty)"]
    return [str(value)]


def difference_text(difference):
    lines = [f"  {difference.field}:"]
    for line in value_lines(difference.ours):
        lines.append(f"    ours      {line}")
    for peer, value in difference.theirs.items():
        if value == difference.ours:
            lines.append(f"    {peer:9} the same")
        else:
            lines += [f"    {peer:9} {line}" for line in value_lines(value)]
    return "\n".join(lines)
