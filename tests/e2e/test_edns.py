# SPDX-License-Identifier: BSD-2-Clause
"""EDNS and its options, what the server says about itself, and life over TCP."""

import os
import signal
import struct

import dns.edns
import dns.flags
import dns.message
import dns.rcode
import dns.tsig
import dns.tsigkeyring
import pytest

import gaz
from gaz import IN_A, OUTSIDE

SECRET, OTHER = "00112233445566778899aabbccddeeff", "ffeeddccbbaa99887766554433221100"
CLIENT = bytes.fromhex("2464c4abcf10c957")
NSID, COOKIE, KEEPALIVE, ERROR = 3, 10, 11, 15


def option(reply, code):
    """The data of an option of the reply, None if it has none."""
    for found in reply.options:
        if found.otype == code:
            return found.to_wire()
    return None


def ask(daemon, name="web.w.example", options=(), tcp=False, source=IN_A, rdtype="A"):
    return daemon.ask(name, rdtype, source=source, tcp=tcp, edns=1232, options=[
        dns.edns.GenericOption(code, data) for code, data in options])


def with_service(daemon):
    service = daemon.api.service(daemon.api.private("w.example"), "web")
    daemon.api.register(service, "i", "10.0.0.1")
    return daemon


def cookie_query(cookie):
    """A message that has no question but asks for a cookie (RFC 7873, 5.4)."""
    return struct.pack("!HH4H", 7, 0, 0, 0, 0, 1) + b"\0" + struct.pack(
        "!HHIHHH", 41, 1232, 0, 4 + len(cookie), COOKIE, len(cookie)) + cookie


def is_good(daemon, cookie, source=IN_A):
    reply = dns.message.from_wire(daemon.ask_wire(cookie_query(cookie), source))
    assert reply.rcode() in (dns.rcode.NOERROR, dns.rcode.BADCOOKIE)
    assert not reply.question and len(option(reply, COOKIE)) == 24
    return reply.rcode() == dns.rcode.NOERROR


def test_cookies_by_default(start):
    """A client cookie is completed; the result is good from that address alone."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    reply = ask(daemon, options=[(COOKIE, CLIENT)])
    assert gaz.addresses(reply) == ["10.0.0.1"]
    cookie = option(reply, COOKIE)
    assert len(cookie) == 24 and cookie[:8] == CLIENT
    assert is_good(daemon, cookie) and not is_good(daemon, cookie, OUTSIDE)
    assert not is_good(daemon, cookie[:-1] + bytes([cookie[-1] ^ 1]))
    for sent in (cookie, CLIENT + b"x" * 8, CLIENT + b"y" * 32):
        assert gaz.addresses(ask(daemon, options=[(COOKIE, sent)])) == ["10.0.0.1"]
    bad = ask(daemon, options=[(COOKIE, b"1234567")])
    assert gaz.rcode(bad) == "FORMERR" and bad.opt is not None


def test_cookie_secrets_are_shared_and_replaced(start):
    """Servers of one secret take each other's cookies, also of the one before."""
    first, second, third = (with_service(start(*gaz.VPC_OPTIONS, *options)) for options in (
        ("--cookie-secret", SECRET), ("--cookie-secret", OTHER, "--cookie-secret", SECRET),
        ("--cookie-secret", OTHER)))
    old = option(ask(first, options=[(COOKIE, CLIENT)]), COOKIE)
    new = option(ask(second, options=[(COOKIE, CLIENT)]), COOKIE)
    assert [is_good(daemon, old) for daemon in (first, second, third)] == [True, True, False]
    assert [is_good(daemon, new) for daemon in (first, second, third)] == [False, True, True]


def cookie_of(daemon):
    """A cookie that the daemon makes now."""
    return option(dns.message.from_wire(daemon.ask_wire(cookie_query(CLIENT), IN_A)), COOKIE)


class SecretFile:
    """A file of --cookie-secret-file, and the daemon that reads it."""

    def __init__(self, path, *lines):
        self.path, self.daemon = path, None
        self.write(*lines)

    def write(self, *lines, mode=0o600):
        """As an editor would: a complete file takes the place of the old one."""
        fresh = self.path.with_suffix(".new")
        fresh.write_text("".join(f"{line}\n" for line in lines))
        fresh.chmod(mode)
        fresh.rename(self.path)

    def start(self, start, *options):
        self.daemon = start("--cookie-secret-file", str(self.path), *options)
        return self.daemon

    def reload(self, *lines, **kwargs):
        """Gives the line of the log that tells what has become of it."""
        if lines:
            self.write(*lines, **kwargs)
        first = len(self.daemon.log)
        self.daemon.process.send_signal(signal.SIGHUP)
        line = self.daemon.wait_log("cookie-secrets-(not-)?reloaded", first)
        assert line, self.daemon.stderr()
        return line


def test_cookie_secrets_of_a_file_are_replaced_on_all_servers(start, tmp_path):
    """A rollover in three rounds: between any two steps every server takes the cookies of
    every other, and the old secret is good until it is removed, not longer."""
    files = [SecretFile(tmp_path / name, SECRET) for name in "abc"]
    daemons = [file.start(start) for file in files]
    old, new = cookie_of(start("--cookie-secret", SECRET)), cookie_of(
        start("--cookie-secret", OTHER))
    for number, secrets in enumerate(((SECRET, OTHER), (OTHER, SECRET), (OTHER,))):
        for file in files:
            assert is_good(file.daemon, old)
            assert is_good(file.daemon, new) == (number > 0)
            assert f"secrets={len(secrets)}" in file.reload(*secrets)
            assert is_good(file.daemon, old) == (number < 2) and is_good(file.daemon, new)
            assert all(is_good(taker, cookie_of(maker))
                       for maker in daemons for taker in daemons)
    log = "\n".join(line for daemon in daemons for line in daemon.log)
    assert SECRET not in log and OTHER not in log


def test_bad_file_of_cookie_secrets_keeps_the_old_ones(start, tmp_path):
    """Whatever is wrong with it; the next good one is taken."""
    file = SecretFile(tmp_path / "secrets", SECRET)
    daemon = file.start(start)
    old = cookie_of(daemon)
    for lines, text in (((OTHER, OTHER[:-1]), f"{file.path}:2: "), (("# none",), "no secret"),
                        ([OTHER] * 5, f"{file.path}:5: "), ((OTHER + " " + OTHER,), ":1: ")):
        line = file.reload(*lines)
        assert " error " in line and "not-reloaded" in line and text in line
        assert is_good(daemon, old) and is_good(daemon, cookie_of(daemon))
        assert OTHER[:-1] not in line
    file.path.unlink()
    assert "No such file" in file.reload() and is_good(daemon, old)
    os.mkfifo(file.path)
    assert "not a regular file" in file.reload() and is_good(daemon, old)
    assert "secrets=1" in file.reload(f"  {OTHER.upper()}\t# since today\r", "", "#")
    assert not is_good(daemon, old) and is_good(daemon, cookie_of(daemon))


def test_bad_file_of_cookie_secrets_is_refused_at_start(home, tmp_path):
    """With file and line, and what to do; so are two ways to give secrets."""
    path = tmp_path / "secrets"
    given = ("--cookie-secret-file", str(path))
    assert "No such file" in gaz.refused_start(home, *given)
    for content, text in ((SECRET[1:], ":1: a secret is 32 hexadecimal digits"),
                          (f"# old\n{SECRET}\n{OTHER}0", ":3: a secret is 32"),
                          (f"{SECRET}\n" * 5, ":5: 4 secrets are enough"),
                          (SECRET[:-1] + "\0\n", ":1: "), ("", "openssl rand -hex 16"),
                          ("#" * 100000, "too large")):
        path.write_text(content)
        text_of_it = gaz.refused_start(home, *given, expect=2)
        assert f"gazetteerd: {path}" in text_of_it and text in text_of_it
        assert SECRET[1:] not in text_of_it
    assert "not a regular file" in gaz.refused_start(home, "--cookie-secret-file", home)
    path.write_text(SECRET)
    assert "not both" in gaz.refused_start(home, *given, "--cookie-secret", SECRET)
    assert "not a usable path" in gaz.refused_start(home, "--cookie-secret-file", "")


@pytest.mark.parametrize("mode, warned", [(0o600, False), (0o640, False), (0o644, True),
                                          (0o602, True)])
def test_file_of_cookie_secrets_that_others_can_read_is_told(start, tmp_path, mode, warned):
    """A warning, at start and at each reload."""
    file = SecretFile(tmp_path / "secrets", SECRET)
    file.write(SECRET, mode=mode)
    daemon = file.start(start)
    file.reload(OTHER, mode=mode)
    told = [line for line in daemon.log if " warn cookie-secrets-exposed" in line]
    assert len(told) == (2 if warned else 0)
    assert all(str(file.path) in line and "chmod" in line for line in told)


def test_cookie_secrets_change_while_clients_ask(start, tmp_path):
    """Over UDP and TCP: a cookie is good wherever its secret is, in each reply."""
    file = SecretFile(tmp_path / "secrets", SECRET, OTHER)
    daemon = file.start(start, "--workers", "2")
    crowd, counts = gaz.Crowd(), []

    def ask_on(tcp):
        cookie, asked = CLIENT, 0
        while not crowd.over.is_set():
            reply = dns.message.from_wire(daemon.ask_wire(cookie_query(cookie), IN_A, tcp))
            assert reply.rcode() == dns.rcode.NOERROR
            cookie, asked = option(reply, COOKIE), asked + 1
        counts.append(asked)

    for tcp in (False, False, True):
        crowd.add(ask_on, tcp)
    try:
        for step in range(20):
            file.reload(*((OTHER, SECRET) if step % 2 == 0 else (SECRET, OTHER)))
    finally:
        crowd.over.set()
        crowd.join()
    assert len(counts) == 3 and min(counts) > 1


def test_dig_finds_its_cookie_good(start):
    """dig checks what it gets, and says so."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    host, port = daemon.dns[0]
    out = gaz.run(["dig", f"@{host}", "-p", port, "-b", IN_A, "+cookie", "web.w.example"],
                  daemon.home).stdout
    assert "(good)" in out and "10.0.0.1" in out


def test_wrong_options_are_explained(home):
    """Secrets that are not 32 digits, five of them, texts too long, no connections."""
    for options, text in (
            *((("--cookie-secret", value), "32 hexadecimal digits")
              for value in ("", "abc", SECRET[:-1] + "g", SECRET + "0")),
            (["--cookie-secret", SECRET] * 5, "4 of them are enough"),
            (("--nsid", "x" * 129), "1 to 128"), (("--identity", ""), "1 to 255"),
            (("--version-text", "x" * 256), "1 to 255"), (("--tcp-max", "0"), "at least 1"),
            (("--tcp-idle", "99"), "100 milliseconds at least")):
        assert text in gaz.refused_start(home, *options)


def test_server_says_who_it_is_when_told_to(start):
    """NSID, and the names in class CH; by default they are like names that are not there."""
    named = start("--nsid", "ns1-fra", "--identity", "ns1.example.net", "--version-text", "9.9")
    silent = start()
    assert option(ask(named, "x.example", [(NSID, b"")]), NSID) == b"ns1-fra"
    assert option(ask(named, "x.example"), NSID) is None
    assert option(ask(silent, "x.example", [(NSID, b"")]), NSID) is None
    nowhere = ask_chaos(silent, "nosuch.name")
    assert gaz.rcode(nowhere) == "REFUSED"
    for name, text in (("id.server", "ns1.example.net"), ("hostname.bind", "ns1.example.net"),
                       ("version.server", "9.9"), ("version.bind", "9.9")):
        (answer,) = ask_chaos(named, name).answer
        assert answer[0].strings == (text.encode(),) and answer.ttl == 0
        refused = ask_chaos(silent, name)
        assert (refused.flags, refused.answer, refused.options) == (
            nowhere.flags, nowhere.answer, nowhere.options)
    host, port = named.dns[0]
    out = gaz.run(["dig", f"@{host}", "-p", port, "+nsid", "CH", "TXT", "id.server"],
                  named.home).stdout
    assert '"ns1-fra")' in out and '"ns1.example.net"' in out


def test_nobody_is_believed_for_a_key(start):
    """RFC 8945: NOTAUTH and BADKEY, instead of an answer that the client could not check."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    for name, tcp in (("web.w.example", False), ("w.example", True)):
        message = gaz.query(name)
        message.use_tsig(dns.tsigkeyring.from_text({"key.example.": SECRET}))
        wire = daemon.ask_wire(message.to_wire(), IN_A, tcp)
        with pytest.raises(dns.tsig.PeerBadKey):
            dns.message.from_wire(wire, keyring=message.keyring, request_mac=message.mac)
        assert wire[3] & 15 == dns.rcode.NOTAUTH and not wire[2] & 4


def ask_chaos(daemon, name):
    return daemon.ask(name, "TXT", source=None, rdclass="CH", edns=1232)


def test_refusals_are_explained_to_those_who_speak_edns(start):
    """Not Authoritative (20) for a name outside and for a hidden one: not one octet
    differs but those of the name."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    outside = ask(daemon, "web.v.example", source=OUTSIDE)
    hidden = ask(daemon, "web.w.example", source=OUTSIDE)
    assert gaz.rcode(outside) == "REFUSED"
    assert option(outside, ERROR) == option(hidden, ERROR) == b"\0\x14"
    for rdtype in ("A", "NS", "SOA", "DS", "AXFR", "IXFR", "ANY", "TYPE65280"):
        for tcp in (False, True):
            wires = [daemon.ask_wire(dns.message.make_query(
                name, rdtype, id=9, use_edns=0, options=[
                    dns.edns.GenericOption(KEEPALIVE, b"")]).to_wire(), OUTSIDE, tcp)
                for name in ("w.example", "v.example")]
            assert wires[0].replace(b"\1w", b"\1v") == wires[1]
    assert option(ask(daemon), ERROR) is None
    assert option(ask(daemon, "w.example", rdtype="AXFR", tcp=True), ERROR) == b"\0\x12"


@pytest.mark.parametrize("flags", [0, 0x0010, 0x0020, 0x0040, 0x0070, 0x0480])
def test_flags_of_queries_that_mean_nothing(start, flags):
    """CD, AD, Z, AA, RA: answered as ever, with none of them set but AA."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    message = gaz.query("web.w.example")
    message.flags = flags
    reply = dns.message.from_wire(daemon.ask_wire(message.to_wire(), IN_A))
    assert reply.flags == dns.flags.QR | dns.flags.AA and reply.answer


def test_keepalive_tells_the_limit_over_tcp(start):
    """RFC 7828: only over TCP, only to those who ask, in units of 100 ms."""
    daemon = with_service(start(*gaz.VPC_OPTIONS, "--tcp-idle", "45000"))
    asked = [(KEEPALIVE, b"")]
    assert option(ask(daemon, options=asked, tcp=True), KEEPALIVE) == struct.pack("!H", 450)
    assert option(ask(daemon, options=asked), KEEPALIVE) is None
    assert option(ask(daemon, tcp=True), KEEPALIVE) is None


def test_idle_connections_are_closed(start):
    """Whether they asked, asked half of a question, or nothing."""
    daemon = start("--tcp-idle", "100")
    message = gaz.query("x.example").to_wire()
    frame = struct.pack("!H", len(message)) + message
    for sent in (b"", frame[:1], frame[:-1], frame):
        with gaz.open_tcp(daemon.dns[0]) as sock:
            sock.sendall(sent)
            if sent == frame:
                assert gaz.read_tcp(sock)
            assert sock.recv(1) == b""


def test_one_connection_too_many_closes_the_one_idle_longest(start):
    """--tcp-max, here with one worker."""
    daemon = start("--tcp-max", "3", "--workers", "1")
    message = gaz.query("x.example").to_wire()

    def answers(sock):
        sock.sendall(struct.pack("!H", len(message)) + message)
        try:
            return bool(gaz.read_tcp(sock))
        except (EOFError, ConnectionError):
            return False

    socks = []
    for _ in range(4):
        socks.append(gaz.open_tcp(daemon.dns[0]))
        assert answers(socks[-1])
    assert [answers(sock) for sock in socks] == [False, True, True, True]
    for sock in socks:
        sock.close()


def test_udp_and_tcp_answer_alike(start):
    """All but the size: over TCP nothing is cut."""
    daemon = with_service(start(*gaz.VPC_OPTIONS))
    for name, rdtype in (("web.w.example", "A"), ("web.w.example", "MX"), ("w.example", "NS"),
                         ("no.w.example", "A"), ("else.example", "A")):
        wire = dns.message.make_query(name, rdtype, id=5, use_edns=0).to_wire()
        assert daemon.ask_wire(wire, IN_A) == daemon.ask_wire(wire, IN_A, tcp=True)
