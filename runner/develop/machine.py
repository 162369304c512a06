"""What developing touches outside of the site, and what functions get to see of it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from runner.aws.session import Aws

# How a function reaches AWS with the developer's own credentials, wherever these lie.
# Source: AWS SDKs and Tools reference guide, "Settings reference".
_CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ELSEWHERE = (
    "AWS_PROFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_AUTHORIZATION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_ROLE_ARN",
)
# How anything gets out of a company's network.
_NETWORK = ("HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "no_proxy",
            "NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "AWS_CA_BUNDLE")  # fmt: skip
_PASSED = frozenset({*_CREDENTIALS, *_ELSEWHERE, *_NETWORK})


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """`clock` counts seconds from anywhere, `now` those of the epoch; `say` prints a line, `emit`
    tells scripts the address; `cache` is a folder of the user's; `aws` is the account of a region.
    """

    environment: Mapping[str, str] = field(repr=False)
    cache: Path
    home: Path
    clock: Callable[[], float]
    now: Callable[[], float]
    say: Callable[[str], None]
    emit: Callable[[str, int], None]
    aws: Callable[[str], Aws]


def has_credentials(machine: Machine) -> bool:
    """Whether there is anything that an AWS client could sign with."""
    named = (machine.environment.get(name) for name in (*_CREDENTIALS, *_ELSEWHERE))
    return any(named) or (machine.home / ".aws").is_dir()


def of_functions(machine: Machine, lambda_url: str) -> dict[str, str]:
    """What a function's process gets besides its own: AWS, with Lambda answered here."""
    given = {
        name: value
        for name, value in machine.environment.items()
        if name in _PASSED or name.startswith("AWS_ENDPOINT_URL")
    }
    if has_credentials(machine):
        own: dict[str, str] = {"HOME": str(machine.home)}
    else:
        # An AWS client signs before it asks: without keys it would not even ask us.
        own = {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
    return {**own, **given, "AWS_ENDPOINT_URL_LAMBDA": lambda_url}
