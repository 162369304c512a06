"""What a function exports as `config` counts, unrun; so do included files and AWS's days."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import get_args

import pytest

from runner.config.values import Runtime
from runner.errors import JamError
from runner.package.functions.discover import Language
from runner.package.functions.runtimes import RUNTIMES, names, refused, warning
from runner.package.functions.settings import FunctionSettings, FunctionsSettings
from tests.functions_site import call, package, site

HANDLER = "export const handler = async () => 1;\n"
SPELLINGS = {
    "a.js": "export const config = { timeout: 7, memory: 512 };",
    "a.mjs": "const seconds = 7;\nexport { settings as config };\n"
    "const settings = { timeout: seconds, 'memory': 256 * 2 };",
    "a.ts": "interface Config { timeout: number }\n"
    "export const config = { timeout: 7, memory: 512 } as const satisfies Config;",
    "a.mts": "enum Kind { A }\nexport const config: object = { timeout: 3 + 4, memory: 512 };",
    "a.cjs": "exports.config = { timeout: 7, memory: 512 };",
    "a.cts": "module.exports = { handler: 1, config: { timeout: 7, memory: 512 } };",
}


@pytest.mark.parametrize("name", SPELLINGS)
def test_an_exported_config_counts_in_every_spelling(name: str, tmp_path: Path) -> None:
    handler = "exports.handler = 1;" if name.endswith(("cjs", "cts")) else HANDLER
    found = package(site(tmp_path, {name: f"{SPELLINGS[name]}\n{handler}"}))["a"]
    assert (found.timeout, found.memory) == (7, 512)


def test_architecture_runtime_and_methods_are_taken_too(tmp_path: Path) -> None:
    code = "export const config = { architecture: 'arm64', runtime: 'nodejs22.x', "
    code += "methods: ['GET', 'post'] };\n"
    found = package(site(tmp_path, {"a.js": code + HANDLER}))["a"]
    assert (found.architecture, found.runtime, found.methods) == (
        "arm64",
        "nodejs22.x",
        ("GET", "POST"),
    )


def test_netlifys_words_are_understood_or_said_to_have_no_effect(tmp_path: Path) -> None:
    code = "export const config = {\n method: 'get',\n path: '/elsewhere',\n};\n" + HANDLER
    said: list[str] = []
    found = package(site(tmp_path, {"a.js": code}), echo=said)["a"]
    assert found.methods == ("GET",)
    assert said == ["warning: functions/a.js:3: config.path has no effect here"]


def test_the_section_of_a_function_wins_over_its_config_and_that_over_the_common_one(
    tmp_path: Path,
) -> None:
    code = "export const config = { timeout: 7, memory: 512 };\n" + HANDLER
    settings = FunctionsSettings(
        common=FunctionSettings(memory=128, timeout=3, architecture="arm64"),
        named={"a": FunctionSettings(timeout=9)},
    )
    found = package(site(tmp_path, {"a.js": code}), settings)["a"]
    assert (found.timeout, found.memory, found.architecture) == (9, 512, "arm64")


@pytest.mark.parametrize(
    ("config", "told"),
    [
        (
            "{\n  timeot: 5 }",
            "functions/a.ts:2: config.timeot: unknown key `timeot` (did you mean `timeout`?)",
        ),
        ("{ timeout: '5' }", 'functions/a.ts:1: config.timeout: found "5", allowed: 1 to 900 sec'),
        ("{ memory: true }", "functions/a.ts:1: config.memory: found true, allowed: 128 to 10240"),
        ("{ methods: 'GET' }", 'functions/a.ts:1: config.methods: found "GET", allowed: '),
        ("{ methods: [1] }", "functions/a.ts:1: config.methods: found 1, allowed: "),
        ("{\n tables: ['nots:rw'] }", "functions/a.ts:2: config.tables: there is no table `nots`"),
        (
            "{\n schedule: 'cron(0 25 * * ? *)' }",
            'functions/a.ts:2: config.schedule: found "cron(0 25 * * ? *)": the hour is 0 to 23',
        ),
        ("{ retries: 3 }", "functions/a.ts:1: config.retries: found 3, allowed: 0 to 2"),
        ("{\n authorizer: 'x' }", "functions/a.ts:2: config.authorizer: there is no authorizer"),
        ("{\n secrets: {} }", "functions/a.ts:2: config.secrets: belongs into jam.toml"),
        ("{\n timeout: Number(5) }", "functions/a.ts:2: `config` is only known when the function"),
        ("{ timeout: process.env.T }", "functions/a.ts:1: `config` is only known when"),
        ("{ ...more }", "functions/a.ts:1: `config` has a member that is only known"),
        ("5", "functions/a.ts:1: `config` is no object"),
    ],
)
def test_a_config_that_cannot_be_is_told_with_its_line(
    config: str, told: str, tmp_path: Path
) -> None:
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.ts": f"export const config = {config};\n{HANDLER}"}))
    assert caught.value.code == "JAM-FUNCTION-CONFIG"
    assert str(caught.value.problems[0]).startswith(told)


SCHEDULED = {
    "netlifys word": "export const config = { schedule: '@hourly' };\n" + HANDLER,
    "a wrapped handler": "import { schedule as by } from '@netlify/functions';\n"
    "export const handler = by('@hourly', async () => 1);\n",
    "of a module": "import * as netlify from '@netlify/functions';\n"
    "const run = async () => 1;\nconst hourly = '@hourly';\n"
    "const handler = netlify.schedule(hourly, run);\nexport { handler };\n",
    "required": "const { schedule } = require('@netlify/functions');\n"
    "module.exports.handler = schedule('0 * * * *', async () => 1);\n",
    "awss word": "export const config = { schedule: 'cron(0 * * * ? *)' };\n" + HANDLER,
}
NETLIFY: dict[str, str | bytes] = {
    "node_modules/@netlify/functions/package.json": '{"main": "index.js"}',
    "node_modules/@netlify/functions/index.js": "exports.schedule = (_cron, handler) => handler;",
}


@pytest.mark.parametrize("code", SCHEDULED.values(), ids=SCHEDULED)
def test_a_schedule_in_the_code_counts_and_opens_no_path(code: str, tmp_path: Path) -> None:
    found = package(site(tmp_path, {"a.js": code, **NETLIFY}))["a"]
    assert (found.background.schedule, found.methods) == ("cron(0 * * * ? *)", ())


def test_a_schedule_that_only_the_running_code_knows_is_told(tmp_path: Path) -> None:
    code = "import { schedule } from '@netlify/functions';\n"
    code += "export const handler = schedule(process.env.WHEN, async () => 1);\n"
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": code, **NETLIFY}))
    told = "functions/a.js:2: the schedule is only known when the function runs"
    assert str(caught.value.problems[0]) == told


def test_all_that_a_section_says_of_running_can_be_exported(tmp_path: Path) -> None:
    code = "export const config = { async: true, retries: 0, tables: ['notes:r'], tracing: true, "
    code += "layers: ['arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3'] };\n" + HANDLER
    settings = FunctionsSettings(tables={"notes": "jam-x-production-notes"})
    found = package(site(tmp_path, {"a.js": code}), settings)["a"]
    assert (found.background.requests, found.background.retries) == (True, 0)
    assert (found.grants.tables, found.grants.tracing) == ((("notes", "r"),), True)
    assert found.hosting.layers == ("arn:aws:lambda:eu-central-1:111122223333:layer:fonts:3",)


@pytest.mark.parametrize(
    ("name", "code", "timeout"),
    [
        ("mail-background.js", "", 900),  # Netlify's name for it
        ("mail.js", "export const config = { background: true };\n", 900),
        ("mail.js", "export const config = { async: true, timeout: 300 };\n", 300),
        ("mail.js", "export const config = { schedule: '@daily', timeout: 900 };\n", 900),
    ],
)
def test_what_nobody_waits_for_may_take_longest(
    name: str, code: str, timeout: int, tmp_path: Path
) -> None:
    (found,) = package(site(tmp_path, {name: code + HANDLER})).values()
    assert found.background
    assert found.timeout == timeout


def test_a_scheduled_function_with_methods_has_a_path_and_its_limit(tmp_path: Path) -> None:
    code = "export const config = { schedule: '@daily', method: 'POST', timeout: 31 };\n" + HANDLER
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": code}))
    assert caught.value.problems[0].where == "functions.a.timeout"


def test_retries_without_anything_in_the_background_are_refused(tmp_path: Path) -> None:
    code = "export const config = { retries: 1 };\n" + HANDLER
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": code}))
    assert caught.value.problems[0].where == "functions.a.retries"


def test_a_config_that_is_not_exported_is_the_functions_own(tmp_path: Path) -> None:
    code = "const config = { anything: 1 };\n" + HANDLER
    assert package(site(tmp_path, {"a.js": code}))["a"].timeout == 10


def test_nothing_of_a_function_runs_to_read_its_config(tmp_path: Path) -> None:
    code = "import { writeFileSync } from 'node:fs';\nwriteFileSync('ran', '');\n"
    code += "export const config = { timeout: 7 };\n" + HANDLER
    package(site(tmp_path, {"a.js": code}))
    assert not list(tmp_path.rglob("ran"))


def test_a_config_out_of_lambdas_limits_is_refused(tmp_path: Path) -> None:
    with pytest.raises(JamError) as caught:
        package(site(tmp_path, {"a.js": "export const config = { timeout: 900 };\n" + HANDLER}))
    assert caught.value.code == "JAM-FUNCTION-SETTINGS"
    assert caught.value.problems[0].where == "functions.a.timeout"


READS = "export const handler = async () => readFileSync(join(%s, 'data/a.txt'), 'utf8');\n"
IMPORTS = "import { readFileSync } from 'node:fs'; import { join } from 'node:path';\n"
READERS: dict[str, str | bytes] = {
    "deep/where.js": IMPORTS + READS % "__dirname",
    "deep/[module].mjs": IMPORTS + "await 1;\n" + READS % "import.meta.dirname",
    "deep/data/a.txt": "text",
    "deep/data/b.secret": "b",
    "deep/.env": "A1=secret",
    "deep/typed.py": "from pathlib import Path\n"
    "def handler(event, context): return (Path(__file__).parent / 'data/a.txt').read_text()\n",
    "package.json": '{"type": "module"}',
}


def included(*patterns: str) -> FunctionsSettings:
    return FunctionsSettings(common=FunctionSettings(included_files=patterns))


def test_included_files_lie_beside_the_code_as_in_the_site(tmp_path: Path) -> None:
    (tmp_path / "top.txt").write_text("top")
    patterns = ("functions/**", "!**/*.secret", "top.{txt,md}", "!functions/deep/[tw]*")
    functions = package(site(tmp_path, READERS), included(*patterns))
    for name, function in functions.items():
        folder = tmp_path / "run" / name
        assert call(function, folder) == "text"
        assert (folder / "top.txt").read_text() == "top"
        assert not list(folder.rglob("*.secret"))
        assert not list(folder.rglob(".env"))
    assert len(functions) == 3


def test_a_functions_own_patterns_are_added_to_the_common_ones(tmp_path: Path) -> None:
    files = {**READERS, "b.js": HANDLER}
    settings = FunctionsSettings(
        common=FunctionSettings(included_files=("functions/deep/data",)),
        named={"b": FunctionSettings(included_files=("!functions/deep/data/b.*",))},
    )
    function = package(site(tmp_path, files), settings)["b"]
    call(function, tmp_path / "run")
    data = tmp_path / "run/functions/deep/data"
    assert [file.name for file in data.iterdir()] == ["a.txt"]


def test_a_function_can_include_files_by_its_config(tmp_path: Path) -> None:
    code = "export const config = { includedFiles: ['functions/deep/data/a.txt'] };\n"
    files = {**READERS, "deep/where.js": code + str(READERS["deep/where.js"])}
    assert call(package(site(tmp_path, files))["deep/where"], tmp_path / "run") == "text"


def test_an_included_file_changes_exactly_the_functions_that_include_it(tmp_path: Path) -> None:
    named = {"deep/where": FunctionSettings(included_files=("functions/deep/data/*",))}
    settings = FunctionsSettings(named=named)
    before = package(site(tmp_path, READERS), settings)
    after = package(site(tmp_path, {"deep/data/a.txt": "other"}), settings)
    changed = {name for name in before if before[name].digest != after[name].digest}
    assert changed == {"deep/where"}


@pytest.mark.parametrize(
    ("pattern", "told"),
    [
        ("none/*.txt", "'none/*.txt' matches no file"),
        ("../x", "'../x' leads out of the site"),
        ("/etc/passwd", "'/etc/passwd' leads out of the site"),
        ("functions/.env", "'functions/.env' matches no file"),
        ("out", "out is a link to what may not be shipped"),
    ],
)
def test_a_pattern_that_cannot_be_is_named(pattern: str, told: str, tmp_path: Path) -> None:
    root = site(tmp_path / "site", {".env": "A1=b", "lib/x.js": "", "deep/b.js": HANDLER})
    (tmp_path / "secret").write_text("secret")
    (root / "out").symlink_to(tmp_path / "secret")
    with pytest.raises(JamError) as caught:
        package(root, included(pattern))
    assert str(caught.value.problems[0]) == f"functions.deep/b.included_files: {told}"


def test_every_runtime_has_its_three_days_in_order() -> None:
    for runtime in RUNTIMES.values():
        assert runtime.deprecated < runtime.no_create < runtime.no_update
    assert names(Language.PYTHON) == ("python3.11", "python3.12", "python3.13", "python3.14")


@pytest.mark.parametrize(
    ("today", "told", "stopped"),
    [
        ("2027-01-29", "", False),
        ("2027-01-30", "AWS ends support of nodejs22.x on 2027-04-30 and takes no update", False),
        ("2027-04-30", "AWS ended support of nodejs22.x on 2027-04-30 and takes no update", False),
        ("2027-06-01", "AWS ended support of nodejs22.x on 2027-04-30 and takes no new", False),
        ("2027-07-01", "AWS ended support of nodejs22.x", True),
    ],
)
def test_the_end_of_a_runtime_is_told_90_days_ahead_and_stops_at_awss_day(
    today: str, told: str, *, stopped: bool
) -> None:
    day = date.fromisoformat(today)
    assert warning("nodejs22.x", day).startswith(told)
    assert bool(told) == bool(warning("nodejs22.x", day))
    assert bool(list(refused("nodejs22.x", day, where="x"))) is stopped


def test_settings_take_every_runtime_that_has_its_days() -> None:
    assert get_args(Runtime) == tuple(RUNTIMES)


def test_a_runtime_past_its_end_is_warned_of_or_refused_by_function(tmp_path: Path) -> None:
    root = site(tmp_path, {"a.js": HANDLER})
    settings = FunctionsSettings(common=FunctionSettings(runtime="nodejs20.x"))
    said: list[str] = []
    package(root, settings, said, today=date(2026, 11, 21))
    assert said == [
        "warning: a.js: AWS ended support of nodejs20.x on 2026-04-30 and takes no update after "
        "2027-03-03; use nodejs24.x"
    ]
    with pytest.raises(JamError) as caught:
        package(root, settings, today=date(2027, 3, 3))
    assert caught.value.code == "JAM-FUNCTION-SETTINGS"
    assert str(caught.value.problems[0]).startswith("functions.a.runtime: AWS takes no function")
