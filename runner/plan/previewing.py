"""Steps of a pull request's environment, beside those that it shares with production."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from runner.model import File, Routing
from runner.plan.refs import Made, Ref, Refs


@dataclass(frozen=True, slots=True, kw_only=True)
class TakeHost:
    """The host name under which the preview is reached: its own, or one of the pool's."""

    environment: str
    domain: str = ""  # of the site's, without the wildcard; empty: the pool
    needs: ClassVar[Refs] = (Ref(Made.STORE), Ref(Made.DISTRIBUTION))
    makes: ClassVar[Refs] = (Ref(Made.DOMAIN),)

    def __str__(self) -> str:
        host = f"{self.environment}.{self.domain}" if self.domain else "a host of the pool"
        return f"take {host}"


@dataclass(frozen=True, slots=True, kw_only=True)
class CopyPublished:
    """Copy what production has published on the server side: nothing leaves the runner."""

    release: str
    origin: str
    files: tuple[File, ...] = field(repr=False)
    needs: ClassVar[Refs] = (Ref(Made.BUCKET), Ref(Made.RECORD))
    makes: ClassVar[Refs] = (Ref(Made.FILES, "published"),)

    @property
    def bytes(self) -> int:
        return sum(file.size for file in self.files)

    def __str__(self) -> str:
        return f"copy {len(self.files)} files of production's {self.origin[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """One value a host: from here on the preview's visitors get this release."""

    environment: str
    release: str
    routing: Routing
    private: bool
    domain: str = ""  # as in `TakeHost`
    password: str = field(default="", repr=False)  # empty: made up
    replaces: str = ""

    def __str__(self) -> str:
        was = self.replaces[:8] or "nothing"
        return f"show {self.release[:8]} in {self.environment} (was {was})"


PreviewStage = TakeHost | CopyPublished
