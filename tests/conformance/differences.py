# SPDX-License-Identifier: BSD-2-Clause
"""Where we differ from the majority of the peers on purpose: the table.

Each entry says what differs and why, and names the text that makes us right. Whatever
differs and is not here is a fault of ours. An entry that explains nothing in
"contrib/dev check" is a fault too.
"""

import struct
import typing

import message
from message import AA, CNAME, DNAME, NS, SOA
from queries import DS, NSEC, RRSIG

FORMERR, NOTIMP = 1, 4
NXNAME = 128
CONTENT = ("rcode", "AA", "answer", "authority", "additional")


class Entry(typing.NamedTuple):
    name: str
    rfc: str
    why: str
    matches: typing.Callable  # of a case and a difference
    fields: tuple = CONTENT


# ---- what a case is like ----------------------------------------------------------

def opcode(case):
    return case.query.wire[2] >> 3 & 15 if len(case.query.wire) > 2 else 0


def counts(case):
    wire = case.query.wire
    return struct.unpack_from("!HHHH", wire, 4) if len(wire) >= 12 else None


def rcode(case):
    reply = case.reply()
    return reply.rcode if reply else None


def has_answer(case, rtype):
    reply = case.reply()
    return bool(reply) and any(r.type == rtype for r in reply.answer)


def agrees(difference, *peers):
    """One of these peers says what we say."""
    return any(difference.theirs.get(peer) == difference.ours for peer in peers)


def zone_of(case, name):
    while name not in case.apexes:
        if name == b"\0":
            return None
        name = name[1 + name[0]:]
    return name


def crosses_zones(case, _):
    """A chain of aliases goes from one zone to another."""
    reply = case.reply()
    aliases = [r for r in reply.answer if r.type == CNAME] if reply else []
    names = [name for r in aliases for name in (r.owner, r.data)]
    if case.qtype == DS:  # which lies on the parent's side
        names += [name[1 + name[0]:] for name in names if name in case.apexes]
    return len({zone_of(case, name) for name in names} - {None}) > 1


def has_foreign_addresses(case, difference):
    """What is more, or less, than expected lies in other zones than what names it."""
    reply = case.reply()
    homes = {zone_of(case, r.owner) for r in reply.answer + reply.authority
             if r.type != CNAME}
    wanted = [difference.expected] if difference.expected is not None else \
        difference.theirs.values()
    return any(value is not None and
               all(zone_of(case, r.owner) not in homes for r in difference.ours ^ value)
               for value in wanted)


def lacks_wildcard_glue(case, difference):
    """A referral, in which others have addresses more."""
    reply = case.reply()
    return difference.expected is not None and difference.ours < difference.expected and \
        agrees(difference, "bind") and any(
            r.type == NS and r.owner not in case.apexes for r in reply.authority)


def is_undelegated(case, _):
    """DS at an apex, with the SOA record of that zone."""
    reply = case.reply()
    return case.qtype == DS and bool(reply) and len(reply.question) == 1 and any(
        r.type == SOA and r.owner == reply.question[0][:-4].lower()
        for r in reply.authority)


def is_growing_chain(case, _):
    """A DNAME that leads below itself, followed as far as each server likes."""
    reply = case.reply()
    return has_answer(case, DNAME) and any(
        r.type == DNAME and r.data.endswith(r.owner) for r in reply.answer)


def lacks_glue(case, difference):
    """A referral with TC that others send without TC and without all of the glue."""
    reply = case.reply()
    return difference.ours is True and bool(reply) and not reply.flags & AA


def has_octets_behind(case, _):
    """The query goes on behind its last record."""
    found, wire = counts(case), case.query.wire
    if not found or found[0] != 1 or found[1] or found[2] or found[3] > 1:
        return False
    try:
        _, at = message.read_name(wire, 12)
        at += 4
        for _ in range(found[3]):
            _, at = message.read_record(wire, at)
    except (message.Malformed, struct.error, IndexError):
        return False
    return at < len(wire)


def has_no_whole_question(case, _):
    found = counts(case)
    try:
        return case.query.tcp and bool(found) and found[0] == 1 and \
            message.read_name(case.query.wire, 12) is None
    except message.Malformed:
        return rcode(case) == FORMERR


TABLE = [
    Entry("a chain goes on in another zone", "RFC 1034, section 4.3.2, step 3a",
          "The algorithm starts again at step 1 with the target of a CNAME, so step 2 "
          "looks for the nearest zone anew. NSD does so too; Knot and BIND leave what "
          "lies in their other zones to the client.",
          crosses_zones, CONTENT + ("TC",)),
    Entry("RRSIG or NSEC at a CNAME", "RFC 1034, section 4.3.2, step 3a",
          "A CNAME is followed whatever other type is asked for. Knot and BIND except the "
          "types that stand beside a CNAME in signed zones (RFC 4035, section 2.5); ours "
          "are not signed, and step 3a has no exception. NSD agrees.",
          lambda case, difference: case.qtype in (RRSIG, NSEC) and
          has_answer(case, CNAME) and agrees(difference, "nsd")),
    Entry("a DNAME that leads below itself", "RFC 1034, section 3.6.2",
          "Such a chain never ends, and no text says how far it is to be followed: a "
          "server must only bound its work. We stop after 8 CNAMEs; NSD after 1, Knot and "
          "BIND somewhere between 5 and 12.",
          is_growing_chain, CONTENT + ("TC",)),
    Entry("glue that does not fit", "RFC 9471, section 3.1",
          "All glue below the delegation must be in a referral; when it does not fit, TC "
          "says so. Knot agrees; this NSD and this BIND, older than the text, leave some "
          "out and do not say so.",
          lacks_glue, ("TC",)),
    Entry("addresses from another zone", "RFC 1034, section 4.3.2, step 6",
          "The addresses of a host that a record names are those of the nearest zone here, "
          "as for any query: the text speaks of local data. The peers look into the zone of "
          "the record alone.",
          has_foreign_addresses, ("additional",)),
    Entry("no glue from wildcards", "RFC 1034, section 4.3.3",
          "A delegation cancels the wildcards below it: a name server that lies below "
          "another cut has no address by them. BIND agrees; NSD and Knot make one.",
          lacks_wildcard_glue, ("additional",)),
    Entry("DS of a zone that its parent does not delegate", "RFC 4035, section 3.1.4.1",
          "DS belongs to the parent's side of a cut. Where the parent has no cut there is "
          "no such side, and the zone itself says that there is no DS. The peers let the "
          "parent speak, which denies the name, or takes it for a wildcard's: NXDOMAIN, "
          "which is for all types (RFC 2308, section 5; RFC 8020), would hide the zone from "
          "whoever asks through a cache.",
          is_undelegated, CONTENT),
    Entry("small enough", "RFC 2181, section 9",
          "TC is for what does not fit. How names in data are compressed (RFC 1035, section "
          "4.1.4) decides that for a DNAME to a name of some 200 octets, which its answer has "
          "twice; our reply is whole.",
          lambda case, difference: difference.ours is False and has_answer(case, DNAME),
          ("TC",)),
    Entry("NXNAME", "RFC 9824, section 3.5",
          "That type says in a reply that the name does not exist; who asks for it gets "
          "FORMERR. BIND agrees; this NSD and this Knot are older than the text.",
          lambda case, difference: case.qtype == NXNAME and rcode(case) == FORMERR and
          agrees(difference, "bind"), CONTENT),
    Entry("no NOTIFY, no UPDATE", "RFC 1035, section 4.1.1",
          "NOTIMP is for kinds of query that a server does not support, whatever else may "
          "be wrong with them. The peers have both.",
          lambda case, _: opcode(case) in (4, 5) and rcode(case) == NOTIMP,
          CONTENT + ("reply",)),
    Entry("octets behind a query", "RFC 1035, section 4.1",
          "A message has a header and four sections, whose counts say where it ends. What "
          "goes on is none, and may be an attempt to hide something: FORMERR. Knot agrees; "
          "NSD and BIND ignore the rest.",
          lambda case, difference: has_octets_behind(case, difference) and
          rcode(case) == FORMERR and agrees(difference, "knot")),
    Entry("OPT in a FORMERR reply", "RFC 6891, sections 6.1.1 and 7",
          "What was asked with OPT is answered with OPT, also when what is wrong is in "
          "that OPT record. The peers leave it out then.",
          lambda case, difference: rcode(case) == FORMERR and difference.expected is None,
          ("edns",)),
    Entry("edns-tcp-keepalive", "RFC 7828, section 3.3.2",
          "A client that sends the option over TCP learns how long it may idle. BIND "
          "agrees; this NSD and this Knot do not have it.",
          lambda case, difference: case.query.tcp and agrees(difference, "bind"), ("edns",)),
    Entry("a broken question over TCP", "RFC 1035, section 4.1.1",
          "FORMERR is the reply to what cannot be read, also over TCP. BIND agrees; NSD "
          "and Knot close the connection.",
          lambda case, difference: has_no_whole_question(case, difference) and
          agrees(difference, "bind"), ("reply",)),
]


def find(case, difference):
    for entry in TABLE:
        if difference.field in entry.fields and entry.matches(case, difference):
            return entry
    return None
