"""The action's inputs as values: `action.yml` lists the same, and a test holds the two together.

Pure. The runner hands `with:` on as INPUT_ variables, upper case, hyphens kept, and enforces none.
Source: docs.github.com, "Metadata syntax for GitHub Actions", `inputs`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from runner.errors import Problem, site_error

_TRUE, _FALSE = frozenset({"true", "True", "TRUE"}), frozenset({"false", "False", "FALSE"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """Empty where nothing was said. `artefact` is a publish folder that another run has built;
    `environment` is what `destroy` takes away."""

    config: str = ""
    site: str = ""
    region: str = ""
    command: str = ""
    release: str = ""
    environment: str = ""
    artefact: str = ""
    role_to_assume: str = ""
    github_token: str = field(default="", repr=False)
    comment: bool = True
    deployments: bool = True
    qr_code: bool = False


NAMES = tuple(each.name.replace("_", "-") for each in fields(Inputs))


def inputs_of(environment: Mapping[str, str]) -> Inputs:
    """Raises JAM-INPUT with everything that is wrong."""
    given = {
        each.name: environment.get(f"INPUT_{each.name.replace('_', '-').upper()}", "").strip()
        for each in fields(Inputs)
    }
    switches = [each.name for each in fields(Inputs) if isinstance(each.default, bool)]
    problems = tuple(
        Problem(where=name.replace("_", "-"), message=f"{given[name]!r} is neither true nor false")
        for name in switches
        if given[name] not in _TRUE | _FALSE | {""}
    )
    if problems:
        raise site_error(
            "JAM-INPUT",
            "The action's inputs are not as they should be.",
            hint="Correct `with:` in the workflow; action.yml says what each input means.",
            problems=problems,
        )
    said: dict[str, Any] = {
        name: value in _TRUE if name in switches else value
        for name, value in given.items()
        if value
    }
    return Inputs(**said)
