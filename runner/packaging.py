"""From settings to a release: built and packaged here, by another user, or in a container.

Where what happens is docs/security.md's; changes nothing in AWS.
"""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypedDict

from runner.aws.session import Aws
from runner.build.apart import Apart, Wish, workspace_of
from runner.build.engine.built import Source, Workshop
from runner.build.engine.container import portable
from runner.build.environment import for_build
from runner.build.house import Builder
from runner.build.run import build
from runner.build.shims import shims
from runner.config.load import Config
from runner.model import Release
from runner.names import PRODUCTION
from runner.package.site import WORK, Surroundings, package, referred, resolved
from runner.toolchain import find
from runner.world import World

AS_ROOT = (
    "warning: the site's build runs as root, kept apart from nothing on this machine; the action's "
    "image and build.image keep it apart (docs/security.md)"
)


def packaged(
    config: Config, world: World, *, aws: Aws, environment: str = PRODUCTION, url: str = ""
) -> Release:
    """The release of `environment`; its build hears of the `url`, if that is known."""
    around = Surroundings(
        environment=world.environment,
        tools=for_build(
            world.environment, site={}, jam_environment=environment, url="", commit="", cache=None
        ),
        cache=world.cache,
        echo=world.watcher.output,
        parameter=aws.parameter,
        today=datetime.fromtimestamp(world.now(), UTC).date(),
    )
    job = _Job(config=config, world=world, around=around, environment=environment, url=url)
    if world.apart and (config.commands or (config.root / config.functions).is_dir()):
        return job.packaged_by(world.apart)
    return job.packaged_in_image() if job.in_image else job.packaged_here()


class _Told(TypedDict):
    """What every build is told, wherever it runs."""

    site: dict[str, str]
    jam_environment: str
    url: str
    commit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Job:
    config: Config
    world: World
    around: Surroundings = field(repr=False)
    environment: str
    url: str

    @property
    def in_image(self) -> bool:
        return bool(self.config.settings.build.image and self.config.commands)

    def packaged_here(self) -> Release:
        if self.config.commands and os.geteuid() == 0:
            self.world.watcher.note(AS_ROOT)
        with self.world.watcher.stage("build"):
            built = build(
                self.config.commands,
                self.config.root,
                publish=self.config.publish,
                environment=self._variables(self.world.cache, self.world.cache / "packages"),
                echo=self.around.echo,
            )
        with self.world.watcher.stage("package"):
            return package(self.config, built.publish, self.around, self.environment)

    def packaged_in_image(self) -> Release:
        """Our own user packages what the container left, and keeps it beside the site."""
        config, stage = self.config, self.world.watcher.stage
        root = config.root.resolve()
        workspace = workspace_of(root, self.world.environment)
        own = Builder() if os.geteuid() == 0 else Builder(uid=os.geteuid(), gid=os.getegid())
        built = self._image(own, self.world.cache / "builds").built(workspace)
        with ExitStack() as open_:
            with stage("build"):
                copied = open_.enter_context(built) / root.relative_to(workspace)
            with stage("package"):
                moved = replace(config, root=copied, work=config.work or root / WORK)
                return package(moved, copied / config.publish, self.around, self.environment)

    def packaged_by(self, apart: Apart) -> Release:
        """With what it needs to know, and no way to ask for more."""
        known, parameters = referred(self.config, self.around, self.environment)
        # The engine reaches what the runner has mounted into us, and so not our own /tmp.
        above = Path(self.world.environment.get("RUNNER_TEMP") or tempfile.gettempdir())
        plain: Source = nullcontext
        wish = Wish(
            config=self.config,
            commands=() if self.in_image else self.config.commands,
            source=self._image(apart.builder, above).built if self.in_image else plain,
            environment=self.environment,
            variables=lambda house: self._variables(house.cache, house.packages),
            tools=self.around.tools,
            known=known,
            parameters=parameters,
            today=self.around.today,
        )
        return apart.packaged(wish, echo=self.around.echo, stage=self.world.watcher.stage)

    def _image(self, builder: Builder, above: Path) -> Workshop:
        return Workshop(
            config=self.config,
            builder=builder,
            above=above,
            environment=for_build(
                portable(self.world.environment), **self._told(), node=None, cache=None
            ),
            surrounding=self.world.environment,
            echo=self.around.echo,
        )

    def _variables(self, cache: Path, packages: Path) -> dict[str, str]:
        node = shims(find(cache).node, cache)
        return for_build(self.world.environment, **self._told(), node=node, cache=packages)

    def _told(self) -> _Told:
        section = self.config.settings.build.environment
        return {
            "site": dict(resolved(section, self.around, where="build.environment")),
            "jam_environment": self.environment,
            "url": self.url,
            "commit": self.world.environment.get("GITHUB_SHA", ""),
        }
