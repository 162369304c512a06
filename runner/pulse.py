"""A few requests as visitors send them: whether what is live can be seen at all.

Reads no AWS API, so it costs a deploy that has nothing to do no call. Says what is wrong, and never
why: that is looked for where this fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable

from runner.errors import JamError
from runner.fetch import Fetch
from runner.model import File, Function, Kind, Release
from runner.together import at_once
from runner.verify import NAVIGATION, Patience, callable_functions, looked_at

FUNCTIONS = 5  # called at most: each is one invocation
WORKERS = 8
CARD = "/.jam/version.json"  # answered by the router out of its store
_AT_ONCE = Patience(seconds=0.0, clock=lambda: 0.0, sleep=lambda _: None)


def pulse(release: Release, *, fetch: Fetch, glance: Fetch, chance: Callable[[], float]) -> str:
    """What visitors do not get; empty if all is well.

    A page goes through router, bucket and policy, a path that nobody has through the entry, the
    functions through the API and its api_stage.
    """
    page = next((each for each in release.files if each.kind is Kind.DOCUMENT), None)
    functions = callable_functions(release.functions)[:FUNCTIONS]
    looks: list[Callable[[], str]] = [
        lambda: _card(fetch),
        lambda: _nobody(fetch, f"/jam-pulse-{int(chance() * 1e9)}"),
        *([lambda: _looked(release, fetch, glance, files=(page,))] if page else []),
        *(_calling(release, fetch, glance, function=each) for each in functions),
    ]
    with at_once(WORKERS, name="pulse") as pool:
        return next(filter(None, pool.map(_reached, looks)), "")


def _reached(look: Callable[[], str]) -> str:
    try:
        return look()
    except JamError as error:
        return error.message


def _card(fetch: Fetch) -> str:
    answer = fetch(CARD, {})
    if answer.status != 200:
        return f"{CARD} answers {answer.status}"
    try:
        told = json.loads(answer.body)
    except ValueError:
        return f"{CARD} is no answer of the router's"
    return "" if isinstance(told, dict) and told.get("release") else f"{CARD} names no release"


def live_release(fetch: Fetch) -> str:
    """What the version card names live; empty where it names nothing. Raises JamError
    `JAM-UNREACHABLE`."""
    answer = fetch(CARD, {})
    if answer.status != 200:
        return ""
    try:
        told = json.loads(answer.body)
    except ValueError:
        return ""
    return str(told.get("release") or "") if isinstance(told, dict) else ""


def _nobody(fetch: Fetch, path: str) -> str:
    """Not in the bucket, so the entry answers: with a page, or by a rule of the site's."""
    status = fetch(path, NAVIGATION).status
    return f"the entry answers {status}" if status >= 500 or status == 403 else ""


def _calling(
    release: Release, fetch: Fetch, glance: Fetch, *, function: Function
) -> Callable[[], str]:
    return lambda: _looked(release, fetch, glance, functions=(function,))


def _looked(
    release: Release,
    fetch: Fetch,
    glance: Fetch,
    *,
    files: tuple[File, ...] = (),
    functions: tuple[Function, ...] = (),
) -> str:
    checks = looked_at(
        release, files=files, functions=functions, fetch=fetch, patience=_AT_ONCE, glance=glance
    )
    return next((f"{each.name} {each.detail}" for each in checks if each.detail), "")
