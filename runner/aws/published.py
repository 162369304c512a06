"""What production has published, for previews to read: last of all, and release by release.

Which of them is live any visitor may ask; previews may read no record of production's.
"""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

from runner.aws.files import Upload, told_of
from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.errors import JamError
from runner.fetch import Fetch
from runner.model import Kind
from runner.names import Names
from runner.package.summary import Summary, summary_of
from runner.plan.ledger import NEWEST
from runner.plan.preview import Published
from runner.pulse import live_release

SUMMARY = "~summary.json"


def key_of(names: Names) -> str:
    """No path of a visitor's leads to a bare `~`."""
    return f"{names.objects}/{NEWEST}"


def upload_of(release: str, text: bytes, names: Names) -> Upload:
    """The summary of one release."""
    return told_of(release, text, key=_key(release, names))


def write(aws: Aws, names: Names, text: bytes) -> None:
    """Once all files of a release are there. A preview that reads an older one copies less."""
    aws.s3.put_object(
        Bucket=names.bucket,
        Key=key_of(names),
        Body=BytesIO(text),  # bytes would be copied behind the request's head
        ContentType="application/json",
        Metadata={"jam-kind": "summary"},
        ExpectedBucketOwner=names.account,
    )


def read(aws: Aws, names: Names) -> Summary:
    """Empty before production's first deploy, and where nobody may read it."""
    return _read(aws, names.production, key_of(names.production))


def read_release(aws: Aws, names: Names, release: str) -> Summary:
    """What one of production's releases published; empty where that is not known any more."""
    return _read(aws, names.production, _key(release, names.production)) if release else Summary()


def read_live(
    aws: Aws, names: Names, *, newest: Summary, to: Callable[[str], Fetch]
) -> Summary | None:
    """What visitors of production get now, which is not the `newest` while a rollout is open, or
    after it was taken back; `to` is the way to a host. None where it cannot be told."""
    if not newest.host:
        return newest
    try:
        release = live_release(to(f"https://{newest.host}"))
    except JamError:
        return None
    if release == newest.release:
        return newest
    found = read_release(aws, names, release)
    return found if release and found.release == release else None


def _read(aws: Aws, production: Names, key: str) -> Summary:
    with tolerating("NoSuchKey", "NoSuchBucket", "AccessDenied"):
        found = aws.s3.get_object(
            Bucket=production.bucket, Key=key, ExpectedBucketOwner=production.account
        )
        return summary_of(found["Body"].read())
    return Summary()


def _key(release: str, names: Names) -> str:
    return f"{names.objects}/releases/{release}/{SUMMARY}"


def to_copy(summary: Summary) -> Published:
    """Its files, by what a preview can copy."""
    stored = summary.files
    immutable = {key: each[4] for key, each in stored.items() if each[0] == Kind.IMMUTABLE}
    return Published(
        release=summary.release,
        files={key: each[4] for key, each in stored.items() if key not in immutable},
        immutable=immutable,
    )
