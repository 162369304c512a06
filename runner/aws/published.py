"""What production has published last: one object beside its releases, for previews to read."""

from __future__ import annotations

from runner.aws.refusals import tolerating
from runner.aws.session import Aws
from runner.model import Kind
from runner.names import Names
from runner.package.summary import Summary, summary_of
from runner.plan.ledger import NEWEST
from runner.plan.preview import Published


def key_of(names: Names) -> str:
    """No path of a visitor's leads to a bare `~`."""
    return f"{names.objects}/{NEWEST}"


def write(aws: Aws, names: Names, text: bytes) -> None:
    """Once a release lies whole in the bucket. A preview that reads an older one copies less."""
    aws.s3.put_object(
        Bucket=names.bucket,
        Key=key_of(names),
        Body=text,
        ContentType="application/json",
        Metadata={"jam-kind": "summary"},
        ExpectedBucketOwner=names.account,
    )


def read(aws: Aws, names: Names) -> Summary:
    """Empty before production's first deploy, and where nobody may read it."""
    production = names.production
    with tolerating("NoSuchKey", "NoSuchBucket", "AccessDenied"):
        found = aws.s3.get_object(
            Bucket=production.bucket, Key=key_of(production), ExpectedBucketOwner=names.account
        )
        return summary_of(found["Body"].read())
    return Summary()


def to_copy(summary: Summary) -> Published:
    """Its files, by what a preview can copy."""
    stored = summary.files
    immutable = {key: each[4] for key, each in stored.items() if each[0] == Kind.IMMUTABLE}
    return Published(
        release=summary.release,
        files={key: each[4] for key, each in stored.items() if key not in immutable},
        immutable=immutable,
    )
