"""The functions' settings of a preview: its own environment, secrets and tables. Pure.

A preview runs code that nobody has approved yet: production's secrets are never handed to it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from msgspec.structs import replace

from runner.config.functions import Function, Functions
from runner.config.settings import Preview, Settings
from runner.errors import Problem, site_error

_Section = TypeVar("_Section", Function, Functions)


def functions_of_preview(settings: Settings) -> Functions:
    """`[functions]` as a preview has it.

    Raises JAM-PREVIEW-SECRETS with every secret of production that `[preview]` has no own for.
    """
    preview, functions = settings.preview, settings.functions
    missing = tuple(_missing(preview, functions))
    if missing:
        raise site_error(
            "JAM-PREVIEW-SECRETS",
            "Functions need secrets, and previews do not get production's.",
            hint="Name previews' own under [preview.secrets], or a text under "
            "[preview.environment].",
            problems=missing,
        )
    common = _own(functions, preview)
    named = {name: _own(section, preview) for name, section in functions.named.items()}
    everywhere = {**common.environment, **preview.environment}
    return replace(common, environment=everywhere, named=named)


def _own(section: _Section, preview: Preview) -> _Section:
    kept = {name: preview.environment.get(name, text) for name, text in section.environment.items()}
    secrets = {name: preview.secrets[name] for name in section.secrets if name in preview.secrets}
    shared = section if preview.tables == "own" else replace(section, tables=())
    return replace(shared, environment=kept, secrets=secrets)


def _missing(preview: Preview, functions: Functions) -> Iterator[Problem]:
    given = {*preview.secrets, *preview.environment}
    sections = {"functions": functions}
    named = {f"functions.{name}": one for name, one in functions.named.items()}
    for where, section in {**sections, **named}.items():
        for name in sorted(set(section.secrets) - given):
            yield Problem(where=f"{where}.secrets.{name}", message="has no value for previews")
