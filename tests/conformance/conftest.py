# SPDX-License-Identifier: BSD-2-Clause
"""The comparisons that the tests look at, each made once.

GAZ_BUILD names the folder with gazetteerd (default: build).
"""

import os
import sys

sys.dont_write_bytecode = True

import pytest

import compare
import peers
from peers import nameserver

RANDOM_ZONES = 40


def pytest_sessionstart(session):
    nameserver.become_subreaper()
    if not os.access(peers.BUILD / "gazetteerd", os.X_OK):
        pytest.exit(f"{peers.BUILD}/gazetteerd is missing: build first, or set GAZ_BUILD", 2)


@pytest.fixture(scope="session")
def comparison():
    """comparison(world): asked and judged when somebody wants it first."""
    made = {}

    def get(name):
        if name not in made:
            world = compare.World(name, seed=1, zones=RANDOM_ZONES)
            made[name] = compare.Comparison(world).run()
        return made[name]

    return get
