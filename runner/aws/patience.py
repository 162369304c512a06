"""Goes on where botocore gives up: what AWS turned away for now is sent `TRIES` times in all.

botocore's standard mode ends after its attempts, and sooner once the threads of a client have spent
the quota of retries that they share. While AWS throttles a third of all calls that is too soon for
a deploy of some hundred. Lost connections stay botocore's.
Source: boto3's guide, "Retries", standard mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from runner.aws.codes import TABLE

TRIES = 12
LONGEST = 8  # seconds of a pause: AWS's rates are counted by the second
_THROTTLED = next(row.codes for row in TABLE if row.code == "JAM-THROTTLED")
# What botocore holds for transient, too. Source: boto3's guide, "Retries", standard mode.
_FAULTS = (500, 502, 503, 504)
# Seconds of the first pause at most; each further one is twice as long. As botocore has it.
_AFTER_THROTTLE, _AFTER_FAULT = 1.0, 0.05


@dataclass(frozen=True, slots=True)
class Patience:
    """A `needs-retry` handler of a client, asked after botocore's own. `chance` spreads the pauses.

    Without `faults` after throttles alone: such a call was surely not carried out.
    """

    chance: Callable[[], float]
    tries: int = TRIES
    faults: bool = True

    def needs_retry(self, attempts: int, response: Any, **_: object) -> float | None:
        """The seconds after which to send it again; None: no more, or not for us to say."""
        if response is None or attempts >= self.tries:
            return None
        http, parsed = response
        if parsed.get("Error", {}).get("Code") in _THROTTLED or http.status_code == 429:
            first = _AFTER_THROTTLE
        elif self.faults and http.status_code in _FAULTS:
            first = _AFTER_FAULT
        else:
            return None
        return self.chance() * min(first * 2.0 ** (attempts - 1), LONGEST)
