"""Functions that stream: from their steps to the calls that make them true."""

from __future__ import annotations

from typing import assert_never

from runner.apply import Fence, Known, unfenced
from runner.aws import distributions, edge, records, urls
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.foundation import Edge
from runner.plan.refs import Made, Ref
from runner.plan.streaming import (
    DropStreams,
    GrantStream,
    MakeStreamUrl,
    MoveStream,
    RecordStreams,
    StreamStep,
)

# Source: CloudFront developer guide, "Update a distribution": a change takes minutes to reach every
# edge, and an edge that has not heard of it still asks for the URL.
BUDGET = 600.0  # seconds


def performed(
    aws: Aws, names: Names, *, step: StreamStep, known: Known, fence: Fence = unfenced
) -> Known:
    """Makes one step true; returns what it made. Harmless to repeat."""
    match step:
        case RecordStreams(streams=streams, sequence=sequence):
            records.record_streams(aws, names, streams=streams, sequence=sequence)
            return {Ref(Made.STREAMS): ""}
        case MakeStreamUrl(function=name):
            version, function = known[Ref(Made.VERSION, name)], names.function(name)
            made = urls.make(aws, function, version=version, mode="RESPONSE_STREAM")
            return {Ref(Made.STREAM_URL, name): made}
        case GrantStream(function=name):
            arn = distributions.arn_of(names, known[Ref(Made.DISTRIBUTION)])
            urls.grant(aws, names.function(name), distribution_arn=arn)
        case MoveStream(function=name, origins=origins):
            version = known[Ref(Made.VERSION, name)]
            urls.move_alias(aws, names.function(name), version=version, fence=fence)
            urls.open_to(aws, names.function(name), origins=origins)
        case DropStreams():
            _drop(aws, names, step=step, distribution=known[Ref(Made.DISTRIBUTION)])
        case _:
            assert_never(step)
    return {}


def _drop(aws: Aws, names: Names, *, step: DropStreams, distribution: str) -> None:
    """Where the edges take too long it is left as it is recorded: the next run goes on."""
    functions = [names.function(each.name) for each in step.streams]
    distributions.leave_out(aws, distribution, origins=functions)
    if not distributions.wait_deployed(aws, distribution, budget=BUDGET):
        return
    for function in functions:
        urls.drop(aws, function)
    if not step.kept:
        edge.drop_edge(aws, names, edge=Edge.STREAM)
    records.record_streams(aws, names, streams=step.kept, sequence=step.sequence)
