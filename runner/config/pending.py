"""Settings that are known and not built yet: refused by name, never silently ignored. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from runner.config.settings import Preview, Production, Settings
from runner.errors import Problem, site_error


def refuse_pending(settings: Settings) -> None:
    """Raises JAM-NOT-YET with every setting that this version cannot fulfil."""
    problems = tuple(pending(settings))
    if problems:
        raise site_error(
            "JAM-NOT-YET",
            "The settings ask for what this version cannot do.",
            hint="Leave these settings out, or wait for the version that has them.",
            problems=problems,
        )


def pending(settings: Settings) -> Iterator[Problem]:
    """Every setting that this version knows and cannot fulfil."""
    if settings.build.image:
        yield _not_yet("build.image")
    yield from _changed(
        "production",
        settings.production,
        Production(),
        besides=("domain", "branch", "notify", "rollout", "retention"),
    )


def _changed(
    where: str, found: Production | Preview, default: object, *, besides: tuple[str, ...]
) -> Iterator[Problem]:
    for key in found.__struct_fields__:
        if key not in besides and getattr(found, key) != getattr(default, key):
            yield _not_yet(f"{where}.{key}")


def _not_yet(where: str) -> Problem:
    return Problem(where=where, message="is not supported by this version yet", hint="leave it out")
