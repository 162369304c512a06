"""What the image is made of agrees with what the repository says; it is built by `make image`."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml

from tests.action_site import ACTION

ROOT = Path(__file__).parents[1]
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==([^ ;\\]+)", re.MULTILINE)
SHA = re.compile(r"[\w.-]+/[\w./-]+@[0-9a-f]{40}")


def _pins(lock: str) -> dict[str, str]:
    return dict(PINNED.findall((ROOT / lock).read_text()))


def test_the_image_has_the_versions_that_the_tests_had_and_only_what_runs() -> None:
    image, whole = _pins("requirements.image.lock"), _pins("requirements.lock")
    assert image.items() <= whole.items()
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[\[=<> ]", each)[0].lower() for each in project["dependencies"]}
    assert named <= image.keys()
    assert not {"moto", "pytest", "mypy", "awscli"} & image.keys()


def test_every_package_of_the_image_is_held_by_a_hash() -> None:
    text = (ROOT / "requirements.image.lock").read_text()
    entries = re.split(r"^(?=[A-Za-z0-9])", text, flags=re.MULTILINE)[1:]
    assert len(entries) == len(_pins("requirements.image.lock"))
    assert all("--hash=sha256:" in entry for entry in entries)


def test_action_yml_runs_what_the_dockerfile_leaves_there() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert f'ENTRYPOINT ["{ACTION["runs"]["post-entrypoint"]}"]' in text
    assert not re.search(r"^(USER|WORKDIR)\b|^[^#].*--mount|<<|^# ?syntax", text, re.MULTILINE)
    assert "@sha256" not in text  # a digest is looked up by a release, never made up


def test_the_last_stage_adds_a_user_and_what_the_first_has_built_and_says_what_it_is() -> None:
    last = (ROOT / "Dockerfile").read_text().partition("\nFROM ")[2].partition("\nFROM ")[2]
    lines = [line for line in last.replace("\\\n", "").splitlines() if not line.startswith("#")]
    assert [line.split()[0] for line in lines[1:]] == ["LABEL", "ENV", "RUN", "COPY", "ENTRYPOINT"]
    assert "COPY --from=build /opt/jam /opt/jam" in lines
    (run,) = (line for line in lines if line.startswith("RUN"))
    assert {each.split()[0] for each in run[3:].split("&&")} == {"groupadd", "useradd"}
    named = set(re.findall(r"org\.opencontainers\.image\.([a-z.]+)=", last))
    released = re.findall(r"--label \"org\.opencontainers\.image\.([a-z.]+)=", _release())
    told = {"title", "description", "licenses", "version", "revision", "source", "base.digest"}
    assert told <= named | set(released)


def test_a_release_lists_signs_attests_and_floats_nothing() -> None:
    told = _release()
    assert '--attest "type=sbom,generator=$LISTER" --provenance=mode=max' in told
    assert '[[ "$digest" =~ ^sha256:[0-9a-f]{64}$ ]]' in told  # looked up, or there is no release
    assert "cosign sign" in told
    assert "cosign verify" in told
    assert "attest-build-provenance@" in told
    assert 'image: docker://$IMAGE|" action.yml' in told  # by digest
    assert 'git tag --force "v${VERSION%%.*}"' in told
    assert ":latest" not in told


def _release() -> str:
    return (ROOT / ".github/workflows/release.yml").read_text()


def test_the_action_needs_nothing_that_the_image_leaves_out() -> None:
    missing = ("runner.local", "runner.rehearsal", "moto", "flask", "lark", "cheroot", "brotli")
    code = (
        "import sys\n"
        f"for name in {missing!r}: sys.modules[name] = None\n"
        "import runner.action.main, runner.cli.times\n"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("file", sorted((ROOT / ".github/workflows").glob("*.yml")), ids=str)
def test_a_workflow_pins_what_it_uses_and_asks_for_rights_job_by_job(file: Path) -> None:
    told = yaml.safe_load(file.read_text())
    assert told["permissions"] == {}
    for job in told["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"]
        for step in job["steps"]:
            assert SHA.fullmatch(step.get("uses", "a/b@" + "0" * 40)), step
            checks_out = step.get("uses", "").startswith("actions/checkout@")
            assert not checks_out or step["with"]["persist-credentials"] is False
