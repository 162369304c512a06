"""What a release changes of the one before, as the comment on a pull request tells it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from runner.model import (
    Admission,
    Authorizer,
    Background,
    Function,
    Grants,
    HeaderSet,
    Kind,
    Redirect,
    Release,
    Upkeep,
)
from runner.package.summary import Summary, summary_of, text_of
from runner.plan.changes import Changes, Size
from runner.plan.difference import Difference, difference
from runner.plan.money import Basis, runs_a_month
from tests.builders import a_file, a_function, a_release

LIVE = a_release("before")


def compared(before: Release, after: Release, *, preview: bool = False) -> Difference:
    return difference(summary_of(text_of(before)), summary_of(text_of(after)), preview=preview)


def with_files(*files: Any) -> Release:
    return replace(LIVE, files=files)


def with_functions(*functions: Function) -> Release:
    return replace(LIVE, functions=functions)


def of(changes: Changes) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    return changes.added.first, changes.changed.first, changes.removed.first


def test_pages_are_told_as_a_visitor_writes_them() -> None:
    told = compared(
        with_files(a_file("index.html", "1"), a_file("old/index.html")),
        with_files(a_file("index.html", "2"), a_file("caf~C3~A9/index.html"), a_file("a.html")),
    )
    assert of(told.pages) == (("/a.html", "/café"), ("/",), ("/old",))


def test_files_with_a_hash_in_their_name_are_new_and_never_gone() -> None:
    told = compared(
        with_files(a_file("_a/x.1.js", kind=Kind.IMMUTABLE), a_file("s.css", kind=Kind.ASSET)),
        with_files(a_file("_a/x.2.js", kind=Kind.IMMUTABLE), a_file("s.css", kind=Kind.ASSET)),
    )
    assert (told.hashed.first, len(told.assets), len(told.pages)) == (("/_a/x.2.js",), 0, 0)


@pytest.mark.parametrize(
    ("before", "after", "again"),
    [
        ([a_file("index.html", "same")], [a_file("index.html", "same")], 0),
        ([a_file("index.html", "was")], [a_file("index.html", "longer")], 6),
        ([], [a_file("new/index.html", "first time")], 0),
        ([], [a_file("a.css", "first time", kind=Kind.ASSET)], 0),
        ([], [a_file("x.2.js", "in its place", kind=Kind.IMMUTABLE)], 12),
        ([a_file("x.1.js", kind=Kind.IMMUTABLE)], [a_file("x.1.js", kind=Kind.IMMUTABLE)], 0),
        ([a_file("gone/index.html", "gone")], [], 0),
    ],
)
def test_what_a_returning_visitor_downloads_again(before: Any, after: Any, again: int) -> None:
    assert compared(with_files(*before), with_files(*after)).again == again


def test_the_first_release_has_nothing_to_download_again() -> None:
    told = difference(Summary(), summary_of(text_of(with_files(a_file("index.html", "12345")))))
    assert (told.since, told.again, told.site) == ("", 0, Size(name="", before=None, after=5))
    assert told.pages.added.first == ("/",)


def test_functions_change_by_their_code_and_not_by_what_they_are_given() -> None:
    before = replace(a_function("a"), code_sha256="1")
    settings = replace(before, digest="another", environment=(("STAGE", "preview"),))
    assert len(compared(with_functions(before), with_functions(settings)).functions) == 0
    code = replace(before, code_sha256="2")
    told = compared(with_functions(before, a_function("z")), with_functions(code, a_function("b")))
    assert of(told.functions) == (("b",), ("a",), ("z",))


def test_a_summary_of_before_code_was_told_is_compared_by_digest() -> None:
    old = summary_of(text_of(with_functions(replace(a_function("a", "1"), code_sha256="c"))))
    told = {name: {**each, "code": ""} for name, each in old.functions.items()}
    new = summary_of(text_of(with_functions(replace(a_function("a", "2"), code_sha256="c"))))
    assert difference(replace(old, functions=told), new).functions.changed.first == ("a",)


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ({"memory": 512}, "a: memory 256 → 512 MB"),
        ({"timeout": 30}, "a: timeout 10 → 30 s"),
        ({"runtime": "nodejs26.x"}, "a: runtime nodejs24.x → nodejs26.x"),
        ({"upkeep": Upkeep(log_days=7)}, "a: log days 30 → 7"),
        ({"upkeep": Upkeep(reserved=0)}, "a: reserved none → 0"),
        ({"background": Background(requests=True)}, "a: answers 202 at once no → yes"),
        ({"background": Background(schedule="rate(1 day)")}, "a: schedule none → rate(1 day)"),
        ({"stream": True}, "a: streams its answer no → yes"),
    ],
)
def test_each_setting_of_a_function_is_a_line(setting: Any, told: str) -> None:
    before = a_function("a")
    found = compared(with_functions(before), with_functions(replace(before, **setting)))
    assert found.settings.first == (told,)


def test_a_preview_is_not_told_to_lack_what_no_preview_has() -> None:
    live = replace(
        a_function("a"),
        stream=True,
        background=Background(schedule="rate(1 hour)"),
        environment=(("TOKEN", "x"),),
        grants=Grants(tables=(("notes", "rw"),), secrets=(("KEY", "/key"),)),
    )
    told = compared(with_functions(live), with_functions(a_function("a")), preview=True)
    assert (len(told.settings), len(told.rights), len(told.variables), len(told.money)) == (0,) * 4
    assert told.schedules == (0.0, 0.0)
    gone = compared(with_functions(live), with_functions(a_function("a")))
    assert gone.rights.removed.first == ("secret KEY", "table notes rw")
    assert gone.variables.removed.first == ("TOKEN",)


def test_what_functions_may_do_is_told_with_who_may() -> None:
    grants = Grants(tables=(("notes", "r"),), invoke=("mail",), secrets=(("KEY", "/k"),))
    after = [replace(a_function(name), grants=grants) for name in "abcde"]
    told = compared(LIVE, with_functions(*after))
    who = "(a, b, c and 2 more)"
    assert told.rights.added.first == (
        f"invoke mail {who}",
        f"secret KEY {who}",
        f"table notes r {who}",
    )
    fewer = compared(with_functions(*after[:2]), with_functions(after[0]))
    assert "table notes r (a, b → a)" in fewer.rights.changed.first


def test_of_the_environment_only_names_are_told_and_none_of_ours() -> None:
    after = replace(a_function("a"), environment=(("JAM_TABLE_X", "x"), ("API_KEY", "s3cret")))
    told = compared(LIVE, with_functions(after))
    assert told.variables.added.first == ("API_KEY (a)",)
    assert "s3cret" not in repr(told)


def test_routes_are_told_with_who_may_come_in() -> None:
    staff = Authorizer(name="staff", issuer="https://i.example.com", audience=("a",))
    before = replace(a_function("a"), methods=("GET",))
    after = replace(before, admission=Admission(authorizer=staff))
    told = compared(with_functions(before), with_functions(after, a_function("b")))
    assert of(told.routes) == (
        ("/.functions/b (ANY)",),
        ("/.functions/a (GET → GET, token of staff)",),
        (),
    )


def test_header_rules_are_told_by_what_files_are_sent_with() -> None:
    def site(*sets: tuple[tuple[str, str], ...]) -> Release:
        made = tuple(HeaderSet(ref=f"{i}.1", headers=each, parts=()) for i, each in enumerate(sets))
        files = (
            replace(a_file(f"{i}/index.html"), headers=each.ref) for i, each in enumerate(made)
        )
        return replace(LIVE, files=tuple(files), header_sets=made)

    frame, loose = (("x-frame-options", "DENY"),), (("x-frame-options", "SAMEORIGIN"),)
    told = compared(site(frame, frame, ()), site(loose, loose, (("x-robots-tag", "none"),)))
    assert of(told.headers) == (
        ("x-robots-tag: none (1 file)",),
        ("x-frame-options: DENY → SAMEORIGIN (2 files)",),
        (),
    )
    assert of(compared(site(frame), site(())).headers)[2] == ("x-frame-options (1 file)",)
    assert len(compared(site(frame), site(frame, frame)).headers) == 0


def test_redirect_rules_are_told_as_they_are_written_and_so_is_their_order() -> None:
    one = Redirect(source="/a", target="/b", status=301, force=True)
    two = Redirect(source="/c", target="/d", status=302, query=(("id", ":id"),), countries=("de",))
    before = replace(LIVE, redirects=(one,))
    told = compared(before, replace(LIVE, redirects=(two,)))
    assert of(told.redirects) == (("/c id=:id Country=de → /d 302",), (), ("/a → /b 301!",))
    turned = compared(replace(LIVE, redirects=(one, two)), replace(LIVE, redirects=(two, one)))
    assert turned.redirects.changed.first == ("the order of the rules",)


def test_packages_are_told_with_their_sizes() -> None:
    big = replace(a_function("a"), size=2_000)
    told = compared(with_functions(a_function("a"), a_function("z")), with_functions(big))
    assert told.packages.first == (
        Size(name="a", before=1_000, after=2_000),
        Size(name="z", before=1_000, after=None),
    )


def test_more_memory_costs_more_a_million_and_a_schedule_at_most_what_its_timeouts_cost() -> None:
    before, after = a_function("a"), replace(a_function("a"), memory=512)
    (price,) = compared(with_functions(before), with_functions(after)).money.first
    # 256 MB of arm64 for 100 ms: 0.25 x 0.1 x $0.0000133334, and $0.20 for a million requests.
    assert (price.basis, price.before) == (Basis.MILLION, pytest.approx(0.5333, abs=1e-3))
    assert price.after == pytest.approx(0.8667, abs=1e-3)
    hourly = replace(before, background=Background(schedule="rate(1 hour)"), methods=())
    told = compared(LIVE, with_functions(hourly))
    # 744 runs of 10 s of 256 MB.
    assert told.schedules == (0.0, pytest.approx(744 * (2.5 * 0.0000133334 + 1.2e-6), rel=1e-3))


@pytest.mark.parametrize(
    ("schedule", "runs"),
    [
        ("", None),
        ("rate(5 minutes)", 31 * 288),
        ("rate(1 day)", 31),
        ("cron(0 12 * * ? *)", 31),
        ("cron(0/15 8-17 ? * MON-FRI *)", 4 * 10 * 31),  # a range of names may be all of them
        ("cron(0 0 1 * ? *)", 1),
        ("cron(0 0 L * ? *)", 1),
        ("cron(0 9 ? * MON,THU *)", 10),
        ("cron(0 9 ? * 6#3 *)", 1),
        ("cron(* * * * ? *)", 60 * 24 * 31),
    ],
)
def test_how_often_a_schedule_runs_in_a_month_at_most(schedule: str, runs: float | None) -> None:
    assert runs_a_month(schedule) == runs


def test_what_is_cut_is_counted() -> None:
    files = [a_file(f"p{i:03}/index.html") for i in range(300)]
    told = compared(LIVE, with_files(*files)).cut(2)
    assert (told.pages.added.first, told.pages.added.more) == (("/p000", "/p001"), 298)
    assert (len(told.pages), told.cut(0).pages.added.more) == (300, 300)


def test_equal_releases_differ_in_nothing() -> None:
    site = replace(with_files(a_file("index.html")), functions=(a_function("a"),))
    told = compared(site, site)
    size = Size(name="", before=1, after=1)
    assert told == Difference(since=LIVE.id, site=size)
