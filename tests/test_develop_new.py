"""`new function`: what is written, what is said, what is refused."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from runner.develop.new import TEMPLATES, Wanted, Written, new_function
from runner.errors import JamError
from runner.package.functions.discover import Language


def new(root: Path, name: str = "notes", template: str = "basic", *, python: bool = False,
        explained: bool = False) -> Written:  # fmt: skip
    language = Language.PYTHON if python else Language.NODE
    wanted = Wanted(name=name, template=template, language=language, explained=explained)
    return new_function(wanted, root, "functions")


@pytest.mark.parametrize("template", TEMPLATES)
@pytest.mark.parametrize("python", [False, True])
def test_explaining_comments_come_only_when_asked_for(
    tmp_path: Path, template: str, python: bool
) -> None:
    mark = "# " if python else "// "
    for name, explained in (("plain", False), ("explained", True)):
        written = new(tmp_path, name, template, python=python, explained=explained)
        text = (tmp_path / written.path).read_text()
        assert any(line.strip().startswith(mark) for line in text.split("\n")) is explained
        if python:
            ast.parse(text)


def test_a_route_is_said_with_its_parameters(tmp_path: Path) -> None:
    written = new(tmp_path, "notes/[id]")
    assert (written.path, written.route) == ("functions/notes/[id].js", "/.functions/notes/{id}")


@pytest.mark.parametrize(
    ("name", "template", "settings"),
    [
        ("hello", "basic", ""),
        ("hello", "html", ""),
        ("notes", "table",
         '[tables.notes]\nhash = "id:S"\n\n[functions.notes]\ntables = ["notes:rw"]\n'),
        ("notes/all", "table",
         '[tables.notes-all]\nhash = "id:S"\n\n'
         '[functions."notes/all"]\ntables = ["notes-all:rw"]\n'),
        ("call", "invoke", '[functions.call]\ninvoke = ["hello"]\n'),
    ],
)  # fmt: skip
def test_what_jam_toml_lacks_is_said(
    tmp_path: Path, name: str, template: str, settings: str
) -> None:
    assert new(tmp_path, name, template).settings == settings


def test_a_table_is_known_to_the_code_by_the_name_that_a_deploy_gives(tmp_path: Path) -> None:
    written = new(tmp_path, "notes/all", "table", python=True)
    assert '"JAM_TABLE_NOTES_ALL"' in (tmp_path / written.path).read_text()


def test_a_function_that_is_there_is_the_one_that_is_called(tmp_path: Path) -> None:
    new(tmp_path, "greet")
    written = new(tmp_path, "call", "invoke")
    assert written.settings.endswith('invoke = ["greet"]\n')
    assert "JAM_FUNCTION_GREET" in (tmp_path / written.path).read_text()
    assert not any("new function" in command for command in written.commands)


def test_nothing_is_ever_overwritten_not_even_in_the_other_language(tmp_path: Path) -> None:
    written = new(tmp_path)
    before = (tmp_path / written.path).read_text()
    for python in (False, True):
        with pytest.raises(JamError) as caught:
            new(tmp_path, template="html", python=python)
        assert caught.value.code == "JAM-FUNCTION-EXISTS"
        assert "functions/notes.js" in str(caught.value)
    assert (tmp_path / written.path).read_text() == before
    assert [file.name for file in (tmp_path / "functions").iterdir()] == ["notes.js"]


@pytest.mark.parametrize("name", ["_private", "lib/x", "a b", "../up", "/root", "a//b", "x.test"])
def test_what_can_be_no_function_is_refused_and_leaves_no_file(tmp_path: Path, name: str) -> None:
    with pytest.raises(JamError) as caught:
        new(tmp_path, name)
    assert caught.value.code == "JAM-FUNCTION-NAME"
    assert not [file for file in tmp_path.rglob("*") if file.is_file()]
