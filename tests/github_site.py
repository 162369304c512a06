"""A repository at the embedded GitHub, our client on it, and a clock that waits for nobody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from runner.github.client import Client, connect
from runner.local.github import Hands, Hub
from runner.local.github.state import Level

NAME = "octo/site"
ALL: Mapping[str, Level] = {
    "actions": "read",
    "checks": "write",
    "contents": "read",
    "deployments": "write",
    "pull_requests": "write",
    "statuses": "write",
}


@dataclass
class Clock:
    """Time passes while somebody sleeps."""

    at: float = 1_800_000_000.0
    slept: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.at += seconds


@dataclass
class Site:
    hub: Hub
    hands: Hands
    clock: Clock

    def client(self, permissions: Mapping[str, Level] = ALL, *, token: str = "") -> Client:
        return connect(
            self.hub.url,
            token or self.hands.token(permissions),
            NAME,
            sleep=self.clock.sleep,
            now=self.clock.now,
        )

    def pull(self, branch: str = "change") -> int:
        """A pull request of a branch with one commit."""
        self.hands.push(branch, {"index.html": b"<h1>Hi</h1>"})
        return self.hands.open(branch)

    def calls(self) -> list[str]:
        return [each.operation for each in self.hub.seen]

    def bodies(self, number: int) -> list[str]:
        comments = self.hands.repository.comments.values()
        return [each.body for each in comments if each.pull == number]

    def states(self, task: str) -> list[str]:
        """The newest status of each deployment, oldest deployment first."""
        found = self.hands.repository.deployments.values()
        return [each.statuses[-1].state for each in found if each.task == task]


@contextmanager
def running() -> Iterator[Hub]:
    """One server for the tests of a module: to stop one takes half a second."""
    with Hub(now=Clock().now, sleep=Clock().sleep) as hub:
        yield hub


@contextmanager
def site(hub: Hub, *, private: bool = False) -> Iterator[Site]:
    """Ends with the proof that GitHub might have answered so."""
    clock = Clock()
    hub.reset()
    hub.now, hub.sleep = clock.now, clock.sleep
    yield Site(hub, Hands.on(hub, NAME, private=private), clock)
    assert hub.defects == []
