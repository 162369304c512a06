"""What is decided for functions that run without a waiting visitor: values in, steps out."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.apply import known_of
from runner.model import Background, Function, Grants, Origin, Release
from runner.plan.background import (
    BackgroundStep,
    MakeDeadLetters,
    MakeScheduleGroup,
    PublishAcceptor,
    Unattended,
    unattended,
)
from runner.plan.decide import plan
from runner.plan.foundation import MakeRole, Role
from runner.plan.groundwork import Foundation
from runner.plan.live import Live, Published
from runner.plan.publishing import PublishFunction
from runner.plan.refs import Made, Ref
from runner.plan.releasing import Activate, MakeApiStage, RecordLive
from runner.plan.steps import Plan
from tests.builders import a_function, a_release

HOURLY, DAILY = "cron(0 * * * ? *)", "rate(1 day)"


def scheduled(name: str, schedule: str, content: str = "x") -> Function:
    background = Background(schedule=schedule)
    grants = Grants(failures=True)
    return replace(a_function(name, content), methods=(), background=background, grants=grants)


def background(name: str) -> Function:
    return replace(a_function(name), background=Background(requests=True))


def decide(release: Release, live: Live | None = None) -> Plan:
    needs = unattended(release.functions)
    digest = f"f{needs.schedules:d}{needs.requests:d}"
    foundation = Foundation(digest=digest, tables=(), router="", response="", unattended=needs)
    return plan(release, live or Live(), foundation=foundation, origin=Origin())


def serving(release: Release, **more: object) -> Live:
    needs = unattended(release.functions)
    return replace(
        Live(
            release=release.id,
            sequence=3,
            foundation=f"f{needs.schedules:d}{needs.requests:d}",
            functions={
                each.name: Published(
                    digest=each.digest,
                    version="1",
                    background=each.background,
                    routed=bool(each.methods),
                )
                for each in release.functions
            },
        ),
        **more,
    )


def moves(todo: Plan) -> list[str]:
    return [str(step) for step in todo.switch if isinstance(step, BackgroundStep)]


@pytest.mark.parametrize(
    ("functions", "steps", "roles"),
    [
        ((a_function("a"),), [], []),
        (
            (scheduled("a", HOURLY),),
            [MakeDeadLetters, MakeScheduleGroup],
            [Role.SCHEDULER],
        ),
        ((background("a"),), [MakeDeadLetters, PublishAcceptor], [Role.BACKGROUND]),
        (
            (background("a"), scheduled("b", HOURLY)),
            [MakeDeadLetters, MakeScheduleGroup, PublishAcceptor],
            [Role.SCHEDULER, Role.BACKGROUND],
        ),
    ],
)
def test_a_site_gets_what_its_functions_need_and_nothing_else(
    functions: tuple[Function, ...], steps: list[type], roles: list[Role]
) -> None:
    todo = decide(a_release(functions=functions, api_stage="s1"))
    assert [type(each) for each in todo.stage if isinstance(each, BackgroundStep)] == steps
    made = [each.role for each in todo.stage if isinstance(each, MakeRole)]
    assert [each for each in made if each in (Role.SCHEDULER, Role.BACKGROUND)] == roles


def test_schedules_move_after_visitors_have_the_release_and_before_it_is_recorded() -> None:
    todo = decide(a_release(functions=(scheduled("a", HOURLY),)))
    kinds = [type(step).__name__ for step in todo.switch]
    assert kinds == ["RecordStaged", "MoveAlias", "Activate", "PutSchedule", "RecordLive"]
    assert isinstance(todo.switch[2], Activate)
    assert isinstance(todo.switch[-1], RecordLive)


FIRST = a_release("first", functions=(scheduled("a", HOURLY), scheduled("b", DAILY)))
SECOND = (scheduled("a", HOURLY), scheduled("b", DAILY))


@pytest.mark.parametrize(
    ("functions", "told"),
    [
        (SECOND, []),
        (
            (scheduled("a", DAILY), SECOND[1]),
            [f"run a by {DAILY} (was {HOURLY})"],
        ),
        ((scheduled("a", HOURLY, "new"), SECOND[1]), [f"run a by {HOURLY}"]),
        ((SECOND[0],), ["run b by no schedule any more"]),
        ((SECOND[0], a_function("b")), ["run b by no schedule any more"]),
        ((*SECOND, scheduled("c", HOURLY)), [f"run c by {HOURLY}"]),
    ],
)
def test_only_what_differs_from_the_live_release_moves(
    functions: tuple[Function, ...], told: list[str]
) -> None:
    assert moves(decide(a_release("second", functions=functions), serving(FIRST))) == told


def test_going_back_puts_the_old_schedules_back() -> None:
    second = a_release("second", functions=(scheduled("a", DAILY, "new"),))
    todo = decide(FIRST, serving(second, staged=True))
    assert moves(todo) == [f"run a by {HOURLY} (was {DAILY})", f"run b by {DAILY}"]


def test_without_a_change_nothing_moves() -> None:
    assert decide(FIRST, serving(FIRST)).is_empty


def test_a_run_that_died_while_it_switched_moves_all_again() -> None:
    live = serving(FIRST, entry_agrees=False, staged=True)
    second = a_release("second", functions=(scheduled("a", DAILY),))
    told = [f"run a by {DAILY} (was {HOURLY})", "run b by no schedule any more"]
    assert moves(decide(second, live)) == told


def test_a_foundation_that_is_made_anew_gets_all_schedules_again() -> None:
    todo = decide(FIRST, serving(FIRST, foundation="other"))
    assert moves(todo) == [f"run a by {HOURLY}", f"run b by {DAILY}"]


def test_the_last_schedule_that_goes_leaves_the_queue_where_letters_may_lie() -> None:
    todo = decide(a_release("second", functions=(a_function("a"),)), serving(FIRST))
    assert not [each for each in todo.stage if isinstance(each, BackgroundStep)]
    assert moves(todo) == ["run a by no schedule any more", "run b by no schedule any more"]


def test_a_function_without_a_path_is_in_no_api_stage() -> None:
    functions = (a_function("a"), scheduled("b", HOURLY))
    todo = decide(a_release(functions=functions, api_stage="s1"))
    (stage,) = (each for each in todo.stage if isinstance(each, MakeApiStage))
    assert [each.name for each in stage.functions] == ["a"]


def test_what_may_fail_waits_for_the_queue_and_its_own_role() -> None:
    todo = decide(FIRST)
    published = [each for each in todo.stage if isinstance(each, PublishFunction)]
    assert all(Ref(Made.DEAD_LETTERS) in each.needs for each in published)
    assert all(Ref(Made.ROLE, Role.FUNCTIONS) in each.needs for each in published)


def test_functions_that_share_tables_have_one_role_with_dead_letters_and_one_without() -> None:
    shared = Grants(tables=(("notes", "r"),))
    plain = replace(a_function("a"), grants=shared)
    timed = replace(scheduled("b", HOURLY), grants=replace(shared, failures=True))
    todo = decide(a_release(functions=(plain, timed), api_stage="s1"))
    roles = {ref for step in todo.stage for ref in step.makes if ref.kind is Made.ROLE}
    own = {ref for ref in roles if ref.name.startswith("~")}
    assert len(own) == 2
    needs = [step.needs for step in todo.stage if isinstance(step, PublishFunction)]
    assert [len(own & set(each)) for each in needs] == [1, 1]


def test_the_plan_of_a_background_site_waits_for_nothing_that_nothing_makes() -> None:
    functions = (background("a"), scheduled("b", HOURLY))
    todo = decide(a_release(functions=functions, api_stage="s1"))
    made = {ref for step in todo.stage for ref in step.makes} | set(known_of(Live(), todo))
    assert not {ref for step in todo.stage for ref in step.needs} - made


def test_nothing_unattended_is_false() -> None:
    assert not Unattended()
