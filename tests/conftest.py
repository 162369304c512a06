"""How the tests run: on machines of any pace."""

import gc

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
