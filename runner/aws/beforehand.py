"""What steps look at before they write, looked at while their release is being recorded.

Reads only. Each look is used once: whoever has to look again asks AWS. Under the lease, and what is
written to a function goes by the revision that was seen, so that one which is too old is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from runner.apply import Known
from runner.aws import functions, keyvalues, urls
from runner.aws.api_standing import Standing, stage, standing
from runner.aws.functions import Look
from runner.aws.session import Aws
from runner.names import Names
from runner.plan.previewing import Show
from runner.plan.publishing import (
    ALIAS_REVISION,
    STORE_REVISION,
    AwaitVersions,
    PublishEntry,
    PublishFunction,
)
from runner.plan.refs import Made, Ref
from runner.plan.releasing import Activate, MakeApiStage, MoveAlias, WriteRouting
from runner.plan.steps import Plan
from runner.together import at_once

LOOKS = 16  # at once


@dataclass(frozen=True, slots=True)
class Beforehand:
    """The looks that are under way, or taken: at functions by Lambda's names, at the site's API, at
    a preview's api_stage, at the revisions of what visitors are led by: of aliases by Lambda's
    names, of the store by its ARN."""

    functions: dict[str, Future[Look]] = field(default_factory=dict)
    api: list[Future[Standing]] = field(default_factory=list)
    stages: list[Future[Any]] = field(default_factory=list)
    revisions: dict[str, Callable[[], str]] = field(default_factory=dict)

    def at_function(self, name: str) -> Look | None:
        under_way = self.functions.pop(name, None)
        return under_way.result() if under_way else None

    def at_revision(self, pointer: str) -> str:
        """Empty where nobody has looked."""
        told = self.revisions.pop(pointer, None)
        return told() if told else ""

    def at_stage(self) -> Callable[[], Any] | None:
        """Of a preview; what it returns is None where there was none."""
        return self.stages.pop().result if self.stages else None

    def at_api(self) -> Standing | None:
        return self.api.pop().result() if self.api else None


@contextmanager
def looking(aws: Aws, names: Names, *, part: Plan, known: Known) -> Iterator[Beforehand]:
    """At what stands for sure; the others find out when it is their turn."""
    begun = Beforehand()
    with at_once(LOOKS, name="look") as pool:
        for step in part.stage:
            match step:
                case PublishFunction(function=function, ready=False):
                    name = names.function(function.name)
                    begun.functions[name] = pool.submit(functions.look, aws, names, name=name)
                case PublishEntry(ready=False):
                    entry = names.entry
                    begun.functions[entry] = pool.submit(functions.look, aws, names, name=entry)
                case MakeApiStage() if names.is_shared and Ref(Made.API) in known:
                    begun.api.append(pool.submit(standing, aws, known[Ref(Made.API)]))
                case MakeApiStage(api_stage=name) if Ref(Made.API) in known:
                    looked = pool.submit(stage, aws, known[Ref(Made.API)], api_stage=name)
                    begun.stages.append(looked)
                case AwaitVersions(moves=True):
                    seen = pool.submit(urls.revision, aws, names.entry)
                    begun.revisions[names.entry] = seen.result
                case WriteRouting() if Ref(Made.STORE) in known:
                    store = known[Ref(Made.STORE)]
                    begun.revisions[store] = pool.submit(keyvalues.revision, aws, store).result
                case _:
                    pass
        begun.revisions.update(_pointers(aws, names, part=part, known=known, pool=pool))
        yield begun


def _pointers(
    aws: Aws, names: Names, *, part: Plan, known: Known, pool: ThreadPoolExecutor
) -> Iterator[tuple[str, Callable[[], str]]]:
    """What is moved, with its revision: as it was told while the release was staged, or looked at
    now."""

    def told(ref: Ref, look: Callable[[Aws, str], str], of: str) -> Callable[[], str]:
        seen = known.get(ref, "")
        return (lambda: seen) if seen else pool.submit(look, aws, of).result

    for step in part.switch:
        match step:
            case MoveAlias():
                yield names.entry, told(ALIAS_REVISION, urls.revision, names.entry)
            case Activate() | Show():
                store = known[Ref(Made.STORE)]
                yield store, told(STORE_REVISION, keyvalues.revision, store)
            case _:
                pass
