"""The one kind of failure that a user meets: a code, a sentence, a hint and whose turn it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum


class Turn(IntEnum):
    """The exit status: who has to act next."""

    DONE = 0
    SITE = 2  # the user's site, settings or build; also wrong usage
    AWS = 3  # the user's AWS account refused, or is not as recorded
    TAKEN_BACK = 4  # the candidate was taken back
    GITHUB = 5
    US = 70  # a defect of this program
    AGAIN = 75  # interrupted or busy: nothing is lost, run again
    CANCELLED = 130


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One thing that is wrong with the user's input.

    `where` is `file:line`, a dotted key or a path; `found` and `allowed` are shown as they are.
    """

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        return f"{self.where}: {self.message}" + (f" ({self.hint})" if self.hint else "")


class JamError(Exception):
    """Carries a stable `code` (JAM-WORDS), a message, a hint and the exit status.

    `problems` lists everything found at once, for input that can be wrong in many places.
    """

    def __init__(
        self,
        code: str,
        message: str,
        *,
        hint: str,
        turn: Turn,
        problems: tuple[Problem, ...] = (),
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.turn = turn
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join([self.message, *(f"  {problem}" for problem in self.problems)])


def site_error(
    code: str, message: str, *, hint: str, problems: tuple[Problem, ...] = ()
) -> JamError:
    """An error that the site's author mends (exit status 2)."""
    return JamError(code, message, hint=hint, turn=Turn.SITE, problems=problems)


def aws_error(
    code: str, message: str, *, hint: str, problems: tuple[Problem, ...] = ()
) -> JamError:
    """An error that the owner of the AWS account mends (exit status 3)."""
    return JamError(code, message, hint=hint, turn=Turn.AWS, problems=problems)


def busy_error(code: str, message: str, *, hint: str) -> JamError:
    """An interruption that a second run puts right (exit status 75)."""
    return JamError(code, message, hint=hint, turn=Turn.AGAIN)
