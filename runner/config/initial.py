"""What `init` writes: `jam.toml` and the workflow, as text; and their writing, never unasked over
what is there. Detected values are live keys with their reason, all others comments."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import tomli_w
from msgspec import Struct
from msgspec.structs import FieldInfo, fields

from runner.config.detect import Detected
from runner.config.kinds import limits, sections
from runner.config.schema import description, is_key
from runner.config.source import FILE
from runner.config.workflow import WORKFLOW, workflow

# What stands for NAME in the comments.
_EXAMPLES = {
    "functions.NAME": 'functions."notes/[id]"',
    "functions.throttle": "functions.throttle",
    "authorizers.NAME": "authorizers.members",
    "tables.NAME": "tables.notes",
    "tables.NAME.indexes.NAME": "tables.notes.indexes.by-author",
}

Live = Mapping[str, tuple[Any, str]]  # value and reason by dotted key


def initial_files(detected: Detected, site: str, *, region: str, branch: str) -> dict[str, str]:
    """Text by path. `region` may be empty: then the environment has to name one."""
    why = detected.why
    live: dict[str, tuple[Any, str]] = {
        "site": (site, ""),
        "region": (region, ""),
        "build.install": (detected.install, why.get("install", "")),
        "build.command": (detected.command, why.get("command", "")),
        "build.publish": (detected.publish, why.get("publish", "")),
        "build.spa": (detected.spa, why.get("spa", "")),
        "production.branch": (branch, ""),
    }
    known = {key: (value, reason) for key, (value, reason) in live.items() if value}
    return {FILE: _settings(known, why["framework"]), WORKFLOW: workflow(site, branch)}


def write_initial(
    root: Path, files: Mapping[str, str], *, overwrite: Callable[[str], bool]
) -> tuple[str, ...]:
    """Writes the files and returns the paths of those that changed.

    `overwrite` is asked with the path of every other file that is in the way, before it is touched.
    """
    written = []
    for path, text in files.items():
        target = root / path
        there = target.exists() or target.is_symlink()
        if there and (_same(target, text) or not overwrite(path)):
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8", newline="\n")
        written.append(path)
    return tuple(written)


def _same(target: Path, text: str) -> bool:
    try:
        return target.read_bytes() == text.encode()
    except OSError:
        return False


def _settings(live: Live, framework: str) -> str:
    """`jam.toml`: fixed sections are live, so that a key only has to lose its `#`."""
    lines = [
        f"# jam-deploy found {framework}.",
        "# Every key is optional. A line that begins with # is what could be set.",
    ]
    for section, shape in sections():
        keys = [field for field in fields(shape) if is_key(field)]
        if not keys or section.startswith("functions.NAME"):
            continue
        lines += ["", *([_header(section)] if section else [])]
        lines += _keys(section, keys, live=live)
        if section == "functions":
            lines += _one_function(shape)
    return "\n".join(lines) + "\n"


def _header(section: str) -> str:
    return f"# [{_EXAMPLES[section]}]" if section in _EXAMPLES else f"[{section}]"


def _keys(section: str, keys: list[FieldInfo], *, live: Live) -> Iterator[str]:
    for field in keys:
        name = f"{section}.{field.encode_name}" if section else field.encode_name
        if name in live:
            value, reason = live[name]
            note = f"  # {reason}" if reason else ""
            yield f"{field.encode_name} = {toml_value(value)}{note}"
        else:
            shown = toml_value(_example(field))
            yield f"# {field.encode_name} = {shown}  # {description(field)}"


def _one_function(shape: type[Struct]) -> Iterator[str]:
    """One section as an example is enough: its keys are those of `[functions]`."""
    memory = next(field for field in fields(shape) if field.name == "memory")
    yield ""
    yield f"# [{_EXAMPLES['functions.NAME']}]  # the same keys, for one function"
    yield f"# memory = {toml_value(_example(memory))}"


def _example(field: FieldInfo) -> object:
    return next(meta.examples[0] for meta in limits(field.type) if meta.examples)


def toml_value(value: Any) -> str:
    """A value in TOML, on one line."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml_value(one)}" for key, one in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(toml_value(one) for one in value) + "]"
    return tomli_w.dumps({"value": value}).removeprefix("value = ").rstrip("\n")
