"""Several waits at once, none of which an interrupt sits out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager

Later = Callable[[Callable[[], object]], None]
"""Does what it is given: now, or beside what follows."""


def directly(work: Callable[[], object]) -> None:
    work()


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


@contextmanager
def later() -> Iterator[Later]:
    """What nothing waits for before the end: there the first failure of it is raised, unless
    something else was."""
    begun: list[Future[object]] = []
    with at_once(1) as pool:
        yield lambda work: begun.append(pool.submit(work))
        for each in begun:
            each.result()
