"""The service `codedeploy`: all operations in one table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from runner.local.codedeploy.account import Account
from runner.local.codedeploy.tags import Tags
from runner.local.wire import Operation


class Part(Protocol):
    """A group of operations."""

    def operations(self) -> Mapping[str, Operation]: ...


class CodeDeployService:
    """Ours in place of moto's, whose deployments never begin."""

    name = "codedeploy"

    def __init__(
        self, account: Account, parts: Iterable[Part], *, forget: Callable[[], None]
    ) -> None:
        self._account = account
        self._forget = forget
        self._tags = Tags(account)
        self._operations: dict[str, Operation] = {}
        for part in (self._tags, *parts):
            self._operations |= part.operations()

    def operations(self) -> Mapping[str, Operation]:
        return self._operations

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def tagged(self) -> Iterable[tuple[str, dict[str, str]]]:
        """(ARN, tags) of everything, for the tagging API."""
        return self._tags.tagged()

    def reset(self) -> None:
        self._account.reset()
        self._forget()
