# SPDX-License-Identifier: BSD-2-Clause
"""gazetteerd answers as the majority of NSD, Knot DNS and BIND, but for the table."""

import pytest

import compare
import conftest
import differences
import queries
import worlds
import zonegen

SHOWN = 10  # differences of one zone that are shown in full


def groups():
    for world in ("features", "root"):
        folder = worlds.HERE / "zones" / world
        names = [path.stem.replace("root", ".") for path in folder.glob("*.zone")]
        yield from ((world, name) for name in sorted(names))
    yield from (("features", name) for name in ("big.test", "sizes", "no zone"))
    for kind in queries.odd_messages(b"\0", b"\0"):
        yield from (("features", f"odd {kind} {way}") for way in ("UDP", "TCP"))
    yield from (("random", name) for name in zonegen.origins(conftest.RANDOM_ZONES))


@pytest.mark.parametrize("world, group", groups())
def test_answers_agree(comparison, world, group):
    """All queries about one zone, or of one kind."""
    found = comparison(world)
    result = found.groups[group]
    assert result.asked
    text = "\n\n".join(compare.case_text(found.world, case, left)
                       for case, left in result.failed[:SHOWN])
    assert not result.failed, f"{len(result.failed)} of {result.asked} differ:\n\n{text}"


def test_every_group_has_its_test(comparison):
    """What is asked is looked at, too."""
    asked = {(world, group) for world in compare.WORLDS for group in comparison(world).groups}
    assert asked - set(groups()) <= {("random", "no zone")}
    assert not comparison("random").groups["no zone"].failed


@pytest.mark.parametrize("entry", differences.TABLE, ids=lambda entry: entry.name)
def test_table_has_no_idle_entry(comparison, entry):
    """An entry that explains nothing any more has to go."""
    assert any(entry.name in comparison(world).used for world in compare.WORLDS)
