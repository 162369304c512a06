"""A site built in a container of its `build.image`: in a copy, which goes when it has been read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from runner.build.child import Echo
from runner.build.engine.container import Place, container
from runner.build.house import Builder, furnished, leave
from runner.build.run import build
from runner.config.load import Config

Source = Callable[[Path], AbstractContextManager[Path]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workshop:
    """`above` is a folder that the engine reaches; `environment` the build's, `surrounding` ours.

    `network` is the engine's default where it is None.
    """

    config: Config
    builder: Builder
    above: Path
    environment: Mapping[str, str] = field(repr=False)
    surrounding: Mapping[str, str] = field(repr=False)
    echo: Echo
    network: str | None = None

    @contextmanager
    def built(self, workspace: Path) -> Iterator[Path]:
        """A copy of `workspace` as the build left it, while the block lasts.

        Nobody looks what else the build wrote: git would run what it finds there.
        """
        self.above.mkdir(parents=True, exist_ok=True)
        house = furnished(workspace, self.builder, above=self.above)
        try:
            folder = self.config.root.resolve().relative_to(workspace.resolve())
            place = Place(
                image=self.config.settings.build.image or "",
                top=house.site,
                folder=folder.as_posix(),
                builder=self.builder,
                network=self.network,
            )
            with container(place, self.surrounding, self.echo) as box:
                build(
                    self.config.commands,
                    house.site / folder,
                    publish=self.config.publish,
                    environment=self.environment,
                    echo=self.echo,
                    runs=box.run,
                    watched=False,
                )
            yield house.site
        finally:
            leave(house)
