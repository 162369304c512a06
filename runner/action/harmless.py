"""Foreign text in a run's log: to be read, never obeyed. Pure.

The runner takes `::name ...::` at the start of a line, after white space, and `##[name ...]`
anywhere in it for a command, and its reader ends a line at a bare carriage return too.
Sources: actions/runner, `ActionCommand.cs`; docs.github.com, "Workflow commands for GitHub
Actions"; learn.microsoft.com, "StreamReader.ReadLine".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from runner.report.printable import printable

_BREAK = re.compile(r"\r\n|\r|\n")
# Colours and cursor movements: ECMA-48, 5.4 "Control sequences"; 8.3.89 "OSC".
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?)")
# What is not plain ASCII counts as nothing here: .NET compares texts by a language's rules, which
# pass over joiners, marks and other characters of no weight.
# Source: learn.microsoft.com, "Best practices for comparing strings in .NET", ignorable characters.
_OLD_FORM = re.compile(r"(#[^!-~]*#[^!-~]*)\[")
_NEW_FORM = re.compile(r"[^!-~]*:")


def harmless(text: str) -> Iterator[str]:
    """The lines of `text`, none of which is a command."""
    for line in _BREAK.split(text):
        shown = _OLD_FORM.sub(r"\1 [", printable(_ANSI.sub("", line)))
        yield f"| {shown}" if _NEW_FORM.match(shown) else shown
