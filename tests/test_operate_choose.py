"""Which function a word means."""

from __future__ import annotations

import pytest

from runner.aws.deployed import Deployed
from runner.errors import JamError
from runner.operate.choose import choose, may_be_foreign, unknown

FUNCTIONS = tuple(
    Deployed(name=name, function=f"jam-s--{tail}", version="3")
    for name, tail in (
        ("notes", "notes-1"),
        ("notes/[id]", "notes-id-2"),
        ("notes/all", "notes-all-3"),
        ("mail", "mail-4"),
    )
)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("notes", "notes"),  # a whole name wins over being a part of others
        ("notes/[id]", "notes/[id]"),
        ("[id]", "notes/[id]"),
        ("ai", "mail"),
        ("jam-s--notes-all-3", "notes/all"),
    ],
)
def test_a_word_means_a_name_a_lambda_name_or_the_only_name_that_has_it(word, name):
    found = choose(word, FUNCTIONS)
    assert found is not None
    assert found.name == name


def test_a_word_in_no_name_means_none_of_the_sites_functions():
    assert choose("weather", FUNCTIONS) is None


def test_a_part_of_several_names_is_refused_with_those_names():
    with pytest.raises(JamError) as caught:
        choose("notes/", FUNCTIONS)
    assert caught.value.code == "JAM-FUNCTION-AMBIGUOUS"
    assert "notes/[id], notes/all" in caught.value.message


@pytest.mark.parametrize(
    ("word", "may"),
    [
        ("other-function", True),
        ("other-function:3", True),
        ("other-function:$LATEST", True),
        ("arn:aws:lambda:eu-west-1:123456789012:function:other", True),
        ("arn:aws-cn:lambda:cn-north-1:123456789012:function:other:live", True),
        ("notes/[id]", False),
        ("two words", False),
        ("", False),
    ],
)
def test_only_what_lambda_takes_for_a_name_is_looked_for_in_the_account(word, may):
    assert may_be_foreign(word) is may


@pytest.mark.parametrize(
    ("word", "names", "live", "hint"),
    [
        ("ntes/all", ["notes/all", "mail"], True, "Did you mean notes/all?"),
        ("zzz", ["notes/all", "mail"], True, "There are: mail, notes/all."),
        ("zzz", list("abcdefg"), True, "There are: a, b, c, d, e and 2 more."),
        ("zzz", [], False, "jam-deploy deploy"),
    ],
)
def test_an_unknown_function_is_answered_with_the_nearest_names(word, names, live, hint):
    error = unknown(word, names, live=live)
    assert error.code == "JAM-FUNCTION-UNKNOWN"
    assert error.turn == 2
    assert hint in error.hint
    assert ("no release" in error.message) is not live
