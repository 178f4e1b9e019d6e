# SPDX-License-Identifier: BSD-2-Clause
"""Worlds: sets of zones that are served together.

features and root are written by hand (zones/), but for what is too large or too odd to
write: long names, big sets. random is made of a seed (zonegen).
"""

import pathlib
import shutil
import subprocess

import dns.name
import dns.rdatatype

import zonegen

HERE = pathlib.Path(__file__).resolve().parent
L63 = "l" * 63


def long_names():
    """Names at the limits of 63 and 255 octets and of the number of labels."""
    tail = 255 - 12 - 3 * 64 - 1  # names.test has 12 octets
    longest = f"{'e' * tail}.{L63}.{L63}.{L63}"
    return [f"{L63} A 192.0.2.30", f"{L63}.{L63} A 192.0.2.31", f"{longest} A 192.0.2.32",
            f"{'f' * (tail - 1)}.{L63}.{L63}.{L63} A 192.0.2.33",
            f"c255 CNAME {longest}", f"mx255 MX 1 {longest}",
            f"{'m.' * 120}m A 192.0.2.34", f"{'w.' * 100}w A 192.0.2.35",
            f"*.{'n.' * 60}n A 192.0.2.36", f"*.{L63}.{L63}.{L63} A 192.0.2.37",
            f"dn DNAME {L63}.{L63}.{L63}"]


def big_sets():
    """Sets of some 300 to 55000 octets, well away from the limits of 512 and 1232."""
    lines = ["$TTL 300", "@ SOA ns h 1 2 3 4 5", "@ NS ns", "ns A 192.0.2.1",
             "c800 CNAME a800", "c3000 CNAME a3000", "*.w3000 CNAME a3000",
             "dn DNAME target", "x.target CNAME a3000",
             "mx MX 10 a300", "mx MX 20 a800", "mx MX 30 ns"]
    for owner, count in (("a300", 15), ("a800", 45), ("a3000", 180), ("*.wa3000", 180)):
        lines += [f"{owner} A 10.0.{count}.{n}" for n in range(count)]
    for n in range(30):
        lines += [f"mxmany MX {n} m{n}", f"m{n} A 10.1.3.{n}", f"m{n} AAAA 2001:db8::{n}"]
    for n in range(13):
        server = f"a-long-label-for-a-name-server-{n}.deleg"
        lines += [f"deleg NS {server}", f"{server} A 10.1.4.{n}",
                  f"{server} AAAA 2001:db8:1::{n}"]
    for n in range(40):
        lines += [f"deleg40 NS {n}.deleg40", f"{n}.deleg40 A 10.1.5.{n}",
                  f"deleg80 NS {n}.deleg80", f"{n}.deleg80 A 10.1.6.{n}",
                  f"deleg80 NS {n}.x.deleg80", f"{n}.x.deleg80 AAAA 2001:db8:2::{n}"]
    lines += [f"delegbig NS a-very-long-label-of-a-name-server-elsewhere-{n}.example."
              for n in range(40)]
    lines += [f't20000 TXT "{n:03}{"x" * 180}"' for n in range(100)]
    lines += [f't55000 TXT "{n:03}{"y" * 235}"' for n in range(220)]
    lines.append("t1 TXT" + f' "{"z" * 255}"' * 4)
    return lines


def write(path, lines):
    path.write_text("".join(f"{line}\n" for line in lines), encoding="ascii")


def stage_handmade(name, folder):
    """Copy the zones of a world; @DIR@ in them is the folder, for $INCLUDE."""
    for path in (HERE / "zones" / name).iterdir():
        (folder / path.name).write_text(
            path.read_text(encoding="ascii").replace("@DIR@", str(folder)), encoding="ascii")
    if name == "features":
        with open(folder / "names.test.zone", "a", encoding="ascii") as file:
            file.writelines(f"{line}\n" for line in long_names())
        write(folder / "big.test.zone", big_sets())


def stage(name, folder, seed=1, zones=0):
    """Write the zones of a world into a folder: {origin: path}."""
    folder = pathlib.Path(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if name == "random":
        for origin, lines in zonegen.generate(seed, zones).items():
            write(folder / f"{origin}.zone", lines)
    else:
        stage_handmade(name, folder)
    return {"." if path.stem == "root" else path.stem: path
            for path in sorted(folder.glob("*.zone"))}


def read_records(origin, path):
    """[(owner, type)] of a zone file, owners in wire form, as BIND's tools read it."""
    lax = [f"-{flag}ignore" for flag in "kmMnrSTW"]
    text = subprocess.run(["named-compilezone", "-i", "none", *lax, "-s", "full", "-o", "-",
                           origin, str(path)], cwd=path.parent, check=True,
                          capture_output=True, text=True).stdout
    found = []
    for line in text.splitlines():
        fields = line.split(None, 4)
        if len(fields) == 5 and fields[2] == "IN":
            found.append((dns.name.from_text(fields[0]).to_wire(),
                          int(dns.rdatatype.from_text(fields[3]))))
    return sorted(set(found))
