"""A preview's run, or its closing, dies at any call: the next run, or closing, puts it right."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.local.cloud import Cloud
from runner.plan.preview import REMEMBERED
from tests.labs.crash import Point, Wire
from tests.previews_site import PreviewedSite, Ran

SEED = 11
LATER = 600.0  # seconds after which nobody waits for a dead run any more
HELLO = 'def handler(event, context):\n    return {"statusCode": 200, "body": "NUMBER"}\n'
# DeleteFunction takes a version, and TransactWriteItems forgets the release.
LETS_GO = ("UpdateKeys", "DeleteFunction", "DeleteObjects", "TransactWriteItems")
PUSH, FIRST, CLOSING = 34, 225, 30  # calls, at least
Seen = tuple[str, str, str]


class Lab:
    """Pull request 7, whose commits show their number in a page, a style sheet and a function."""

    def __init__(self, cloud: Cloud, folder: Path) -> None:
        self.site = PreviewedSite.in_new_account(cloud, folder)
        self.number = 0
        self.url = self.bypass = ""

    def commit(self) -> None:
        self.number += 1
        self.site.write("public/index.html", f"{self.number}")
        self.site.write("public/app.css", f"{self.number}")
        self.site.write("functions/hello.py", HELLO.replace("NUMBER", f"{self.number}"))

    def push(self, wire: Wire | None = None) -> str:
        """`live`, `unchanged`, the code of the error, or `crashed`."""

        def run() -> Ran:
            done = self.site.preview(7, run=self.number, wire=wire)
            self.url, self.bypass = done.outcome.url, done.shown.bypass
            return done

        return self.site.ended(run)

    def close(self, wire: Wire | None = None) -> str:
        return self.site.ended(lambda: self.site.close(7, run=self.number, wire=wire))

    def seen(self) -> Seen:
        visitor = self.site.visitor(self.url, x_jam_bypass=self.bypass)
        answers = visitor.visit("/"), visitor.get("/app.css"), visitor.get("/.functions/hello")
        return tuple(it.body.decode() if it.status == 200 else "" for it in answers)  # type: ignore[return-value]  # three

    def left(self) -> list[str]:
        """What there is of the preview beside its tombstone."""
        aws, names = self.site.onlooker, self.site.names.preview(7)
        pages = aws.functions.get_paginator("list_functions").paginate()
        found = [it["FunctionName"] for page in pages for it in page["Functions"]]
        listed: Any = aws.s3.list_objects_v2(Bucket=names.bucket, Prefix="previews/pr-7/")
        found += [it["Key"] for it in listed.get("Contents", [])]
        for api in aws.api.get_apis()["Items"]:
            found += [it["StageName"] for it in aws.api.get_stages(ApiId=api["ApiId"])["Items"]]
        groups = aws.logs.describe_log_groups()["logGroups"]
        found += [str(it["logGroupName"]) for it in groups]
        records = aws.records.scan(TableName=names.records)["Items"]
        found += [
            f"{it['pk']['S']} {it['sk']['S']}" for it in records if "release#" in it["sk"]["S"]
        ]
        found += [f"host of {it['leased']['S']}" for it in records if it.get("leased", {}).get("S")]
        return [each for each in found if "pr-7" in each]


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    with Cloud(speed=50.0) as made:
        yield made


@pytest.fixture
def lab(cloud: Cloud, tmp_path: Path) -> Iterator[Lab]:
    made = Lab(cloud, tmp_path)
    yield made
    made.site.end()


def shown(lab: Lab) -> Lab:
    lab.commit()
    assert lab.push() == "live"
    assert lab.seen() == ("1", "1", "1")
    return lab


def kept(lab: Lab) -> Wire:
    """As many releases as are kept, and one more: each further push lets go of one. What the last
    one sent."""
    for _ in range(REMEMBERED + 2):
        wire = Wire()
        lab.commit()
        assert lab.push(wire) == "live"
    return wire


def points(calls: int, count: int) -> list[Point]:
    """Always the same, spread over all calls."""
    chance = random.Random(SEED + calls)
    step = calls / count
    return [
        Point(int(step * number) + chance.randint(1, max(1, int(step))), chance.random() < 0.5)
        for number in range(count)
    ]


def check_push(lab: Lab, point: Point) -> None:
    """Nobody sees half of a push that died; the next one is whole, and closing leaves nothing."""
    before = lab.number
    lab.commit()
    outcome = lab.push(Wire(point))
    page, sheet, function = lab.seen()
    assert page == sheet, (point, outcome)
    assert {page, function} <= {f"{before}", f"{lab.number}"}, (point, outcome)
    lab.site.sleep(LATER)
    if point.call % 2:
        lab.commit()
    assert lab.push() in ("live", "unchanged"), point
    assert lab.seen() == (f"{lab.number}",) * 3, point


def test_a_push_that_died_anywhere_is_put_right_by_the_next(lab: Lab) -> None:
    shown(lab)
    for point in points(PUSH, 3):
        check_push(lab, point)
    assert lab.close() == "removed"
    assert lab.left() == []


@pytest.mark.parametrize("point", points(FIRST, 2), ids=str)
def test_a_first_run_that_died_is_gone_on_with(lab: Lab, point: Point) -> None:
    lab.commit()
    lab.push(Wire(point))
    lab.site.sleep(LATER)
    assert lab.push() in ("live", "unchanged")
    assert lab.seen() == ("1", "1", "1")


@pytest.mark.parametrize("point", points(FIRST, 1), ids=str)
def test_a_first_run_that_died_is_taken_away_by_closing(lab: Lab, point: Point) -> None:
    lab.commit()
    lab.push(Wire(point))
    lab.site.sleep(LATER)
    assert lab.close() == "removed"
    assert lab.left() == []


def test_a_push_that_died_while_it_let_go_of_an_old_release_is_put_right_by_the_next(
    lab: Lab,
) -> None:
    wire = kept(lab)
    for operation in LETS_GO:
        assert operation in wire.calls
        for after in (False, True):
            check_push(lab, Point(1, after, operation))
    assert lab.close() == "removed"
    assert lab.left() == []


def test_a_push_that_died_while_it_let_go_of_an_old_release_is_taken_away_by_closing(
    lab: Lab,
) -> None:
    kept(lab)
    lab.commit()
    assert lab.push(Wire(Point(1, True, "DeleteFunction"))) == "crashed"
    lab.site.sleep(LATER)
    assert lab.close() == "removed"
    assert lab.left() == []


def test_a_push_that_died_is_taken_away_whole_by_closing(lab: Lab) -> None:
    for point in points(PUSH, 2):
        lab.commit()
        assert lab.push() == "live"
        lab.commit()
        lab.push(Wire(point))
        lab.site.sleep(LATER)
        assert lab.close() == "removed"
        assert lab.left() == [], point
        assert lab.seen() == ("", "", "")
        lab.site.sleep(LATER)


def test_a_closing_that_died_is_gone_on_with_and_a_reopened_preview_comes_back_whole(
    lab: Lab,
) -> None:
    for point in points(CLOSING, 2):
        lab.commit()
        assert lab.push() == "live"
        lab.close(Wire(point))
        lab.site.sleep(LATER)
        if point.call % 2:
            lab.commit()
            assert lab.push() == "live"
            assert lab.seen() == (f"{lab.number}",) * 3, point
        assert lab.close() == "removed"
        assert lab.left() == [], point
        lab.site.sleep(LATER)


@pytest.mark.hunt
@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("lets_go", [False, True], ids=["of nothing", "of an old release"])
def test_a_push_may_die_at_each_of_its_calls(lab: Lab, *, lets_go: bool, after: bool) -> None:
    calls = len(kept(lab).calls) if lets_go else PUSH
    if not lets_go:
        shown(lab)
    for call in range(1, calls + 8):
        check_push(lab, Point(call, after))
    assert lab.close() == "removed"
    assert lab.left() == []
