"""Which functions can send their answers as they make them: what AWS offers for that, and no more.

Pure. A function that streams has a function URL of its own behind its own path of the distribution.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from runner.errors import Problem
from runner.package.functions.discover import Language, Source
from runner.package.functions.settings import STREAMED_METHODS, Configuration

# A distribution has 75 cache behaviours; two are the API's, one is the default.
# Source: CloudFront developer guide, "Quotas", General quotas on distributions.
MOST = 72


def stream_problems(found: Mapping[Source, Configuration]) -> Iterator[Problem]:
    """Everything that keeps functions with `stream` from streaming."""
    streams = {source: one for source, one in found.items() if one.stream}
    for source, configuration in streams.items():
        where = f"functions.{source.name}.stream"
        for message, hint in (*_source(source), *_configuration(configuration)):
            yield Problem(where=where, message=message, hint=hint)
    for source in list(streams)[MOST:]:
        yield Problem(
            where=f"functions.{source.name}.stream",
            message=f"is one more than the {MOST} functions of a site that can stream",
            hint="CloudFront takes no more paths of their own; join functions.",
        )


_Told = tuple[str, str]


def _source(source: Source) -> Iterator[_Told]:
    # Source: Lambda developer guide, "Response streaming for Lambda functions".
    if source.language is not Language.NODE:
        yield "Lambda's managed Python runtimes do not stream", "Write it for Node.js."
    # Source: CloudFront developer guide, "Path pattern": `*` is any characters, slashes included.
    if "{" in source.route:
        yield (
            "a path of CloudFront's cannot hold a parameter",
            "Name it without `[...]`, and take the value from the query string.",
        )


def _configuration(found: Configuration) -> Iterator[_Told]:
    # CloudFront signs no body that a browser has not signed itself.
    # Source: CloudFront developer guide, "Restrict access to an AWS Lambda function URL origin".
    others = sorted(set(found.methods) - set(STREAMED_METHODS))
    if others:
        yield f"cannot be called with {', '.join(others)}", 'Only `methods = ["GET", "HEAD"]`.'
    admission = found.admission
    keys = {
        "authorizer": admission.authorizer is not None,
        "scopes": bool(admission.scopes),
        "throttle": admission.rate is not None or admission.burst is not None,
        "async": found.background.requests,
        "schedule": bool(found.background.schedule),
    }
    for key, is_set in keys.items():
        if is_set:
            yield (
                f"does not go with `{key}`: no API is in between",
                f"Leave out `{key}` or `stream`.",
            )
    # Source: Lambda developer guide, "Response streaming for Lambda functions", VPC compatibility.
    if found.hosting.subnets:
        yield (
            "a function URL does not stream from within a VPC",
            "Leave out `subnets` and `security_groups`, or `stream`.",
        )
