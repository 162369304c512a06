"""The documentation tells what was measured, and touches nothing else of the page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from bench.entry import Aim, Entry, spread
from bench.pages import main, page, pictures

PAGE = "# Performance\n\n<!-- results -->\nold\n<!-- end -->\n\nLimits.\n"
CONTEXT: dict[str, Any] = {
    "system": "Linux x86_64", "cores": 2, "load": [0.1, 0.2, 0.3], "quick": False,
    "suites": {"start": {"rounds": 5}}, "versions": {"jam-deploy": "0.1.0"},
    "peers": {"wrangler": "4.0.0"}, "absent": {"s5cmd": "no\nnetwork"}, "failed": ["scan"],
}  # fmt: skip


def the_row(ours: float, aim: Aim, **peers: float) -> dict[str, object]:
    told = {name: spread([value]) for name, value in peers.items()}
    entry = Entry(name="start", unit="s", ours=spread([ours]), peers=told, aim=aim)
    return entry.row()


def test_a_missed_aim_is_as_visible_as_one_that_is_met() -> None:
    text = page(PAGE, [the_row(2, Aim(bound=1)), the_row(1, Aim(bound=1))], CONTEXT)
    assert "| start | 2 s |  | at most 1 s | **no** |" in text
    assert "| start | 1 s |  | at most 1 s | yes |" in text


def test_every_peer_stands_beside_ours() -> None:
    text = page(PAGE, [the_row(2, Aim(), aws=1, rclone=9)], CONTEXT)
    assert "| start | 2 s | 1 aws<br>9 rclone |" in text


def test_machine_load_and_what_is_absent_are_told_and_the_rest_of_the_page_stays() -> None:
    text = page(PAGE, [], CONTEXT)
    assert "2 cores, load average 0.1, 0.2, 0.3" in text
    assert "Absent: s5cmd: no network" in text
    assert "Failed: the suite `scan`" in text
    assert text.startswith("# Performance\n")
    assert text.endswith("<!-- end -->\n\nLimits.\n")
    assert "old" not in text


def test_filling_it_again_changes_nothing() -> None:
    once = page(PAGE, [the_row(2, Aim(bound=1))], CONTEXT)
    assert page(once, [the_row(2, Aim(bound=1))], CONTEXT) == once


def test_a_page_without_a_place_for_results_is_refused() -> None:
    with pytest.raises(ValueError, match="no place"):
        page("# Performance\n", [], CONTEXT)


def grown(command: str, size: int, seconds: float) -> dict[str, object]:
    return {"axis": "files", "command": command, "size": size, "seconds": seconds, "calls": 0,
            "mb": 90.0}  # fmt: skip


def test_growth_is_shown_by_a_line_for_each_command_that_rises_with_its_values() -> None:
    points = [grown("a<b", 10, 1), grown("a<b", 1_000, 10), grown("gc", 10, 2)]
    context = {**CONTEXT, "suites": {"growth": {"rounds": 1, "points": points}}}
    picture = pictures([], context)["growth-files-seconds.svg"]
    lines = [each for each in ElementTree.fromstring(picture) if each.tag.endswith("polyline")]
    (left, low), (right, high) = (
        map(float, pair.split(",")) for pair in lines[0].attrib["points"].split()
    )
    assert len(lines) == 2
    assert left < right
    assert high < low  # a picture's zero is above
    assert "](pictures/growth-files-seconds.svg)" in page(PAGE, [], context)


def test_peers_are_shown_by_a_bar_each_as_long_as_they_take(tmp_path: Path) -> None:
    rows = [the_row(2, Aim(), aws=8, rclone=1), the_row(1, Aim())]
    (tmp_path / "results.json").write_text(json.dumps(rows))
    (tmp_path / "context.json").write_text(json.dumps(CONTEXT))
    (tmp_path / "pictures").mkdir()
    (tmp_path / "pictures" / "peers-gone.svg").write_text("of an older run")
    (tmp_path / "performance.md").write_text(PAGE)
    main(tmp_path / "performance.md", tmp_path)
    assert "](pictures/peers-start.svg)" in (tmp_path / "performance.md").read_text()
    (picture,) = (tmp_path / "pictures").iterdir()
    shapes = [each for each in ElementTree.parse(picture).getroot() if each.tag.endswith("rect")]
    ours, aws, rclone = (float(each.attrib["width"]) for each in shapes[1:])
    assert (aws / ours, rclone / ours) == (4, 0.5)
