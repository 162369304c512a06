"""The entry: a version a release, the alias that visitors reach, its URL and who may call it."""

from __future__ import annotations

from runner.apply import Fence, unfenced
from runner.aws import functions, logs, urls
from runner.aws.session import Aws
from runner.aws.versions import Wanted
from runner.model import Upkeep
from runner.names import Names
from runner.package.archive import lambda_digest

RUNTIME, HANDLER, ARCHITECTURE = "python3.13", "entry.handler", "arm64"
MEMORY, TIMEOUT = 256, 5  # MB; seconds, as long as CloudFront waits


def wanted_of(names: Names, *, role_arn: str, archive: bytes) -> Wanted:
    """The entry version of one release: only the archive differs between releases."""
    return Wanted(
        name=names.entry,
        role_arn=role_arn,
        runtime=RUNTIME,
        handler=HANDLER,
        architecture=ARCHITECTURE,
        memory=MEMORY,
        timeout=TIMEOUT,
        code_sha256=lambda_digest(archive),
        size=len(archive),
        archive=archive,
        environment={
            "JAM_BUCKET": names.bucket,
            "JAM_PREFIX": names.objects,
            "JAM_SITE": names.site,
        },
    )


def find_url(aws: Aws, names: Names) -> str | None:
    """The domain of the alias's function URL."""
    return urls.find(aws, names.entry)


def find_alias(aws: Aws, names: Names) -> str | None:
    """The version that the alias names with all its weight; None without one, or with two."""
    return urls.find_alias(aws, names.entry)


def make_url(aws: Aws, names: Names, *, version: str) -> str:
    """The alias, first at `version`, and its URL; returns the URL's domain."""
    functions.wake(aws, names.entry)
    logs.make_group(aws, names, group=f"/aws/lambda/{names.entry}", days=Upkeep().log_days)
    return urls.make(aws, names.entry, version=version, mode="BUFFERED")


def move_alias(
    aws: Aws, names: Names, *, version: str, fence: Fence = unfenced, seen: str = ""
) -> None:
    """All visitors' weight to `version`; `seen` as `urls.move_alias` has it."""
    urls.move_alias(aws, names.entry, version=version, fence=fence, seen=seen)


def grant(aws: Aws, names: Names, *, distribution_arn: str) -> None:
    """Lets the distribution call the alias's URL."""
    urls.grant(aws, names.entry, distribution_arn=distribution_arn)
