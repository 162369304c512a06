"""All commands in any order, crashed and meddled with: one story here, many in `make hunt`."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from runner.local.cloud import Cloud
from tests.labs.machine import Commands, warmed

STORY = (
    lambda it: it.deploy(code=True, rollout=False),
    lambda it: it.hold(),
    lambda it: it.deploy(code=False, rollout=False),
    lambda it: it.unhold(),
    lambda it: it.meddle(what="alias"),
    lambda it: it.doctor(),
    lambda it: it.deploy(code=False, rollout=True),
    lambda it: it.deploy(code=False, rollout=False),
    lambda it: it.collect(days=1),
    lambda it: it.rollback(which=0, hold=False),
    lambda it: it.destroy(),
)


def test_a_story_of_commands_shows_visitors_one_release_whole(tmp_path: Path) -> None:
    with Cloud(speed=50.0) as cloud:
        it = _here(cloud)()
        for command in STORY:
            command(it)
            it.visitors_get_one_release_whole()
            it.record_store_and_alias_agree()
            it.everything_is_explained()
            it.what_is_not_ours_is_there()
        it.teardown()


@pytest.mark.hunt
@pytest.mark.timeout(7200)
def test_commands_in_any_order_show_visitors_one_release_whole(tmp_path: Path) -> None:
    with Cloud(speed=50.0) as cloud:
        warmed(cloud, tmp_path)
        run_state_machine_as_test(
            _here(cloud),
            settings=settings(
                max_examples=40,
                stateful_step_count=15,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )


def _here(cloud: Cloud) -> type[Commands]:
    class Here(Commands):
        pass

    Here.cloud = cloud
    return Here
