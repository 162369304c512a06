"""`jam-deploy cloud` from outside: its line, the AWS CLI against it unchanged, its end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from runner.errors import JamError
from runner.local.run import run_cloud

AWS = Path(sys.executable).with_name("aws")
PROGRAM = (
    "import sys; from pathlib import Path; from runner.local.run import run_cloud; "
    "run_cloud(0, Path(sys.argv[1]), speed=20, emit=lambda line: print(line, flush=True))"
)


def started(state: Path) -> tuple[subprocess.Popen[str], dict[str, str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(state)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    return process, json.loads(process.stdout.readline())


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    process, line = started(tmp_path_factory.mktemp("state"))
    yield line["endpoint"]
    process.send_signal(signal.SIGTERM)
    process.wait(10)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def aws(endpoint: str, home: Path, *words: str) -> Any:
    environment = {
        "PATH": os.environ["PATH"], "HOME": str(home), "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }  # fmt: skip
    ended = subprocess.run(
        [str(AWS), *words], env=environment, cwd=home, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr
    try:
        return json.loads(ended.stdout)
    except ValueError:
        return ended.stdout


def test_the_cli_makes_lists_and_syncs_buckets(endpoint: str, home: Path) -> None:
    aws(endpoint, home, "s3", "mb", "s3://cli-bucket")
    (home / "site" / "a b").mkdir(parents=True)
    (home / "site" / "a b" / "ü.html").write_text("<p>hi")
    (home / "site" / "large").write_bytes(os.urandom(9_000_000))  # above the multipart threshold
    aws(endpoint, home, "s3", "sync", "site", "s3://cli-bucket/site")
    assert "cli-bucket" in aws(endpoint, home, "s3", "ls")
    aws(endpoint, home, "s3", "sync", "s3://cli-bucket/site", "back")
    assert (home / "back" / "a b" / "ü.html").read_text() == "<p>hi"
    assert (home / "back" / "large").read_bytes() == (home / "site" / "large").read_bytes()
    assert aws(endpoint, home, "s3", "sync", "site", "s3://cli-bucket/site") == ""


@pytest.mark.parametrize(
    ("words", "key"),
    [
        (("sts", "get-caller-identity"), "Account"),
        (("lambda", "list-functions"), "Functions"),
        (("cloudfront", "list-distributions"), ""),
        (("apigatewayv2", "get-apis"), "Items"),
        (("dynamodb", "list-tables"), "TableNames"),
        (("iam", "list-roles"), "Roles"),
        (("logs", "describe-log-groups"), "logGroups"),
        (("deploy", "list-applications"), "applications"),
    ],
)
def test_the_cli_lists(endpoint: str, home: Path, words: tuple[str, ...], key: str) -> None:
    answered = aws(endpoint, home, *words)
    assert not key or key in answered


def test_the_cli_writes_and_reads_a_table(endpoint: str, home: Path) -> None:
    aws(endpoint, home, "dynamodb", "create-table", "--table-name", "t", "--billing-mode",
        "PAY_PER_REQUEST", "--key-schema", "AttributeName=pk,KeyType=HASH",
        "--attribute-definitions", "AttributeName=pk,AttributeType=S")  # fmt: skip
    aws(endpoint, home, "dynamodb", "put-item", "--table-name", "t", "--item",
        '{"pk": {"S": "a"}}')  # fmt: skip
    assert aws(endpoint, home, "dynamodb", "scan", "--table-name", "t")["Count"] == 1


TEMPLATE = """
Parameters: {Subject: {Type: String, Default: "repo:me/site:*"}}
Resources:
  Provider:
    Type: AWS::IAM::OIDCProvider
    Properties:
      Url: https://token.actions.githubusercontent.com
      ClientIdList: [sts.amazonaws.com]
  Boundary:
    Type: AWS::IAM::ManagedPolicy
    Properties:
      ManagedPolicyName: jam-boundary
      Path: /jam/
      PolicyDocument:
        Version: "2012-10-17"
        Statement: [{Effect: Allow, Action: "s3:*", Resource: "*"}]
  Deployer:
    Type: AWS::IAM::Role
    Properties:
      RoleName: jam-deployer
      Path: /jam/
      PermissionsBoundary: !Ref Boundary
      AssumeRolePolicyDocument:
        Version: "2012-10-17"
        Statement:
          - Effect: Allow
            Principal: {Federated: !GetAtt Provider.Arn}
            Action: sts:AssumeRoleWithWebIdentity
            Condition:
              StringLike: {"token.actions.githubusercontent.com:sub": !Ref Subject}
Outputs:
  Deployer: {Value: !GetAtt Deployer.Arn}
  Boundary: {Value: !Ref Boundary}
"""


def test_cloudformation_makes_changes_and_removes_what_bootstrap_needs(
    endpoint: str, home: Path
) -> None:
    (home / "t.yml").write_text(TEMPLATE)
    deploy = ("cloudformation", "deploy", "--stack-name", "jam", "--template-file", "t.yml",
              "--capabilities", "CAPABILITY_NAMED_IAM")  # fmt: skip
    aws(endpoint, home, *deploy)
    (stack,) = aws(endpoint, home, "cloudformation", "describe-stacks")["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    assert outputs == {
        "Deployer": "arn:aws:iam::123456789012:role/jam/jam-deployer",
        "Boundary": "arn:aws:iam::123456789012:policy/jam/jam-boundary",
    }
    role = aws(endpoint, home, "iam", "get-role", "--role-name", "jam-deployer")["Role"]
    assert role["PermissionsBoundary"]["PermissionsBoundaryArn"] == outputs["Boundary"]
    assert "repo:me/site:*" in json.dumps(role["AssumeRolePolicyDocument"])
    iam = boto3.client(  # not the CLI, which takes more than a second to start
        "iam",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    providers = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    assert "githubusercontent" in json.dumps(providers)

    aws(endpoint, home, *deploy, "--parameter-overrides", "Subject=repo:me/other:*")
    changed = iam.get_role(RoleName="jam-deployer")["Role"]
    assert "repo:me/other:*" in json.dumps(changed["AssumeRolePolicyDocument"])

    (home / "t.yml").write_text(TEMPLATE.replace('"s3:*"', '"dynamodb:*"'))
    aws(endpoint, home, *deploy)
    boundary = outputs["Boundary"]
    version = iam.get_policy(PolicyArn=boundary)["Policy"]["DefaultVersionId"]
    shown = iam.get_policy_version(PolicyArn=boundary, VersionId=version)
    assert "dynamodb:*" in json.dumps(shown["PolicyVersion"]["Document"])

    aws(endpoint, home, "cloudformation", "delete-stack", "--stack-name", "jam")
    aws(endpoint, home, "cloudformation", "wait", "stack-delete-complete", "--stack-name", "jam")
    assert iam.list_roles(PathPrefix="/jam/")["Roles"] == []
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_says_one_line_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    process, line = started(tmp_path)
    assert set(line) == {"endpoint", "data_plane"}
    with urllib.request.urlopen(f"{line['endpoint']}/_jam/clock") as answered:
        assert json.loads(answered.read())["speed"] == 20
    process.send_signal(number)
    assert process.wait(10) == 0
    assert process.stdout
    assert process.stdout.read() == ""


def test_a_port_in_use_is_an_error_that_says_so(endpoint: str) -> None:
    port = int(endpoint.rpartition(":")[2])
    with pytest.raises(JamError, match=str(port)) as caught:
        run_cloud(port, None, emit=print)
    assert caught.value.code == "JAM-PORT-TAKEN"


def test_a_state_folder_that_is_a_file_is_an_error_that_says_so(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("")
    with pytest.raises(JamError, match="state") as caught:
        run_cloud(0, tmp_path / "state", emit=print)
    assert caught.value.code == "JAM-STATE-UNUSABLE"
