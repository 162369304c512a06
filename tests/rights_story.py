"""The whole of what workflows and operators ask of AWS: the site's story, and what it leaves out.

More settings, everything that only looks, what hands did and a deploy mends, runs that meet.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from runner.audit import audit
from runner.aws import holds, pool_records, records
from runner.aws.edge_removal import disable
from runner.aws.session import Aws
from runner.decide import decide
from runner.deploy import release
from runner.doctor import Practice, doctor
from runner.local.cloud import Cloud
from runner.names import Names
from runner.open import close_all, open_release
from runner.operate.call import invoke
from runner.operate.find import find
from runner.operate.history import history
from runner.operate.show_logs import Wanted, show
from runner.operate.status import status
from runner.plan.hosts import RESTS
from runner.settle import settle
from runner.world import Way
from tests import drift_hands
from tests.labs.crash import Crash, Point, Wire
from tests.previews_site import Watching
from tests.rights_site import FLOW, HELLO, SETTINGS, RolesSite

MORE = """
[functions.hosted]
log_retention = 14
tracing = true
reserved_concurrency = 1
layers = ["arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3"]
subnets = ["subnet-0a1b2c3d"]
security_groups = ["sg-0a1b2c3d"]
[functions.mail]
secrets = { MAIL = "ssm:/aws/reference/secretsmanager/mail" }
[tables.log]
ttl = "expires"
recovery = true
[tables.log.indexes.by-author]
hash = "author:S"
[build.environment]
KEY = "ssm:/jam-preview/key"
"""
PREVIEWS = '[preview]\nexpire = "14d"\npassword = "ssm:/jam-preview/password"\n'
MAIL = 'KEY = "ssm:/shop/key"\nMAIL = "ssm:/aws/reference/secretsmanager/mail"\n[tables.notes]'

TOPIC = "told"
# Every kind of a preview's table is another than before.
RICHER = 'ttl = "expires"\nrecovery = true'

Command = tuple[str, str, Callable[[], object]]


class WholeSite(RolesSite):
    """Everything that has a right of its own is done once, by the role that does it."""

    @classmethod
    def whole(cls, cloud: Cloud, folder: Path) -> Self:
        settings = SETTINGS.replace('[preview]\nexpire = "14d"\n', PREVIEWS)
        settings = settings.replace('KEY = "ssm:/shop/key"\n[tables.notes]', MAIL)
        topic = f'notify = ["arn:aws:sns:eu-central-1:{cloud.account}:{TOPIC}"]\n'
        settings = settings.replace("[production]\n", f"[production]\n{topic}")
        made = cls.begun(cloud, folder, settings=settings + MORE)
        for name in ("hosted", "mail"):
            made.write(f"functions/{name}.mjs", HELLO)
        made.write("functions/pour.mjs", FLOW)
        account = made.onlooker
        account.make("sns", 1).create_topic(Name=TOPIC)
        for name in ("key", "password"):
            account.parameters.put_parameter(
                Name=f"/jam-preview/{name}", Value="a pass word", Type="SecureString"
            )
        account.secrets.create_secret(Name="mail", SecretString="m")
        return made

    def story(self) -> Iterator[Command]:
        for command in super().story():
            yield command
            yield from self._more().get(command[0], ())

    def _more(self) -> dict[str, tuple[Command, ...]]:
        """What comes after which command."""
        return {
            "a first deploy": (("looks", "production", self._looks),),
            "a rollout": (
                ("other settings", "production", self._other_settings),
                ("a rollout that a newer run ends", "production", self._superseded),
                ("releases that are opened", "production", self._opened),
            ),
            "closing it": (
                ("a preview on its host", "preview", self._rested),
                ("hands on a table", "", self._lost),
                ("a look at what is lost", "production", self._looked),
            ),
            "a rollback": (
                ("hands", "", self._meddled),
                ("a look at that", "production", self._looked),
                ("a repair", "production", lambda: self.deploy(run=23, repair=True)),
            ),
            "another preview": (
                ("one with other settings", "preview", self._other_preview),
                ("a look at it", "preview", self._looked_at_preview),
                ("hands on previews", "", self._meddled_with_previews),
                ("a push after that", "preview", self._pushed),
                ("a run that dies", "preview", self._died),
                ("the run after it", "preview", lambda: self.preview(9, run=32)),
                ("an upload that broke off", "", self._broke_off),
            ),
        }

    # -- what only looks --

    def _looks(self) -> None:
        aws = self.account(Wire())
        self._looked()
        audit(aws, self.names)
        status(aws, self.names)
        history(aws, self.names)
        for is_access in (False, True):
            self._logs(aws, self.names, is_access=is_access)
        target, _ = find(aws, self.names, word="notes")
        invoke(aws, target, b"{}")

    def _logs(self, aws: Aws, names: Names, *, is_access: bool) -> None:
        show(
            Wanted(function="", since="10m", follow=False, as_json=True, access=is_access),
            names=names, aws=aws, connect=lambda: aws, colour=False,
            out=lambda _: None, say=lambda _: None,
        )  # fmt: skip

    def _looked(self) -> None:
        config = self.config
        near = self.cloud.endpoint
        practice = Practice(
            tables=config.tables, domains=config.settings.production.domain, near=near
        )
        doctor(self.account(Wire()), self.names, practice)

    # -- runs --

    def _other_settings(self) -> None:
        self.replace("jam.toml", "reserved_concurrency = 1\n", "")
        self.replace("jam.toml", "rate(1 hour)", "rate(2 hours)")
        self.replace("jam.toml", 'ttl = "expires"\nrecovery = true', "recovery = false")
        index = '[tables.log.indexes.by-title]\nhash = "title:S"\n'
        self.replace("jam.toml", "[build.environment]", index + "[build.environment]")
        self.replace("jam.toml", "[functions.flow]\nstream = true", "[functions.flow]")
        self.write("functions/flow.mjs", HELLO)
        self.replace("jam.toml", "[functions.later]\n", "[functions.later]\nretries = 1\n")
        self.deploy(run=20)

    def _superseded(self) -> None:
        self._opened_rollout("third", run=21)
        self._opened_rollout("fourth", run=22)
        settle(
            self.account(Wire()), self.names, promote=True, run="settle", watcher=Watching(),
            clock=self.cloud.clock.now,
        )  # fmt: skip

    def _opened_rollout(self, page: str, *, run: int) -> None:
        self.write("public/index.html", f"<p>{page}")
        world = self.world(Watching(), run=run)
        way = Way(unprotected=True, wait=False)
        release(decide(self.config, world, way, aws=self.account(Wire())), world)

    def _opened(self) -> None:
        aws = self.account(Wire())
        kept = history(aws, self.names).releases[-1].kept.release
        open_release(
            aws, self.names, kept, run="open", watcher=Watching(), clock=self.cloud.clock.now,
        )  # fmt: skip
        close_all(aws, self.names, run="close", watcher=Watching())

    def _other_preview(self) -> None:
        self.replace("jam.toml", "log_retention = 14", "memory = 512")
        self.replace("jam.toml", "recovery = false", RICHER)
        self.preview(8, run=5)

    def _looked_at_preview(self) -> None:
        aws, names = self.account(Wire()), self.names.preview(8)
        for is_access in (False, True):
            self._logs(aws, names, is_access=is_access)
        target, _ = find(aws, names, word="notes")
        invoke(aws, target, b"{}")

    def _pushed(self) -> None:
        self.write("public/more.html", "<p>more")
        self.preview(8, run=30)

    def _died(self) -> None:
        made = Point(1, after=True, operation="CreateDistributionWithTags")
        with suppress(Crash):
            self.preview(9, run=31, wire=Wire(made))
            raise AssertionError("it made no distribution")

    def _rested(self) -> None:
        """So slow in the middle that the fence is read."""
        self.sleep(RESTS)
        slow = Wire(Point(1, operation="ReimportApi"), meanwhile=lambda: self.sleep(30))
        self.preview(10, run=61, wire=slow)

    # -- what hands do --

    def _meddled_with_previews(self) -> None:
        """The preview's host is switched off, which gc has seen, and its manifest gone; of
        production a page is gone."""
        aws, tier = self.onlooker, self.names.previews
        (mine,) = (it for it in pool_records.hosts(aws, tier) if it.environment == "pr-8")
        disable(aws, mine.distribution)
        pool_records.lose(aws, tier, mine, "disabled")
        preview, live = self.names.preview(8), records.read(aws, self.names, release="")
        shown = records.read(aws, preview, release="")
        assert live
        assert shown
        key = f"{preview.objects}/releases/{shown[0].release}/~release.json"
        aws.s3.delete_object(Bucket=tier.bucket, Key=key)
        page = f"{self.names.objects}/releases/{live[0].release}/index.html"
        aws.s3.delete_object(Bucket=self.names.bucket, Key=page)

    def _broke_off(self) -> None:
        for names in (self.names.preview(8), self.names):
            self.onlooker.s3.create_multipart_upload(
                Bucket=names.bucket, Key=f"{names.objects}/releases/{'0' * 32}/half"
            )

    def _meddled(self) -> None:
        holds.drop(self.onlooker, self.names)
        hands: Any = drift_hands
        site: Any = Meddled(self)
        for hand in (hands.program, hands.access, hands.trust, hands.url_open, hands.alias):
            hand(site)
        aws, names = self.onlooker, self.names
        aws.roles.attach_role_policy(
            RoleName=names.entry_role, PolicyArn="arn:aws:iam::aws:policy/ReadOnlyAccess"
        )
        aws.roles.delete_role_permissions_boundary(RoleName=names.entry_role)
        url = aws.queues.get_queue_url(QueueName=names.dead_letters)["QueueUrl"]
        aws.queues.set_queue_attributes(QueueUrl=url, Attributes={"MessageRetentionPeriod": "3600"})
        aws.s3.delete_bucket_ownership_controls(Bucket=names.bucket)
        self._policies()
        hands.function(site, names.function("notes"))

    def _lost(self) -> None:
        """A table that is gone: what AWS has kept of it is looked for."""
        aws, table = self.onlooker, self.names.table("log")
        aws.records.update_table(TableName=table, DeletionProtectionEnabled=False)
        aws.records.delete_table(TableName=table)

    def _policies(self) -> None:
        edge = self.onlooker.edge
        lists = {
            "cache_policy": "CachePolicyList",
            "origin_request_policy": "OriginRequestPolicyList",
        }
        for kind, listed in lists.items():
            whole = "".join(word.title() for word in kind.split("_"))
            found = getattr(edge, f"list_{kind.replace('policy', 'policies')}")(Type="custom")
            one = next(
                it[whole] for it in found[listed]["Items"]
                if it[whole][f"{whole}Config"]["Name"].startswith("jam--")
            )  # fmt: skip
            now = getattr(edge, f"get_{kind}")(Id=one["Id"])
            config = {**now[whole][f"{whole}Config"], "Comment": "by hand"}
            getattr(edge, f"update_{kind}")(
                Id=one["Id"], IfMatch=now["ETag"], **{f"{whole}Config": config}
            )


class Meddled:
    """The site as drift_hands know one."""

    def __init__(self, site: WholeSite) -> None:
        self.aws, self.names = site.onlooker, site.names
