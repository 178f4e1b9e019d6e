# SPDX-License-Identifier: BSD-2-Clause
"""A real dnsmasq on a free loopback port, for tests of what stands in front of us."""

import contextlib
import socket
import subprocess

import dns.exception
import dns.message
import dns.query

import gaz

BINARY = "/usr/sbin/dnsmasq"


def free_port():
    """A port that UDP and TCP have free just now."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp, \
                socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            try:
                udp.bind(tcp.getsockname())
                return tcp.getsockname()[1]
            except OSError:
                pass


def ask(server, name, rdtype="A"):
    return dns.query.udp(dns.message.make_query(name, rdtype), server[0], gaz.PATIENCE, server[1])


def _answers(process, server, name):
    assert process.poll() is None, "the server in front has ended"
    try:
        dns.query.udp(dns.message.make_query(name, "A"), server[0], 0.2, server[1])
        return True
    except (dns.exception.Timeout, OSError):
        return False


@contextlib.contextmanager
def serve(command, home, server, probe="probe.invalid"):
    """A DNS server in the foreground, from when it answers until the end."""
    process = subprocess.Popen([str(part) for part in command], cwd=home,
                               env=gaz.clean_env(home), stdin=subprocess.DEVNULL)
    try:
        gaz.until("the server in front answers", lambda: _answers(process, server, probe))
        yield server
    finally:
        process.terminate()
        process.wait(gaz.PATIENCE)


@contextlib.contextmanager
def run(home, *options, port=None, address="127.0.0.1", prefix=()):
    """dnsmasq with these options alone; gives its address."""
    server = (address, port or free_port())
    own = [] if any(o.startswith("--conf-file") for o in options) else ["--conf-file=/dev/null"]
    command = [*prefix, BINARY, "--keep-in-foreground", "--no-resolv", "--no-hosts",
               "--no-daemon", "--bind-interfaces", f"--listen-address={address}",
               f"--port={server[1]}", "--pid-file=", "--user=root", *own, *options]
    with serve(command, home, server) as running:
        yield running


@contextlib.contextmanager
def serve_in(machine, command, home, address):
    """A server on port 53 of a machine of netns.py; from here it cannot be asked, so dig
    asks it."""
    process = subprocess.Popen([*machine.prefix, *map(str, command)], cwd=home,
                               stderr=subprocess.DEVNULL)
    try:
        gaz.until("the server answers", lambda: subprocess.run(
            [*machine.prefix, "dig", "+tries=1", "+timeout=1", f"@{address}", "probe.invalid"],
            stdout=subprocess.DEVNULL, check=False).returncode == 0)
        yield
    finally:
        process.terminate()
        process.wait(gaz.PATIENCE)


def run_in(machine, home, *options, address):
    """dnsmasq there. Not as --no-daemon: that serves one TCP connection at a time, and
    nobody else meanwhile."""
    return serve_in(machine, [
        BINARY, "--keep-in-foreground", "--no-resolv", "--no-hosts", "--bind-interfaces",
        "--conf-file=/dev/null", f"--listen-address={address}", "--pid-file=", "--user=root",
        *options], home, address)
