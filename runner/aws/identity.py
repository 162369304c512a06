"""Credentials of a role for which somebody else vouches: got by web identity, and renewed.

A rollout may outlast them: whenever they are about to end, a new token is asked for.
Source: STS API reference, AssumeRoleWithWebIdentity; boto3's guide, "Credentials", assume role with
web identity provider.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

import boto3
from botocore.credentials import (
    AssumeRoleWithWebIdentityCredentialFetcher,
    CredentialProvider,
    DeferredRefreshableCredentials,
)
from botocore.loaders import Loader
from botocore.session import Session, get_session
from botocore.utils import parse_timestamp

_METHOD = "assume-role-with-web-identity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """`role` is an ARN, `session` what CloudTrail shows; each call of `token` gives a new one."""

    role: str
    session: str
    token: Callable[[], str] = field(repr=False)


@cache
def _descriptions() -> Loader:
    """The files that describe AWS's services: read once, not once a session.

    They are four fifths of what a client costs, and nothing writes to what was read.
    """
    found: Loader = get_session().get_component("data_loader")
    return found


def core() -> Session:
    """What a session is made of; boto3's own chain of credentials."""
    made = get_session()
    made.register_component("data_loader", _descriptions())
    made.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=moment)
    return made


def moment(told: Any) -> datetime:
    """A time as AWS told it. Two thirds of what reading a page of a listing took were dateutil's,
    which is asked for what is not written as S3 writes it."""
    if isinstance(told, str) and "T" in told:
        with suppress(ValueError):
            return datetime.fromisoformat(told)
    found: datetime = parse_timestamp(told)
    return found


def session_as(identity: Identity, *, region: str | None) -> boto3.Session:
    """A session that has these credentials and no others; asks for nothing yet."""
    own = core()
    if region:
        own.set_config_variable("region", region)
    resolver = own.get_component("credential_provider")
    resolver.providers.insert(0, _Provider(own, identity))
    return boto3.Session(botocore_session=own, region_name=region)


class _Provider(CredentialProvider):
    METHOD = _METHOD

    def __init__(self, core: Session, identity: Identity) -> None:
        super().__init__(session=core)
        self._core = core
        self._identity = identity

    def load(self) -> Any:
        fetcher = AssumeRoleWithWebIdentityCredentialFetcher(
            client_creator=self._core.create_client,
            web_identity_token_loader=self._identity.token,
            role_arn=self._identity.role,
            extra_args={"RoleSessionName": self._identity.session},
        )
        return DeferredRefreshableCredentials(
            refresh_using=fetcher.fetch_credentials, method=_METHOD
        )
