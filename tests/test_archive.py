"""Archives are the same bytes everywhere, and every unzip program reads them."""

from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import JamError
from runner.package.archive import Member, Packer, content_of, write

SEGMENT = st.text(
    st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/\\"), min_size=1, max_size=8
).filter(lambda text: text not in (".", ".."))
PATH = st.lists(SEGMENT, min_size=1, max_size=3).map("/".join)
MEMBER = st.one_of(
    st.binary(max_size=200), st.tuples(st.binary(max_size=200).map(lambda b: b * 50), st.booleans())
)
SAMPLE: dict[str, Member] = {
    "index.js": b"exports.handler = async () => ({ statusCode: 200 });\n" * 40,
    "bin/tool": (b"#!/bin/sh\n", True),
    "dätei.txt": b"",
}


@given(st.dictionaries(PATH, MEMBER, max_size=6))
def test_python_reads_back_what_was_written(members: dict[str, Member]) -> None:
    with zipfile.ZipFile(io.BytesIO(write(members))) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == sorted(members, key=str.encode)
        for info in archive.infolist():
            content, executable = content_of(members[info.filename])
            assert archive.read(info) == content
            assert info.external_attr >> 16 == (0o100755 if executable else 0o100644)
            assert (info.date_time, info.create_system) == ((1980, 1, 1, 0, 0, 0), 3)
            assert not info.extra


def test_order_of_the_members_and_a_shared_packer_change_no_byte() -> None:
    backwards = dict(reversed(SAMPLE.items()))
    packer = Packer()
    assert write(SAMPLE) == write(backwards) == write(SAMPLE, packer) == write(SAMPLE, packer)


def test_the_bytes_are_those_of_every_other_machine() -> None:
    """Fails where the pinned libdeflate compresses otherwise: another version, another build."""
    assert hashlib.sha256(write(SAMPLE)).hexdigest() == (
        "32bacc83061afb7f0be0cffb287b8d14282c2b5fd60eae7ed5b3fa1fc74cf637"
    )


@pytest.mark.skipif(shutil.which("unzip") is None, reason="no unzip on this machine")
def test_info_zip_finds_no_fault(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(write(SAMPLE))
    done = subprocess.run(["unzip", "-t", tmp_path / "a.zip"], capture_output=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", ["/etc/passwd", "../up", "a/../b", "a//b", "", "a\\b", "a/."])
def test_a_path_that_leaves_the_folder_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="not a path"):
        write({path: b""})


def test_more_files_than_the_format_counts_are_refused() -> None:
    with pytest.raises(JamError) as caught:
        write({f"{number}": b"" for number in range(65_536)})
    assert caught.value.code == "JAM-ARCHIVE-SIZE"
