"""A rollout at the edge: who is drawn, who stays, what entry answers and counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from runner.edge import response_code, router_code
from runner.entry.counts import Counts, pin_of
from runner.entry.entry import Entry
from runner.entry.release import Content, site_of
from runner.local.javascript import EdgeFunction, Outcome
from tests.edge_events import LIVE, NAVIGATION, OLD, request_event, response_event

CANDIDATE = "c" * 32
ROLLOUT = "r1"
SITUATION = {
    "v": 1,
    "live": LIVE,
    "r": {"s": "stage-1", "i": ["assets/*"]},
    "candidate": CANDIDATE,
    "c": {"s": "stage-2", "i": ["assets/*"]},
    "rollout": ROLLOUT,
}
TOKEN = "t" * 32
SESSION = "request1"
ASSET = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "script"}


def _store(**changes: Any) -> dict[str, str]:
    situation = {key: value for key, value in (SITUATION | changes).items() if value is not None}
    return {
        "live": json.dumps(situation),
        f"r/{CANDIDATE}": '{"s":"stage-2"}',
        f"r/{OLD}": '{"s":"stage-0"}',
        "token": json.dumps({"t": TOKEN}),
    }


class Edge:
    """Router and response function, each started once; the store is each test's own."""

    def __init__(self) -> None:
        self.store: Mapping[str, str] = {}
        self.router = EdgeFunction(router_code(), lambda: self.store)
        self.response = EdgeFunction(response_code(), lambda: self.store)

    def ask(self, uri: str, *args: Any, store: Mapping[str, str] | None = None, **more: Any) -> Any:
        self.store = _store() if store is None else store
        return self.router.invoke(request_event(uri, *args, **more))

    def pin(self, headers: dict[str, str], *, pin: str = "") -> str:
        event = response_event(request_event("/", NAVIGATION, pin=pin), headers)
        cookies = self.response.run(event)["cookies"]
        return str(cookies["jam-pin"]["value"]) if "jam-pin" in cookies else ""


EDGE = Edge()


def _header(found: Outcome, name: str) -> str:
    field = found.value["headers"].get(name)
    return "" if field is None else str(field["value"])


def _drawn(found: Outcome) -> bool:
    return bool(found.origin)


def test_a_first_navigation_is_drawn_by_entry_with_the_live_release_to_fall_back_on() -> None:
    found = EDGE.ask("/about", NAVIGATION)
    assert found.value["uri"] == f"/releases/{LIVE}/about/index.html"
    assert _header(found, "x-jam-draw") == "request-1"
    assert _header(found, "x-jam-rollout") == f"{ROLLOUT}-{SESSION}"
    [(method, group)] = found.origin
    assert method == "createRequestOriginGroup"
    assert [each["originId"] for each in group["originIds"]] == ["entry", "files"]
    assert group["failoverCriteria"]["statusCodes"] == [403, 500, 502, 503, 504]


@pytest.mark.parametrize(
    ("pin", "release"),
    [
        (f"{CANDIDATE}.{ROLLOUT}-s1", CANDIDATE),
        (f"{LIVE}.{ROLLOUT}-s1", LIVE),
        (f"{CANDIDATE}.r0-s1", ""),
        (f"{LIVE}.0", ""),
        (f"{OLD}.{ROLLOUT}-s1", ""),
        (f"{CANDIDATE}.{ROLLOUT}x-s1", ""),
        ("nonsense", ""),
    ],
)
def test_a_visitor_stays_where_this_rollouts_pin_put_them_and_else_is_drawn(
    pin: str, release: str
) -> None:
    found = EDGE.ask("/", NAVIGATION, pin=pin)
    assert _drawn(found) == (not release)
    assert found.value["uri"] == f"/releases/{release or LIVE}/index.html"
    if release:
        assert not _header(found, "x-jam-draw")


@pytest.mark.parametrize(
    ("headers", "method", "uri"),
    [
        ({"accept": "text/html"}, "GET", "/"),
        ({"accept": "*/*"}, "GET", "/"),
        ({"sec-fetch-mode": "cors", "accept": "text/html"}, "GET", "/"),
        (ASSET, "GET", "/app.js"),
        ({"sec-fetch-dest": "serviceworker", "sec-fetch-mode": "same-origin"}, "GET", "/sw.js"),
        (NAVIGATION, "OPTIONS", "/"),
        (NAVIGATION, "GET", "/assets/picture-1.png"),
    ],
)
def test_who_does_not_navigate_to_a_page_is_given_live_and_not_drawn(
    headers: dict[str, str], method: str, uri: str
) -> None:
    found = EDGE.ask(uri, headers, method=method)
    assert not _drawn(found)
    assert not _header(found, "x-jam-draw")
    assert found.value["uri"].startswith((f"/releases/{LIVE}/", "/assets/"))


@pytest.mark.parametrize(
    "changes",
    [
        {"dead": [CANDIDATE]},
        {"candidate": None},
        {"rollout": None},
        {"candidate": "x"},
        {"rollout": "../x"},
        {"rollout": 7},
        {"dead": 7, "candidate": 9},
    ],
)
def test_without_a_whole_rollout_nobody_is_drawn_and_everybody_navigates_to_live(
    changes: dict[str, Any],
) -> None:
    found = EDGE.ask("/", NAVIGATION, store=_store(**changes), pin=f"{CANDIDATE}.{ROLLOUT}-s1")
    assert not _drawn(found)
    assert found.value["uri"] == f"/releases/{LIVE}/index.html"


def test_a_release_that_was_taken_back_still_serves_its_open_tabs() -> None:
    store = _store(candidate=None, rollout=None, dead=[CANDIDATE], c=None)
    pin = f"{CANDIDATE}.{ROLLOUT}-s1"
    script = EDGE.ask("/lazy.js", ASSET, store=store, pin=pin)
    assert script.value["uri"] == f"/releases/{CANDIDATE}/lazy.js"
    call = EDGE.ask("/.functions/a", store=store, pin=pin, method="POST")
    assert call.value["uri"] == "/stage-2/.functions/a"


@pytest.mark.parametrize(
    ("pin", "stage"),
    [("", "stage-1"), (f"{CANDIDATE}.{ROLLOUT}-s1", "stage-2"), (f"{OLD}.0", "stage-0")],
)
def test_functions_follow_the_pin_through_a_rollout(pin: str, stage: str) -> None:
    store = _store()
    del store[f"r/{CANDIDATE}"]  # `live` repeats it while the rollout is open
    found = EDGE.ask("/.functions/a", store=store, pin=pin)
    assert found.value["uri"] == f"/{stage}/.functions/a"


@pytest.mark.parametrize(
    ("token", "release", "served"),
    [
        (TOKEN, CANDIDATE, CANDIDATE),
        ("wrong", CANDIDATE, LIVE),
        ("", CANDIDATE, LIVE),
        (TOKEN, "../x", LIVE),
    ],
)
def test_a_navigation_is_forced_to_a_release_by_the_stores_token_alone(
    token: str, release: str, served: str
) -> None:
    headers = NAVIGATION | {"x-jam-token": token, "x-jam-release": release}
    store = _store(candidate=None)
    found = EDGE.ask("/", headers, store=store)
    assert found.value["uri"] == f"/releases/{served}/index.html"
    assert not _header(found, "x-jam-token")


def test_the_version_card_tells_what_is_live_and_what_is_on_its_way() -> None:
    card = EDGE.ask("/.jam/version.json").value
    assert json.loads(card["body"]) == {
        "release": LIVE,
        "candidate": CANDIDATE,
        "rollout": ROLLOUT,
    }
    assert card["headers"]["cache-control"]["value"] == "no-store"
    empty = EDGE.ask("/.jam/version.json", store={}).value
    assert empty["statusCode"] == 200
    assert json.loads(empty["body"])["release"] is None


def test_reports_of_browsers_reach_entry_in_a_rollout_and_cost_nothing_otherwise() -> None:
    found = EDGE.ask("/.jam/report", ASSET, pin=f"{CANDIDATE}.{ROLLOUT}-s1")
    assert found.origin == (("selectRequestOriginById", "entry"),)
    assert _header(found, "x-jam-rollout") == f"{ROLLOUT}-s1"
    assert _header(found, "x-jam-draw")
    for pin in ("", f"{LIVE}.0", f"{CANDIDATE}.old-s1"):
        assert EDGE.ask("/.jam/report", ASSET, pin=pin).value["statusCode"] == 204


def test_a_visitor_cannot_claim_to_be_drawn_or_counted() -> None:
    forged = {"x-jam-draw": "1", "x-jam-rollout": "r1-x", "x-jam-path": "/.jam/report"}
    found = EDGE.ask("/app.js", ASSET | forged)
    assert not _header(found, "x-jam-draw")
    assert not _header(found, "x-jam-rollout")
    assert _header(found, "x-jam-path") == "/app.js"


BY_ENTRY = {"x-jam-release": CANDIDATE, "x-jam-kind": "document", "x-jam-rollout": "r1-s1"}
BY_BUCKET = {"x-amz-meta-jam-release": LIVE, "x-amz-meta-jam-kind": "document"}


@pytest.mark.parametrize(
    ("headers", "before", "after"),
    [
        (BY_ENTRY, "", f"{CANDIDATE}.r1-s1"),
        (BY_ENTRY, f"{CANDIDATE}.0", f"{CANDIDATE}.r1-s1"),
        (BY_BUCKET, "", f"{LIVE}.0"),
        (BY_BUCKET, f"{LIVE}.r1-s1", ""),
        (BY_BUCKET, f"{LIVE}.0", ""),
        (BY_BUCKET, f"{CANDIDATE}.r1-s1", f"{LIVE}.0"),
        ({**BY_ENTRY, "x-jam-rollout": "r1; Domain=x"}, "", ""),
    ],
)
def test_the_pin_is_the_draws_and_else_changes_with_the_release_alone(
    headers: dict[str, str], before: str, after: str
) -> None:
    assert EDGE.pin(headers, pin=before) == after


MANIFEST = {
    "v": 1,
    "release": CANDIDATE,
    "files": {
        "index.html": ["document", "text/html", "public", "", "0" * 64],
        "broken/index.html": ["document", "text/html", "public", "", "0" * 64],
    },
    "redirects": [],
    "headers": {},
    "routing": {"i": ["assets/*"]},
    "notFound": "",
}


class Visitors:
    """Entry as Lambda runs it, with what it counted."""

    def __init__(self) -> None:
        self.lines: list[dict[str, Any]] = []
        counts = Counts("notes", lambda line: self.lines.append(json.loads(line)))
        objects = {f"releases/{CANDIDATE}/index.html": Content(b"c", '"c"')}
        self.entry = Entry(site_of(json.dumps(MANIFEST).encode()), objects.get, counts)

    def get(self, path: str, *, pin: str = "", **headers: str) -> dict[str, Any]:
        event = {
            "rawPath": f"/releases/{LIVE}{path}",
            "headers": {name.replace("_", "-"): value for name, value in headers.items()},
            "cookies": [f"jam-pin={pin}"] if pin else [],
            "requestContext": {"http": {"method": "GET"}, "timeEpoch": 60_000},
        }
        return self.entry(event)

    @property
    def counted(self) -> list[tuple[str, str]]:
        metrics = ("sessions", "failed", "missing", "browser")
        return [
            (metric, line["release"]) for line in self.lines for metric in metrics if metric in line
        ]


DRAW = {"x_jam_draw": "d", "x_jam_rollout": "r1-s1"}


def test_a_draw_is_answered_for_entrys_own_release_kept_by_nobody_and_counted() -> None:
    visitors = Visitors()
    found = visitors.get("/index.html", x_jam_path="/", **DRAW)
    assert found["headers"]["x-jam-release"] == CANDIDATE
    assert found["headers"]["x-jam-rollout"] == "r1-s1"
    assert found["headers"]["cache-control"] == "private, no-store"
    assert visitors.counted == [("sessions", CANDIDATE)]
    [line] = visitors.lines
    assert line["_aws"]["Timestamp"] == 60_000
    assert line["_aws"]["CloudWatchMetrics"][0]["Dimensions"] == [["site", "release"]]
    assert line["site"] == "notes"


def test_a_draw_that_ends_on_the_404_page_is_pinned_by_entry_itself() -> None:
    visitors = Visitors()
    found = visitors.get("/none/index.html", x_jam_path="/none", **DRAW)
    assert found["statusCode"] == 404
    [cookie] = found["cookies"]
    assert cookie.startswith(f"jam-pin={CANDIDATE}.r1-s1; ")
    from_router = EDGE.response.run(response_event(request_event("/", NAVIGATION), BY_ENTRY))
    assert cookie.partition("; ")[2] == from_router["cookies"]["jam-pin"]["attributes"]


def test_a_draw_that_entry_cannot_answer_is_counted_as_failed() -> None:
    visitors = Visitors()
    found = visitors.get("/broken/index.html", x_jam_path="/broken", **DRAW)
    assert found["statusCode"] == 503
    assert visitors.counted == [("failed", CANDIDATE)]


def test_missing_assets_and_reports_count_once_a_session_and_release() -> None:
    visitors = Visitors()
    of = f"{CANDIDATE}.r1-"
    for session in ("s1", "s1", "s2"):
        gone = visitors.get(
            "/gone.js", pin=of + session, x_jam_path="/gone.js", x_jam_rollout=f"r1-{session}"
        )
        assert gone["headers"]["cache-control"] == "private, no-store"
    for session in ("s1", "s1"):
        visitors.get("/.jam/report", pin=of + session, x_jam_path="/.jam/report", **DRAW)
    assert visitors.counted == [
        ("missing", CANDIDATE),
        ("missing", CANDIDATE),
        ("browser", CANDIDATE),
    ]


def test_a_flood_of_reports_is_cut_off() -> None:
    visitors = Visitors()
    for number in range(2000):
        visitors.get(
            "/.jam/report", pin=f"{CANDIDATE}.r1-s{number}", x_jam_path="/.jam/report", **DRAW
        )
    assert len(visitors.lines) == 600


def test_outside_a_rollout_nothing_is_counted() -> None:
    visitors = Visitors()
    visitors.get("/gone.js", pin=f"{CANDIDATE}.0", x_jam_path="/gone.js")
    visitors.get("/none/index.html", x_jam_path="/none", x_jam_draw="d")
    assert visitors.lines == []


@pytest.mark.parametrize(
    ("cookies", "found"),
    [
        ([f"jam-pin={LIVE}.r1-abc"], (LIVE, "r1", "abc")),
        (["a=b", f"jam-pin={LIVE}.r1-abc"], (LIVE, "r1", "abc")),
        ([f"jam-pin={LIVE}.0"], None),
        ([f"jam-pin={LIVE}.r1-abc\n"], None),
        ([], None),
    ],
)
def test_a_pin_is_read_strictly(cookies: list[str], found: tuple[str, str, str] | None) -> None:
    assert pin_of({"cookies": cookies}) == found
