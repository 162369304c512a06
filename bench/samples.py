"""The functions that packagers are measured on: Node, light and heavy, and Python."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_LIGHT = """const _ = require("lodash");
const {{ v4 }} = require("uuid");
const {{ answer }} = require("./lib/shared");
exports.handler = async (event) => answer(_.camelCase("function {number}"), v4(), event);
"""
_SHARED = """exports.answer = (name, id, event) => ({
  statusCode: 200, body: JSON.stringify({ name, id, event }),
});
"""
_HEAVY = """import {{ DynamoDBClient, GetItemCommand }} from "@aws-sdk/client-dynamodb";
import {{ z }} from "zod";
import {{ format }} from "date-fns";
import jwt from "jsonwebtoken";
const client = new DynamoDBClient({{}});
const Body = z.object({{ id: z.string(), n{number}: z.number() }});
export const handler = async (event) => {{
  const body = Body.parse(JSON.parse(event.body));
  const command = new GetItemCommand({{ TableName: "t{number}", Key: {{ id: {{ S: body.id }} }} }});
  const item = await client.send(command);
  return {{ statusCode: 200, body: jwt.sign({{ item, at: format(new Date(), "yyyy") }}, "k") }};
}};
"""
_CODE = {"light": _LIGHT, "heavy": _HEAVY}
_PYTHON = "import requests\n\n\ndef handler(event, context):\n    return {number}\n"
_REQUIREMENTS = "requests==2.32.5\npydantic==2.12.4\njinja2==3.1.6\npython-dateutil==2.9.0.post0\n"


def node_site(root: Path, kind: str, *, count: int, modules: Path) -> Path:
    """`count` functions of a kind and a shared module over `modules`, a node_modules folder."""
    functions = root / kind / "functions"
    (functions / "lib").mkdir(parents=True)
    for number in range(count):
        (functions / f"f{number}.js").write_text(_CODE[kind].format(number=number))
    (functions / "lib" / "shared.js").write_text(_SHARED)
    shutil.copytree(modules, root / kind / "node_modules", copy_function=_linked, symlinks=True)
    return root / kind


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system than the cache's
        shutil.copy2(source, target)


def python_site(root: Path, *, count: int) -> Path:
    functions = root / "python" / "functions"
    functions.mkdir(parents=True)
    for number in range(count):
        (functions / f"f{number}.py").write_text(_PYTHON.format(number=number))
    (functions / "requirements.txt").write_text(_REQUIREMENTS)
    return root / "python"
