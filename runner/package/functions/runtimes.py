"""Lambda's runtimes and until when AWS lets functions be created and updated on each. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from runner.errors import Problem
from runner.package.functions.discover import Language

WARNED_BEFORE = timedelta(days=90)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """`deprecated` ends AWS's support; then no function can be created, and last none updated."""

    name: str
    language: Language
    deprecated: date
    no_create: date
    no_update: date


def _runtime(name: str, language: Language, *days: str) -> Runtime:
    deprecated, no_create, no_update = map(date.fromisoformat, days)
    return Runtime(
        name=name,
        language=language,
        deprecated=deprecated,
        no_create=no_create,
        no_update=no_update,
    )


# Oldest first. AWS moves these days, only ever to later ones so far.
# Source: Lambda developer guide, "Lambda runtimes", Supported runtimes, Deprecated runtimes.
RUNTIMES = {
    runtime.name: runtime
    for runtime in (
        _runtime("nodejs20.x", Language.NODE, "2026-04-30", "2027-02-01", "2027-03-03"),
        _runtime("nodejs22.x", Language.NODE, "2027-04-30", "2027-06-01", "2027-07-01"),
        _runtime("nodejs24.x", Language.NODE, "2028-04-30", "2028-06-01", "2028-07-01"),
        _runtime("python3.11", Language.PYTHON, "2027-06-30", "2027-07-31", "2027-08-31"),
        _runtime("python3.12", Language.PYTHON, "2028-10-31", "2028-11-30", "2029-01-10"),
        _runtime("python3.13", Language.PYTHON, "2029-06-30", "2029-07-31", "2029-08-31"),
        _runtime("python3.14", Language.PYTHON, "2029-06-30", "2029-07-31", "2029-08-31"),
    )
}


def names(language: Language) -> tuple[str, ...]:
    """The identifiers of a language's runtimes, oldest first."""
    return tuple(name for name, runtime in RUNTIMES.items() if runtime.language is language)


def warning(name: str, today: date) -> str:
    """What is to be said of a runtime that ends soon or has ended; empty if nothing is."""
    runtime = RUNTIMES[name]
    if today < runtime.deprecated - WARNED_BEFORE:
        return ""
    verb = "ends" if today < runtime.deprecated else "ended"
    stop = f"{verb} support of {name} on {runtime.deprecated}"
    if today >= runtime.no_create:
        return f"AWS {stop} and takes no new function on it; set runtime to {_newest(runtime)}"
    return f"AWS {stop} and takes no update after {runtime.no_update}; use {_newest(runtime)}"


def refused(name: str, today: date, *, where: str) -> Iterable[Problem]:
    """A problem if AWS no longer takes an update of functions on this runtime."""
    runtime = RUNTIMES[name]
    if today >= runtime.no_update:
        yield Problem(
            where=where,
            message=f"AWS takes no function on {name} since {runtime.no_update}",
            hint=f"Set runtime to {_newest(runtime)}.",
        )


def _newest(runtime: Runtime) -> str:
    return names(runtime.language)[-1]
