"""The site's own build: what it sees, what is heard of it, and what ends it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from runner.build import child
from runner.build.environment import for_build
from runner.build.run import build
from runner.errors import JamError, Turn

ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": "/nowhere"}
CANARIES = [
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"),
    *("GITHUB_TOKEN", "GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GH_TOKEN"),
    *("ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "INPUT_TOKEN", "RUNNER_TEMP"),
    *("NPM_TOKEN", "SLACK_WEBHOOK", "LD_PRELOAD", "PYTHONPATH"),
]


def heard() -> tuple[list[str], child.Echo]:
    lines: list[str] = []
    return lines, lines.append


def site(tmp_path: Path, **files: str) -> Path:
    root = tmp_path / "site"
    for name, text in {"dist/index.html": "hello", **files}.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def in_git(root: Path) -> Path:
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-C", str(root)]
    for arguments in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *arguments], check=True)
    return root


def run(root: Path, *commands: str, publish: str = "dist", **more: object) -> list[str]:
    lines, echo = heard()
    build(commands, root, publish=publish, environment=ENVIRONMENT, echo=echo, **more)  # type: ignore[arg-type]  # tests pass options through
    return lines


def test_no_credential_and_no_file_command_of_the_runner_reaches_the_build(tmp_path: Path) -> None:
    surrounding = {name: f"canary-{name}" for name in CANARIES} | {"PATH": os.environ["PATH"]}
    environment = for_build(
        surrounding,
        site={"API": "https://api"},
        jam_environment="production",
        url="https://x",
        commit="c0ffee",
    )
    lines, echo = heard()
    assert child.run("env", tmp_path, environment=environment, echo=echo) == 0
    assert "canary" not in "\n".join(lines)
    assert {"API=https://api", "JAM_ENVIRONMENT=production", "JAM_URL=https://x"} <= set(lines)
    assert "JAM_COMMIT=c0ffee" in lines


def test_language_and_locale_come_through_and_the_site_wins_over_what_surrounds_it() -> None:
    made = for_build(
        {"LANG": "de", "LC_ALL": "C", "NODE_ENV": "test", "CI": "1"},
        site={"NODE_ENV": "production", "JAM_COMMIT": "forged"},
        jam_environment="pr-7",
        url="",
        commit="abc",
    )
    assert (made["LANG"], made["LC_ALL"], made["CI"]) == ("de", "C", "1")
    assert made["NODE_ENV"] == "production"
    assert made["JAM_COMMIT"] == "abc"


def test_our_node_comes_last_in_path_so_that_the_sites_own_wins(tmp_path: Path) -> None:
    for name in ("own", "ours"):
        tool = tmp_path / name / "node"
        tool.parent.mkdir()
        tool.write_text(f"#!/bin/sh\necho {name}\n")
        tool.chmod(0o755)
    seen = []
    for path in (f"{tmp_path / 'own'}:/usr/bin:/bin", "/bin"):
        environment = for_build(
            {"PATH": path}, site={}, jam_environment="", url="", commit="", node=tmp_path / "ours"
        )
        child.run("node", tmp_path, environment=environment, echo=seen.append)
    assert seen == ["own", "ours"] or Path("/bin/node").exists()


def test_package_caches_lie_below_the_given_folder(tmp_path: Path) -> None:
    made = for_build({}, site={}, jam_environment="", url="", commit="", cache=tmp_path)
    assert made["npm_config_cache"] == str(tmp_path / "npm")
    assert made["PIP_CACHE_DIR"] == str(tmp_path / "pip")


@pytest.mark.parametrize(
    ("printed", "lines"),
    [
        (r"printf 'a\nb\n'", ["a", "b"]),
        (r"printf 'a\r\nb'", ["a", "b"]),
        (r"printf '10%%\r20%%\rdone\n'", ["10%", "20%", "done"]),
        (r"printf 'a\n\nb\n'", ["a", "", "b"]),
        (r"echo out; echo err >&2", ["out", "err"]),
        (r"printf '\377ok\n'", ["\ufffdok"]),
        (r"printf 'a\r'; sleep 0.1; printf '\nb'", ["a", "b"]),
        (r"true", []),
    ],
)
def test_output_is_heard_line_by_line(tmp_path: Path, printed: str, lines: list[str]) -> None:
    got, echo = heard()
    child.run(printed, tmp_path, environment=ENVIRONMENT, echo=echo)
    assert got == lines


def test_a_line_is_heard_while_the_command_still_runs(tmp_path: Path) -> None:
    times: list[float] = []
    child.run(
        "echo first; sleep 0.5; echo second",
        tmp_path,
        environment=ENVIRONMENT,
        echo=lambda _: times.append(time.monotonic()),
    )
    assert times[1] - times[0] > 0.3


def test_an_endless_line_is_cut_and_does_not_fill_the_memory(tmp_path: Path) -> None:
    got, echo = heard()
    child.run(
        "head -c 1000000 /dev/zero | tr '\\0' x", tmp_path, environment=ENVIRONMENT, echo=echo
    )
    assert sum(map(len, got)) == 1_000_000
    assert max(map(len, got)) <= child.LINE_LIMIT


def test_a_child_that_keeps_the_output_open_does_not_keep_us(tmp_path: Path) -> None:
    started = time.monotonic()
    got, echo = heard()
    child.run("sleep 30 & echo done", tmp_path, environment=ENVIRONMENT, echo=echo)
    assert got == ["done"]
    assert time.monotonic() - started < 5


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_us_ends_the_whole_process_group(tmp_path: Path, number: int) -> None:
    program = (
        "import signal; from pathlib import Path; from runner.build import child\n"
        # A shell's background jobs, and nohup's, inherit that it is ignored.
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "child.run('(trap \"\" TERM; sleep 60) & echo $! ; sleep 61', Path('.'), "
        "environment={'PATH': '/usr/bin:/bin'}, echo=lambda line: print(line, flush=True))"
    )
    ours = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    grandchild = int(ours.stdout.readline())
    ours.send_signal(number)
    assert ours.wait(20) != 0
    ours.stdout.close()
    assert not alive(grandchild)


def test_an_error_in_the_listener_ends_the_command(tmp_path: Path) -> None:
    pids: list[int] = []

    def listen(line: str) -> None:
        pids.append(int(line))
        raise RuntimeError

    with pytest.raises(RuntimeError):
        child.run("echo $$; sleep 60", tmp_path, environment=ENVIRONMENT, echo=listen)
    assert not alive(pids[0])


def test_the_commands_run_one_after_another_in_the_sites_folder(tmp_path: Path) -> None:
    root = site(tmp_path)
    assert run(root, "pwd", "ls") == [str(root.resolve()), "dist"]


def test_plain_html_needs_no_command(tmp_path: Path) -> None:
    root = site(tmp_path)
    assert build((), root, publish="dist", environment={}, echo=print).publish == root / "dist"


@pytest.mark.parametrize(
    ("command", "said", "hint"),
    [
        ("echo broken here; exit 3", "ended with status 3", "your own machine"),
        ("no-such-tool-at-all", "ended with status 127", "did not find the command"),
        ("kill -9 $$", "was ended by SIGKILL", "out of memory"),
        ("sh -c 'kill -9 $$'; exit 137", "was ended by SIGKILL", "out of memory"),
    ],
)
def test_a_failing_build_shows_its_last_lines_and_what_to_do(
    tmp_path: Path, command: str, said: str, hint: str
) -> None:
    with pytest.raises(JamError) as caught:
        run(site(tmp_path), "echo before", command, "echo never")
    error = caught.value
    assert (error.code, error.turn) == ("JAM-BUILD", Turn.SITE)
    assert said in error.message
    assert "  | before" in error.message
    assert "never" not in error.message
    assert hint in error.hint


def test_a_long_failure_shows_its_beginning_too_for_npm_gives_the_reason_there(
    tmp_path: Path,
) -> None:
    with pytest.raises(JamError) as caught:
        run(site(tmp_path), "echo before", "echo reason; seq 500; exit 1")
    shown = caught.value.message.splitlines()
    assert shown[1:3] == ["  | reason", "  | 1"]
    assert "  | ... 456 lines" in shown
    assert shown[-1] == "  | 500"
    assert len(shown) == 1 + 15 + 1 + 30


@pytest.mark.parametrize(
    ("prepare", "publish", "said", "hint"),
    [
        ("true", "out", "does not exist", 'build.publish = "dist"'),
        ("mkdir out", "out", "is empty", 'build.publish = "dist"'),
        ("rm -r dist", "dist", "does not exist", "the folder that your build writes to"),
        ("touch out", "out", "is not a folder", "build.publish"),
        ("ln -s / out", "out", "outside the site", "below the site"),
        ("true", "../..", "outside the site", "below the site"),
    ],
)
def test_a_missing_empty_or_foreign_publish_folder_is_named(
    tmp_path: Path, prepare: str, publish: str, said: str, hint: str
) -> None:
    with pytest.raises(JamError) as caught:
        run(site(tmp_path), prepare, publish=publish)
    assert caught.value.code == "JAM-PUBLISH"
    assert said in caught.value.message
    assert hint in caught.value.hint


@pytest.mark.parametrize("repository", [in_git, lambda root: root], ids=["git", "no git"])
@pytest.mark.parametrize(
    ("command", "named"),
    [
        ("echo x > dist/new.html", []),
        ("mkdir -p dist/deep && echo x > dist/deep/a", []),
        ("echo changed >> src.txt", ["src.txt"]),
        ("echo x > 'other file'; mkdir gen; echo y > gen/ü", ["gen/ü", "other file"]),
        ("rm src.txt", ["src.txt"]),
        ("echo x > ignored.txt", []),
        ("mkdir -p node_modules/a .next/b && touch node_modules/a/i.js .next/b/c", []),
        ("echo '{}' > package-lock.json", []),
    ],
)
def test_a_build_that_wrote_elsewhere_is_told_where(
    tmp_path: Path, command: str, named: list[str], repository: object
) -> None:
    root = site(tmp_path, **{"src.txt": "1", ".gitignore": "ignored.txt\n"})
    repository(root)  # type: ignore[operator]  # one of the two above
    if not named:
        run(root, command)
        return
    with pytest.raises(JamError) as caught:
        run(root, command)
    assert caught.value.code == "JAM-BUILD-OUTSIDE"
    assert [problem.where for problem in caught.value.problems] == named


def test_what_differed_before_the_build_is_not_the_builds_fault(tmp_path: Path) -> None:
    root = in_git(site(tmp_path, **{"src.txt": "1"}))
    (root / "src.txt").write_text("being edited")
    (root / "draft").write_text("new")
    run(root, "true")
    with pytest.raises(JamError, match="1 file outside"):
        run(root, "echo more >> src.txt")


def test_a_folder_may_be_named_that_the_build_fills_too(tmp_path: Path) -> None:
    run(in_git(site(tmp_path)), "mkdir gen; echo 1 > gen/a", may_write=("gen",))


def test_a_committed_publish_folder_may_be_rebuilt(tmp_path: Path) -> None:
    run(in_git(site(tmp_path)), "echo new > dist/index.html")


def test_what_happens_elsewhere_in_the_repository_is_not_the_builds_fault(tmp_path: Path) -> None:
    root = site(tmp_path, **{"src.txt": "1"})
    in_git(tmp_path)
    run(root, "echo x > ../elsewhere.txt")
    with pytest.raises(JamError) as caught:
        run(root, "echo x > src.txt; echo y > new.txt")
    assert [it.where for it in caught.value.problems] == ["new.txt", "src.txt"]
