"""The comment on a pull request and the summary of a job, as GitHub's Markdown. Pure.

`merged` the comment's rows of before with a run's own, `body` the comment of them; `summary` is
what a job says of one site. What is foreign in them can do nothing but be read.
"""

from __future__ import annotations

from runner.report.comment.body import body
from runner.report.comment.kept import merged
from runner.report.comment.picture import rollout_svg
from runner.report.comment.row import UNSURE, Fault, Row, State, fault_of, state_of
from runner.report.comment.summary import summary

__all__ = [
    "UNSURE",
    "Fault",
    "Row",
    "State",
    "body",
    "fault_of",
    "merged",
    "rollout_svg",
    "state_of",
    "summary",
]
