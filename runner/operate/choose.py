"""Which function a word on the command line means. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from runner.aws.deployed import Deployed
from runner.errors import JamError, site_error

_SHOWN = 5  # names in an error


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A Lambda function: its name or ARN, and the version that is meant; empty: as it is asked.

    `shown` is what a person calls it.
    """

    function: str
    version: str
    shown: str


def choose(word: str, functions: Iterable[Deployed]) -> Deployed | None:
    """The one function that `word` names: its name, its Lambda name, else a part of its name.

    None if there is none. Raises JAM-FUNCTION-AMBIGUOUS where several names have that part.
    """
    known = tuple(functions)
    for each in known:
        if word in (each.name, each.function):
            return each
    found = [each for each in known if word in each.name]
    if len(found) > 1:
        raise _ambiguous(word, [each.name for each in found])
    return found[0] if found else None


def target_of(deployed: Deployed) -> Target:
    return Target(function=deployed.function, version=deployed.version, shown=deployed.name)


# A name, a partial or a whole ARN, each with or without a qualifier.
# Source: Lambda API reference, GetFunction, `FunctionName`.
_LAMBDA = re.compile(
    r"(arn:[a-z0-9-]+:lambda:)?([a-z0-9-]+:)?([0-9]{12}:)?(function:)?"
    r"[A-Za-z0-9_-]{1,64}(:(\$LATEST|[A-Za-z0-9_-]+))?"
)


def may_be_foreign(word: str) -> bool:
    """Whether Lambda would take `word` for the name or the ARN of a function."""
    return _LAMBDA.fullmatch(word) is not None


def unknown(word: str, names: Iterable[str], *, live: bool) -> JamError:
    """`JAM-FUNCTION-UNKNOWN`; `names` are all that could have been meant, `live` says whether the
    site has a release at all."""
    candidates = sorted(set(names))
    near = difflib.get_close_matches(word, candidates, n=_SHOWN, cutoff=0.4)
    said = f"There is no function {word!r}" + (
        "" if live else ", and no release of the site is live"
    )
    if near:
        hint = f"Did you mean {_listed(near)}?"
    elif candidates:
        hint = f"There are: {_listed(candidates)}."
    else:
        hint = "Deploy the site first: `jam-deploy deploy`."
    return site_error("JAM-FUNCTION-UNKNOWN", f"{said}.", hint=hint)


def _ambiguous(word: str, names: list[str]) -> JamError:
    return site_error(
        "JAM-FUNCTION-AMBIGUOUS",
        f"{word!r} is part of the names of {len(names)} functions: {_listed(names)}.",
        hint="Give more of the name.",
    )


def _listed(names: list[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest
