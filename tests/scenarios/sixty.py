"""A site with 60 functions three folders deep, in both languages, and what each has to answer."""

from __future__ import annotations

import json
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

PLACES = ("shop/eu/de", "blog/2026/11", "team/people/roles")


@dataclass(frozen=True)
class Kind:
    """A way to write a function: `file` below its place, `asked` if it is not at the file's path.

    It says `said`, and where it is by its `.env` files. `beside` lies beside it.
    """

    file: str
    code: str
    said: Any
    asked: str = ""
    beside: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call:
    """A function of the site: what to ask, and the answer."""

    path: str
    said: Any
    place: str


# What answers say of themselves: three `.env` files, one in each folder above.
NODE_LIB = """const { SITE, AREA, PLACE } = process.env;
exports.answer = (said) => ({
  statusCode: 200,
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ said, place: [SITE, AREA, PLACE].join("/") }),
});
"""
PYTHON_LIB = """import json, os

def answer(said):
    place = "/".join(os.environ[name] for name in ("SITE", "AREA", "PLACE"))
    return {"statusCode": 200, "body": json.dumps({"said": said, "place": place})}
"""
IMPORT = 'import { answer } from "%slib/answer.js";\n'
HERE = IMPORT % ("../" * 3)
BELOW = IMPORT % ("../" * 4)
REQUIRE = f'const {{ answer }} = require("{"../" * 3}lib/answer");\n'
FROM = "from lib.answer import answer\n"

NODE = (
    Kind("common.js", f'{REQUIRE}exports.handler = async () => answer("common");', "common"),
    Kind(
        "classic.cjs",
        f"{REQUIRE}module.exports = {{ handler: async () => answer(typeof __dirname) }};",
        "string",
    ),
    Kind(
        "called-back.js",
        f"{REQUIRE}exports.config = {{ runtime: 'nodejs22.x' }};\n"
        'exports.handler = (event, context, callback) => callback(null, answer("back"));',
        "back",
    ),
    Kind(
        "data.mjs",
        f'{HERE}import data from "./_data.json" with {{ type: "json" }};\n'
        "export const handler = async () => answer(data.list.length);",
        3,
        beside={"_data.json": '{"list": [1, 2, 3]}'},
    ),
    Kind(
        "typed.ts",
        f"{HERE}enum Colour {{ Red = 'red' }}\ninterface Event {{ rawQueryString: string }}\n"
        "export const handler = async ({ rawQueryString }: Event) =>\n"
        "  answer([Colour.Red, rawQueryString]);",
        ["red", "a=1&b=2"],
        asked="typed?a=1&b=2",
    ),
    Kind(
        "commonly-typed.cts",
        'import lib = require("../../../lib/answer");\n'
        "const said: string = 'cts';\nexport = { handler: async () => lib.answer(said) };",
        "cts",
    ),
    Kind(
        "awaiting.mts",
        f"{HERE}const said: number = await Promise.resolve(7);\n"
        "export const handler = async () => answer(said);",
        7,
    ),
    Kind("index.mjs", f'{HERE}export const handler = async () => answer("index");', "index", "."),
    Kind(
        "[id].js",
        f"{REQUIRE}exports.handler = async (event) => answer(event.pathParameters.id);",
        "a b",
        asked="a%20b",
    ),
    Kind(
        "rest/[...rest].ts",
        f"{BELOW}export const config = {{ methods: ['GET'] }};\n"
        "export const handler = async (event: any) => answer(event.pathParameters.rest);",
        "x/y/z",
        asked="rest/x/y/z",
    ),
    Kind(
        "web.ts",
        f"{HERE}export default async (request: Request, context: any) => {{\n"
        "  const said = [request.method, new URL(request.url).pathname.split('/').pop()];\n"
        "  return new Response(answer(said).body, { headers: { 'set-cookie': 'a=1' } });\n};",
        ["GET", "web"],
    ),
    Kind(
        "includes.js",
        f"{REQUIRE}const {{ readFileSync }} = require('node:fs');\n"
        "exports.config = { included_files: ['templates/*.html'], memory: 512, timeout: 20 };\n"
        "exports.handler = async () => answer(readFileSync('templates/page.html', 'utf8'));",
        "<p>",
    ),
    Kind(
        "escapes/index.ts",
        f"{BELOW}import escape from 'escape-html';\n"
        "export const handler = async () => answer(escape('<'));",
        "&lt;",
        asked="escapes",
    ),
    Kind(
        "picture.js",
        f"{REQUIRE}const sharp = require('sharp');\n"
        "const create = { width: 2, height: 1, channels: 3, background: 'red' };\n"
        "exports.handler = async () =>\n"
        "  answer((await sharp({ create }).raw().toBuffer()).toString('hex'));",
        "ff0000ff0000",
    ),
)
PYTHON = (
    Kind("plain.py", f"{FROM}def handler(event, context):\n    return answer('plain')\n", "plain"),
    Kind(
        "aws.py",
        f"{FROM}def lambda_handler(event, context):\n"
        "    return answer(context.memory_limit_in_mb)\n",
        "256",
    ),
    Kind(
        "partly.py",
        f"{FROM}from functools import partial\ndef _say(said, event, context):\n"
        "    return answer(said)\nhandler = partial(_say, 'partly')\n",
        "partly",
    ),
    # Named like what it imports: the function's own file must not take its place.
    Kind(
        "json.py",
        f"{FROM}import json\ndef handler(event, context):\n    return answer(json.loads('[1]'))\n",
        [1],
    ),
    Kind(
        "people/[name].py",
        f"{FROM}def handler(event, context):\n    return answer(event['pathParameters']['name'])\n",
        "eve",
        asked="people/eve",
    ),
)
# Packages of compiled code, each asked for in another way: one to a place.
NATIVE = (
    Kind(
        "native/index.py",
        f"{FROM}import numpy\nfrom greet import greeting\ndef handler(event, context):\n"
        "    return answer([greeting, int(numpy.arange(4).sum())])\n",
        ["hello", 6],
        asked="native",
        beside={
            "native/requirements.txt": "numpy==2.2.6; python_version < '3.14'\n"
            "numpy==2.3.4; python_version >= '3.14'\n../../../../../packages/greet\n",
        },
    ),
    Kind(
        "native/index.py",
        f"{FROM}from pydantic import BaseModel\nclass Note(BaseModel):\n    id: int\n"
        "def handler(event, context):\n    return answer(Note(id='7').id)\n",
        7,
        asked="native",
        beside={
            "native/pyproject.toml": '[project]\nname = "native"\nversion = "1"\n'
            'requires-python = ">=3.11"\ndependencies = ["pydantic==2.12.4"]\n',
        },
    ),
    Kind(
        "native/index.py",
        f"{FROM}import markupsafe, markupsafe._speedups\ndef handler(event, context):\n"
        "    return answer(str(markupsafe.escape('<')))\n",
        "&lt;",
        asked="native",
        beside={
            "native/pyproject.toml": '[project]\nname = "native"\nversion = "1"\n'
            'requires-python = ">=3.11"\ndependencies = ["markupsafe"]\n',
        },
    ),
)  # fmt: skip
LOCKED = "team/people/roles/native"  # where `uv lock` has to be run

SETTINGS = f"""site = "sixty"
region = "eu-central-1"
[build]
publish = "public"
[functions]
timeout = 30
runtime = "python3.{sys.version_info[1]}"
architecture = "{"arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"}"
"""
PACKAGE = {
    "private": True,
    "dependencies": {"escape-html": "1.0.3", "sharp": "0.34.5"},
}
SITE = {
    "jam.toml": SETTINGS,
    "package.json": json.dumps(PACKAGE),
    "public/index.html": "<h1>Sixty</h1>",
    "templates/page.html": "<p>",
    "functions/lib/answer.js": NODE_LIB,
    "functions/lib/answer.py": PYTHON_LIB,
    "functions/.env": "SITE=sixty\n",
    "packages/greet/pyproject.toml": '[project]\nname = "greet"\nversion = "1"\n'
    '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n',
    "packages/greet/greet.py": "greeting = 'hello'\n",
}


def write(root: Path) -> list[Call]:
    """Writes the site; gives a call for each of its functions."""
    calls, files = [], dict(SITE)
    for place, kind in _functions():
        area, _, name = place.split("/")
        files[f"functions/{area}/.env"] = f"AREA={area}\n"
        files[f"functions/{place}/.env"] = f"PLACE={name}\n"
        files[f"functions/{place}/{kind.file}"] = kind.code
        files |= {f"functions/{place}/{path}": text for path, text in kind.beside.items()}
        asked = kind.asked or kind.file.rpartition(".")[0]
        path = f"/.functions/{place}/{asked}".removesuffix("/.")
        calls.append(Call(path, kind.said, f"sixty/{area}/{name}"))
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return calls


def _functions() -> Iterator[tuple[str, Kind]]:
    for place, native in zip(PLACES, NATIVE, strict=True):
        yield from ((place, kind) for kind in (*NODE, *PYTHON, native))
