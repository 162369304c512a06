"""Which pull request a run has built: by what GitHub says, never by what the run left behind."""

from __future__ import annotations

from collections.abc import Iterator

from runner.errors import JamError
from runner.github import GitHub
from runner.github.codes import GONE, REFUSED
from runner.github.values import Pull, WorkflowRun


def pull_of(github: GitHub, run: WorkflowRun) -> Pull | None:
    """The open pull request whose head the run has built; None if there is none any more.

    A push after the run, or a closed pull request, ends in None: what was built is out of date.
    """
    for pull in _candidates(github, run):
        same = pull.head_sha == run.head_sha and pull.head_repository == run.head_repository
        if pull.open and same:
            return pull
    return None


def _candidates(github: GitHub, run: WorkflowRun) -> Iterator[Pull]:
    """A run of a fork does not tell its pull request, and its commit may not be known here."""
    if run.head_owner and run.head_branch:
        yield from github.open_pulls(head=f"{run.head_owner}:{run.head_branch}")
    try:
        yield from github.pulls_with(run.head_sha)
    except JamError as error:
        if error.code not in (GONE, REFUSED):
            raise
