# SPDX-License-Identifier: BSD-2-Clause
"""Where we differ from the majority of the peers on purpose: the table.

Each entry says what differs, why, and which text makes us right. Whatever differs and is
not here is a fault of ours. An entry that explains nothing in "contrib/dev check" is a
fault too.
"""

import typing

import message
from message import A, AA, CNAME, DNAME, NS, QR, SOA, TC
from queries import AXFR, IXFR, NSEC, RRSIG

EVERYTHING = frozenset(("rcode", "AA", "TC", "RA", "answer", "authority", "additional",
                        "edns", "question", "reply"))
CONTENT = frozenset(("rcode", "AA", "TC", "answer", "authority", "additional"))


class Entry(typing.NamedTuple):
    name: str
    rfc: str
    what: str
    matches: typing.Callable  # of a case and a difference
    fields: frozenset = CONTENT


def rcodes(case, *wanted):
    reply = case.reply()
    return bool(reply) and reply.rcode in wanted


def opcode(case):
    return case.query.wire[2] >> 3 & 15 if len(case.query.wire) > 2 else 0


def crosses_zones(case, _):
    """The answer has records of two zones, and NSD says exactly the same, or a chain
    ends in another zone."""
    reply = case.reply()
    if not reply or not any(r.type == CNAME for r in reply.answer):
        return False
    names = [r.owner for r in reply.answer]
    names += [r.data for r in reply.answer if r.type == CNAME]
    return len({zone_of(case, name) for name in names} - {None}) > 1


def zone_of(case, name):
    while name not in case.apexes:
        if name == b"\0":
            return None
        name = name[1 + name[0]:]
    return name


TABLE = [
    Entry("chain into another zone", "RFC 1034, section 4.3.2, step 3a",
          "A CNAME whose target lies in another zone of the server is followed there. The "
          "algorithm starts again at step 1 with the new name, so step 2 looks for the "
          "nearest zone anew. NSD does so too; Knot and BIND leave it to the client.",
          crosses_zones),
    Entry("RRSIG and NSEC of a CNAME", "RFC 1034, section 4.3.2, step 3a",
          "A CNAME is followed whatever other type is asked for. Knot and BIND except the "
          "types that may stand beside a CNAME in signed zones (RFC 4035, section 2.5); "
          "our zones are not signed, and for them step 3a has no exception. NSD agrees.",
          lambda case, _: case.qtype in (RRSIG, NSEC) and case.reply() and any(
              r.type == CNAME for r in case.reply().answer)),
]


def find(case, difference):
    for entry in TABLE:
        if difference.field in entry.fields and entry.matches(case, difference):
            return entry
    return None
