"""Values of an environment: plain text or where the text lies. Pure: resolves nothing.

`env:NAME` is a variable of the runner, `ssm:/path` a parameter of Systems Manager; one under
`/aws/reference/secretsmanager/` is a secret of Secrets Manager.
Source: Systems Manager user guide, "Referencing AWS Secrets Manager secrets from Parameter Store".
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Literal:
    """The text itself; never shown, for nobody knows what people put there."""

    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EnvReference:
    """A variable of the environment in which jam-deploy runs."""

    name: str


@dataclass(frozen=True, slots=True)
class SsmReference:
    """A parameter of Systems Manager's Parameter Store."""

    name: str


Value = Literal | EnvReference | SsmReference


def parse_value(text: str) -> Value:
    """What a value of `environment`, `secrets` or `password` stands for."""
    scheme, colon, rest = text.partition(":")
    if colon and scheme == "env":
        return EnvReference(rest)
    if colon and scheme == "ssm":
        return SsmReference(rest)
    return Literal(text)
