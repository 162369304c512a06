"""docs/errors.md lists every code that the program can end with, under its exit status."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import Turn
from runner.report.errors import known, text

ROOT = Path(__file__).parents[1]
CODE = re.compile(r"JAM(-[A-Z0-9]+)+")
BY_MAKER = {"site_error": Turn.SITE, "aws_error": Turn.AWS, "busy_error": Turn.AGAIN}
LISTS = "errors"  # the registry itself


def _trees() -> Iterator[tuple[Path, ast.AST]]:
    for path in sorted((ROOT / "runner").rglob("*.py")):
        if path.parent.name != LISTS and "node_modules" not in path.parts:
            yield path, ast.parse(path.read_text())


def _codes(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and CODE.fullmatch(str(node.value)):
            yield str(node.value)


def _raised(tree: ast.AST) -> Iterator[tuple[str, Turn]]:
    """The codes of errors whose status can be read in the code."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        named = {each.arg: each.value for each in node.keywords}
        first = node.args[0] if node.args else named.get("code")
        if not (isinstance(first, ast.Constant) and CODE.fullmatch(str(first.value))):
            continue
        maker, turn = getattr(node.func, "id", ""), named.get("turn")
        if maker in BY_MAKER:
            yield str(first.value), BY_MAKER[maker]
        elif isinstance(turn, ast.Attribute) and getattr(turn.value, "id", "") == "Turn":
            yield str(first.value), Turn[turn.attr]


def test_every_code_of_the_program_is_listed_and_no_other() -> None:
    used = {code for _, tree in _trees() for code in _codes(tree)}
    listed = {each.code for each in known()}
    assert used - listed == set(), "add them to runner/report/errors"
    assert listed - used == set(), "nothing ends with these any more"


def test_a_code_is_listed_under_the_status_that_it_ends_with() -> None:
    turns = defaultdict(set)
    for each in known():
        turns[each.code].add(each.turn)
    wrong = {
        (str(path.relative_to(ROOT)), code, turn.name)
        for path, tree in _trees()
        for code, turn in _raised(tree)
        if turn not in turns[code]
    }
    assert wrong == set()


@pytest.mark.parametrize("each", known(), ids=lambda each: each.code)
def test_a_listed_code_says_what_it_means_and_what_to_do(each) -> None:
    assert each.meaning
    assert each.remedy
    assert "{" not in each.meaning + each.remedy


def test_the_document_is_up_to_date() -> None:
    assert (ROOT / "docs" / "errors.md").read_text() == text(), "run `make docs`"
