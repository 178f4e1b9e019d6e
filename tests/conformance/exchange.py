# SPDX-License-Identifier: BSD-2-Clause
"""Many messages to several servers at once: one UDP socket, one TCP connection each.

Up to WINDOW messages to one server are under way, told apart by their ids. That a
server says nothing to a message is known without waiting long: each of the servers
answers in the order of arrival, as it has one worker, so a probe is sent behind each
message, and when the probe has been answered, so has the message, or never.
"""

import select
import socket
import struct
import time

import message

WINDOW = 64
PATIENCE = 3  # seconds without any progress, then what is missing is sent again
TRIES = 4
LINGER = 0.1  # seconds for replies that come in spite of the above


class Udp:
    """The messages for one server, and its replies."""

    def __init__(self, port, messages):
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.connect(("127.0.0.1", port))
        self.sock.setblocking(False)
        self.messages = messages
        self.replies = [None] * len(messages)
        self.waiting = list(range(len(messages) - 1, -1, -1))
        self.under_way = {}
        self.tries = 0
        self.progress = time.monotonic()

    def fill(self):
        while self.waiting and len(self.under_way) < WINDOW:
            number = self.waiting.pop()
            self.send(number)
            self.under_way[number & 0xffff] = number

    def send(self, number):
        wire = self.messages[number]
        try:
            self.sock.send(struct.pack("!H", number & 0xffff) + wire[2:])
        except OSError:
            pass  # as if it were lost

    def receive(self):
        while True:
            try:
                wire = self.sock.recv(65535)
            except OSError:
                return
            number = self.under_way.pop(int.from_bytes(wire[:2], "big"), None)
            if number is not None:
                self.replies[number] = wire
                self.progress, self.tries = time.monotonic(), 0

    def nudge(self):
        """Send again what got lost; give it up after some tries."""
        if not self.under_way or time.monotonic() - self.progress < PATIENCE:
            return
        self.tries += 1
        self.progress = time.monotonic()
        if self.tries == TRIES:
            self.under_way.clear()
            self.tries = 0
        for number in self.under_way.values():
            self.send(number)


def ask_udp(ports, messages, tell=None):
    """For each server, the replies to the messages, each of which wants one."""
    lanes = [Udp(port, messages) for port in ports]
    told = 0
    try:
        while True:
            for lane in lanes:
                lane.fill()
                lane.nudge()
            if not any(lane.under_way for lane in lanes):
                return [lane.replies for lane in lanes]
            ready, _, _ = select.select([lane.sock for lane in lanes], [], [], 0.05)
            for lane in lanes:
                if lane.sock in ready:
                    lane.receive()
            done = min(len(messages) - len(lane.waiting) for lane in lanes)
            if tell and done - told >= 2000:
                tell(done, len(messages))
                told = done
    finally:
        for lane in lanes:
            lane.sock.close()


# ---- messages that may get no reply -----------------------------------------------

ODD_ID = b"\x4d\x4d"


def with_id(wire):
    return ODD_ID[:len(wire)] + wire[2:]


def ask_odd_udp(port, messages, probe):
    """The replies of one server to messages that it may as well drop."""
    replies = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("127.0.0.1", port))
        for number, wire in enumerate(messages):
            # Two ids by turns, so that a late probe is not taken for the next one.
            mark = struct.pack("!H", number & 0x7fff | 0x8000)
            replies.append(ask_one_odd(sock, with_id(wire), mark + probe[2:]))
    return replies


def ask_one_odd(sock, wire, probe):
    found = None
    for _ in range(TRIES):
        sock.send(wire)
        sock.send(probe)
        probed, deadline = False, time.monotonic() + PATIENCE
        while not (probed and found is not None):
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([sock], [], [], left)[0]:
                break
            try:
                reply = sock.recv(65535)
            except OSError:
                continue
            if reply[:2] == probe[:2]:
                probed = True
                deadline = time.monotonic() + LINGER
            elif reply[:2] == ODD_ID:
                found = reply
        if probed or found is not None:
            break
    return found


def read_tcp(sock):
    """One message, or None at the end of the stream."""
    data = b""
    while len(data) < 2 or len(data) < 2 + int.from_bytes(data[:2], "big"):
        want = 2 if len(data) < 2 else 2 + int.from_bytes(data[:2], "big")
        try:
            # Servers that send with Nagle's algorithm wait for each acknowledgement.
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
            more = sock.recv(want - len(data))
        except OSError:
            return None
        if not more:
            return None
        data += more
    return data[2:]


def frame(wire):
    return struct.pack("!H", len(wire)) + wire


def open_tcp(port):
    sock = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE * TRIES)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return sock


def ask_odd_tcp(port, messages, probe):
    """The same over TCP; each on a connection of its own, which the server may close."""
    replies = []
    for wire in messages:
        found = None
        with open_tcp(port) as sock:
            try:
                sock.sendall(frame(with_id(wire)) + frame(b"\x77\x77" + probe[2:]))
            except OSError:
                pass
            while (reply := read_tcp(sock)) is not None and reply[:2] != b"\x77\x77":
                found = reply
        replies.append(found)
    return replies


def ask_tcp(port, messages):
    """The replies of one server over a connection that is opened anew when it ends."""
    replies, missing = [None] * len(messages), list(range(len(messages)))
    for _ in range(TRIES):
        rest, missing = missing, []
        for start in range(0, len(rest), 16):
            missing += ask_tcp_batch(port, messages, rest[start:start + 16], replies)
        if not missing:
            break
    return replies


_connections = {}


def ask_tcp_batch(port, messages, numbers, replies):
    """Pipelined; gives what got no reply."""
    left = set(numbers)
    sock = _connections.get(port)
    if not sock:
        sock = _connections[port] = open_tcp(port)
    try:
        sock.sendall(b"".join(frame(struct.pack("!H", n & 0xffff) + messages[n][2:])
                              for n in numbers))
    except OSError:
        pass
    by_id = {n & 0xffff: n for n in numbers}
    while left:
        wire = read_tcp(sock)
        if wire is None:
            _connections.pop(port).close()
            break
        number = by_id.get(int.from_bytes(wire[:2], "big"))
        if number in left:
            replies[number] = wire
            left.discard(number)
    return sorted(left)


def forget_connections():
    while _connections:
        _connections.popitem()[1].close()


def question_wire(wire):
    """The question of a query that has one, for the check of the echo."""
    _, at = message.read_name(wire, 12)
    return wire[12:at + 4]
