"""Where every failure becomes an exit status, a sentence and a hint."""

from __future__ import annotations

import errno
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import NoReturn

import click

from runner.errors import JamError, Turn


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How much a failure says, and in which form."""

    as_json: bool
    verbose: bool


@contextmanager
def border(ending: Ending) -> Iterator[None]:
    """Where every failure becomes an exit status, a sentence and a hint."""
    try:
        yield
    except JamError as error:
        fail(ending, error)
    except KeyboardInterrupt:
        fail(ending, _CANCELLED)
    except BrokenPipeError:  # whoever read us is gone: there is nobody to tell
        _turn_away()
        sys.exit(Turn.AGAIN)
    except MemoryError as error:
        fail(ending, _out_of_memory(error))
    except OSError as error:
        if error.errno != errno.ENOSPC:
            fail(ending, _defect(error))
        fail(ending, _disk_full(error))
    except (click.ClickException, click.Abort, click.exceptions.Exit):
        raise
    except Exception as error:  # noqa: BLE001 -- the last border: a defect gets a code as well
        fail(ending, _defect(error))


def end(error: JamError) -> NoReturn:
    """Ends a command that has told its result already, and ended badly."""
    from runner.report.printable import printable
    from runner.report.text import error_text

    click.echo(printable(error_text(error)), err=True)
    raise click.exceptions.Exit(error.turn)


def fail(ending: Ending, error: JamError) -> NoReturn:
    say(ending, error)
    if error.turn is Turn.CANCELLED:
        os._exit(error.turn)  # threads may still wait for AWS: an interrupted run does not
    sys.exit(error.turn)


def say(ending: Ending, error: JamError) -> None:
    from runner.report.printable import printable
    from runner.report.text import error_json, error_text

    if ending.verbose:
        import traceback

        traceback.print_exception(error.__cause__ or error, file=sys.stderr)
    click.echo(printable(error_text(error)), err=True)
    if ending.as_json:
        click.echo(error_json(error))
    sys.stdout.flush()
    sys.stderr.flush()


_CANCELLED = JamError(
    "JAM-CANCELLED",
    "interrupted: no further step was begun",
    hint="Nothing is lost; run the same command again.",
    turn=Turn.CANCELLED,
)


def _defect(error: Exception) -> JamError:
    found = JamError(
        "JAM-DEFECT",
        f"{type(error).__name__}: {error}",
        hint="This is a defect of jam-deploy. Run again with -v and report what it prints.",
        turn=Turn.US,
    )
    found.__cause__ = error
    return found


def _disk_full(error: OSError) -> JamError:
    return JamError(
        "JAM-DISK-FULL",
        f"the disk is full: {error.filename or error}",
        hint="Make room (`.jam/` holds caches that may be deleted) and run again; nothing is lost.",
        turn=Turn.AGAIN,
    )


def _out_of_memory(error: MemoryError) -> JamError:
    found = JamError(
        "JAM-MEMORY",
        "the machine has no memory left for this run",
        hint="Run again on a larger machine, or with less beside it; nothing is lost.",
        turn=Turn.AGAIN,
    )
    found.__cause__ = error
    return found


def _turn_away() -> None:
    """What is left in the buffers must not fail a second time when Python ends.

    Source: Python's library reference, "Note on SIGPIPE".
    """
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())


ENDS_WITHIN = 1.7  # seconds after a signal; 2 are promised
_hurried, _interrupted = threading.Event(), threading.Event()


def hurry() -> None:
    """From here on a signal ends the process within `ENDS_WITHIN`, whatever hangs.

    For commands that reach AWS, where any call may hang; what others have to put away, they do.
    """
    _hurried.set()


def interrupt(*_: object) -> NoReturn:
    """The handler of SIGINT and SIGTERM.

    GitHub's runner sends SIGINT, SIGTERM after 7.5 s and SIGKILL 2.5 s later.
    Source: GitHub Actions, "Workflow cancellation reference".
    """
    if _hurried.is_set() and not _interrupted.is_set():
        _interrupted.set()
        threading.Thread(target=_end_anyway, daemon=True).start()
    raise KeyboardInterrupt


def _end_anyway() -> NoReturn:
    """The lease is not free then, and runs out by itself."""
    time.sleep(ENDS_WITHIN)
    os.write(sys.stderr.fileno(), b"interrupted: what hangs is left\n")
    os._exit(Turn.CANCELLED)
