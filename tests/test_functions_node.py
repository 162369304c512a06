"""Node functions in every spelling become one file that runs, and faults come with their line."""

from __future__ import annotations

import io
import json
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.errors import JamError
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import call, package, site

PACKAGE = {
    "node_modules/left/package.json": '{"name": "left", "version": "1.0.0", "main": "main.js"}',
    "node_modules/left/main.js": "module.exports = (text) => `left ${text}`;",
}
SPELLINGS = {
    "esm.js": 'import left from "left"; export const handler = async () => left("esm");',
    "cjs.js": 'const left = require("left"); exports.handler = async () => left("cjs");',
    "all.cjs": 'module.exports = { handler: async () => "whole" };',
    "typed.ts": "export const handler = async (): Promise<string> => `typed` as const;",
    "module.mjs": 'export { handler } from "./lib/shared.js";',
    "lib/shared.js": 'import d from "./data.json"; export const handler = async () => d.text;',
    "lib/data.json": '{"text": "json"}',
    "await.mjs": "const text = await Promise.resolve('awaited');"
    "export const handler = async () => text + typeof require + typeof __dirname;",
    "where.mjs": 'import { basename } from "node:path"; import { fileURLToPath } from "node:url";'
    "export const handler = async () => basename(fileURLToPath(import.meta.url));",
    "object.mjs": "export default { handler: async () => 'object' };",
    "classes.ts": "class Missing extends Error {}\n"
    "export const handler = async () => new Missing().constructor.name;",
}
ANSWERS = {
    "esm": "left esm",
    "cjs": "left cjs",
    "all": "whole",
    "typed": "typed",
    "module": "json",
    "await": "awaitedfunctionstring",
    "where": "index.js",
    "object": "object",
    "classes": "Missing",
}
WEB = """
export default async (request: Request, context: { params: { id: string } }) => {
  const headers = new Headers({ "content-type": request.headers.get("cookie") ?? "" });
  headers.append("set-cookie", "x=1");
  headers.append("set-cookie", "y=2");
  const text = `${request.method} ${request.url} ${context.params.id} ${await request.text()}`;
  headers.set("content-type", "text/plain");
  return new Response(text, { status: 201, headers });
};
"""
FAULTS = [
    ("import x from 'nope';\nexport const handler = x;", "functions/a.ts:1: Could not resolve"),
    ("export const handler = async () => {\n  return (;\n};", 'functions/a.ts:2: Unexpected ";"'),
    ("import './gone.js';\nexport const handler = 1;", "functions/a.ts:1: Could not resolve"),
    ("export const handler = 1;\nexport const handler = 2;", "functions/a.ts:2: "),
]


def test_every_spelling_of_a_function_runs(tmp_path: Path) -> None:
    functions = package(site(tmp_path, {**PACKAGE, **SPELLINGS}))
    answers = {name: call(one, tmp_path / "run" / name) for name, one in functions.items()}
    assert answers == ANSWERS


def test_a_web_standard_function_gets_a_request_and_gives_a_response(tmp_path: Path) -> None:
    function = package(site(tmp_path, {"hello.ts": WEB}))["hello"]
    assert call(function, tmp_path / "run") == {
        "statusCode": 201,
        "headers": {"content-type": "text/plain"},
        "cookies": ["x=1", "y=2"],
        "body": "POST https://www.example/.functions/hello?a=1&b=2 7 hällo",
        "isBase64Encoded": False,
    }


def test_bytes_of_a_response_travel_as_base64(tmp_path: Path) -> None:
    code = "export default () => new Response(new Uint8Array([0, 255]), "
    code += "{ headers: { 'content-type': 'image/png' } });"
    result = call(package(site(tmp_path, {"a.js": code}))["a"], tmp_path / "run")
    assert (result["body"], result["isBase64Encoded"]) == ("AP8=", True)


@pytest.mark.parametrize(("code", "problem"), FAULTS)
def test_a_fault_is_told_with_file_and_line(code: str, problem: str, tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.ts": code, "fine.js": "exports.handler = 1;"}))
    assert caught.value.code == "JAM-FUNCTION-BUNDLE"
    assert all(str(one).startswith(problem) for one in caught.value.problems)


def test_faults_of_all_functions_are_told_at_once(tmp_path: Path) -> None:
    broken = {f"f{number}.js": "export const handler = (;" for number in range(30)}
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, broken))
    assert len(caught.value.problems) == 30


def test_a_native_module_that_belongs_to_no_package_is_refused_by_name(tmp_path: Path) -> None:
    files = {"a.js": "exports.handler = require('./fast.node');", "fast.node": b"\x7fELF"}
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files))
    assert caught.value.code == "JAM-FUNCTION-NATIVE"
    assert str(caught.value.problems[0]) == "functions/a.js: loads functions/fast.node"


def test_files_that_export_nothing_are_named(tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": "console.log(1);", "b.ts": "export const help = 1;"}))
    assert caught.value.code == "JAM-FUNCTION-HANDLER"
    assert [one.where for one in caught.value.problems] == ["functions/a.js", "functions/b.ts"]


def test_the_runtimes_sdk_serves_where_none_is_installed(tmp_path: Path) -> None:
    code = 'import { S3 } from "@aws-sdk/client-s3"; export const handler = () => S3;'
    said: list[str] = []
    function = package(site(tmp_path, {"a.js": code}), echo=said)["a"]
    assert b'require("@aws-sdk/client-s3")' in _code(function.archive)
    assert said == [
        "functions/a.js: of Lambda's runtime, to be installed for `dev`: @aws-sdk/client-s3"
    ]


def test_an_installed_sdk_is_bundled_unless_it_is_external(tmp_path: Path) -> None:
    code = 'import { S3 } from "@aws-sdk/client-s3"; export const handler = async () => S3;'
    sdk = {
        "node_modules/@aws-sdk/client-s3/package.json": '{"main": "main.js"}',
        "node_modules/@aws-sdk/client-s3/main.js": "exports.S3 = 'ours';",
    }
    root = site(tmp_path, {"a.js": code, **sdk})
    bundled = package(root)["a"]
    assert call(bundled, tmp_path / "run") == "ours"
    outside = FunctionsSettings(common=FunctionSettings(external=("@aws-sdk/*",)))
    left_out = package(root, outside)["a"]
    assert b'require("@aws-sdk/client-s3")' in _code(left_out.archive)
    assert left_out.digest != bundled.digest


def test_packages_with_a_lock_file_are_installed_first(tmp_path: Path) -> None:
    lock = {
        "name": "f",
        "lockfileVersion": 3,
        "packages": {
            "": {"name": "f", "dependencies": {"left": "file:left"}},
            "left": {"version": "1.0.0"},
            "node_modules/left": {"resolved": "left", "link": True},
        },
    }
    files = {
        "package.json": '{"name": "f", "private": true, "dependencies": {"left": "file:left"}}',
        "package-lock.json": json.dumps(lock),
        "left/package.json": '{"name": "left", "version": "1.0.0", "main": "_main.js"}',
        "left/_main.js": "module.exports = 'installed';",
        "a.js": "const left = require('left'); exports.handler = async () => left;",
    }
    said: list[str] = []
    function = package(site(tmp_path, files), echo=said)["a"]
    assert said == ["npm ci in functions"]
    assert call(function, tmp_path / "run") == "installed"


def test_a_lock_file_that_disagrees_is_told_in_npms_words(tmp_path: Path) -> None:
    files = {
        "package.json": '{"name": "f", "dependencies": {"left": "1.0.0"}}',
        "package-lock.json": '{"name": "f", "lockfileVersion": 3, "packages": {"": {}}}',
        "a.js": "exports.handler = 1;",
    }
    with pytest.raises(JamError, match="npm ci") as caught:
        package(site(tmp_path, files))
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"


def _code(archive: Path) -> bytes:
    with zipfile.ZipFile(archive) as opened:
        return opened.read("index.js")


ELF = {
    "x86_64": b"\x7fELF".ljust(18, b"\0") + b"\x3e\0",
    "arm64": b"\x7fELF".ljust(18, b"\0") + b"\xb7\0",
}
NATIVE: dict[str, str | bytes] = {
    "a.js": "const fast = require('fast'); exports.handler = async () => fast;",
    "node_modules/fast/package.json": '{"name": "fast", "dependencies": {"one": "*", "two": "*"},'
    ' "optionalDependencies": {"fast-x64": "*", "fast-darwin": "*", "fast-musl": "*"}}',
    "node_modules/fast/index.js": "module.exports = [require('one'), require('two')];",
    "node_modules/one/package.json": '{"name": "one", "dependencies": {"two": "1"}}',
    "node_modules/one/index.js": "module.exports = 'one with two ' + require('two');",
    "node_modules/one/node_modules/two/package.json": '{"name": "two", "version": "1.0.0"}',
    "node_modules/one/node_modules/two/index.js": "module.exports = 'of its own';",
    "node_modules/two/package.json": '{"name": "two", "version": "2.0.0"}',
    "node_modules/two/index.js": "module.exports = 'two';",
    "node_modules/fast-x64/package.json": '{"os": ["linux"], "cpu": ["x64"], "libc": ["glibc"]}',
    "node_modules/fast-x64/fast.node": ELF["x86_64"],
    "node_modules/fast-darwin/package.json": '{"os": ["darwin"]}',
    "node_modules/fast-musl/package.json": '{"os": ["linux"], "libc": ["musl"]}',
    "node_modules/unused/package.json": "{}",
}
EXTERNAL = FunctionSettings(external=("fast",))
NO_REGISTRY = {"npm_config_registry": "http://127.0.0.1:9", "npm_config_fetch_retries": "0"}


def test_an_external_package_is_shipped_with_what_it_needs_for_lambdas_platform(
    tmp_path: Path,
) -> None:
    function = package(site(tmp_path, NATIVE), FunctionsSettings(common=EXTERNAL))["a"]
    with zipfile.ZipFile(function.archive) as opened:
        shipped = {name.rpartition("/")[0] for name in opened.namelist()} - {""}
    assert shipped == {
        "node_modules/fast",
        "node_modules/fast-x64",
        "node_modules/one",
        "node_modules/one/node_modules/two",
        "node_modules/two",
    }
    assert call(function, tmp_path / "run") == ["one with two of its own", "two"]


@pytest.mark.parametrize(
    ("path", "content"),
    [
        ("node_modules/fast/binding.gyp", ""),
        ("node_modules/fast/index.js", "require('./x.node'); module.exports = [];"),
    ],
)
def test_a_native_package_is_shipped_as_it_is_without_being_named(
    path: str, content: str, tmp_path: Path
) -> None:
    binary = {"node_modules/fast/x.node": ELF["x86_64"]}
    said: list[str] = []
    root = site(tmp_path, {**NATIVE, **binary, path: content})
    function = package(root, echo=said)["a"]
    assert said == ["functions/a.js: native, shipped as installed: fast"]
    assert b'require("fast")' in _code(function.archive)
    with zipfile.ZipFile(function.archive) as opened:
        assert "node_modules/fast/x.node" in opened.namelist()
    assert package(root)["a"] == function


def test_a_native_package_that_no_bundler_reads_is_shipped_whole(tmp_path: Path) -> None:
    files = {
        **NATIVE,
        "node_modules/fast/binding.gyp": "",
        "node_modules/fast/index.js": "try { require.resolve('gone'); } catch {}\n"
        "const later = () => require('not-there'); module.exports = ['fast', later.name];",
        "node_modules/fast/unseen.js": "",
    }
    said: list[str] = []
    function = package(site(tmp_path, files), echo=said)["a"]
    assert said == ["functions/a.js: native, shipped as installed: fast"]
    with zipfile.ZipFile(function.archive) as opened:
        assert "node_modules/fast/unseen.js" in opened.namelist()
    assert call(function, tmp_path / "run") == ["fast", "later"]


def test_a_package_whose_variant_for_the_machine_is_missing_is_refused(tmp_path: Path) -> None:
    variants = '{"name": "fast", "optionalDependencies": {"fast-linux-arm64": "*"}}'
    files = {**NATIVE, "node_modules/fast/package.json": variants}
    settings = FunctionsSettings(common=FunctionSettings(architecture="arm64"))
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files), settings, environment=NO_REGISTRY)
    assert caught.value.code == "JAM-FUNCTION-NATIVE"
    told = "functions/a.js: fast: is not built for Linux on arm64: no fast-linux-arm64"
    assert str(caught.value.problems[0]) == told


def test_a_native_package_of_another_machine_is_refused_by_name(tmp_path: Path) -> None:
    files = {**NATIVE, "node_modules/one/one.node": ELF["arm64"]}
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files), FunctionsSettings(common=EXTERNAL))
    assert caught.value.code == "JAM-FUNCTION-NATIVE"
    told = "functions/a.js: one: one.node is not built for Linux on x86_64"
    assert str(caught.value.problems[0]) == told


def test_an_external_package_that_is_not_installed_is_named(tmp_path: Path) -> None:
    settings = FunctionsSettings(common=FunctionSettings(external=("gone", "@none/*")))
    with pytest.raises(JamError, match=r"@none/\*, gone"):
        package(site(tmp_path, {"a.js": "exports.handler = 1;"}), settings)


def tarball(folder: Path, name: str, files: Mapping[str, bytes]) -> Path:
    """A package as a registry gives it out."""
    path = folder / f"{name}.tgz"
    with tarfile.open(path, "w:gz") as archive:
        for file, content in files.items():
            info = tarfile.TarInfo(f"package/{file}")
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def for_both_machines(folder: Path) -> dict[str, str | bytes]:
    """A native package with one variant for each machine, of which that for x86_64 is installed."""
    arm = {
        "package.json": b'{"name": "fast-linux-arm64", "version": "1.0.0", "os": ["linux"],'
        b' "cpu": ["arm64"]}',
        "fast.node": ELF["arm64"],
    }
    variants = {
        "fast-linux-x64": "1.0.0",
        "fast-linux-arm64": f"file:{tarball(folder, 'fast-linux-arm64', arm)}",
        "fast-linuxmusl-arm64": "1.0.0",
        "fast-darwin-arm64": "1.0.0",
    }
    fast = {"name": "fast", "version": "1.0.0", "optionalDependencies": variants}
    x64 = {"name": "fast-linux-x64", "version": "1.0.0", "os": ["linux"], "cpu": ["x64"]}
    return {
        "a.js": "const fast = require('fast'); exports.handler = async () => fast;",
        "node_modules/fast/package.json": json.dumps(fast),
        "node_modules/fast/index.js": "exports.load = (name) => require(name);",
        "node_modules/fast-linux-x64/package.json": json.dumps(x64),
        "node_modules/fast-linux-x64/fast.node": ELF["x86_64"],
    }


@pytest.mark.parametrize(("architecture", "variant"), [("x86_64", "x64"), ("arm64", "arm64")])
def test_a_native_package_is_shipped_for_the_functions_machine(
    architecture: str, variant: str, tmp_path: Path
) -> None:
    root = site(tmp_path / "site", for_both_machines(tmp_path))
    settings = FunctionsSettings(common=FunctionSettings(architecture=architecture))
    said: list[str] = []
    function = package(root, settings, said, environment=NO_REGISTRY)["a"]
    with zipfile.ZipFile(function.archive) as opened:
        shipped = {name for name in opened.namelist() if name.endswith(".node")}
        binary = opened.read(f"node_modules/fast-linux-{variant}/fast.node")
    assert shipped == {f"node_modules/fast-linux-{variant}/fast.node"}
    assert binary == ELF[architecture]
    fetched = [line for line in said if line.startswith("npm install")]
    assert fetched == (
        ["npm install fast-linux-arm64 for Linux on arm64"] if variant == "arm64" else []
    )
    again: list[str] = []
    assert package(root, settings, again, environment=NO_REGISTRY)["a"] == function
    assert again == ["functions/a.js: native, shipped as installed: fast"]


def test_a_variant_that_is_not_what_the_lock_file_says_is_refused(tmp_path: Path) -> None:
    root = site(tmp_path / "site", for_both_machines(tmp_path))
    locked = {"node_modules/fast-linux-arm64": {"version": "1.0.0", "integrity": "sha512-other"}}
    (root / "package-lock.json").write_text(json.dumps({"packages": locked}))
    settings = FunctionsSettings(common=FunctionSettings(architecture="arm64"))
    with pytest.raises(JamError, match="is not what package-lock") as caught:
        package(root, settings, environment=NO_REGISTRY)
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"


def test_of_prebuilt_binaries_only_those_for_the_functions_machine_are_shipped(
    tmp_path: Path,
) -> None:
    files: dict[str, str | bytes] = {
        "a.js": "const fast = require('fast'); exports.handler = async () => fast;",
        "node_modules/fast/package.json": '{"name": "fast"}',
        "node_modules/fast/index.js": "module.exports = 1;",
        "node_modules/fast/prebuilds/linux-x64/fast.node": ELF["x86_64"],
        "node_modules/fast/prebuilds/linux-arm64/fast.node": ELF["arm64"],
        "node_modules/fast/prebuilds/darwin-x64+arm64/fast.node": b"MachO",
    }
    root = site(tmp_path, files)
    for architecture, folder in (("x86_64", "linux-x64"), ("arm64", "linux-arm64")):
        settings = FunctionsSettings(common=FunctionSettings(architecture=architecture))
        with zipfile.ZipFile(package(root, settings)["a"].archive) as opened:
            shipped = [name for name in opened.namelist() if name.endswith(".node")]
        assert shipped == [f"node_modules/fast/prebuilds/{folder}/fast.node"]


def test_an_event_of_a_schedule_is_posted_to_a_web_standard_function(tmp_path: Path) -> None:
    code = "export default async (request) => "
    code += "[request.method, (await request.json()).source, request.headers.get('content-type')];"
    found = package(site(tmp_path / "site", {"a.mjs": code}))["a"]
    event = {"source": "aws.scheduler", "detail": "{}"}
    assert call(found, tmp_path / "run", event) == ["POST", "aws.scheduler", "application/json"]
