"""The sequential test: it blames no healthy candidate, finds a broken one, says what not."""

from __future__ import annotations

import itertools
import math
import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.guard.power import power
from runner.guard.verdict import (
    ALPHA,
    RATIOS,
    Evidence,
    Minute,
    Verdict,
    after,
    judge,
    log_mean,
    total,
)

ROLLOUTS = 10_000


def _poisson(chance: random.Random, mean: float) -> int:
    """Knuth's way; the means here are small."""
    limit, product, count = math.exp(-mean), chance.random(), 0
    while product > limit:
        product *= chance.random()
        count += 1
    return count


def _failures(chance: random.Random, trials: int, share: float) -> int:
    if share < 0.05:
        return min(trials, _poisson(chance, trials * share))
    return sum(chance.random() < share for _ in range(trials))


def _minute(
    chance: random.Random, *, per_minute: float, share: float, fails: tuple[float, float]
) -> Minute:
    n_c = _poisson(chance, per_minute * share)
    n_b = _poisson(chance, per_minute * (1 - share))
    x_c, x_b = (_failures(chance, n, p) for n, p in ((n_c, fails[0]), (n_b, fails[1])))
    return Minute(n_c, x_c, n_b, x_b)


def _verdicts(
    *,
    seed: int,
    rollouts: int,
    per_minute: float,
    fails: tuple[float, float],
    outage: range = range(0),
    minutes: int = 15,
) -> list[tuple[Verdict, int]]:
    """Each rollout's verdict and the minute of it; a look after every minute."""
    chance = random.Random(seed)
    found = []
    for _ in range(rollouts):
        evidence, verdict, minute = Evidence(), Verdict.INCONCLUSIVE, 0
        for minute in range(1, minutes + 1):
            now = (0.3, 0.3) if minute in outage else fails
            evidence = after(evidence, _minute(chance, per_minute=per_minute, share=0.1, fails=now))
            verdict = judge({"one": evidence})
            if verdict is Verdict.FAIL:
                break
        found.append((verdict, minute))
    return found


def _failed(found: list[tuple[Verdict, int]]) -> int:
    return sum(verdict is Verdict.FAIL for verdict, _ in found)


@pytest.mark.parametrize(("per_minute", "healthy"), [(12.0, 0.02), (60.0, 0.005)])
def test_of_ten_thousand_healthy_rollouts_at_most_one_in_a_hundred_is_taken_back(
    per_minute: float, healthy: float
) -> None:
    found = _verdicts(seed=7, rollouts=ROLLOUTS, per_minute=per_minute, fails=(healthy, healthy))
    assert _failed(found) <= ROLLOUTS * ALPHA


def test_a_shared_outage_is_never_blamed_on_the_candidate() -> None:
    found = _verdicts(
        seed=8, rollouts=2_000, per_minute=60.0, fails=(0.005, 0.005), outage=range(4, 9)
    )
    assert _failed(found) <= 2_000 * ALPHA


def test_a_candidate_that_mends_an_incident_is_let_through() -> None:
    found = _verdicts(seed=9, rollouts=300, per_minute=60.0, fails=(0.0, 0.5))
    assert _failed(found) == 0


@pytest.mark.parametrize(
    ("per_minute", "fails", "within"),
    [(120.0, 1.0, 1), (60.0, 1.0, 2), (300.0, 0.5, 1), (60.0, 0.5, 8)],
)
def test_a_broken_candidate_is_found_in_its_first_minutes(
    per_minute: float, fails: float, within: int
) -> None:
    found = _verdicts(seed=10, rollouts=200, per_minute=per_minute, fails=(fails, 0.005))
    in_time = sum(verdict is Verdict.FAIL and minute <= within for verdict, minute in found)
    assert in_time >= 190


def test_little_traffic_is_inconclusive_and_enough_of_it_passes() -> None:
    little = total([Minute(2, 0, 20, 0)] * 15)
    assert judge({"one": little}) is Verdict.INCONCLUSIVE
    enough = total([Minute(10, 0, 90, 0)] * 15)
    assert judge({"one": enough}) is Verdict.PASS
    assert judge({"one": enough, "other": little}) is Verdict.INCONCLUSIVE
    assert judge({}) is Verdict.INCONCLUSIVE


def test_a_noisy_site_passes_by_being_alike() -> None:
    evidence = total([Minute(50, 10, 450, 90)] * 15)
    assert evidence.sound < 0 < evidence.alike
    assert judge({"one": evidence}) is Verdict.PASS


def test_more_signals_need_more_evidence_each() -> None:
    broken = total([Minute(3, 3, 27, 0)])
    assert judge({"one": broken}) is Verdict.FAIL
    others = {str(number): Evidence() for number in range(40)}
    assert judge({"one": broken, **others}) is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    "minute",
    [Minute(0, 0, 10, 9), Minute(10, 9, 0, 0), Minute(10, 0, 10, 0), Minute(0, 0, 0, 0)],
)
def test_a_minute_in_which_nothing_can_be_compared_says_nothing_of_worse(minute: Minute) -> None:
    assert after(Evidence(), minute).worse == (0.0,) * len(RATIOS)


COUNTS = st.integers(0, 40)


@settings(max_examples=200, deadline=None)
@given(n_c=st.integers(1, 25), n_b=st.integers(1, 25), failed=st.integers(1, 50))
def test_whatever_the_minute_the_mean_factor_is_at_most_one_if_nobody_is_worse(
    n_c: int, n_b: int, failed: int
) -> None:
    """Exactly, over the hypergeometric distribution: what makes the test valid."""
    failed = min(failed, n_c + n_b)
    mean = 0.0
    for x_c in range(max(0, failed - n_b), min(n_c, failed) + 1):
        chance = math.comb(n_c, x_c) * math.comb(n_b, failed - x_c) / math.comb(n_c + n_b, failed)
        log_e = total([Minute(n_c, x_c, n_b, failed - x_c)]).log_e
        mean += chance * math.exp(log_e)
    assert mean <= 1 + 1e-9


@given(st.lists(st.tuples(COUNTS, COUNTS, COUNTS, COUNTS), max_size=20))
def test_no_counts_break_the_arithmetic(minutes: list[tuple[int, int, int, int]]) -> None:
    evidence = total(Minute(*minute) for minute in minutes)
    assert all(math.isfinite(value) for value in (evidence.log_e, evidence.alike, evidence.sound))
    assert evidence.candidate_failed <= evidence.candidate


def test_the_mean_of_huge_e_values_does_not_overflow() -> None:
    assert log_mean((5000.0, 0.0)) == pytest.approx(5000 - math.log(2))


@pytest.mark.parametrize(
    ("sessions_a_minute", "percent", "minutes"), [(60, 10, 15), (600, 10, 15), (60, 50, 60)]
)
def test_the_power_that_is_foretold_is_the_power_that_is_found(
    sessions_a_minute: float, percent: float, minutes: int
) -> None:
    told = power(sessions_a_minute=sessions_a_minute, percent=percent, minutes=minutes, signals=1)
    assert told.detects is not None
    chance = random.Random(3)
    found = 0
    for _ in range(200):
        counted = (
            _minute(
                chance,
                per_minute=sessions_a_minute,
                share=percent / 100,
                fails=(told.detects, 0.005),
            )
            for _ in range(minutes)
        )
        steps = itertools.accumulate(counted, after, initial=Evidence())
        found += any(judge({"one": step}) is Verdict.FAIL for step in steps)
    assert found >= 140


def test_a_site_without_visitors_is_told_that_nothing_can_be_found() -> None:
    told = power(sessions_a_minute=0.01, percent=10, minutes=15, signals=4)
    assert told.detects is None
    assert told.minutes is None
