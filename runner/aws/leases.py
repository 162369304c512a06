"""The lease of an environment: one run at a time changes it, and a dead one blocks none.

A run takes it before its first write and asks it before every visible one. Its token only grows:
who finds another token has been taken for dead, and stops where it is.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from runner.aws.refusals import explained, needed, tolerating
from runner.aws.session import Aws
from runner.errors import JamError, busy_error
from runner.model import Origin
from runner.names import Names

LASTS = 90.0  # seconds after its last renewal
RENEWED_EVERY = 20.0  # seconds
SKEW = 5.0  # seconds by which two machines' clocks may differ
BUDGET = 600.0  # seconds of waiting for another run
_LOOKS_EVERY = 3.0  # seconds
_TELLS_EVERY = 15.0  # seconds

LOST = "JAM-LEASE-LOST"

Say = Callable[[str], None]


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


class Lease:
    """One run's lease. `inherited` from a run that died, or stopped, in the middle of its work."""

    def __init__(self, aws: Aws, names: Names, *, owner: str, run: str, origin: Origin) -> None:
        self._aws = aws
        self._names = names
        self._owner = owner
        self._run = run
        self._origin = origin
        self._token = 0
        self._unsure = False
        self.inherited: Holder | None = None

    def take(self, *, say: Say, budget: float = BUDGET) -> None:
        """Waits for whoever has it. Raises JamError `JAM-BUSY` after `budget` seconds."""
        started = told = self._aws.clock()
        while (holder := self._taken()) is not None:
            now = self._aws.clock()
            if now - started > budget:
                raise _busy(holder, now=now)
            if told == started or now - told > _TELLS_EVERY:
                told = now
                say(f"waiting for {holder.run}, which has been at it for {_age(holder, now=now)}")
            self._aws.sleep(_LOOKS_EVERY * (0.75 + self._aws.chance() / 2))

    def check(self) -> None:
        """The fence. Raises JamError `JAM-LEASE-LOST` where another run has taken over."""
        with explained():
            found = self._aws.records.get_item(
                TableName=self._names.records, Key=self._key, ConsistentRead=True
            )
        holder = holder_of(found.get("Item", {}))
        if holder is None or (holder.owner, holder.token) != (self._owner, self._token):
            raise lost(holder)

    def is_lost_by(self, error: JamError) -> bool:
        """Whether what failed with `error` failed because another run has taken over, or only
        after one has."""
        try:
            self.check()
        except JamError as found:
            return LOST in (found.code, error.code)
        return False

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

    @property
    def condition(self) -> dict[str, Any]:
        """The fence as a part of a transaction: the rest of it happens under this lease alone."""
        return {
            "TableName": self._names.records,
            "Key": self._key,
            "ConditionExpression": "#owner = :owner AND #token = :token",
            "ExpressionAttributeNames": {"#owner": "owner", "#token": "token"},
            "ExpressionAttributeValues": self._ours,
        }

    def renew(self) -> None:
        """So many seconds more; nothing where the lease is lost: the fence will say so."""
        with tolerating("ConditionalCheckFailedException"):
            self._aws.records.update_item(
                TableName=self._names.records,
                Key=self._key,
                UpdateExpression="SET #expires = :expires",
                ConditionExpression="#owner = :owner AND #token = :token",
                ExpressionAttributeNames={
                    "#expires": "expires",
                    "#owner": "owner",
                    "#token": "token",
                },
                ExpressionAttributeValues={**self._ours, ":expires": self._expiry()},
            )

    def release(self, *, client: Any = None) -> None:
        """Free for the next run, which hears of it if this one ends in the middle."""
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
                    ":owner": {"S": self._owner},
                    ":over": {"N": "0"},
                    ":origin": _text(newest),
                },
            )

    @contextmanager
    def kept(self) -> Iterator[None]:
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
        with explained():
            self.release()

    def _leave(self, error: BaseException) -> None:
        """What goes wrong here is nobody's news: the lease runs out by itself."""
        hurried = not isinstance(error, Exception)
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
        now = int(self._aws.clock())
        try:
            with _explained_but_conditions(), needed("the lease"):
                before = self._aws.records.update_item(**self._taking(now))
        except self._aws.records.exceptions.ConditionalCheckFailedException as error:
            answer: dict[str, Any] = {**error.response}
            return holder_of(answer.get("Item", {})) or self._somebody(now)
        found: dict[str, Any] = {**before.get("Attributes", {})}
        self._token = int(found.get("token", {"N": "0"})["N"]) + 1
        self.inherited = holder_of(found)
        return None

    def _taking(self, now: int) -> dict[str, Any]:
        values: dict[str, Any] = {
            ":owner": {"S": self._owner},
            ":run": {"S": self._run},
            ":origin": _text(self._origin),
            ":since": {"N": str(now)},
            ":expires": self._expiry(),
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

    def _somebody(self, now: int) -> Holder:
        """AWS said that the lease is held, but not by whom."""
        return Holder(owner="", run="another run", token=0, since=now, expires=now, origin=Origin())

    def _expiry(self) -> dict[str, str]:
        return {"N": str(int(self._aws.clock() + LASTS))}

    @property
    def _key(self) -> Any:
        return key_of(self._names)

    @property
    def _ours(self) -> dict[str, Any]:
        return {":owner": {"S": self._owner}, ":token": {"N": str(self._token)}}


def _text(origin: Origin) -> dict[str, str]:
    return {"S": json.dumps(asdict(origin), separators=(",", ":"))}


@contextmanager
def _explained_but_conditions() -> Iterator[None]:
    """A condition that fails is an answer; all else AWS refuses is explained."""
    try:
        yield
    except ClientError as error:
        if error.response["Error"].get("Code") == "ConditionalCheckFailedException":
            raise
        with explained():
            raise


def lost(holder: Holder | None) -> JamError:
    by = f"{holder.run} has taken over" if holder and holder.run else "another run has taken over"
    return busy_error(
        LOST,
        f"This run was silent for more than {LASTS:.0f} s, and {by}; it has stopped where it was.",
        hint="Look what is live with `jam-deploy status`; run again if this commit should be.",
    )


def _busy(holder: Holder, *, now: float) -> JamError:
    return busy_error(
        "JAM-BUSY",
        f"Production is being changed by {holder.run}, for {_age(holder, now=now)} now.",
        hint="Run again when it has ended. A run that died is taken over after "
        f"{LASTS + SKEW:.0f} s: nobody has to unlock anything.",
    )


def _age(holder: Holder, *, now: float) -> str:
    seconds = max(0, int(now - holder.since))
    return f"{seconds} s" if seconds < 120 else f"{seconds // 60} min"
