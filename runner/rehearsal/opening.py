"""Brings a candidate to where visitors may come: deployed until CodeDeploy shifts them."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.errors import Turn
from runner.rehearsal.candidates import LIVE, SLOWER, Candidate
from runner.rehearsal.stage import answer_of, failed
from runner.rehearsal.theatre import WITHIN, Part, Theatre, until

_OPENED = "rollout …"  # what a runner says when CodeDeploy has begun
USUAL = 100.0  # ms of a function's answer, until visitors have measured it


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """A rollout that is open: its part, the candidate's release, when (the cloud's seconds).

    Its runner goes on, or was killed; `end` has to be called whatever becomes of it.
    """

    part: Part
    release: str
    since: float
    process: subprocess.Popen[str]
    log: Path

    def close(self, theatre: Theatre) -> None:
        """A living runner says the same as the site; a killed one's rollout was settled without it.

        Raises JamError where the runner failed, or its own signal did not show what is broken.
        """
        fine = (0, int(Turn.TAKEN_BACK))
        if self.part.runner == "alive":
            said = self.process.communicate(timeout=WITHIN)[0]
            log, status = self.log.read_text(), self.process.returncode
            answer = answer_of(said, log=log, status=status, fine=fine)
            if wrong := unsignalled(self.part.candidate, answer.get("rollout") or {}):
                raise failed(wrong)
            return
        settling = theatre.stage.begin("settle", log=subprocess.PIPE)
        said, errors = settling.communicate(timeout=WITHIN)
        answer_of(said, log=errors, status=settling.returncode, fine=fine)

    def end(self) -> None:
        """Nothing of it runs any more."""
        _end(self.process)


def opened(theatre: Theatre, part: Part, *, usual: float = USUAL) -> Opened:
    """Deploys the candidate and waits until it is offered. Raises JamError where it is not.

    `usual` are the milliseconds that functions take, as visitors measured them.
    """
    stage = theatre.stage
    theatre.sources.write(part.candidate, build=part.build, pause=round(usual * (SLOWER - 1)))
    log = stage.artifacts / f"{part.candidate.name}-{part.runner}.log"
    with log.open("wb") as file:
        process = stage.begin("deploy", log=file)
    try:
        release = _until_open(theatre, process, log)
    except BaseException:
        _end(process)
        raise
    if part.runner == "killed":
        process.kill()
    return Opened(part=part, release=release, since=stage.now(), process=process, log=log)


def unsignalled(candidate: Candidate, rollout: dict[str, Any]) -> str:
    """What is wrong if a broken candidate's own signal did not show it; empty if it did.

    `rollout` is the member of that name of a deploy's result.
    """
    if candidate.expected == LIVE:
        return ""
    counted = rollout.get("signals", {}).get(candidate.signal, {}).get("candidate", [0])
    return "" if counted[0] else f"{candidate.name} shows in no count of `{candidate.signal}`"


def _until_open(theatre: Theatre, process: subprocess.Popen[str], log: Path) -> str:
    """The candidate's release, once CodeDeploy shifts visitors to it."""

    def is_open() -> bool:
        if process.poll() is not None:
            said = process.communicate()[0]
            answer = answer_of(said, log=log.read_text(), status=process.returncode)
            raise failed(f"the deploy opened no rollout: it ended as {answer.get('outcome')}")
        return any(line.endswith(_OPENED) for line in log.read_text().splitlines())

    until(theatre.stage, is_open, within=WITHIN, what="the rollout to open")
    cards: list[dict[str, Any]] = []

    def is_named() -> bool:
        cards.append(theatre.card())
        return bool(cards[-1]["candidate"])

    until(theatre.stage, is_named, within=WITHIN, what="the candidate to be named")
    return str(cards[-1]["candidate"])


def _end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.wait()
