"""The lease of an environment: one run at a time changes it, and a dead one blocks none.

A run takes it before its first write and asks it before every visible one. Its token only grows:
who finds another token has been taken for dead, and stops where it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from runner.aws.holders import (
    LASTS,
    LOST,
    SKEW,
    Holder,
    age,
    busy,
    holder_of,
    key_of,
    lost,
    origin_text,
    somebody,
    token_of,
)
from runner.aws.refusals import explained, explained_but_conditions, needed, tolerating
from runner.aws.session import Aws
from runner.errors import JamError
from runner.model import Origin
from runner.names import Names
from runner.together import Later, directly

RENEWED_EVERY = 20.0  # seconds
TRUSTED = 25.0  # seconds after a renewal: a heart that beats spares every look
BUDGET = 600.0  # seconds of waiting for another run
_LOOKS_EVERY, _TELLS_EVERY = 3.0, 15.0  # seconds
_OURS = "#owner = :owner AND #token = :token"

Say = Callable[[str], None]


class Lease:
    """One run's lease. `inherited` from a run that died, or stopped, in the middle of its work."""

    def __init__(self, aws: Aws, names: Names, *, owner: str, run: str, origin: Origin) -> None:
        self._aws = aws
        self._names = names
        self.owner = owner
        self._run = run
        self._origin = origin
        self._token, self._unsure = 0, False
        self._renewed = 0.0  # epoch seconds of the newest renewal that AWS confirmed
        self._is_held = False
        self._is_asked = False  # it may be ours, though we have not heard so
        self.inherited: Holder | None = None

    def take(self, *, say: Say, budget: float = BUDGET) -> None:
        """Waits for whoever has it. Raises JamError `JAM-BUSY` after `budget` seconds."""
        started = told = self._aws.clock()
        while (holder := self.attempt()) is not None:
            now = self._aws.clock()
            if now - started > budget:
                raise busy(holder, now=now)
            if told == started or now - told > _TELLS_EVERY:
                told = now
                say(f"waiting for {holder.run}, which has been at it for {age(holder, now=now)}")
            self._aws.sleep(_LOOKS_EVERY * (0.75 + self._aws.chance() / 2))

    def attempt(self) -> Holder | None:
        """Takes the lease unless somebody has it: returns who. One that was taken stays taken."""
        return None if self._is_held else self._taken()

    def check(self, *, looks: bool = False) -> None:
        """The fence. Raises JamError `JAM-LEASE-LOST` where another run has taken over.

        No other run takes a lease before its `expires` and SKEW are past, which is LASTS + SKEW
        after the clock was read for the renewal that set it. So within TRUSTED seconds of one that
        AWS confirmed the lease is ours without a look, and what is sent now has LASTS + SKEW -
        TRUSTED seconds to arrive: longer than a look that found a lease near its end ever left it.
        A run that slept finds its renewal too old, and looks; so does one whose clock went back.
        What a clock that stood still as well would let through is refused by the revision that the
        write is conditional on; whoever was refused so `looks` before the next try.
        """
        if not looks and 0 <= self._aws.clock() - self._renewed < TRUSTED:
            return
        holder = holder_of(self._there())
        if holder is None or (holder.owner, holder.token) != (self.owner, self._token):
            raise lost(holder)

    def is_lost_by(self, error: JamError) -> bool:
        """Whether what failed with `error` failed because another run has taken over, or only
        after one has. Free again, and taken by nobody since, it is not lost."""
        try:
            return token_of(self._there()) != self._token
        except JamError:
            return error.code == LOST

    @property
    def token(self) -> int:
        """Larger than any before it; 0 until the lease is taken."""
        return self._token

    def begin(self) -> None:
        """From here on, until `done`, a run that dies leaves something for the next to mend."""
        self._unsure = True

    def done(self) -> None:
        """Alias, store and record agree again."""
        self._unsure, self.inherited = False, None

    def freed(self) -> None:
        """A transaction with `freeing` in it was carried out: nothing is left to release."""
        self.done()
        self._renewed, self._is_held, self._is_asked = 0.0, False, False

    @property
    def condition(self) -> dict[str, Any]:
        """The fence as a part of a transaction: the rest of it happens under this lease alone."""
        return {
            "TableName": self._names.records,
            "Key": self._key,
            "ConditionExpression": _OURS,
            "ExpressionAttributeNames": {"#owner": "owner", "#token": "token"},
            "ExpressionAttributeValues": self._ours,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    @property
    def freeing(self) -> dict[str, Any]:
        """The same for the last thing that is done under it: an update that frees it as well."""
        held = self.condition
        over = {":over": {"N": "0"}, ":origin": origin_text(self._origin)}
        names = {"#expires": "expires", "#origin": "origin"}
        return {
            **held,
            "UpdateExpression": "SET #expires = :over, #origin = :origin REMOVE #owner",
            "ExpressionAttributeNames": {**held["ExpressionAttributeNames"], **names},
            "ExpressionAttributeValues": {**self._ours, **over},
        }

    def renew(self) -> None:
        """So many seconds more; nothing where the lease is lost: the fence will say so."""
        if not self._is_held:
            return
        now = self._aws.clock()
        try:
            self._aws.records.update_item(
                TableName=self._names.records,
                Key=self._key,
                UpdateExpression="SET #expires = :expires",
                ConditionExpression=_OURS,
                ExpressionAttributeNames={
                    "#expires": "expires",
                    "#owner": "owner",
                    "#token": "token",
                },
                ExpressionAttributeValues={**self._ours, ":expires": _expiry(now)},
            )
        except self._aws.records.exceptions.ConditionalCheckFailedException:
            self._renewed = 0.0
            return
        self._renewed = now

    def release(self, *, client: Any = None) -> None:
        """Free for the next run, which hears of it if this one ends in the middle.

        Harmless where it is free, or another's: an owner's name is never another run's.
        """
        if not self._is_asked:
            return
        self._renewed, self._is_held = 0.0, False
        unsure = self._unsure or self.inherited
        gone = "" if unsure else " REMOVE #owner"
        # What this run found half done, and left so, is still for a run that is no older.
        newest = self._origin if self._unsure or not self.inherited else self.inherited.origin
        with tolerating("ConditionalCheckFailedException"):
            (client or self._aws.records).update_item(
                TableName=self._names.records,
                Key=self._key,
                UpdateExpression="SET #expires = :over, #origin = :origin" + gone,
                ConditionExpression="#owner = :owner",  # the token's answer may have been lost
                ExpressionAttributeNames={
                    "#expires": "expires",
                    "#owner": "owner",
                    "#origin": "origin",
                },
                ExpressionAttributeValues={
                    ":owner": {"S": self.owner},
                    ":over": {"N": "0"},
                    ":origin": origin_text(newest),
                },
            )
        self._is_asked = False

    @contextmanager
    def kept(self, *, later: Later = directly) -> Iterator[None]:
        """Renewed from a thread meanwhile, and released after; in a hurry after an interrupt."""
        stopped = threading.Event()
        threading.Thread(target=self._beat, args=(stopped,), daemon=True).start()
        try:
            yield
        except BaseException as error:
            stopped.set()
            self._leave(error)
            raise
        stopped.set()
        later(self._give_back)

    def _give_back(self) -> None:
        with explained():
            self.release()

    def _leave(self, error: BaseException) -> None:
        """What goes wrong here is nobody's news: the lease runs out by itself."""
        hurried = self._is_asked and not isinstance(error, Exception)
        try:
            quick = self._aws.make("dynamodb", 1, read_timeout=1) if hurried else None
            self.release(client=quick)
        except (ClientError, BotoCoreError, JamError):
            return

    def _beat(self, stopped: threading.Event) -> None:
        while True:
            self._aws.sleep(RENEWED_EVERY)
            if stopped.is_set():
                return
            try:
                self.renew()
            except (ClientError, BotoCoreError):
                continue  # the next beat may get through; if none does, others take over

    def _taken(self) -> Holder | None:
        """Takes the lease, or returns who has it. Our own, of which we heard no answer, is ours."""
        now = self._aws.clock()
        self._is_asked = True
        try:
            with explained_but_conditions(), needed("the lease"):
                before = self._aws.records.update_item(**self._taking(now))
        except self._aws.records.exceptions.ConditionalCheckFailedException as error:
            self._is_asked = False
            answer: dict[str, Any] = {**error.response}
            return holder_of(answer.get("Item", {})) or somebody(int(now))
        found: dict[str, Any] = {**before.get("Attributes", {})}
        self._token = token_of(found) + 1
        self._renewed, self._is_held = now, True
        self.inherited = holder_of(found)
        return None

    def _taking(self, now: float) -> dict[str, Any]:
        values: dict[str, Any] = {
            ":owner": {"S": self.owner},
            ":run": {"S": self._run},
            ":origin": origin_text(self._origin),
            ":since": {"N": str(int(now))},
            ":expires": _expiry(now),
            ":past": {"N": str(int(now - SKEW))},
            ":one": {"N": "1"},
        }
        return {
            "TableName": self._names.records,
            "Key": self._key,
            "UpdateExpression": "SET #owner = :owner, #run = :run, #origin = :origin, "
            "#since = :since, #expires = :expires ADD #token :one",
            "ConditionExpression": "attribute_not_exists(#owner) OR #expires <= :past "
            "OR #owner = :owner",
            "ExpressionAttributeNames": {
                f"#{name}": name for name in ("owner", "run", "origin", "since", "expires", "token")
            },
            "ExpressionAttributeValues": values,
            "ReturnValues": "ALL_OLD",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }

    def _there(self) -> dict[str, Any]:
        with explained():
            found = self._aws.records.get_item(
                TableName=self._names.records, Key=self._key, ConsistentRead=True
            )
        return {**found.get("Item", {})}

    @property
    def _key(self) -> Any:
        return key_of(self._names)

    @property
    def _ours(self) -> dict[str, Any]:
        return {":owner": {"S": self.owner}, ":token": {"N": str(self._token)}}


def _expiry(now: float) -> dict[str, str]:
    return {"N": str(int(now + LASTS))}
