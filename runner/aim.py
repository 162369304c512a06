"""Which kept release is meant, upon what production serves: of the records alone. Reads only."""

from __future__ import annotations

from dataclasses import dataclass

from runner.aws.session import Aws
from runner.aws.written import Environment, Staged
from runner.errors import site_error
from runner.names import Names
from runner.plan.back import before
from runner.plan.live import Live
from runner.standing import environment_of, kept_of, named
from runner.together import at_once

WHOLE = 32  # hex digits of an id that is named in full


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """Which release is meant, with its record, upon what production serves. `free`: nobody had the
    lease when that was read, nor right before."""

    there: Environment
    target: str
    staged: Staged | None
    free: bool

    @property
    def moves(self) -> bool:
        """For certain; where it does not, alias and store may still have to."""
        return self.target != self.there.release


def aimed(aws: Aws, names: Names, wanted: str) -> Aim:
    """The release whose id begins with `wanted`; without a word the one before the live one.

    The records' table bears no account's number: `names` need not know it. Two readings: what
    production serves is what the second one says. One is of several items, each as it is at its own
    moment, so that a run could end between lease and environment. Raises JamError `JAM-ROLLBACK-*`.
    """
    with at_once(1, name="named") as pool:
        asked = pool.submit(named, aws, names, wanted) if len(wanted) in range(1, WHOLE) else None
        first = environment_of(aws, names)
        meant = asked.result() if asked else wanted.lower()
    while True:
        target = meant or _before(first)
        there, staged = kept_of(aws, names, target)
        if _decides(there) == _decides(first):
            break
        first = there
    if wanted and staged is None:
        named(aws, names, wanted)  # says which there are
    free = first.holder is None and there.holder is None and first.turns == there.turns
    return Aim(there=there, target=target, staged=staged, free=free)


def _decides(there: Environment) -> tuple[object, ...]:
    return there.release, there.sequence, there.rollout, there.history


def _before(there: Environment) -> str:
    """An open rollout is taken back to what was live before it."""
    if there.rollout:
        return there.release
    live = Live(release=there.release, previous=there.previous, history=there.history)
    if found := before(live):
        return found
    raise site_error(
        "JAM-ROLLBACK-NOTHING",
        f"There is no release before {there.release[:8]}, which is live.",
        hint="`jam-deploy releases` lists those that can be named.",
    )
