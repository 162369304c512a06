"""Which files may be kept by browsers for a year, and by which patterns the router finds them."""

import hashlib
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.build.publish import Found
from runner.package.content import content_type
from runner.package.fingerprint import fingerprinted
from runner.package.hashes import looks_hashed
from runner.package.patterns import BUDGET, cover, matches


def found(tmp_path: Path, files: dict[str, object]) -> tuple[Found, ...]:
    """Files with these contents; anything but text is written as JSON."""
    made = []
    for path, content in files.items():
        data = (content if isinstance(content, str) else json.dumps(content)).encode()
        digest = hashlib.sha256(path.encode() + data).hexdigest()
        (tmp_path / digest).write_bytes(data)
        made.append(Found(path=path, digest=digest, size=len(data), source=tmp_path / digest))
    return tuple(made)


VITE = {
    "index.html": {
        "file": "assets/index-CF6EwBb3.js",
        "name": "index",
        "src": "index.html",
        "css": ["assets/index-DbX3abcd.css"],
        "assets": ["assets/logo-B1cD2eF3.png"],
    },
    "_shared-abcdefgh.js": {"file": "assets/shared-abcdefgh.js", "name": "shared"},
    "src/worker.ts": {"file": "assets/worker.js", "name": "worker", "src": "src/worker.ts"},
    "src/my-component.ts": {"file": "assets/my-component.js", "src": "src/my-component.ts"},
    "src/logo.png": {"file": "assets/logo-B1cD2eF3.png", "src": "src/logo.png"},
}
VITE_FILES = {
    "index.html": "",
    "assets/index-CF6EwBb3.js": "",
    "assets/index-DbX3abcd.css": "",
    "assets/logo-B1cD2eF3.png": "",
    "assets/logo-original.png": "copied from public/",
    "assets/worker.js": "",
    "assets/my-component.js": "",
}
SITES = [
    (
        "Vite names its chunks; what lies beside them, or has no hash, is not one of them",
        VITE_FILES | {".vite/manifest.json": VITE},
        {"assets/index-CF6EwBb3.js", "assets/index-DbX3abcd.css", "assets/logo-B1cD2eF3.png"},
    ),
    ("hashed names without a manifest prove nothing", VITE_FILES, set()),
    (
        "Vite before 5 keeps it at the root",
        {"manifest.json": {"a.js": {"file": "assets/a-CF6EwBb3.js"}}, "assets/a-CF6EwBb3.js": ""},
        {"assets/a-CF6EwBb3.js"},
    ),
    (
        "a web app's manifest is none of a bundler's",
        {"manifest.json": {"icons": [{"src": "i-CF6EwBb3.png"}]}, "i-CF6EwBb3.png": ""},
        set(),
    ),
    ("a manifest that is no JSON", {".vite/manifest.json": "{", "a-CF6EwBb3.js": ""}, set()),
    (
        "Vite's manifest for servers lists URLs below a base",
        {
            ".vite/ssr-manifest.json": {"src/App.vue": ["/base/assets/App-CF6EwBb3.js"]},
            "assets/App-CF6EwBb3.js": "",
        },
        {"assets/App-CF6EwBb3.js"},
    ),
    (
        "Create React App",
        {
            "asset-manifest.json": {
                "files": {
                    "main.js": "/static/js/main.0a1b2c3d.js",
                    "static/js/787.4f5e6d7c.chunk.js": "/static/js/787.4f5e6d7c.chunk.js",
                    "index.html": "/index.html",
                    "logo.png": "/static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.png",
                    "robots.txt": "/robots.txt",
                }
            },
            "index.html": "",
            "robots.txt": "",
            "static/js/main.0a1b2c3d.js": "",
            "static/js/787.4f5e6d7c.chunk.js": "",
            "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.png": "",
            "static/media/photo-20240101.jpg": "",
        },
        {
            "static/js/main.0a1b2c3d.js",
            "static/js/787.4f5e6d7c.chunk.js",
            "static/media/logo.6ce24c58023cc2f8fd88fe9d219db6c6.png",
        },
    ),
    (
        "Next's static export: not what lies under the build id",
        {
            "_next/static/aBcD/_buildManifest.js": "",
            "_next/static/chunks/main-0a1b2c3d4e5f6a7b.js": "",
            "_next/static/css/0a1b2c3d4e5f6a7b.css": "",
            "_next/static/media/font.0a1b2c3d.woff2": "",
            "_next/data/aBcD/index.json": "",
        },
        {
            "_next/static/chunks/main-0a1b2c3d4e5f6a7b.js",
            "_next/static/css/0a1b2c3d4e5f6a7b.css",
            "_next/static/media/font.0a1b2c3d.woff2",
        },
    ),
    ("Next's folder without Next", {"_next/static/chunks/main.js": ""}, set()),
    (
        "SvelteKit",
        {"_app/version.json": "", "_app/immutable/entry/start.Dx1.js": "", "_app/env.js": ""},
        {"_app/immutable/entry/start.Dx1.js"},
    ),
    (
        "Nuxt: not its latest build's id",
        {"_nuxt/builds/latest.json": "", "_nuxt/builds/meta/x.json": "", "_nuxt/CF6EwBb3.js": ""},
        {"_nuxt/CF6EwBb3.js"},
    ),
    ("Astro", {"_astro/index.CF6EwBb3.css": "", "logo.svg": ""}, {"_astro/index.CF6EwBb3.css"}),
    (
        "Gatsby: not the results of queries",
        {
            "chunk-map.json": {"app": ["/app-0a1b2c3d4e5f6a7b8c9d.js"]},
            "webpack.stats.json": {"assetsByChunkName": {"c": ["c-1b2c3d4e5f6a7b8c9d0a.js"]}},
            "app-0a1b2c3d4e5f6a7b8c9d.js": "",
            "c-1b2c3d4e5f6a7b8c9d0a.js": "",
            "static/6ce24c58023cc2f8fd88fe9d219db6c6/a1/photo.jpg": "",
            "static/d/123456.json": "",
            "page-data/index/page-data.json": "",
        },
        {
            "app-0a1b2c3d4e5f6a7b8c9d.js",
            "c-1b2c3d4e5f6a7b8c9d0a.js",
            "static/6ce24c58023cc2f8fd88fe9d219db6c6/a1/photo.jpg",
        },
    ),
    (
        "Docusaurus: copies from static/ may lie in the same folder",
        {
            "assets/js/runtime~main.0a1b2c3d.js": "",
            "assets/css/styles.4f5e6d7c.css": "",
            "assets/images/a-6ce24c58023cc2f8fd88fe9d219db6c6.png": "",
            "assets/images/copied-original.png": "",
        },
        {
            "assets/js/runtime~main.0a1b2c3d.js",
            "assets/css/styles.4f5e6d7c.css",
            "assets/images/a-6ce24c58023cc2f8fd88fe9d219db6c6.png",
        },
    ),
    (
        "VitePress",
        {"hashmap.json": {"index.md": "CF6EwBb3"}, "assets/index.md.CF6EwBb3.js": "", "x.js": ""},
        {"assets/index.md.CF6EwBb3.js"},
    ),
    (
        "Angular with a service worker lists copies too",
        {
            "ngsw.json": {
                "hashTable": {
                    "/main-ABCDEFG2.js": "0",
                    "/favicon.ico": "0",
                    "/assets/IMG-20231205Z.jpg": "0",
                }
            },
            "main-ABCDEFG2.js": "",
            "favicon.ico": "",
            "assets/IMG-20231205Z.jpg": "",
        },
        {"main-ABCDEFG2.js"},
    ),
    ("plain files", {"index.html": "", "app-CF6EwBb3.js": "", "a.0a1b2c3d.css": ""}, set()),
]


@pytest.mark.parametrize(
    ("files", "expected"), [it[1:] for it in SITES], ids=[it[0] for it in SITES]
)
def test_only_what_a_bundler_or_its_documentation_vouches_for_counts(
    tmp_path: Path, files: dict[str, object], expected: set[str]
) -> None:
    assert fingerprinted(found(tmp_path, files)) == expected


def test_a_hash_without_digit_or_capital_counts_among_many_that_have_them(tmp_path: Path) -> None:
    chunks = {f"c{n}": {"file": f"assets/c{n}-Ab{n:02}xyZ9.js", "name": f"c{n}"} for n in range(19)}
    unlucky = {"u": {"file": "assets/u-abcdefgh.js", "name": "u"}}
    manifest = chunks | unlucky
    files = {str(it["file"]): "" for it in manifest.values()}
    kept = fingerprinted(found(tmp_path, files | {".vite/manifest.json": manifest}))
    assert kept == set(files)


def test_a_constant_suffix_is_no_hash(tmp_path: Path) -> None:
    names = ("main", "admin", "login")
    manifest = {it: {"file": f"{it}.production.js", "name": it} for it in names}
    files = {f"{it}.production.js": "" for it in names}
    assert fingerprinted(found(tmp_path, files | {".vite/manifest.json": manifest})) == set()


def test_the_sites_own_word_counts_but_never_for_a_page(tmp_path: Path) -> None:
    files = found(tmp_path, {"fonts/a.woff2": "", "fonts/index.html": "", "other.woff2": ""})
    assert fingerprinted(files, ("fonts/*",)) == {"fonts/a.woff2"}


@pytest.mark.parametrize(
    ("path", "hashed"),
    [
        ("index-CF6EwBb3.js", True),
        ("index-Jg37eBW-.css", True),
        ("main.0a1b2c3d.js", True),
        ("787.0a1b2c3d.chunk.js", True),
        ("logo.6ce24c58023cc2f8fd88fe9d219db6c6.png", True),
        ("photo.CF6EwBb3_Z1abcd.webp", True),
        ("logo-original.png", False),
        ("photo-20240101.jpg", False),
        ("jquery-3.7.1.min.js", False),
        ("MyComponent.js", False),
        ("polyfills.js", False),
        ("README", False),
    ],
)
def test_a_hash_in_a_name_is_told_from_a_word_a_date_and_a_version(path: str, hashed: bool) -> None:
    assert looks_hashed(path) is hashed


@pytest.mark.parametrize(
    ("pattern", "key", "matched"),
    [
        ("assets/*", "assets/a/b.js", True),
        ("assets/*.js", "assets/a.css", False),
        ("assets/*.js", "assets/.js", True),
        ("ab*ba", "aba", False),
        ("ab*ba", "abba", True),
        ("assets/*", "x/assets/a", False),
    ],
)
def test_a_pattern_is_two_ends_that_share_no_character(
    pattern: str, key: str, matched: bool
) -> None:
    assert matches(pattern, key) is matched


@pytest.mark.parametrize(
    ("keys", "others", "expected"),
    [
        (["assets/a.js", "assets/b.css"], ["index.html"], ("assets/*",)),
        (["assets/a.js", "assets/b.js"], ["assets/logo.png"], ("assets/*.js",)),
        (["assets/a.js"], ["assets/b.js"], ()),
        (["assets/chunk-a.js", "assets/chunk-b.js"], ["assets/x.js"], ("assets/chunk-*.js",)),
        (["_nuxt/a.js", "_nuxt/b.css"], ["_nuxt/builds/l.json"], ("_nuxt/*.css", "_nuxt/*.js")),
        (["a/b/1.js", "a/c/2.js"], ["a/d/3.css"], ("a/*.js",)),
        (["assets/a.js"], ["assets/index.html"], ("assets/*.js",)),
        ([], ["index.html"], ()),
    ],
)
def test_few_patterns_cover_what_they_can(
    keys: list[str], others: list[str], expected: tuple[str, ...]
) -> None:
    assert cover(keys, others) == expected


SEGMENT = st.sampled_from(["a", "b", "assets", "a-b", "x.js", "y.css", ".js", "a-1.js", "c.min.js"])
KEY = st.lists(SEGMENT, min_size=1, max_size=4).map("/".join)


@given(st.sets(KEY, max_size=30), st.sets(KEY, max_size=30), st.integers(2, 300))
def test_no_other_key_ever_matches_and_the_budget_holds(
    keys: set[str], others: set[str], budget: int
) -> None:
    keys -= others
    chosen = cover(keys, others, budget=budget)
    assert not [key for key in others for it in chosen if matches(it, key)]
    assert all(it.count("*") == 1 for it in chosen)
    assert all(any(matches(it, key) for key in keys) for it in chosen)
    assert not chosen or len(json.dumps(chosen, separators=(",", ":"))) <= budget
    assert chosen == cover(sorted(keys, reverse=True), sorted(others), budget=budget)


def test_a_large_site_gets_its_patterns_in_a_moment() -> None:
    keys = [f"static/{n % 500:03}/f{n}.js" for n in range(50_000)]
    others = [f"pages/p{n}/index.html" for n in range(50_000)] + ["static/x.txt"]
    chosen = cover(keys, others)
    assert chosen == ("static/*.js",)
    assert BUDGET == 250


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("index.html", "text/html; charset=utf-8"),
        ("a.htm", "text/html; charset=utf-8"),
        ("a.js", "text/javascript; charset=utf-8"),
        ("a.mjs", "text/javascript; charset=utf-8"),
        ("a.css", "text/css; charset=utf-8"),
        ("a.json", "application/json; charset=utf-8"),
        ("a.js.map", "application/json; charset=utf-8"),
        ("a.svg", "image/svg+xml; charset=utf-8"),
        ("site.webmanifest", "application/manifest+json; charset=utf-8"),
        ("sitemap.xml", "application/xml; charset=utf-8"),
        ("a.txt", "text/plain; charset=utf-8"),
        ("A.PNG", "image/png"),
        ("a.avif", "image/avif"),
        ("a.wasm", "application/wasm"),
        ("a.woff2", "font/woff2"),
        ("a.ttf", "font/ttf"),
        (".well-known/apple-app-site-association", "application/json; charset=utf-8"),
        ("LICENSE", "application/octet-stream"),
        ("a.unknown", "application/octet-stream"),
        ("v1.2/LICENSE", "application/octet-stream"),
    ],
)
def test_a_files_type_follows_from_its_name_alone(path: str, expected: str) -> None:
    assert content_type(path) == expected


def test_in_a_bundlers_own_folder_names_with_a_hash_are_believed(tmp_path: Path) -> None:
    files = found(
        tmp_path, {**VITE_FILES, "logo-CF6EwBb3.png": "", "assets/page-CF6EwBb3.html": ""}
    )
    assert fingerprinted(files, (), "assets") == {
        "assets/index-CF6EwBb3.js",
        "assets/index-DbX3abcd.css",
        "assets/logo-B1cD2eF3.png",
    }
