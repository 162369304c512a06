"""Previews by the role that `bootstrap` makes for them; production's deploy did what needs more."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.audit import audit
from runner.aws import records
from runner.aws.bootstrap import bootstrap
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.operate.show_logs import Wanted, show
from tests.labs.crash import Wire
from tests.previews_site import Ran
from tests.rights_site import REPOSITORY, RolesSite

SETTINGS = """
[functions]
secrets = {{ {ours} }}
[preview.secrets]
{theirs}
[tables.notes]
hash = "id:S"
[functions.notes]
tables = ["notes:rw"]
"""
NOTES = """
import json, os

def handler(event, context):
    print("asked")
    told = [os.environ.get(name, "") for name in ("KEY", "MORE", "JAM_TABLE_NOTES")]
    return {"statusCode": 200, "body": json.dumps(told)}
"""
TABLE = "jam-shop--pr-7--notes"


class Previewed(RolesSite):
    """Deploys production as its role, and previews as theirs."""

    def secrets(self, *names: str) -> None:
        self.settings(
            SETTINGS.format(
                ours=", ".join(f'{name} = "ssm:/live/{name}"' for name in names),
                theirs="\n".join(f'{name} = "ssm:/test/{name}"' for name in names),
            )
        )

    def released(self, run: int) -> None:
        self.role = "production"
        self.deploy(run=run)
        self.role = ""

    def pushed(self, run: int) -> Ran:
        self.role = "preview"
        try:
            return self.preview(7, run=run)
        finally:
            self.role = ""

    def told(self, ran: Ran) -> list[str]:
        test = self.visitor(ran.outcome.url, x_jam_bypass=ran.shown.bypass)
        assert test.visit("/").status == 200
        found: list[str] = json.loads(test.get("/.functions/notes").body)
        return found

    def logs(self, number: int, *, is_access: bool = False) -> list[str]:
        """What the functions of a preview wrote, or what was asked of them, for its own role."""
        self.role = "preview"
        aws, lines = self.account(Wire()), []
        self.role = ""
        show(
            Wanted(function="", since="10m", follow=False, as_json=False, access=is_access),
            names=self.names.preview(number), aws=aws, connect=lambda: aws, colour=False,
            out=lines.append, say=lambda _: None,
        )  # fmt: skip
        return lines


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Previewed]:
    with Cloud(speed=50.0) as cloud:
        made = Previewed(cloud, tmp_path)
        made.write("functions/notes.py", NOTES)
        for name in ("KEY", "MORE"):
            for whose in ("live", "test"):
                made.onlooker.parameters.put_parameter(
                    Name=f"/{whose}/{name}", Value=f"{whose} {name}", Type="SecureString"
                )
        made.prepare()
        yield made
        made.end()


def test_previews_role_does_with_what_productions_deploy_made(site: Previewed) -> None:
    site.secrets("KEY")
    with pytest.raises(JamError) as caught:
        site.pushed(run=1)
    assert (caught.value.code, "deploy" in caught.value.hint) == ("JAM-PREVIEW-SHARED", True)
    assert audit(site.onlooker, site.names).of_site == ()

    site.released(run=2)
    bootstrap(site.onlooker, lambda _line: None, repositories=(REPOSITORY,))
    site.sleep(60)
    assert site.told(site.pushed(run=3)) == ["test KEY", "", TABLE]
    assert any("asked" in each for each in site.logs(7))
    asked = site.logs(7, is_access=True)
    assert any("/.functions/notes" in each for each in asked)

    # A secret that production's settings do not name yet is refused by its name.
    site.secrets("KEY", "MORE")
    with pytest.raises(JamError) as caught:
        site.pushed(run=4)
    assert caught.value.code == "JAM-PREVIEW-RIGHTS"
    assert "secret /test/MORE" in caught.value.message
    site.released(run=5)
    assert site.told(site.pushed(run=6)) == ["test KEY", "test MORE", TABLE]

    # Where previews want nothing new, a release of files alone asks IAM nothing.
    before = site.cloud.journal.last
    site.write("public/index.html", "<p>new")
    site.released(run=7)
    assert site.cloud.journal.count("iam", since=before) == 0

    # What production has let go of since is uploaded: to whoever may not list S3 says 403.
    found = records.read(site.onlooker, site.names, release="")
    assert found
    gone = f"{site.names.objects}/releases/{found[0].release}/index.html"
    site.onlooker.s3.delete_object(Bucket=site.names.bucket, Key=gone)
    site.role = "preview"
    shown = site.preview(8, run=8)
    test = site.visitor(shown.outcome.url, x_jam_bypass=shown.shown.bypass)
    assert test.visit("/").body == b"<p>new"
    assert len(site.logs(8, is_access=True)) < len(asked)  # all previews write to one log
    site.role = "preview"
    assert site.close(8, run=9).outcome == "removed"
    assert site.close(7, run=8).outcome == "removed"
    found = audit(site.onlooker, site.names)
    assert found.unexplained == ()
    assert not [it for it in found.found if it.thing.environment == "pr-7"]
