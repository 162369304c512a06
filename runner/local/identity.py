"""Who calls: access keys, sessions of roles, and STS, which hands the sessions out.

A key that does not look like AWS's own (`test`, say) is an administrator of the account. Nothing
checks signatures.
"""

from __future__ import annotations

import base64
import datetime
import json
import re
import secrets
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from runner.local import policy
from runner.local.clock import Clock
from runner.local.ids import Ids
from runner.local.protocol import Incoming
from runner.local.wire import AwsError, Call, Operation, Parameters, Result, Rule

ADMINISTRATOR = "user/administrator"
# Source: IAM user guide, "IAM identifiers", "Understanding unique ID prefixes".
_AWS_KEY = re.compile(r"(AKIA|ASIA)[A-Z0-9]{16}")
_DEFAULT_SESSION = 3600
# Time until a new role can be assumed everywhere, in seconds of the cloud's clock. AWS names none:
# "Changes that I make are not always immediately visible", IAM user guide.
PROPAGATION = 8.0


class Roles(Protocol):
    """What identity needs of moto's IAM backend."""

    access_keys: Mapping[str, Any]
    open_id_providers: Mapping[str, Any]

    def get_role_by_arn(self, arn: str) -> Any: ...
    def get_user_from_access_key_id(self, access_key_id: str) -> Any: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """Temporary credentials of a role."""

    access_key: str
    secret_key: str
    token: str
    arn: str  # arn:aws:sts::<account>:assumed-role/<role>/<session>
    user_id: str
    role: str
    expires: float
    assumed: bool = False  # by a caller of STS, not by a service


class Identity:
    """The service `sts`, the credential check, and roles for other services."""

    name = "sts"

    def __init__(
        self, *, clock: Clock, ids: Ids, account: str, roles: Callable[[], Roles],
        propagation: float = PROPAGATION,
    ) -> None:  # fmt: skip
        self._clock = clock
        self._ids = ids
        self._account = account
        self._roles = roles
        self._propagation = propagation
        self._sessions: dict[str, Session] = {}
        self._lock = threading.Lock()

    def operations(self) -> Mapping[str, Operation]:
        return {
            "GetCallerIdentity": self.get_caller_identity,
            "AssumeRole": self.assume_role,
            "AssumeRoleWithWebIdentity": self.assume_role_with_web_identity,
        }

    def unlocked(self) -> frozenset[str]:
        return frozenset()

    def reset(self) -> None:
        with self._lock:
            self._sessions.clear()

    # -- for other services --

    def role(self, arn: str) -> Any | None:
        """moto's role, or None."""
        try:
            return self._roles().get_role_by_arn(arn)
        except Exception as error:  # moto's IAMNotFoundException has no public home
            if getattr(error, "code", "") in (404, "NoSuchEntity"):
                return None
            raise

    def ready(self, arn: str, service: str = "", *, context: policy.Context | None = None) -> bool:
        """Whether `service` can assume the role by now: it exists, trusts it, and is old enough."""
        role = self.role(arn)
        if role is None:
            return False
        created = role.create_date.replace(tzinfo=datetime.UTC).timestamp()
        if self._clock.now() < created + self._propagation:
            return False
        return not service or self._trusted(role, service, context=context)

    def _trusted(self, role: Any, principal: str, *, context: policy.Context | None = None) -> bool:
        return policy.allows(
            role.assume_role_policy_document,
            principal=principal, action="sts:AssumeRole", resource=role.arn, context=context,
        )  # fmt: skip

    def session(
        self, role_arn: str, name: str, *, seconds: float = _DEFAULT_SESSION,
        ids: Ids | None = None, assumed: bool = False,
    ) -> Session:  # fmt: skip
        """New credentials for the role, whoever asks: services assume roles through this.

        Without `ids` they are drawn at random: not everyone who assumes a role is a recorded call.
        """
        draw = ids or Ids(secrets.randbits(64))
        made = Session(
            access_key="ASIA" + draw.upper(16),
            secret_key=draw.hexadecimal(40),
            token="jam" + draw.hexadecimal(64),
            arn=f"arn:aws:sts::{self._account}:assumed-role/{role_arn.rpartition('/')[2]}/{name}",
            user_id=f"{getattr(self.role(role_arn), 'id', 'AROA')}:{name}",
            role=role_arn,
            expires=self._clock.now() + seconds,
            assumed=assumed,
        )
        with self._lock:
            self._sessions[made.access_key] = made
        return made

    def function_role(self, access_key: str) -> str:
        """The ARN of the role behind a function's credentials; empty for everybody else's."""
        session = self._sessions.get(access_key)
        found = self.role(session.role) if session else None
        trusted = found is not None and self._trusted(found, "lambda.amazonaws.com")
        return session.role if session and trusted else ""

    def assumed_role(self, access_key: str) -> str:
        """The ARN of the role behind credentials that STS gave; empty for everybody else's."""
        session = self._sessions.get(access_key)
        return session.role if session and session.assumed else ""

    def principal(self, access_key: str) -> str:
        """The caller's ARN; `*` for an unsigned request."""
        if not access_key:
            return policy.ANONYMOUS
        session = self._sessions.get(access_key)
        if session:
            return session.arn
        user = self._roles().get_user_from_access_key_id(access_key)
        return str(user.arn) if user else f"arn:aws:iam::{self._account}:{ADMINISTRATOR}"

    # -- the gate --

    def check(self, incoming: Incoming) -> None:
        """Refuses unsigned, unknown and expired credentials. S3 judges unsigned ones by policy."""
        key = incoming.caller.access_key
        if not key:
            if incoming.service not in ("s3", "sts") and not incoming.unsigned:
                raise AwsError(
                    "MissingAuthenticationToken", "Missing Authentication Token", status=403
                )
            return
        session = self._sessions.get(key)
        if session and self._clock.now() >= session.expires:
            raise _expired(incoming.service)
        if session and incoming.request.header("x-amz-security-token") not in (session.token, ""):
            raise _invalid(incoming.service)
        if not session and _AWS_KEY.fullmatch(key) and key not in self._roles().access_keys:
            raise _invalid(incoming.service)

    # -- STS --

    def get_caller_identity(self, _parameters: Parameters, call: Call) -> Result:
        session = self._sessions.get(call.access_key)
        user = self._roles().get_user_from_access_key_id(call.access_key)
        identity = session.user_id if session else user.id if user else "AIDAJAMADMINISTRATOR1"
        arn = self.principal(call.access_key)
        return {"UserId": identity, "Account": self._account, "Arn": arn}

    def assume_role(self, parameters: Parameters, call: Call) -> Result:
        arn = parameters["RoleArn"]
        role = self.role(arn)
        caller = self.principal(call.access_key)
        if role is None or not self.ready(arn) or not self._trusted(role, caller):
            raise AwsError(
                "AccessDenied",
                f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {arn}",
                status=403,
            )
        return self._assumed(role, parameters)

    def assume_role_with_web_identity(self, parameters: Parameters, _call: Call) -> Result:
        """The token's claims are checked against provider and trust policy; its signature is not:
        the provider's keys would have to be fetched.
        """
        claims = _claims(parameters["WebIdentityToken"])
        issuer = str(claims["iss"]).removeprefix("https://")
        provider = f"arn:aws:iam::{self._account}:oidc-provider/{issuer}"
        known = self._roles().open_id_providers.get(provider)
        audience = str(claims.get("aud", ""))
        if known is None or audience not in known.client_id_list:
            raise AwsError("InvalidIdentityToken", f"No OpenIDConnect provider found for {issuer}")
        if float(claims.get("exp", "inf")) <= self._clock.now():
            raise AwsError("ExpiredTokenException", "Token expired")
        role = self.role(parameters["RoleArn"])
        context = {f"{issuer}:{name}": str(value) for name, value in claims.items()}
        if role is None or not policy.allows(
            role.assume_role_policy_document,
            principal=provider, action="sts:AssumeRoleWithWebIdentity", resource=role.arn,
            context=context,
        ):  # fmt: skip
            raise AwsError(
                "AccessDenied",
                "Not authorized to perform sts:AssumeRoleWithWebIdentity",
                status=403,
            )
        return self._assumed(role, parameters) | {
            "SubjectFromWebIdentityToken": str(claims.get("sub", "")),
            "Audience": audience,
            "Provider": provider,
        }

    def _assumed(self, role: Any, parameters: Parameters) -> Result:
        seconds = int(parameters.get("DurationSeconds") or _DEFAULT_SESSION)
        longest = int(role.max_session_duration or _DEFAULT_SESSION)
        if seconds > longest:
            raise AwsError(
                "ValidationError",
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.",
            )
        made = self.session(
            role.arn, parameters["RoleSessionName"], seconds=seconds, ids=self._ids, assumed=True
        )
        return {
            "Credentials": {
                "AccessKeyId": made.access_key,
                "SecretAccessKey": made.secret_key,
                "SessionToken": made.token,
                "Expiration": datetime.datetime.fromtimestamp(made.expires, datetime.UTC),
            },
            "AssumedRoleUser": {"AssumedRoleId": made.user_id, "Arn": made.arn},
        }


def _claims(token: str) -> dict[str, Any]:
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        claims = None
    if not isinstance(claims, dict) or "iss" not in claims:
        raise AwsError("InvalidIdentityToken", "The web identity token provided is not a valid JWT")
    return claims


# The same refusal has a code of its own in each family of protocols.
# Source: S3 API, "Error responses"; STS API, "Common errors"; Lambda API, "Common errors".
_JSON = frozenset({"dynamodb", "dynamodbstreams", "logs", "codedeploy", "events", "ssm",
                   "scheduler", "secretsmanager", "lambda", "apigateway", "apigatewayv2",
                   "resourcegroupstaggingapi", "cloudfront-keyvaluestore"})  # fmt: skip


def _expired(service: str) -> AwsError:
    code = "ExpiredTokenException" if service in _JSON else "ExpiredToken"
    message = "The security token included in the request is expired"
    return AwsError(code, message, status=400 if service == "s3" else 403)


def _invalid(service: str) -> AwsError:
    if service == "s3":
        return AwsError(
            "InvalidAccessKeyId",
            "The AWS Access Key Id you provided does not exist in our records.",
            status=403,
        )
    code = "UnrecognizedClientException" if service in _JSON else "InvalidClientTokenId"
    return AwsError(code, "The security token included in the request is invalid.", status=403)


RULES: tuple[Rule, ...] = (
    Rule(service="sts", rule="AssumeRole needs a role that exists and whose trust policy names "
         "the caller", page="STS API, AssumeRole"),
    Rule(service="sts", rule="AssumeRoleWithWebIdentity needs a registered provider, its audience, "
         "a fresh token and a trust policy whose conditions hold on the claims",
         page='IAM user guide, "Create a role for OpenID Connect federation"'),
    Rule(service="sts", rule="sessions expire on the cloud's clock; keys in AWS's form that were "
         "never issued are refused",
         page='IAM user guide, "Temporary security credentials in IAM"'),
    Rule(service="iam", rule=f"a new role can be assumed after {PROPAGATION:g} s",
         page='IAM user guide, "Changes that I make are not always immediately visible"'),
)  # fmt: skip
