"""A site with functions to package, and the programs to run what came out."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from runner.model import Function
from runner.package.archive import write
from runner.package.functions.assemble import package_functions
from runner.package.functions.settings import FunctionsSettings
from runner.toolchain import Toolchain, find, install_packages

EVENT = {
    "rawPath": "/stage/.functions/hello",
    "rawQueryString": "a=1&b=2",
    "headers": {"host": "api.example", "x-forwarded-host": "www.example"},
    "cookies": ["a=1", "b=2"],
    "pathParameters": {"id": "7"},
    "body": "aMOkbGxv",
    "isBase64Encoded": True,
    "requestContext": {
        "stage": "stage",
        "http": {"method": "POST", "sourceIp": "192.0.2.1"},
    },
}
_RUN_NODE = """
import(process.argv[1]).then((module) =>
  (module.handler ?? module.default.handler)(JSON.parse(process.argv[2]), { awsRequestId: "r-1" }),
).then((result) => console.log(JSON.stringify(result)));
"""
_RUN_PYTHON = """
import json, sys, jam_function
print(json.dumps(jam_function.handler(json.loads(sys.argv[1]), None)))
"""


def toolchain() -> Toolchain:
    found = find(Path.home() / ".cache" / "jam-deploy")
    install_packages(found, os.environ)
    return found


def site(root: Path, files: Mapping[str, str | bytes]) -> Path:
    """Files below `root/functions`."""
    for path, content in files.items():
        file = root / "functions" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def package(
    root: Path,
    settings: FunctionsSettings | None = None,
    echo: list[str] | None = None,
    *,
    source_maps: bool = False,
    environment: Mapping[str, str] | None = None,
    today: date | None = None,
) -> dict[str, Function]:
    """The functions of the site at `root`, by name; `echo` collects what was said."""
    found = package_functions(
        root=root,
        directory="functions",
        settings=settings or FunctionsSettings(),
        toolchain=toolchain(),
        work=root / ".jam",
        environment={**os.environ, **(environment or {})},
        echo=(echo if echo is not None else []).append,
        source_maps=source_maps,
        today=today,
    )
    return {function.name: function for function in found}


def call(function: Function, folder: Path, event: Mapping[str, Any] = EVENT) -> Any:
    """What the function answers, run from its archive as Lambda lays it out."""
    with zipfile.ZipFile(function.archive) as archive:
        archive.extractall(folder)
    if function.runtime.startswith("python"):
        command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, '')\n{_RUN_PYTHON}"]
    else:
        (start,) = folder.glob("index.*")
        command = [str(toolchain().node), "-e", _RUN_NODE, str(start)]
    done = subprocess.run(
        [*command, json.dumps(event)], cwd=folder, env={}, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def wheel(name: str, files: Mapping[str, bytes], tag: str = "py3-none-any") -> tuple[str, bytes]:
    """The file name and the bytes of a wheel, so that no test needs a registry."""
    info = f"{name}-1.0.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n".encode()
    kind = f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n".encode()
    members = {**files, f"{info}/METADATA": metadata, f"{info}/WHEEL": kind}
    record = "".join(f"{path},,\n" for path in [*members, f"{info}/RECORD"])
    return f"{name}-1.0-{tag}.whl", write({**members, f"{info}/RECORD": record.encode()})
