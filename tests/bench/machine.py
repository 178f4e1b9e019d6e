# SPDX-License-Identifier: BSD-2-Clause
"""What all stages need: the machine, the load generators, the disk."""

import dataclasses
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import time


def say(text):
    print(text, file=sys.stderr, flush=True)


@dataclasses.dataclass
class Setup:
    build: pathlib.Path
    workers: int
    server_cpus: set  # None: any
    client_cpus: set


def make_setup(options):
    """Servers and clients apart, where there are more cores than workers."""
    cpus = sorted(os.sched_getaffinity(0))
    if len(cpus) <= options.workers:
        return Setup(pathlib.Path(options.build).resolve(), options.workers, None, None)
    return Setup(pathlib.Path(options.build).resolve(), options.workers,
                 set(cpus[:options.workers]), set(cpus[options.workers:]))


def together(setup, cores):
    """The same, but servers and clients share so many cores."""
    cpus = set(sorted(os.sched_getaffinity(0))[:cores])
    return dataclasses.replace(setup, server_cpus=cpus, client_cpus=cpus)


def on_client_cpus(setup, command):
    command = [str(part) for part in command]
    if setup.client_cpus:
        command = ["taskset", "-c", ",".join(map(str, setup.client_cpus))] + command
    return command


def foremost(command):
    """The command as contrib/systemd starts the daemon: before other programs. Only root
    may; for others it is as it was."""
    return ["nice", "-n", "-10", *command] if os.geteuid() == 0 else command


def run_client(setup, command):
    """What a load generator prints when it has ended, decoded."""
    done = subprocess.run(on_client_cpus(setup, command), stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout)


def apiload(setup, server, mode, **options):
    """The command of a load on the API of that server."""
    command = [setup.build / "apiload", mode]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command + [f"127.0.0.1:{server.api_port}"]


class Beside:
    """A load that runs beside something else; its result is there afterwards."""

    def __init__(self, setup, command):
        self.command = on_client_cpus(setup, command)
        self.result = None

    def __enter__(self):
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL,
                                      stdout=subprocess.PIPE, text=True)
        return self

    def __exit__(self, kind, *_):
        self.child.send_signal(signal.SIGTERM)
        output = self.child.communicate()[0]
        if kind is None:
            if self.child.returncode != 0:
                raise RuntimeError(f"{self.command} ended with {self.child.returncode}")
            self.result = json.loads(output)


def file_system(folder):
    """Its type and where it is mounted."""
    line = subprocess.run(["df", "--output=fstype,target", str(folder)], text=True,
                          capture_output=True, check=True).stdout.splitlines()[1]
    return " on ".join(line.split(None, 1))


def median_us(call, times):
    spent = []
    for _ in range(times):
        begin = time.monotonic()
        call()
        spent.append((time.monotonic() - begin) * 1e6)
    return statistics.median(spent)


def sync_times(folder, times=100):
    """Median µs of the least that makes data durable there, in two ways."""
    path = pathlib.Path(folder) / "sync-probe"
    page = b"x" * 4096
    with open(path, "wb", buffering=0) as file:
        file.write(page * 1024)
        os.fsync(file.fileno())
        place = 0

        def append():
            file.write(b"x" * 100)
            os.fsync(file.fileno())

        def overwrite():
            nonlocal place
            place = (place + 37) % 1024
            os.pwrite(file.fileno(), page, 4096 * place)
            os.fdatasync(file.fileno())

        result = {"append_fsync_us": median_us(append, times),
                  "page_fdatasync_us": median_us(overwrite, times)}
    path.unlink()
    return result
