"""How the tests run: on machines of any pace, the longest files first."""

import gc
from pathlib import Path

import pytest
from hypothesis import settings

# A deadline of milliseconds fails on a busy machine; a test that hangs is pytest-timeout's.
settings.register_profile("jam", deadline=None)
settings.load_profile("jam")

# Looking for garbage took a quarter of the processor's time: moto and AWS's models are large.
gc.set_threshold(50_000, 10, 10)


def pytest_collection_finish() -> None:
    """What is there before the first test stays: the collector passes over it."""
    gc.collect()
    gc.freeze()


HERE = Path(__file__).parent
# A worker that began a long file last would work on while the others had nothing left to do.
LONG = (
    "test_previews_closing.py", "scenarios", "test_tidying.py", "labs", "test_local_command.py",
    "test_action.py", "test_doctor.py", "test_aws_line.py", "failures", "examples",
    "test_action_canaries.py", "test_rollback.py", "test_verdict.py",
    "test_local_codedeploy_shifting.py", "fuzz",
)  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole files change places; within a file the order stays."""
    places = {name: place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: places.get(item.path.relative_to(HERE).parts[0], len(LONG)))
