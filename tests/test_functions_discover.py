"""Which files are functions, what they are called, and what is refused by name."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.errors import JamError
from runner.package.functions.discover import discover

ROUTES = [
    ("a.js", "a", "/.functions/a"),
    ("a/b.ts", "a/b", "/.functions/a/b"),
    ("a/b/index.mjs", "a/b", "/.functions/a/b"),
    ("index.js", "index", "/.functions/index"),
    ("notes/[id].js", "notes/[id]", "/.functions/notes/{id}"),
    ("notes/[id]/edit.py", "notes/[id]/edit", "/.functions/notes/{id}/edit"),
    ("files/[...rest].cjs", "files/[...rest]", "/.functions/files/{rest+}"),
    ("files/[...rest]/index.js", "files/[...rest]", "/.functions/files/{rest+}"),
    ("v1.0/hello.js", "v1.0/hello", "/.functions/v1.0/hello"),
]
NO_FUNCTIONS = [
    "_helper.js",
    "_shared/db.ts",
    "lib/db.js",
    "a/lib/db.py",
    "node_modules/x/index.js",
    "__pycache__/a.py",
    ".hidden/a.js",
    "a.test.js",
    "a.spec.ts",
    "a.d.ts",
    "eslint.config.js",
    "README.md",
    "package.json",
]
BAD_NAMES = [
    ("a b.js", "'a b' is no part of a route"),
    ("ä.js", "'ä' is no part of a route"),
    ("[].js", "'[]' is no part of a route"),
    ("x[id].js", "'x[id]' is no part of a route"),
    ("[...rest]/more.js", "may only end a route"),
    ("[id]/[id].js", "two parameters of a route have the same name"),
    ("/".join(["a" * 60] * 3) + ".js", "longer than 128"),
]
CLASHES = [
    ("a/b.js", "a/b/index.js"),
    ("a.js", "a.py"),
    ("a.js", "a.ts"),
    ("[id].js", "[slug].js"),
    ("x/[...all].js", "x/[...rest].py"),
    ("[a]/edit.js", "[b]/edit.js"),
]


def make(folder: Path, *paths: str) -> Path:
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text("")
    return folder


@pytest.mark.parametrize(("path", "name", "route"), ROUTES)
def test_a_path_is_a_name_and_a_route(path: str, name: str, route: str, tmp_path: Path) -> None:
    (source,) = discover(make(tmp_path, path)).sources
    assert (source.name, source.route, source.path) == (name, route, path)


def test_what_is_private_foreign_or_a_test_is_no_function(tmp_path: Path) -> None:
    assert discover(make(tmp_path, *NO_FUNCTIONS)).sources == ()


def test_a_site_without_the_folder_has_no_functions(tmp_path: Path) -> None:
    assert discover(tmp_path / "functions").sources == ()


@pytest.mark.parametrize(("path", "message"), BAD_NAMES)
def test_a_name_that_is_no_route_is_refused(path: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(JamError, match=r"cannot be deployed") as caught:
        discover(make(tmp_path, path))
    assert caught.value.code == "JAM-FUNCTION-NAME"
    assert [problem.where for problem in caught.value.problems] == [path]
    assert message in str(caught.value)


@pytest.mark.parametrize(("one", "other"), CLASHES)
def test_two_files_for_one_route_are_named_together(one: str, other: str, tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        discover(make(tmp_path, one, other))
    assert caught.value.code == "JAM-FUNCTION-CLASH"
    (problem,) = caught.value.problems
    assert {one, other} == {problem.where, problem.message.split(" as ")[1].split(" (")[0]}


def test_one_parameter_and_the_rest_live_side_by_side(tmp_path: Path) -> None:
    found = discover(make(tmp_path, "a/[id].js", "a/[...rest].js", "a/new.js")).sources
    assert [source.name for source in found] == ["a/[...rest]", "a/[id]", "a/new"]


@pytest.mark.parametrize("path", ["link.js", "lib/link.js", "folder"])
def test_a_symbolic_link_is_refused_by_name(path: str, tmp_path: Path) -> None:
    (make(tmp_path, "lib/x.js") / path).symlink_to("/etc/passwd" if "." in path else "/etc")
    with pytest.raises(JamError) as caught:
        discover(tmp_path)
    assert caught.value.code == "JAM-FUNCTION-FILE"
    assert str(caught.value.problems[0]) == f"{path}: is a symbolic link"


def test_a_functions_folder_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "functions").symlink_to("/etc")
    with pytest.raises(JamError) as caught:
        discover(tmp_path / "functions")
    assert [str(one) for one in caught.value.problems] == ["functions: is a symbolic link"]


def test_everything_wrong_is_told_at_once(tmp_path: Path) -> None:
    make(tmp_path, "a b.js", "c d.js").joinpath("link.js").symlink_to("/etc/passwd")
    with pytest.raises(JamError) as caught:
        discover(tmp_path)
    assert [problem.where for problem in caught.value.problems] == ["link.js", "a b.js", "c d.js"]
