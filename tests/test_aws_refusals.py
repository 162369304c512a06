"""What AWS refuses reaches the user in the user's words, with the right exit status."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest
from botocore.exceptions import ClientError, NoCredentialsError, NoRegionError

from runner.aws.refusals import SERVICE, explain, tolerating
from runner.aws.session import connect
from runner.errors import JamError, Turn

ROLE = "arn:aws:sts::123456789012:assumed-role/deploy/run"


def an_error(code: str, message: str = "no", operation: str = "GetAlias") -> ClientError:
    detail = {"Code": code, "Message": message, SERVICE: "lambda"}
    return ClientError({"Error": detail}, operation)  # type: ignore[typeddict-unknown-key] # ours


@pytest.mark.parametrize(
    ("code", "wanted", "turn"),
    [
        ("AccessDenied", "JAM-DENIED", Turn.AWS),
        ("AccessDeniedException", "JAM-DENIED", Turn.AWS),
        ("403", "JAM-DENIED", Turn.AWS),
        ("ExpiredToken", "JAM-CREDS-EXPIRED", Turn.AGAIN),
        ("ExpiredTokenException", "JAM-CREDS-EXPIRED", Turn.AGAIN),
        ("UnrecognizedClientException", "JAM-CREDS-EXPIRED", Turn.AGAIN),
        ("InvalidAccessKeyId", "JAM-CREDS-INVALID", Turn.AWS),
        ("SignatureDoesNotMatch", "JAM-CREDS-INVALID", Turn.AWS),
        ("RequestTimeTooSkewed", "JAM-CLOCK", Turn.AWS),
        ("Throttling", "JAM-THROTTLED", Turn.AGAIN),
        ("TooManyRequestsException", "JAM-THROTTLED", Turn.AGAIN),
        ("SlowDown", "JAM-THROTTLED", Turn.AGAIN),
        ("CodeStorageExceededException", "JAM-QUOTA-CODE", Turn.AWS),
        ("TooManyDistributions", "JAM-QUOTA-EDGE", Turn.AWS),
        ("OptInRequired", "JAM-REGION", Turn.AWS),
        ("ServiceUnavailable", "JAM-AWS-DOWN", Turn.AGAIN),
        ("SomethingNew", "JAM-AWS", Turn.AWS),
    ],
)
def test_each_code_of_aws_has_its_own_error(code: str, wanted: str, turn: Turn) -> None:
    found = explain(an_error(code))
    assert (found.code, found.turn) == (wanted, turn)
    assert found.hint


def test_previews_role_that_lacks_a_new_store_hears_who_puts_it_into_its_policy() -> None:
    role = "arn:aws:sts::123456789012:assumed-role/jam-preview/GitHubActions"
    arn = "arn:aws:cloudfront::123456789012:key-value-store/5e1"
    action = "cloudfront-keyvaluestore:GetKey"
    said = f"User: {role} is not authorized to perform: {action} on resource: {arn}"
    assert "`jam-deploy bootstrap` once more" in explain(an_error("AccessDenied", said)).hint
    other = said.replace("jam-preview", "deploy")
    assert "docs/permissions.md" in explain(an_error("AccessDenied", other)).hint


def test_a_denial_names_action_and_resource_and_where_to_add_them() -> None:
    arn = "arn:aws:iam::123456789012:role/jam/jam-notes-api"
    said = (
        f"User: {ROLE} is not authorized to perform: iam:CreateRole on resource: {arn} "
        "because no identity-based policy allows the iam:CreateRole action"
    )
    found = explain(an_error("AccessDenied", said, "CreateRole"))
    assert "iam:CreateRole" in found.message
    assert arn in found.message
    assert "docs/permissions.md" in found.hint


def test_a_denial_without_a_sentence_still_names_the_action() -> None:
    assert "lambda:GetAlias" in explain(an_error("AccessDenied", "Access Denied")).message


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("because no permissions boundary allows the action", "bootstrap"),
        ("with an explicit deny in a service control policy", "AWS Organizations"),
        ("because no identity-based policy allows the action", "docs/permissions.md"),
    ],
)
def test_the_hint_of_a_denial_goes_to_whoever_can_mend_it(said: str, wanted: str) -> None:
    said = f"User: {ROLE} is not authorized to perform: s3:PutObject on resource: x {said}"
    assert wanted in explain(an_error("AccessDenied", said)).hint


@pytest.mark.parametrize(
    ("error", "wanted"),
    [(NoCredentialsError(), "JAM-CREDS-MISSING"), (NoRegionError(), "JAM-REGION-MISSING")],
)
def test_what_never_reached_aws_is_told_apart(error: Exception, wanted: str) -> None:
    assert explain(error).code == wanted  # type: ignore[arg-type] # both are BotoCoreErrors


def test_only_the_named_code_is_tolerated() -> None:
    with tolerating("NoSuchBucket"):
        raise an_error("NoSuchBucket")
    for other in ("AccessDenied", "404", "NoSuchBucketPolicy"):
        with pytest.raises(ClientError), tolerating("NoSuchBucket"):
            raise an_error(other)


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def test_an_endpoint_that_is_down_says_so_and_asks_for_another_run(
    closed_port: int, credentials: None, still: Callable[[float], None]
) -> None:
    aws = connect(
        region="eu-central-1",
        endpoint=f"http://127.0.0.1:{closed_port}",
        clock=lambda: 0.0,
        sleep=still,
        chance=lambda: 0.0,
    )
    with pytest.raises(JamError) as raised:
        _ = aws.account
    assert (raised.value.code, raised.value.turn) == ("JAM-ENDPOINT", Turn.AGAIN)


def test_missing_credentials_are_named(
    closed_port: int, monkeypatch: pytest.MonkeyPatch, still: Callable[[float], None]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nowhere")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    aws = connect(
        region="eu-central-1",
        endpoint=f"http://127.0.0.1:{closed_port}",
        clock=lambda: 0.0,
        sleep=still,
        chance=lambda: 0.0,
    )
    with pytest.raises(JamError) as raised:
        _ = aws.account
    assert raised.value.code == "JAM-CREDS-MISSING"


def test_a_missing_region_is_the_sites_to_name(
    credentials: None, monkeypatch: pytest.MonkeyPatch, still: Callable[[float], None]
) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nowhere")
    with pytest.raises(JamError) as raised:
        connect(region=None, clock=lambda: 0.0, sleep=still, chance=lambda: 0.0)
    assert (raised.value.code, raised.value.turn) == ("JAM-REGION-MISSING", Turn.SITE)


WRONG: list[tuple[dict[str, str], str, str, Turn]] = [
    ({"AWS_ENDPOINT_URL": "notaurl"}, "eu-central-1", "JAM-ENDPOINT-INVALID", Turn.SITE),
    ({"AWS_ENDPOINT_URL": "http://x:99999"}, "eu-central-1", "JAM-ENDPOINT-INVALID", Turn.SITE),
    ({}, "xx-nowhere-1", "JAM-REGION-UNKNOWN", Turn.SITE),
    ({"AWS_PROFILE": "nobody"}, "eu-central-1", "JAM-CREDS-MISSING", Turn.AWS),
    ({"AWS_CONFIG_FILE": "broken"}, "eu-central-1", "JAM-AWS-CONFIG", Turn.AWS),
]


@pytest.mark.parametrize(("environment", "region", "code", "turn"), WRONG)
def test_what_is_wrong_with_the_way_to_aws_is_no_defect(
    environment: dict[str, str],
    region: str,
    code: str,
    turn: Turn,
    *,
    credentials: None,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    (tmp_path / "broken").write_text("[profile")
    monkeypatch.chdir(tmp_path)
    for name, value in {"AWS_CONFIG_FILE": "/nowhere", **environment}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(JamError) as raised:
        _ = connect(
            region=region, clock=lambda: 0.0, sleep=lambda _: None, chance=lambda: 0.0
        ).account
    assert (raised.value.code, raised.value.turn) == (code, turn)
    assert raised.value.hint


@pytest.fixture
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)


@pytest.fixture
def still() -> Callable[[float], None]:
    return lambda _seconds: None
