"""Which files of its packages a function uses: one process of @vercel/nft for all functions.

Nothing of the site runs: nft reads code and follows what it loads, by whatever means it sees.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from runner.errors import site_error
from runner.package.functions.judge import MODULES
from runner.package.functions.metafile import Outside
from runner.toolchain import Toolchain

_SCRIPT = Path(__file__).with_name("trace.mjs")
_SECONDS = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Trace:
    """By package, as its real folder: the files that are used, and the packages it loads."""

    files: Mapping[Path, frozenset[str]] = field(default_factory=dict)
    needs: Mapping[Path, frozenset[str]] = field(default_factory=dict)


def trace(
    imports: Mapping[str, Iterable[Outside]], *, root: Path, toolchain: Toolchain
) -> dict[str, Trace]:
    """What each function's `imports` lead to; raises JAM-FUNCTION-TRACE with nft's last lines."""
    entries = {function: [_virtual(one, root) for one in its] for function, its in imports.items()}
    codes = dict(entry for its in entries.values() for entry in its)
    if not codes:
        return {function: Trace() for function in imports}
    below = _graph(codes, root=root, toolchain=toolchain)
    return {function: _trace(below, [path for path, _ in its]) for function, its in entries.items()}


def _virtual(one: Outside, root: Path) -> tuple[str, str]:
    """The path and the code of a module that says what the function says, and is not there."""
    text = json.dumps(one.specifier)
    name = f"jam-trace-{hashlib.sha256(text.encode()).hexdigest()[:12]}"
    if one.required:
        return str(root / one.folder / f"{name}.cjs"), f"require({text});"
    return str(root / one.folder / f"{name}.mjs"), f"import {text};"


def _graph(codes: Mapping[str, str], *, root: Path, toolchain: Toolchain) -> dict[str, list[str]]:
    """Of each file those that it needs."""
    done = subprocess.run(
        [str(toolchain.node), str(_SCRIPT)],
        input=json.dumps({"nft": str(toolchain.packages), "root": str(root), "entries": codes}),
        env={},
        capture_output=True,
        text=True,
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise site_error(
            "JAM-FUNCTION-TRACE",
            "the packages of functions cannot be traced:\n" + done.stderr.strip()[-500:],
            hint="Name them under `external` in jam.toml: they are then shipped whole.",
        )
    below: dict[str, list[str]] = defaultdict(list)
    for file, parents in json.loads(done.stdout).items():
        for parent in parents:
            below[parent].append(file)
    return below


def _trace(below: Mapping[str, list[str]], starts: list[str]) -> Trace:
    files: dict[Path, set[str]] = defaultdict(set)
    needs: dict[Path, set[str]] = defaultdict(set)
    seen, open_ends = set(starts), list(starts)
    while open_ends:
        file = open_ends.pop()
        package = _package(file)
        for other in below.get(file, ()):
            theirs = _package(other)
            if package and theirs and theirs != package:
                needs[package[0]].add(theirs[1])
            if other not in seen:
                seen.add(other)
                open_ends.append(other)
        if package and Path(file).is_file():
            files[package[0]].add(Path(file).resolve().relative_to(package[0]).as_posix())
    return Trace(
        files={package: frozenset(names) for package, names in files.items()},
        needs={package: frozenset(names) for package, names in needs.items()},
    )


def _package(file: str) -> tuple[Path, str] | None:
    """The real folder and the name of the package that a file belongs to."""
    above, slash, rest = file.rpartition(f"/{MODULES}/")
    if not slash:
        return None
    name = "/".join(rest.split("/")[: 2 if rest.startswith("@") else 1])
    return Path(f"{above}/{MODULES}/{name}").resolve(), name
