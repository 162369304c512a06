"""The second half of a fork's preview: what another run built without rights is shown, as files.

Nothing of it is run. Settings are those of the branch that is checked out; which pull request it is
GitHub's API says, nothing in the artefact. Functions of strangers are code that would run in the
account: they are not looked at.
Source: docs.github.com, "Secure use reference", `workflow_run`.
"""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import msgspec

from runner.action.job import Job, place_of
from runner.action.previewing import failed, shown_as
from runner.config.load import Config
from runner.errors import JamError, site_error
from runner.event import Skipped
from runner.github.runs import pull_of
from runner.github.values import Pull, WorkflowRun
from runner.model import Origin
from runner.report.text import Outcome

_TAKEN = Path(".jam/artefact")
_NO_FUNCTIONS = ".jam/artefact-functions"  # a folder that there never is
_MOST_FILES, _MOST_BYTES = 50_000, 2 << 30


def show_artefact(job: Job, run: WorkflowRun) -> Outcome | Skipped:
    """Raises JAM-ARTEFACT for what is no folder of plain files, JAM-GITHUB-* if nobody can say
    which pull request it is."""
    pull = pull_of(job.github(), run)
    if pull is None:
        return Skipped(
            f"the commit {run.head_sha[:7]} is not the head of an open pull request any more"
        )
    job.event = replace(job.event, pull=pull, title=pull.title, origin=_origin(job, pull))
    root, _ = place_of(job.inputs, job.world.environment)
    try:
        _take(job.workspace / job.inputs.artefact if job.inputs.artefact else None, root)
    except JamError as error:
        if site := job.site():  # its settings are the repository's own, and read before it
            failed(job, job.tell(site, pull=pull.number), error)
        raise
    config = job.config(publishes=False)
    return shown_as(job, _static(config), number=pull.number, files_alone=True)


def _origin(job: Job, pull: Pull) -> Origin:
    return replace(job.event.origin, commit=pull.head_sha, branch=pull.head_ref, author=pull.author)


def _static(config: Config) -> Config:
    """Files alone: no build, no function, no table."""
    settings = config.settings
    alone = msgspec.structs.replace(
        settings, preview=msgspec.structs.replace(settings.preview, tables="none")
    )
    return replace(
        config,
        settings=alone,
        install="",
        command="",
        publish=str(_TAKEN),
        functions=_NO_FUNCTIONS,
    )


def _take(folder: Path | None, root: Path) -> None:
    """Plain files and folders alone, and not without end, below the site's own folder."""
    if folder is None or not folder.is_dir() or folder.is_symlink():
        raise _no_folder(folder)
    if root.resolve().is_relative_to(folder.resolve()):
        raise _not_apart(folder)
    size = 0
    for count, each in enumerate(folder.rglob("*"), start=1):
        if each.is_symlink() or not (each.is_file() or each.is_dir()):
            raise _foreign(each.relative_to(folder), "is neither a file nor a folder")
        size += each.stat().st_size
        if count > _MOST_FILES or size > _MOST_BYTES:
            raise _foreign(each.relative_to(folder), "is one file, or one byte, too many")
    target = root / _TAKEN
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(folder, target, symlinks=True)


def _no_folder(folder: Path | None) -> JamError:
    return site_error(
        "JAM-ARTEFACT",
        f"There is no folder {str(folder)!r}." if folder else "The input `artefact` is missing.",
        hint="On workflow_run the input `artefact` names the folder that "
        "actions/download-artifact filled, below the workspace.",
    )


def _not_apart(folder: Path) -> JamError:
    """Its files may lie where the site's own did: jam.toml, too."""
    return site_error(
        "JAM-ARTEFACT",
        f"The artefact's folder {str(folder)!r} is the site's own, or holds it: its settings "
        "may have come with the artefact.",
        hint="Give actions/download-artifact a `path` that does not exist yet, and name that.",
    )


def _foreign(name: Path, what: str) -> JamError:
    return site_error(
        "JAM-ARTEFACT",
        f"The artefact's `{name}` {what}: nothing of it is shown.",
        hint="Hand on the publish folder alone, as the build left it.",
    )
