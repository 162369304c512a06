"""The site that is attacked: three releases, two previews, and what no visitor may ever read.

Releases are made by the product's own packaging; objects, store and manifests are what a deploy
writes (docs/architecture.md).
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from runner.aws.previews import USER, doors
from runner.build.publish import Found
from runner.entry.release import Content, Site, site_of
from runner.model import File, Kind, Release
from runner.names import Names
from runner.open import pass_of
from runner.package import headers, redirects
from runner.package.manifest import compact, manifest, routing_form
from runner.package.release import assemble

NAMES = Names("fuzz", "123456789012", "us-east-1")
HOSTS = ("www.example.com", "example.com")
OTHER_SITE = "other.example"  # the one that a rule leads to
OPEN, LOCKED = "pr-7.preview.example.com", "pr-8.preview.example.com"
PASSWORD, BYPASS = "open sesame", "bypass-of-pr-8"
TOKEN, BEARER, KEY = "token-of-the-store", "bearer-of-the-store", "key-of-the-api"
SECRET = "NOT FOR VISITORS"
NOW = 1_700_000_000

PAGES = {
    "index.html": "start",
    "about.html": "about",
    "404.html": "missing",
    "docs/index.html": "docs",
    "docs/a.html": "docs of a",
    "pages/a/detail.html": "detail of a",
    "pages/b/index.html": "b",
    "v1.2/index.html": "a folder with a dot",
    "é ü.html": "beyond ASCII",
    "a+b.txt": "plus",
    "data.json": "{}",
    "logo.svg": "<svg/>",
    "assets/app-Dx1yZ9aB.js": "app",
}
RULES = f"""\
/old/* /:splat 301
/to/:page /:page 302
/out/* https://{OTHER_SITE}/:splat 302
/out-with/:a https://{OTHER_SITE}/x?a=:a 307
/q id=:id /docs/:id 301
/s id=:id /docs?found=:id 302
/app/:page /pages/:page/detail 200
/deep/* /docs/:splat 200
/shown/:page/more /docs/:page 200
/land /docs 302 Country=de,at
/word /docs 302 Language=fr
/forced /about 301!
/gone /404 410
"""
HEADERS = """\
/*
  X-Site: every
/about
  Content-Security-Policy: default-src 'self'
  Cache-Control: max-age=60
/assets/*
  X-Asset: yes
"""


def _release(store: Path, mark: str, *, rules: str = RULES, spa: bool | None = None) -> Release:
    rows, _ = headers.parse(HEADERS, "_headers")
    redirect_rules, _ = redirects.parse(rules, "_redirects")
    pages = {path: f"{text} of {mark}" for path, text in PAGES.items()}
    pages["assets/app-Dx1yZ9aB.js"] = "app"  # what is fingerprinted is the same in all releases
    return assemble(
        [_found(store, path, text.encode()) for path, text in pages.items()],
        store,
        headers_of=partial(headers.headers_for, rules=rows),
        redirects=redirect_rules,
        spa=spa,
        immutable=("assets/*",),
    )


def _found(store: Path, path: str, data: bytes) -> Found:
    digest = hashlib.sha256(data).hexdigest()
    source = store / digest
    source.write_bytes(data)
    return Found(path=path, digest=digest, size=len(data), source=source)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """An object of the bucket, with its headers as S3 gives them."""

    body: bytes
    headers: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attacked:
    """`objects` by key; `sites` are entry's own releases by id; `stages` are the API's."""

    live: str
    candidate: str
    old: str
    objects: Mapping[str, Stored]
    sites: Mapping[str, Site]
    routings: Mapping[str, dict[str, Any]]
    sets: Mapping[str, str]

    @property
    def stages(self) -> frozenset[str]:
        return frozenset(each["s"] for each in self.routings.values()) | {"stage-7", "stage-8"}

    def fetch(self, prefix: str, key: str) -> Content | None:
        """As entry reads the bucket."""
        found = self.objects.get(f"{prefix}/{key}")
        return None if found is None else Content(found.body, found.headers["etag"])


@cache
def attacked() -> Attacked:
    """Made once a process."""
    with TemporaryDirectory() as folder:
        store = Path(folder)
        made = {
            "live": _release(store, "live"),
            "candidate": _release(store, "candidate"),
            # an application, whose router knows more and whose rules are others
            "old": _release(store, "old", rules="/app/:page /docs/:page 200\n", spa=True),
        }
        objects: dict[str, Stored] = {}
        for each in made.values():
            objects |= _objects(each, "production")
        for number in (7, 8):
            objects |= _objects(made["live"], f"previews/pr-{number}")
    for secret in ("secret.txt", "index.html", "production/secret.txt", "previews/secret.txt"):
        objects[secret] = _stored(SECRET.encode(), {})
    return Attacked(
        **{name: each.id for name, each in made.items()},
        objects=objects,
        sites={each.id: site_of(manifest(each)) for each in made.values()},
        routings={
            each.id: routing_form(each.routing) | {"s": f"stage-{name}"}
            for name, each in made.items()
        },
        sets={
            f"h/{found.ref.split('.')[0]}.{number}": part
            for each in made.values()
            for found in each.header_sets
            for number, part in enumerate(found.parts)
        },
    )


def _objects(release: Release, prefix: str) -> dict[str, Stored]:
    """As a deploy stores them; every body tells whose it is."""
    made = {
        f"{prefix}/releases/{release.id}/~release.json": _stored(
            manifest(release), {"content-type": "application/json"}
        )
    }
    for file in release.files:
        shared = file.kind is Kind.IMMUTABLE
        place = "assets" if shared else f"releases/{release.id}"
        body = file.source.read_bytes() if file.source else b""
        made[f"{prefix}/{place}/{file.key}"] = _stored(body, _metadata(file, release.id))
    return made


def _metadata(file: File, release: str) -> dict[str, str]:
    told = {
        "content-type": file.content_type,
        "cache-control": file.cache_control,
        "x-amz-meta-jam-kind": str(file.kind),
    }
    if file.kind is not Kind.IMMUTABLE:
        told |= {"x-amz-meta-jam-release": release, "x-amz-meta-jam-headers": file.headers}
    return {name: value for name, value in told.items() if value}


def _stored(body: bytes, told: Mapping[str, str]) -> Stored:
    tag = hashlib.md5(body, usedforsecurity=False).hexdigest()
    return Stored(body=body, headers={"server": "AmazonS3", "etag": f'"{tag}"', **told})


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """What the edges know and who answers at one moment. `own` is entry's release."""

    name: str
    store: Mapping[str, str]
    own: str
    candidate: str = ""
    broken: bool = False  # the bucket, for CloudFront; entry can read it


@cache
def production() -> tuple[State, ...]:
    """Steady, in a rollout as either of entry's versions, taken back, before the store is heard of,
    with a bucket that fails."""
    site = attacked()
    live = {"v": 1, "live": site.live, "r": site.routings[site.live]}
    opened = {**live, "candidate": site.candidate, "rollout": "r1"}
    dead = {**opened, "dead": [site.candidate]}
    told = {
        "token": json.dumps({"t": TOKEN}),
        "bearer": json.dumps({"t": BEARER}),
        "key": json.dumps({"t": KEY}),
        **{f"r/{release}": compact(form) for release, form in site.routings.items()},
        **site.sets,
    }
    steady = {**told, "live": compact(live)}
    return (
        State(name="steady", store=steady, own=site.live),
        State(name="late", store=steady, own=site.old),
        State(name="drawn", store={**told, "live": compact(opened)}, own=site.live,
              candidate=site.candidate),
        State(name="shifted", store={**told, "live": compact(opened)}, own=site.candidate,
              candidate=site.candidate),
        State(name="dead", store={**told, "live": compact(dead)}, own=site.live),
        State(name="unheard", store={}, own=site.live),
        State(name="broken", store=steady, own=site.live, broken=True),
    )  # fmt: skip


@cache
def previews() -> tuple[State, ...]:
    site = attacked()
    seven = {"v": 1, "e": "pr-7", "live": site.live, "n": 2}
    eight = {"v": 1, "e": "pr-8", "live": site.live}
    routing = site.routings[site.live]
    store = {
        f"e/{OPEN}": compact({**seven, "r": {**routing, "s": "stage-7"}}),
        f"e/{LOCKED}": compact(
            {
                **eight,
                "r": {**routing, "s": "stage-8"},
                "a": "shard.execute-api.us-east-1.amazonaws.com",
                **doors("pr-8", password=PASSWORD, bypass=BYPASS),
            }
        ),
        f"r/pr-7/{site.live}": compact(routing),
        f"r/pr-8/{site.live}": compact(routing),
        "token": json.dumps({"t": TOKEN}),
        "bearer": json.dumps({"t": BEARER}),
        **site.sets,
    }
    return (State(name="previews", store=store, own=site.old),)


def a_pass(release: str) -> str:
    """A link's value that opens `release`, as its owner has it."""
    return f"{release}.{pass_of(release, until=NOW + 60, token=TOKEN)}"


def basic(password: str) -> str:
    """What a browser sends for a preview's password."""
    return f"Basic {base64.b64encode(f'{USER}:{password}'.encode()).decode()}"
