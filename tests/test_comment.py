"""The comment and the job's summary: what they tell, how long they get, what text from outside
can do in them once GitHub's own parser has read it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cmarkgfm
import pytest
from cmarkgfm.cmark import Options
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.action.releasing import pictured
from runner.errors import site_error
from runner.model import Origin
from runner.plan.changes import Changes, Size, Some
from runner.plan.difference import Difference
from runner.plan.money import Basis, Price
from runner.report.comment import (
    Row,
    State,
    body,
    fault_of,
    merged,
    rollout_svg,
    state_of,
    summary,
)
from runner.report.comment.foreign import block, code, link
from runner.report.comment.kept import kept
from runner.report.text import Check, Outcome

COMMIT, OTHER = "3f9c1e7ab04d5c6e8f7012a3b4c5d6e7f8091a2b", "8d01c2b" + "0" * 33
RUN = "https://github.com/octo/notes/actions/runs/7"
URL = "https://pr-7.preview.example.com"
AT = 1_795_287_297


def an_outcome(outcome: str = "live", *, environment: str = "pr-7", **more: Any) -> Outcome:
    told = {
        "site": "notes", "environment": environment, "release": "a" * 32, "previous": "",
        "url": URL, "api_url": "https://x.execute-api.eu-central-1.amazonaws.com/pr-7",
        "prefix": "previews/pr-7/releases/a/", "outcome": outcome, "seconds": 31.4, "calls": 61,
    }  # fmt: skip
    return Outcome(**{**told, **more})


def a_row(state: State = State.READY, **more: Any) -> Row:
    origin = Origin(commit=COMMIT, branch="topic", workflow="w.yml", number=4, attempt=1)
    told = {"site": "notes", "state": state, "at": AT, "origin": origin, "run_url": RUN}
    if state in (State.READY, State.UNCHANGED):
        told["outcome"] = an_outcome()
    return Row(**{**told, **more})


def names(*some: str) -> Some[str]:
    return Some(first=some)


def html_of(markdown: str) -> str:
    """As GitHub reads it, before anything is taken out of it: nothing may rest on that."""
    return cmarkgfm.github_flavored_markdown_to_html(markdown, options=Options.CMARK_OPT_UNSAFE)


class Seen(HTMLParser):
    """The elements of a page, its links, and its text: all, and what stands outside of code."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text, self.outside = "", ""
        self._open: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self._open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        while self._open and self._open.pop() != tag:
            pass

    def handle_data(self, data: str) -> None:
        self.text += data
        if not {"code", "pre", "a"} & set(self._open):
            self.outside += data


def seen(markdown: str) -> Seen:
    return Seen(html_of(markdown))


# What a comment of ours may consist of, whoever wrote what is in it.
OURS = {
    "a", "b", "br", "code", "details", "h3", "hr", "li", "p", "pre", "strong", "summary",
    "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def test_a_ready_preview_tells_where_it_is_and_what_it_is() -> None:
    row = a_row(
        password="plum-otter",
        bypass="b1p2",
        commit_url="https://aaaaaaaa--pr-7.preview.example.com",
        stages=(("build", 14.2),),
    )
    told = seen(body([row]))
    for part in ("Preview ready", "pr-7.preview.example.com", "18:54 UTC", "keeps its files",
                 "plum-otter", "3f9c1e7", "x-jam-bypass: b1p2", "previews/pr-7/releases/a/",
                 "14.2 s", "https://x.execute-api.eu-central-1.amazonaws.com/pr-7",
                 "61 AWS calls"):  # fmt: skip
        assert part in told.text
    assert set(told.links) == {
        URL, row.commit_url, RUN, f"https://github.com/octo/notes/commit/{COMMIT}"
    }  # fmt: skip


def test_an_open_preview_has_no_word_of_passwords() -> None:
    told = seen(body([a_row()])).text
    assert "assword" not in told
    assert "bypass" not in told


def test_a_summary_never_has_the_password_or_the_token() -> None:
    told = summary(a_row(password="plum-otter", bypass="b1p2"))
    assert "plum-otter" not in told
    assert "b1p2" not in told
    assert "The password is in the comment" in told


DIFFERENCE = Difference(
    since="b" * 32,
    pages=Changes(added=names("/new"), changed=names("/", "/b"), removed=names("/old")),
    again=48_211,
    functions=Changes(changed=names("notes")),
    settings=names("notes: memory 256 → 512 MB"),
    rights=Changes(added=names("table notes r (notes)")),
    variables=Changes(added=names("API_KEY (notes)")),
    packages=Some(first=(Size(name="notes", before=1_000, after=2_000),)),
    money=Some(first=(Price(name="notes", basis=Basis.MILLION, before=0.53, after=0.87),)),
    site=Size(name="", before=90_000, after=100_000),
)


def test_what_changes_is_told_in_a_line_and_in_full() -> None:
    told = seen(body([a_row(difference=DIFFERENCE)])).text
    assert "1 page added, 2 changed, 1 removed · 1 function changed · 1 permission added" in told
    for part in ("downloads 48.2 KB again", "/new", "/old", "memory 256 → 512 MB", "API_KEY",
                 "table notes r", "1.0 KB → 2.0 KB", "USD 0.53 → 0.87",
                 "90.0 KB → 100.0 KB"):  # fmt: skip
        assert part in told


def test_that_nothing_changes_for_visitors_is_told_too() -> None:
    assert "Nothing changes for visitors" in body([a_row(difference=Difference(since="b"))])


def test_the_first_release_is_told_as_such() -> None:
    first = Difference(
        pages=Changes(added=names("/")), site=Size(name="", before=None, after=1_000)
    )
    assert "The first release: 1 page, 1.0 KB in all" in body([a_row(difference=first)])


ERROR = site_error(
    "JAM-BUILD-FAILED", "`npm run build` ended with status 1", hint="Look at line 14."
)


def test_a_failed_build_tells_error_way_out_and_last_lines() -> None:
    row = a_row(State.FAILED, fault=fault_of(ERROR), last_lines=("src/a.ts:14: error", "exit 1"))
    told = seen(body([row])).text
    for part in ("Preview failed", "JAM-BUILD-FAILED", "`npm run build` ended", "Look at line 14.",
                 "The last 2 lines of the build", "src/a.ts:14: error"):  # fmt: skip
        assert part in told


def test_lines_that_the_error_has_itself_are_not_told_again() -> None:
    error = site_error("JAM-BUILD-FAILED", "it ended with 1:\nsrc/a.ts:14: error", hint="")
    text = body([a_row(State.FAILED, fault=fault_of(error), last_lines=("src/a.ts:14: error",))])
    assert seen(text).text.count("src/a.ts:14: error") == 1


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (State.QUEUED, "Preview is queued"),
        (State.BUILDING, "Preview is being built"),
        (State.UNCHANGED, "nothing new"),
        (State.REMOVED, "Preview removed"),
        (State.SUPERSEDED, "Preview superseded"),
        (State.SKIPPED, "Preview skipped"),
    ],
)
def test_each_state_has_its_words(state: State, said: str) -> None:
    assert said in seen(body([a_row(state, note="because")])).text


def test_a_preview_that_is_gone_has_no_address_left() -> None:
    shown = body([a_row()])
    gone = body(merged(shown, a_row(State.REMOVED, outcome=an_outcome("removed"), at=AT + 1)))
    assert URL not in seen(gone).links


@pytest.mark.parametrize("state", [State.QUEUED, State.BUILDING, State.FAILED])
def test_what_still_answers_stays_in_the_comment_with_the_commit_it_shows(state: State) -> None:
    shown = body([a_row(password="plum-otter")])
    newer = Origin(commit=OTHER, workflow="w.yml", number=5, attempt=1)
    text = body(merged(shown, a_row(state, origin=newer, at=AT + 9)))
    again = body(merged(text, a_row(state, origin=replace(newer, number=6), at=AT + 19)))
    for comment in (text, again):
        told = seen(comment)
        assert URL in told.links
        assert "plum-otter" in told.text
        assert re.search(r"shows (until then )?3f9c1e7", told.text)


def test_a_run_that_is_older_or_superseded_changes_nothing() -> None:
    shown = body([a_row()])
    older = Origin(commit=OTHER, workflow="w.yml", number=3, attempt=2)
    for row in (a_row(State.FAILED, origin=older, at=AT + 5), a_row(State.SUPERSEDED, at=AT + 5)):
        assert merged(shown, row) == kept(shown)


def test_a_preview_that_gc_took_says_why_and_how_it_comes_back() -> None:
    told = seen(body([a_row(State.REMOVED, note="nothing was pushed for 14 days")])).text
    assert "nothing was pushed for 14 days" in told
    assert "reopened, or with the next push" in told


def test_a_first_build_that_fails_shows_no_commit() -> None:
    building = body([a_row(State.BUILDING)])
    failed = merged(building, a_row(State.FAILED, fault=fault_of(ERROR), at=AT + 1))
    assert [row.shows for row in failed] == [""]


def test_sites_that_are_all_gone_are_told_as_such() -> None:
    gone = [a_row(State.REMOVED, site=site) for site in ("docs", "notes")]
    assert "🧹 2 previews removed" in seen(body(gone)).text


def test_what_a_domain_still_waits_for_is_in_the_comment_and_on_the_jobs_page() -> None:
    lacks = ("the certificate waits: CNAME  _a.example.com  ->  _b.acm-validations.aws.",)
    row = a_row(outcome=an_outcome(lacks=lacks))
    other = a_row(site="docs")
    for told in (body([row]), body([row, other]), summary(row)):
        assert "CNAME _a.example.com -> _b.acm-validations.aws" in seen(told).text
    assert "Still to be done" not in body([other])


def test_another_sites_run_changes_its_own_line_alone() -> None:
    first = body([a_row(site="docs", password="plum-otter", difference=DIFFERENCE)])
    both = body(merged(first, a_row(State.BUILDING, site="admin")))
    done = body(merged(both, a_row(site="admin", at=AT + 60)))
    assert kept(done)[1] == kept(first)[0]
    told = seen(done).text
    assert "2 previews ready" in told
    assert "plum-otter" in told
    assert [row.site for row in kept(done)] == ["admin", "docs"]


def test_one_failure_among_several_sites_is_the_title_and_stands_open() -> None:
    rows = (a_row(site="docs"), a_row(State.FAILED, site="notes", fault=fault_of(ERROR)))
    text = body(rows)
    assert "1 of 2 previews failed" in text
    assert text.count("<details open>") == 1


def test_a_comment_that_has_the_row_needs_no_writing_even_where_it_was_cut() -> None:
    lines = tuple(f"line {i}" for i in range(5_000))
    row = a_row(State.FAILED, last_lines=lines, fault=fault_of(ERROR))
    written = f"<!-- marker -->\n{body(merged('', row))}"
    assert merged(written, row) == kept(written)


@pytest.mark.parametrize(
    "planted",
    [
        "", "<!-- jam-deploy:rows [] -->", "<!-- jam-deploy:rows {\"a\": 1} -->",
        "<!-- jam-deploy:rows [{\"site\": 1}] -->",
        "<!-- jam-deploy:rows [" + "[" * 60_000 + "] -->",
        "<!-- jam-deploy:rows [{\"site\": \"a\", \"state\": \"owned\", \"at\": 1}] -->",
    ],
)  # fmt: skip
def test_what_does_not_read_as_rows_counts_as_none(planted: str) -> None:
    assert kept(planted) == ()


def test_a_job_tells_the_state_of_what_it_did() -> None:
    assert state_of(an_outcome()) is State.READY
    assert state_of(an_outcome(environment="production")) is State.LIVE
    assert state_of(an_outcome("rolled_back", environment="production")) is State.ROLLED_BACK
    assert state_of(an_outcome("removed")) is State.REMOVED


@pytest.mark.parametrize("sites", [1, 3, 40, 400])
def test_a_comment_is_never_longer_than_github_takes(sites: int) -> None:
    nasty = "@" * 40
    many = Some(first=tuple(f"/{nasty}/{i}" for i in range(2_000)))
    changes = Changes(added=many, changed=many, removed=many)
    huge = Difference(
        since="b", pages=changes, assets=changes, hashed=many, functions=changes, settings=many,
        routes=changes, headers=changes, redirects=changes, rights=changes, variables=changes,
        packages=Some(first=tuple(Size(name=nasty, before=1, after=i) for i in range(500))),
    )  # fmt: skip
    checks = tuple(Check(name=nasty, outcome="passed") for _ in range(2_000))
    error = replace(fault_of(ERROR), message="\n".join([nasty] * 500), hint=nasty * 40)
    rows = [
        a_row(
            State.FAILED, site=f"site-{i}", outcome=an_outcome(checks=checks), difference=huge,
            fault=error, last_lines=(nasty,) * 500, note=nasty * 50, qr=True, at=AT + i,
            password="p", stages=((nasty, 1.0),) * 30,
        )
        for i in range(sites)
    ]  # fmt: skip
    text = body(rows)
    assert len(text) < 65_000
    assert len(summary(rows[0])) < 1_000_000
    told = kept(text)
    assert told
    assert rows[-1].site in {row.site for row in told}
    if len(told) < sites:
        assert f"and {sites - len(told)} more site" in text
    else:
        assert "2,000" in text or re.search(r"1,9\d\d more", text)


def test_checks_that_are_cut_are_still_counted_and_failed_ones_come_first() -> None:
    checks = (*(Check(name=f"/{i}", outcome="passed") for i in range(500)),
              Check(name="/broken", outcome="failed", detail="500"))  # fmt: skip
    first = body([a_row(outcome=an_outcome(checks=checks))])
    again = body(merged(first, a_row(site="other")))
    for text in (first, again):
        assert "1 of 501 checks failed" in text
        assert "/broken" in seen(text).text


# Text from outside

HOSTILE = [
    "@octocat", "@org/team", "x@octocat.com", "x`whoami`", "a|b", "a\\|b", "${{github.token}}",
    "\u202egpj.exe", "<script>alert(1)</script>", "<img src=https://evil.example/x.png>",
    "![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "https://evil.example",
    "see www.evil.example", "a~~b~~c", "__a__",
    "(WwW.evil.example", "ftp://evil.example", "mailto:a@b.example",
    "</code></pre></details>", "-->", "<!-- jam-deploy:rows [] -->", "&lt;b&gt;&#60;b&#62;",
    "\n\n# heading\n\n- item", "```\ncode\n```", "~~~", "#1", "octo/notes#1", "GH-1", ":tada:",
    "\r\x1b[31mred\x07", "z\u0300" * 50 + "\u0300" * 500, "[^1]", "$x$", "|---|", "\\", "`", "``",
    "e\u2066\u2069\u200e\u061c\ufeff", "\udcff", "[x]: https://evil.example", "<a@b.example>",
]  # fmt: skip
words = st.lists(
    st.one_of(st.sampled_from(HOSTILE), st.text(max_size=8)), min_size=1, max_size=6
).map(lambda some: "".join(some)[:120])


def rows_of(foreign: str) -> Iterator[Row]:
    """Rows in which all that can be foreign is."""
    some = names(foreign, f"/{foreign}")
    changes = Changes(added=some, changed=some, removed=some)
    difference = Difference(
        since=foreign, pages=changes, assets=changes, hashed=some, again=1, functions=changes,
        settings=some, routes=changes, headers=changes, redirects=changes, rights=changes,
        variables=changes, packages=Some(first=(Size(name=foreign, before=1, after=2),)),
        money=Some(first=(Price(name=foreign, basis=Basis.MILLION, before=1.0, after=2.0),
                          Price(name=foreign, basis=Basis.SCHEDULE, before=None, after=2.0))),
        schedules=(0.0, 2.0),
    )  # fmt: skip
    check = Check(name=foreign, outcome="failed", detail=foreign)
    outcome = an_outcome(
        release=foreign, previous=foreign, url=f"{URL}/{foreign}", api_url=foreign, prefix=foreign,
        checks=(check,), rollout={"outcome": foreign, "why": foreign},
    )  # fmt: skip
    whole = a_row(
        site=foreign, outcome=outcome, difference=difference, note=foreign, password=foreign,
        bypass=foreign, commit_url=f"{URL}/{foreign}",
        run_url=f"{URL}?{foreign}", stages=((foreign, 1.0),),
        origin=Origin(commit=foreign, branch=foreign),
    )  # fmt: skip
    yield whole
    error = site_error(foreign, f"{foreign}\n{foreign}", hint=foreign)
    yield replace(whole, state=State.FAILED, fault=fault_of(error), last_lines=(foreign, foreign))


def cells(html: str) -> set[int]:
    """How many cells the rows of each table have."""
    rows = re.findall(r"<tr>.*?</tr>", html, re.DOTALL)
    return {len(re.findall(r"<t[dh]\b", row)) for row in rows}


def assert_harmless(markdown: str, *, links: set[str]) -> None:
    html = html_of(markdown)
    told = Seen(html)
    assert set(told.tags) <= OURS
    assert told.attributes <= {"href", "open"}
    ours = {each for each in told.links if re.fullmatch(rf"{URL}/[\w.~/-]*", each, re.ASCII)}
    assert set(told.links) <= links | ours
    assert cells(html) <= {3, 4, 5}
    # GitHub makes mentions, references and emoji of text that is not code.
    assert not re.search(r"[@#`<>\[\]|$^~\\]", told.outside.replace("UTC", ""))
    assert "evil.example" not in told.outside
    assert "tada" not in told.outside
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200e\u200f\u061c\ufeff\x1b\r\x07]", markdown)
    assert not re.search(r"\u0300{4}", markdown)


@pytest.mark.parametrize("foreign", HOSTILE)
def test_nothing_known_from_attacks_does_anything(foreign: str) -> None:
    for row in rows_of(foreign):
        assert_harmless(body([row]), links={URL})
        assert_harmless(body([row, replace(row, site="b")]), links={URL})
        assert_harmless(summary(row), links={URL})


@settings(max_examples=60)  # each is read five times by GitHub's parser
@given(words)
def test_no_text_from_outside_is_more_than_text(foreign: str) -> None:
    for row in rows_of(foreign):
        plain = a_row(site="b")
        text = body([row, plain])
        assert_harmless(text, links={URL, RUN, f"https://github.com/octo/notes/commit/{COMMIT}"})
        assert_harmless(summary(row), links={URL})
        # What the comment remembers is what it was told, and nobody else's.
        assert [each.state for each in kept(text)] == [row.state, plain.state]
        assert kept(text)[1] == plain


@given(words)
def test_text_from_outside_is_still_read_as_it_was(foreign: str) -> None:
    said = seen(f"x {code(foreign)} y").text
    wanted = foreign.encode("utf-8", "replace").decode()
    for character in set(wanted) & set("@#`<>[]|&\\*_~:azAZ019"):
        assert said.count(character) >= min(wanted.count(character), 1)


def test_a_table_takes_any_cell_and_a_block_any_line() -> None:
    for foreign in HOSTILE:
        table = html_of(f"| a | b |\n|---|---|\n| {code(foreign)} | x |")
        assert cells(table) == {2}
        assert set(Seen(html_of(f"x\n\n{block((foreign, foreign))}\n\nx")).tags) == {
            "p",
            "pre",
            "code",
        }


@pytest.mark.parametrize(
    ("url", "is_link"),
    [
        (URL, True),
        ("https://d111.cloudfront.net/notes", True),
        ("http://pr-7.preview.localhost:4602", True),
        ("http://127.0.0.1:4602/x", True),
        ("http://evil.example", False),
        ("javascript:alert(1)", False),
        ("https://user@evil.example", False),
        ("https://evil.example/?q=1)", False),
        ("https://evil.example/[x]", False),
        (URL + "\n", False),
        ("", False),
    ],
)  # fmt: skip
def test_only_plain_addresses_become_links(url: str, is_link: bool) -> None:
    assert bool(seen(link(url)).links) is is_link


# Rollouts

MINUTES = [[0, 0, 50, 0], [5, 0, 45, 0], [6, 3, 44, 1], [0, 0, 52, 0]]
ROLLOUT = {
    "id": "r-1", "candidate": "c" * 32, "baseline": "b" * 32, "deployment": "d", "phase": "closed",
    "protected": True, "on_inconclusive": "promote", "opened": AT, "verdict": "worse",
    "weight": 0.0, "weights": [[AT, 0.0], [AT + 60, 0.1], [AT + 180, 0.0]], "notes": [],
    "signals": {"entry": {"candidate": [3, 11], "baseline": [1, 191]}},
    "minutes": {"entry": MINUTES}, "outcome": "rolled_back",
    "why": "the candidate <fails> & more",
}  # fmt: skip


def test_a_rollout_is_told_with_its_numbers_and_its_curve() -> None:
    outcome = an_outcome("rolled_back", environment="production", rollout=ROLLOUT)
    text = summary(a_row(State.ROLLED_BACK, outcome=outcome), title="Deploy")
    told = seen(text).text
    for part in ("Deploy: ", "Taken back", "3 of 11 failed (27.3%)", "1 of 191 failed", "sessions",
                 "▅", "the candidate <fails> & more"):  # fmt: skip
        assert part in told
    assert not {"svg", "img"} & set(seen(text).tags)


def test_a_rollouts_picture_is_well_formed_and_shows_each_minute() -> None:
    from xml.etree import ElementTree

    root = ElementTree.fromstring(rollout_svg(ROLLOUT))
    bars = root.findall(".//{http://www.w3.org/2000/svg}rect")
    texts = [each.text for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert len(bars) >= 2 * len(MINUTES)
    assert "the candidate <fails> & more" in texts
    assert "entry" in texts


@pytest.mark.parametrize("told", [{}, {"why": "x"}, {**ROLLOUT, "minutes": {"entry": []}}])
def test_where_nobody_was_counted_there_is_no_picture(told: dict[str, Any]) -> None:
    assert rollout_svg(told) == ""


def test_the_picture_lies_in_the_workspace_and_nowhere_a_build_points_it(tmp_path: Path) -> None:
    workspace, elsewhere = tmp_path / "workspace", tmp_path / "elsewhere"
    workspace.mkdir()
    assert ".jam/rollout.svg" in pictured(workspace, ROLLOUT)
    lying = workspace / ".jam" / "rollout.svg"
    assert lying.read_text() == rollout_svg(ROLLOUT)
    lying.unlink()
    lying.symlink_to(elsewhere)
    assert pictured(workspace, ROLLOUT)
    assert not lying.is_symlink()
    assert not elsewhere.exists()
    lying.unlink()
    lying.parent.rmdir()
    elsewhere.mkdir()
    lying.parent.symlink_to(elsewhere)
    assert pictured(workspace, ROLLOUT) == pictured(workspace, None) == ""
    assert list(elsewhere.iterdir()) == []


def test_a_qr_code_is_drawn_only_if_it_is_asked_for() -> None:
    assert "QR code" not in body([a_row()])
    drawn = seen(body([a_row(qr=True)])).text
    assert re.search(r"█▀▀▀▀▀█", drawn)
