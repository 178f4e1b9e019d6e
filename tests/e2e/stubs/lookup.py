# SPDX-License-Identifier: BSD-2-Clause
"""What Python's socket module, and for SRV dnspython, make of names: for each argument
KIND:NAME one line of JSON."""

import json
import socket
import sys

import dns.exception
import dns.resolver

WORDS = {socket.EAI_NONAME: "missing", socket.EAI_AGAIN: "failed", socket.EAI_FAIL: "failed",
         socket.EAI_NODATA: "nodata", socket.EAI_ADDRFAMILY: "nodata"}


def addresses(kind, name):
    family = socket.AF_INET6 if kind == "v6" else socket.AF_UNSPEC
    found = socket.getaddrinfo(name, None, family, socket.SOCK_STREAM)
    return {"addresses": [entry[4][0] for entry in found]}


def services(name):
    return {"srv": [f"{srv.port} {srv.target.to_text(omit_final_dot=True)}"
                    for srv in dns.resolver.resolve(name, "SRV")]}


for argument in sys.argv[1:]:
    kind, name = argument.split(":", 1)
    try:
        result = services(name) if kind == "srv" else addresses(kind, name)
    except socket.gaierror as error:
        result = {"error": WORDS.get(error.errno, str(error))}
    except dns.resolver.NXDOMAIN:
        result = {"error": "missing"}
    except dns.resolver.NoAnswer:
        result = {"error": "nodata"}
    except dns.exception.DNSException:
        result = {"error": "failed"}
    print(json.dumps(result), flush=True)
