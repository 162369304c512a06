"""A drill's own decisions: which site is its own, what it tells, what it costs."""

from __future__ import annotations

import pytest

from runner.drill import site_of
from runner.errors import JamError
from runner.rehearsal.cost import Used, dollars
from runner.report.text import drill_text


@pytest.mark.parametrize(
    ("wanted", "who", "site"),
    [
        ("", "ada", "jam-drill-ada"),
        ("", "Ada.Lovelace@example", "jam-drill-ada-lovelace-e"),
        ("", "", "jam-drill"),
        ("jam-drill-two", "ada", "jam-drill-two"),
    ],
)
def test_the_next_drill_of_the_same_person_finds_what_the_last_one_left(
    wanted: str, who: str, site: str
) -> None:
    assert site_of(wanted, who=who) == site


def test_a_site_in_earnest_is_never_taken_down_by_a_drill() -> None:
    with pytest.raises(JamError, match="takes down all") as refused:
        site_of("shop", who="ada")
    assert (refused.value.code, refused.value.turn) == ("JAM-DRILL-SITE", 2)


@pytest.mark.parametrize(
    ("used", "least", "most"),
    [
        (Used(requests=0, calls=0, deploys=0, hours=0.0), 0.01, 0.01),
        (Used(requests=4_000, calls=500, deploys=2, hours=0.5), 0.05, 0.10),
        (Used(requests=1_000_000, calls=0, deploys=2, hours=0.5), 2.0, 4.0),
    ],
)
def test_what_a_drill_costs_grows_with_what_it_uses(used: Used, least: float, most: float) -> None:
    assert least <= dollars(used) <= most


def test_the_receipt_tells_what_became_of_the_candidate_and_what_it_cost() -> None:
    rolled = {"candidate": "function-throws", "expected": "rolled_back", "outcome": "rolled_back"}
    text = drill_text(
        {
            "outcome": "passed",
            "seconds": 1312.0,
            "steps": [{"name": "audit", "outcome": "passed", "seconds": 9.0}],
            "rollouts": [
                {**rolled, "runner": "none", "cloud_minutes": 3.0, "exposed": 7, "mixed": 0}
            ],
            "cost": {"dollars": 0.06, "requests": 3_000, "deploys": 2, "hours": 0.4},
        }
    )
    assert "function-throws (runner none) was taken back after 3.0 min" in text
    assert "The drill passed in 1312 s." in text
    assert "about $0.06" in text
