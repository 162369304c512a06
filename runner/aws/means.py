"""What the steps of a plan are performed with: what this machine brings, and under which lease."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from runner.apply import Fence, unfenced
from runner.aws.beforehand import Beforehand
from runner.aws.files import CopyAll, Put
from runner.aws.leases import Lease
from runner.model import Release
from runner.together import Later, directly


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What the steps bring to AWS from this machine, and how."""

    put: Put
    copy: CopyAll
    manifest: Callable[[Release], bytes]
    entry_archive: Callable[[Release], bytes]
    guard_archive: Callable[[], bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """Of a plan for `release`. What visitors can see is done under the `lease` alone; without one,
    nobody else may be at it.

    `ends`: nothing is done under it after the record of what is live, which frees it as well.
    `later` does what no step waits for.
    """

    release: Release
    content: Content
    lease: Lease | None = None
    beforehand: Beforehand = field(default_factory=Beforehand)
    ends: bool = False
    later: Later = directly

    @property
    def fence(self) -> Fence:
        """Raises where the lease is another's by now."""
        return self.lease.check if self.lease else unfenced
