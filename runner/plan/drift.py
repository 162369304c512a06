"""What differs from the records because somebody changed or deleted it: as values, in words. Pure.

A look performs the very steps that a deploy would, and hears what they would write: so the two
never disagree about what is wrong.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from runner.errors import JamError


class State(StrEnum):
    """How something differs."""

    MISSING = "missing"
    CHANGED = "changed"
    LOST = "lost"  # with what it held: it is never made again by itself
    FOREIGN = "not ours"
    UNSEEN = "could not be looked at"
    PENDING = "not deployed yet"  # it differs from the settings here, or from this program


# Kinds that visitors go through, by the names that runner.plan.inventory gives them.
_VISIBLE = frozenset(
    {
        "HTTP API",
        "api_stage",
        "distribution",
        "function version",
        "key of the key value store",
        "key value store",
        "objects",
    }
)
MENDED = frozenset({State.MISSING, State.CHANGED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One resource that is not as recorded. `told` says what of it, in a few words."""

    kind: str  # as runner.plan.inventory names it
    name: str
    state: State
    told: str = ""
    hint: str = ""

    @property
    def is_mended(self) -> bool:
        """Whether a deploy puts it right."""
        return self.state in MENDED

    @property
    def is_unseen(self) -> bool:
        """Whether nobody could look."""
        return self.state is State.UNSEEN

    def __str__(self) -> str:
        return f"{self.kind} {self.name} is {self.state}" + (f": {self.told}" if self.told else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """All findings, and what of the live release a deploy has to make again.

    `functions` are names of the site's own whose version is gone, `api_stages` snapshots that are
    gone or call such a version, `files` storage keys whose object is gone or has other bytes.
    `unrouted` are other kept releases of which the router knows nothing any more.
    """

    findings: tuple[Finding, ...] = ()
    functions: frozenset[str] = frozenset()
    api_stages: frozenset[str] = frozenset()
    files: frozenset[str] = frozenset()
    unrouted: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.findings)

    @property
    def is_mended(self) -> bool:
        """Whether a deploy has something to put right."""
        return any(each.is_mended for each in self.findings)

    @property
    def pending(self) -> tuple[Finding, ...]:
        """What the next deploy brings anyway."""
        return tuple(each for each in self.findings if each.state is State.PENDING)

    @property
    def hurts(self) -> bool:
        """Whether visitors of the live release do not get all of it."""
        others = {routing_key(each) for each in self.unrouted}
        seen = (each for each in self.findings if each.name not in others)
        return any(each.is_mended and each.kind in _VISIBLE for each in seen)

    @property
    def lost_tables(self) -> tuple[Finding, ...]:
        """The site's tables whose data is gone."""
        return tuple(each for each in self.findings if each.state is State.LOST)


_TOLD = {
    "DeleteFunctionConcurrency": "its reserved concurrency",
    "PutFunctionConcurrency": "its reserved concurrency",
    "PutBucketLifecycleConfiguration": "its lifecycle rules",
    "PutBucketOwnershipControls": "who owns its objects",
    "PutBucketPolicy": "its policy",
    "PutMetricAlarm": "its alarm",
    "PutPublicAccessBlock": "its block of public access",
    "PutRetentionPolicy": "how long its lines are kept",
    "PutRolePermissionsBoundary": "its permissions boundary",
    "PutRolePolicy": "what it may do",
    "PutRule": "its rule",
    "PutTargets": "what its rule calls",
    "AddPermission": "who may call it",
    "RemovePermission": "who may call it",
    "UpdateAssumeRolePolicy": "who may assume it",
    "UpdateContinuousBackups": "its point-in-time recovery",
    "UpdateFunctionCode": "its code",
    "UpdateFunctionConfiguration": "its settings",
    "UpdateTable": "its deletion protection or an index",
    "UpdateTimeToLive": "its time to live",
    "PublishFunction": "what is published of it",
}
# Creates that are parts of what else is there, in words.
_PARTS = {
    "CreateAlias": "its alias",
    "CreateFunctionUrlConfig": "its function URL",
    "CreateLogGroup": "its log group",
    "CreateDeploymentGroup": "its deployment group",
}


def routing_key(release: str) -> str:
    """Where the store has a kept release's routing."""
    return f"r/{release}"


# What every site has, whatever its settings and whichever version made it.
_EVERYWHERE = frozenset(
    {
        "HTTP API",
        "bucket",
        "cache policy",
        "distribution",
        "key value store",
        "origin access control",
        "origin request policy",
    }
)


def pending(found: Finding) -> Finding:
    """The same where the foundation that is wanted is not the one on record: nobody changed it,
    it was never deployed. What no site is without is missing all the same."""
    gone = found.state is State.MISSING and found.kind in _EVERYWHERE
    return found if gone or not found.is_mended else replace(found, state=State.PENDING)


def refused(kind: str, name: str, error: JamError) -> Finding:
    """Of a look that ended in an error."""
    state = State.FOREIGN if error.code == "JAM-NOT-OURS" else State.UNSEEN
    return Finding(kind=kind, name=name, state=state, told=error.message, hint=error.hint)


def finding(kind: str, name: str, writes: Iterable[str]) -> Finding:
    """What it means that a step would do these operations, by AWS's names."""
    wanted = tuple(dict.fromkeys(writes))
    if any(each.startswith("Create") and each not in _PARTS for each in wanted):
        return Finding(kind=kind, name=name, state=State.MISSING)
    parts = [_PARTS[each] for each in wanted if each in _PARTS]
    told = [_TOLD[each] for each in wanted if each in _TOLD]
    words = [*(f"{each} is missing" for each in parts), *dict.fromkeys(told)]
    return Finding(kind=kind, name=name, state=State.CHANGED, told=", ".join(words))


def merged(findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """One of each resource: two steps may speak of the same."""
    merged: dict[tuple[str, str], Finding] = {}
    for each in findings:
        before = merged.get((each.kind, each.name))
        worse = before and before.state is State.CHANGED and each.state is not State.CHANGED
        if before is None or worse:
            merged[each.kind, each.name] = each
        elif before.state is each.state and each.told not in before.told:
            told = ", ".join(filter(None, (before.told, each.told)))
            merged[each.kind, each.name] = replace(before, told=told)
    return tuple(merged.values())
