"""Whose a resource is: ours bear two tags; what does not bear them is never adopted. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from runner.errors import JamError, aws_error
from runner.names import Names, tags


def tags_of(names: Names) -> dict[str, str]:
    return tags(names.site, names.environment)


def tag_list(names: Names) -> Any:
    """The tags as most services take them: a list of Key and Value.

    Any, because the stubs give this one shape a type a service.
    """
    return [{"Key": key, "Value": value} for key, value in tags_of(names).items()]


def mapped(found: Iterable[Any]) -> dict[str, str]:
    """A list of Key and Value as a mapping."""
    return {each["Key"]: each.get("Value", "") for each in found}


def is_ours(found: Mapping[str, str], names: Names) -> bool:
    return all(found.get(key) == value for key, value in tags_of(names).items())


def check(found: Mapping[str, str], names: Names, *, what: str) -> None:
    """Raises JamError `JAM-NOT-OURS` unless the tags `found` on `what` are this site's."""
    if not is_ours(found, names):
        raise not_ours(what, names)


def not_ours(what: str, names: Names) -> JamError:
    wanted = ", ".join(f"{key}={value}" for key, value in tags_of(names).items())
    return aws_error(
        "JAM-NOT-OURS",
        f"{what} exists already, and was not made for this site (its tags are not {wanted}).",
        hint="Choose another `site` name, or delete it if nobody needs it.",
    )
