"""A release's functions as its record keeps them: how they are reached and run, not their code.

Pure. Enough to make its api_stage, its schedules and its aliases again without a build. Variables
are not in it: a published version has them, and some are secrets.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from runner.model import (
    Admission,
    Api,
    Authorizer,
    Background,
    File,
    Function,
    Grants,
    Kind,
    Release,
    Routing,
    Upkeep,
)

_PLAIN = ("name", "route", "methods", "digest", "stream")


def text_of(release: Release) -> str:
    """As JSON text: DynamoDB has no fractions that JSON and it agree upon."""
    functions = [
        {name: getattr(each, name) for name in _PLAIN}
        | {
            "grants": asdict(each.grants),
            "upkeep": asdict(each.upkeep),
            "background": asdict(each.background),
            "admission": asdict(each.admission),
        }
        for each in release.functions
    ]
    told = {"api": asdict(release.api), "functions": functions}
    return json.dumps(told, separators=(",", ":"))


def release_of(release: str, text: str, manifest: Mapping[str, Any]) -> Release:
    """The release as far as pointers to it need; `manifest` is its own, read from the bucket."""
    told = json.loads(text)
    return Release(
        id=release,
        files=tuple(_file(key, form) for key, form in manifest.get("files", {}).items()),
        header_sets=(),
        redirects=(),
        functions=tuple(_function(_tuples(each)) for each in told["functions"]),
        routing=routing_of(manifest.get("routing", {})),
        api=Api(**_tuples(told["api"])),
        not_found=manifest.get("notFound", ""),
    )


def routing_of(form: Mapping[str, Any]) -> Routing:
    """From the form that the store and the manifest have."""
    return Routing(
        api_stage=form.get("s", ""),
        immutable=tuple(form.get("i", ())),
        headers=form.get("h", ""),
        spa=bool(form.get("spa")),
        except_below=tuple(form.get("x", ())),
    )


def _file(key: str, form: list[str]) -> File:
    """What it is and what it holds; its size is nobody's question here."""
    kind, content_type, cache_control, headers, digest = form
    return File(
        path=key,
        key=key,
        kind=Kind(kind),
        digest=digest,
        size=0,
        content_type=content_type,
        cache_control=cache_control,
        headers=headers,
        source=Path(),
    )


def _function(told: Mapping[str, Any]) -> Function:
    admission = dict(told["admission"])
    authorizer = admission.pop("authorizer")
    return Function(
        **{name: told[name] for name in _PLAIN},
        runtime="",
        handler="",
        architecture="",
        memory=0,
        timeout=0,
        code_sha256="",
        size=0,
        grants=Grants(**told["grants"]),
        upkeep=Upkeep(**told["upkeep"]),
        background=Background(**told["background"]),
        admission=Admission(
            authorizer=Authorizer(**authorizer) if authorizer else None, **admission
        ),
        archive=Path(),
    )


def _tuples(value: Any) -> Any:
    """JSON's lists as the model has them."""
    if isinstance(value, list):
        return tuple(_tuples(each) for each in value)
    if isinstance(value, dict):
        return {name: _tuples(each) for name, each in value.items()}
    return value
