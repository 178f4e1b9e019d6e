# SPDX-License-Identifier: BSD-2-Clause
"""Fixtures of the end-to-end tests; the harness itself is gaz.py.

GAZ_BUILD names the folder with gazetteerd and gazctl (default: build).
"""

import os
import sys
import tempfile
import shutil

sys.dont_write_bytecode = True
for name in list(os.environ):
    if name.upper().startswith("AWS_") or name.lower().endswith("_proxy"):
        del os.environ[name]
os.environ.update(AWS_CONFIG_FILE="/dev/null", AWS_SHARED_CREDENTIALS_FILE="/dev/null",
                  AWS_EC2_METADATA_DISABLED="true")

import pytest

import gaz
import js_sdk
import models


def pytest_sessionstart(session):
    for program in (gaz.GAZETTEERD, gaz.GAZCTL):
        if not os.access(program, os.X_OK):
            pytest.exit(f"{program} is missing: build first, or set GAZ_BUILD", 2)


def pytest_make_parametrize_id(val):
    """Short test names for long values."""
    text = val if isinstance(val, str) else repr(val)
    return f"{text[:30]}...{len(text)}" if len(text) > 60 else None


@pytest.fixture
def home():
    """A short-lived folder with a short path (unix socket names are limited)."""
    path = tempfile.mkdtemp(prefix="gaz-")
    yield path
    shutil.rmtree(path)


def _factory(home):
    started = []

    def start(*options, **kwargs):
        place = os.path.join(home, f"d{len(started)}")
        os.mkdir(place)
        started.append(gaz.Daemon(kwargs.pop("home", place), *options, **kwargs))
        return started[-1].start()

    return started, start


def _finish(started):
    errors = []
    for daemon in started:
        try:
            daemon.finish()
        except AssertionError as error:
            errors.append(error)
    if errors:
        raise errors[0]


@pytest.fixture
def start(home):
    """Start daemons with any options: start("--vpc", "...", listen=[...])."""
    started, starter = _factory(home)
    yield starter
    _finish(started)


@pytest.fixture
def daemon(start):
    """A daemon that knows VPC_A and VPC_B."""
    return start(*gaz.VPC_OPTIONS)


@pytest.fixture
def api(daemon):
    return daemon.api


@pytest.fixture
def slow(daemon):
    """Make every later operation of the daemon pend for an hour."""
    def change():
        daemon.options += gaz.NEVER
        daemon.restart()
        return daemon.api
    return change


@pytest.fixture(scope="module")
def shared():
    """One daemon for a whole module of tests that leave nothing behind."""
    path = tempfile.mkdtemp(prefix="gaz-")
    started, starter = _factory(path)
    try:
        yield starter(*gaz.VPC_OPTIONS)
        _finish(started)
    finally:
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def js():
    """The AWS SDK for JavaScript; open() it on a daemon."""
    where = os.environ.get("GAZ_JS") or gaz.BUILD / "js"
    place = js_sdk.install(where)
    home = tempfile.mkdtemp(prefix="gaz-")
    sdk = js_sdk.Sdk(place, gaz.clean_env(home), 2 * gaz.PATIENCE, models.check_reply)
    try:
        yield sdk
    finally:
        sdk.close()
        shutil.rmtree(home)
