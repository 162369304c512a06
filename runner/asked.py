"""The lease of a deploy, asked for as soon as it is sure that something will change: beside the
looks at what is live, not after them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future
from contextlib import contextmanager
from functools import partial

from runner.aws import records
from runner.aws.holders import Holder
from runner.aws.leases import Lease, Say
from runner.aws.looks_at_live import Early
from runner.aws.quotas import Quota
from runner.aws.refusals import explained
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.names import Names
from runner.plan.live import Live
from runner.room import code_storage
from runner.together import at_once
from runner.turn import leasing, run_of
from runner.world import World

Room = Callable[[], Quota | None]


class Asked:
    """One run's lease, what there was `before` its build, and what is asked beside the lease."""

    def __init__(
        self, aws: Aws, names: Names, *, lease: Lease, pool: Executor, before: Environment | None
    ) -> None:
        self.lease = lease
        self._aws = aws
        self._names = names
        self._pool = pool
        self._before = before
        self._since: Environment | Live | None = None
        self._attempt: Future[Holder | None] | None = None
        self._room: Future[Quota | None] | None = None
        self._there: Future[Environment] | None = None

    def early(self, release: str) -> Early:
        """For whoever reads what is live, to show this `release`."""

        def tell(there: Environment) -> None:
            if self._since is None and is_sure(there, release=release):
                self._attempt = self._pool.submit(self.lease.attempt)
                self._begin(there, room=partial(code_storage, self._aws))

        return Early(before=self._before, tell=tell, owner=self.lease.owner)

    def take(self, *, since: Environment | Live, say: Say, room: Room) -> bool:
        """Waits for the lease; returns whether nobody has had it since the record that it was
        asked upon, or else `since`. `room` is asked meanwhile, where it was not yet."""
        if self._since is None:
            self._begin(since, room=room)
        elif self._attempt:
            self._attempt.exception()  # whatever it was, it is tried again
        self.lease.take(say=say)
        there = self._since
        return there is not None and is_free(there) and self.lease.token == there.turns + 1

    def leave(self) -> None:
        """Free for others: what follows needs no lease, or asks for it anew."""
        if self._attempt:
            self._attempt.exception()
        self.lease.release()
        self._since = self._attempt = None

    def room(self) -> Quota | None:
        """What there was of it when the lease was asked for."""
        return self._room.result() if self._room else None

    def there(self) -> Environment:
        """What was recorded after what the lease was asked upon."""
        return self._there.result() if self._there else recorded(self._aws, self._names)

    def _begin(self, since: Environment | Live, *, room: Room) -> None:
        self._since = since
        self._there = self._pool.submit(recorded, self._aws, self._names)
        self._room = self._pool.submit(room)


@contextmanager
def asking(
    aws: Aws, names: Names, world: World, *, before: Environment | None = None
) -> Iterator[Asked]:
    """The lease is kept from when it is taken, and released after. `before` is what was recorded
    before the build, if anybody looked."""
    run = run_of(world.environment)
    with leasing(aws, names, run=run, origin=world.origin) as lease, at_once(3) as pool:
        yield Asked(aws, names, lease=lease, pool=pool, before=before)


def is_free(there: Environment | Live) -> bool:
    """Whether nobody is at it, and no rollout's guard may change it either."""
    holds = there.leased if isinstance(there, Live) else there.holder is not None
    return not (holds or there.rollout)


def is_sure(there: Environment, *, release: str) -> bool:
    """Whether a run that is to show `release` has to change something, and may."""
    another = bool(there.release) and there.release != release
    return another and is_free(there) and there.hold is None


def recorded(aws: Aws, names: Names) -> Environment:
    with explained():
        found = records.read(aws, names, release="")
    return found[0] if found else Environment()
