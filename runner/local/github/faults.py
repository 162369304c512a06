"""What may go wrong between us and GitHub, on demand: refusals, half-done writes, slowness."""

from __future__ import annotations

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What befalls the next `times` requests of `operation` (a pattern over GitHub's ids).

    `after`: the effect takes place, and its answer is lost. `seconds` is how long the answer
    takes. Status 0 answers nothing: the connection is reset.
    """

    operation: str = ".*"
    status: int = 502
    message: str = "Server Error"
    headers: tuple[tuple[str, str], ...] = ()
    times: int = 1
    after: bool = False
    seconds: float = 0.0


# GitHub's own words, for what cannot be had otherwise.
SECONDARY = Fault(
    status=403,
    message="You have exceeded a secondary rate limit. Please wait a few minutes before you try "
    "again.",
    headers=(("retry-after", "30"),),
)
TOO_MANY = Fault(status=429, message="Too Many Requests", headers=(("retry-after", "5"),))
DOWN = Fault(status=503, message="Service unavailable", times=1_000_000)
HTML = "<html><head><title>Unicorn! &middot; GitHub</title></head><body></body></html>"


@dataclass(slots=True)
class Faults:
    """The faults that are still to come, first planted first met."""

    _planted: list[tuple[Fault, int]] = field(default_factory=list)

    def plant(self, *faults: Fault) -> None:
        self._planted += [(fault, fault.times) for fault in faults]

    def clear(self) -> None:
        self._planted.clear()

    def met(self, operation: str) -> Fault | None:
        for place, (fault, left) in enumerate(self._planted):
            if re.fullmatch(fault.operation, operation):
                if left > 1:
                    self._planted[place] = (fault, left - 1)
                else:
                    del self._planted[place]
                return fault
        return None
