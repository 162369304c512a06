"""Tells people what the guard decided: SNS topics and https:// addresses.

A word that does not arrive harms no visitor: it is logged and left. Standard library only.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterable
from typing import Any

from runner.guard.look import Look, counts_of
from runner.guard.rollout import Act, Decision

_PATIENCE = 5  # seconds for one address
_SUBJECT = 100  # characters. Source: SNS API reference, Publish, Subject

Post = Callable[[str, bytes], object]


def message(site: str, look: Look, decision: Decision) -> dict[str, Any]:
    """What is told, as one JSON document. `left` waits for a run, or for `jam-deploy settle`."""
    rollout = look.rollout
    outcome = {Act.PROMOTE: "live", Act.TAKE_BACK: "rolled_back", Act.HOLD: "open"}
    return {
        "site": site,
        "environment": "production",
        "outcome": outcome[decision.act],
        "why": decision.why,
        "release": rollout.candidate,
        "previous": rollout.baseline,
        "rollout": rollout.id,
        "verdict": look.seen.verdict,
        "signals": counts_of(look.evidence),
        "left": list(rollout.left) if decision.act is Act.PROMOTE else [],
    }


def tell(
    told: dict[str, Any],
    to: Iterable[str],
    *,
    topics: Any,
    post: Post,
    log: Callable[[str], object],
) -> None:
    """Sends the message to each address; `topics` is boto3's client of SNS."""
    text = json.dumps(told)
    todo = "; run `jam-deploy settle`" if told["left"] else ""
    subject = f"{told['site']}: release {told['release'][:8]} is {told['outcome']}{todo}"[:_SUBJECT]
    for address in to:
        try:
            if address.startswith("https://"):
                post(address, text.encode())
            else:
                topics.publish(TopicArn=address, Subject=subject, Message=text)
        except Exception as error:  # noqa: BLE001  # the rollout is settled; nobody waits for this
            log(f"could not tell {address}: {error}")


def post(address: str, body: bytes) -> None:
    """One POST of JSON. Raises OSError (urllib's errors are such) where it is not taken."""
    request = urllib.request.Request(  # noqa: S310  # settings take https:// alone
        address, data=body, headers={"content-type": "application/json"}, method="POST"
    )
    with urllib.request.urlopen(request, timeout=_PATIENCE) as answer:  # noqa: S310
        answer.read()
