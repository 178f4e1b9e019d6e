# SPDX-License-Identifier: BSD-2-Clause
"""Zone files, bad ones and odd ones, and what BIND's named-checkzone says of them.

Only the verdict is compared: is the zone served or not? named-checkzone runs with those
of its checks turned off that only warn, or that ask for more than DNS does: whether
names are names of hosts (-k), what MX and SRV records point to (-m, -M, -S), whether NS
and MX point to addresses (-n), records that would be equal in DNSSEC (-r), a "v=spf1"
without SPF (-T), a "*" as a label inside (-W). Of -i, integrity, only what concerns the
zone itself is checked.
"""

import subprocess
import time

import dns.name

import exchange
import message
import peers
from peers import nameserver

HEAD = "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n"

# Lines behind HEAD.
LINES = {
    "plain": "www A 192.0.2.2",
    "empty": "",
    "blank-lines": "\n\n \n\t\n; comment\n  ; comment\nwww A 192.0.2.2 ; comment\n",
    "no-newline-at-end": "www A 192.0.2.2",
    "crlf": "www A 192.0.2.2\r\nwww2 A 192.0.2.3\r",
    "unknown-type": "www NOSUCHTYPE data",
    "type-without-data": "www A",
    "owner-alone": "www",
    "class-without-type": "www IN",
    "bad-ipv4": "www A 192.0.2.256",
    "short-ipv4": "www A 192.0.2",
    "ipv4-with-zeroes": "www A 192.0.02.1",
    "ipv4-text": "www A address",
    "ipv4-twice": "www A 192.0.2.1 192.0.2.2",
    "bad-ipv6": "www AAAA 2001:db8::1::2",
    "ipv6-long": "www AAAA 1:2:3:4:5:6:7:8:9",
    "ipv6-with-ipv4": "www AAAA ::ffff:192.0.2.1",
    "ipv6-scope": "www AAAA fe80::1%lo",
    "ipv4-in-aaaa": "www AAAA 192.0.2.1",
    "cname-and-a": "www CNAME ns\nwww A 192.0.2.2",
    "a-and-cname": "www A 192.0.2.2\nwww CNAME ns",
    "two-cnames": "www CNAME ns\nwww CNAME ns2",
    "same-cname-twice": "www CNAME ns\nwww CNAME ns",
    "cname-at-apex": "@ CNAME www.example.",
    "cname-chain": "a CNAME b\nb CNAME c\nc CNAME a",
    "cname-and-rrsig-less-txt": "www CNAME ns\nwww TXT a",
    "two-dnames": "d DNAME a\nd DNAME b",
    "same-dname-twice": "d DNAME a\nd DNAME a",
    "dname-and-cname": "d DNAME a\nd CNAME b",
    "dname-and-a": "d DNAME a\nd A 192.0.2.2",
    "dname-and-ns": "d DNAME a\nd NS ns",
    "dname-at-apex": "@ DNAME example.",
    "below-dname": "d DNAME a\nx.d A 192.0.2.2",
    "wildcard-dname": "*.d DNAME a",
    "cname-twice-but-for-case": "www CNAME ns\nwww CNAME NS",
    "dname-twice-but-for-case": "www DNAME a\nwww DNAME A",
    "soa-twice-but-for-case": "@ SOA NS H 1 2 3 4 5",
    "wildcard-ns": "*.d NS ns",
    "wildcard-cname": "*.d CNAME ns",
    "second-soa": "@ SOA ns h 2 2 3 4 5",
    "same-soa-twice": "@ SOA ns h 1 2 3 4 5",
    "soa-below-apex": "www SOA ns h 1 2 3 4 5",
    "out-of-zone": "www.example. A 192.0.2.2",
    "parent-of-zone": "test. A 192.0.2.2",
    "missing-dot": "www.z.test A 192.0.2.2",
    "relative-target": "www CNAME ns.z.test",
    "class-ch": "www CH A 192.0.2.2",
    "class-hs": "www HS A 192.0.2.2",
    "class-any": "www ANY A 192.0.2.2",
    "class-by-number": "www CLASS1 A 192.0.2.2",
    "class-by-other-number": "www CLASS3 TXT a",
    "type-by-number": "www TYPE1 \\# 4 c0000202",
    "type-by-number-text": "www TYPE1 192.0.2.2",
    "type-zero": "www TYPE0 \\# 0",
    "type-any": "www ANY \\# 0",
    "type-any-by-number": "www TYPE255 \\# 0",
    "type-axfr": "www TYPE252 \\# 0",
    "type-opt": "@ TYPE41 \\# 0",
    "type-tsig": "www TYPE250 \\# 0",
    "type-meta": "www TYPE128 \\# 1 00",
    "type-65535": "www TYPE65535 \\# 1 00",
    "type-65536": "www TYPE65536 \\# 1 00",
    "generic-short": "www TYPE65280 \\# 4 0102",
    "generic-long": "www TYPE65280 \\# 1 0102",
    "generic-odd-digits": "www TYPE65280 \\# 1 012",
    "generic-no-hex": "www TYPE65280 \\# 1 zz",
    "generic-no-length": "www TYPE65280 \\#",
    "generic-spaces": "www TYPE65280 \\# 4 01 02 0304",
    "generic-empty": "www TYPE65280 \\# 0",
    "generic-too-long": "www TYPE65280 \\# 65536 00",
    "generic-a-short": "www A \\# 3 c00002",
    "generic-a-long": "www A \\# 5 c000020201",
    "generic-mx": "www MX \\# 5 000a016d00",
    "generic-mx-no-name": "www MX \\# 2 000a",
    "generic-mx-compressed": "www MX \\# 4 000ac00c",
    "generic-cname-trailing": "www CNAME \\# 4 016d0000",
    "generic-txt-short": "www TXT \\# 2 0261",
    "generic-txt-empty": "www TXT \\# 0",
    "private-type-as-text": "www TYPE65280 text",
    "ttl-zero": "www 0 A 192.0.2.2",
    "ttl-largest": "www 2147483647 A 192.0.2.2",
    "ttl-too-large": "www 2147483648 A 192.0.2.2",
    "ttl-32-bits": "www 4294967295 A 192.0.2.2",
    "ttl-33-bits": "www 4294967296 A 192.0.2.2",
    "ttl-negative": "www -1 A 192.0.2.2",
    "ttl-units": "www 1w2d3h4m5s A 192.0.2.2",
    "ttl-upper-units": "www 1W2D A 192.0.2.2",
    "ttl-bad-unit": "www 1y A 192.0.2.2",
    "ttl-units-twice": "www 1h1h A 192.0.2.2",
    "ttl-unit-alone": "www h A 192.0.2.2",
    "ttl-after-class": "www IN 60 A 192.0.2.2",
    "ttl-twice": "www 60 IN 60 A 192.0.2.2",
    "ttls-differ": "www 60 A 192.0.2.2\nwww 90 A 192.0.2.3",
    "owner-is-number": "60 A 192.0.2.2",
    "owner-is-class": "IN A 192.0.2.2",
    "owner-is-type": "TXT TXT TXT",
    "txt-empty": "www TXT",
    "txt-empty-string": 'www TXT ""',
    "txt-255": f'www TXT "{"x" * 255}"',
    "txt-256": f'www TXT "{"x" * 256}"',
    "txt-unquoted-256": f'www TXT {"x" * 256}',
    "txt-open-quote": 'www TXT "abc',
    "txt-quote-over-lines": 'www TXT "abc\ndef"',
    "txt-semicolon": 'www TXT "a;b" a\\;b',
    "txt-comment": "www TXT a;b",
    "txt-octets": 'www TXT "\\000\\255"',
    "txt-octet-256": 'www TXT "\\256"',
    "txt-octet-short": 'www TXT "\\25"',
    "txt-adjacent": 'www TXT "a""b"',
    "txt-8-bit": 'www TXT "\u00e4"',
    "owner-8-bit": "\u00e4 A 192.0.2.2",
    "hinfo-one": "www HINFO PC",
    "hinfo-three": "www HINFO PC UNIX more",
    "mx-without-preference": "www MX ns",
    "mx-preference-65535": "www MX 65535 ns",
    "mx-preference-65536": "www MX 65536 ns",
    "mx-preference-negative": "www MX -1 ns",
    "mx-hex-preference": "www MX 0x10 ns",
    "mx-to-address": "www MX 10 192.0.2.1",
    "null-mx": "www MX 0 .",
    "srv": "_a._tcp SRV 1 2 3 ns",
    "srv-port-65536": "_a._tcp SRV 1 2 65536 ns",
    "srv-short": "_a._tcp SRV 1 2 ns",
    "soa-short": "x 300 TXT a\n@ SOA ns h 1 2 3 4",
    "caa": 'www CAA 0 issue "ca.example"',
    "caa-flag-256": 'www CAA 256 issue "ca.example"',
    "caa-empty-tag": 'www CAA 0 "" "ca.example"',
    "caa-odd-tag": 'www CAA 0 is-sue "ca.example"',
    "caa-unquoted": "www CAA 0 issue ca.example",
    "tlsa": "www TLSA 3 1 1 " + "ab" * 32,
    "tlsa-spaces": "www TLSA 3 1 1 " + "ab cd " * 16,
    "tlsa-odd-digits": "www TLSA 3 1 1 abc",
    "tlsa-no-data": "www TLSA 3 1 1",
    "tlsa-field-256": "www TLSA 256 1 1 ab",
    "sshfp": "www SSHFP 4 2 " + "ab" * 32,
    "sshfp-odd-digits": "www SSHFP 4 2 abc",
    "naptr": 'www NAPTR 1 2 "u" "E2U+sip" "!a!b!" .',
    "naptr-short": 'www NAPTR 1 2 "u" "E2U+sip" .',
    "uri": 'www URI 1 2 "https://a/"',
    "uri-unquoted": "www URI 1 2 https://a/",
    "uri-empty": 'www URI 1 2 ""',
    "loc": "www LOC 52 22 23.000 N 4 53 32.000 E -2.00m 0.00m 10000m 10m",
    "loc-short": "www LOC 52 N 4 E 0m",
    "loc-91-degrees": "www LOC 91 0 0 N 4 53 32.000 E 0m",
    "loc-no-altitude": "www LOC 52 N 4 E",
    "ds": "sub NS ns\nsub DS 1 8 2 " + "ab" * 32,
    "ds-short-digest": "sub NS ns\nsub DS 1 8 2 abab",
    "ds-without-ns": "sub DS 1 8 2 " + "ab" * 32,
    "ds-odd-digits": "sub NS ns\nsub DS 1 8 2 abc",
    "ds-mnemonic": "sub NS ns\nsub DS 1 RSASHA256 2 " + "ab" * 32,
    "dnskey": "@ DNSKEY 257 3 8 AwEAAa==",
    "dnskey-bad-base64": "@ DNSKEY 257 3 8 !!!!",
    "eui48": "www EUI48 00-00-5e-00-53-2a",
    "eui48-colons": "www EUI48 00:00:5e:00:53:2a",
    "svcb-alias": "www SVCB 0 ns",
    "https-service": 'www HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.1',
    "https-mandatory": "www HTTPS 1 . mandatory=alpn alpn=h2",
    "https-key-twice": "www HTTPS 1 . port=1 port=2",
    "https-unknown-key": "www HTTPS 1 . nosuchkey=1",
    "https-numbered-key": "www HTTPS 1 . key65000=abc",
    "https-bad-port": "www HTTPS 1 . port=65536",
    "https-alias-with-key": "www HTTPS 0 ns port=1",
    "https-mandatory-missing": "www HTTPS 1 . mandatory=port alpn=h2",
    "label-63": "a" * 63 + " A 192.0.2.2",
    "label-64": "a" * 64 + " A 192.0.2.2",
    "name-255": ".".join(["a" * 63] * 3 + ["a" * 54]) + " A 192.0.2.2",
    "name-256": ".".join(["a" * 63] * 3 + ["a" * 55]) + " A 192.0.2.2",
    "target-256": "www CNAME " + ".".join(["a" * 63] * 3 + ["a" * 55]),
    "labels-127": ".".join(["a"] * 123) + " A 192.0.2.2",
    "empty-label": "a..b A 192.0.2.2",
    "leading-dot": ".a A 192.0.2.2",
    "root-owner": ". A 192.0.2.2",
    "escaped-dot": "a\\.b A 192.0.2.2",
    "escaped-octet": "a\\046b A 192.0.2.2",
    "escaped-octet-256": "a\\256b A 192.0.2.2",
    "escaped-octet-short": "a\\25 A 192.0.2.2",
    "escape-at-end": "a\\",
    "escaped-space": "a\\ b A 192.0.2.2",
    "quoted-owner": '"www" A 192.0.2.2',
    "at-in-name": "a@b A 192.0.2.2",
    "at-as-target": "www CNAME @",
    "escaped-at": "\\@ A 192.0.2.2",
    "underscore": "_a A 192.0.2.2",
    "asterisk-inside": "a.*.b A 192.0.2.2",
    "upper-case": "WWW a 192.0.2.2",
    "parentheses": "www ( A\n 192.0.2.2\n)",
    "parenthesis-open": "www A ( 192.0.2.2",
    "parenthesis-close": "www A 192.0.2.2 )",
    "parentheses-nested": "www A ( ( 192.0.2.2 ) )",
    "parenthesis-first": "( www A 192.0.2.2 )",
    "parentheses-comment": "www TXT ( a ; )\n b )",
    "parentheses-in-quotes": 'www TXT "(" ")"',
    "owner-left-out": "www A 192.0.2.2\n AAAA 2001:db8::1",
    "origin": "$ORIGIN sub.z.test.\nwww A 192.0.2.2",
    "origin-relative": "$ORIGIN sub\nwww A 192.0.2.2",
    "origin-outside": "$ORIGIN example.\nwww A 192.0.2.2",
    "origin-outside-unused": "$ORIGIN example.\n$ORIGIN z.test.\nwww A 192.0.2.2",
    "origin-none": "$ORIGIN\nwww A 192.0.2.2",
    "origin-root": "$ORIGIN .\nwww.z.test A 192.0.2.2",
    "origin-bad": "$ORIGIN a..b.\nwww A 192.0.2.2",
    "origin-two": "$ORIGIN a.z.test. b.z.test.\nwww A 192.0.2.2",
    "origin-lower": "$origin sub.z.test.\nwww A 192.0.2.2",
    "ttl-directive-none": "$TTL\nwww A 192.0.2.2",
    "ttl-directive-bad": "$TTL soon\nwww A 192.0.2.2",
    "ttl-directive-units": "$TTL 1h30m\nwww A 192.0.2.2",
    "ttl-directive-too-large": "$TTL 2147483648\nwww A 192.0.2.2",
    "ttl-directive-33-bits": "$TTL 4294967296\nwww A 192.0.2.2",
    "directive-unknown": "$NOSUCH x\nwww A 192.0.2.2",
    "directive-indented": " $TTL 60\nwww A 192.0.2.2",
    "include": "$INCLUDE @DIR@/included.part\n",
    "include-origin": "$INCLUDE @DIR@/included.part sub\n",
    "include-quoted": '$INCLUDE "@DIR@/included.part"\n',
    "include-missing": "$INCLUDE @DIR@/no-such-file\n",
    "include-none": "$INCLUDE\n",
    "include-folder": "$INCLUDE @DIR@\n",
    "include-itself": "$INCLUDE @DIR@/include-itself.z.test.zone\n",
    "include-bad": "$INCLUDE @DIR@/bad.part\n",
    "include-extra": "$INCLUDE @DIR@/included.part sub.z.test. more\n",
    "generate": "$GENERATE 1-3 host$ A 192.0.2.$",
    "ns-without-address": "sub NS ns.sub",
    "ns-to-address": "sub NS 192.0.2.1",
    "a-at-ns-target-cname": "sub NS alias\nalias CNAME ns",
    "occluded": "sub NS ns\nwww.sub A 192.0.2.2\nx.sub MX 1 ns",
    "record-twice": "www A 192.0.2.2\nwww A 192.0.2.2",
    "many-records": "\n".join(f"www A 192.0.2.{n}" for n in range(90)),
    "nul-octet": "www A 192.0.2.2\0",
    "control-octet": "w\1w A 192.0.2.2",
    "tab-only-fields": "www\tIN\tA\t192.0.2.2",
    "apl": "www APL 1:192.0.2.0/24 !2:2001:db8::/32",
    "apl-bad-prefix": "www APL 1:192.0.2.0/33",
    "rp": "www RP h.z.test. .",
    "ptr-two": "www PTR a b",
    "nsec3param": "@ NSEC3PARAM 1 0 0 -",
    "openpgpkey": "www OPENPGPKEY AQID",
    "csync": "@ CSYNC 1 3 A NS",
    "cds-delete": "@ CDS 0 0 0 00",
    "lp": "www LP 10 ns",
    "nid": "www NID 10 0014:4fff:ff20:ee64",
    "nid-bad": "www NID 10 0014:4fff:ff20",
    "spf": 'www SPF "v=spf1 -all"',
    "null": "www NULL \\# 1 00",
    "wks": "www WKS 192.0.2.1 6 25",
    "a6": "www A6 0 2001:db8::1",
    "isdn-x25": "www X25 311061700956",
}

# Whole files.
FILES = {
    "nothing": "",
    "only-comment": "; nothing\n",
    "no-soa": "$TTL 300\n@ NS ns\nns A 192.0.2.1\n",
    "no-ns": "$TTL 300\n@ SOA ns h 1 2 3 4 5\nns A 192.0.2.1\n",
    "no-ttl": "@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "no-ttl-but-first": "@ 60 SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "ns-before-soa": "$TTL 300\n@ NS ns\n@ SOA ns h 1 2 3 4 5\nns A 192.0.2.1\n",
    "first-without-owner": "$TTL 300\n SOA ns h 1 2 3 4 5\n NS ns\nns A 192.0.2.1\n",
    "soa-serial-32-bits": "$TTL 300\n@ SOA ns h 4294967295 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "soa-serial-33-bits": "$TTL 300\n@ SOA ns h 4294967296 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "soa-serial-text": "$TTL 300\n@ SOA ns h one 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "soa-serial-dots": "$TTL 300\n@ SOA ns h 1.2 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "soa-units": "$TTL 300\n@ SOA ns h 1 1h 1m 1w 1d\n@ NS ns\nns A 192.0.2.1\n",
    "soa-five": "$TTL 300\n@ SOA ns h 1 2 3 4\n@ NS ns\nns A 192.0.2.1\n",
    "soa-eight": "$TTL 300\n@ SOA ns h 1 2 3 4 5 6\n@ NS ns\nns A 192.0.2.1\n",
    "soa-over-lines": "$TTL 300\n@ SOA ns h (\n1 ; serial\n2 3\n4 5 )\n@ NS ns\nns A 192.0.2.1\n",
    "soa-at-mailbox": "$TTL 300\n@ SOA ns h@z.test. 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "soa-elsewhere": "$TTL 300\nwww SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "ns-is-cname": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns CNAME a\na A 192.0.2.1\n",
    "ns-has-no-address": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns TXT a\n",
    "ns-outside": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns.example.\n",
    "ns-is-missing": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\n",
    "ns-is-root": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS .\n",
    "ns-below-cut": "$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns.sub\nsub NS ns.sub\n"
                    "ns.sub A 192.0.2.1\n",
    "byte-order-mark": "\ufeff$TTL 300\n@ SOA ns h 1 2 3 4 5\n@ NS ns\nns A 192.0.2.1\n",
    "binary": "\x7fELF\0\1\2\3" * 20,
    "html": "<!DOCTYPE html>\n<html><body>404</body></html>\n",
}

# Where the verdicts differ on purpose, and why.
TTL = "a TTL has 31 bits (RFC 2181, section 8): BIND warns and serves it as it is"
EXCEPTIONS = {
    "ttl-too-large": TTL,
    "ttl-32-bits": TTL,
    "ttl-directive-too-large": TTL,
    "type-65535": "the type is reserved, no record has it (RFC 6895, section 3.1)",
    "wildcard-ns": "what it does is not defined, but it is allowed (RFC 4592, section 4.2)",
    "generate": "$GENERATE is BIND's own; RFC 1035, section 5.1 does not have it",
    "a6": "A6 is history (RFC 6563); as TYPE38 it can be served",
}

PARTS = {"included.part": "part A 192.0.2.9\n", "bad.part": "part A 192.0.2.999\n"}


def all_cases():
    """{name: text of the file}"""
    cases = {}
    for name, lines in LINES.items():
        end = "" if name == "no-newline-at-end" else "\n"
        cases[name] = HEAD + lines + end
    return {**cases, **FILES}


def write_all(folder):
    """A file for each case, for the zone CASE.z.test; {case: (origin, path)}."""
    for name, text in PARTS.items():
        (folder / name).write_text(text, encoding="ascii")
    written = {}
    for name, text in all_cases().items():
        origin = f"{name}.z.test"
        text = text.replace("z.test", origin).replace(f"{name}.{name}.", f"{name}.")
        path = folder / f"{origin}.zone"
        path.write_text(text.replace("@DIR@", str(folder)), encoding="utf-8", newline="")
        written[name] = (origin, path)
    return written


def bind_accepts(origin, path):
    """The verdict of named-checkzone, and what it says."""
    lax = [part for flag in "kmMnrSTW" for part in (f"-{flag}", "ignore")]
    done = subprocess.run(["named-checkzone", "-i", "local", *lax, origin, str(path)],
                          cwd=path.parent, capture_output=True, text=True, errors="replace")
    return done.returncode == 0, done.stdout + done.stderr


def ours_accepts(work, files):
    """{case: is its zone served}, and gazetteerd's log."""
    port = nameserver.free_port()
    folder = next(iter(files.values()))[1].parent
    process = nameserver.Process(peers.gazetteer(work, port, folder), work, None,
                                 work / "log")
    try:
        wait_until_ready(process)
        asked = [message.build([message.question(dns.name.from_text(origin).to_wire(),
                                                 message.SOA)])
                 for origin, _ in files.values()]
        replies = [message.parse(wire) for wire in exchange.ask_udp([port], asked)[0]]
    finally:
        process.stop()
    peers.check_end(process)
    return {name: reply.rcode == 0 and bool(reply.answer)
            for name, reply in zip(files, replies)}, process.log.read_text(errors="replace")


def wait_until_ready(process):
    deadline = time.monotonic() + peers.PATIENCE
    while "ready dns=" not in process.log.read_text(errors="replace"):
        if time.monotonic() > deadline or not process.alive():
            raise RuntimeError(f"gazetteerd did not become ready:\n{process.tail()}")
        time.sleep(0.02)
