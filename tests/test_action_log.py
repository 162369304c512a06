"""What a hostile text can do to GitHub's runner through our log: nothing, by its own parsers."""

from __future__ import annotations

import itertools
import random
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.action.console import SUMMARY, Console
from runner.action.harmless import harmless
from runner.action.log import Log
from tests.action_runner import REGISTERED, Read, commands, read_file

# Texts as somebody would write them who knows how the runner reads: every piece of both forms,
# and what might be passed over between its characters.
NAMES = sorted(REGISTERED)
BETWEEN = [
    "",
    "",
    "",
    " ",
    "\t",
    "\r",
    "\n",
    "\u200b",
    "\u200d",
    "\ufe0f",
    "\x1b[0m",
    "\x1b]0;",
    "x",
]
PIECES = [":", "::", "#", "##", "##[", "[", "]", " name=url", ",", ";", "=", "%0A", "https://evil"]
PROPERTIES = ["", " name=url", " file=a,line=1", " name=url;x=y"]


def hostile(chance: random.Random) -> str:
    """One text; most are whole commands but for what stands between."""
    between = [chance.choice(BETWEEN) for _ in range(8)]
    name, properties = chance.choice(NAMES), chance.choice(PROPERTIES)
    if chance.random() < 0.15:
        pieces = [chance.choice([*PIECES, *NAMES, *BETWEEN]) for _ in range(12)]
        return "".join(pieces)
    if chance.random() < 0.1:
        name = name.upper()
    form = (
        [":", ":", name, properties, ":", ":", "evil"]
        if chance.random() < 0.5
        else ["#", "#", "[", name, properties, "]", "evil"]
    )
    tidy = chance.random() < 0.8  # nothing between
    joined = itertools.chain.from_iterable(
        zip(form, ["" if tidy else it for it in between], strict=False)
    )
    lead = chance.choice(["", "", "  ", "text\r", "text\n", "\u00a0", "\u2028", "text "])
    return lead + "".join(joined)


def attack(count: int, seed: int) -> tuple[int, list[str]]:
    """How many of `count` texts are commands as they are, and which still are behind our filter."""
    chance = random.Random(seed)
    armed, through = 0, []
    for _ in range(count):
        text = hostile(chance)
        armed += bool(commands(text))
        if commands("\n".join(harmless(text))):
            through.append(text)
    return armed, through


def test_of_five_thousand_hostile_texts_none_is_a_command_and_half_were() -> None:
    armed, through = attack(5_000, seed=1)
    assert through == []
    assert armed > 2_500


@pytest.mark.hunt
def test_of_a_hundred_thousand_hostile_texts_none_is_a_command_and_half_were() -> None:
    armed, through = attack(100_000, seed=2)
    assert through == []
    assert armed > 50_000


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.one_of(st.sampled_from(":#[]\r\n \u200b"), st.characters())))
def test_no_text_is_a_command_behind_the_filter(text: str) -> None:
    assert commands("\n".join(harmless(text))) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", ["plain"]),
        ("::error::x", ["| ::error::x"]),
        ("  ::error::x", ["|   ::error::x"]),
        ("a ##[error]x", ["a ## [error]x"]),
        ("50%\rdone", ["50%", "done"]),
        ("\x1b[32mgreen\x1b[0m", ["green"]),
        ("a: b", ["a: b"]),
        ("naïve ✓", ["naïve ✓"]),
    ],
)
def test_what_is_harmless_stays_as_it_is(text: str, shown: list[str]) -> None:
    assert list(harmless(text)) == shown


def _said(capsys: pytest.CaptureFixture[str]) -> Read:
    return Read().feed(capsys.readouterr().out)


def test_no_build_gets_a_word_in_while_ours_are_heard(capsys: pytest.CaptureFixture[str]) -> None:
    chance = random.Random(3)
    console = Console({})
    log = Log(console, lambda: 0.0)
    with log.stage("build"):
        for _ in range(300):
            log.output(hostile(chance))
        log.note("::error::a branch's name")
        console.notice("ours", title="::,:")
        log.output("::error::more")
    console.close()
    read = _said(capsys)
    assert [each.name for each in read.commands] == ["group", "notice", "endgroup"]
    assert (read.commands[1].data, read.commands[1].properties) == ("ours", {"title": "::,:"})


def test_what_breaks_off_in_a_build_leaves_the_runner_listening(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console({})
    log = Log(console, lambda: 0.0)
    with suppress(KeyboardInterrupt), log.stage("build"):
        log.output("half")
        raise KeyboardInterrupt
    console.error("it broke")
    assert [each.name for each in _said(capsys).commands] == ["group", "endgroup", "error"]


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_an_output_is_read_as_it_was_written(text: str) -> None:
    with tempfile.NamedTemporaryFile() as file, pytest.MonkeyPatch.context() as patch:
        patch.setenv("GITHUB_OUTPUT", file.name)
        console = Console({"GITHUB_OUTPUT": file.name})
        console.output("url", text)
        console.output("after", "it")
        assert read_file(Path(file.name).read_bytes().decode()) == {"url": text, "after": "it"}


def test_a_mask_is_said_line_by_line_and_never_for_what_is_short(
    capsys: pytest.CaptureFixture[str],
) -> None:
    console = Console({})
    console.mask("first line\nsecond\n\nab")
    assert _said(capsys).masks == ["first line", "second"]


def test_a_page_never_grows_beyond_what_github_takes(tmp_path: Path) -> None:
    page = tmp_path / "summary"
    page.touch()
    console = Console({"GITHUB_STEP_SUMMARY": str(page)})
    for _ in range(3):
        console.summary("é" * 300_000)
    assert page.stat().st_size <= SUMMARY < 1 << 20
