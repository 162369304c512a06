"""A function that is broken is refused with its place, the reason, and what there is to do."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.errors import JamError, Turn
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import package, site, wheel

H = "exports.handler = async () => 1;"
PY = "def handler(event, context):\n    return 1\n"
ELF = b"\x7fELF".ljust(18, b"\0")
GREETING, GREETING_CODE = wheel("greeting", {"greeting.py": b""})
FOREIGN, FOREIGN_CODE = wheel("foreign", {"foreign.py": b""}, "cp39-cp39-macosx_11_0_arm64")
WHEELS = {f"../wheels/{GREETING}": GREETING_CODE, f"../wheels/{FOREIGN}": FOREIGN_CODE}
OFFLINE = "--no-index\n--find-links ../wheels\n"
THIS = f"python3.{sys.version_info[1]}"


@dataclass(frozen=True)
class Broken:
    """Files below the functions folder, and what is said of them: a code, places, words, a hint."""

    files: Mapping[str, str | bytes]
    code: str
    where: tuple[str, ...]
    words: str
    hint: str
    common: FunctionSettings = field(default_factory=FunctionSettings)


def asking(requirement: str) -> dict[str, str | bytes]:
    return {"a.py": PY, "requirements.txt": f"{OFFLINE}{requirement}\n", **WHEELS}


def native(machine: bytes, told: str = '{"name": "nat"}') -> dict[str, str | bytes]:
    return {
        "a.js": f"require('nat'); {H}",
        "../node_modules/nat/package.json": told,
        "../node_modules/nat/index.js": "require('./build/Release/nat.node');",
        "../node_modules/nat/build/Release/nat.node": ELF + machine,
    }


BROKEN = {
    "a dependency that nothing names": Broken(
        {"a.js": f"\nconst left = require('left/pad');\n{H}"},
        "JAM-FUNCTION-BUNDLE", ("functions/a.js:2",), "left/pad", "npm install left`",
    ),
    "a dependency that nobody installed": Broken(
        {"a.js": f"require('left');{H}", "package.json": '{"dependencies": {"left": "1"}}'},
        "JAM-FUNCTION-BUNDLE", ("functions/a.js:1",), "left", "package.json names left",
    ),
    "a file that is not there": Broken(
        {"a.js": f"require('./left');{H}"},
        "JAM-FUNCTION-BUNDLE", ("functions/a.js:1",), "./left", "no such file",
    ),
    "an alias that nothing explains": Broken(
        {"a.ts": "import x from '@/x';\nexport const handler = async () => x;"},
        "JAM-FUNCTION-BUNDLE", ("functions/a.ts:1",), "@/x", "tsconfig.json",
    ),
    "syntax in JavaScript": Broken(
        {"a.js": f"{H}\nconst x = ;"},
        "JAM-FUNCTION-BUNDLE", ("functions/a.js:2",), "Unexpected", "Correct these places",
    ),
    "syntax in JSON": Broken(
        {"a.js": f"require('./_d.json');{H}", "_d.json": "{\n'a': 1}"},
        "JAM-FUNCTION-BUNDLE", ("functions/_d.json:2",), "double quotes", "Correct these places",
    ),
    "a native module of another machine": Broken(
        native(b"\xb7\0"),
        "JAM-FUNCTION-NATIVE", ("functions/a.js",), "nat: build/Release/nat.node", "architecture",
    ),
    "a native module of a machine that is asked for": Broken(
        native(b"\x3e\0"),
        "JAM-FUNCTION-NATIVE", ("functions/a.js",), "Linux on arm64", "architecture",
        common=FunctionSettings(architecture="arm64"),
    ),
    "two files for one route": Broken(
        {"a.js": H, "a/index.js": H},
        "JAM-FUNCTION-CLASH", ("functions/a/index.js",), "functions/a.js", "Rename one",
    ),
    "two parameters for one route": Broken(
        {"x/[a].js": H, "x/[b].py": PY},
        "JAM-FUNCTION-CLASH", ("functions/x/[a].js",), "functions/x/[b].py", "Rename one",
    ),
    "names that are no routes": Broken(
        {"a b.js": H, f"{'x' * 129}.js": H, "[...r]/x.js": H},
        "JAM-FUNCTION-NAME",
        ("functions/[...r]/x.js", "functions/a b.js", f"functions/{'x' * 129}.js"),
        "longer than 128", "begins with `_`",
    ),
    "no handler": Broken(
        {"a.ts": "export const help = 1;", "b.mjs": "export const x = 1;"},
        "JAM-FUNCTION-HANDLER", ("functions/a.ts", "functions/b.mjs"), "exports no", "handler = ",
    ),
    "no handler in Python": Broken(
        {"a.py": "def help(event, context):\n    return 1\n"},
        "JAM-FUNCTION-PYTHON", ("functions/a.py",), "defines no", "def handler(event, context)",
    ),
    "a handler that nobody awaits": Broken(
        {"a.py": f"import asyncio\nasync {PY}"},
        "JAM-FUNCTION-PYTHON", ("functions/a.py:2",), "async def", "asyncio.run",
    ),
    "syntax in Python": Broken(
        {"a.py": "x = 1\ndef handler(event, context)\n    return 1\n"},
        "JAM-FUNCTION-PYTHON", ("functions/a.py:2",), "expected ':'", "def handler",
    ),
    "a module that is nowhere": Broken(
        {"a.py": f"import json, nosuch.part\n{PY}", "b/c.py": f"from a import x\n{PY}"},
        "JAM-FUNCTION-DEPENDENCIES", ("functions/a.py:1", "functions/b/c.py:1"), "`nosuch`",
        "requirements.txt",
    ),
    "a requirement that is nowhere": Broken(
        asking("no-such==1"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:3",), "no-such", "--index-url",
    ),
    "a version that was never published": Broken(
        asking("greeting==2"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:3",), "greeting==2", "published",
    ),
    "requirements that contradict each other": Broken(
        asking("greeting==1.0\ngreeting==0.9"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:3",), "greeting", "loosen one",
    ),
    "no wheel for the platform": Broken(
        asking("greeting==1.0\nforeign==1.0"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:4",), "foreign==1.0",
        "another `runtime`",
    ),
    "a line that is no requirement": Broken(
        asking("greeting==1.0\n!!!"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:4",), "Unexpected '!'",
        "as pip reads",
    ),
    "a list that includes none": Broken(
        asking("-r more.txt"),
        "JAM-FUNCTION-DEPENDENCIES", ("functions/requirements.txt:3",), "no more.txt", "Correct",
    ),
    "a project that is no TOML": Broken(
        {"a.py": PY, "pyproject.toml": "[project]\nname = x\n"},
        "JAM-FUNCTION-DEPENDENCIES", ("functions/pyproject.toml:2",), "Invalid value", "Correct",
    ),
    "a lock file that is none": Broken(
        {"a.py": PY, "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n', "uv.lock": "x"},
        "JAM-FUNCTION-DEPENDENCIES", ("functions/uv.lock:1",), "parse", "uv lock",
    ),
    "names of the environment that Lambda refuses": Broken(
        {"a.js": H, ".env": "\nAWS_REGION=1\nA-B=2\nLONELY\n"},
        "JAM-ENV", tuple(f"functions/.env:{line}" for line in (2, 3, 4)), "reserved", ".env",
    ),
    "an environment over 4 KB": Broken(
        {"a/b.js": H, "a/.env": f"KEY={'x' * 5000}"},
        "JAM-ENV", ("functions/a/b.js",), "Lambda takes 4096", "Parameter Store",
    ),
    "settings out of range": Broken(
        {"a.js": "\nexports.config = { runtime: 'python3.13' };" + H},
        "JAM-FUNCTION-SETTINGS",
        ("functions.a.runtime", "functions.a.memory", "functions.a.timeout"),
        "does not run a.js", "nodejs24.x",
        common=FunctionSettings(memory=64, timeout=31),
    ),
    "a config that only the run would know": Broken(
        {"a.js": f"{H}\nexports.config = {{ timeout: process.env.T }};"},
        "JAM-FUNCTION-CONFIG", ("functions/a.js:2",), "only known when", "jam.toml",
    ),
    "a config with a word that is close": Broken(
        {"a.js": f"{H}\nexports.config = {{ timeot: 1 }};"},
        "JAM-FUNCTION-CONFIG", ("functions/a.js:2",), "timeot", "timeout",
    ),
    "files to include that are not there": Broken(
        {"a.js": f"exports.config = {{ included_files: ['gone/*'] }};{H}"},
        "JAM-FUNCTION-SETTINGS",
        ("functions.a.included_files",), "'gone/*' matches no file", "templates/**",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_function_is_refused_with_its_place_and_what_to_do(
    kind: str, tmp_path: Path
) -> None:
    broken = BROKEN[kind]
    settings = FunctionsSettings(common=broken.common)
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, broken.files), settings)
    error = caught.value
    assert (error.code, error.turn) == (broken.code, Turn.SITE)
    assert tuple(problem.where for problem in error.problems) == broken.where
    assert broken.words in str(error)
    assert broken.hint in " ".join([error.hint, *(problem.hint for problem in error.problems)])
    assert str(tmp_path) not in str(error).replace(f"file://{tmp_path}", "")


def test_an_index_that_cannot_be_reached_asks_for_a_second_run(tmp_path: Path) -> None:
    files = {"a.py": PY, "requirements.txt": "--index-url http://127.0.0.1:9/\nrequests==2.32.5\n"}
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files), environment={"UV_HTTP_RETRIES": "0"})
    assert (caught.value.code, caught.value.turn) == ("JAM-FUNCTION-INDEX", Turn.AGAIN)


@pytest.mark.parametrize(
    "code",
    [
        "import boto3, dateutil.parser, json",
        "try:\n    import nosuch\nexcept ImportError:\n    nosuch = None",
        "def later():\n    import nosuch",
        "from __future__ import annotations\nfrom _own import x\nimport lib.names",
    ],
)
def test_modules_that_are_there_or_may_be_missing_are_none_of_our_business(
    code: str, tmp_path: Path
) -> None:
    files = {"a.py": f"{code}\n{PY}", "_own.py": "x = 1", "lib/names.py": ""}
    package(site(tmp_path, files), FunctionsSettings(common=FunctionSettings(runtime=THIS)))


def test_what_a_layer_may_bring_is_not_missed(tmp_path: Path) -> None:
    layers = ("arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3",)
    settings = FunctionsSettings(common=FunctionSettings(layers=layers))
    package(site(tmp_path, {"a.py": f"import nosuch\n{PY}"}), settings)
