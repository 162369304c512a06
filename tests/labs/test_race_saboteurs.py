"""The races catch an engine that lacks what they look for.

Apart from the races themselves: two clouds in one process would share moto's state.
"""

from __future__ import annotations

import pytest

from tests.labs.races import SABOTEURS, Saboteur

SAMPLE = "Unordered"


@pytest.mark.parametrize(
    "saboteur",
    [
        pytest.param(each, id=each.name, marks=[] if each.name == SAMPLE else [pytest.mark.hunt])
        for each in SABOTEURS
    ],
)
def test_an_engine_that_lacks_a_part_is_caught(saboteur: Saboteur) -> None:
    assert saboteur.caught()
