"""The guard's way in: every minute while a rollout is open, and when CodeDeploy says something.

Whatever woke it, it looks and settles; so a word lost or said twice makes no difference.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from runner.guard import journal
from runner.guard.announce import message, post, tell
from runner.guard.look import Clients, Look, Place, look
from runner.guard.rollout import Decision
from runner.guard.settle import Settler
from runner.guard.signals import Where


def handler(event: Mapping[str, Any], _context: object = None) -> dict[str, Any]:
    """What was decided, for the log."""
    now = _time_of(event)
    clients, place = _clients(), _place()
    settler = Settler(
        clients,
        place,
        code_of=_code_of,
        clock=lambda: now,
        announce=_announce,
        who=journal.GUARD,
    )
    seen = look(clients, place, now=now)
    if seen is None:
        if event.get("source") == "aws.events":  # who closed it was cut off before he stopped this
            settler.stop_clock()
        return {"open": False}
    decision = settler.settle(seen)
    return {"open": True, "verdict": seen.seen.verdict, "act": decision.act, "why": decision.why}


def _time_of(event: Mapping[str, Any]) -> float:
    """When it was woken, by the clock of what woke it; else by its own."""
    told = event.get("time")
    if isinstance(told, str):
        return datetime.fromisoformat(told).timestamp()
    return time.time()  # Lambda's front door


@cache
def _settings() -> Mapping[str, str]:
    return os.environ  # noqa: TID251  # Lambda's front door


@cache
def _place() -> Place:
    told = _settings()
    return Place(
        where=Where(
            site=told["JAM_SITE"],
            entry=told["JAM_ENTRY"],
            alias=told["JAM_ALIAS"],
            api=told["JAM_API"],
        ),
        table=told["JAM_RECORDS"],
        store=told["JAM_STORE"],
        clock=told["JAM_CLOCK"],
        application=told["JAM_APPLICATION"],
    )


@cache
def _clients() -> Clients:
    return Clients(
        records=_client("dynamodb"),
        values=_client("cloudfront-keyvaluestore"),
        deployments=_client("codedeploy"),
        functions=_client("lambda"),
        metrics=_client("cloudwatch"),
        rules=_client("events"),
    )


def _client(service: str) -> Any:
    import boto3  # noqa: TID251  # Lambda's runtime brings it
    from botocore.config import Config  # noqa: TID251

    config = Config(
        connect_timeout=2, read_timeout=10, retries={"mode": "standard", "total_max_attempts": 4}
    )
    make: Any = boto3.client  # its overloads want the service's name as a literal
    client = make(service, config=config)
    if service == "cloudfront-keyvaluestore":
        client.meta.events.register("before-sign", _stay_on_loopback)
    return client


def _stay_on_loopback(request: Any, **_: object) -> None:
    """The store's endpoint rules put the account's number before any host, 127.0.0.1 included."""
    parts = urlsplit(request.url)
    _, _, host = parts.netloc.partition(".")
    if host.startswith(("127.0.0.1:", "localhost:")):
        request.url = urlunsplit(parts._replace(netloc=host))


def _announce(seen: Look, decision: Decision) -> None:
    if seen.rollout.notify:
        told = message(_settings()["JAM_SITE"], seen, decision)
        tell(told, seen.rollout.notify, topics=_client("sns"), post=post, log=print)


def _code_of(error: Exception) -> str | None:
    response = getattr(error, "response", None)
    if not isinstance(response, dict):
        return None
    code = response.get("Error", {}).get("Code")
    return str(code) if code else None
