"""What `load` makes of a `jam.toml`: values with their origin, or every problem at once."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.config.explain import explain
from runner.config.load import Config, Overrides, load, site_name, whereabouts
from runner.config.references import EnvReference, Literal, SsmReference, Value, parse_value
from runner.config.rules import hours, minutes
from runner.config.settings import Settings
from runner.config.shape import arranged, settings, wrongs
from runner.errors import JamError, Turn
from runner.model import Table
from runner.names import SITE

HERE = Overrides(default_region="eu-central-1")


def site(root: Path, settings: str | bytes = "", **files: str) -> Path:
    """A plain site with these settings."""
    root.mkdir(parents=True, exist_ok=True)
    (root / "index.html").write_text("<h1>x</h1>")
    if settings:
        raw = settings if isinstance(settings, bytes) else settings.encode()
        (root / "jam.toml").write_bytes(raw)
    for name, text in files.items():
        (root / name.replace("_", ".")).write_text(text)
    return root


def refusal(root: Path, overrides: Overrides = HERE, file: Path | None = None) -> JamError:
    with pytest.raises(JamError) as caught:
        load(root, file, overrides)
    assert caught.value.turn is Turn.SITE
    return caught.value


def problems(root: Path, settings: str) -> list[str]:
    error = refusal(site(root, settings))
    assert error.code == "JAM-SETTINGS"
    return [str(problem) for problem in error.problems]


WRONG: dict[str, tuple[str, str]] = {
    "a misspelt key": (
        '[build]\npulish = "dist"',
        "jam.toml:2 build.pulish: unknown key `pulish` (did you mean `publish`?)",
    ),
    "a misspelt section": (
        "[production.retension]\ndays = 3",
        "jam.toml:1 production.retension: unknown key `retension` (did you mean `retention`?)",
    ),
    "a key in the wrong section": (
        'publish = "dist"',
        "jam.toml:1 publish: unknown key `publish` (`publish` belongs in [build])",
    ),
    "a top key in a section": (
        '[build]\nregion = "eu-west-1"',
        "jam.toml:2 build.region: unknown key `region` (`region` belongs at the top)",
    ),
    "a key like no other": (
        "[tables.a]\nzzz = 1",
        "jam.toml:2 tables.a.zzz: unknown key `zzz` "
        "(allowed here: hash, range, ttl, recovery, indexes)",
    ),
    "a number for text": (
        "[build]\ninstall = 5",
        'jam.toml:2 build.install: found 5, allowed: a shell command in quotes, "" for none '
        "(write it in quotes)",
    ),
    "text for a number": (
        '[functions]\nmemory = "1 GB"',
        'jam.toml:2 functions.memory: found "1 GB", allowed: 128 to 10240 MB',
    ),
    "a value for a section": ("build = 3", "jam.toml:1 build: found 3, allowed: a table"),
    "too much memory": (
        "[functions]\nmemory = 20000",
        "jam.toml:2 functions.memory: found 20000, allowed: 128 to 10240 MB",
    ),
    "a site's name in capitals": (
        'site = "Notes"',
        'jam.toml:1 site: found "Notes", allowed: 2 to 24 lower-case letters, digits and hyphens, '
        "beginning with a letter",
    ),
    "a line feed after a name": (
        'site = "notes\\n"',
        'jam.toml:1 site: found "notes\\n", allowed: 2 to 24 lower-case letters, digits and '
        "hyphens, beginning with a letter",
    ),
    "a region that is none": (
        'region = "Frankfurt"',
        'jam.toml:1 region: found "Frankfurt", allowed: a region such as eu-central-1',
    ),
    "a publish folder above": (
        '[build]\npublish = "../x"',
        'jam.toml:2 build.publish: found "../x", allowed: a folder inside the repository, '
        "with / and without ..",
    ),
    "two stars in a pattern": (
        '[build]\nimmutable = ["a/*", "b/*/*"]',
        'jam.toml:2 build.immutable: found "b/*/*", allowed: a path below the publish folder with '
        "exactly one *",
    ),
    "all of the traffic at once": (
        "[production.rollout]\npercent = 100",
        "jam.toml:2 production.rollout.percent: found 100, allowed: 1 to 99 per cent",
    ),
    "less than a minute": (
        '[production.rollout]\ninterval = "30s"',
        'jam.toml:2 production.rollout.interval: found "30s", allowed: minutes or hours, '
        'such as "15m" or "2h"',
    ),
    "a pause without time for it": (
        '[production.rollout]\ninterval = "4m"\non_inconclusive = "wait"',
        'jam.toml:3 production.rollout.on_inconclusive: "wait" needs an interval of at least 5m '
        "(the rollout must be stopped two minutes before its last step)",
    ),
    "longer than CodeDeploy shifts": (
        '[production.rollout]\nstrategy = "linear"\npercent = 2\ninterval = "1h"',
        "jam.toml:4 production.rollout.interval: takes 2940 minutes to the last step, allowed: "
        "2880 (a shorter interval, or a larger percent)",
    ),
    "all visitors in the first step": (
        "[production.rollout]\npercent = 100",
        "jam.toml:2 production.rollout.percent: found 100, allowed: 1 to 99 per cent",
    ),
    "a way with open rollouts that is none": (
        '[production.rollout]\non_open = "fight"',
        'jam.toml:2 production.rollout.on_open: found "fight", allowed: "supersede" | "wait" | '
        '"refuse"',
    ),
    "a choice that is none": (
        '[production.rollout]\non_inconclusive = "hope"',
        'jam.toml:2 production.rollout.on_inconclusive: found "hope", allowed: "promote" | '
        '"rollback" | "extend" | "wait"',
    ),
    "longer than API Gateway waits": (
        "[functions]\ntimeout = 31",
        "jam.toml:2 functions.timeout: found 31, allowed: 1 to 30 seconds (API Gateway waits no "
        "longer; with `schedule`, `async`, `stream` it may be 900)",
    ),
    "no form of a schedule": (
        '[functions.nightly]\nschedule = "every night"',
        'jam.toml:2 functions.nightly.schedule: found "every night", allowed: "rate(5 minutes)", '
        '"cron(0 8 * * ? *)", "0 8 * * *" or "@daily", in UTC',
    ),
    "a schedule that AWS refuses": (
        '[functions.nightly]\nschedule = "cron(0 25 * * ? *)"',
        'jam.toml:2 functions.nightly.schedule: found "cron(0 25 * * ? *)": the hour is 0 to 23, '
        "not 25",
    ),
    "a schedule that only Unix takes": (
        '[functions]\nschedule = "0 8 1 * 1"',
        'jam.toml:2 functions.schedule: found "0 8 1 * 1": day of the month and day of the week '
        "together: AWS takes only one of them",
    ),
    "a misspelt key of all functions": (
        "[functions]\ntimout = 5",
        "jam.toml:2 functions.timout: unknown key `timout` (did you mean `timeout`?)",
    ),
    "one function's key": (
        '[functions."notes/[id]"]\nmetods = ["GET"]',
        'jam.toml:2 functions."notes/[id]".metods: unknown key `metods` (did you mean `methods`?)',
    ),
    "one function's ending": (
        '[functions."notes/all.ts"]\nmemory = 256',
        'jam.toml:1 functions."notes/all.ts": a function is named without its ending: "notes/all"',
    ),
    "a misspelt table of functions": (
        '[functions]\nenviroment = { A = "b" }',
        "jam.toml:2 functions.enviroment: unknown key `enviroment` (did you mean `environment`?)",
    ),
    "a table that does not exist": (
        '[tables.notes]\n[functions."a"]\ntables = ["nots:rw"]',
        "jam.toml:3 functions.a.tables: there is no table `nots` (did you mean `notes`?)",
    ),
    "a variable that Lambda sets": (
        '[functions.environment]\nAWS_REGION = "x"',
        "jam.toml:2 functions.environment.AWS_REGION: Lambda sets AWS_REGION itself "
        "(choose another name)",
    ),
    "a credential of the run for the build": (
        '[build.environment]\nX = "env:AWS_SESSION_TOKEN"',
        "jam.toml:2 build.environment.X: AWS_SESSION_TOKEN is this run's own and goes to no build "
        "and no function (what a site may have gets a name of its own, under `env` in the "
        "workflow)",
    ),
    "the workflow's token for a function": (
        '[functions."a".environment]\nX = "env:GITHUB_TOKEN"',
        "jam.toml:2 functions.a.environment.X: GITHUB_TOKEN is this run's own and goes to no build "
        "and no function (what a site may have gets a name of its own, under `env` in the "
        "workflow)",
    ),
    "a token of the runner as a password": (
        '[preview]\npassword = "env:ACTIONS_ID_TOKEN_REQUEST_TOKEN"',
        "jam.toml:2 preview.password: ACTIONS_ID_TOKEN_REQUEST_TOKEN is this run's own and goes to "
        "no build and no function (what a site may have gets a name of its own, under `env` in "
        "the workflow)",
    ),
    "a number as a variable": (
        "[build.environment]\nPORT = 3000",
        "jam.toml:2 build.environment.PORT: found another value, allowed: text in quotes, "
        '"env:NAME" or "ssm:/path" (write it in quotes)',
    ),
    "a parameter in plain text": (
        '[functions.environment]\nKEY = "ssm:/a"',
        "jam.toml:2 functions.environment.KEY: found another value, allowed: text in quotes or "
        '"env:NAME"; what lies in SSM goes under `secrets`',
    ),
    "one attribute twice": (
        '[tables.a]\nhash = "id:S"\nrange = "id:N"',
        "jam.toml:3 tables.a.range: found 'id:N', allowed: another attribute than `hash`",
    ),
    "a key without its type": (
        '[tables.a]\nhash = "id"',
        'jam.toml:2 tables.a.hash: found "id", allowed: "name:S" (text), "name:N" (number) or '
        '"name:B" (binary)',
    ),
    "functions in public": (
        '[build]\npublish = "web"\n[functions]\ndirectory = "web"',
        "jam.toml:4 functions.directory: `web` is the publish folder: its code would be public",
    ),
}


@pytest.mark.parametrize(("settings", "problem"), WRONG.values(), ids=WRONG)
def test_a_problem_names_line_key_what_was_found_and_what_is_allowed(
    tmp_path: Path, settings: str, problem: str
) -> None:
    assert problems(tmp_path, settings) == [problem]


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    settings = 'site = "X"\n[build]\npulish = ""\nallow = [1, 2]\n[functions]\ntimeout = 31\n'
    wheres = [line.split(": ")[0] for line in problems(tmp_path, settings)]
    assert wheres == [
        "jam.toml:1 site",
        "jam.toml:3 build.pulish",
        "jam.toml:4 build.allow",
        "jam.toml:4 build.allow",
        "jam.toml:6 functions.timeout",
    ]


def test_a_password_is_never_shown(tmp_path: Path) -> None:
    (problem,) = problems(tmp_path, '[preview]\npassword = "hunter2"')
    assert "hunter2" not in problem
    assert "never the password itself" in problem


BROKEN: dict[str, tuple[str | bytes, str]] = {
    "no quotes": ("[build]\npublish = dist\n", "jam.toml:2:11: is no valid TOML"),
    "a key twice": ('site = "a"\nsite = "b"\n', "jam.toml:2:11: is no valid TOML"),
    "an open section": ('site = "ab"\n[build', "jam.toml:2"),
    "Latin-1": (b'\n# caf\xe9\nsite = "ab"\n', "jam.toml:2: is not UTF-8"),
}


@pytest.mark.parametrize(("settings", "problem"), BROKEN.values(), ids=BROKEN)
def test_what_is_no_toml_is_told_with_its_place(
    tmp_path: Path, settings: str | bytes, problem: str
) -> None:
    (found,) = refusal(site(tmp_path, settings)).problems
    assert str(found).startswith(problem)
    assert "dist" not in found.message


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    assert load(site(tmp_path, b'\xef\xbb\xbfsite = "notes"\n'), None, HERE).site == "notes"


def test_a_file_that_was_named_must_be_there(tmp_path: Path) -> None:
    assert "cannot be read" in refusal(site(tmp_path), file=tmp_path / "other.toml").message


def test_a_missing_region_is_an_error_of_its_own(tmp_path: Path) -> None:
    error = refusal(site(tmp_path, 'site = "notes"'), Overrides())
    assert error.code == "JAM-REGION-MISSING"
    assert "AWS_REGION" in error.hint


def test_a_missing_region_joins_other_problems(tmp_path: Path) -> None:
    error = refusal(site(tmp_path, "bild = 1"), Overrides())
    assert [problem.where for problem in error.problems] == ["jam.toml:1 bild", "region"]


def test_a_broken_file_is_in_nobodys_way_who_says_site_and_region(tmp_path: Path) -> None:
    root = site(tmp_path, "nonsense = [")
    assert whereabouts(root, None, Overrides(site="notes", region="eu-west-1")) == (
        "notes",
        "eu-west-1",
    )
    for more in (Overrides(site="notes"), Overrides(site="A b", region="eu-west-1")):
        with pytest.raises(JamError):
            whereabouts(root, None, more)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("site = \"notes\" # ours\nregion = 'eu-west-1'\n[build", ("notes", "eu-west-1")),
        ('site = "notes"\n[preview]\nexpier = 3\n', ("notes", "eu-central-1")),
        ('site = "notes"\nregion = 7\n', ("notes", "eu-central-1")),
    ],
)
def test_what_is_readable_of_a_broken_file_is_enough_to_find_the_site(
    tmp_path: Path, text: str, found: tuple[str, str]
) -> None:
    assert whereabouts(site(tmp_path, text), None, HERE) == found


@pytest.mark.parametrize(
    "text", ["site = notes\n", 'site = "A b"\n', "bild = 1\n", '[x\nsite = "notes"\n']
)
def test_a_site_that_cannot_be_read_is_never_guessed(tmp_path: Path, text: str) -> None:
    with pytest.raises(JamError) as caught:
        whereabouts(site(tmp_path, text), None, HERE)
    assert caught.value.code == "JAM-SETTINGS"


def test_options_and_environment_are_checked_too(tmp_path: Path) -> None:
    error = refusal(site(tmp_path), Overrides(site="A b", default_region="here"))
    assert [problem.where for problem in error.problems] == ["--site", "AWS_REGION"]


def test_an_option_wins_over_the_file_and_the_file_over_the_environment(tmp_path: Path) -> None:
    root = site(tmp_path, 'site = "notes"\nregion = "eu-west-1"\n')
    told = load(root, None, HERE)
    overridden = load(root, None, Overrides(site="other", region="us-east-1"))
    assert (told.site, told.region) == ("notes", "eu-west-1")
    assert (overridden.site, overridden.region) == ("other", "us-east-1")
    assert told.provenance["region"] == "jam.toml:2"
    assert overridden.provenance["region"] == "--region"


def test_without_a_file_everything_is_detected(tmp_path: Path) -> None:
    config = load(site(tmp_path / "My Site_2"), None, HERE)
    assert (config.site, config.publish, config.commands) == ("my-site-2", ".", ())
    assert config.file is None
    assert config.functions == "functions"


def test_settings_win_over_detection_and_nothing_is_a_command_too(tmp_path: Path) -> None:
    text = '[build]\ncommand = "make"\ninstall = ""\npublish = "web"\nspa = true\n'
    config = load(site(tmp_path, text), None, HERE)
    assert (config.commands, config.publish, config.spa) == (("make",), "web", True)
    assert config.provenance["publish"] == "jam.toml:4"


NEXT = '{"dependencies": {"next": "16"}}'


def test_a_framework_that_needs_a_server_is_refused_by_name(tmp_path: Path) -> None:
    (problem,) = refusal(site(tmp_path, package_json=NEXT)).problems
    assert 'no output: "export"' in problem.message


def test_who_names_the_publish_folder_knows_better_than_detection(tmp_path: Path) -> None:
    root = site(tmp_path, '[build]\npublish = "web"', package_json=NEXT)
    assert load(root, None, HERE).publish == "web"


def test_nothing_to_publish_is_a_problem_with_its_key(tmp_path: Path) -> None:
    (problem,) = refusal(tmp_path).problems
    assert problem.where == "build.publish"


def whole(root: Path) -> Config:
    text = """
site = "notes"
region = "eu-central-1"
notify = ["https://example.com/hook"]
[build]
environment = { TITLE = "a:b", TOKEN = "ssm:/notes/cms", CI_ID = "env:RUN_ID" }
allow = ["fixtures/*.pem"]
immutable = ["fonts/*.woff2"]
image = "node:22-slim"
[functions]
directory = "api"
runtime = "nodejs22.x"
environment = { LOG = "info" }
secrets = { STRIPE_KEY = "ssm:/notes/stripe" }
[functions."notes/[id]"]
methods = ["GET", "PUT"]
tables = ["notes:rw", "log:w"]
[functions.nightly]
schedule = "cron(0 3 * * ? *)"
timeout = 900
[tables.notes]
range = "created:N"
[tables.log]
hash = "day:S"
[production]
domain = "example.com"
branch = "trunk"
[production.rollout]
strategy = "linear"
percent = 20
interval = "5m"
alarms = ["arn:aws:cloudwatch:eu-central-1:111122223333:alarm:checkout"]
beacon = true
on_inconclusive = "extend"
[production.retention]
releases = 3
days = 7
[preview]
domain = "*.preview.example.com"
password = "env:PREVIEW_PASSWORD"
expire = "14d"
environment = { STAGE = "preview" }
"""
    return load(site(root, text), None, Overrides())


def test_every_section_of_the_interface_is_understood(tmp_path: Path) -> None:
    config = whole(tmp_path)
    functions = config.settings.functions
    assert config.functions == "api"
    assert functions.named["notes/[id]"].methods == ("GET", "PUT")
    assert functions.named["nightly"].timeout == 900
    assert config.settings.production.domain == ("example.com", "www.example.com")
    assert config.settings.production.rollout.percent == 20
    assert config.settings.preview.expire == "14d"


def test_tables_carry_their_keys_with_types(tmp_path: Path) -> None:
    assert whole(tmp_path).tables == (
        Table(name="log", hash_key=("day", "S")),
        Table(name="notes", hash_key=("id", "S"), range_key=("created", "N")),
    )


def test_plan_can_say_what_was_found_and_why(tmp_path: Path) -> None:
    root = site(tmp_path, 'site = "notes"\n[build]\npublish = "web"', package_json='{"name": "x1"}')
    lines = [line.split(maxsplit=2) for line in explain(load(root, None, HERE))]
    assert lines == [
        ["framework", "html", "detected: plain HTML: index.html"],
        ["site", "notes", "jam.toml:1"],
        ["region", "eu-central-1", "AWS_REGION"],
        ["install", "-", "detected: nothing to build"],
        ["command", "-", "detected: no build script in package.json"],
        ["publish", "web", "jam.toml:3"],
        ["functions", "functions", "default"],
        ["spa", "no", "detected: plain pages"],
    ]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("plain", Literal("plain")),
        ("https://x.y", Literal("https://x.y")),
        ("env:TOKEN", EnvReference("TOKEN")),
        ("ssm:/notes/cms", SsmReference("/notes/cms")),
        ("", Literal("")),
    ],
)
def test_a_value_is_text_or_says_where_the_text_lies(text: str, value: Value) -> None:
    assert parse_value(text) == value


def test_a_literal_value_is_not_in_its_repr() -> None:
    assert "hunter2" not in repr(parse_value("hunter2"))


def test_intervals_and_ages_are_counted() -> None:
    assert (minutes("15m"), minutes("2h")) == (15, 120)
    assert (hours("12h"), hours("14d")) == (12, 336)


NAMES = {
    "@scope/My_App": "my-app",
    "7up": "up",
    "a-very-long-name-for-a-site-indeed": "a-very-long-name-for-a-s",
}


@pytest.mark.parametrize(("package", "name"), NAMES.items())
def test_a_site_without_a_name_is_called_after_its_package(
    tmp_path: Path, package: str, name: str
) -> None:
    (tmp_path / "package.json").write_text(f'{{"name": "{package}"}}')
    assert site_name(tmp_path)[0] == name


@given(
    st.from_regex(r"[^/\x00]{1,40}", fullmatch=True).filter(lambda name: name not in (".", ".."))
)
def test_whatever_a_folder_is_called_its_site_has_a_possible_name(name: str) -> None:
    assert SITE.fullmatch(site_name(Path("/nowhere") / name)[0])


SECTIONS = ("site", "build", "functions", "tables", "production", "preview", "y")
KEYS = (
    *("environment", "secrets", "hash", "range", "named", "memory", "methods", "directory"),
    *("allow", "spa", "domain", "rollout", "retention", "alarms", "percent", "days", "x"),
)
DATA = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(KEYS) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(SECTIONS), DATA))
def test_whatever_is_wrong_the_rest_can_be_read(data: dict[str, object]) -> None:
    tree = arranged(data)
    before = repr(tree)
    found = tuple(wrongs(tree))
    assert all(wrong.at and wrong.message for wrong in found)
    assert isinstance(settings(tree, without=found), Settings)
    assert repr(tree) == before


def test_reading_settings_imports_neither_boto3_nor_moto() -> None:
    script = (
        "import sys, runner.config.load, runner.config.initial\n"
        "sys.exit(any(n in sys.modules for n in ('boto3', 'botocore', 'moto', 'rich', 'yaml')))"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0
