# SPDX-License-Identifier: BSD-2-Clause
"""The zone files that gazetteerd takes are those that BIND's named-checkzone takes."""

import pytest

import zonefiles


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory):
    """(files, {case: accepted by us}, the log)"""
    work = tmp_path_factory.mktemp("zonefiles", numbered=True)
    folder = work / "zones"
    folder.mkdir()
    files = zonefiles.write_all(folder)
    return files, *zonefiles.ours_accepts(work, files)


@pytest.mark.parametrize("case", zonefiles.all_cases())
def test_verdict_is_that_of_named_checkzone(verdicts, case):
    files, accepted, log = verdicts
    origin, path = files[case]
    theirs, why = zonefiles.bind_accepts(origin, path)
    ours = "\n".join(line for line in log.splitlines() if f"/{path.name}" in line)
    agree = accepted[case] == theirs
    text = f"ours: {accepted[case]}\n{ours}\nnamed-checkzone: {theirs}\n{why}"
    if case in zonefiles.EXCEPTIONS:
        assert not agree, f"they agree now: take it off the list\n{text}"
    else:
        assert agree, text
