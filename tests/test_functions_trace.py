"""Packages that cannot be bundled are traced and run all the same, and that is said."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from runner.errors import JamError
from tests.functions_site import call, package, site

LATER: dict[str, str | bytes] = {
    "a.js": "const plugins = require('plugins'); exports.handler = async () => plugins('two');",
    "node_modules/plugins/package.json": '{"name": "plugins", "main": "lib/main.js",'
    ' "dependencies": {"left": "*", "unused": "*"}}',
    "node_modules/plugins/lib/main.js": "const left = require('left'), path = require('path');\n"
    "module.exports = (name) => left(require(path.join(__dirname, 'plugin', name)));",
    "node_modules/plugins/lib/plugin/one.js": "module.exports = 'one';",
    "node_modules/plugins/lib/plugin/two.js": "module.exports = 'two';",
    "node_modules/plugins/test/large.js": "throw new Error('a test');",
    "node_modules/left/package.json": '{"name": "left"}',
    "node_modules/left/index.js": "module.exports = (text) => `left ${text}`;",
    "node_modules/unused/package.json": '{"name": "unused"}',
    "node_modules/unused/index.js": "",
}
# What a package does, and what the function answers then.
BOUND = {
    "reads a file that lies beside it": (
        "exports.x = require('fs').readFileSync(require('path').join(__dirname, 'x.txt'), 'utf8');"
    ),
    "imports a kind of file that no bundler knows": (
        "try { require('./x.html'); } catch {} exports.x = 'text';"
    ),
    "requires what is not installed and not declared": (
        "exports.x = 'text'; exports.other = () => require('not-there');"
    ),
    "asks where a module lies": (
        "exports.x = require('fs').readFileSync(require.resolve('./x.txt'), 'utf8');"
    ),
    "chooses at run time": "const pick = (name) => require(name); exports.x = pick('./more');",
}


def names(archive: Path) -> set[str]:
    with zipfile.ZipFile(archive) as opened:
        return set(opened.namelist())


def test_a_package_with_dynamic_requires_is_traced_and_said_to_be(tmp_path: Path) -> None:
    said: list[str] = []
    function = package(site(tmp_path, LATER), echo=said)["a"]
    assert said == ["functions/a.js: cannot be bundled, traced: plugins"]
    assert call(function, tmp_path / "run") == "left two"
    assert names(function.archive) == {
        "index.js",
        "node_modules/left/index.js",
        "node_modules/left/package.json",
        "node_modules/plugins/lib/main.js",
        "node_modules/plugins/lib/plugin/one.js",
        "node_modules/plugins/lib/plugin/two.js",
        "node_modules/plugins/package.json",
    }


@pytest.mark.parametrize("code", BOUND.values(), ids=BOUND)
def test_a_package_that_would_not_work_in_a_bundle_works(code: str, tmp_path: Path) -> None:
    files = {
        "a.mjs": "import { x } from 'odd/main.js'; export const handler = async () => x;",
        "fine.js": "exports.handler = async () => 'fine';",
        "node_modules/odd/package.json": '{"name": "odd"}',
        "node_modules/odd/main.js": code,
        "node_modules/odd/x.txt": "text",
        "node_modules/odd/x.html": "{",
        "node_modules/odd/more.js": "module.exports = 'text';",
    }
    said: list[str] = []
    functions = package(site(tmp_path, files), echo=said)
    assert said == ["functions/a.mjs: cannot be bundled, traced: odd"]
    if "more" in code:  # nobody can see what a variable names: `included_files` does
        assert "node_modules/odd/main.js" in names(functions["a"].archive)
        return
    assert call(functions["a"], tmp_path / "a") == "text"
    assert call(functions["fine"], tmp_path / "fine") == "fine"


def test_two_functions_are_traced_apart(tmp_path: Path) -> None:
    files = {
        **LATER,
        "b.js": "exports.handler = async () => require('left')('b');",
        "c.js": "exports.handler = async () => require('other').x;",
        "node_modules/other/package.json": '{"name": "other"}',
        "node_modules/other/index.js": "exports.x = require.resolve('unused') && 'c';",
    }
    functions = package(site(tmp_path, files))
    assert names(functions["b"].archive) == {"index.js"}
    assert names(functions["c"].archive) == {
        "index.js",
        "node_modules/other/index.js",
        "node_modules/other/package.json",
        "node_modules/unused/index.js",
        "node_modules/unused/package.json",
    }
    assert call(functions["c"], tmp_path / "c") == "c"


def test_a_traced_package_changes_exactly_the_functions_that_use_it(tmp_path: Path) -> None:
    files = {**LATER, "b.js": "exports.handler = async () => 1;"}
    before = package(site(tmp_path, files))
    changed = {"node_modules/plugins/lib/plugin/one.js": "module.exports = 'other';"}
    after = package(site(tmp_path, changed))
    assert {name for name in before if before[name].digest != after[name].digest} == {"a"}


def test_traced_functions_are_the_same_from_the_cache_and_in_another_folder(tmp_path: Path) -> None:
    root = site(tmp_path / "one", LATER)
    first, second = package(root)["a"], package(root)["a"]
    other = package(site(tmp_path / "elsewhere" / "two", LATER))["a"]
    assert first == second == other
    assert first.archive.read_bytes() == other.archive.read_bytes()


def test_packages_of_pnpm_are_found_through_their_links(tmp_path: Path) -> None:
    store = "node_modules/.pnpm"
    moved = {
        f"{store}/{path.split('/')[1]}@1/{path}" if path.startswith("node_modules/") else path: text
        for path, text in LATER.items()
    }
    root = site(tmp_path, moved)
    modules = root / "functions/node_modules"
    (modules / "plugins").symlink_to(".pnpm/plugins@1/node_modules/plugins")
    for name in ("left", "unused"):
        link = modules / ".pnpm/plugins@1/node_modules" / name
        link.symlink_to(f"../../{name}@1/node_modules/{name}")
    function = package(root)["a"]
    assert call(function, tmp_path / "run") == "left two"
    assert not any("pnpm" in name for name in names(function.archive))


def test_a_dependency_that_a_package_declares_and_has_not_is_an_error(tmp_path: Path) -> None:
    files = {
        "a.js": "exports.handler = require('half');",
        "node_modules/half/package.json": '{"name": "half", "dependencies": {"gone": "1"}}',
        "node_modules/half/index.js": "module.exports = require('gone');",
    }
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files))
    assert caught.value.code == "JAM-FUNCTION-BUNDLE"
    told = 'functions/node_modules/half/index.js:1: Could not resolve "gone"'
    assert str(caught.value.problems[0]).startswith(told)
