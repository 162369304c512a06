"""What `init` does: looks, asks where somebody can answer, writes, never overwrites unasked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from runner.config.detect import Detected, detect
from runner.config.initial import initial_files, write_initial
from runner.config.load import Overrides, site_name

BRANCH = "main"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Somebody at a terminal: `text` asks with a default, `consent` for yes or no."""

    text: Callable[[str, str], str]
    consent: Callable[[str], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answers:
    """What the files are made of."""

    site: str
    region: str
    branch: str
    detected: Detected


def initialise(
    root: Path, overrides: Overrides, *, asking: Asking | None, say: Callable[[str], None]
) -> tuple[str, ...]:
    """Writes `jam.toml` and the workflow; gives the paths of what was written.

    Without `asking` everything is taken as found, and files that stand in the way stay.
    """
    found = Answers(
        site=overrides.site or site_name(root)[0],
        region=overrides.region or overrides.default_region,
        branch=_branch(root),
        detected=detect(root),
    )
    for key, reason in found.detected.why.items():
        say(f"{key}: {reason}")
    wanted = _asked(found, asking) if asking else found
    files = initial_files(wanted.detected, wanted.site, region=wanted.region, branch=wanted.branch)

    def overwrite(path: str) -> bool:
        if asking is None:
            say(f"{path} exists and stays as it is")
            return False
        return asking.consent(f"Overwrite {path}?")

    return write_initial(root, files, overwrite=overwrite)


def _asked(found: Answers, asking: Asking) -> Answers:
    detected = replace(
        found.detected,
        install=asking.text("Install command", found.detected.install),
        command=asking.text("Build command", found.detected.command),
        publish=asking.text("Publish folder", found.detected.publish),
    )
    return Answers(
        site=asking.text("Name of the site", found.site),
        region=asking.text("AWS region", found.region),
        branch=asking.text("Production branch", found.branch),
        detected=detected,
    )


def _branch(root: Path) -> str:
    """The branch that is checked out, read from git's own file; `main` without one."""
    try:
        head = (root / ".git" / "HEAD").read_text().strip()
    except OSError:
        return BRANCH
    return head.removeprefix("ref: refs/heads/") if head.startswith("ref: ") else BRANCH
