"""Several waits at once, none of which an interrupt sits out."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def at_once(most: int, *, name: str = "") -> Iterator[ThreadPoolExecutor]:
    """A pool of `most` threads, waited for at the end.

    An interrupt leaves them where they are: they may hang in the network for longer than anybody
    waits, what they do is harmless to repeat, and the process ends.
    """
    pool = ThreadPoolExecutor(most, thread_name_prefix=name)
    patient = True
    try:
        yield pool
    except KeyboardInterrupt:
        patient = False
        raise
    finally:
        pool.shutdown(wait=patient, cancel_futures=not patient)
