"""CloudFront Functions at the edge: what they get, what they may do, and where they do not run."""

from __future__ import annotations

import json
from typing import Any

import pytest

from runner.local.wire import Request, Response
from tests.cloudfront_site import (
    ALL,
    DISABLED,
    World,
    behaviour,
    config,
    custom_origin,
    group,
    listed,
    text,
)


@pytest.fixture
def world() -> World:
    return World()


def site(world: World, *, request: str = "", response: str = "", **more: Any) -> str:
    """A site of two origins, `one` and `two`, that answer with their own name and the path."""
    for name in ("one", "two"):
        world.answers.setdefault(f"{name}.example.com", lambda r: text(r.host[:3] + r.path))
    arns = {
        event: world.function(code, name=event)
        for event, code in (("request", request), ("response", response))
        if code
    }
    made = world.distribute(
        **config(
            custom_origin("one.example.com", identity="one"),
            custom_origin("two.example.com", identity="two"),
            default=behaviour("one", **arns, **{"policy": DISABLED, **more}),
        )
    )
    return str(made["DomainName"])


SHOW = """
function handler(event) {
  return { statusCode: 200, body: JSON.stringify(event), headers: { a: { value: 'b' } } };
}
"""


class TestEvents:
    def shown(self, world: World, path: str, **headers: str) -> Any:
        host = site(world, request=SHOW)
        got = world.get(host, path, **headers)
        assert got.header("x-cache") == "FunctionGeneratedResponse from cloudfront"
        return json.loads(got.body) | {"host": host}

    def test_an_event_has_the_documented_shape(self, world: World) -> None:
        event = self.shown(world, "/a%20b", x_a="1")
        host = event["host"]
        assert event["version"] == "1.0"
        assert event["viewer"] == {"ip": "127.0.0.1"}
        context = event["context"]
        assert context["distributionDomainName"] == host
        assert context["eventType"] == "viewer-request"
        assert context["distributionId"].startswith("E")
        assert context["requestId"].endswith("==")
        request = event["request"]
        assert (request["method"], request["uri"]) == ("GET", "/a%20b")
        assert request["headers"] == {"host": {"value": host}, "x-a": {"value": "1"}}

    def test_query_and_cookies_are_taken_apart_and_left_as_they_were_sent(
        self, world: World
    ) -> None:
        request = self.shown(world, "/?a=1&b=%20&a=2&c", cookie="x=1; y=a=b")["request"]
        assert request["querystring"] == {
            "a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
            "b": {"value": "%20"},
            "c": {"value": ""},
        }
        assert request["cookies"] == {"x": {"value": "1"}, "y": {"value": "a=b"}}
        assert "cookie" not in request["headers"]

    def test_no_function_sees_what_cloudfront_keeps_for_itself(self, world: World) -> None:
        headers = self.shown(
            world, "/", x_amz_cf_id="1", connection="close", cloudfront_viewer_country="XX"
        )["request"]["headers"]
        assert set(headers) == {"host"}

    def test_request_ids_are_unique(self, world: World) -> None:
        host = site(world, request=SHOW)
        ids = {json.loads(world.get(host).body)["context"]["requestId"] for _ in range(50)}
        assert len(ids) == 50


REWRITE = """
function handler(event) {
  const request = event.request;
  request.uri = '/new' + request.uri;
  request.headers['x-jam-draw'] = { value: event.context.requestId };
  request.querystring = {};
  return request;
}
"""


def test_the_rewritten_path_goes_to_the_origin_but_not_to_the_choice_of_behaviour(
    world: World,
) -> None:
    arn = world.function(REWRITE.replace("'/new' + request.uri", "'/.functions/x'"))
    world.answers["one.example.com"] = lambda r: text("one" + r.path)
    world.answers["two.example.com"] = lambda r: text("two" + r.path)
    made = world.distribute(
        **config(
            custom_origin("one.example.com", identity="one"),
            custom_origin("two.example.com", identity="two"),
            default=behaviour("one", request=arn),
            others=[behaviour("two", pattern="/.functions/*")],
        )
    )
    assert world.get(made["DomainName"], "/a").body == b"one/.functions/x"


def test_a_header_that_the_function_sets_is_in_the_key(world: World) -> None:
    policy = world.policy("draw", headers=["x-jam-draw"], ttls=(0, 60, 60))
    host = site(world, request=REWRITE, policy=policy)
    assert [world.get(host).header("x-cache") for _ in range(2)] == ["Miss from cloudfront"] * 2
    assert world.edge.log.to("one")[-1].path == "/new/"


def test_an_emptied_query_string_reaches_nobody(world: World) -> None:
    forward = world.forwarding(queries=["*"])
    host = site(world, request=REWRITE, forward=forward)
    world.get(host, "/a?response-content-type=text/plain")
    assert world.edge.log.to("one")[-1].query == ""


def test_an_untouched_query_string_goes_on_as_it_was_sent(world: World) -> None:
    host = site(world, request="function handler(event) { return event.request; }",
                forward=world.forwarding(queries=["*"]))  # fmt: skip
    world.get(host, "/?b&a=%20&b=2")
    assert world.edge.log.to("one")[-1].query == "b&a=%20&b=2"


def test_cookies_that_the_function_sets_go_on(world: World) -> None:
    code = """function handler(event) {
      event.request.cookies.pin = { value: 'b' }; return event.request; }"""
    host = site(world, request=code, forward=world.forwarding(cookies=["*"]))
    world.get(host, cookie="a=1; pin=a")
    assert world.edge.log.to("one")[-1].header("cookie") == "a=1; pin=b"


def test_a_function_may_answer_itself(world: World) -> None:
    code = """function handler(event) {
      return { statusCode: 302, headers: { location: { value: '/x' } },
               cookies: { a: { value: '1', attributes: 'Path=/' } } }; }"""
    stamp = """function handler(event) {
      event.response.headers['x-late'] = { value: '1' }; return event.response; }"""
    host = site(world, request=code, response=stamp)
    got = world.get(host)
    assert (got.status, got.header("location")) == (302, "/x")
    assert got.header("set-cookie") == "a=1; Path=/"
    assert got.header("x-late") == ""
    assert world.edge.log.to("one") == []


class TestFailures:
    @pytest.mark.parametrize(
        ("code", "status", "verdict"),
        [
            ("function handler(event) { throw new Error('no'); }", 503, "FunctionExecutionError"),
            ("function handler(event) { return 7; }", 502, "FunctionValidationError"),
            ("function handler(event) { event.request.headers.host = {value: 'x'};"
             " return event.request; }", 502, "FunctionValidationError"),
        ],
    )  # fmt: skip
    def test_a_visitor_gets_cloudfronts_page(
        self, world: World, code: str, status: int, verdict: str
    ) -> None:
        host = site(world, request=code)
        got = world.get(host)
        assert (got.status, got.header("x-cache")) == (status, f"{verdict} from cloudfront")
        assert b"The request could not be satisfied" in got.body
        assert world.edge.log.to("one") == []

    def test_a_throwing_response_function_hides_the_origins_answer(self, world: World) -> None:
        host = site(world, response="function handler(event) { throw new Error('no'); }")
        assert world.get(host).status == 503


STAMP = """
function handler(event) {
  const response = event.response;
  response.headers['x-seen'] = { value: event.request.uri + ' ' + response.statusCode };
  response.cookies.seen = { value: '1', attributes: 'Path=/; Secure' };
  delete response.headers['x-amz-meta-jam-release'];
  return response;
}
"""


class TestResponses:
    def test_it_runs_on_hits_too_and_its_changes_are_not_stored(self, world: World) -> None:
        world.answers["one.example.com"] = lambda _r: text(
            cache_control="max-age=60", x_amz_meta_jam_release="r1"
        )
        host = site(world, response=STAMP, policy=world.policy())
        for verdict in ("Miss", "Hit"):
            got = world.get(host, "/a")
            assert got.header("x-cache").startswith(verdict)
            assert got.header("x-seen") == "/a 200"
            assert got.header("set-cookie") == "seen=1; Path=/; Secure"
            assert got.header("x-amz-meta-jam-release") == ""
            assert got.header("content-length") == "5"

    @pytest.mark.parametrize("status", [400, 404, 503])
    def test_it_does_not_run_from_400_on(self, world: World, status: int) -> None:
        world.answers["one.example.com"] = lambda _r: text(status=status)
        host = site(world, response=STAMP, policy=world.policy())
        for _ in range(2):
            assert world.get(host).header("x-seen") == ""

    def test_it_does_not_run_for_a_custom_error_page_either(self, world: World) -> None:
        world.answers["one.example.com"] = lambda r: text(status=200 if r.path == "/e" else 404)
        arn = world.function(STAMP)
        made = world.distribute(
            **config(
                custom_origin("one.example.com"), default=behaviour("site", response=arn),
                CustomErrorResponses=listed(
                    {"ErrorCode": 404, "ResponsePagePath": "/e", "ResponseCode": "200"}
                ),
            )
        )  # fmt: skip
        got = world.get(made["DomainName"], "/a")
        assert (got.status, got.header("x-seen")) == (200, "")

    def test_event_request_is_the_visitors_and_not_the_rewritten_one(self, world: World) -> None:
        host = site(world, request=REWRITE, response=STAMP)
        assert world.get(host, "/a").header("x-seen") == "/a 200"

    def test_it_runs_on_a_304_with_the_stored_metadata(self, world: World) -> None:
        world.answers["one.example.com"] = lambda _r: text(
            etag='"e"', cache_control="max-age=60", x_amz_meta_jam_release="r1"
        )
        code = STAMP.replace(
            "response.statusCode", "response.headers['x-amz-meta-jam-release'].value"
        )
        host = site(world, response=code, policy=world.policy())
        got = world.get(host, "/a", if_none_match='"e"')
        assert (got.status, got.header("x-seen"), got.body) == (304, "/a r1", b"")

    def test_it_may_replace_the_body(self, world: World) -> None:
        code = """function handler(event) {
          event.response.body = { encoding: 'text', data: 'other' }; return event.response; }"""
        host = site(world, response=code)
        got = world.get(host)
        assert (got.body, got.header("content-length")) == (b"other", "5")


def choose(call: str) -> str:
    return (
        f"import cf from 'cloudfront'; function handler(event) {{ {call}; return event.request; }}"
    )


TO_GROUP = choose("""cf.createRequestOriginGroup({
    originIds: [{ originId: 'two' }, { originId: 'one' }],
    selectionCriteria: 'default', failoverCriteria: { statusCodes: [403, 503] } })""")


class TestChoosingTheOrigin:
    def test_one_of_the_distribution_by_its_id(self, world: World) -> None:
        host = site(world, request=choose("cf.selectRequestOriginById('two')"))
        assert world.get(host, "/a").body == b"two/a"

    def test_the_key_stays_the_same_so_the_other_origins_answer_is_found(
        self, world: World
    ) -> None:
        code = choose("if (event.request.headers['x-other']) cf.selectRequestOriginById('two')")
        host = site(world, request=code, policy=world.policy(ttls=(0, 60, 60)))
        world.get(host, "/a")
        got = world.get(host, "/a", x_other="1")
        assert (got.body, got.header("x-cache")) == (b"one/a", "Hit from cloudfront")

    def test_a_group_of_its_own_with_its_own_codes(self, world: World) -> None:
        world.answers["two.example.com"] = lambda _r: text(status=403)
        host = site(world, request=TO_GROUP)
        assert world.get(host, "/a").body == b"one/a"
        world.answers["two.example.com"] = lambda _r: text("own page", status=404)
        assert world.get(host, "/a").body == b"own page"

    @pytest.mark.parametrize(("method", "body"), [("GET", b"one/a"), ("POST", b"no")])
    def test_a_group_fails_over_for_reads_only(
        self, world: World, method: str, body: bytes
    ) -> None:
        world.answers["two.example.com"] = lambda _r: text("no", status=503)
        host = site(world, request=TO_GROUP, methods=ALL)
        assert world.ask(host, "/a", method=method).body == body

    def test_it_replaces_the_behaviours_own_group(self, world: World) -> None:
        for name in ("one", "two"):
            world.answers[f"{name}.example.com"] = lambda r: text(r.host[:3])
        made = world.distribute(
            **config(
                custom_origin("one.example.com", identity="one"),
                custom_origin("two.example.com", identity="two"),
                default=behaviour("group", request=world.function(TO_GROUP)),
                OriginGroups=listed(group("one", "two")),
            )
        )
        assert world.get(made["DomainName"]).body == b"two"

    @pytest.mark.parametrize(
        "call",
        [
            "cf.selectRequestOriginById('three')",
            "cf.createRequestOriginGroup({ originIds: [{ originId: 'one' }] })",
            "cf.createRequestOriginGroup({ originIds: [{ originId: 'one' }, { originId: 'x' }],"
            " failoverCriteria: { statusCodes: [500] } })",
            "cf.updateRequestOrigin({ domainName: 'a b' })",
            "cf.updateRequestOrigin({ hostHeader: 'x', originAccessControlConfig:"
            " { enabled: true, signingBehavior: 'always', originType: 'lambda' } })",
        ],
    )
    def test_a_choice_that_cannot_be_is_502(self, world: World, call: str) -> None:
        host = site(world, request=choose(call))
        got = world.get(host)
        assert (got.status, got.header("x-cache")) == (
            502,
            "FunctionValidationError from cloudfront",
        )

    def test_an_update_inherits_what_it_leaves_out_secrets_included(self, world: World) -> None:
        seen: list[Request] = []

        def other(request: Request) -> Response:
            seen.append(request)
            return text()

        world.answers["third.example.com"] = other
        call = "cf.updateRequestOrigin({ domainName: 'third.example.com' })"
        arn = world.function(choose(call))
        secret = listed({"HeaderName": "x-key", "HeaderValue": "secret"})
        made = world.distribute(
            **config(
                custom_origin("one.example.com", CustomHeaders=secret, OriginPath="/p"),
                default=behaviour("site", request=arn),
            )
        )
        world.get(made["DomainName"], "/a")
        assert (seen[0].path, seen[0].header("x-key")) == ("/p/a", "secret")
        assert seen[0].header("host") == "third.example.com"


def test_a_new_version_is_used_once_it_is_published(world: World) -> None:
    answer = "function handler(event) {{ return {{ statusCode: {} }}; }}"
    host = site(world, request=answer.format(201))
    assert world.get(host).status == 201
    tag = world.call("DescribeFunction", Name="request")["ETag"]
    runtime = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    changed = world.call("UpdateFunction", Name="request", IfMatch=tag, FunctionConfig=runtime,
                         FunctionCode=answer.format(202).encode())  # fmt: skip
    assert world.get(host).status == 201
    world.call("PublishFunction", Name="request", IfMatch=changed["ETag"])
    assert world.get(host).status == 202


def test_functions_run_for_writes_too(world: World) -> None:
    code = """function handler(event) {
      return { statusCode: 200, headers: { m: { value: event.request.method } } }; }"""
    host = site(world, request=code, methods=ALL)
    assert world.ask(host, method="DELETE").header("m") == "DELETE"
