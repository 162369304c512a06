"""Every template of `new function`, in both languages, deployed and called as it was written."""

from __future__ import annotations

import json
import shlex
import subprocess
import tomllib
from pathlib import Path

import pytest
import urllib3

from runner.toolchain import find
from tests.scenarios.conftest import Site


@pytest.fixture(scope="module")
def deployed(account: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Site, str]:
    """A site with all of them, its settings as the command said; and its address."""
    folder = tmp_path_factory.mktemp("templates")
    (folder / "public").mkdir()
    (folder / "public" / "index.html").write_text("<h1>Hello</h1>")
    settings = 'site = "templates"\nregion = "eu-central-1"\n[build]\npublish = "public"\n'
    (folder / "jam.toml").write_text(settings)
    site = Site(folder, account)
    for runtime in ("node", "python"):
        for template in ("basic", "html", "table", "invoke"):
            name = f"{template}-{runtime}"
            words = ["new", "function", name, "--template", template, "--runtime", runtime]
            written = site.jam(*words, "--verbose").answer
            settings += written["settings"]
            for command in written["commands"]:
                _run(command, site)
    tomllib.loads(settings)
    (folder / "jam.toml").write_text(settings)
    return site, site.deploy()["url"]


def _run(command: str, site: Site) -> None:
    """What `new function` says to run; npm is the one that we bring."""
    program, *words = shlex.split(command)
    assert program == "npm"
    npm = find(Path.home() / ".cache" / "jam-deploy").npm
    subprocess.run([*npm, *words, "--no-audit"], cwd=site.folder, check=True, capture_output=True)


@pytest.mark.parametrize("runtime", ["node", "python"])
@pytest.mark.parametrize("template", ["basic", "html", "invoke"])
def test_a_template_answers_with_the_visitors_name(deployed, template, runtime):
    site, url = deployed
    answer = site.get(url, f"/.functions/{template}-{runtime}?name=A%26B")
    assert answer.status == 200, answer.data
    expected = b"Hello, A&" if template != "html" else b"Hello, A&#38;B!"
    assert expected in answer.data.replace(b"&amp;", b"&#38;")


@pytest.mark.parametrize("runtime", ["node", "python"])
def test_a_table_keeps_what_is_posted(deployed, runtime):
    site, url = deployed
    path = f"/.functions/table-{runtime}"

    made = urllib3.request(
        "POST",
        site.endpoint + path,
        headers={"host": url.removeprefix("https://"), "content-type": "application/json"},
        body=b'{"text": "bread"}',
    )
    assert made.status == 201, made.data
    found = json.loads(site.get(url, path).data)["items"]
    assert found == [json.loads(made.data)]
    assert found[0]["text"] == "bread"
