"""Names: within AWS's limits, never shared, found again by a later run."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from hypothesis import given
from hypothesis import strategies as st

from runner.names import SITE, Names

SITES = st.from_regex(SITE, fullmatch=True)
PATHS = st.text(min_size=1, max_size=120)
ENVIRONMENTS = st.one_of(st.just("production"), st.integers(1, 99_999).map("pr-{}".format))


def names(site: str = "notes", environment: str = "production") -> Names:
    here = {"account": "123456789012", "region": "ap-northeast-1"}
    return Names(site=site, **here, environment=environment)


@given(SITES, ENVIRONMENTS)
def test_a_bucket_name_fits_and_lies_in_the_accounts_own_namespace(site, environment):
    bucket = names(site, environment).bucket
    assert len(bucket) <= 63
    assert bucket.endswith("-123456789012-ap-northeast-1-an")


@given(SITES, PATHS, ENVIRONMENTS)
def test_a_functions_name_is_one_that_lambda_takes(site, path, environment):
    assert re.fullmatch(r"[A-Za-z0-9-_]{1,64}", names(site, environment).function(path))


@given(PATHS, PATHS)
def test_two_functions_never_share_a_name(one, other):
    same = names().function(one) == names().function(other)
    assert same == (one == other)


@given(SITES, SITES, PATHS)
def test_rights_on_a_sites_functions_are_none_on_another_sites(one, other, path):
    if one != other:
        assert not names(other).function(path).startswith(names(one).functions)


def test_a_previews_function_is_told_from_productions():
    assert names().preview(7).function("hello").startswith("jam-notes--pr-7--hello-")
    assert names().function("hello").startswith("jam-notes--hello-")


@given(SITES, SITES, PATHS, PATHS)
def test_rights_on_previews_are_none_on_production(site, other, one, another):
    shared = ("jam-*--pr", "jam-*--pr-entry", "jam-*--pr-keeper", "jam-*--pr-background")
    of_previews = ("jam-*--pr-*--*", *shared)
    production = names(other)
    ours = (production.entry, production.keeper, production.records)
    for name in (production.function(another), *ours):
        assert not any(fnmatchcase(name, each) for each in of_previews)
    assert fnmatchcase(names(site).preview(7).function(one), of_previews[0])
    assert fnmatchcase(names(site).preview(7).table("notes"), of_previews[0])


def test_previews_share_what_is_no_pull_requests_own():
    assert names().preview(7).records == names().previews.records == "jam-notes--pr"
    assert names().preview(7).objects == "previews/pr-7"
    assert names().previews.objects == "previews"
    assert names().objects == "production"
