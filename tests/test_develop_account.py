"""What functions under `functions` use of an account: secrets and tables, and where they lie."""

from __future__ import annotations

from pathlib import Path

from runner.local.cloud import Cloud
from tests.compute_site import eventually
from tests.local_cloud import client
from tests.test_develop_functions import start, stop

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
SETTINGS = """site = "dev"
region = "eu-west-1"
[tables.notes]
hash = "id:S"
[functions.notes]
tables = ["notes:rw"]
[functions.pay]
secrets = { STRIPE_KEY = "ssm:/dev/stripe" }
"""
PAY = "export const handler = async () => process.env.STRIPE_KEY;\n"
NOTES = """import boto3, os
def handler(event, context):
    table = boto3.resource("dynamodb").Table(os.environ["JAM_TABLE_NOTES"])
    table.put_item(Item={"id": "1", "text": "kept"})
    return table.get_item(Key={"id": "1"})["Item"]
"""


def folder_of(folder: Path) -> Path:
    """A site without a page: `functions` needs nothing to publish."""
    (folder / "functions").mkdir(parents=True)
    (folder / "jam.toml").write_text(SETTINGS)
    (folder / "functions/pay.js").write_text(PAY)
    (folder / "functions/notes.py").write_text(NOTES)
    return folder


def test_a_secret_that_nobody_can_read_is_named_until_an_env_file_says_it(tmp_path: Path) -> None:
    running = start(folder_of(tmp_path), HOME=str(tmp_path / "nobody"))
    answer = running.get("/.functions/pay")
    assert answer.status == 500
    assert "STRIPE_KEY is a secret (/dev/stripe in Parameter Store)" in answer.json()["message"]
    assert "Write STRIPE_KEY=… into functions/.env" in answer.json()["message"]
    eventually(lambda: running.said("pay │ error[JAM-DEV-SECRET]"))
    for key in ("mine", "other"):
        running.write("functions/.env", f"STRIPE_KEY={key}\n")
        assert running.get("/.functions/pay").data == key.encode()
    stop(running)


def test_without_credentials_it_is_said_that_a_table_is_out_of_reach(tmp_path: Path) -> None:
    running = start(folder_of(tmp_path), HOME=str(tmp_path / "nobody"))
    code = "import os\ndef handler(event, context):\n    return os.environ['JAM_TABLE_NOTES']\n"
    running.write("functions/notes.py", code)
    assert running.get("/.functions/notes").data == b"jam-dev-production-notes"
    said = "tables │ notes is jam-dev-production-notes, which nobody reaches without AWS"
    eventually(lambda: running.said(said))
    stop(running)


def test_an_embedded_cloud_has_the_secrets_and_gets_the_tables(tmp_path: Path) -> None:
    with Cloud() as cloud:
        parameter = {"Name": "/dev/stripe", "Value": "from-ssm", "Type": "SecureString"}
        client(cloud, "ssm").put_parameter(**parameter)
        running = start(folder_of(tmp_path), AWS_ENDPOINT_URL=cloud.endpoint, **KEYS)
        assert running.get("/.functions/pay").data == b"from-ssm"
        assert running.get("/.functions/notes").json() == {"id": "1", "text": "kept"}
        said = f"tables │ notes is jam-dev-production-notes on {cloud.endpoint}"
        assert said in running.lines
        stop(running)
