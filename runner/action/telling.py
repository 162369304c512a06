"""What GitHub is told of an environment: its comment, its deployment. None of it fails a deploy.

What GitHub did not hear is a warning, and is made up by the next run or by `gc`, which compare the
comment with what is recorded in AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from runner.action.console import Console
from runner.errors import JamError
from runner.event import Event
from runner.github import GitHub, deployments
from runner.github.attempt import Missed, attempt
from runner.github.codes import DOWN
from runner.github.comments import marker_of, said, upsert_comment
from runner.github.values import DeploymentStatus, NewDeployment, Pull
from runner.report.comment import Row, State, body, merged
from runner.report.comment.kept import kept

Got = TypeVar("Got")
_SITES = "sites"  # the comment is one for all sites of the repository
_TRIES = 3  # of a comment that several jobs change at once


@dataclass(slots=True, kw_only=True)
class Telling:
    """`pull` is 0 for production. `reach` leads to GitHub, or raises why nothing does; `missed` is
    what GitHub did not hear; `deployment` GitHub's id of ours, 0 without one."""

    reach: Callable[[], GitHub]
    console: Console
    event: Event
    site: str
    environment: str
    pull: int
    run_url: str
    now: Callable[[], float]
    comments: bool = True
    deployments: bool = True
    missed: list[Missed] = field(default_factory=list)
    deployment: int = 0

    @property
    def github(self) -> GitHub:
        return self.reach()

    def row(self, state: State) -> Row:
        """What this run says; whoever knows more adds it."""
        return Row(
            site=self.site,
            state=state,
            at=int(self.now()),
            origin=self.event.origin,
            run_url=self.run_url,
        )

    def is_closed(self) -> bool:
        """Whether GitHub says so now: an event may be older than that."""
        found = self.attempt("look at the pull request", lambda: self.github.pull(self.pull))
        return isinstance(found, Pull) and not found.open

    def is_open(self) -> bool:
        """Whether GitHub says so now; not where it does not answer."""
        found = self.attempt("look at the pull request", lambda: self.github.pull(self.pull))
        return isinstance(found, Pull) and found.open

    def begin(self, sha: str) -> None:
        """The deployment of a commit is in progress."""
        if not (self.deployments and sha):
            return
        new = self._wanted(sha)
        made = self.attempt(
            "show the deployment", lambda: deployments.begin(self.github, new, log=self.run_url)
        )
        if isinstance(made, int):
            self.deployment = made
            self.console.state("deployment", str(made))
            self.console.output("deployment-id", str(made))

    def succeeded(self, sha: str, url: str) -> None:
        """It serves at `url`, and none before it does."""
        if self.deployment:
            new = self._wanted(sha)
            self.attempt(
                "show the deployment",
                lambda: deployments.succeed(
                    self.github, self.deployment, of=new, url=url, log=self.run_url
                ),
            )

    def failed(self, why: str) -> None:
        if self.deployment:
            self.attempt(
                "show the deployment",
                lambda: deployments.fail(
                    self.github, self.deployment, why=why[:140], log=self.run_url
                ),
            )

    def status(self, status: DeploymentStatus) -> None:
        """Whatever else became of this run's deployment."""
        if self.deployment:
            told = replace(status, log=self.run_url)
            self.attempt(
                "show the deployment",
                lambda: self.github.create_deployment_status(self.deployment, told),
            )

    def retire(self) -> None:
        """Nothing of the environment serves any more."""
        if self.deployments:
            self.attempt(
                "end the deployments",
                lambda: deployments.retire(
                    self.github,
                    deployments.PREVIEW if self.pull else deployments.PRODUCTION,
                    task=deployments.task_of(self.site, self.environment),
                ),
            )

    def comment(self, row: Row) -> None:
        """The pull request's one comment has this row, beside those of other sites."""
        if self.comments and self.pull:
            self.attempt("comment on the pull request", lambda: self._comment(row))

    def rows(self) -> tuple[Row, ...] | Missed:
        """What the comment says now."""
        return self.attempt("read the comment", lambda: kept(self._said()))

    def attempt(self, what: str, do: Callable[[], Got]) -> Got | Missed:
        got = attempt(what, do)
        if isinstance(got, Missed):
            got = Missed(what, _with_way_out(got.error))
            if not any(_is_alike(each.error, got.error) for each in self.missed):
                self.console.warning(str(got), title="GitHub was not told")
            self.missed.append(got)
        return got

    def _comment(self, row: Row) -> None:
        for _ in range(_TRIES):
            before = self._said()
            rows = merged(before, row)
            if rows == kept(before):
                return  # also: ours is still there after another site's job has written
            upsert_comment(self.github, self.pull, marker=self._marker, body=body(rows))

    def _said(self) -> str:
        return said(self.github, self.pull, marker=self._marker)

    @property
    def _marker(self) -> str:
        return marker_of(self.event.repository.id, _SITES)

    def _wanted(self, sha: str) -> NewDeployment:
        return deployments.wanted(
            site=self.site,
            environment=self.environment,
            sha=sha,
            pull=self.pull,
            description=self.event.title[:140],
        )


def _with_way_out(error: JamError) -> JamError:
    """Who may not even read is told at once what writing takes, which comes next."""
    hint = error.hint.replace(": read` to `permissions:`", ": write` to `permissions:`")
    if error.code == DOWN:
        hint = "The run counts all the same: what GitHub missed the next run tells it, or `gc`."
    return JamError(error.code, error.message, hint=hint, turn=error.turn)


def _is_alike(first: JamError, second: JamError) -> bool:
    """One cause: what mends the one mends the other."""
    return (first.code, first.hint) == (second.code, second.hint)
