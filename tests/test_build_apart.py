"""A build as another user: what the workspace keeps, what is taken, and what is refused."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from runner.build import house
from runner.build.apart import builder_here
from runner.build.house import Builder, closed, furnished, leave, take_back
from runner.errors import JamError
from tests.container_look import BUILDER, GITHUB, ROOT, inside, needs_namespaces

SECRET = "canary-of-the-runner"
RUNNER = 1001
SETTINGS = """site = "site"
region = "eu-central-1"
[build]
command = "sh build.sh"
publish = "public"
"""


def built(
    tmp_path: Path, files: dict[str, str], links: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """What comes of a build apart of such a workspace."""
    workspace, home = tmp_path / "workspace", tmp_path / "home"
    given = {"jam.toml": SETTINGS, "build.sh": "", "public/index.html": "x", **files}
    for name, text in given.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).write_text(text)
    for name, target in links.items():
        (workspace / name).parent.mkdir(parents=True, exist_ok=True)
        (workspace / name).symlink_to(target)
    home.mkdir()
    (home / "secret").write_text(f"export default '{SECRET}'")
    for each in (workspace, home, *workspace.rglob("*")):
        os.lchown(each, RUNNER, RUNNER)
    mounts = {GITHUB / "workspace": workspace, GITHUB / "home": home}
    driver = [sys.executable, "-I", str(ROOT / "tests/apart_driver.py"), f"{GITHUB}/workspace"]
    around = {"GITHUB_WORKSPACE": f"{GITHUB}/workspace", "HOME": f"{GITHUB}/home"}
    done = subprocess.run(
        inside(driver, mounts, tmp_path / "scratch"),
        env={**around, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert {each.lstat().st_uid for each in workspace.rglob("*")} == {RUNNER}
    told: dict[str, Any] = json.loads(done.stdout)
    assert told["alive"] == []
    assert told["houses"] == []
    return told


@needs_namespaces
def test_a_build_changes_its_copy_alone_and_keeps_nobody_alive(tmp_path: Path) -> None:
    script = (
        "id -u; pwd; ls -A; echo built > public/index.html; echo changed > src.txt\n"
        "(setsid sh -c 'sleep 300' &); setsid setsid sleep 300 &\n"
        "grep -E 'CapEff|CapBnd|NoNewPrivs|Groups' /proc/self/status\n"
    )
    told = built(tmp_path, {"build.sh": script, "src.txt": "1", ".git/config": SECRET,
                            ".gitignore": "src.txt", "gha-creds-7.json": SECRET,
                            ".jam/store/aa/bb": "x"})  # fmt: skip
    lines = told["lines"]
    assert lines[0] == str(BUILDER)
    assert lines[1].startswith("/tmp/jam-build-")
    assert lines[2:7] == [".gitignore", "build.sh", "jam.toml", "public", "src.txt"]
    assert told["files"] == {"index.html": "built\n"}
    assert told["owners"] == [0]
    assert (tmp_path / "workspace/src.txt").read_text() == "1"
    status = dict(line.split(":", 1) for line in lines[7:])
    assert {name: value.strip(" \t0") for name, value in status.items()} == {
        "Groups": "", "CapEff": "", "CapBnd": "", "NoNewPrivs": "1",
    }  # fmt: skip


@needs_namespaces
@pytest.mark.parametrize(
    ("files", "links", "said"),
    [
        ({}, {"public/a.txt": f"{GITHUB}/home/secret"}, "JAM-UNSAFE-FILE"),
        ({"build.sh": f"ln -s {GITHUB}/home public/b"}, {}, "JAM-UNSAFE-FILE"),
        (
            {"functions/f.mjs": "import a from './a.mjs'; export default () => new Response(a)"},
            {"functions/a.mjs": f"{GITHUB}/home/secret"},
            "JAM-FUNCTION",
        ),
        (
            {"functions/f.mjs": f"import '{GITHUB}/home/secret.mjs'; export default () => 1"},
            {},
            "JAM-FUNCTION-BUNDLE",
        ),
        (
            {"jam.toml": f'{SETTINGS}[functions]\nincluded_files = ["data/*"]\n',
             "functions/f.mjs": "export default () => 1"},
            {"data/a": f"{GITHUB}/home/secret"},
            "JAM-FUNCTION-SETTINGS",
        ),
        ({"build.sh": "kill -9 $(pgrep -f runner.build.cell)"}, {}, "JAM-BUILD"),
        ({"build.sh": "exit 3"}, {}, "JAM-BUILD"),
    ],
    ids=["link", "linked folder", "function", "import", "included", "kills its packager", "fails"],
)  # fmt: skip
def test_what_the_runner_alone_may_read_is_in_no_release(
    tmp_path: Path, files: dict[str, str], links: dict[str, str], said: str
) -> None:
    told = built(tmp_path, files, links)
    assert said in told["error"]
    text = json.dumps(told)
    assert SECRET not in text
    assert SECRET.encode().hex() not in text


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="gives files to another user: needs root")


@as_root
@pytest.mark.parametrize(
    "spoil",
    [
        lambda file: file.write_text("swapped"),
        lambda file: (file.unlink(), file.symlink_to("/etc/passwd")),
        lambda file: file.with_name("second").hardlink_to(file),
        lambda file: (file.unlink(), file.mkdir()),
        lambda file: (file.unlink(), file.symlink_to("/dev/zero")),
        lambda file: (file.parent.rename(file.parent.with_name("x")), file.parent.symlink_to("x")),
        lambda file: file.unlink(),
    ],
    ids=["swapped", "link", "hard link", "folder", "device", "folder is a link", "gone"],
)
def test_what_is_not_as_told_is_not_taken_back(tmp_path: Path, spoil: Any) -> None:
    file = tmp_path / "work/store/aa/file"
    file.parent.mkdir(parents=True)
    file.write_text("x")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    take_back(tmp_path / "work", [(file, digest)])
    spoil(file)
    with pytest.raises(JamError) as caught:
        take_back(tmp_path / "work", [(file, digest)])
    assert caught.value.code == "JAM-UNSAFE-FILE"


@as_root
def test_what_lies_elsewhere_is_not_taken_back(tmp_path: Path) -> None:
    for file in (Path("/etc/passwd"), tmp_path / "work/../secret"):
        with pytest.raises(JamError):
            take_back(tmp_path / "work", [(file, "0" * 64)])


@as_root
def test_a_house_has_all_but_credentials_links_as_links_and_no_setuid(tmp_path: Path) -> None:
    workspace = tmp_path / "workspace"
    (workspace / "deep/.git").mkdir(parents=True)
    (workspace / "deep/.git/config").write_text(SECRET)
    (workspace / "deep/run").write_text("x")
    (workspace / "deep/run").chmod(0o4755)
    (workspace / "link").symlink_to("/etc/passwd")
    os.mkfifo(workspace / "pipe")
    made = furnished(workspace, Builder(), above=tmp_path)
    names = {str(it.relative_to(made.site)) for it in made.site.rglob("*")}
    assert names == {"deep", "deep/run", "link"}
    assert (made.site / "link").is_symlink()
    assert (made.site / "deep/run").stat().st_mode & 0o7777 == 0o755
    assert {it.lstat().st_uid for it in made.site.rglob("*")} == {house.UID}
    assert furnished(workspace, Builder(), above=tmp_path) == made  # the place does not change
    leave(made)
    assert not made.top.exists()


def test_a_house_whose_place_somebody_took_with_a_link_is_built_all_the_same(
    tmp_path: Path,
) -> None:
    (tmp_path / "workspace").mkdir()
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim/file").write_text("x")
    own = Builder(uid=os.geteuid(), gid=os.getegid())
    made = furnished(tmp_path / "workspace", own, above=tmp_path)
    leave(made)
    made.top.symlink_to("victim")
    furnished(tmp_path / "workspace", own, above=tmp_path)
    assert (tmp_path / "victim/file").exists()


def test_a_folder_is_closed_to_others_while_it_has_to_be(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    with closed([tmp_path]):
        assert tmp_path.stat().st_mode & 0o777 == 0o750
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_a_folder_that_cannot_be_closed_stops_the_build(tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught, closed([tmp_path / "none"]):
        pass
    assert caught.value.code == "JAM-BUILD-APART"


def test_nobody_but_root_in_our_image_builds_apart() -> None:
    assert builder_here(1000) is None
