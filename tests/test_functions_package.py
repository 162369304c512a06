"""Equal sites give equal functions, wherever and whenever they are packaged; nothing else does."""

from __future__ import annotations

import hashlib
import json
import os
from base64 import b64encode
from pathlib import Path

import pytest

from runner.errors import JamError
from runner.model import Function
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import package, site, wheel

NAME, WHEEL = wheel("greeter", {"greeter/__init__.py": b"X = 1\n", "bin/tool.py": b""})
SITE: dict[str, str | bytes] = {
    ".env": "GREETING=hello",
    "node_modules/left/package.json": '{"name": "left", "version": "1.0.0"}',
    "node_modules/left/index.js": "module.exports = class Left { static x = require('./y'); };",
    "node_modules/left/y.js": "exports.y = 'y';",
    "_shared/db.ts": "export const db = 'db';",
    "a.ts": 'import { db } from "./_shared/db"; export const handler = async () => db;',
    "b.js": 'const left = require("left"); exports.handler = async () => left;',
    "web.mjs": 'import Left from "left"; export default () => new Response(Left.x.y);',
    "await.mjs": "await 1; export const handler = async () => 1;",
    "deep/er/[id].py": "def handler(event, context): return 1\n",
    "requirements.txt": f"./{NAME}\n",
    NAME: WHEEL,
}


def digests(root: Path, settings: FunctionsSettings | None = None) -> dict[str, str]:
    return {name: one.digest for name, one in package(root, settings).items()}


def only(settings: FunctionSettings) -> FunctionsSettings:
    return FunctionsSettings(named={"a": settings})


def test_another_folder_and_another_day_change_no_byte(tmp_path: Path) -> None:
    one = package(site(tmp_path / "x", SITE))
    other_root = site(tmp_path / "some" / "where much" / "deeper", dict(reversed(SITE.items())))
    for file in other_root.rglob("*"):
        os.utime(file, (0, 0))
    other = package(other_root)
    assert one == other
    assert [f.archive.read_bytes() for f in one.values()] == [
        f.archive.read_bytes() for f in other.values()
    ]


def test_bundles_from_the_cache_are_the_same_as_new_ones(tmp_path: Path) -> None:
    root = site(tmp_path, SITE)
    assert package(root) == package(root)


def test_source_maps_lie_beside_the_archive_and_change_no_function(tmp_path: Path) -> None:
    root = site(tmp_path, SITE)
    plain, mapped = package(root), package(root, source_maps=True)
    assert plain == mapped
    found = json.loads(mapped["b"].archive.with_suffix(".map").read_bytes())
    assert sorted(found["sources"]) == [
        "functions/b.js",
        "functions/node_modules/left/index.js",
        "functions/node_modules/left/y.js",
    ]


@pytest.mark.parametrize(
    ("path", "content", "changed"),
    [
        ("a.ts", "export const handler = async () => 2;", {"a"}),
        ("_shared/db.ts", "export const db = 'other';", {"a"}),
        ("_shared/db.js", "export const handler = 'not imported: .ts comes first';", set()),
        ("node_modules/left/y.js", "exports.y = 2;", {"b", "web"}),
        ("node_modules/left/package.json", '{"main": "y.js"}', {"b", "web"}),
        ("deep/.env", "MORE=1", {"deep/er/[id]"}),
        (".env", "GREETING=bye", {"a", "b", "web", "await", "deep/er/[id]"}),
        ("deep/_x.py", "Y = 1", {"deep/er/[id]"}),
        ("README.md", "hello", set()),
    ],
)
def test_exactly_the_functions_that_use_a_file_change(
    path: str, content: str, changed: set[str], tmp_path: Path
) -> None:
    before = digests(site(tmp_path, SITE))
    after = digests(site(tmp_path, {path: content}))
    assert {name for name in before if before[name] != after[name]} == changed


@pytest.mark.parametrize(
    "settings",
    [
        FunctionSettings(runtime="nodejs22.x"),
        FunctionSettings(architecture="arm64"),
        FunctionSettings(memory=512),
        FunctionSettings(timeout=5),
        FunctionSettings(methods=("GET",)),
        FunctionSettings(environment=(("MORE", "1"),)),
    ],
)
def test_every_setting_is_part_of_the_digest(settings: FunctionSettings, tmp_path: Path) -> None:
    root = site(tmp_path, {"a.js": "exports.handler = 1;"})
    assert digests(root)["a"] != digests(root, only(settings))["a"]


def test_a_function_has_the_defaults_where_nothing_is_set(tmp_path: Path) -> None:
    root = site(tmp_path, {"a.js": "exports.handler = 1;"})
    found = package(root)["a"]
    archive = found.archive.read_bytes()
    assert found == Function(
        name="a",
        route="/.functions/a",
        methods=("ANY",),
        runtime="nodejs24.x",
        handler="index.handler",
        architecture="x86_64",
        memory=256,
        timeout=10,
        digest=found.digest,
        code_sha256=b64encode(hashlib.sha256(archive).digest()).decode(),
        size=len(archive),
        archive=Path(),
    )
    assert len(found.digest) == 32


def test_the_own_section_wins_over_the_common_one(tmp_path: Path) -> None:
    settings = FunctionsSettings(
        common=FunctionSettings(memory=128, runtime="nodejs22.x", environment=(("KEY", "common"),)),
        named={"a": FunctionSettings(memory=1024, environment=(("KEY", "own"),))},
    )
    root = site(tmp_path, {"a.js": "exports.handler = 1;", "b.py": "def handler(e, c): ..."})
    found = package(root, settings)
    assert (found["a"].memory, found["a"].runtime) == (1024, "nodejs22.x")
    assert (found["b"].memory, found["b"].runtime) == (128, "python3.13")
    assert [one.environment for one in found.values()] == [(("KEY", "own"),), (("KEY", "common"),)]


def test_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    settings = FunctionsSettings(
        common=FunctionSettings(timeout=60),
        named={
            "a": FunctionSettings(memory=64, runtime="python3.13", methods=("FETCH",)),
            "aa": FunctionSettings(),
        },
    )
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": "exports.handler = 1;"}), settings)
    assert caught.value.code == "JAM-FUNCTION-SETTINGS"
    assert {problem.where for problem in caught.value.problems} == {
        "functions.aa",
        "functions.a.runtime",
        "functions.a.memory",
        "functions.a.timeout",
        "functions.a.methods",
    }


def test_an_environment_that_lambda_refuses_stops_before_any_bundling(tmp_path: Path) -> None:
    files = {".env": "AWS_REGION=secret-value", "a.js": "exports.handler = (;"}
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files))
    assert caught.value.code == "JAM-ENV"
    assert "secret-value" not in str(caught.value) + repr(caught.value.problems)


def test_values_of_the_environment_are_in_no_representation(tmp_path: Path) -> None:
    settings = FunctionSettings(environment=(("KEY", "secret-value"),))
    found = package(site(tmp_path, {"a.js": "exports.handler = 1;"}), only(settings))["a"]
    assert found.environment == (("KEY", "secret-value"),)
    assert "secret-value" not in repr(found) + repr(settings) + repr(only(settings))


def test_more_than_lambda_unpacks_is_refused_with_its_largest_parts(tmp_path: Path) -> None:
    code = "def handler(event, context): return 1\n"
    (site(tmp_path, {"a.py": code, "lib/big.bin": b""}) / "functions/lib/big.bin").write_bytes(
        bytes(251 * 2**20)
    )
    with pytest.raises(JamError, match="250 MB") as caught:
        package(tmp_path)
    assert caught.value.code == "JAM-FUNCTION-SIZE"
    assert str(caught.value.problems[0]) == "functions/lib/big.bin: 251.0 MB"
