"""Code from elsewhere is unpacked into its folder and does nothing outside of it."""

from __future__ import annotations

import io
import os
import stat
import warnings
import zipfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import JamError
from runner.operate.unpack import check_folder, unpack


def archive(*entries: tuple[str, bytes] | tuple[str, bytes, int]) -> bytes:
    """A zip of names, contents and modes, in order, with names as they are given."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # names that are there twice are what some tests want
        for name, content, *mode in entries:
            info = zipfile.ZipInfo("x")
            info.filename = name
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = (mode[0] if mode else stat.S_IFREG | 0o644) << 16
            opened.writestr(info, content)
    return stream.getvalue()


def everything_below(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


def refused(code: bytes, folder: Path) -> JamError:
    with pytest.raises(JamError) as caught:
        unpack(code, folder)
    assert caught.value.turn == 3
    return caught.value


def test_files_come_out_with_their_content_and_their_right_to_run(tmp_path):
    code = archive(("index.js", b"code"), ("lib/", b""), ("lib/tool", b"#!", stat.S_IFREG | 0o755))
    done = unpack(code, tmp_path / "new" / "folder")
    assert (done.files, done.bytes, done.links) == (2, 6, ())
    assert (tmp_path / "new/folder/index.js").read_bytes() == b"code"
    assert not os.access(tmp_path / "new/folder/index.js", os.X_OK)
    assert os.access(tmp_path / "new/folder/lib/tool", os.X_OK)


@pytest.mark.parametrize(
    "name",
    [
        "../outside",
        "lib/../../outside",
        "/tmp/outside",
        "..\\outside",
        "lib\\..\\..\\outside",
        "C:outside",
        "C:\\outside",
        "index.js:stream",
        "new\nline",
        "\x1b[2Jclear",
        ".",
    ],
)
def test_a_name_that_leads_elsewhere_stops_all_and_is_told(name, tmp_path):
    error = refused(archive(("fine.js", b"1"), (name, b"2")), tmp_path / "code")
    assert error.code == "JAM-CODE-UNSAFE"
    assert repr(name) in str(error)
    assert everything_below(tmp_path) == []


def test_every_bad_name_is_told_at_once(tmp_path):
    error = refused(archive(("../a", b""), ("../b", b"")), tmp_path)
    assert len(error.problems) == 2


@pytest.mark.parametrize(
    "names",
    [
        ("a.js", "a.js"),
        ("a.js", "A.js"),
        ("a.js", "./a.js"),
        ("a", "a//b"),
        ("a", "a/b.js"),
        ("LIB/x", "lib"),
    ],
)
def test_two_entries_for_one_place_are_refused(names, tmp_path):
    error = refused(archive(*((name, b"") for name in names)), tmp_path)
    assert error.code == "JAM-CODE-UNSAFE"
    assert everything_below(tmp_path) == []


def test_symbolic_links_are_left_out_and_told(tmp_path):
    code = archive(("passwd", b"/etc/passwd", stat.S_IFLNK | 0o777), ("index.js", b"1"))
    assert unpack(code, tmp_path).links == ("passwd",)
    assert everything_below(tmp_path) == ["index.js"]


def test_a_file_below_a_link_of_the_same_archive_is_refused(tmp_path):
    code = archive(("lib", b"/etc", stat.S_IFLNK | 0o777), ("lib/cron", b"1"))
    assert refused(code, tmp_path).code == "JAM-CODE-UNSAFE"


def test_an_archive_that_swells_beyond_lambdas_limit_is_not_opened(tmp_path):
    code = archive(*((f"{n}", bytes(26_000_000)) for n in range(11)))
    assert len(code) < 1_000_000
    assert "more than Lambda takes" in str(refused(code, tmp_path))
    assert everything_below(tmp_path) == []


@pytest.mark.parametrize("code", [b"", b"no zip", archive(("a", b"abc"))[:-30]])
def test_what_is_no_archive_is_said_to_be_damaged(code, tmp_path):
    assert refused(code, tmp_path).code == "JAM-CODE-DAMAGED"


def test_content_that_does_not_fit_its_checksum_is_damaged(tmp_path):
    code = bytearray(archive(("a", bytes(range(256)) * 4)))
    code[60] ^= 0xFF
    assert refused(bytes(code), tmp_path).code == "JAM-CODE-DAMAGED"


@given(
    names=st.lists(
        st.text(st.sampled_from("ab./\\:~\x00é"), min_size=1, max_size=12), min_size=1, max_size=4
    )
)
@settings(deadline=None, max_examples=300)
def test_whatever_the_names_nothing_appears_outside(names, tmp_path_factory):
    around = tmp_path_factory.mktemp("around")
    code = archive(*((name, b"1") for name in names if not name.endswith("/")))
    try:
        unpack(code, around / "inner" / "code")
    except JamError as error:
        assert error.code in {"JAM-CODE-UNSAFE", "JAM-CODE-DAMAGED"}  # noqa: PT017 -- either is fine
    assert set(everything_below(around)) <= {
        path
        for path in everything_below(around)
        if path in ("inner", "inner/code") or path.startswith("inner/code/")
    }


def test_a_new_and_an_empty_folder_are_taken(tmp_path):
    check_folder(tmp_path)
    check_folder(tmp_path / "new")


@pytest.mark.parametrize("what", ["full", "file", "broken link"])
def test_a_folder_with_something_in_it_is_not_touched(what, tmp_path):
    place = tmp_path / "place"
    if what == "full":
        place.mkdir()
        (place / "mine").write_text("")
    elif what == "file":
        place.write_text("")
    else:
        place.symlink_to(tmp_path / "nowhere")
    with pytest.raises(JamError) as caught:
        check_folder(place)
    assert caught.value.code == "JAM-FOLDER-NOT-EMPTY"
    assert str(place) in caught.value.message
