# SPDX-License-Identifier: BSD-2-Clause
"""DNS messages as octets: queries are written, replies are taken apart strictly.

dnspython, which the reports use, mends and hides too much for a comparison: here the
counts must be right, nothing may follow the last record, no pointer may lead forward.
"""

import functools
import struct
import typing

import dns.message
import dns.rdatatype

QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x400, 0x200, 0x100, 0x80, 0x40, 0x20, 0x10
FLAGS = {"QR": QR, "AA": AA, "TC": TC, "RD": RD, "RA": RA, "Z": Z, "AD": AD, "CD": CD}
IN, CH, HS, NONE, ANY_CLASS = 1, 3, 4, 254, 255
OPT, ANY, SOA, NS, A, AAAA, CNAME, DNAME, TSIG = 41, 255, 6, 2, 1, 28, 5, 39, 250
DO = 0x8000

# Where names are in the data of a type: n a name, s a string, N names to the end of it,
# a number that many octets. All of them are compared without regard to case; of types
# that are not here, octet by octet.
LAYOUTS = {2: "n", 3: "n", 4: "n", 5: "n", 6: "nn", 7: "n", 8: "n", 9: "n", 12: "n",
           14: "nn", 15: "2n", 17: "nn", 18: "2n", 21: "2n", 26: "2nn", 33: "6n",
           35: "4sssn", 36: "2n", 39: "n", 107: "2n"}


class Malformed(Exception):
    pass


class Record(typing.NamedTuple):
    owner: bytes  # lower case
    type: int
    cls: int
    ttl: int
    data: bytes


class Reply(typing.NamedTuple):
    flags: int  # the whole of the header's second field
    question: tuple  # octets of each
    answer: tuple
    authority: tuple
    additional: tuple  # without OPT
    opt: tuple  # None or (size, extended rcode, version, flags, ((code, data), ...))

    @property
    def rcode(self):
        return (self.flags & 15) | (self.opt[1] << 4 if self.opt else 0)


def read_name(wire, at):
    """The name at an offset, without compression, and where it ends."""
    out, end, limit = b"", None, at
    while True:
        if at >= len(wire):
            raise Malformed(f"a name runs out of the message at {at}")
        length = wire[at]
        if length == 0:
            break
        if length >= 0xc0:
            if at + 2 > len(wire):
                raise Malformed("half a pointer")
            target = (length & 0x3f) << 8 | wire[at + 1]
            end = end or at + 2
            if target >= limit:
                raise Malformed(f"a pointer at {at} leads forward")
            at = limit = target
            continue
        if length > 63:
            raise Malformed(f"a label of type {length >> 6}")
        out += wire[at:at + 1 + length]
        at += 1 + length
        if len(out) > 254:
            raise Malformed("a name longer than 255 octets")
    return out + b"\0", end or at + 1


def read_data(wire, rtype, at, end):
    layout = LAYOUTS.get(rtype)
    if not layout:
        return wire[at:end]
    out = b""
    for part in layout:
        if part == "n":
            name, at = read_name(wire, at)
            out += name.lower()
        else:
            size = 1 + wire[at] if part == "s" else int(part)
            out += wire[at:at + size]
            at += size
        if at > end:
            raise Malformed(f"the data of a record of type {rtype} is short")
    return out + wire[at:end]


def read_tsig(wire, at):
    """Of a TSIG record algorithm, length of the MAC and error: of an unsigned error the
    time may be the query's or that of now, and the original id anything."""
    start = at
    _, at = read_name(wire, at)
    mac = struct.unpack_from("!H", wire, at + 8)[0]
    return wire[start:at] + struct.pack("!HH", mac, *struct.unpack_from(
        "!H", wire, at + 12 + mac))


def read_record(wire, at):
    owner, at = read_name(wire, at)
    if at + 10 > len(wire):
        raise Malformed("a record runs out of the message")
    rtype, cls, ttl, length = struct.unpack_from("!HHIH", wire, at)
    at += 10
    if at + length > len(wire):
        raise Malformed("the data of a record runs out of the message")
    if rtype == OPT:
        data = wire[at:at + length]
    elif rtype == TSIG:
        data = read_tsig(wire, at)
    else:
        data = read_data(wire, rtype, at, at + length)
    return Record(owner.lower(), rtype, cls, ttl, data), at + length


def read_opt(record):
    options, at = [], 0
    while at < len(record.data):
        code, length = struct.unpack_from("!HH", record.data, at)
        options.append((code, record.data[at + 4:at + 4 + length]))
        at += 4 + length
    if record.owner != b"\0" or at != len(record.data):
        raise Malformed("a malformed OPT record")
    return (record.cls, record.ttl >> 24, record.ttl >> 16 & 255, record.ttl & 0xffff,
            tuple(options))


@functools.lru_cache(20000)
def _parse(wire):
    if len(wire) < 10:
        raise Malformed("shorter than a header")
    flags, *counts = struct.unpack_from("!HHHHH", wire)
    wire = b"\0\0" + wire
    at, questions, sections, opt = 12, [], [], None
    for _ in range(counts[0]):
        start = at
        _, at = read_name(wire, at)
        questions.append(wire[start:at + 4])
        at += 4
        if at > len(wire):
            raise Malformed("half a question")
    for count in counts[1:]:
        records = []
        for _ in range(count):
            record, at = read_record(wire, at)
            if record.type != OPT:
                records.append(record)
            elif opt or len(sections) != 2:
                raise Malformed("a second OPT record, or one that is not additional")
            else:
                opt = read_opt(record)
        sections.append(tuple(records))
    if at != len(wire):
        raise Malformed(f"{len(wire) - at} octets behind the last record")
    return Reply(flags, tuple(questions), *sections, opt)


def parse(wire):
    """A reply; its id is the business of who asked."""
    return _parse(wire[2:])


# ---- queries ------------------------------------------------------------------

def option(code, data=b""):
    return struct.pack("!HH", code, len(data)) + data


def opt_record(size=1232, flags=0, options=b"", version=0, owner=b"\0", rcode=0):
    return owner + struct.pack("!HHBBHH", OPT, size, rcode, version, flags,
                               len(options)) + options


def question(name, qtype, cls=IN):
    return name + struct.pack("!HH", qtype, cls)


def build(questions, flags=0, additional=(), answer=(), authority=(), trailing=b"",
          counts=None):
    """A query with id 0; `counts` lies about the sections."""
    sections = [questions, answer, authority, additional]
    counts = counts or [len(section) for section in sections]
    return (struct.pack("!HHHHHH", 0, flags, *counts) +
            b"".join(b"".join(section) for section in sections) + trailing)


# ---- text ------------------------------------------------------------------------

def name_text(wire):
    """A name without compression in presentation form."""
    text, at = "", 0
    while at < len(wire) and wire[at]:
        for octet in wire[at + 1:at + 1 + wire[at]]:
            char = chr(octet)
            text += (f"\\{char}" if char in '.\\";@$()' else
                     char if 0x21 <= octet < 0x7f else f"\\{octet:03d}")
        text += "."
        at += 1 + wire[at]
    return text or "."


def type_text(number):
    return dns.rdatatype.to_text(number)


def record_text(record):
    text = (f"{name_text(record.owner)} {record.ttl} "
            f"{'IN' if record.cls == IN else f'CLASS{record.cls}'} {type_text(record.type)} ")
    try:
        data = dns.rdata.from_wire(IN, record.type, record.data, 0, len(record.data))
        return text + data.to_text()
    except Exception:  # noqa: whatever dnspython does not read is shown as it is
        return text + rf"\# {len(record.data)} {record.data.hex()}"


def query_text(wire):
    """One line that says what a query asks."""
    if len(wire) < 12:
        return f"{len(wire)} octets {wire.hex()}"
    flags, *counts = struct.unpack_from("!HHHHH", wire, 2)
    words, at = [], 12
    try:
        for _ in range(counts[0]):
            name, at = read_name(wire, at)
            qtype, cls = struct.unpack_from("!HH", wire, at)
            at += 4
            words.append(f"{name_text(name)} {type_text(qtype)}" +
                         ("" if cls == IN else f" CLASS{cls}"))
        words += [word for word, bit in FLAGS.items() if flags & bit]
        if flags >> 11 & 15:
            words.append(f"opcode={flags >> 11 & 15}")
        if counts[1] or counts[2]:
            words.append(f"answer={counts[1]} authority={counts[2]}")
        if counts[3] == 1 and counts[1:3] == [0, 0]:
            size, _, version, bits, options = read_opt(read_record(wire, at)[0])
            words.append(f"edns={size}" + (" DO" if bits & DO else "") +
                         (f" version={version}" if version else "") +
                         "".join(f" option={code}:{data.hex()}" for code, data in options))
        elif counts[3]:
            words.append(f"additional={counts[3]}")
    except (Malformed, struct.error, IndexError) as error:
        words.append(f"malformed ({error})")
    return " ".join(words) or f"no question ({wire.hex()})"


def reply_text(wire):
    """A reply as dig would show it."""
    if wire is None:
        return "(no reply)"
    try:
        reply = parse(wire)
    except (Malformed, struct.error) as error:
        return f"(malformed: {error})\n{wire.hex()}"
    lines = [f"{len(wire)} octets, opcode {reply.flags >> 11 & 15}, rcode "
             f"{dns.rcode.to_text(reply.rcode)}, flags " +
             " ".join(word for word, bit in FLAGS.items() if reply.flags & bit)]
    if reply.opt:
        size, _, version, bits, options = reply.opt
        lines.append(f"EDNS size {size}, version {version}, flags {bits:#06x}" +
                     "".join(f", option {code} {data.hex()}" for code, data in options))
    for question_wire in reply.question:
        lines.append(f"question: {question_wire.hex()}")
    for title in ("answer", "authority", "additional"):
        lines += [f"{title}: {record_text(r)}" for r in getattr(reply, title)]
    return "\n".join(lines)
