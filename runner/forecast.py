"""What a rollout will be able to find out, told before it begins, by the last one's traffic."""

from __future__ import annotations

from runner.aws import promotion as rollouts
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.guard import journal
from runner.guard.power import power
from runner.names import Names
from runner.plan.promotion import Promotion, Strategy

SIGNALS = 4  # by which a rollout is judged, more or less


def foreseen(aws: Aws, names: Names, promotion: Promotion) -> str:
    """The forecast by the traffic of the rollout before, whose record has its counts."""
    with explained():
        last = rollouts.recorded(aws, names)
    pace = journal.pace(last) if last else None
    if pace is None:
        return unknown(promotion)
    return forecast(promotion, sessions_a_minute=pace)


def unknown(promotion: Promotion) -> str:
    """The forecast before the first rollout: how much traffic one needs.

    CloudFront's Requests are no help: they count files and functions' calls with the pages, and
    nobody's first visit apart. Source: CloudFront developer guide, "View CloudFront and edge
    function metrics".
    """
    strategy = promotion.strategy
    enough = next((each for each in _PACES if _finds(each, strategy)), None)
    needs = (
        f"from about {enough:g} sessions a minute on a candidate that always fails is found before "
        "the last step."
        if enough
        else "it is too short to find even a candidate that always fails."
    )
    return (
        f"Nothing is known of the traffic yet, for rollouts count it and this is the first: {needs}"
    )


_PACES = tuple(digit * 10**tens / 10 for tens in range(6) for digit in (1, 2, 5))


def _finds(sessions_a_minute: float, strategy: Strategy) -> bool:
    told = power(
        sessions_a_minute=sessions_a_minute,
        percent=strategy.percent,
        minutes=strategy.minutes,
        signals=SIGNALS,
    )
    return told.minutes is not None


def forecast(promotion: Promotion, *, sessions_a_minute: float) -> str:
    """What this rollout will be able to find out, in one sentence."""
    strategy = promotion.strategy
    told = power(
        sessions_a_minute=sessions_a_minute,
        percent=strategy.percent,
        minutes=strategy.minutes,
        signals=SIGNALS,
    )
    if told.detects is None:
        return (
            f"About {told.sessions:.0f} sessions will see the candidate before the last step: too "
            "few to find even a broken one; a longer interval or a larger percent would help."
        )
    found = f", a broken one within {told.minutes} min" if told.minutes else ""
    return (
        f"About {told.sessions:.0f} sessions will see the candidate before the last step: enough "
        f"to find one that fails in {told.detects:.1%} of them{found}."
    )
