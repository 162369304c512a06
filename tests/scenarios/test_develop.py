"""examples/notes under `dev`: Vite and functions behind one port, in a browser while edited."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from runner.local.browser import Browser
from runner.rehearsal.stage import copy_of
from runner.toolchain import find
from tests.compute_site import eventually
from tests.scenarios.conftest import ENVIRONMENT, ROOT
from tests.scenarios.test_notes import STORY
from tests.test_develop_functions import Running, start, stop

HIDDEN = "footer { display: none; }\n"


@pytest.fixture(scope="module")
def dev(endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = copy_of(ROOT / "examples" / "notes", tmp_path_factory.mktemp("develop"))
    tools = find(tmp_path_factory.mktemp("cache"))
    with (folder / "src/style.css").open("a") as style:
        style.write(HIDDEN)
    subprocess.run([*tools.npm, "ci", "--silent"], cwd=folder, check=True)
    running = start(folder, "dev", **{**ENVIRONMENT, "AWS_ENDPOINT_URL": endpoint})
    yield running
    stop(running)


def test_what_is_saved_shows_in_the_open_page(dev: Running, tmp_path: Path, pictures: Path) -> None:
    """A new style comes without a reload, so that the open form stays; a new page with one. Both
    are Vite's to tell, through its WebSocket."""
    form = {"see": {"selector": "#editor form", "text": ""}}
    script = [
        {"goto": f"http://localhost:{dev.port}/"},
        *STORY,
        {"click": "#new"},
        form,
        {"screenshot": str(tmp_path / "form.png")},
        {"see": {"selector": "footer", "text": "Kept in DynamoDB"}},
        form,
        {"screenshot": str(pictures / "develop.png")},
        {"screenshot": str(tmp_path / "style.png")},
        {"see": {"selector": "footer", "text": "Changed while it was open"}},
        {"see": {"selector": "#digest strong", "text": "bread"}},
    ]
    with ThreadPoolExecutor() as threads:
        playing = threads.submit(Browser(node=find(tmp_path).node).play, script)
        for picture, file, old, new in [
            ("form.png", "src/style.css", HIDDEN, ""),
            ("style.png", "index.html", "Kept in DynamoDB", "Changed while it was open"),
        ]:
            eventually((tmp_path / picture).exists, seconds=60)
            text = (dev.folder / file).read_text()
            assert old in text
            (dev.folder / file).write_text(text.replace(old, new))
        assert playing.result().faults == ()
