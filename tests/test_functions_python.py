"""Python functions run from their archives with exactly the files and packages that are theirs."""

from __future__ import annotations

import hashlib
import sys
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.errors import JamError
from runner.package.functions.python import handler_of, local_files
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from runner.package.functions.wanted import lines, unpinned
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
    files: dict[str, str | bytes] = {NAME: WHEEL, "requirements.txt": f"./{NAME}"}
    files["greeter.py"] = code
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
    files: dict[str, str | bytes] = {
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


@pytest.mark.parametrize(
    "line",
    [
        "type Id = int",
        "def first[T](of: list[T]) -> T: ...",
        "class Box[T]: ...",
        "x = f'{'in'}'",
        "x = t'{1}'",
        "try: pass\nexcept ValueError, TypeError: pass",
    ],
)
def test_an_older_interpreter_does_not_judge_newer_syntax(line: str) -> None:
    code = f"def handler(e, c): ...\n{line}\n".encode()
    assert handler_of(code, "a.py", runtime="python3.14") == ("handler", None)


@pytest.mark.parametrize("line", ["def broken(e, c)", "x = (1", "return 1", "x = 1 +"])
def test_what_no_python_takes_is_refused_by_an_older_one_too(line: str) -> None:
    code = f"def handler(e, c): ...\n{line}\n".encode()
    (_, problem) = handler_of(code, "a.py", runtime="python3.14")
    assert problem is not None
    assert problem.where == "a.py:2"


PROJECT = """[project]
name = "site"
version = "1"
requires-python = ">=3.11"
dependencies = ["greeter"]
[tool.uv.sources]
greeter = {{ path = "{path}" }}
"""
LOCK = f"""version = 1
revision = 3
requires-python = ">=3.11"
[[package]]
name = "greeter"
version = "1.0"
source = {{ path = "{NAME}" }}
wheels = [{{ filename = "{NAME}", hash = "sha256:{hashlib.sha256(WHEEL).hexdigest()}" }}]
[[package]]
name = "site"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "greeter" }}]
[package.metadata]
requires-dist = [{{ name = "greeter", path = "{NAME}" }}]
"""
LISTS: dict[str, dict[str, str | bytes]] = {
    "requirements.txt": {"requirements.txt": f"./{NAME}\n"},
    "requirements.txt that includes another": {
        "requirements.txt": "-r more/list.txt\n",
        "more/list.txt": f"../{NAME}  # the greeter\n",
    },
    "pyproject.toml": {"pyproject.toml": PROJECT.format(path=NAME)},
    "uv.lock": {"pyproject.toml": PROJECT.format(path=NAME), "uv.lock": LOCK},
}
GREETS = "from greeter import greet\ndef handler(event, context): return greet('you')\n"


@pytest.mark.parametrize("files", LISTS.values(), ids=LISTS)
def test_every_list_of_requirements_is_understood(
    files: Mapping[str, str | bytes], tmp_path: Path
) -> None:
    root = site(tmp_path, {**files, NAME: WHEEL, "a.py": GREETS})
    said: list[str] = []
    assert call(package(root, HERE, said)["a"], tmp_path / "run") == "hi you"
    assert not [line for line in said if line.startswith("warning")]


# A build backend of our own, so that no test needs a registry.
BACKEND = """import zipfile
def build_wheel(folder, config_settings=None, metadata_directory=None):
    name = "local-1.0-{tag}.whl"
    info = "local-1.0.dist-info"
    with zipfile.ZipFile(folder + "/" + name, "w") as wheel:
        wheel.writestr("local/__init__.py", open("local/__init__.py").read())
        about = ["Metadata-Version: 2.1", "Name: local", "Version: 1.0", ""]
        wheel.writestr(info + "/METADATA", "\\n".join(about))
        kind = ["Wheel-Version: 1.0", "Root-Is-Purelib: true", "Tag: {tag}", ""]
        wheel.writestr(info + "/WHEEL", "\\n".join(kind))
        wheel.writestr(info + "/RECORD", "")
    open("left-behind", "w").close()
    return name
"""
BUILD = """[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
[project]
name = "local"
version = "1.0"
"""


def local(tag: str = "py3-none-any") -> dict[str, str | bytes]:
    return {
        "packages/local/pyproject.toml": BUILD,
        "packages/local/backend.py": BACKEND.format(tag=tag),
        "packages/local/local/__init__.py": "X = 'local'\n",
    }


USES = "import local\ndef handler(event, context): return local.X\n"


@pytest.mark.parametrize(
    "line",
    ["./lib/packages/local", "-e ./lib/packages/local", "local @ ./lib/packages/local"],
)
def test_a_local_package_is_built_apart_and_included(line: str, tmp_path: Path) -> None:
    files = {f"lib/{path}": content for path, content in local().items()}
    root = site(tmp_path, {**files, "requirements.txt": f"{line}\n", "a.py": USES})
    assert call(package(root, HERE)["a"], tmp_path / "run") == "local"
    assert not list(root.rglob("left-behind"))


def test_a_local_package_of_a_project_is_included_and_its_change_changes_the_function(
    tmp_path: Path,
) -> None:
    files = {f"_{path}": content for path, content in local().items()}
    project = PROJECT.replace("greeter", "local").format(path="_packages/local")
    root = site(tmp_path, {**files, "pyproject.toml": project, "a.py": USES})
    before = package(root, HERE)["a"]
    assert call(before, tmp_path / "run") == "local"
    site(tmp_path, {"_packages/local/local/__init__.py": "X = 'changed'\n"})
    after = package(root, HERE)["a"]
    assert call(after, tmp_path / "again") == "changed"
    assert after.digest != before.digest


def test_a_local_package_that_has_to_be_compiled_is_refused(tmp_path: Path) -> None:
    tag = f"cp3{sys.version_info.minor}-cp3{sys.version_info.minor}-linux_x86_64"
    files = {f"lib/{path}": content for path, content in local(tag).items()}
    with pytest.raises(JamError) as caught:
        package(
            site(tmp_path, {**files, "requirements.txt": "./lib/packages/local", "a.py": USES}),
            HERE,
        )
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"
    assert "local is compiled" in caught.value.problems[0].message


def test_requirements_without_a_version_are_warned_of_by_name(tmp_path: Path) -> None:
    text = f"requests>=2\nPyYAML\nboto3==1.2.*\npinned==1.0 ; python_version > '4'\n./{NAME}\n"
    file = tmp_path / "requirements.txt"
    file.write_text(f"--no-index\n# comment\n{text}x @ https://example.com/x-1-py3-none-any.whl\n")
    assert unpinned(lines(file)) == ["boto3", "PyYAML", "requests"]


def test_a_warning_of_unpinned_requirements_is_said(tmp_path: Path) -> None:
    files = {"requirements.txt": "--no-index\n--find-links ./wheels\ngreeter\n"}
    root = site(tmp_path, {**files, f"wheels/{NAME}": WHEEL, "a.py": GREETS})
    said: list[str] = []
    package(root, HERE, said, environment={"UV_FIND_LINKS": str(root / "functions/wheels")})
    assert said[0] == "warning: functions/requirements.txt: not pinned to a version: greeter"


def test_a_project_of_poetrys_is_refused_rather_than_deployed_without_its_packages(
    tmp_path: Path,
) -> None:
    text = "[tool.poetry.dependencies]\npython = '^3.11'\nrequests = '^2'\n"
    with pytest.raises(JamError, match="Poetry") as caught:
        package(site(tmp_path, {"pyproject.toml": text, "a.py": "def handler(e, c): ...\n"}), HERE)
    assert caught.value.code == "JAM-FUNCTION-DEPENDENCIES"


@pytest.mark.parametrize("minor", [11, 12, 13, 14])
@pytest.mark.parametrize(("architecture", "machine"), [("x86_64", "x86_64"), ("arm64", "aarch64")])
def test_a_native_package_is_the_one_for_the_functions_runtime_and_machine(
    minor: int, architecture: str, machine: str, tmp_path: Path
) -> None:
    glibc = "manylinux2014" if minor == 11 else "manylinux_2_34"
    files: dict[str, str | bytes] = {}
    for version in (11, 12, 13, 14):
        for kind in ("x86_64", "aarch64"):
            tag = f"cp3{version}-cp3{version}-{glibc}_{kind}"
            file, content = wheel("native", {"native.py": f"X = '{tag}'\n".encode()}, tag)
            files[f"wheels/{file}"] = content
    root = site(tmp_path, {**files, "requirements.txt": "native==1.0", "a.py": "handler = 1\n"})
    settings = FunctionSettings(architecture=architecture, runtime=f"python3.{minor}")
    offline = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(root / "functions/wheels")}
    made = package(root, FunctionsSettings(common=settings), environment=offline)["a"]
    with zipfile.ZipFile(made.archive) as opened:
        text = opened.read("packages/native.py").decode()
    assert text == f"X = 'cp3{minor}-cp3{minor}-{glibc}_{machine}'\n"


@pytest.mark.parametrize(
    ("runtime", "code"),
    [
        ("python3.11", "type X = int\n"),
        ("python3.11", "def f[T](x: T) -> T: return x\n"),
        ("python3.12", "class A[T = int]: pass\n"),
    ],
)
def test_syntax_that_the_runtime_does_not_know_is_refused_by_name(
    runtime: str, code: str, tmp_path: Path
) -> None:
    if sys.version_info[:2] < tuple(
        int(part) for part in runtime.removeprefix("python").split(".")
    ):
        pytest.skip("this interpreter cannot judge that runtime's syntax")
    settings = FunctionsSettings(common=FunctionSettings(runtime=runtime))
    root = site(tmp_path, {"a.py": f"{code}def handler(event, context): return 1\n"})
    with pytest.raises(JamError) as caught:
        package(root, settings)
    assert caught.value.code == "JAM-FUNCTION-PYTHON"
    assert caught.value.problems[0].where == "functions/a.py:1"
