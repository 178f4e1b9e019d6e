# SPDX-License-Identifier: BSD-2-Clause
"""What is asked: about every name of the zones and around it, and messages that are odd."""

import itertools
import random
import struct
import typing

from message import (AA, AD, ANY_CLASS, CD, CH, DO, HS, IN, NONE, QR, RA, RD, TC, Z,
                     build, opt_record, option, question)

A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR, DNAME, DS = (
    1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43)
TSIG = 250
RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, HTTPS, IXFR, AXFR, ANY = (
    46, 47, 48, 50, 51, 65, 251, 252, 255)
USUAL = (A, AAAA, NS, SOA, MX, TXT, CNAME, DNAME, DS, SRV, ANY)
UNUSUAL = (PTR, NAPTR, HTTPS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, 65280, 65535, 10,
           99, 257)
SIZES = (0, 512, 513, 900, 1232, 1233, 4096, 65535)


class Query(typing.NamedTuple):
    wire: bytes
    tcp: bool = False


# ---- names --------------------------------------------------------------------

def parent(name):
    return name[1 + name[0]:] if name[0] else None


def child(label, name):
    """A name one label longer, or None when that would be too long."""
    longer = bytes([len(label)]) + label + name
    return longer if len(longer) <= 255 else None


def around(owner, origin):
    """An owner and names related to it, some of which may not exist."""
    yield owner
    yield child(b"zz", owner)
    yield child(b"*", owner)
    yield child(b"a", owner)
    if below := child(b"q", owner):
        yield child(b"p", below)
    above = parent(owner)
    if above is None or len(owner) <= len(origin):
        return
    first = owner[1:1 + owner[0]]
    yield child(first[:-1] + bytes([first[-1] ^ 1]), above)
    yield child(b"zz", above)
    if len(first) < 63:
        yield child(first + b"z", above)
    yield child(first, b"\2zz" + above) if len(above) < 180 else None
    while above and len(above) >= len(origin):
        yield above
        above = parent(above)


def names_of(records, origin):
    found = {owner: None for owner, _ in records}
    for owner, _ in records:
        found.update((name, None) for name in around(owner, origin) if name)
    return list(found)


def random_case(name, rng):
    out, at = bytearray(), 0
    while name[at]:
        label = name[at + 1:at + 1 + name[at]]
        out.append(name[at])
        out += bytes(c ^ 32 if 0x41 <= c & 0xdf <= 0x5a and rng.random() < 0.5 else c
                     for c in label)
        at += 1 + name[at]
    return bytes(out) + b"\0"


# ---- queries ---------------------------------------------------------------------

def random_edns(rng):
    """An OPT record as clients send it, or none."""
    if rng.random() < 0.5:
        return ()
    options = b""
    kind = rng.random()
    if kind < 0.1:
        options = option(rng.choice((65001, 4242, 20)), rng.randbytes(rng.randrange(12)))
    elif kind < 0.15:
        options = option(12, bytes(rng.randrange(20)))
    elif kind < 0.2:
        options = option(8, struct.pack("!HBB", 1, 24, 0) + b"\xc0\x00\x02")
    elif kind < 0.24:
        options = option(65001) + option(65001, b"again") + option(3)
    flags = DO if rng.random() < 0.4 else 0
    return (opt_record(rng.choice(SIZES), flags, options),)


def ordinary(name, qtype, rng):
    flags = RD if rng.random() < 0.5 else 0
    flags |= CD if rng.random() < 0.1 else 0
    flags |= AD if rng.random() < 0.1 else 0
    if rng.random() < 0.3:
        name = random_case(name, rng)
    return Query(build([question(name, qtype)], flags, random_edns(rng)),
                 rng.random() < 0.1)


def types_for(there, rng):
    return [*sorted(there | {A}), *rng.sample(USUAL, 4), rng.choice(UNUSUAL)]


def for_zone(records, origin, rng):
    """Queries about one zone: each owner with each of its types, plainly and otherwise."""
    there = {}
    for owner, rtype in records:
        there.setdefault(owner, set()).add(rtype)
    for name in names_of(records, origin):
        for qtype in dict.fromkeys(types_for(there.get(name, set()), rng)):
            yield ordinary(name, qtype, rng)
        yield Query(build([question(name, A)]))
    for name, qtype in itertools.product(there, USUAL):
        yield ordinary(name, qtype, rng)


def sizes(records):
    """Every set at each of the sizes where answers stop to fit, and over TCP."""
    for name, qtype in records:
        wire = build([question(name, qtype)])
        yield Query(wire)
        yield Query(wire, True)
        for size in (512, 900, 1232, 4096):
            yield Query(build([question(name, qtype)], 0, [opt_record(size)]))


def outside(rng):
    """Names in no zone."""
    for name in (b"\7example\3com\0", b"\0", b"\4test\0", b"\4feat\0", b"\1*\0",
                 b"\3www\11elsewhere\7example\0", b"\4xest\0", b"\5xfeat\4test\0"):
        for qtype in USUAL:
            yield ordinary(name, qtype, rng)


def for_world(zones, seed, limit=None):
    """All ordinary queries for {origin in wire form: records}, without doubles; with a
    limit, so many of them by chance."""
    rng = random.Random(f"queries/{seed}")
    found = {}
    for origin, records in zones.items():
        found.update((query, None) for query in for_zone(records, origin, rng))
    found.update((query, None) for query in outside(rng))
    found = list(found)
    if limit and len(found) > limit:
        found = rng.sample(found, limit)
    return found


# ---- odd messages --------------------------------------------------------------------

def odd_questions(apex, www):
    """Classes, types that are no data, several questions, none."""
    for cls in (CH, HS, NONE, ANY_CLASS, 0, 2, 65535):
        yield build([question(www, A, cls)])
        yield build([question(apex, SOA, cls)], 0, [opt_record()])
        yield build([question(b"\7nowhere\0", A, cls)])
    for qtype in (0, 41, 128, 249, 250, 251, 253, 254):
        yield build([question(www, qtype)])
        yield build([question(www, qtype)], RD, [opt_record()])
    for cls in (IN, CH):
        yield build([question(b"\7version\4bind\0", TXT, cls)])
    yield build([])
    yield build([], 0, [opt_record()])
    yield build([question(www, A), question(www, AAAA)])
    yield build([question(www, A)] * 2, 0, [opt_record()])
    yield build([question(www, A)] * 3)


def odd_headers(apex, www):
    """Opcodes, flags that belong to replies, responses."""
    for opcode in (1, 2, 3, 4, 5, 6, 7, 15):
        yield build([question(apex, SOA)], opcode << 11)
        yield build([question(apex, SOA)], opcode << 11 | RD, [opt_record()])
        yield build([], opcode << 11)
        yield build([question(b"\7nowhere\0", SOA)], opcode << 11)
    for flag in (AA, TC, RA, Z, AD, CD, AA | TC | RA | Z):
        yield build([question(www, A)], flag)
        yield build([question(www, A)], flag | RD, [opt_record()])
    for rcode in (1, 5, 15):
        yield build([question(www, A)], rcode)
    yield build([question(www, A)], QR)
    yield build([question(www, A)], QR | 5 << 11)
    yield build([question(www, A)], QR, [opt_record()])


def record(name, rtype, data=b"", cls=IN, ttl=0):
    return name + struct.pack("!HHIH", rtype, cls, ttl, len(data)) + data


def odd_records(apex, www):
    """Records where a query has none, and transfers."""
    address, soa = record(www, A, b"\1\2\3\4"), record(apex, SOA, b"\0\0" + bytes(20))
    q = [question(www, A)]
    yield build(q, 0, answer=[address])
    yield build(q, 0, authority=[address])
    yield build(q, 0, [address])
    yield build(q, 0, [address, opt_record()])
    yield build(q, 0, [opt_record(), address])
    yield build(q, 0, answer=[opt_record()])
    yield build(q, 0, authority=[opt_record()])
    yield build([question(apex, IXFR)], 0, authority=[soa])
    yield build([question(apex, IXFR)], 0, [opt_record()], authority=[soa])
    yield build([question(apex, AXFR)])
    yield build([question(apex, AXFR)], 0, [opt_record()])
    yield build([question(www, AXFR)])
    yield build([question(b"\7nowhere\0", AXFR)])
    yield build([question(apex, IXFR)])
    # An update and a notification with all that belongs to them.
    yield build([question(apex, SOA)], 5 << 11, authority=[address])
    yield build([question(apex, SOA)], 4 << 11 | AA, answer=[soa])
    yield build([question(apex, SOA)], 4 << 11 | AA, [opt_record()])


def odd_edns(www):
    q = [question(www, A)]
    for version in (1, 2, 255):
        yield build(q, 0, [opt_record(version=version)])
        yield build(q, RD, [opt_record(512, DO, version=version)])
        yield build(q, 0, [opt_record(version=version, options=option(65001, b"x"))])
    for flags in (0x4000, 1, 0x7fff, 0xffff):
        yield build(q, 0, [opt_record(flags=flags)])
    yield build(q, 0, [opt_record(rcode=1)])
    yield build(q, 0, [opt_record(), opt_record()])
    yield build(q, 0, [opt_record(), opt_record(version=1)])
    yield build(q, 0, [opt_record(owner=b"\1a\0")])
    yield build(q, 0, [opt_record(options=b"\0")])
    yield build(q, 0, [opt_record(options=b"\0\1\0")])
    yield build(q, 0, [opt_record(options=b"\xfd\xe9\0\5abc")])
    yield build(q, 0, [opt_record(options=option(65001, bytes(400)))])
    for code in (0, 1, 2, 3, 5, 6, 7, 9, 11, 13, 14, 15, 16, 17, 18):
        yield build(q, 0, [opt_record(options=option(code))])
    for data in (b"", b"\0\1", b"\0\1\x20\0\1\2\3", b"\0\1\x21\0\1\2\3\4", b"\0\2\0\0"):
        yield build(q, 0, [opt_record(options=option(8, data))])


def odd_cookies(www):
    """RFC 7873: only a client's cookie, both, and wrong lengths."""
    q = [question(www, A)]
    for length in (8, 16, 24, 32, 40, 0, 1, 7, 9, 15, 41):
        yield build(q, 0, [opt_record(options=option(10, bytes(range(length))))])
    twice = option(10, b"12345678") + option(10, b"abcdefgh")
    yield build(q, 0, [opt_record(options=twice)])
    yield build([], 0, [opt_record(options=option(10, b"12345678"))])


def tsig(key=b"\1k\0", algorithm=b"\x0bhmac-sha256\0", cls=ANY_CLASS, mac=bytes(32),
         other=b""):
    """A signature that nobody can check."""
    data = algorithm + struct.pack("!HIHH", 0, 1764000000, 300, len(mac)) + mac + \
        struct.pack("!HHH", 0x1234, 0, len(other)) + other
    return record(key, TSIG, data, cls)


def odd_tsig(apex, www):
    """RFC 8945: keys that nobody knows; records that are malformed, or where none belong."""
    q = [question(www, A)]
    for record_ in (tsig(), tsig(b"\3KeY\4Name\0"), tsig(algorithm=b"\3foo\0"), tsig(mac=b""),
                    tsig(other=bytes(6)), tsig(b"\xc0\x0c"), tsig(b"\0")):
        yield build(q, 0, [record_])
        yield build(q, RD, [opt_record(), record_])
    yield build([question(apex, SOA)], 5 << 11, [tsig()])
    yield build([question(apex, SOA)], 4 << 11, [tsig()])
    yield build([question(apex, SOA, CH)], 0, [tsig()])
    yield build(q, 0, [opt_record(version=1), tsig()])
    yield build([], 0, [tsig()])
    yield build(q, 0, [tsig(), opt_record()])
    yield build(q, 0, [tsig(), tsig()])
    yield build(q, 0, answer=[tsig()])
    yield build(q, 0, authority=[tsig()])
    yield build(q, 0, [tsig(cls=IN)])
    yield build(q, 0, [record(b"\1k\0", TSIG, bytes(3), ANY_CLASS)])
    yield build(q, 0, [record(b"\1k\0", TSIG, b"", ANY_CLASS)])
    yield build(q, 0, [tsig()[:-1]])


def odd_shapes(www):
    """What is not even a message."""
    q = question(www, A)
    whole = build([q], 0, [opt_record()])
    for size in (0, 1, 2, 3, 11, 12, 13, 14, len(www), len(www) + 11, len(www) + 12,
                 len(www) + 13, len(www) + 15, len(whole) - 12, len(whole) - 11,
                 len(whole) - 5, len(whole) - 1):
        yield whole[:size]
    yield build([q], trailing=b"\0")
    yield build([q], trailing=b"trailing garbage")
    yield build([q], 0, [opt_record()], trailing=b"\0")
    yield build([q], counts=[0, 0, 0, 0])
    yield build([q], counts=[2, 0, 0, 0])
    yield build([q], counts=[1, 1, 0, 0])
    yield build([q], counts=[1, 0, 1, 0])
    yield build([q], counts=[1, 0, 0, 1])
    yield build([q], counts=[1, 0, 0, 65535])
    yield build([q], counts=[65535, 65535, 65535, 65535])
    for name in (b"\xc0\x0c", b"\xc0\x00", b"\xc0\xff", b"\1a\xc0\x0c", b"\x40a\0",
                 b"\x80a\0", b"\x3fshort\0", b"\1a" * 128 + b"\0",
                 b"\x3f" + b"x" * 63 + b"\xc0\x0c", (b"\x3f" + b"y" * 63) * 4 + b"\0"):
        yield build([question(name, A)])
    yield build([question(b"\xc0\x12", A), question(www, A)])
    yield build([q], 0, [record(b"\xc0\xff", A, b"\1\2\3\4")])
    yield build([q], 0, [record(b"\x80", A, b"\1\2\3\4")])
    yield build([q], 0, [record(www, A, b"\1\2\3\4")[:-2]])
    yield bytes(12)
    yield bytes(60)
    yield b"\xff" * 60
    yield b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"


def odd_messages(apex, www):
    """Groups of messages that a server may answer with an error, or not at all."""
    return {"questions": list(odd_questions(apex, www)),
            "headers": list(odd_headers(apex, www)),
            "records": list(odd_records(apex, www)),
            "edns": list(odd_edns(www)),
            "cookies": list(odd_cookies(www)),
            "tsig": list(odd_tsig(apex, www)),
            "shapes": list(odd_shapes(www))}
