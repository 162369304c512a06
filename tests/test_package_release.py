"""From files, rules and functions to a release: keys, marks, routing, manifest, identity."""

import hashlib
import json
import random
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from runner.build.publish import Found
from runner.errors import JamError
from runner.model import File, Function, Kind, Release
from runner.package import headers, redirects
from runner.package.content import IMMUTABLE, REVALIDATE
from runner.package.entry import modules
from runner.package.header_sets import PART
from runner.package.manifest import identity, manifest, routing_text
from runner.package.patterns import matches
from runner.package.release import assemble
from runner.package.routing import WHOLE
from runner.paths import key_of

Make = Callable[..., Release]
HASHED = {"assets/index-CF6EwBb3.js": "", "assets/chunk-Dx1yZ9aB.js": ""}
VITE = {
    ".vite/manifest.json": json.dumps({path: {"file": path, "name": path[7:12]} for path in HASHED})
}


def found_in(store: Path, files: dict[str, str]) -> list[Found]:
    made = []
    for path, text in files.items():
        data = text.encode()
        digest = hashlib.sha256(data).hexdigest()
        source = store / digest[:2] / digest
        source.parent.mkdir(parents=True, exist_ok=True)
        source.write_bytes(data)
        made.append(Found(path=path, digest=digest, size=len(data), source=source))
    return made


def made(
    store: Path, files: dict[str, str], *, header_text: str = "", rules: str = "", **more: object
) -> Release:
    header_rules, _ = headers.parse(header_text, "_headers")
    redirect_rules, _ = redirects.parse(rules, "_redirects")
    return assemble(
        found_in(store, files),
        store,
        headers_of=partial(headers.headers_for, rules=header_rules),
        redirects=redirect_rules,
        **more,  # type: ignore[arg-type]  # tests pass options through
    )


@pytest.fixture
def make(tmp_path: Path) -> Make:
    return partial(made, tmp_path)


def by_path(release: Release) -> dict[str, File]:
    return {it.path: it for it in release.files}


def function(name: str = "hi", **changes: object) -> Function:
    made = Function(
        name=name,
        route=f"/.functions/{name}",
        methods=("ANY",),
        runtime="nodejs22.x",
        handler="index.handler",
        architecture="arm64",
        memory=256,
        timeout=10,
        digest="d" * 32,
        code_sha256="",
        size=1,
        archive=Path("a.zip"),
    )
    return replace(made, **changes)  # type: ignore[arg-type]  # tests change what they like


def test_each_file_has_its_key_kind_type_and_cache_rule(make: Make) -> None:
    files = by_path(make({"index.html": "", "a b.html": "", "x/logo.png": ""} | HASHED | VITE))
    assert {path: (it.key, it.kind, it.cache_control) for path, it in files.items()} == {
        "index.html": ("index.html", Kind.DOCUMENT, REVALIDATE),
        "a b.html": ("a~20b/index.html", Kind.DOCUMENT, REVALIDATE),
        "x/logo.png": ("x/logo.png", Kind.ASSET, REVALIDATE),
        **{path: (path, Kind.IMMUTABLE, IMMUTABLE) for path in HASHED},
    }


def test_rule_files_and_dotfiles_are_not_published_but_well_known_is(make: Make) -> None:
    files = {"_headers": "", "_redirects": "", ".DS_Store": "", ".well-known/a.txt": "", "b.js": ""}
    assert set(by_path(make(files))) == {".well-known/a.txt", "b.js"}


@pytest.mark.parametrize(
    "paths",
    [
        ("about.html", "about/index.html"),
        ("about", "about.html"),
        ("LICENSE", "LICENSE/index.html"),
    ],
)
def test_two_files_for_one_url_are_named_both(make: Make, paths: tuple[str, str]) -> None:
    with pytest.raises(JamError) as caught:
        make(dict.fromkeys((*paths, "other.html"), ""))
    assert caught.value.code == "JAM-ROUTE-CLASH"
    (problem,) = caught.value.problems
    assert problem.where == " and ".join(sorted(paths))
    assert problem.message.startswith("both answer /")


def test_a_path_too_long_for_storage_is_named(make: Make) -> None:
    with pytest.raises(JamError) as caught:
        make({"ü" * 160 + ".html": ""})
    assert caught.value.code == "JAM-ROUTE-LENGTH"


def test_header_rules_travel_as_a_set_named_by_its_content(make: Make) -> None:
    release = make({"index.html": "<p>", "a.js": ""}, header_text="/*\n  X-A: 1\n/a.js\n  X-B: 2\n")
    sets = {it.ref: it for it in release.header_sets}
    page, script = by_path(release)["index.html"], by_path(release)["a.js"]
    assert sets[page.headers].headers == (("x-a", "1"),)
    assert sets[script.headers].headers == (("x-a", "1"), ("x-b", "2"))
    text = "".join(sets[page.headers].parts)
    assert page.headers == f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.1"
    assert json.loads(text) == [["x-a", "1"]]


def test_a_large_header_set_is_cut_into_parts_that_the_store_takes(make: Make) -> None:
    rules = "/*\n" + "".join(f"  X-{n}: {'v' * 1000}\n" for n in range(3))
    (only,) = make({"index.html": ""}, header_text=rules).header_sets
    assert [len(part) for part in only.parts[:-1]] == [PART, PART]
    assert len(only.parts[-1]) <= PART
    assert only.ref.endswith(".3")
    assert len(json.loads("".join(only.parts))) == 3


def test_more_headers_than_cloudfront_sends_are_refused(make: Make) -> None:
    rules = "/*\n" + "".join(f"  X-{n}: {'v' * 4000}\n" for n in range(3))
    with pytest.raises(JamError) as caught:
        make({"index.html": ""}, header_text=rules)
    assert caught.value.code == "JAM-HEADERS-SIZE"


def test_a_page_with_header_rules_ends_in_their_digest_so_that_its_etag_changes(make: Make) -> None:
    before = by_path(make({"index.html": "<h1>hi</h1>"}, header_text="/*\n  X-A: 1\n"))
    after = by_path(make({"index.html": "<h1>hi</h1>"}, header_text="/*\n  X-A: 2\n"))
    page = after["index.html"]
    data = page.source.read_bytes()
    assert data == f"<h1>hi</h1><!-- jam:{page.headers.split('.')[0]} -->".encode()
    assert (page.digest, page.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert page.digest != before["index.html"].digest


def test_other_files_and_pages_without_rules_keep_their_bytes(make: Make) -> None:
    release = make({"index.html": "<p>", "a.js": "a()"}, header_text="/a.js\n  X-A: 1\n")
    assert [it.source.read_bytes() for it in release.files] == [b"a()", b"<p>"]


def test_a_page_in_utf16_keeps_its_bytes(tmp_path: Path) -> None:
    data = "<p>".encode("utf-16")
    (tmp_path / "page").write_bytes(data)
    page = Found(path="a.html", digest="0" * 64, size=len(data), source=tmp_path / "page")
    release = assemble([page], tmp_path, headers_of=lambda _: (("x-a", "1"),))
    assert release.files[0].source.read_bytes() == data


def test_a_rule_for_content_type_becomes_the_files_own(make: Make) -> None:
    release = make({"feed": ""}, header_text="/feed\n  Content-Type: application/rss+xml\n")
    assert release.files[0].content_type == "application/rss+xml"
    assert release.header_sets == ()


@pytest.mark.parametrize(
    ("rules", "left"),
    [
        ("/old /new 301!", {"index.html", "new.html"}),
        ("/old /new 301", {"index.html", "new.html", "old.html"}),
        ("/old /new 200!", {"index.html", "new.html"}),
        ("/old /new 302\n/old /other 301!", {"index.html", "new.html", "old.html"}),
        ("/old /new 302 Country=de\n/old /other 301!", {"index.html", "new.html"}),
        ("/* /index.html 200!", {"index.html"}),
        ("/* /elsewhere 301!", set()),
    ],
)
def test_a_forced_rule_leaves_the_file_out_so_that_entry_answers(
    make: Make, rules: str, left: set[str]
) -> None:
    release = make({"index.html": "", "old.html": "", "new.html": ""}, rules=rules)
    assert set(by_path(release)) == left
    assert len(release.redirects) == len(rules.splitlines())


@pytest.mark.parametrize("condition", ["Country=de", "Language=en", "QUERY"])
def test_a_conditional_forced_rule_over_a_file_is_an_error(make: Make, condition: str) -> None:
    rule = "/old id=:id /new 302!" if condition == "QUERY" else f"/old /new 302! {condition}"
    with pytest.raises(JamError) as caught:
        make({"old.html": ""}, rules=rule)
    assert caught.value.code == "JAM-REDIRECT-CONDITION"
    assert caught.value.problems[0].where == "/old /new"
    assert make({"other.html": ""}, rules=rule).files


def test_the_404_page_is_known_by_its_key(make: Make) -> None:
    assert make({"404.html": ""}).not_found == "404/index.html"
    assert make({"a/404.html": ""}).not_found == ""


def test_fingerprinted_files_share_one_header_set_or_stay_under_the_release(make: Make) -> None:
    rules = "/assets/*\n  X-A: 1\n/assets/index-*\n  X-B: 2\n"
    more = {"assets/third-Qw3eR5tY.js": ""}
    manifest = {path: {"file": path, "name": path[7:12]} for path in HASHED | more}
    files = HASHED | more | {".vite/manifest.json": json.dumps(manifest)}
    release = make(files, header_text=rules)
    kinds = {path: (it.kind, it.cache_control) for path, it in by_path(release).items()}
    assert kinds["assets/index-CF6EwBb3.js"] == (Kind.ASSET, IMMUTABLE)
    assert kinds["assets/chunk-Dx1yZ9aB.js"] == (Kind.IMMUTABLE, IMMUTABLE)
    assert kinds["assets/third-Qw3eR5tY.js"] == (Kind.IMMUTABLE, IMMUTABLE)
    assert release.routing.headers == by_path(release)["assets/chunk-Dx1yZ9aB.js"].headers
    assert "assets/*" not in release.routing.immutable


def test_a_site_without_fingerprints_names_no_pattern_and_no_headers(make: Make) -> None:
    release = make({"index.html": "", "a.js": ""}, header_text="/*\n  X-A: 1\n")
    assert (release.routing.immutable, release.routing.headers) == ((), "")


@pytest.mark.parametrize(
    ("rules", "spa", "expected"),
    [
        ("", None, None),
        ("", True, ("404", "LICENSE", "about", "docs")),
        ("/* /index.html 200", None, ("404", "LICENSE", "about", "docs")),
        ("/* / 200", None, ("404", "LICENSE", "about", "docs")),
        ("/* /index.html 200", False, None),
        ("/old/* /docs/:splat 301\n/ü /about\n/* /index.html 200", None, "old ~C3~BC"),
        ("/:lang/x /about 301\n/* /index.html 200", None, None),
        ("/* /index.html 200\n/:late/x /about 301", None, ("404", "LICENSE", "about", "docs")),
        ("/* /index.html 200 Country=de", None, None),
        ("/* /index.html 302", None, None),
        ("/* /about 200", None, None),
        ("\n".join(f"/a-long-source-{n} /about" for n in range(20)), True, None),
    ],
)
def test_the_router_answers_an_spas_navigations_except_below_other_pages_and_rules(
    make: Make, rules: str, spa: bool | None, expected: tuple[str, ...] | str | None
) -> None:
    files = {"index.html": "", "404.html": "", "about.html": "", "docs/a.html": "", "LICENSE": ""}
    way = make(files | {"app.js": "", "img/a.png": ""}, rules=rules, spa=spa).routing
    if isinstance(expected, str):
        expected = tuple(sorted(["404", "LICENSE", "about", "docs", *expected.split()]))
    assert (way.spa, way.except_below) == (expected is not None, expected or ())


def test_an_spa_that_is_wished_for_is_also_a_rule_for_entry(make: Make) -> None:
    (rule,) = make({"index.html": ""}, spa=True).redirects
    assert (rule.source, rule.target, rule.status, rule.force) == ("/*", "/index.html", 200, False)
    assert make({"index.html": ""}, rules="/* /index.html 200", spa=True).redirects == (rule,)


def test_an_spa_without_a_start_document_is_none(make: Make) -> None:
    assert not make({"a.js": ""}, spa=True).routing.spa


def test_the_api_stage_is_named_by_routes_and_functions(make: Make) -> None:
    stages = [
        make({}, functions=functions).routing.api_stage
        for functions in (
            (),
            (function(),),
            (function(digest="e" * 32),),
            (function(methods=("GET",)),),
            (function("a"), function("b")),
        )
    ]
    assert stages[0] == ""
    assert len(set(stages)) == 5
    assert all(len(it) == 16 for it in stages[1:])
    both = (function("b"), function("a"))
    assert make({"new.html": ""}, functions=both).routing.api_stage == stages[4]


def test_the_manifest_has_the_form_of_the_architecture(make: Make) -> None:
    files = {"index.html": "", "404.html": ""} | HASHED | VITE
    release = make(
        files,
        header_text="/*\n  X-A: 1\n",
        rules="/old id=:id /new/:id 301! Country=de,at Language=en",
        functions=(function(),),
    )
    document = json.loads(manifest(release))
    ref = release.header_sets[0].ref
    assert list(document) == [
        *("v", "release", "files", "redirects", "headers", "routing", "notFound")
    ]
    assert document["files"]["index.html"] == [
        "document",
        "text/html; charset=utf-8",
        REVALIDATE,
        ref,
        by_path(release)["index.html"].digest,
    ]
    assert document["redirects"] == [
        {
            "source": "/old",
            "target": "/new/:id",
            "status": 301,
            "force": True,
            "query": [["id", ":id"]],
            "countries": ["de", "at"],
            "languages": ["en"],
        }
    ]
    assert document["headers"] == {ref: [["x-a", "1"]]}
    stage = release.routing.api_stage
    assert document["routing"] == {"s": stage, "i": ["assets/*"], "h": ref}
    assert document["notFound"] == "404/index.html"


CHANGES = {
    "a file's bytes": {"files": {"index.html": "other", "a.js": ""}},
    "a file's path": {"files": {"index.html": "", "b.js": ""}},
    "a header": {"header_text": "/*\n  X-A: 2\n"},
    "a redirect": {"rules": "/x /z"},
    "the order of redirects": {"rules": "/v /w\n/x /y"},
    "a function": {"functions": (function(digest="e" * 32),)},
    "a route": {"functions": (function(route="/.functions/other"),)},
    "the fallback": {"spa": True},
    "what is immutable": {"immutable": ("a*",)},
}
GIVEN = {
    "files": {"index.html": "", "a.js": ""},
    "header_text": "/*\n  X-A: 1\n",
    "rules": "/x /y\n/v /w",
    "functions": (function(),),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=list(CHANGES))
def test_whatever_a_visitor_can_tell_changes_the_id(make: Make, change: dict[str, object]) -> None:
    assert make(**GIVEN).id != make(**(GIVEN | change)).id


def test_where_things_lie_and_how_functions_are_zipped_does_not_change_the_id(make: Make) -> None:
    elsewhere = (function(archive=Path("/elsewhere.zip"), size=9, code_sha256="x"),)
    assert make(**GIVEN).id == make(**(GIVEN | {"functions": elsewhere})).id
    assert len(make(**GIVEN).id) == 32


NAMES = st.sampled_from(
    ["index.html", "about.html", "a b.txt", "ü/x.js", "docs/1.html", "LICENSE", *HASHED]
)
TEXTS = st.text(alphabet="ab<>\n", max_size=5)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, TEXTS), st.randoms(use_true_random=False))
def test_the_id_depends_on_no_order_of_reading_and_no_folder(
    tmp_path: Path, files: dict[str, str], chance: random.Random
) -> None:
    shuffled = list((files | VITE).items())
    chance.shuffle(shuffled)
    one = made(tmp_path / "one", files | VITE, header_text="/*\n  X-A: 1\n")
    other = made(tmp_path / "other", dict(shuffled), header_text="/*\n  X-A: 1\n")
    assert one == other
    assert manifest(one) == manifest(other)


SEGMENTS = st.text(alphabet="abü-_.", min_size=1, max_size=40).filter(lambda it: it.strip("."))
PATHS = st.lists(SEGMENTS, min_size=1, max_size=3).map("/".join)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    pages=st.sets(PATHS.map(lambda it: f"p{it}.html"), max_size=8),
    lasting=st.sets(PATHS.map(lambda it: f"s{it}.js"), max_size=8),
    spa=st.booleans(),
)
def test_routing_always_fits_and_never_takes_a_file_that_may_change(
    tmp_path: Path, pages: set[str], lasting: set[str], spa: bool
) -> None:
    files = dict.fromkeys({"index.html", "s.css"} | pages | lasting, "")
    assume(len({key_of(path) for path in files}) == len(files))
    release = made(tmp_path, files, spa=spa, immutable=("s*.js",), functions=(function(),))
    assert len(routing_text(release.routing).encode()) <= WHOLE
    for file in release.files:
        found = any(matches(it, file.key) for it in release.routing.immutable)
        assert found == (file.kind is Kind.IMMUTABLE)
        assert file.cache_control == IMMUTABLE or not found


def test_another_program_of_the_entry_makes_another_release(tmp_path: Path) -> None:
    release = assemble((), tmp_path)
    assert identity(release, modules()) == release.id
    assert identity(release, {**modules(), "entry.py": b"pass"}) != release.id
