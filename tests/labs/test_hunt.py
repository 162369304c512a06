"""A hunt reports what it finds, also where nothing was to befall a run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.labs.checks import Trouble
from tests.labs.crash import Point
from tests.labs.dry import Dry, found
from tests.labs.hunt import Hunt, measure
from tests.labs.jobs import Points

HERE = Point(1, operation="PutObject")
ALONE = Trouble("mixed", "visitors get two releases", "update")


def played(name: str) -> tuple[Points, list[Trouble]]:
    if name == "raises":
        raise RuntimeError("the cloud is gone")
    return (HERE,), [ALONE] if name == "update" else []


def well(dry: Dry, chosen: Sequence[str]) -> int | None:
    dry.play(chosen, played)
    return 0


def killed(dry: Dry, chosen: Sequence[str]) -> int | None:
    dry.play(chosen[:1], played)
    return -9


def test_trouble_that_nothing_caused_is_in_the_report_and_the_points_are_played_all_the_same(
    tmp_path: Path,
) -> None:
    hunt = Hunt(tmp_path / "report.json", 0.0)
    its = measure(hunt, ("update", "page"), work=well)
    assert its == {"update": (HERE,), "page": (HERE,)}
    assert hunt.troubles == [Trouble("mixed", ALONE.what, "update, undisturbed")]
    assert json.loads(hunt.report.read_text())["mixed"] == 1


def test_an_undisturbed_run_that_raises_is_a_loss_and_the_next_is_played(tmp_path: Path) -> None:
    its, troubles = found(Dry(tmp_path), ("raises", "page"), work=well)
    assert its == {"raises": (), "page": (HERE,)}
    assert troubles == (Trouble("loss", "RuntimeError: the cloud is gone", "raises, undisturbed"),)


def test_what_a_killed_process_did_not_play_is_a_loss_until_a_resumed_hunt_plays_it(
    tmp_path: Path,
) -> None:
    dry = Dry(tmp_path)
    its, troubles = found(dry, ("page", "code"), work=killed)
    assert its == {"page": (HERE,), "code": ()}
    assert [each.what for each in troubles] == ["not played: the process ended with -9"]
    assert found(dry, ("page", "code"), work=well) == ({"page": (HERE,), "code": (HERE,)}, ())


def test_a_resumed_hunt_plays_nothing_twice_and_tells_the_old_troubles(tmp_path: Path) -> None:
    dry = Dry(tmp_path)
    found(dry, ("update",), work=well)
    _, troubles = found(dry, ("update",), work=lambda *_: pytest.fail("played twice"))
    assert len(troubles) == 1
