"""The last of a release's objects: its manifest, and what previews read of production."""

from __future__ import annotations

from runner.apply import Known, Moved
from runner.aws import files, published
from runner.aws.files import Put
from runner.aws.session import Aws
from runner.model import Release
from runner.names import PRODUCTION, Names
from runner.package import summary
from runner.plan.refs import Made, Ref
from runner.together import at_once


def put_manifest(
    aws: Aws,
    names: Names,
    *,
    release: Release,
    manifest: bytes,
    known: Known,
    put: Put,
    moved: Moved,
) -> None:
    """All files are there by now. What previews may copy of them is told at the same time."""
    last = [files.manifest_of(release.id, manifest, names)]
    if names.environment != PRODUCTION:
        put(aws, names.bucket, last, moved=moved)
        return
    told = summary.text_of(release, host=known.get(Ref(Made.DOMAIN), ""))
    last.append(published.upload_of(release.id, told, names))
    with at_once(1) as pool:
        newest = pool.submit(published.write, aws, names, told)
        put(aws, names.bucket, last, moved=moved)
        newest.result()
