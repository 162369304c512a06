"""Who we are at AWS by GitHub's word: its OIDC token for the role that the workflow names.

Source: docs.github.com, "OpenID Connect reference", methods for requesting the OIDC token;
"Configuring OpenID Connect in Amazon Web Services", audience `sts.amazonaws.com`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import partial

import urllib3

from runner.aws.identity import Identity
from runner.errors import JamError, Turn, site_error
from runner.github.codes import DENIED, DOWN

_AUDIENCE = "sts.amazonaws.com"
_SECONDS = 10.0  # that one request may take
_TRIES = 3


def identity_of(
    role: str, run: str, environment: Mapping[str, str], *, mask: Callable[[str], None]
) -> Identity:
    """Asks for nothing yet. Every token is masked before anything can print it."""
    if not role.startswith("arn:"):
        raise site_error(
            "JAM-INPUT",
            f"`role-to-assume` is {role!r}, and no ARN.",
            hint="It is the ARN of a role that `jam-deploy bootstrap` made, such as "
            "arn:aws:iam::111122223333:role/...; an empty variable of the repository looks so too.",
        )
    token = partial(_token, environment, mask)
    return Identity(role=role, session=f"jam-deploy-{run}"[:64], token=token)


def _token(environment: Mapping[str, str], mask: Callable[[str], None]) -> str:
    address = environment.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    bearer = environment.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not (address and bearer):
        raise JamError(
            DENIED,
            "GitHub gives this job no OIDC token, so that no role can be assumed",
            hint="Add the line `id-token: write` to `permissions:` of the workflow's job.",
            turn=Turn.GITHUB,
        )
    try:
        answer = urllib3.request(
            "GET",
            f"{address}&audience={_AUDIENCE}",
            headers={"authorization": f"Bearer {bearer}", "accept": "application/json"},
            timeout=_SECONDS,
            retries=urllib3.Retry(
                _TRIES, status_forcelist=(500, 502, 503, 504), backoff_factor=0.5
            ),
        )
        token = str(json.loads(answer.data)["value"])
    except (urllib3.exceptions.HTTPError, ValueError, KeyError, TypeError) as error:
        # Never the answer's text: it may be the token.
        raise JamError(
            DOWN,
            f"GitHub gave no OIDC token: {type(error).__name__}",
            hint="Run the job again.",
            turn=Turn.AGAIN,
        ) from None
    mask(token)
    return token
