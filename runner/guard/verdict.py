"""Whether a candidate is worse than the release that is live: an always-valid sequential test.

Pure; standard library only, for it runs in the guard's zip. One look a minute costs no false alarm.

The test. In a minute in which candidate and baseline failed x times in n trials, of which n_c were
the candidate's, x_c of the failures are the candidate's. If neither is worse, every trial is
equally likely to be a failed one, so x_c is hypergeometric. Its mean of any convex function is at
most the binomial's with x draws and chance q0 = n_c / n (Hoeffding 1963, "Probability inequalities
for sums of bounded random variables", section 6). The factor

    (q1 / q0) ** x_c * ((1 - q1) / (1 - q0)) ** (x - x_c),    q1 = r n_c / (r n_c + n_b)

is convex in x_c and has mean 1 under that binomial, so its mean is at most 1; where the candidate
is better it is smaller still, for it grows with x_c. Products over minutes, and their mean over the
risk ratios r, are therefore supermartingales, and by Ville's inequality the chance that one ever
reaches 1 / alpha is at most alpha, however often one looks. Nothing is assumed of the rates: an
outage that both share proves nothing. Failures have to be independent given the release, which is
why sessions are counted rather than requests.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

ALPHA = 0.01  # chance of taking back a candidate that is no worse, over all signals
# To say `pass` wrongly promotes what `inconclusive` would have promoted too, by default.
PASS_ALPHA = 0.05
RATIOS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0)  # how many times worse a candidate may be
# `pass` means: this much more, or so large a share of failing sessions, would have been seen.
TOLERATED_RATIO = 3.0
TOLERATED_SHARE = 0.05
_TYPICAL_SHARE = 0.002  # what a healthy release's failing sessions are taken for


class Verdict(StrEnum):
    """What the evidence says of a candidate."""

    FAIL = "fail"
    PASS = "pass"  # noqa: S105  # the word of a verdict, not a password
    INCONCLUSIVE = "inconclusive"


class Minute(NamedTuple):
    """Trials and failures of both releases in the same minute, by one signal.

    Where a trial can fail later than it began (a session), trials are all that were open, and
    `fresh` those of the candidate's that began; else they are the same.
    """

    candidate: int
    candidate_failed: int
    baseline: int
    baseline_failed: int
    fresh: int | None = None


class Evidence(NamedTuple):
    """What one signal has shown so far; all logarithms are natural.

    `worse` is of each of RATIOS; `alike` speaks against a candidate TOLERATED_RATIO times worse,
    `sound` against one of whose sessions TOLERATED_SHARE fail.
    """

    worse: tuple[float, ...] = (0.0,) * len(RATIOS)
    alike: float = 0.0
    sound: float = 0.0
    candidate: int = 0
    candidate_failed: int = 0
    baseline: int = 0
    baseline_failed: int = 0

    @property
    def log_e(self) -> float:
        """The logarithm of the e-value against "the candidate is no worse"."""
        return log_mean(self.worse)


def after(evidence: Evidence, minute: Minute) -> Evidence:
    """The evidence with one minute more. A minute's failures are at most its trials."""
    n_c, n_b = minute.candidate, minute.baseline
    x_c, x_b = min(minute.candidate_failed, n_c), min(minute.baseline_failed, n_b)
    fresh = n_c if minute.fresh is None else minute.fresh
    compared = n_c > 0 and n_b > 0 and x_c + x_b > 0
    return Evidence(
        worse=tuple(
            one + (_log_factor(ratio, n_c=n_c, n_b=n_b, failed=(x_c, x_b)) if compared else 0.0)
            for one, ratio in zip(evidence.worse, RATIOS, strict=True)
        ),
        alike=evidence.alike
        - (_log_factor(TOLERATED_RATIO, n_c=n_c, n_b=n_b, failed=(x_c, x_b)) if compared else 0.0),
        sound=evidence.sound + _log_sound(fresh, x_c),
        candidate=evidence.candidate + fresh,
        candidate_failed=evidence.candidate_failed + x_c,
        baseline=evidence.baseline + n_b,
        baseline_failed=evidence.baseline_failed + x_b,
    )


def total(minutes: Iterable[Minute]) -> Evidence:
    """The evidence of all minutes, in their order."""
    evidence = Evidence()
    for minute in minutes:
        evidence = after(evidence, minute)
    return evidence


def judge(signals: Mapping[str, Evidence]) -> Verdict:
    """The verdict over all signals, each of which has its part of the error that is allowed."""
    if not signals:
        return Verdict.INCONCLUSIVE
    if any(one.log_e >= fail_at(len(signals)) for one in signals.values()):
        return Verdict.FAIL
    enough = math.log(1 / PASS_ALPHA)
    if all(max(one.alike, one.sound) >= enough for one in signals.values()):
        return Verdict.PASS
    return Verdict.INCONCLUSIVE


def fail_at(signals: int) -> float:
    """The logarithm of the e-value at which one of so many signals fails the candidate."""
    return math.log(signals / ALPHA)


def log_mean(values: tuple[float, ...]) -> float:
    """The logarithm of the mean of exp(values), without overflow."""
    top = max(values)
    return top + math.log(math.fsum(math.exp(value - top) for value in values) / len(values))


def _log_factor(ratio: float, *, n_c: int, n_b: int, failed: tuple[int, int]) -> float:
    q0 = n_c / (n_c + n_b)
    q1 = ratio * n_c / (ratio * n_c + n_b)
    x_c, x_b = failed
    return x_c * math.log(q1 / q0) + x_b * math.log((1 - q1) / (1 - q0))


def _log_sound(trials: int, failed: int) -> float:
    """A likelihood ratio: a healthy share of failures against one of TOLERATED_SHARE."""
    healthy, broken = _TYPICAL_SHARE, TOLERATED_SHARE
    passed = trials - failed
    return failed * math.log(healthy / broken) + passed * math.log((1 - healthy) / (1 - broken))
