"""ListObjectsV2: every object once, in order, whatever the page's size."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.local.s3.listing import page, query
from runner.local.wire import AwsError

SPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Stored:
    etag: str = '"0"'
    size: int = 1
    last_modified_ISO8601: str = "2026-01-01T00:00:00.000Z"  # noqa: N815 -- moto's name
    storage_class: str = "STANDARD"
    checksum_algorithm: str | None = None


class Deleted:
    """A delete marker."""


def pages(stored: dict[str, Any], **asked: str) -> Iterator[tuple[list[str], list[str]]]:
    token = ""
    while True:
        given_token = {"continuation-token": token} if token else {}
        found = ET.fromstring(page("b", stored, query(asked | given_token)))
        keys = [each.text or "" for each in found.iter(f"{SPACE}Key")]
        folders = [each.findtext(f"{SPACE}Prefix", "") for each in
                   found.iter(f"{SPACE}CommonPrefixes")]  # fmt: skip
        assert found.findtext(f"{SPACE}KeyCount") == str(len(keys) + len(folders))
        yield keys, folders
        token = found.findtext(f"{SPACE}NextContinuationToken", "")
        assert (found.findtext(f"{SPACE}IsTruncated") == "true") is bool(token)
        if not token:
            return


def wanted(keys: set[str], prefix: str, delimiter: str) -> tuple[list[str], list[str]]:
    """The same, said plainly: what starts with the prefix, cut at the first delimiter."""
    objects, folders = [], set()
    for key in keys:
        if key.startswith(prefix):
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            (folders.add(prefix + head + cut) if cut else objects.append(key))
    return sorted(objects, key=str.encode), sorted(folders, key=str.encode)


NAMES = st.text(alphabet="ab/~é&", min_size=1, max_size=6)


@given(
    keys=st.sets(NAMES, max_size=25),
    gone=st.sets(NAMES, max_size=5),
    prefix=st.text(alphabet="ab/", max_size=2),
    delimiter=st.sampled_from(["", "/", "a"]),
    most=st.integers(min_value=1, max_value=7),
)
def test_all_pages_together_are_the_whole_listing(
    keys: set[str], gone: set[str], prefix: str, delimiter: str, most: int
) -> None:
    stored: dict[str, Any] = dict.fromkeys(keys, Stored()) | dict.fromkeys(gone, Deleted())
    found = list(pages(stored, **{"prefix": prefix, "delimiter": delimiter, "max-keys": str(most)}))
    assert all(0 < len(objects) + len(folders) <= most for objects, folders in found[:-1])
    objects = [key for page_objects, _ in found for key in page_objects]
    folders = [key for _, page_folders in found for key in page_folders]
    assert (objects, folders) == wanted(keys - gone, prefix, delimiter)


@given(key=st.text(alphabet=st.characters(exclude_categories=["Cc", "Cs"]), min_size=1))
def test_a_name_survives_url_encoding(key: str) -> None:
    ((names, _),) = pages({key: Stored()}, **{"encoding-type": "url"})
    assert [unquote(name) for name in names] == [key]


@pytest.mark.parametrize(
    "asked",
    [
        {"max-keys": "x"},
        {"max-keys": "-1"},
        {"continuation-token": ""},
        {"continuation-token": "§"},
    ],
)
def test_a_senseless_page_is_refused(asked: dict[str, str]) -> None:
    with pytest.raises(AwsError):
        query(asked)


def test_no_page_is_longer_than_a_thousand() -> None:
    stored = {f"{number:04}": Stored() for number in range(1500)}
    sizes = [len(keys) for keys, _ in pages(stored, **{"max-keys": "5000"})]
    assert sizes == [1000, 500]


def test_listing_starts_after_the_key_that_is_named() -> None:
    stored = dict.fromkeys("abcd", Stored())
    assert [keys for keys, _ in pages(stored, **{"start-after": "b"})] == [["c", "d"]]
