# SPDX-License-Identifier: BSD-2-Clause
"""The documents name what the programs have."""

import re

import pytest

import gaz


def help_of(program, home, *args):
    return gaz.run([program, *args, "--help"], home).stdout


def options_of(text):
    return set(re.findall(r"(?<![\w-])--[a-z][a-z0-9-]+", text))


def read(home, name):
    """A file of the tree as a reader sees it: man pages formatted."""
    path = next(gaz.REPO / folder / name for folder in (".", "doc/man")
                if (gaz.REPO / folder / name).exists())
    if name[-1].isdigit():
        text = gaz.run(["mandoc", "-T", "utf8", path], home).stdout
        return re.sub(".\b", "", text)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("document", ["README", "gazetteerd.8"])
def test_every_daemon_option_is_documented(home, document):
    """And no document names one that does not exist."""
    options = options_of(help_of(gaz.GAZETTEERD, home))
    assert {"--listen", "--api", "--socket", "--data", "--ephemeral", "--zones", "--vpc",
            "--strict-vpcs", "--workers", "--log-level", "--version", "--help",
            "--config"} <= options
    text = read(home, document)
    missing = sorted(option for option in options if option not in options_of(text))
    assert missing == []
    if document == "gazetteerd.8":
        assert sorted(options_of(text) - options) == []


def commands_of(home):
    text = help_of(gaz.GAZCTL, home)
    block = text.split("commands:")[1].split("options:")[0]
    return [re.match(r"\s+([a-z]+(?: [a-z]+)*)", line).group(1)
            for line in block.splitlines() if line.strip()]


def test_every_gazctl_command_is_documented(home):
    """In gazctl.1, each with its options."""
    commands, text = commands_of(home), read(home, "gazctl.1")
    assert {"namespace create", "vpc put", "status", "call"} <= set(
        command.strip() for command in commands)
    flat = re.sub(r"\s+", " ", text)
    assert [command for command in commands if command not in flat] == []
    options = options_of(help_of(gaz.GAZCTL, home))
    for command in commands:
        options |= options_of(help_of(gaz.GAZCTL, home, *command.split()))
    assert sorted(options - options_of(text)) == []


@pytest.mark.parametrize("page", ["gazetteerd.8", "gazctl.1"])
def test_man_pages_are_well_formed(home, page):
    """mandoc's linter has no warning."""
    done = gaz.run(["mandoc", "-T", "lint", "-W", "warning",
                    gaz.REPO / "doc/man" / page], home, expect=None)
    assert done.stdout.strip() == ""


def test_readme_names_the_first_steps(home):
    """The two commands, the tour, resolv.conf."""
    text = read(home, "README")
    for word in ("contrib/dev run", "contrib/dev check", "boto3", "dig", "resolv.conf",
                 "gazctl"):
        assert word in text
