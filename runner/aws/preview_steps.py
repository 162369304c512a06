"""From a preview's steps to the calls that make them true; harmless to repeat."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from runner.apply import Known, Moved
from runner.aws import files, previews
from runner.aws.files import CopyAll, Put
from runner.aws.refusals import is_missing
from runner.aws.session import Aws
from runner.errors import JamError
from runner.model import File
from runner.names import Names
from runner.plan.previewing import CopyPublished, PreviewStage, TakeHost


def performed(
    aws: Aws,
    names: Names,
    *,
    step: PreviewStage,
    known: Known,
    put: Put,
    copy: CopyAll,
    moved: Moved,
) -> Known:
    """What the step made; `put` and `copy` bring files."""
    match step:
        case TakeHost():
            host = previews.take_host(aws, names, step=step, known=known)
            return dict.fromkeys(step.makes, host)
        case CopyPublished(release=release, files=wanted):
            copies = (
                files.published_copy_of(each, release, origin=step.origin, names=names)
                for each in wanted
            )
            try:
                copy(aws, names.bucket, copies, moved=moved)
            except JamError as error:
                if not is_missing(error):
                    raise
                # Production has let go of that release meanwhile.
                put(aws, names.bucket, _uploads(wanted, release, names), moved=moved)
            return dict.fromkeys(step.makes, "")
        case _:
            assert_never(step)


def _uploads(wanted: Iterable[File], release: str, names: Names) -> Iterable[files.Upload]:
    return (files.upload_of(each, release, names) for each in wanted)
