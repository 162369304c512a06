"""A function that streams, from jam.toml to what a visitor sees while it still runs."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import boto3
import pytest
import urllib3

from tests.scenarios.conftest import Site

REGION = "eu-central-1"
EVENTS = """
import { existsSync } from "node:fs";

const WORD = "first";
const until = async (seen) => { while (!seen()) await new Promise((on) => setTimeout(on, 10)); };

export default async (request) => {
  const signal = new URL(request.url).searchParams.get("until");
  const encoder = new TextEncoder();
  const body = new ReadableStream({
    async start(controller) {
      controller.enqueue(encoder.encode(`data: ${WORD} one of ${new URL(request.url).host}\\n\\n`));
      if (signal) await until(() => existsSync(signal));
      controller.enqueue(encoder.encode("data: two\\n\\n"));
      controller.close();
    },
  });
  return new Response(body, { headers: { "content-type": "text/event-stream", "x-a": "b" } });
};
"""
# As the documentation of @netlify/functions shows its helper.
NETLIFY = """
import { stream } from "@netlify/functions";

export const handler = stream(async () => ({
  statusCode: 201,
  headers: { "content-type": "text/plain" },
  body: new ReadableStream({ start(it) { it.enqueue("one "); it.enqueue("two"); it.close(); } }),
}));
"""
# What that package does with a handler, told by its promise.
PACKAGE = """
const { pipeline } = require("node:stream/promises");
exports.stream = (handler) => awslambda.streamifyResponse(async (event, out, context) => {
  const { body, ...rest } = await handler(event, context);
  await pipeline(body, awslambda.HttpResponseStream.from(out, rest));
});
"""
PLAIN = "export const handler = async () => ({ statusCode: 200, body: 'plain' });\n"
SETTINGS = f"""
site = "streaming"
region = "{REGION}"
[build]
publish = "public"
[functions."live/events"]
stream = true
timeout = 60
[functions.netlify]
stream = true
"""


CORS = '[functions]\ncors = ["https://app.example.com"]\n'


@pytest.fixture(scope="module")
def site(account: str, tmp_path_factory: pytest.TempPathFactory) -> Site:
    folder = tmp_path_factory.mktemp("streaming")
    files = {
        "jam.toml": SETTINGS,
        "public/index.html": "<h1>Events</h1>",
        "functions/live/events.js": EVENTS,
        "functions/netlify.mjs": NETLIFY,
        "functions/plain.js": PLAIN,
        "functions/package.json": json.dumps({"name": "functions", "private": True}),
        "functions/node_modules/@netlify/functions/index.js": PACKAGE,
        "functions/node_modules/@netlify/functions/package.json": json.dumps(
            {"name": "@netlify/functions", "version": "1.0.0", "main": "index.js"}
        ),
    }
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    return Site(Path(folder), account)


@pytest.fixture(scope="module")
def first(site: Site) -> dict[str, Any]:
    return site.deploy()


def client(site: Site, service: str) -> Any:
    return boto3.client(
        service,
        endpoint_url=site.endpoint,
        region_name=REGION,
        aws_access_key_id="rehearsal",
        aws_secret_access_key="rehearsal",
    )


def opened(site: Site, deployed: dict[str, Any], path: str) -> urllib3.BaseHTTPResponse:
    """An answer of the distribution, its body not read yet."""
    return urllib3.request(
        "GET",
        site.endpoint + path,
        headers={"host": urlsplit(deployed["url"]).netloc},
        preload_content=False,
        retries=False,
        timeout=20,
    )


def parts(answer: urllib3.BaseHTTPResponse) -> Iterator[bytes]:
    yield from answer.stream(1 << 16)


def distribution(site: Site, deployed: dict[str, Any]) -> dict[str, Any]:
    edge = client(site, "cloudfront")
    domain = urlsplit(deployed["url"]).netloc
    listed = edge.list_distributions()["DistributionList"]["Items"]
    identity = next(each["Id"] for each in listed if each["DomainName"] == domain)
    return edge.get_distribution_config(Id=identity)["DistributionConfig"]


def urls(site: Site) -> list[str]:
    """The function URLs of the site's functions that stream."""
    functions = client(site, "lambda")
    named = [each["FunctionName"] for each in functions.list_functions()["Functions"]]
    found = [
        url
        for name in named
        if name.startswith("jam-streaming--")
        for url in functions.list_function_url_configs(FunctionName=name)["FunctionUrlConfigs"]
    ]
    assert all(
        (each["AuthType"], each["InvokeMode"]) == ("AWS_IAM", "RESPONSE_STREAM") for each in found
    )
    return [each["FunctionUrl"] for each in found]


def test_a_visitor_has_the_first_part_before_the_second_exists(
    site: Site, first: dict[str, Any], tmp_path: Path
) -> None:
    signal = tmp_path / "signal"
    answer = opened(site, first, f"/.functions/live/events?until={signal}")
    arriving = parts(answer)
    host = urlsplit(first["url"]).netloc.encode()
    assert next(arriving) == b"data: first one of " + host + b"\n\n"
    assert not signal.exists()
    signal.touch()
    assert b"".join(arriving) == b"data: two\n\n"
    assert (answer.status, answer.headers["x-a"]) == (200, "b")
    assert answer.headers["content-type"] == "text/event-stream"
    assert answer.headers["x-cache"] == "Miss from cloudfront"


def test_netlifys_helper_streams_and_a_plain_function_is_what_it_was(
    site: Site, first: dict[str, Any]
) -> None:
    helped = site.get(first["url"], "/.functions/netlify")
    assert (helped.status, helped.data) == (201, b"one two")
    assert site.get(first["url"], "/.functions/plain").data == b"plain"


def test_only_cloudfront_may_call_the_url_and_only_get_and_head_reach_it(
    site: Site, first: dict[str, Any]
) -> None:
    for url in urls(site):
        direct = urllib3.request(
            "GET", site.endpoint, headers={"host": urlsplit(url).netloc}, retries=False
        )
        assert direct.status == 403
    assert site.get(first["url"], "/.functions/netlify", method="HEAD").status == 201
    assert site.get(first["url"], "/.functions/netlify", method="POST").status == 403


def test_a_visitor_cannot_say_which_host_it_is(site: Site, first: dict[str, Any]) -> None:
    seen = site.get(first["url"], "/.functions/live/events", x_forwarded_host="evil.example")
    assert b"evil" not in seen.data


def test_pages_of_a_listed_origin_may_read_what_streams(site: Site, first: dict[str, Any]) -> None:
    def asked(deployed: dict[str, Any], origin: str) -> urllib3.BaseHTTPResponse:
        return site.get(
            deployed["url"],
            "/.functions/netlify",
            method="OPTIONS",
            origin=origin,
            access_control_request_method="GET",
        )

    site.replace("jam.toml", "[functions.netlify]", f"{CORS}[functions.netlify]")
    opened_to = site.deploy()
    allowed = asked(opened_to, "https://app.example.com")
    assert allowed.headers["access-control-allow-origin"] == "https://app.example.com"
    assert "access-control-allow-origin" not in asked(opened_to, "https://b.example").headers
    read = site.get(opened_to["url"], "/.functions/netlify", origin="https://app.example.com")
    assert read.headers["access-control-allow-origin"] == "https://app.example.com"
    site.replace("jam.toml", f"{CORS}[functions.netlify]", "[functions.netlify]")
    closed = asked(site.deploy(), "https://app.example.com")
    assert "access-control-allow-origin" not in closed.headers


def test_a_release_changes_what_streams_for_everybody_at_once(
    site: Site, first: dict[str, Any]
) -> None:
    site.replace("functions/live/events.js", '"first"', '"second"')
    second = site.deploy()
    pinned = site.get(second["url"], "/.functions/live/events", x_jam_release=first["release"])
    assert pinned.data.startswith(b"data: second one")
    site.replace("functions/live/events.js", '"second"', '"first"')
    back = site.deploy()
    assert back["release"] == first["release"]
    assert site.get(back["url"], "/.functions/live/events").data.startswith(b"data: first one")


def test_what_a_failed_deploy_left_is_taken_down_by_the_next(
    site: Site, first: dict[str, Any]
) -> None:
    (site.folder / "functions/more.js").write_text(EVENTS)
    (site.folder / "functions/plain.js").write_text(
        "throw new Error('broken');\nexports.handler = 1;"
    )
    site.replace(
        "jam.toml", "[functions.netlify]", "[functions.more]\nstream = true\n[functions.netlify]"
    )
    assert site.jam("deploy").error["code"] == "JAM-FUNCTION-FAILS"
    assert len(urls(site)) == 3
    (site.folder / "functions/more.js").unlink()
    (site.folder / "functions/plain.js").write_text(PLAIN)
    site.replace("jam.toml", "[functions.more]\nstream = true\n", "")
    assert site.deploy()["release"] == first["release"]
    assert len(urls(site)) == 2
    assert len(distribution(site, first)["CacheBehaviors"]["Items"]) == 3
    assert site.get(first["url"], "/.functions/more").status == 404


def test_a_function_that_streams_no_more_leaves_url_origin_and_path(
    site: Site, first: dict[str, Any]
) -> None:
    assert len(urls(site)) == 2
    (site.folder / "functions/live/events.js").unlink()
    site.replace("jam.toml", '[functions."live/events"]\nstream = true\ntimeout = 60\n', "")
    site.replace("jam.toml", "[functions.netlify]\nstream = true\n", "")
    (site.folder / "functions/netlify.mjs").write_text(PLAIN)
    last = site.deploy()
    config = distribution(site, last)
    assert [each["Id"] for each in config["Origins"]["Items"]] == ["files", "entry", "api"]
    patterns = [each["PathPattern"] for each in config["CacheBehaviors"]["Items"]]
    assert not [each for each in patterns if "netlify" in each or "events" in each]
    assert urls(site) == []
    edges = client(site, "cloudfront").list_functions()["FunctionList"]["Items"]
    assert "jam-streaming-stream" not in [each["Name"] for each in edges]
    assert site.get(last["url"], "/.functions/live/events").status == 404
    assert site.get(last["url"], "/.functions/netlify").data == b"plain"
    assert site.deploy()["outcome"] == "unchanged"


def test_a_broken_stream_is_seen_by_the_visitor(plain: Site) -> None:
    (plain.folder / "functions").mkdir()
    (plain.folder / "functions" / "broken.js").write_text(
        """export const handler = awslambda.streamifyResponse(async (event, stream) => {
          stream.write("one");
          if (event.rawQueryString) throw new Error("in the middle");
          stream.end();
        });"""
    )
    with (plain.folder / "jam.toml").open("a") as file:
        file.write("[functions.broken]\nstream = true\n")
    deployed = plain.deploy()
    arriving = parts(opened(plain, deployed, "/.functions/broken?fail"))
    assert next(arriving) == b"one"
    began = time.monotonic()
    with pytest.raises(urllib3.exceptions.ProtocolError):
        list(arriving)
    assert time.monotonic() - began < 5
