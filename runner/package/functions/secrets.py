"""Wraps functions with `secrets`: their values are read when the function starts. Pure.

The archive has the parameters' names, never a value; Lambda's configuration has neither.
"""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from runner.package.functions.discover import Language
from runner.package.functions.pack import Built

_HERE = Path(__file__).parent
_TEMPLATES = {
    Language.NODE: ("jam_secrets.mjs", "secrets.mjs"),
    Language.PYTHON: ("jam_secrets.py", "secrets.py.txt"),
}
HANDLER = "jam_secrets.handler"


def wrapped(built: Built, language: Language, *, secrets: tuple[tuple[str, str], ...]) -> Built:
    """The function behind a handler of ours that sets `secrets` in its environment first.

    `secrets` are pairs of a variable and a parameter's name. Without any, `built` as it is.
    """
    if not secrets:
        return built
    name, template = _TEMPLATES[language]
    text = (_HERE / template).read_text()
    wanted = json.dumps(dict(secrets), ensure_ascii=True)
    code = text.replace('"JAM_SECRETS"', wanted).replace("JAM_MODULE", _module(built, language))
    return replace(built, handler=HANDLER, members={**built.members, name: code.encode()})


def _module(built: Built, language: Language) -> str:
    """The module with the function's own handler, as its language imports it."""
    stem = built.handler.rpartition(".")[0]
    if language is Language.PYTHON:
        return stem
    return next(path for path in built.members if path.startswith(f"{stem}.") and "/" not in path)
