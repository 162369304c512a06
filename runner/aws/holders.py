"""Who has the lease of an environment: as DynamoDB records it, and as people hear of it. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from runner.errors import JamError, busy_error
from runner.model import Origin
from runner.names import Names

LASTS = 90.0  # seconds after its last renewal
SKEW = 5.0  # seconds by which two machines' clocks may differ
LOST = "JAM-LEASE-LOST"


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who has the lease: a random `owner`, the `run` as people know it, times in epoch seconds.

    One that has `expires` 0 is over, but ended in the middle: what it left may be half of two.
    `origin` says which run is the newer.
    """

    owner: str
    run: str
    token: int
    since: int
    expires: int
    origin: Origin


def key_of(names: Names) -> dict[str, dict[str, str]]:
    """Where the lease of an environment is recorded."""
    return {"pk": {"S": f"environment#{names.environment}"}, "sk": {"S": "lease"}}


def holder_of(item: Mapping[str, Any]) -> Holder | None:
    """From the record as DynamoDB has it; None where nobody has the lease, or ended well."""
    if "owner" not in item:
        return None
    return Holder(
        owner=item["owner"]["S"],
        run=item["run"]["S"],
        token=int(item["token"]["N"]),
        since=int(item["since"]["N"]),
        expires=int(item["expires"]["N"]),
        origin=Origin(**json.loads(item["origin"]["S"])),
    )


def token_of(item: Mapping[str, Any]) -> int:
    """How often the lease was taken: 0 where it never was."""
    return int(item["token"]["N"]) if "token" in item else 0


def somebody(now: int) -> Holder:
    """AWS said that the lease is held, but not by whom."""
    return Holder(owner="", run="another run", token=0, since=now, expires=now, origin=Origin())


def origin_text(origin: Origin) -> dict[str, str]:
    """As it is recorded."""
    return {"S": json.dumps(asdict(origin), separators=(",", ":"))}


def lost(holder: Holder | None) -> JamError:
    """What ends a run that was taken for dead."""
    by = f"{holder.run} has taken over" if holder and holder.run else "another run has taken over"
    return busy_error(
        LOST,
        f"This run was silent for more than {LASTS:.0f} s, and {by}; it has stopped where it was.",
        hint="Look what is live with `jam-deploy status`; run again if this commit should be.",
    )


def busy(holder: Holder, *, now: float) -> JamError:
    """What ends a run that has waited in vain."""
    return busy_error(
        "JAM-BUSY",
        f"Production is being changed by {holder.run}, for {age(holder, now=now)} now.",
        hint="Run again when it has ended. A run that died is taken over after "
        f"{LASTS + SKEW:.0f} s: nobody has to unlock anything.",
    )


def age(holder: Holder, *, now: float) -> str:
    """How long it has been at it."""
    seconds = max(0, int(now - holder.since))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
