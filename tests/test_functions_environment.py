"""A `.env` reaches the functions of its folder and below, and its values reach no message."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.package.functions.environment import Environments, key_problems, size_problems

SECRET = "hunter2-do-not-show"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / name.replace("__", "/") / ".env" if name != "top" else folder / ".env"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("hello.js", {"WHERE": "top", "TOP": "1"}),
        ("a/hello.js", {"WHERE": "a", "TOP": "1", "IN_A": "1"}),
        ("a/b/hello.js", {"WHERE": "a/b", "TOP": "1", "IN_A": "1"}),
        ("c/hello.js", {"WHERE": "top", "TOP": "1"}),
    ],
)
def test_the_nearest_folder_wins_and_neighbours_get_nothing(
    path: str, expected: dict[str, str], tmp_path: Path
) -> None:
    write(tmp_path, top="WHERE=top\nTOP=1", a="WHERE=a\nIN_A=1", a__b="WHERE=a/b")
    assert dict(Environments(tmp_path).of(path, {})) == expected


def test_settings_come_on_top(tmp_path: Path) -> None:
    write(tmp_path, top="NAME=file\nREST=file")
    assert Environments(tmp_path).of("a.js", {"NAME": "set"}) == (("NAME", "set"), ("REST", "file"))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("KEY=plain", "plain"),
        ("export KEY='with # hash'", "with # hash"),
        ('KEY="two\\nlines"', "two\nlines"),
        ("KEY=value # comment", "value"),
        ("KEY=", ""),
        ("KEY=${HOME}/x", "${HOME}/x"),
    ],
)
def test_quotes_and_comments_as_usual_but_nothing_of_ours(
    text: str, value: str, tmp_path: Path
) -> None:
    assert dict(Environments(write(tmp_path, top=text)).of("a.js", {})) == {"KEY": value}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"OK=1\n\n\nBROKEN '{SECRET}\n", ".env:4: is not NAME=value"),
        ("OK=1\nLONELY\n", ".env:2: LONELY has no value"),
        (f"AWS_REGION={SECRET}", ".env:1: AWS_REGION is reserved by Lambda"),
        (f"\n\nA-B={SECRET}", ".env:3: 'A-B' is no name that Lambda takes"),
    ],
)
def test_a_fault_is_told_with_its_line_and_without_its_value(
    text: str, problem: str, tmp_path: Path
) -> None:
    environments = Environments(write(tmp_path, top=text))
    environments.of("a.js", {})
    (found,) = environments.problems
    assert str(found).startswith(problem)
    assert SECRET not in str(found)


def test_a_link_is_no_environment(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to("/etc/passwd")
    environments = Environments(tmp_path)
    assert environments.of("a.js", {}) == ()
    assert [str(problem) for problem in environments.problems] == [".env: is no regular file"]


@pytest.mark.parametrize("key", ["_HANDLER", "AWS_LAMBDA_FUNCTION_NAME", "LAMBDA_TASK_ROOT"])
def test_reserved_names_are_refused(key: str) -> None:
    assert list(key_problems([key], "functions.environment"))


@pytest.mark.parametrize("key", ["TZ", "NODE_OPTIONS", "AWS_LAMBDA_EXEC_WRAPPER", "AB"])
def test_names_that_lambda_lets_set_pass(key: str) -> None:
    assert not list(key_problems([key], "functions.environment"))


@pytest.mark.parametrize(("size", "fits"), [(4096, True), (4097, False)])
def test_four_kilobytes_in_all(size: int, *, fits: bool) -> None:
    variables = (("KEY", SECRET.ljust(size - len('{"KEY":""}'), "x")),)
    problems = list(size_problems("a.js", variables))
    assert (not problems) == fits
    assert SECRET not in str(problems)
