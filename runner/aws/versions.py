"""A version of a function to be, as a value: its code, its settings, how it is told. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from runner.aws import documents
from runner.model import Function, Hosting
from runner.names import Names, function_variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One version to be: the settings and the code of a function.

    `code_sha256` is Lambda's own base64 digest of the archive, `memory` in MB, `timeout` seconds.
    """

    name: str
    role_arn: str
    runtime: str
    handler: str
    architecture: str
    memory: int
    timeout: int
    code_sha256: str
    size: int
    archive: Path | bytes = field(repr=False)
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)
    hosting: Hosting = field(default_factory=Hosting)
    retries: int | None = None  # of a failed event; None where no event is anybody's to wait for

    @property
    def settings(self) -> dict[str, Any]:
        """All but the code and what goes with it, as Lambda takes it."""
        return {
            "Role": self.role_arn,
            "Runtime": self.runtime,
            "Handler": self.handler,
            "MemorySize": self.memory,
            "Timeout": self.timeout,
            "Environment": {"Variables": dict(self.environment)},
            "Layers": list(self.hosting.layers),
            "VpcConfig": {
                "SubnetIds": list(self.hosting.subnets),
                "SecurityGroupIds": list(self.hosting.security_groups),
            },
            "TracingConfig": {"Mode": "Active" if self.hosting.tracing else "PassThrough"},
        }

    @property
    def description(self) -> str:
        """The digest of the settings: what a version is told by, beside its code.

        How events are retried is set on the version afterwards; it is never changed there.
        """
        events = [] if self.retries is None else [self.retries]
        told = documents.compact([self.architecture, self.settings, *events])
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def wanted_of(
    function: Function, names: Names, *, role_arn: str, versions: Mapping[str, str]
) -> Wanted:
    """`function` as the site wrote it, told the functions that it may invoke.

    `versions` are those functions' versions in the same release: what is called belongs to it.
    """
    told = {
        function_variable(other): f"{names.function(other)}:{versions[other]}"
        for other in function.grants.invoke
    }
    return Wanted(
        name=names.function(function.name),
        role_arn=role_arn,
        runtime=function.runtime,
        handler=function.handler,
        architecture=function.architecture,
        memory=function.memory,
        timeout=function.timeout,
        code_sha256=function.code_sha256,
        size=function.size,
        archive=function.archive,
        environment={**told, **dict(function.environment)},
        hosting=function.hosting,
        retries=function.background.retries if function.background else None,
    )
