"""Which files carry their own content's hash in their name, so that a browser may keep them.

Evidence is a bundler's manifest, a folder that its framework documents as content-hashed, or the
site's own word (`build.immutable`). Names alone prove nothing: copies from `public/` may lie among
Rollup's, so that they count only where a manifest names them (Vite's `build.manifest: true`) or the
repository shows that none do (runner/config/hashed.py). Reads manifests from the content store;
pure otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from runner.build.publish import Found
from runner.package.content import is_document
from runner.package.hashes import looks_hashed, named_with_hash
from runner.package.patterns import matches

Files = Mapping[str, Found]
Reader = Callable[[Any, Files], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Documented:
    """A folder whose files a framework documents as content-hashed.

    `marker` is a file that only this framework writes; `files` are paths.
    """

    marker: re.Pattern[str]
    files: re.Pattern[str]
    hash_seen: bool = False  # also ask each name: the folder may hold copies


DOCUMENTED = (
    # Next.js, "Self-Hosting", Caching: static assets carry a hash in their name and are sent as
    # immutable; "Supporting Immutable Static Assets". Not `_next/static/<build id>/`.
    Documented(
        re.compile(r"_next/static/[^/]+/_buildManifest\.js"),
        re.compile(r"_next/static/(?:chunks|css|media|immutable)/.+"),
    ),
    # SvelteKit, "Configuration", appDir, and its adapters: sends `_app/immutable` as immutable.
    Documented(re.compile(r"_app/version\.json"), re.compile(r"_app/immutable/.+")),
    # Nuxt sends `_nuxt/` for a year, `_nuxt/builds/latest.json` for a second (nuxt/nuxt#19335).
    Documented(re.compile(r"_nuxt/builds/latest\.json"), re.compile(r"_nuxt/(?!builds/).+")),
    # Astro, "Configuration Reference", build.assets; changeset of withastro/astro#5842: one folder
    # for what is built, so that it can be cached as immutable.
    Documented(re.compile(r"_astro/.+"), re.compile(r"_astro/.+")),
    # Gatsby, "Caching Static Sites", Static files: the path holds a hash of the contents. Not
    # `static/d/`, named after the query.
    Documented(re.compile(r"chunk-map\.json"), re.compile(r"static/[0-9a-f]{32}/.+")),
    # Docusaurus' own site, static/_headers: files that webpack processed are safe to keep.
    Documented(
        re.compile(r"(?:.+/)?assets/js/runtime~main\.[0-9a-f]{8}\.js"),
        re.compile(r"(?:.+/)?assets/(?:js|css|images|medias|files|fonts)/.+"),
        hash_seen=True,
    ),
    # VitePress, "Deploy Your VitePress Site", HTTP Cache Headers.
    Documented(re.compile(r"hashmap\.json"), re.compile(r"assets/.+"), hash_seen=True),
)


def fingerprinted(
    found: tuple[Found, ...], immutable: tuple[str, ...] = (), hashed: str = ""
) -> frozenset[str]:
    """The paths of fingerprinted files; `immutable` are patterns with one `*` over paths.

    `hashed` is a folder that holds nothing but a bundler's output: names with a hash are believed
    there. A page is never one of them, whatever a pattern says.
    """
    files = {it.path: it for it in found}
    named = _from_manifests(files) | _from_folders(files)
    named |= {path for path in files if any(matches(pattern, path) for pattern in immutable)}
    named |= {path for path in files if path.startswith(f"{hashed}/") and looks_hashed(path)}
    return frozenset(it for it in named if not files[it].hidden and not is_document(it))


def _from_manifests(files: Files) -> frozenset[str]:
    present = [(files[name], reader) for name, reader in MANIFESTS.items() if name in files]
    return frozenset().union(*(reader(_parsed(file), files) for file, reader in present))


def _parsed(file: Found) -> Any:
    try:
        return json.loads(file.source.read_bytes())
    except (ValueError, RecursionError):
        return None  # some other program's file of the same name


def _from_folders(files: Files) -> frozenset[str]:
    present = [
        it for it in DOCUMENTED if any(it.marker.fullmatch(path) for path in files)
    ]  # fmt: skip
    return frozenset(
        path
        for path in files
        for it in present
        if it.files.fullmatch(path) and (not it.hash_seen or looks_hashed(path))
    )


def _vite(manifest: Any, files: Files) -> frozenset[str]:
    """Vite's manifest: each chunk with its own name, and the style sheets and assets it needs.

    Source: Vite, "Backend Integration".
    """
    if not isinstance(manifest, dict):
        return frozenset()
    named: dict[str, str] = {}
    others: set[str] = set()
    for key, chunk in manifest.items():
        if not isinstance(chunk, dict) or not isinstance(chunk.get("file"), str):
            continue
        for path in _resolved(chunk["file"], files):
            base = str(chunk.get("name") or _stem(str(chunk.get("src") or key)))
            named[path] = base.rsplit("/", 1)[-1]
        lists = (chunk.get(kind) for kind in ("css", "assets"))
        others |= {it for listed in lists for url in _texts(listed) for it in _resolved(url, files)}
    sure = named_with_hash(named.items())
    bare = {path for path, base in named.items() if _stem(path) == base}
    return sure | {it for it in (others | named.keys()) - bare - sure if looks_hashed(it)}


def _listed(manifest: Any, files: Files) -> frozenset[str]:
    """Any other manifest: every file that it names, if its name also shows a hash."""
    named = {path for text in _texts(manifest) for path in _resolved(text, files)}
    return frozenset(path for path in named if looks_hashed(path))


def _ngsw(manifest: Any, files: Files) -> frozenset[str]:
    """Angular's service worker lists copies too: only what its builder names `-ABCDEFGH`."""
    return frozenset(
        path
        for path in _listed(manifest, files)
        if re.search(r"-[A-Z0-9]{8}\.(?:js|css)$|(?:^|/)media/.+-[A-Z0-9]{8}\.\w+$", path)
    )


MANIFESTS: dict[str, Reader] = {
    ".vite/manifest.json": _vite,
    "manifest.json": _vite,  # before Vite 5; a web app's manifest has another shape
    ".vite/ssr-manifest.json": _listed,
    "ssr-manifest.json": _listed,
    "asset-manifest.json": _listed,  # Create React App, webpack-manifest-plugin
    "webpack.stats.json": _listed,  # Gatsby
    "chunk-map.json": _listed,  # Gatsby
    "parcel-manifest.json": _listed,  # @parcel/reporter-bundle-manifest
    "ngsw.json": _ngsw,
}


def _texts(value: Any) -> Iterator[str]:
    """All texts in a JSON value, names of members included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from _texts(member)
    elif isinstance(value, list):
        for member in value:
            yield from _texts(member)


def _resolved(url: str, files: Files) -> Iterator[str]:
    """The file that a manifest means by `url`, with or without the site's base path."""
    try:
        path = unquote(urlsplit(url).path).lstrip("/")
    except ValueError:
        return
    while path:
        if path in files:
            yield path
            return
        path = path.partition("/")[2]


def _stem(path: str) -> str:
    return path.rsplit("/", 1)[-1].rpartition(".")[0]
