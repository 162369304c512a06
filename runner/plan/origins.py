"""Which pages of other origins may call functions, and by which methods. Pure.

AWS does not say whether CORS belongs to a deployment or to the API as it stands: so a release
brings it in its api_stage's definition, and going live, or back, sets the API's once more.
Source: API Gateway developer guide, "Configure CORS for HTTP APIs in API Gateway".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from runner.model import Api, Function, Release
from runner.plan.live import Live

# All but OPTIONS: with an authorizer a preflight, which bears no token, would be refused on ANY.
# API Gateway answers preflights itself where no route takes them.
OPENED = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")


@dataclass(frozen=True, slots=True, kw_only=True)
class AllowOrigins:
    """Let pages of these origins call functions by these methods; nobody's without any."""

    origins: tuple[str, ...]
    methods: tuple[str, ...]

    def __str__(self) -> str:
        return f"let pages of {', '.join(self.origins) or 'the site alone'} call functions"


def methods_of(function: Function, api: Api) -> tuple[str, ...]:
    """The methods of its routes: one route each. Every route has an authorizer, if only the API's
    own, which a preflight of somebody else's page has no key for."""
    return OPENED if api.cors and function.methods == ("ANY",) else function.methods


def allowed(functions: Iterable[Function], api: Api) -> AllowOrigins:
    """What holds with these functions behind the API."""
    if not api.cors:
        return AllowOrigins(origins=(), methods=())
    found = {each for it in functions if not it.stream for each in methods_of(it, api)}
    methods = {*(found - {"ANY"}), *(OPENED if "ANY" in found else ())}
    return AllowOrigins(origins=api.cors, methods=tuple(sorted(methods)))


def recorded(wanted: AllowOrigins) -> str:
    """As the environment's record has it; empty without origins."""
    return " ".join([*wanted.origins, "by", *wanted.methods]) if wanted.origins else ""


def reopened(release: Release, live: Live) -> Iterator[AllowOrigins]:
    """The step, where others were let in before."""
    wanted = allowed(release.functions, release.api)
    if recorded(wanted) != live.origins:
        yield wanted
