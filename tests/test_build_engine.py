"""A build in a container of the site's own image; JAM_TEST_ENGINE names one that an engine has.

The network is the container's alone: nothing here fetches anything.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.build.engine.built import Workshop
from runner.build.engine.container import portable
from runner.build.house import UID, Builder
from runner.config.load import Overrides, load
from runner.errors import JamError, Turn

IMAGE = os.environ.get("JAM_TEST_ENGINE", "")
on_an_engine = pytest.mark.skipif(not IMAGE, reason="JAM_TEST_ENGINE names no image of an engine")


def workshop(tmp_path: Path, command: str, *, image: str = IMAGE, **surrounding: str) -> Workshop:
    site = tmp_path / "workspace"
    (site / "public").mkdir(parents=True)
    (site / ".git").mkdir()
    (site / ".git/config").write_text("token")
    (site / "jam.toml").write_text(
        'site = "site"\nregion = "eu-central-1"\n'
        f'[build]\nimage = "{image}"\ninstall = "echo kept > ~/kept"\n'
        f"command = '''{command}'''\npublish = \"public\"\n"
    )

    def echo(line: str) -> None:
        with (tmp_path / "log").open("a") as log:
            log.write(f"{line}\n")

    return Workshop(
        config=load(site, None, Overrides()),
        builder=Builder() if os.geteuid() == 0 else Builder(uid=os.geteuid(), gid=os.getegid()),
        above=tmp_path / "builds",
        environment={"JAM_URL": "https://x"},
        surrounding={**os.environ, **surrounding},
        echo=echo,
        network="none",
    )


@on_an_engine
def test_a_container_has_the_copy_and_nothing_else_of_ours(tmp_path: Path) -> None:
    made = workshop(
        tmp_path,
        "cat ~/kept; id -u; pwd; ls -A; echo $JAM_URL; ls /var/run/docker.sock 2>&1\n"
        "grep -E 'CapBnd|NoNewPrivs' /proc/self/status; (setsid sleep 300 &)\n"
        "echo built > public/index.html",
        AWS_SECRET_ACCESS_KEY="canary",
    )
    workspace = tmp_path / "workspace"
    with made.built(workspace) as copy:
        assert (copy / "public/index.html").read_text() == "built\n"
    lines = (tmp_path / "log").read_text().splitlines()
    assert lines[:6] == ["kept", str(UID), "/workspace", "jam.toml", "public", "https://x"]
    assert "No such file" in lines[6]
    assert [line.split()[1].strip("0") for line in lines[7:]] == ["", "1"]
    assert list((workspace / "public").iterdir()) == []
    assert list((tmp_path / "builds").iterdir()) == []


@on_an_engine
def test_a_command_that_fails_there_is_told_as_one_that_fails_here(tmp_path: Path) -> None:
    made = workshop(tmp_path, "echo the reason; exit 3")
    with pytest.raises(JamError) as caught, made.built(tmp_path / "workspace"):
        pass
    assert caught.value.code == "JAM-BUILD"
    assert "the reason" in caught.value.message
    assert "status 3" in caught.value.message


@on_an_engine
def test_an_image_that_nobody_has_is_named(tmp_path: Path) -> None:
    made = workshop(tmp_path, "true", image="127.0.0.1:1/none:1")
    with pytest.raises(JamError) as caught, made.built(tmp_path / "workspace"):
        pass
    assert caught.value.code == "JAM-BUILD-IMAGE"
    assert "127.0.0.1:1/none:1" in caught.value.message


def test_without_an_engine_it_is_said_what_is_missing(tmp_path: Path) -> None:
    nowhere = f"unix://{tmp_path}/docker.sock"
    made = workshop(tmp_path, "true", image="node:22-slim", DOCKER_HOST=nowhere)
    with pytest.raises(JamError) as caught, made.built(tmp_path / "workspace"):
        pass
    assert (caught.value.code, caught.value.turn) == ("JAM-BUILD-ENGINE", Turn.SITE)
    assert "GitHub's Linux runners have it" in caught.value.hint
    assert list((tmp_path / "builds").iterdir()) == []


def test_what_means_nothing_in_another_file_system_stays_behind() -> None:
    here = {"PATH": "/bin", "HOME": "/root", "SSL_CERT_FILE": "/x", "LANG": "C", "CI": "1"}
    assert portable(here) == {"LANG": "C", "CI": "1"}
