"""Runs a site's commands in a container of `build.image`.

The container has a copy of the workspace and nothing else of ours: no socket, no credentials, no
capabilities, another user than root, limits. One container for all commands, so that what an
install leaves in the home is there for the build; it goes with whatever it still runs.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from runner.build.child import Echo, Lines
from runner.build.engine.mounts import on_host
from runner.build.house import Builder
from runner.errors import JamError, Turn, site_error

INSIDE = "/workspace"
_HOME = "/tmp"  # noqa: S108 -- the container's own; the user of the build has none
_WAIT = "trap 'exit 0' TERM; while :; do sleep 3600 & wait $!; done"
_PIDS = 4096
_MEMORY = 7 / 8  # of the engine's: what a build takes beyond, the runner and the engine would lack
# Of the build's environment, what means the same in another file system.
_ELSEWHERE = (
    *("PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "PIP_CERT"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where commands run: `top` is the copy, `folder` the site's own in it."""

    image: str
    top: Path
    folder: str
    builder: Builder
    network: str | None = None  # the engine's default


def portable(surrounding: Mapping[str, str]) -> dict[str, str]:
    """What of an environment may go along."""
    return {name: value for name, value in surrounding.items() if name not in _ELSEWHERE}


class Container:
    """One that runs; `run` has the shape of `runner.build.child.run`."""

    def __init__(self, api: Any, number: str) -> None:
        self._api, self._number = api, number

    def run(self, command: str, _root: Path, *, environment: Mapping[str, str], echo: Echo) -> int:
        """The exit status of `/bin/sh -c command` in the site's folder."""
        begun = self._api.exec_create(
            self._number, ["/bin/sh", "-c", command], environment={"HOME": _HOME, **environment}
        )
        lines = Lines(echo)
        with _explained("a command"):
            for data in self._api.exec_start(begun["Id"], stream=True):
                lines.feed(data)
            lines.close()
            status = self._api.exec_inspect(begun["Id"])["ExitCode"]
        return 137 if status is None else int(status)


@contextmanager
def container(place: Place, surrounding: Mapping[str, str], echo: Echo) -> Iterator[Container]:
    """Runs until the block ends. Raises JAM-BUILD-ENGINE and JAM-BUILD-IMAGE.

    `surrounding` says where the engine is (DOCKER_HOST), as it says to Docker's own client.
    """
    import docker

    with _explained("the engine"):
        client = docker.from_env(environment=dict(surrounding))
    with contextlib.closing(client):
        with _explained("the engine"):
            _pull(client, place.image, echo)
            made = client.api.create_container(**_wanted(client, place))
        try:
            with _explained(place.image, image=place.image):
                client.api.start(made["Id"])
            yield Container(client.api, made["Id"])
        finally:
            client.api.remove_container(made["Id"], force=True, v=True)


def _pull(client: Any, image: str, echo: Echo) -> None:
    import docker

    try:
        client.images.get(image)
    except docker.errors.ImageNotFound:
        echo(f"docker pull {image}")
        with _explained(image, image=image):
            client.images.pull(image)


def _wanted(client: Any, place: Place) -> dict[str, Any]:
    from docker.types import Mount

    told = client.info()
    memory = int(told["MemTotal"] * _MEMORY)
    return {
        "image": place.image,
        "entrypoint": ["/bin/sh", "-c", _WAIT],
        "user": f"{place.builder.uid}:{place.builder.gid}",
        "working_dir": f"{INSIDE}/{place.folder}".rstrip("/."),
        "labels": {"jam-deploy": "build"},
        "host_config": client.api.create_host_config(
            # A mount, not a bind: of a folder that is not there a bind makes an empty one.
            mounts=[Mount(INSIDE, on_host(client, place.top), type="bind")],
            cap_drop=["ALL"],
            security_opt=["no-new-privileges"],
            pids_limit=_PIDS,
            mem_limit=memory,
            memswap_limit=memory,
            nano_cpus=int(told["NCPU"] * 1e9),
            network_mode=place.network,
        ),
    }


@contextmanager
def _explained(what: str, *, image: str = "") -> Iterator[None]:
    import docker
    import requests

    try:
        yield
    except (docker.errors.DockerException, requests.RequestException) as error:
        told = str(getattr(error, "explanation", "") or error)
        if image:
            raise site_error(
                "JAM-BUILD-IMAGE",
                f"The image {image} of build.image cannot be used: {told}",
                hint="Name an image that this engine can pull, and that has /bin/sh: node:22-slim.",
            ) from error
        raise JamError(
            "JAM-BUILD-ENGINE",
            f"build.image needs a Docker engine, and {what} failed: {told}",
            hint="Start Docker where jam-deploy runs (GitHub's Linux runners have it), or leave "
            "build.image out.",
            turn=Turn.SITE,
        ) from error
