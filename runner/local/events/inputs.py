"""What a rule's target gets of an event: all, a part, a constant, or a text made of parts. Pure.

Source: EventBridge user guide, "Amazon EventBridge input transformation"; API reference, Target.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

_PLACE = re.compile(r"<([A-Za-z0-9_.\-]+)>")
_STEP = re.compile(r"\.([A-Za-z0-9_\-]+)|\[(\d+)\]|\['([^']+)'\]")
_MISSING = object()
_KNOWN = ("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time")


def body(target: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    """The text for the target; at most one of Input, InputPath and InputTransformer is given."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = at(event, target["InputPath"])
        return json.dumps({} if found is _MISSING else found)
    transformer = target.get("InputTransformer")
    if transformer:
        return _filled(transformer, event)
    return json.dumps(event)


def is_path(text: str) -> bool:
    """Whether `text` is a JSON path of the kind that EventBridge takes: `$.detail.state`."""
    rest = text.removeprefix("$")
    return text.startswith("$") and "".join(each[0] for each in _STEP.finditer(rest)) == rest


def at(event: Any, path: str) -> Any:
    found = event
    for step in _STEP.finditer(path.removeprefix("$")):
        name, place = step[1] or step[3], step[2]
        if name and isinstance(found, dict) and name in found:
            found = found[name]
        elif place and isinstance(found, list) and int(place) < len(found):
            found = found[int(place)]
        else:
            return _MISSING
    return found


def _filled(transformer: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    paths = transformer.get("InputPathsMap") or {}
    template = str(transformer["InputTemplate"])
    values = {name: at(event, path) for name, path in paths.items()}
    values["aws.events.event.json"] = dict(event)

    def fill(found: re.Match[str]) -> str:
        if found[1] not in values:
            return found[0]
        value = values[found[1]]
        if _quoted(template, found):
            return "" if value is _MISSING else _plain(value)
        return '""' if value is _MISSING else json.dumps(value)

    return _PLACE.sub(fill, template)


def _quoted(template: str, found: re.Match[str]) -> bool:
    """Whether the place is within a JSON text of the template: then it stands there unquoted."""
    return len(re.findall(r'(?<!\\)"', template[: found.start()])) % 2 == 1


def _plain(value: Any) -> str:
    return json.dumps(value if isinstance(value, str) else json.dumps(value))[1:-1]
