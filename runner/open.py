"""A kept release in a browser: a link that ends by itself, and its api_stage where it was dropped.

The live site is the same for everybody else. The router reads the link: runner/edge/router.js.
"""

from __future__ import annotations

import base64
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

from runner.aws import keyvalues, ledger
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.errors import JamError, Problem, aws_error
from runner.names import Names
from runner.plan.back import made_again
from runner.plan.live import Live
from runner.plan.refs import Made
from runner.plan.steps import Plan, StageStep
from runner.report.watch import Watcher
from runner.standing import (
    Standing,
    around,
    carried_out,
    environment_of,
    live_beside,
    named,
    standing,
)
from runner.turn import leased

LASTS = 3600  # seconds: of a link, and of the cookie that it becomes
OPEN = "/.jam/open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """`url` shows `release` to whoever follows it until the epoch second `until`.

    `leave` ends it in that browser. `is_new`: something was written first that every edge knows
    some 30 s later. `local_url` is the same on the embedded cloud.
    """

    site: str
    release: str
    url: str
    leave: str
    until: int
    is_new: bool
    local_url: str = ""


def open_release(
    aws: Aws,
    names: Names,
    wanted: str,
    *,
    run: str,
    watcher: Watcher,
    clock: Callable[[], float],
    near: str = "",
) -> Opened:
    """A link to the kept release whose id begins with `wanted`, made ready where it is not.

    `run` is how others find this run, `near` the embedded cloud's address; `clock` counts seconds.
    Raises JamError `JAM-OPEN-GONE`, `JAM-ROLLBACK-NOTHING`, `JAM-ROLLBACK-UNKNOWN`.
    """
    there = environment_of(aws, names)
    release = named(aws, names, wanted)
    until = int(aws.clock()) + LASTS
    # Before the look: from here on gc leaves it alone.
    ledger.mark_opened(aws, names, release=release, until=until)
    is_ready = _is_ready(_whole(release, standing(aws, names, release, there=there)))
    if not is_ready:
        with leased(aws, names, run=run, say=watcher.note) as lease, watcher.stage("stage"):
            there = environment_of(aws, names)
            found = _whole(release, standing(aws, names, release, there=there))
            seen = around(aws, names, there=there)
            live = live_beside(names, found, there=there, seen=seen)
            again = Plan(stage=_again(found, live))
            carried_out(
                aws,
                names,
                again,
                release=found.release,
                live=live,
                lease=lease,
                watcher=watcher,
                clock=clock,
            )
    with explained():
        known = keyvalues.get(aws, there.ids[Made.STORE], key=keyvalues.TOKEN)
        token = keyvalues.token(aws, there.ids[Made.STORE])
    domain = there.ids[Made.DOMAIN]
    asked = urlencode({"release": release, "token": pass_of(release, until=until, token=token)})
    port = urlsplit(near).port if near else None
    return Opened(
        site=names.site,
        release=release,
        url=f"https://{there.host}{OPEN}?{asked}",
        leave=f"https://{there.host}{OPEN}",
        until=until,
        is_new=known is None or not is_ready,
        local_url=f"http://{domain.partition('.')[0]}.localhost:{port}{OPEN}?{asked}"
        if port
        else "",
    )


def pass_of(release: str, *, until: int, token: str) -> str:
    """What opens `release` until then, as the router checks it: `<until>.<signature>`.

    It opens this release alone, and the store's token cannot be told from it.
    """
    signed = hmac.digest(token.encode(), f"{release}.{until}".encode(), "sha256")
    return f"{until}.{base64.urlsafe_b64encode(signed).decode().rstrip('=')}"


def close_all(aws: Aws, names: Names, *, run: str, watcher: Watcher) -> None:
    """A new token: every link and every opened browser ends, once every edge knows.

    Under the lease, because a deploy shows itself its candidate by the token.
    """
    there = environment_of(aws, names)
    with leased(aws, names, run=run, say=watcher.note), explained():
        keyvalues.renew_token(aws, there.ids[Made.STORE])


def _again(found: Standing, live: Live) -> tuple[StageStep, ...]:
    return made_again(found.release, live, is_routed=found.condition.is_routed)


def _is_ready(found: Standing) -> bool:
    return found.condition.has_stage and found.condition.is_routed


def _whole(release: str, found: Standing | None) -> Standing:
    if found is None:
        raise _gone(release, ("its record does not say what it is made of",))
    if found.condition.lost:
        raise _gone(release, found.condition.lost)
    return found


def _gone(release: str, parts: tuple[str, ...]) -> JamError:
    return aws_error(
        "JAM-OPEN-GONE",
        f"Release {release[:8]} cannot be shown: parts of it are gone.",
        hint="Deploy its commit again, or choose another of `jam-deploy releases`.",
        problems=tuple(Problem(where=release[:8], message=part) for part in parts),
    )
