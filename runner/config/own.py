"""A run's own credentials, which no setting hands on: a pull request brings its own jam.toml. Pure.

Whoever needs such a value gives it a name of its own in the workflow's `env`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from runner.config.references import EnvReference, parse_value
from runner.config.settings import Settings
from runner.config.shape import Wrong

# Sources: boto3 guide, "Configuration", Using environment variables; docs.github.com, "OpenID
# Connect reference"; actions/runner, variables of inputs, states and its services.
_OWN = re.compile(
    r"AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|WEB_IDENTITY_.*"
    r"|CONTAINER_.*)|(?:ACTIONS|INPUT|STATE|RUNNER)_.*|(?:GITHUB|GH)_TOKEN"
)


def handed_on(settings: Settings) -> Iterator[Wrong]:
    """Every reference to one."""
    functions, preview = settings.functions, settings.preview
    yield from _among(settings.build.environment, "build", "environment")
    yield from _among(functions.environment, "functions", "environment")
    for name, one in functions.named.items():
        yield from _among(one.environment, "functions", name, "environment")
    yield from _among(preview.environment, "preview", "environment")
    yield from _among({"password": preview.password or ""}, "preview")


def _among(values: Mapping[str, str], *at: str) -> Iterator[Wrong]:
    for key, text in values.items():
        value = parse_value(text)
        if isinstance(value, EnvReference) and _OWN.fullmatch(value.name):
            yield Wrong(
                at=(*at, key),
                message=f"{value.name} is this run's own and goes to no build and no function",
                hint="what a site may have gets a name of its own, under `env` in the workflow",
            )
