"""Which program runs a runtime: the Node and the Pythons of this machine, the nearest one each.

Looks for `python3.N` on PATH and asks each for its version, once. Whether a compiled package in the
function fits that version is for the packager to know.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

_HERE = Path(__file__).parent
_MINORS = range(9, 16)
_ASK = "import sys; print(*sys.version_info[:3], sep='.')"
_SEEN_IN_SECONDS = 10

# What Lambda's Python runtimes bring along, and what it needs.
# Source: Lambda developer guide, "Building Lambda functions with Python", "Runtime-included SDK".
_INCLUDED = (
    "awslambdaric", "simplejson", "snapshot_restore_py", "boto3", "botocore", "s3transfer",
    "jmespath", "dateutil", "six", "urllib3",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpreter:
    """`exact` says whether it is the runtime's own version; `version` is what it says of itself.
    `inherits` names a variable in which its client is told the number of a socket that it inherits
    and that leads to the Runtime API; empty for one that knows an address alone.
    """

    command: tuple[str, ...]
    version: str
    exact: bool
    inherits: str = ""


class Interpreters:
    """`node` is an executable; `folder` is ours to fill with what stands for `/var/runtime`."""

    def __init__(
        self,
        node: Path,
        folder: Path,
        *,
        which: Callable[[str], str | None] = shutil.which,
    ) -> None:
        self._node = node
        self._which = which
        self.runtime_dir = folder
        _fill(folder)

    def choose(self, runtime: str, memory: int) -> Interpreter:
        """For `nodejs22.x` or `python3.13`; the heap of Node follows `memory` in MB."""
        if runtime.startswith("nodejs"):
            return self._of_node(runtime, memory)
        return self._of_python(runtime)

    def _of_node(self, runtime: str, memory: int) -> Interpreter:
        version = _version(str(self._node), ("--version",))
        # Shares of the memory as Lambda's Node runtimes take them. Source: V8 options in the
        # bootstrap of aws/aws-lambda-base-images.
        heap = (
            f"--max-old-space-size={memory * 9 // 10}",
            f"--max-semi-space-size={max(memory // 20, 1)}",
        )
        return Interpreter(
            command=(str(self._node), *heap, str(_HERE / "client.mjs")),
            version=version,
            exact=version.split(".")[0] == runtime.removeprefix("nodejs").removesuffix(".x"),
            inherits="JAM_RUNTIME_FD",  # as client.mjs calls it
        )

    def _of_python(self, runtime: str) -> Interpreter:
        wanted = int(runtime.removeprefix("python3."))
        # Of two that are equally near the older one: what it runs, the newer one runs as well.
        for minor in sorted(_MINORS, key=lambda each: (abs(each - wanted), each)):
            found = self._python(minor)
            if found:
                return Interpreter(
                    command=(found, "-S", "-X", "utf8", str(_HERE / "python" / "boot.py")),
                    version=_version(found, ("-S", "-c", _ASK)),
                    exact=minor == wanted,
                )
        raise AssertionError("we run on one ourselves")

    def _python(self, minor: int) -> str | None:
        """The Python of this version, if there is one; looked for only where it is the nearest."""
        if minor == sys.version_info.minor:
            return sys.executable
        path = self._which(f"python3.{minor}")
        # A shim on PATH may stand for a version that is not there.
        if path and _version(path, ("-S", "-c", _ASK)).startswith(f"3.{minor}."):
            return path
        return None


@cache
def _version(program: str, asking: tuple[str, ...]) -> str:
    try:
        asked = subprocess.run(
            (program, *asking),
            capture_output=True,
            text=True,
            timeout=_SEEN_IN_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    found = re.search(r"\d+\.\d+\.\d+", asked.stdout)
    return found[0] if found and asked.returncode == 0 else ""


def _fill(folder: Path) -> None:
    """Links to single packages, so that a function sees these and not all that we have."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in (*_INCLUDED, "runtime_client"):
        spec = find_spec(name)
        if spec is None or spec.origin is None:
            continue
        origin = Path(spec.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        link = folder / origin.name
        if not link.is_symlink():
            link.symlink_to(origin)
