"""All commands in any order, crashed and meddled with: `make hunt` alone plays this."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from runner.local.cloud import Cloud
from tests.labs.machine import Commands, warmed

EXAMPLES, STEPS = 40, 15


@pytest.mark.hunt
@pytest.mark.timeout(3600)
def test_commands_in_any_order_show_visitors_one_release_whole(tmp_path: Path) -> None:
    with Cloud(speed=50.0) as cloud:
        warmed(cloud, tmp_path)

        class Here(Commands):
            pass

        Here.cloud = cloud
        run_state_machine_as_test(
            Here,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
