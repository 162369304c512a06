"""How the tests run: on machines of any pace."""

from hypothesis import settings

# A deadline of milliseconds fails on a busy machine; a test that hangs is pytest-timeout's.
settings.register_profile("jam", deadline=None)
settings.load_profile("jam")
