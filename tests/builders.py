"""Small honest values for tests: a release and its parts, with only what a test names."""

from __future__ import annotations

import hashlib
from pathlib import Path

from runner.model import File, Function, Kind, Release, Routing


def digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def a_file(key: str, content: str = "x", *, kind: Kind = Kind.DOCUMENT) -> File:
    return File(
        path=key,
        key=key,
        kind=kind,
        digest=digest(content),
        size=len(content),
        content_type="text/html; charset=utf-8",
        cache_control="public, max-age=0, s-maxage=31536000, must-revalidate",
        source=Path("/nowhere"),
    )


def a_function(name: str, content: str = "x") -> Function:
    return Function(
        name=name,
        route=f"/.functions/{name}",
        methods=("ANY",),
        runtime="nodejs24.x",
        handler="index.handler",
        architecture="arm64",
        memory=256,
        timeout=10,
        digest=digest(content)[:32],
        code_sha256="",
        size=1_000,
        archive=Path("/nowhere"),
    )


def a_release(
    name: str = "a",
    *,
    files: tuple[File, ...] = (),
    functions: tuple[Function, ...] = (),
    api_stage: str = "",
) -> Release:
    return Release(
        id=digest(name)[:32],
        files=files,
        header_sets=(),
        redirects=(),
        functions=functions,
        routing=Routing(api_stage=api_stage),
    )
