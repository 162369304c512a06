"""Python functions run from their archives with exactly the files and packages that are theirs."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from runner.errors import JamError
from runner.package.functions.python import handler_of, local_files
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import call, package, site, wheel

NAME, WHEEL = wheel("greeter", {"greeter/__init__.py": b"def greet(who): return 'hi ' + who\n"})
FILES: dict[str, str | bytes] = {
    "requirements.txt": f"./{NAME}\n",
    NAME: WHEEL,
    "notes/[id].py": "from greeter import greet\nfrom lib.names import NAME\nimport _near\n"
    "def handler(event, context):\n    return greet(NAME + _near.X + event['rawQueryString'])\n",
    "notes/_near.py": "X = '!'\n",
    "lib/__init__.py": "",
    "lib/names.py": "NAME = 'you'\n",
    "lib/names.js": "export const handler = 1;",
    "other/_far.py": "X = 1\n",
}
THIS = f"python3.{sys.version_info.minor}"
HERE = FunctionsSettings(common=FunctionSettings(runtime=THIS))


def names(archive: Path) -> list[str]:
    with zipfile.ZipFile(archive) as opened:
        return opened.namelist()


def test_packages_and_local_modules_are_found(tmp_path: Path) -> None:
    function = package(site(tmp_path, FILES), HERE)["notes/[id]"]
    assert call(function, tmp_path / "run") == "hi you!a=1&b=2"


def test_the_archive_holds_what_the_function_needs_and_nothing_that_changes(tmp_path: Path) -> None:
    assert names(package(site(tmp_path, FILES), HERE)["notes/[id]"].archive) == [
        "functions/lib/__init__.py",
        "functions/lib/names.py",
        "functions/notes/[id].py",
        "functions/notes/_near.py",
        "jam_function.py",
        "packages/greeter-1.0.dist-info/METADATA",
        "packages/greeter-1.0.dist-info/WHEEL",
        "packages/greeter/__init__.py",
    ]


@pytest.mark.parametrize(
    ("file", "belongs"),
    [
        ("_top.py", True),
        ("_shared/deep/x.py", True),
        ("lib/x.txt", True),
        ("a/_near.py", True),
        ("a/b/lib/x.py", True),
        ("a/other.py", False),
        ("c/_far.py", False),
        ("c/lib/x.py", False),
        ("lib/x.ts", False),
        ("a/b/function.py", False),
    ],
)
def test_local_modules_lie_beside_and_above(file: str, *, belongs: bool) -> None:
    assert list(local_files("a/b/function.py", [file])) == ([file] if belongs else [])


def test_a_function_named_like_its_package_does_not_hide_it(tmp_path: Path) -> None:
    code = "import greeter\ndef lambda_handler(event, context):\n    return greeter.greet('x')\n"
    files = {NAME: WHEEL, "requirements.txt": f"./{NAME}", "greeter.py": code}
    assert call(package(site(tmp_path, files), HERE)["greeter"], tmp_path / "run") == "hi x"


def test_packages_are_those_of_the_functions_platform_not_of_this_machine(tmp_path: Path) -> None:
    tag = "cp313-cp313-manylinux_2_28_aarch64"
    file, content = wheel("native", {"native.py": b"X = 1\n"}, tag)
    code = "def handler(event, context): return 1\n"
    root = site(tmp_path, {file: content, "requirements.txt": f"./{file}", "a.py": code})
    arm = FunctionSettings(architecture="arm64", runtime="python3.13")
    assert "packages/native.py" in names(package(root, FunctionsSettings(common=arm))["a"].archive)
    with pytest.raises(JamError) as caught:
        package(root, FunctionsSettings(common=FunctionSettings(runtime="python3.13")))
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"


def test_equal_requirements_are_installed_once(tmp_path: Path) -> None:
    code = "def handler(event, context): return 1\n"
    files = {f"f{number}.py": code for number in range(5)}
    said: list[str] = []
    root = site(tmp_path, {NAME: WHEEL, "requirements.txt": f"./{NAME}", **files})
    package(root, HERE, said)
    package(root, HERE, said)
    assert len(said) == 1


def test_a_requirement_that_cannot_be_had_is_named_with_its_line(tmp_path: Path) -> None:
    files = {
        "requirements.txt": f"./{NAME}\n./missing-1.0-py3-none-any.whl\n",
        NAME: WHEEL,
        "a.py": "def handler(event, context): return 1\n",
    }
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files), HERE)
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"
    assert caught.value.problems[0].where.startswith("functions/requirements.txt")
    assert "missing-1.0" in caught.value.problems[0].message


def test_every_fault_of_python_functions_is_told_with_its_line(tmp_path: Path) -> None:
    files = {
        "a.py": "x = 1\ndef handler(event, context)\n    return 1\n",
        "b.py": "x = 1\n\nreturn x\n",
        "c.py": "def help(event, context): return 1\n",
    }
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, files), HERE)
    assert caught.value.code == "JAM-FUNCTION-PYTHON"
    places = [problem.where for problem in caught.value.problems]
    assert places == ["functions/a.py:2", "functions/b.py:3", "functions/c.py"]


@pytest.mark.parametrize(
    ("code", "handler"),
    [
        ("def handler(e, c): ...", "handler"),
        ("def lambda_handler(e, c): ...", "lambda_handler"),
        ("handler = lambda e, c: 1", "handler"),
        ("from x import handle as handler", "handler"),
        ("from x import *", "handler"),
        ("try:\n  from x import handler\nexcept ImportError:\n  handler = None", "handler"),
        ("if True:\n  handler: object = print", "handler"),
    ],
)
def test_the_handler_is_found_however_it_is_bound(code: str, handler: str) -> None:
    assert handler_of(code.encode(), "a.py", runtime=THIS) == (handler, None)


def test_an_older_interpreter_does_not_judge_newer_syntax() -> None:
    newer = f"python3.{sys.version_info.minor + 1}"
    assert handler_of(b"def handler(e, c): <new>", "a.py", runtime=newer) == ("handler", None)
