"""Faults on purpose: errors, throttles, resets, delays, lost and changed answers, by operation.

Decides only; the overlay carries a fault out.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, get_args

from runner.local.wire import AwsError, By

Kind = Literal["error", "throttle", "reset", "delay", "lost", "answer"]
KINDS: tuple[str, ...] = get_args(Kind)

# How each service says "too fast"; all others say ThrottlingException with status 400.
# Source: API references' "Errors"/"Common errors"; S3: "Error responses", SlowDown.
THROTTLES: dict[str, tuple[str, int]] = {
    "s3": ("SlowDown", 503),
    "lambda": ("TooManyRequestsException", 429),
    "apigateway": ("TooManyRequestsException", 429),
    "apigatewayv2": ("TooManyRequestsException", 429),
    "iam": ("Throttling", 400),
    "sts": ("Throttling", 400),
    "cloudformation": ("Throttling", 400),
    "cloudfront": ("Throttling", 400),
    "route53": ("Throttling", 400),
}


class ConnectionLost(Exception):  # noqa: N818 -- wanted: no error of the cloud's
    """The client gets a TCP reset instead of an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What goes wrong, where and how often.

    `service` and `operation` match exactly, `"*"` matches all. `skip` matching calls pass first,
    then `times` calls fail, each with `probability`. `after` lets the call take effect before the
    fault shows; kind `lost` is a reset after the effect. `seconds` (of the cloud's clock) is for
    `delay`; `code`, `status` and `message` are for `error`. Kind `answer` lets the call take effect
    and changes `values` of its answer: a function's state, the status of a distribution. With
    `inside` it strikes the calls that services make in a role of the account instead of clients'.
    """

    kind: Kind
    service: str = "*"
    operation: str = "*"
    times: int = 1
    skip: int = 0
    probability: float = 1.0
    after: bool = False
    seconds: float = 0.0
    code: str = "InternalFailure"
    status: int = 500
    message: str = "an injected fault"
    values: Mapping[str, Any] = field(default_factory=dict)
    inside: bool = False

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"kind is one of {', '.join(KINDS)}, not {self.kind!r}")

    @property
    def shows_after(self) -> bool:
        return self.after or self.kind in ("lost", "answer")

    def matches(self, service: str, operation: str, *, by: By) -> bool:
        named = self.service in ("*", service) and self.operation in ("*", operation)
        return named and by == ("role" if self.inside else "client")

    def error(self, service: str) -> AwsError:
        if self.kind == "throttle":
            code, status = THROTTLES.get(service, ("ThrottlingException", 400))
            return AwsError(code, "Rate exceeded", status=status)
        return AwsError(self.code, self.message, status=self.status)


@dataclass(slots=True)
class _Planned:
    fault: Fault
    to_skip: int
    left: int


class Faults:
    """The faults still to come. Safe from several threads."""

    def __init__(self, seed: int = 0) -> None:
        self._random = random.Random(seed)  # noqa: S311 -- a coin for tests, not a secret
        self._planned: list[_Planned] = []
        self._lock = threading.Lock()

    def add(self, fault: Fault) -> None:
        with self._lock:
            self._planned.append(_Planned(fault, to_skip=fault.skip, left=fault.times))

    def clear(self) -> None:
        with self._lock:
            self._planned.clear()

    def listed(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(planned.fault) | {"left": planned.left} for planned in self._planned]

    def draw(self, service: str, operation: str, *, by: By = "client") -> list[Fault]:
        """The faults that strike this call: all delays, and the first of the others."""
        if not self._planned:
            return []
        with self._lock:
            struck: list[Fault] = []
            for planned in self._planned:
                if planned.fault.matches(service, operation, by=by) and self._strikes(planned):
                    struck.append(planned.fault)
                    if planned.fault.kind != "delay":
                        break
            self._planned = [planned for planned in self._planned if planned.left > 0]
            return struck

    def _strikes(self, planned: _Planned) -> bool:
        if planned.to_skip > 0:
            planned.to_skip -= 1
            return False
        if planned.left <= 0 or self._random.random() >= planned.fault.probability:
            return False
        planned.left -= 1
        return True
