"""What would go wrong on AWS goes wrong here: each way to break the serving contract, seen.

The site has the real shape: a group of S3 and then the function URL, a router in front.
"""

from __future__ import annotations

import hashlib
from itertools import pairwise
from typing import Any

import pytest

from runner.local.cloudfront import Propagation
from runner.local.wire import Request, Response
from tests.cloudfront_site import (
    ALL_BUT_HOST,
    API,
    DISABLED,
    ENTRY,
    World,
    behaviour,
    config,
    custom_origin,
    group,
    listed,
    s3_origin,
    text,
)

FILES = {f"production/releases/{name}/a": name for name in ("live", "candidate")}
LONG = "public, max-age=0, s-maxage=31536000, must-revalidate"

ROUTER = """
import cf from 'cloudfront';
function handler(event) {
  const request = event.request;
  const draw = request.headers['x-visit'] && request.headers['x-visit'].value === 'new';
  request.uri = '/releases/live' + request.uri;
  %s
  return request;
}
"""
GROUP = """if (draw) cf.createRequestOriginGroup({
  originIds: [{ originId: 'entry' }, { originId: 'files' }], selectionCriteria: 'default',
  failoverCriteria: { statusCodes: [403, 500, 502, 503, 504] } });"""
DRAW = "delete request.headers['x-jam-draw']; if (draw) request.headers['x-jam-draw'] = { value: "
ID = "event.context.requestId };"


class Site:
    """`entry` is what the function URL answers; `policy` and `forward` are the contract's parts."""

    def __init__(self, world: World, router: str, *, queries: tuple[str, ...] = (),
                 headers: tuple[str, ...] = (), cookies: tuple[str, ...] = (),
                 errors: tuple[Any, ...] = (), response: str = "",
                 key: tuple[str, ...] = ("x-jam-draw",), **put: Any) -> None:  # fmt: skip
        self.world = world
        self.entry = lambda _request: text("candidate", cache_control="private, no-store")
        world.answers[ENTRY] = self._entered
        world.answers[API] = lambda request: text(request.path)
        world.bucket(FILES, **{"cache-control": LONG, **put})
        policy = world.policy(headers=key)
        forward = world.forwarding(queries=queries, headers=headers, cookies=cookies)
        arns = {"request": world.function(router)} if router else {}
        if response:
            arns["response"] = world.function(response, name="response")
        made = world.distribute(
            **config(
                s3_origin(world.control(), path="/production"),
                custom_origin(ENTRY, identity="entry", control=world.control("lambda")),
                default=behaviour("group", policy=policy, forward=forward, **arns),
                OriginGroups=listed(group("files", "entry")),
                CustomErrorResponses=listed(*errors),
            )
        )
        world.allow("s3:GetObject", "s3:ListBucket", arn=made["ARN"])
        self.host = made["DomainName"]

    def _entered(self, request: Request) -> Response:
        return self.entry(request)

    def get(self, path: str = "/a", **headers: str) -> Response:
        return self.world.get(self.host, path, **headers)


@pytest.fixture
def world() -> World:
    return World()


def test_a_draw_that_keeps_lives_path_meets_the_cached_document(world: World) -> None:
    site = Site(world, ROUTER % GROUP)
    site.get()
    drawn = site.get(x_visit="new")
    assert (drawn.body, drawn.header("x-cache")) == (b"live", "Hit from cloudfront")


def test_a_draw_on_a_path_of_its_own_is_poisoned_by_one_failure_of_entry(world: World) -> None:
    site = Site(world, ROUTER % (DRAW + "'always the same' };" + GROUP))
    site.entry = lambda _request: text(status=503)
    assert site.get(x_visit="new").body == b"live"
    site.entry = lambda _request: text("candidate", cache_control="private, no-store")
    assert site.get(x_visit="new").body == b"live"


def test_a_draw_with_the_requests_id_in_the_key_is_never_found_again(world: World) -> None:
    site = Site(world, ROUTER % (DRAW + ID + GROUP))
    site.get()
    assert site.get(x_visit="new").body == b"candidate"
    site.entry = lambda _request: text(status=503)
    assert site.get(x_visit="new").body == b"live"
    site.entry = lambda _request: text("candidate", cache_control="private, no-store")
    assert [site.get(x_visit="new").body for _ in range(3)] == [b"candidate"] * 3
    assert site.get().header("x-cache") == "Hit from cloudfront"


def test_a_forwarded_query_outside_the_key_poisons_the_document_for_everyone(
    world: World,
) -> None:
    site = Site(world, ROUTER % "", queries=("*",))
    site.get("/a?response-content-type=text/plain&response-cache-control=max-age%3D9")
    victim = site.get()
    assert victim.header("content-type") == "text/plain"
    assert victim.header("x-cache") == "Hit from cloudfront"


def test_an_emptied_query_string_keeps_s3_out_of_visitors_hands(world: World) -> None:
    site = Site(world, ROUTER % "request.querystring = {};", queries=("*",))
    assert site.get("/a?response-content-type=text/plain").header("content-type") == "text/html"
    assert site.get("/a?partNumber=1").status == 200


def test_a_forwarded_header_that_s3_refuses_is_stored_ten_seconds_for_everyone(
    world: World,
) -> None:
    name = "x-amz-server-side-encryption-customer-algorithm"
    site = Site(world, ROUTER % "", headers=(name,))
    assert site.get(**{name: "AES256"}).status == 400
    assert site.get().status == 400
    world.later(11)
    assert site.get().status == 200


def test_error_caching_of_zero_for_400_keeps_it_to_the_one_who_asked(world: World) -> None:
    name = "x-amz-server-side-encryption-customer-algorithm"
    errors = ({"ErrorCode": 400, "ErrorCachingMinTTL": 0},)
    site = Site(world, ROUTER % "", headers=(name,), errors=errors)
    assert site.get(**{name: "AES256"}).status == 400
    assert site.get().status == 200


def test_a_stored_redirect_hands_one_visitors_parameters_to_the_next(world: World) -> None:
    def redirect(request: Request) -> Response:
        return text(status=301, location="/to?" + request.header("x-jam-query"), cache_control=LONG)

    hand_on = "request.headers['x-jam-query'] = { value: 'q=' + request.querystring.q.value };"
    site = Site(world, ROUTER % hand_on, headers=("x-jam-query",))
    site.entry = redirect
    site.get("/old?q=mine")
    assert site.get("/old?q=yours").header("location") == "/to?q=mine"


def test_entrys_set_cookie_needs_a_forwarded_cookie(world: World) -> None:
    site = Site(world, ROUTER % "")
    site.entry = lambda _request: text("page", set_cookie="jam-pin=x", cache_control="no-store")
    assert site.get("/other").header("set-cookie") == ""


def test_entrys_set_cookie_passes_with_the_pin_on_the_allow_list(world: World) -> None:
    site = Site(world, ROUTER % "", cookies=("jam-pin",))
    site.entry = lambda _request: text("page", set_cookie="jam-pin=x", cache_control="no-store")
    assert site.get("/other").header("set-cookie") == "jam-pin=x"


def test_a_percent_encoded_path_never_reaches_entry(world: World) -> None:
    site = Site(world, ROUTER % "")
    site.entry = lambda _request: text("the 404 page", status=404)
    assert site.get("/a%20b").status == 403
    assert b"signature" in site.get("/a+b").body
    assert site.get("/a~20b").body == b"the 404 page"


def test_a_store_that_lags_mixes_releases(world: World) -> None:
    store = world.store()
    world.put(store, live="candidate")
    code = """
    import cf from 'cloudfront';
    async function handler(event) {
      let live = 'none';
      try { live = await cf.kvs().get('live'); } catch (error) { live = 'none'; }
      return { statusCode: 200, headers: { live: { value: live } } };
    }"""
    world.later(60)
    arn = world.function(code, store=store)
    made = world.distribute(**config(custom_origin(), default=behaviour("site", request=arn)))
    world.cloudfront.settings.propagation = Propagation(seconds=30, missing=0.3, old=0.3)
    world.put(store, live="live")
    seen = [world.get(made["DomainName"]).header("live") for _ in range(60)]
    assert set(seen) == {"live", "candidate", "none"}
    assert any(one == "live" and two == "candidate" for one, two in pairwise(seen))


def test_a_function_that_lets_a_missing_key_throw_is_a_5xx(world: World) -> None:
    store = world.store()
    code = """
    import cf from 'cloudfront';
    async function handler(event) { await cf.kvs().get('live'); return event.request; }"""
    arn = world.function(code, store=store)
    made = world.distribute(**config(custom_origin(), default=behaviour("site", request=arn)))
    assert world.get(made["DomainName"]).status == 503


def test_equal_bytes_of_another_release_keep_the_browsers_old_header_rules(world: World) -> None:
    site = Site(world, ROUTER % "")
    tag = site.get().header("etag")
    again = site.get(if_none_match=tag)
    assert (again.status, again.body) == (304, b"")


def test_a_crashed_entry_is_everyones_for_ten_seconds_unless_told_otherwise(
    world: World,
) -> None:
    site = Site(world, ROUTER % "")
    site.entry = lambda _request: text(status=502, cache_control="private, no-store")
    assert site.get("/other").status == 502
    site.entry = lambda _request: text("well again")
    assert site.get("/other").status == 502
    world.later(11)
    assert site.get("/other").status == 200


def test_entrys_404_with_no_store_is_asked_for_again(world: World) -> None:
    site = Site(world, ROUTER % "")
    answers = [text(status=404, cache_control="private, no-store"), text("there now")]
    site.entry = lambda _request: answers.pop(0)
    assert [site.get("/other").status for _ in range(2)] == [404, 200]


def test_a_throttled_draw_does_not_fail_over(world: World) -> None:
    site = Site(world, ROUTER % (DRAW + ID + GROUP))
    site.entry = lambda _request: text(status=429)
    assert site.get(x_visit="new").status == 429


def test_entrys_own_404_in_a_draw_does_not_fail_over(world: World) -> None:
    site = Site(world, ROUTER % (DRAW + ID + GROUP))
    site.entry = lambda _request: text("not here", status=404)
    assert site.get(x_visit="new").body == b"not here"


def test_s3s_403_sends_an_existing_path_to_entry(world: World) -> None:
    site = Site(world, ROUTER % "")
    world.allow("s3:ListBucket", arn="arn:aws:cloudfront::123456789012:distribution/OTHER")
    site.entry = lambda request: text(request.path)
    assert site.get().body == b"/releases/live/a"


def test_what_entry_gave_in_s3s_place_is_stored_like_s3s_own(world: World) -> None:
    site = Site(world, ROUTER % "")
    site.entry = lambda _request: text("spa", cache_control="s-maxage=60")
    site.get("/other")
    assert site.get("/other").header("x-cache") == "Hit from cloudfront"


def test_the_response_function_is_not_run_on_entrys_404(world: World) -> None:
    stamp = """function handler(event) {
      event.response.headers['x-jam-release'] = { value: 'r' }; return event.response; }"""
    site = Site(world, ROUTER % "", response=stamp)
    site.entry = lambda _request: text(status=404)
    assert site.get().header("x-jam-release") == "r"
    assert site.get("/other").header("x-jam-release") == ""


def test_functions_on_a_rewritten_stage_keep_host_and_body_in_order(world: World) -> None:
    seen: list[Request] = []

    def api(request: Request) -> Response:
        seen.append(request)
        return text("made", status=201)

    world.answers[API] = api
    code = """function handler(event) {
      event.request.uri = '/stage1' + event.request.uri;
      event.request.headers['x-forwarded-host'] = { value: event.request.headers.host.value };
      return event.request; }"""
    methods = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
    made = world.distribute(
        **config(
            custom_origin(API, identity="api"),
            default=behaviour("api", policy=DISABLED, forward=ALL_BUT_HOST, methods=methods,
                              request=world.function(code)),
        )
    )  # fmt: skip
    host = made["DomainName"]
    got = world.ask(host, "/.functions/notes?x=1", method="POST", body=b"{}",
                    headers={"x-forwarded-host": "evil", "cookie": "a=1"})  # fmt: skip
    assert got.status == 201
    assert (seen[0].path, seen[0].query) == ("/stage1/.functions/notes", "x=1")
    assert (seen[0].host, seen[0].header("host")) == (API, API)
    assert seen[0].header("x-forwarded-host") == host
    assert seen[0].header("cookie") == "a=1"


def test_an_unsigned_post_to_entry_is_refused(world: World) -> None:
    world.answers[ENTRY] = lambda _request: text()
    methods = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
    made = world.distribute(
        **config(
            custom_origin(ENTRY, control=world.control("lambda")),
            default=behaviour("site", policy=DISABLED, forward=ALL_BUT_HOST, methods=methods),
        )
    )
    ask = {"method": "POST", "body": b"x"}
    assert world.ask(made["DomainName"], **ask).status == 403
    signed = {"x-amz-content-sha256": hashlib.sha256(b"x").hexdigest()}
    assert world.ask(made["DomainName"], headers=signed, **ask).status == 200
