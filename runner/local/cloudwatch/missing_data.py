"""An alarm's state from its data points, gaps included. Pure.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data".
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

State = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
TREATMENTS = ("missing", "ignore", "breaching", "notBreaching")

# AWS looks further back than the evaluation periods; how far it does not say: the guide's examples
# have five data points for three periods.
FURTHER = 2


def judged(
    breaching: Sequence[bool | None], *, periods: int, to_alarm: int, missing: str
) -> State | None:
    """The state; None keeps the present one.

    `breaching` is the evaluation range, oldest first, None for a missing data point.
    """
    real = [each for each in breaching if each is not None][-periods:]
    hits = sum(real)
    if len(real) >= periods:
        return _counted(hits, to_alarm)
    if missing == "breaching":
        return _counted(hits + periods - len(real), to_alarm)
    if missing == "notBreaching" or not all(real):
        return _counted(hits, to_alarm)
    if hits >= to_alarm:
        return "ALARM"
    if missing == "ignore":
        return None
    return "ALARM" if _lasting(breaching, to_alarm) else "INSUFFICIENT_DATA"


def _counted(hits: int, to_alarm: int) -> State:
    return "ALARM" if hits >= to_alarm else "OK"


def _lasting(breaching: Sequence[bool | None], to_alarm: int) -> bool:
    """The oldest data point breaches and is at least as old as the data points to alarm."""
    oldest = next((place for place, each in enumerate(breaching) if each is not None), None)
    return oldest is not None and len(breaching) - oldest >= to_alarm
