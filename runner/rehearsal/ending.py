"""How the story ends: back to the release before, and everything taken down, with nothing left."""

from __future__ import annotations

from typing import Any

from runner.errors import Turn
from runner.plan.ledger import ACCOUNT
from runner.rehearsal.sources import tables_of
from runner.rehearsal.stage import Audited, Stage, Story, failed
from runner.rehearsal.theatre import Theatre


def go_back(theatre: Theatre, story: Story, *, before: str) -> None:
    """Nothing is built for it; visitors have the release `before` again, whole."""
    with story.step("rollback") as told:
        answer = theatre.stage.jam("rollback", before)
        theatre.agree()
        card = theatre.card()
        if answer["outcome"] != "live" or card["release"] != before:
            raise failed(
                f"the rollback ended as {answer['outcome']}, and {card['release']} is live"
            )
        told.append(
            f"release {before[:8]} is live again: {answer['seconds']:.1f} s, "
            f"{answer['calls']} AWS calls, nothing built"
        )


def take_down(stage: Stage, story: Story) -> None:
    """Everything of the site goes, its tables by name."""
    with story.step("audit") as told:
        unexplained = [each for each in _found(stage) if not each["explained_by"]]
        told.append(f"{len(unexplained)} unexplained resources")
        story.audit = Audited(unexplained=len(unexplained), left_after_destroy=0)
        if unexplained:
            raise failed(f"nothing explains {_named(unexplained)}")
    with story.step("destroy") as told:
        tables = ",".join(tables_of(stage.site))
        gone = stage.jam("destroy", "--all", "--yes", "--with-tables", tables)
        told.append(f"{len(gone['removed'])} resources removed, {len(gone['left'])} left")
    with story.step("audit after it") as told:
        left = [each for each in _found(stage) if each["explained_by"] != ACCOUNT]
        told.append(f"{len(left)} resources left")
        story.audit = Audited(unexplained=len(unexplained), left_after_destroy=len(left))
        if left:
            raise failed(f"there is still {_named(left)}")


def _found(stage: Stage) -> list[dict[str, Any]]:
    """Status 3 says that something is unexplained: the caller tells what."""
    found: list[dict[str, Any]] = stage.jam("audit", fine=(0, int(Turn.AWS)))["resources"]
    return found


def _named(found: list[dict[str, Any]]) -> str:
    return ", ".join(f"{each['kind']} {each['name']}" for each in found)
