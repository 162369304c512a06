"""The kinds of function that zip-it-and-ship-it documents are packaged, and answer when called."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from runner.errors import JamError
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import call, package, site, toolchain

Files = Mapping[str, str | bytes]
PACKAGE = {
    "../node_modules/shout/package.json": '{"name": "shout", "version": "1.0.0"}',
    "../node_modules/shout/index.js": "module.exports = (text) => text.toUpperCase();",
}
ANSWER = "export const handler = async () => "
# The files below the functions folder (`..` is the site's root), and what `a` answers.
KINDS: dict[str, tuple[Files, Any]] = {
    "CommonJS with a package": (
        {**PACKAGE, "a.js": "exports.handler = async () => require('shout')('hi');"},
        "HI",
    ),
    "ECMAScript module with a package of CommonJS": (
        {**PACKAGE, "a.mjs": f"import shout from 'shout'; {ANSWER} shout('hi');"},
        "HI",
    ),
    "a package that is only an ECMAScript module, required": (
        {
            "../node_modules/es/package.json": '{"type": "module", "exports": "./main.js"}',
            "../node_modules/es/main.js": "export const text = 'es';",
            "a.cjs": "const { text } = require('es'); exports.handler = async () => text;",
        },
        "es",
    ),
    "type: module in package.json": (
        {"../package.json": '{"type": "module"}', "a.js": f"{ANSWER} 'module';"},
        "module",
    ),
    "TypeScript with an enum, a namespace and a type import": (
        {
            "_types.ts": "export interface Event { body: string }",
            "a.ts": "import type { Event } from './_types';\nenum Colour { Red = 'red' }\n"
            "namespace Paint { export const main = Colour.Red; }\n"
            f"{ANSWER.replace('()', '(_event: Event)')} Paint.main;",
        },
        "red",
    ),
    "TypeScript with export =": (
        {"a.ts": "const handler = async (): Promise<number> => 7;\nexport = { handler };"},
        7,
    ),
    ".mts": ({"a.mts": f"const n: number = 1; {ANSWER} n;"}, 1),
    ".cts": (
        {"a.cts": "import fs = require('fs');\nexports.handler = async () => typeof fs;"},
        "object",
    ),
    "a folder with index.ts": (
        {"a/index.ts": "export { handler } from './_own';", "a/_own.ts": f"{ANSWER} 'own';"},
        "own",
    ),
    "imports with .js that mean .ts": (
        {
            "a.ts": "import { x } from './lib/x.js'; " + ANSWER + "x;",
            "lib/x.ts": "export const x: string = 'ts';",
        },
        "ts",
    ),
    "JSON, imported and required": (
        {
            "lib/d.json": '{"a": 1}',
            "a.mjs": "import d from './lib/d.json' with { type: 'json' };\n"
            f"import {{ createRequire }} from 'node:module';\n{ANSWER} d.a;",
        },
        1,
    ),
    "top-level await": (
        {
            "lib/later.mjs": "export const value = await Promise.resolve('later');",
            "a.mjs": f"import {{ value }} from './lib/later.mjs'; {ANSWER} value;",
            "b.js": "exports.handler = 1;",
        },
        "later",
    ),
    "dynamic import of one's own": (
        {
            "lib/x.mjs": "export default 'x';",
            "a.mjs": f"{ANSWER} (await import('./lib/x.mjs')).default;",
        },
        "x",
    ),
    "require by a template that names a folder": (
        {
            "lib/texts/en.js": "module.exports = 'hello';",
            "lib/texts/de.js": "module.exports = 'hallo';",
            "a.js": "exports.handler = async () => require(`./lib/texts/${'d' + 'e'}.js`);",
        },
        "hallo",
    ),
    "node_modules with dynamic requires": (
        {
            "../node_modules/many/package.json": '{"name": "many"}',
            "../node_modules/many/index.js": "const path = require('path');\n"
            "module.exports = (name) => require(path.join(__dirname, 'langs', name));",
            "../node_modules/many/langs/en.js": "module.exports = 'english';",
            "a.js": "exports.handler = async () => require('many')('en');",
        },
        "english",
    ),
    "an optional dependency that is not there": (
        {
            "../node_modules/opt/package.json": '{"name": "opt", '
            '"optionalDependencies": {"gone": "1"}}',
            "../node_modules/opt/index.js": "let x = 'without';\n"
            "try { x = require('gone'); } catch {}\nmodule.exports = x;",
            "a.js": "exports.handler = async () => require('opt');",
        },
        "without",
    ),
    "package.json#imports": (
        {
            "../package.json": '{"imports": {"#db": "./src/db.js", "#lib/*": "./src/lib/*.js"}}',
            "../src/db.js": "export const db = 'db';",
            "../src/lib/x.js": "export const x = 'x';",
            "a.mjs": f"import {{ db }} from '#db'; import {{ x }} from '#lib/x'; {ANSWER} db + x;",
        },
        "dbx",
    ),
    "package.json#exports with conditions and subpaths": (
        {
            "../node_modules/ex/package.json": json.dumps(
                {
                    "name": "ex",
                    "exports": {
                        ".": {
                            "browser": "./browser.js",
                            "node": {"import": "./node.mjs", "require": "./node.cjs"},
                        },
                        "./sub/*": "./deep/*.js",
                    },
                }
            ),
            "../node_modules/ex/browser.js": "module.exports = 'browser';",
            "../node_modules/ex/node.mjs": "export default 'import';",
            "../node_modules/ex/node.cjs": "module.exports = 'require';",
            "../node_modules/ex/deep/x.js": "module.exports = 'x';",
            "a.mjs": f"import ex from 'ex'; import x from 'ex/sub/x'; {ANSWER} ex + x;",
        },
        "importx",
    ),
    "a package that imports itself by name": (
        {
            "../package.json": '{"name": "me", "exports": {"./x": "./x.mjs"}}',
            "../x.mjs": "export const x = 'self';",
            "a.mjs": f"import {{ x }} from 'me/x'; {ANSWER} x;",
        },
        "self",
    ),
    "paths of tsconfig.json": (
        {
            "../tsconfig.json": '{"extends": "./tsconfig.base.json"}',
            "../tsconfig.base.json": '{"compilerOptions": {"baseUrl": ".", "paths": '
            '{"@/*": ["src/*"]}}}',
            "../src/deep/x.ts": "export const x: string = 'alias';",
            "a.ts": f"import {{ x }} from '@/deep/x'; {ANSWER} x;",
        },
        "alias",
    ),
    "decorators of tsconfig.json": (
        {
            "tsconfig.json": '{"compilerOptions": {"experimentalDecorators": true}}',
            "a.ts": "const mark = (kind: any) => { kind.mark = 'marked'; };\n@mark class A {}\n"
            f"{ANSWER} (A as any).mark;",
        },
        "marked",
    ),
    "a builtin with and without node:": (
        {
            "a.mjs": "import fs from 'fs'; import { sep } from 'node:path';\n"
            f"{ANSWER} typeof fs + sep;"
        },
        "object/",
    ),
    "a module that is compiled to CommonJS": (
        {
            "a.js": "'use strict'; Object.defineProperty(exports, '__esModule', { value: true });\n"
            "exports.default = void 0; const handler = async () => 'compiled';\n"
            "exports.handler = handler; exports.default = handler;"
        },
        "compiled",
    ),
    "a symbolic link in node_modules to a file outside": (
        {
            "../elsewhere/package.json": '{"name": "else"}',
            "../elsewhere/index.js": "module.exports = 'else';",
            "../node_modules/else": "-> ../elsewhere",
            "a.js": "exports.handler = async () => require('else');",
        },
        "else",
    ),
    "a workspace, linked by its manager": (
        {
            "../package.json": '{"private": true, "workspaces": ["packages/*"]}',
            "../packages/shared/package.json": '{"name": "@site/shared", "main": "src/main.ts",'
            ' "dependencies": {"shout": "*"}}',
            "../packages/shared/src/main.ts": "import shout from 'shout';\n"
            "export const text: string = shout('shared');",
            "../node_modules/@site/shared": "-> ../../packages/shared",
            **PACKAGE,
            "a.ts": f"import {{ text }} from '@site/shared'; {ANSWER} text;",
        },
        "SHARED",
    ),
    "a native module with a build for every machine": (
        {
            "../node_modules/nat/package.json": '{"name": "nat"}',
            "../node_modules/nat/index.js": "module.exports = require('fs').readdirSync(__dirname"
            " + '/prebuilds');",
            "../node_modules/nat/prebuilds/linux-x64/nat.node": b"\x7fELF".ljust(18, b"\0")
            + b"\x3e\0",
            "../node_modules/nat/prebuilds/win32-x64/nat.node": b"MZ",
            "a.js": "exports.handler = async () => require('nat');",
        },
        ["linux-x64"],
    ),
    "WebAssembly beside a package's code": (
        {
            "../node_modules/wasm/package.json": '{"type": "module", "main": "main.js"}',
            "../node_modules/wasm/main.js": "import { readFileSync } from 'node:fs';\n"
            "const bytes = readFileSync(new URL('./empty.wasm', import.meta.url));\n"
            "export const valid = WebAssembly.validate(bytes);",
            "../node_modules/wasm/empty.wasm": b"\0asm\1\0\0\0",
            "a.mjs": f"import {{ valid }} from 'wasm'; {ANSWER} valid;",
        },
        True,
    ),
}


def fixture(root: Path, files: Files) -> Path:
    """Files below the functions folder; `-> target` makes a symbolic link."""
    links = {path: str(text) for path, text in files.items() if str(text).startswith("-> ")}
    (root / "functions").mkdir(parents=True)
    site(root, {path: content for path, content in files.items() if path not in links})
    for path, target in links.items():
        link = root / "functions" / path
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(target.removeprefix("-> "))
    return root


@pytest.mark.parametrize(("files", "answer"), KINDS.values(), ids=KINDS)
def test_a_documented_kind_of_function_is_packaged_and_runs(
    files: Files, answer: object, tmp_path: Path
) -> None:
    root = fixture(tmp_path / "site", files)
    function = package(root)["a"]
    shutil.rmtree(root / "node_modules", ignore_errors=True)  # what it answers from is its archive
    assert call(function, tmp_path / "run") == answer


def test_every_kind_is_the_same_in_another_folder(tmp_path: Path) -> None:
    for number, (files, _) in enumerate(KINDS.values()):
        one = package(fixture(tmp_path / "one" / str(number), files))
        other = package(fixture(tmp_path / "another one" / str(number), files))
        assert one == other
        assert [function.archive.read_bytes() for function in one.values()] == [
            function.archive.read_bytes() for function in other.values()
        ]


def test_a_file_of_a_shared_folder_changes_exactly_the_functions_that_use_it(
    tmp_path: Path,
) -> None:
    files = {
        "lib/used.ts": "export const x = 1;",
        "lib/other.ts": "export const y = 1;",
        "a.ts": f"import {{ x }} from './lib/used'; {ANSWER} x;",
        "b.ts": f"import {{ y }} from './lib/other'; {ANSWER} y;",
        "c/d.ts": f"import {{ x }} from '../lib/used'; {ANSWER} x;",
        "lib/names.py": "X = 1\n",
        "e.py": "from lib.names import X\ndef handler(event, context): return X\n",
    }
    root = fixture(tmp_path, files)
    before = package(root)
    site(root, {"lib/used.ts": "export const x = 2;"})
    after = package(root)
    changed = {name for name in before if before[name].digest != after[name].digest}
    assert changed == {"a", "c/d"}


def test_a_native_package_of_the_registry_is_shipped_for_both_machines(tmp_path: Path) -> None:
    pins = {"name": "site", "private": True, "dependencies": {"@node-rs/crc32": "1.10.6"}}
    code = "const { crc32 } = require('@node-rs/crc32'); exports.handler = async () => crc32('hi');"
    root = site(tmp_path, {"../package.json": json.dumps(pins), "a.js": code})
    found = toolchain()
    subprocess.run(
        [*found.npm, "install", "--no-audit", "--no-fund", "--os=linux", "--cpu=x64"],
        cwd=root, env=found.environment(os.environ), check=True,
        capture_output=True,
    )  # fmt: skip
    arm = FunctionsSettings(common=FunctionSettings(architecture="arm64"))
    for settings, variant in ((FunctionsSettings(), "x64"), (arm, "arm64")):
        function = package(root, settings)["a"]
        run = tmp_path / variant
        if variant == "x64":
            assert call(function, run) == 0xD8932AAC
        with zipfile.ZipFile(function.archive) as opened:
            listed = "".join(opened.namelist())
        assert f"@node-rs/crc32-linux-{variant}-gnu/" in listed
        assert ("x64-gnu" in listed) is (variant == "x64")


def test_a_function_that_is_no_function_is_told_not_shipped(tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.ts": "export const nothing = 1;"}))
    assert caught.value.code == "JAM-FUNCTION-HANDLER"
