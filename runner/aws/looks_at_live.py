"""What is asked as soon as anybody can know where it is, while the rest is still being read.

Reads only.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from runner.aws import entry, files, keyvalues
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.aws.written import Environment
from runner.names import Names
from runner.plan.refs import Made


@dataclass(frozen=True, slots=True, kw_only=True)
class Early:
    """What a run has before it reads what is live: the record as it was `before` the build, and
    whom to `tell` what is recorded, for what need not wait for the rest. `owner` is of the lease
    that may be taken so: what it changes in the record is nobody else's turn.
    """

    before: Environment | None = None
    tell: Callable[[Environment], object] = bool
    owner: str = ""

    def without_us(self, there: Environment) -> Environment:
        if there.holder is None or there.holder.owner != self.owner:
            return there
        return replace(there, holder=None, turns=there.holder.token - 1)


UNPREPARED = Early()


class Looks:
    """At what visitors go by, and at the live release's files: begun as soon as a record says where
    that is, and begun anew where another record says otherwise."""

    def __init__(
        self, aws: Aws, names: Names, pool: Executor, *, release: str, doubts: bool
    ) -> None:
        self._aws, self._names, self._pool = aws, names, pool
        self._release = release
        self._doubts = doubts
        self._of: tuple[str, str] | None = None  # release and store
        self._alias: Future[str | None] | None = None
        self._live: Future[str | None] | None = None
        self._manifest: Future[Any] | None = None

    def begin(self, there: Environment) -> None:
        of = there.release, there.ids.get(Made.STORE, "")
        if of == self._of:
            return
        aws, names, submit = self._aws, self._names, self._pool.submit
        self._of, self._alias, self._live, self._manifest = of, None, None, None
        if not there.release:
            return
        # Of a release that is live already nobody asks which files it has.
        if there.release != self._release:
            self._manifest = submit(manifest_of, aws, names, release=there.release)
        if not self._doubts:
            self._alias = submit(entry.find_alias, aws, names)
            self._live = submit(keyvalues.live_release, aws, there.ids[Made.STORE])

    def agree(self, there: Environment) -> bool:
        """Whether alias and store say what is recorded; False where that is doubted."""
        if self._alias is None or self._live is None:
            return not self._doubts
        return self._alias.result() == there.entry and self._live.result() == there.release

    def manifest(self) -> Any:
        if self._manifest is None and self._of:
            return manifest_of(self._aws, self._names, release=self._of[0])
        return self._manifest.result() if self._manifest else {}


def manifest_of(aws: Aws, names: Names, *, release: str) -> Any:
    """The live release's manifest; empty where somebody deleted it, so that all is put again."""
    if not release:
        return {}
    with tolerating("NoSuchKey", "NoSuchBucket"):
        found = aws.s3.get_object(
            Bucket=names.bucket,
            Key=files.manifest_key(release, names),
            ExpectedBucketOwner=names.account,
        )
        try:
            return msgspec.json.decode(found["Body"].read())
        except ValueError:  # somebody wrote over it
            return {}
    return {}
