"""What settings of authorizers, scopes and origins must fulfil together. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from runner.config.functions import Function
from runner.config.settings import Settings
from runner.config.shape import Wrong

NONE = "none"  # as an authorizer: switches the common one off for one function
# Source: API Gateway developer guide, "Quotas for configuring and running an HTTP API"; one of ten
# authorizers is the API's own.
AUTHORIZERS, AUDIENCES, SCOPES = 9, 50, 10


def broken_admission(settings: Settings) -> Iterator[Wrong]:
    """Every rule about who is let through that the settings break."""
    yield from _authorizers(settings)
    common = settings.functions
    yield from _section(settings, common, at=("functions",), authorizer=common.authorizer)
    for name, one in common.named.items():
        authorizer = one.authorizer or common.authorizer
        yield from _section(settings, one, at=("functions", name), authorizer=authorizer)
    yield from _origins(settings)


def _authorizers(settings: Settings) -> Iterator[Wrong]:
    if NONE in settings.authorizers:
        yield Wrong(
            at=("authorizers", NONE),
            message=f'`authorizer = "{NONE}"` means that a function has none',
            hint="choose another name",
        )
    if len(settings.authorizers) > AUTHORIZERS:
        message = f"found {len(settings.authorizers)}, allowed: {AUTHORIZERS} for one API"
        yield Wrong(at=("authorizers",), message=message)
    for name, one in settings.authorizers.items():
        if len(one.audience) > AUDIENCES:
            message = f"found {len(one.audience)}, allowed: {AUDIENCES}"
            yield Wrong(at=("authorizers", name, "audience"), message=message)


def _section(
    settings: Settings, section: Function, *, at: tuple[str, ...], authorizer: str | None
) -> Iterator[Wrong]:
    if section.authorizer and section.authorizer not in (NONE, *settings.authorizers):
        yield _unknown(section.authorizer, settings, at=(*at, "authorizer"))
    if section.scopes and authorizer in (None, NONE):
        yield Wrong(
            at=(*at, "scopes"),
            message="scopes are of a token, which no authorizer asks for here",
            hint="set `authorizer` as well",
        )
    if len(section.scopes or ()) > SCOPES:
        message = f"found {len(section.scopes or ())}, allowed: {SCOPES}"
        yield Wrong(at=(*at, "scopes"), message=message)


def _unknown(name: str, settings: Settings, *, at: tuple[str, ...]) -> Wrong:
    near = difflib.get_close_matches(name, [*settings.authorizers, NONE], n=1)
    hint = f"did you mean `{near[0]}`?" if near else f"add [authorizers.{name}]"
    return Wrong(at=at, message=f"there is no authorizer `{name}`", hint=hint)


def _origins(settings: Settings) -> Iterator[Wrong]:
    origins = settings.functions.cors
    if "*" in origins and len(origins) > 1:
        yield Wrong(
            at=("functions", "cors"),
            message='"*" allows every origin, the others as well',
            hint="leave it out, or the others",
        )
