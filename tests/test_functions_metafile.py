"""What an entry was made of, as esbuild's metafile says it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.package.functions.metafile import Graph, Ours, Outside

_IMPORTS = {
    "functions/a.js": ["lib/one.js", "node_modules/p/index.js"],
    "functions/b.js": ["lib/one.js", "node_modules/q/index.js"],
    "functions/alone.js": [],
    "lib/one.js": ["lib/two.js"],
    "lib/two.js": ["lib/one.js"],  # a circle of the site's own
    "node_modules/p/index.js": ["node_modules/q/index.js"],
    "node_modules/q/index.js": ["node_modules/p/index.js", "../ours/web.mjs"],  # one of packages
    "../ours/web.mjs": [],
}
_LIB = ("lib/one.js", "lib/two.js")
_PACKAGES = ("node_modules/p/index.js", "node_modules/q/index.js")


def graph(folder: Path) -> Graph:
    inputs = {
        path: {
            "bytes": 10,
            "imports": [{"path": other, "kind": "import-statement"} for other in on],
        }
        for path, on in _IMPORTS.items()
    }
    for name, kind in (("sharp/lib", "require-call"), ("node:fs", "import-statement")):
        inputs["node_modules/q/index.js"]["imports"].append(  # type: ignore[attr-defined] # JSON
            {"path": name, "kind": kind, "external": True}
        )
    outputs = {f"out/{Path(path).name}": {"entryPoint": path} for path in _IMPORTS}
    (folder / "meta.json").write_text(json.dumps({"inputs": inputs, "outputs": outputs}))
    ours = frozenset({str(folder.parent / "ours/web.mjs")})
    return Graph(folder / "meta.json", Ours(folder, folder / "scratch", ours))


@pytest.mark.parametrize(
    ("output", "inputs"),
    [
        ("a.js", ("functions/a.js", *_LIB, *_PACKAGES)),
        ("b.js", ("functions/b.js", *_LIB, *_PACKAGES)),
        ("alone.js", ("functions/alone.js",)),
    ],
)
def test_an_entry_is_made_of_all_that_its_imports_lead_to_and_of_nothing_of_ours(
    output: str, inputs: tuple[str, ...], tmp_path: Path
) -> None:
    assert graph(tmp_path).below(output)[0] == inputs


def test_what_packages_leave_outside_is_told_of_each_entry_that_uses_them(tmp_path: Path) -> None:
    found, left = graph(tmp_path), (Outside("sharp/lib", "node_modules/q", required=True),)
    assert [found.below(name)[1] for name in ("b.js", "a.js", "alone.js")] == [left, left, ()]
    assert left[0].package == "sharp"


def test_the_size_of_an_entry_is_that_of_its_files(tmp_path: Path) -> None:
    found = graph(tmp_path)
    assert found.size(found.below("a.js")[0]) == 50
