"""All marks of credentials are looked for at once, and none is overlooked for that."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.build.secrets import DETECTORS, marks

MARKS = [mark for detector in DETECTORS for mark in detector.marks]
PIECES = st.one_of(
    st.sampled_from(MARKS), st.sampled_from([mark[:-1] for mark in MARKS]), st.binary(max_size=9)
)


@given(st.lists(PIECES, max_size=8).map(b"".join))
def test_what_is_found_is_what_a_search_for_each_finds(data: bytes) -> None:
    assert marks(data) == {mark for mark in MARKS if mark in data}


def test_a_mark_that_is_there_a_million_times_is_found_once() -> None:
    assert marks(b"SG." * 1_000_000) == {b"SG."}
