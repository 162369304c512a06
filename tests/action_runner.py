"""GitHub's runner as far as a step meets it: how it reads a step's output and files.

Written anew from actions/runner's sources, not from what we write: it judges our side.
Sources: actions/runner, `ActionCommand.cs`, `ActionCommandManager.cs`, `FileCommandManager.cs`,
`ContainerActionHandler.cs`; docs.github.com, "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

REGISTERED = frozenset(
    {"set-output", "save-state", "add-mask", "debug", "notice", "warning", "error", "group"}
    | {"endgroup", "echo", "add-matcher", "remove-matcher", "set-env", "add-path"}
    | {"stop-commands", "internal-set-repo-path"}
)
_LINES = re.compile(r"\r\n|\r|\n")  # StreamReader.ReadLine
# Of no weight where .NET compares by a language's rules: format characters, marks, controls.
_IGNORED = re.compile("[\u0000-\u0008\u000e-\u001f\u007f-\u009f\u00ad\u034f\u061c\u180b-\u180e"
                      "\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufe00-\ufe0f\ufeff]")  # fmt: skip


@dataclass(frozen=True)
class Command:
    name: str
    data: str
    properties: Mapping[str, str]


@dataclass
class Read:
    """What the runner makes of a step's output: the commands it obeys, and the masks."""

    commands: list[Command] = field(default_factory=list)
    shown: list[str] = field(default_factory=list)
    _token: str = ""
    _stopped: bool = False

    def feed(self, text: str) -> Read:
        for line in _LINES.split(text):
            self._line(line)
        return self

    def of(self, name: str) -> list[Command]:
        return [each for each in self.commands if each.name == name]

    @property
    def masks(self) -> list[str]:
        return [each.data for each in self.of("add-mask")]

    def _line(self, line: str) -> None:
        known = REGISTERED | ({self._token} if self._token else set())
        found = new_form(line, known) or old_form(line, known)
        if found is None:
            self._show(line)
        elif self._stopped:
            if found.name == self._token:
                self._stopped, self._token = False, ""
            else:
                self._show(line)
        elif found.name == "stop-commands":
            self._stopped, self._token = True, found.data.lower()
        else:
            self.commands.append(found)

    def _show(self, line: str) -> None:
        for mask in self.masks:
            line = line.replace(mask, "***")
        self.shown.append(line)


def commands(text: str) -> list[Command]:
    """What the runner would obey; both as .NET compares by code points, and by a language."""
    return Read().feed(text).commands + Read().feed(_IGNORED.sub("", text)).commands


def new_form(line: str, known: frozenset[str] | set[str]) -> Command | None:
    """`::name a=b,c=d::data` at the start, after white space."""
    line = line.lstrip()
    if not line.startswith("::"):
        return None
    end = line.find("::", 2)
    if end < 0:
        return None
    return _command(line[2:end], line[end + 2 :], known, separator=",", old=False)


def old_form(line: str, known: frozenset[str] | set[str]) -> Command | None:
    """`##[name a=b;c=d]data` anywhere."""
    start = line.find("##[")
    end = line.find("]", start)
    if start < 0 or end < 0:
        return None
    return _command(line[start + 3 : end], line[end + 1 :], known, separator=";", old=True)


def _command(
    info: str, data: str, known: frozenset[str] | set[str], *, separator: str, old: bool
) -> Command | None:
    name, _, rest = info.partition(" ")
    if name.lower() not in known:
        return None
    pairs = (pair.partition("=") for pair in rest.strip().split(separator) if "=" in pair)
    return Command(
        name.lower(), _decoded(data, old), {key: _decoded(value, old) for key, _, value in pairs}
    )


def _decoded(text: str, old: bool) -> str:
    escapes = {"%0D": "\r", "%0A": "\n", "%3A": ":", "%2C": ",", "%3B": ";", "%5D": "]"}
    for coded, character in escapes.items():
        text = text.replace(coded, character)
    return text.replace("%25", "%")


def read_file(text: str) -> dict[str, str]:
    """GITHUB_OUTPUT and GITHUB_STATE: `name=value`, or `name<<end`, lines, `end`."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        equals, heredoc = line.find("="), line.find("<<")
        if heredoc >= 0 and (equals < 0 or heredoc < equals):
            name, end = line.split("<<", 1)
            assert name, line
            assert end, line
            value = []
            for each in lines:
                if each == end:
                    break
                value.append(each)
            else:
                raise AssertionError(f"Matching delimiter not found '{end}'")
            found[name] = "\n".join(value)
        else:
            assert equals > 0, f"Invalid format '{line}'"
            found[line[:equals]] = line[equals + 1 :]
    return found
