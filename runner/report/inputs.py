"""The action's inputs and outputs in README.md: `python -m runner.report.inputs README.md`.

Written between the markers `<!-- inputs -->`, `<!-- outputs -->` and their `<!-- end -->`; nothing
else in the file is touched. A test holds it to action.yml.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ACTION = Path(__file__).parents[2] / "action.yml"
_HEADS = {
    "inputs": "| input | default | what |\n|---|---|---|\n",
    "outputs": "| output | what |\n|---|---|\n",
}
_OWN = "${{ github.token }}"


def table(kind: str, members: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of `inputs` with their defaults, or of `outputs`."""
    head = _HEADS[kind]
    rows = (
        f"| `{name}` |{_default(told)} {_sentence(told['description'])} |\n"
        for name, told in members.items()
    )
    return head + "".join(rows)


def filled(text: str, action: Mapping[str, Any]) -> str:
    """`text` with both tables as `action` has them; raises ValueError where a marker is missing."""
    for kind in ("inputs", "outputs"):
        head, begin, rest = text.partition(f"<!-- {kind} -->\n")
        _, end, tail = rest.partition("<!-- end -->")
        if not (begin and end):
            raise ValueError(f"the text has no place for the table of {kind}")
        text = f"{head}{begin}\n{table(kind, action[kind])}\n{end}{tail}"
    return text


def action() -> Mapping[str, Any]:
    """action.yml."""
    import yaml  # type: ignore[import-untyped]  # it brings no types

    found: Mapping[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    return found


def _default(told: Mapping[str, Any]) -> str:
    """Its cell; an output has none."""
    if "default" not in told:
        return ""
    default = told["default"]
    if default == _OWN:
        return " the workflow's own |"
    return f" `{default}` |" if default else " |"


def _sentence(description: str) -> str:
    return " ".join(description.split()).replace("|", "\\|")


if __name__ == "__main__":
    readme = Path(sys.argv[1])
    readme.write_text(filled(readme.read_text(encoding="utf-8"), action()), encoding="utf-8")
