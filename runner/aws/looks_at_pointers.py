"""What visitors are sent by, looked at: the aliases, and the store's keys of the live release."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from runner.aws import keyvalues, urls
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.plan.definition import routing_of
from runner.plan.drift import Finding, State
from runner.plan.inventory import What


def alias(aws: Aws, function: str, version: str) -> Iterator[Finding]:
    """Of one function; a missing one is the function's own finding."""
    found = urls.find_alias(aws, function)
    if found == version or not urls.has_alias(aws, function):
        return
    where = f"it is at version {found}" if found else "it shares visitors among versions"
    told = f"{where}, not at {version}"
    yield Finding(kind=What.ALIAS, name=f"{function}:live", state=State.CHANGED, told=told)


def keys(
    there: Mapping[str, str], *, of: Environment, manifest: Mapping[str, Any] | None
) -> Iterator[Finding]:
    """`live` as a deploy writes it, the release's routing, its sets of headers."""
    is_free = not (of.rollout or of.holder)
    if is_free and not _names(there.get(keyvalues.LIVE, ""), of.release):
        yield _key(keyvalues.LIVE, there, told="it does not name the live release")
    if manifest is None:
        return
    routing = routing_of(manifest["routing"])
    wanted = keyvalues.routing_keys(of.release, routing, header_sets=())
    for key, value in wanted.items():
        if there.get(key) != value:
            yield _key(key, there, told="it is not the release's routing")
    for ref in manifest.get("headers", {}):
        digest, _, parts = ref.partition(".")
        for number in range(int(parts or 1)):
            if f"h/{digest}.{number}" not in there:
                yield _key(f"h/{digest}.{number}", there, told="")


def _names(value: str, release: str) -> bool:
    try:
        return bool(json.loads(value).get("live") == release)
    except (ValueError, AttributeError):
        return False


def _key(key: str, there: Mapping[str, str], *, told: str) -> Finding:
    state = State.CHANGED if key in there else State.MISSING
    return Finding(kind=What.KEY, name=key, state=state, told=told if key in there else "")
