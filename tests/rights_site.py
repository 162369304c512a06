"""A site that uses everything, deployed by workflows with the roles that `bootstrap` makes.

The embedded cloud holds each call against the role's policies. `removed` is an action that the
account's administrator took out of them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Self

from runner.aws.bootstrap import bootstrap
from runner.aws.deploy_roles import HOST
from runner.clearing import Clearing, Nobody, clear
from runner.closing import Closing
from runner.collect import collect
from runner.decide import decide
from runner.deploy import release
from runner.destroy import Doom, destroy
from runner.errors import JamError
from runner.local.cloud import Cloud
from runner.model import Origin
from runner.plan.retention import Retention
from runner.rollback import Wish, rollback
from runner.world import Way
from tests.labs.crash import Account, Wire
from tests.previews_site import PreviewedSite, Watching

REPOSITORY = "o/r"
SUBJECTS = {
    "production": "repo:o@7/r@9:environment:production",  # the form of repositories made by now
    "preview": "repo:o/r:pull_request",
}
SETTINGS = """
[production]
domain = "example.com"
[preview]
expire = "14d"
[preview.secrets]
KEY = "ssm:/shop/key"
[tables.notes]
hash = "id:S"
[functions.notes]
tables = ["notes:rw"]
secrets = { KEY = "ssm:/shop/key" }
[functions.tidy]
schedule = "rate(1 hour)"
[functions.later]
async = true
[functions.flow]
stream = true
"""
HELLO = "export default async () => new Response('hello VERSION');"
FLOW = """
export default async () => new Response(new ReadableStream({
  start(to) { to.enqueue(new TextEncoder().encode("one")); to.close(); },
}));
"""
ROLLOUT = 'strategy = "canary"'
TELLS = ("JAM-DENIED", "JAM-ROLLOUT-UNWATCHED")  # the second goes on, and says what it lacks


def actions(statements: Iterable[dict[str, Any]]) -> set[str]:
    """All that they allow."""
    return {each for it in statements if it["Effect"] == "Allow" for each in it["Action"]}


class RolesSite(PreviewedSite):
    """`removed` is an action that is in no policy of the role `bereft`; empty for none."""

    removed = ""
    bereft = "production"

    @classmethod
    def begun(
        cls,
        cloud: Cloud,
        folder: Path,
        *,
        removed: str = "",
        bereft: str = "production",
        settings: str = SETTINGS,
    ) -> Self:
        cloud.reset()
        cloud.rights.refused.clear()
        made = cls(cloud, folder, settings=settings)
        made.removed, made.bereft = removed, bereft
        for name in ("notes", "tidy", "later"):
            made.write(f"functions/{name}.mjs", HELLO.replace("VERSION", "one"))
        made.write("functions/flow.mjs", FLOW)
        made.onlooker.parameters.put_parameter(Name="/shop/key", Value="k", Type="SecureString")
        made.onlooker.dns.create_hosted_zone(Name="example.com", CallerReference="1")
        made.prepare()
        return made

    def prepare(self) -> None:
        """What an administrator does, and takes away."""
        bootstrap(self.onlooker, lambda _line: None, repositories=(REPOSITORY,))
        iam = self.onlooker.roles
        attached = iam.list_attached_role_policies(RoleName=f"jam-{self.bereft}")
        for policy in attached["AttachedPolicies"] if self.removed else ():
            self._rewrite(policy["PolicyArn"])
        self.sleep(60)

    def _rewrite(self, arn: str) -> None:
        iam = self.onlooker.roles
        version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
        told: Any = iam.get_policy_version(PolicyArn=arn, VersionId=version)
        document = told["PolicyVersion"]["Document"]
        for statement in document["Statement"]:
            kept = [each for each in statement["Action"] if each != self.removed]
            statement["Action"] = kept or ["jam:Nothing"]
        iam.create_policy_version(
            PolicyArn=arn, PolicyDocument=json.dumps(document), SetAsDefault=True
        )

    def account(self, wire: Wire) -> Account:
        """A workflow's, whose credentials STS gave for GitHub's word; else an administrator's."""
        role = getattr(self, "role", "")
        return Account(
            wire, self.cloud, clock=self.cloud.clock.now, sleep=self.sleep,
            **({"credentials": self._assumed(role)} if role else {}),
        )  # fmt: skip

    def _assumed(self, role: str) -> tuple[str, str, str]:
        claims = {"iss": f"https://{HOST}", "aud": "sts.amazonaws.com", "sub": SUBJECTS[role]}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode()).rstrip(b"=").decode()
        told = self.onlooker.sts.assume_role_with_web_identity(
            RoleArn=f"arn:aws:iam::{self.cloud.account}:role/jam-deploy/jam-{role}",
            RoleSessionName="run-1",
            WebIdentityToken=f"e30.{body}.signature",
        )["Credentials"]
        return told["AccessKeyId"], told["SecretAccessKey"], told["SessionToken"]

    # -- what workflows do --

    def story(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        """Each command: its name, the role, and how it is done."""
        yield "a first deploy", "production", lambda: self.deploy(run=1)
        yield "a rollout", "production", self._rollout
        yield "a rollback", "production", self._rollback
        yield "a first preview", "production", lambda: self.preview(7, run=3)
        yield "bootstrap once more", "", self.prepare
        yield "a preview", "preview", lambda: self._changed(lambda: self.preview(7, run=4))
        yield "another preview", "preview", lambda: self.preview(8, run=5)
        yield "closing it", "preview", lambda: self.close(8, run=60)
        yield "gc", "production", self._collect
        yield "destroy", "production", self._destroy

    def missed(self) -> str:
        """The first command that says that it was refused what is removed; empty for none.

        Raises what else a command ends in.
        """
        for name, error in self.play():
            if error is None:
                continue
            if error.code not in TELLS or self.removed not in str(error):
                raise error
            return name
        return ""

    def play(self) -> Iterator[tuple[str, JamError | None]]:
        """The story command by command, with the error that each ended in."""
        for name, role, act in self.story():
            self.role = role
            try:
                act()
            except JamError as error:
                yield name, error
            else:
                yield name, None
            finally:
                self.role = ""

    def _changed(self, act: Callable[[], object]) -> object:
        self.write("functions/notes.mjs", HELLO.replace("VERSION", "three"))
        self.write("public/new.html", "<p>new")
        return act()

    def _rollout(self) -> None:
        self.write("functions/notes.mjs", HELLO.replace("VERSION", "two"))
        self.write("public/index.html", "<p>second")
        self.replace("jam.toml", 'strategy = "all-at-once"', ROLLOUT)
        world = self.world(Watching(), run=2)
        way = Way(unprotected=True)
        release(decide(self.config, world, way, aws=self.account(Wire())), world)

    def _rollback(self) -> None:
        wish = Wish(run="back")
        rollback(
            self.account(Wire()), self.names, wish,
            watcher=Watching(), clock=self.cloud.clock.now,
        )  # fmt: skip

    def _collect(self) -> None:
        self.sleep(7_200)
        aws = self.account(Wire())
        closing = Closing(run="gc", origin=Origin(), say=lambda _line: None)
        clear(aws, self.names, Clearing(closing=closing, pulls=Nobody(), expire=3_600))
        kept = Retention(releases=1, days=0)
        collect(aws, self.names, kept, run="gc", say=lambda _line: None)

    def _destroy(self) -> None:
        doom = Doom(run="end", tables=frozenset({"notes"}))
        destroy(self.account(Wire()), self.names, doom, say=lambda _line: None)


class PreviewRoleSite(RolesSite):
    """The part of the story that the preview role plays, and what must be there for it."""

    def story(self) -> Iterator[tuple[str, str, Callable[[], object]]]:
        needed = ("a first deploy", "a first preview", "bootstrap once more")
        for command in super().story():
            if command[0] in needed or command[1] == "preview":
                yield command
