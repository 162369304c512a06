"""Reading the publish folder: what comes through, what is refused, and that it is a copy."""

import hashlib
import os
import socket
import stat
import time
from pathlib import Path

import pytest

from runner.build import store as content_store
from runner.build.publish import Found, Limits, beside_the_site, read
from runner.errors import JamError, Turn

PRIVATE_KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{'MIIEpAIBAAKCAQEA1234' * 4}\n-----END"
AWS_KEY = "AKIA" + "Z7QWERTYUIOPASDF"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "dist"
    (made / "assets").mkdir(parents=True)
    (made / "index.html").write_text("<h1>hi</h1>")
    (made / "assets" / "a.js").write_text("a()")
    return made


def files(folder: Path, **options: object) -> list[str]:
    return [it.path for it in read(folder, folder.parent / "store", **options)]  # type: ignore[arg-type]  # tests pass options through


def refusal(folder: Path, **options: object) -> JamError:
    with pytest.raises(JamError) as caught:
        files(folder, **options)
    assert caught.value.turn is Turn.SITE
    return caught.value


def refused(folder: Path, **options: object) -> dict[str, str]:
    return {it.where: it.message for it in refusal(folder, **options).problems}


def test_every_file_comes_with_digest_size_and_a_copy(folder: Path) -> None:
    found = {it.path: it for it in read(folder, folder.parent / "store")}
    page = found["index.html"]
    assert list(found) == ["assets/a.js", "index.html"]
    assert page.digest == hashlib.sha256(b"<h1>hi</h1>").hexdigest()
    assert page.size == 11
    assert Path(page.source) == folder.parent / "store" / page.digest[:2] / page.digest
    assert page.source.read_bytes() == b"<h1>hi</h1>"
    assert stat.S_IMODE(Path(page.source).stat().st_mode) == 0o600


def test_a_file_swapped_after_reading_changes_nothing(folder: Path) -> None:
    found = read(folder, folder.parent / "store")
    (folder / "index.html").write_text("swapped")
    (page,) = [it for it in found if it.path == "index.html"]
    assert hashlib.sha256(page.source.read_bytes()).hexdigest() == page.digest


def test_equal_files_are_stored_once_and_never_written_again(folder: Path) -> None:
    (folder / "copy.js").write_text("a()")
    first = {it.path: it for it in read(folder, folder.parent / "store")}
    assert first["copy.js"].source == first["assets/a.js"].source
    inode = Path(first["copy.js"].source).stat().st_ino
    second = {it.path: it for it in read(folder, folder.parent / "store")}
    assert Path(second["copy.js"].source).stat().st_ino == inode
    assert not list((folder.parent / "store").glob(".*"))


def test_a_large_file_is_copied_in_pieces_with_the_same_digest(folder: Path) -> None:
    data = os.urandom(6 << 20)
    (folder / "film.mp4").write_bytes(data)
    found = {it.path: it for it in read(folder, folder.parent / "store")}["film.mp4"]
    assert (found.digest, found.size) == (hashlib.sha256(data).hexdigest(), len(data))
    assert found.source.read_bytes() == data


def test_a_symlink_out_of_the_publish_folder_is_refused_by_name(folder: Path) -> None:
    (folder / "passwd").symlink_to("/etc/passwd")
    error = refusal(folder)
    assert error.code == "JAM-UNSAFE-FILE"
    assert [(it.where, it.message) for it in error.problems] == [("passwd", "is a symbolic link")]


def test_all_that_is_unsafe_is_named_at_once(folder: Path, tmp_path: Path) -> None:
    outside = tmp_path / "credentials"
    outside.write_text("secret")
    os.link(outside, folder / "assets" / "linked.txt")
    os.mkfifo(folder / "pipe")
    (folder / "etc").symlink_to("/etc")
    (folder / "dangling").symlink_to("nowhere")
    here = Path.cwd()
    os.chdir(folder)  # a socket's path has at most 108 bytes
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("sock")
    os.chdir(here)
    listener.close()
    assert refused(folder) == {
        "assets/linked.txt": "is a hard link to a file outside the publish folder",
        "dangling": "is a symbolic link",
        "etc": "is a symbolic link",
        "pipe": "is a FIFO",
        "sock": "is a socket",
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_refused_by_name(folder: Path) -> None:
    try:
        os.mknod(folder / "zero", stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("no devices in this container")
    assert refused(folder) == {"zero": "is a character device"}


def test_hard_links_among_the_sites_own_files_go_through(folder: Path) -> None:
    os.link(folder / "assets" / "a.js", folder / "b.js")
    assert files(folder) == ["assets/a.js", "b.js", "index.html"]


def test_the_publish_folder_itself_must_not_be_a_link(folder: Path) -> None:
    link = folder.parent / "link"
    link.symlink_to(folder)
    assert refusal(link).code == "JAM-PUBLISH"


def test_a_name_that_is_not_utf8_is_refused_and_shown_readably(folder: Path) -> None:
    (Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9.html"))).write_text("x")
    assert refused(folder) == {"caf\\xe9.html": "has a name that is not UTF-8"}


@pytest.mark.parametrize(
    "name",
    [
        *(".git/config", ".env", ".env.production", "app/.env.local", ".npmrc", ".aws/credentials"),
        *(".ssh/id_rsa", "id_ed25519", "cert.p12", "store.JKS", ".htpasswd", "terraform.tfstate"),
    ],
)
def test_a_private_file_is_refused_by_its_name_unless_allowed(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_text("x")
    error = refusal(folder)
    assert error.code == "JAM-SECRET-FILE"
    assert name.startswith(error.problems[0].where)
    assert name in files(folder, allow=(error.problems[0].where,))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"key = '{AWS_KEY}'", "AWS Access Key in line 1"),
        (
            f"https://b.s3.amazonaws.com/a?X-Amz-Credential={AWS_KEY}/2026",
            "AWS Access Key in line 1",
        ),
        (f"x{AWS_KEY}\n{AWS_KEY}", "AWS Access Key in line 2"),
        (f"const pem = `\n{PRIVATE_KEY}`", "Private Key in line 2"),
        (repr(PRIVATE_KEY), "Private Key in line 1"),
        ("\n\ntoken=ghp_" + "a1B2" * 9, "GitHub Token in line 3"),
        ("xoxb-123456789012-123456789012-" + "aB3" * 8, "Slack Token in line 1"),
        ("sk_live_" + "a1B2c3D4" * 3, "Stripe Access Key in line 1"),
        ("//registry.npmjs.org/:_authToken=npm_" + "x" * 36, "NPM tokens in line 1"),
    ],
)
def test_a_credential_in_a_file_is_refused_with_its_line_unless_allowed(
    folder: Path, text: str, kind: str
) -> None:
    (folder / "assets" / "app.js.map").write_text(text)
    error = refusal(folder)
    assert error.code == "JAM-SECRET-FILE"
    assert [(it.where, it.message) for it in error.problems] == [
        ("assets/app.js.map", f"contains {kind}")
    ]
    assert text not in str(error)
    assert "assets/app.js.map" in files(folder, allow=("*.map",))


def test_a_copy_that_was_allowed_once_is_searched_again_without_the_permission(
    folder: Path,
) -> None:
    (folder / "app.js").write_text(f"key = '{AWS_KEY}'")
    for _ in range(2):
        assert "app.js" in files(folder, allow=("app.js",))
        assert list(refused(folder)) == ["app.js"]


@pytest.mark.parametrize(
    "text",
    [
        'if(!e.startsWith("-----BEGIN PRIVATE KEY-----"))throw new TypeError("pkcs8")',
        'const a="-----BEGIN RSA PRIVATE KEY-----",b="-----END RSA PRIVATE KEY-----";',
        "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE",
        "pk_live_51Habcdefghijklmnopqrstuvwx",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA\n",
        "var hash='d41d8cd98f00b204e9800998ecf8427e';password='correct horse'",
        f'wasm="AGFzbQEAAA{AWS_KEY}AAAABcDe"',
        "SG.prototype.key=function(){return'sk-'+e}",
    ],
)
def test_what_only_resembles_a_credential_goes_through(folder: Path, text: str) -> None:
    (folder / "app.js").write_text(text)
    assert "app.js" in files(folder)


def test_a_binary_file_is_not_searched(folder: Path) -> None:
    (folder / "font.woff2").write_bytes(b"\0\1" + AWS_KEY.encode())
    assert "font.woff2" in files(folder)


@pytest.mark.parametrize(
    ("path", "hidden"),
    [
        ("index.html", False),
        (".well-known/assetlinks.json", False),
        (".well-known/.cache", True),
        (".vite/manifest.json", True),
        ("docs/.nojekyll", True),
        (".DS_Store", True),
        ("a/.well-known/b", True),
    ],
)
def test_dotfiles_are_read_but_stay_hidden_except_well_known(path: str, hidden: bool) -> None:
    assert Found(path=path, digest="", size=0, source=Path()).hidden is hidden


def test_too_many_files_are_refused_before_one_is_read(folder: Path) -> None:
    error = refusal(folder, limits=Limits(files=1))
    assert (error.code, "more than 1 files" in error.message) == ("JAM-SITE-TOO-LARGE", True)
    assert not (folder.parent / "store").exists()


def test_a_sparse_giant_is_refused_at_once_and_by_name(folder: Path) -> None:
    with (folder / "giant.iso").open("wb") as file:
        file.truncate(100 << 30)
    started = time.monotonic()
    error = refusal(folder)
    assert (error.code, error.problems[0].where) == ("JAM-SITE-TOO-LARGE", "giant.iso")
    assert time.monotonic() - started < 1


def test_a_site_too_large_in_all_is_refused(folder: Path) -> None:
    assert "14 bytes" in refusal(folder, limits=Limits(total_bytes=10)).message


def test_a_folder_too_deep_is_refused_by_name(folder: Path) -> None:
    (folder / "/".join(["d"] * 70)).mkdir(parents=True)
    assert list(refused(folder).values()) == ["is more than 64 folders deep"]


def test_a_full_disk_is_told_as_such_and_leaves_nothing_half_written(tmp_path: Path) -> None:
    def full() -> object:
        yield b"first"
        raise OSError(28, "No space left on device")

    with pytest.raises(JamError) as caught:
        content_store.keep_stream(tmp_path / "store", full())  # type: ignore[arg-type]  # an iterable that fails
    assert (caught.value.code, caught.value.turn) == ("JAM-DISK-FULL", Turn.AGAIN)
    assert list((tmp_path / "store").iterdir()) == []


def test_all_copies_lie_there_once_a_folder_has_been_read(tmp_path: Path) -> None:
    folder, store = tmp_path / "dist", tmp_path / "store"
    folder.mkdir()
    for number in range(300):  # of each three two are equal
        (folder / f"{number}.html").write_text(f"page {number - (number % 3 == 2)}")
    found = read(folder, store)
    digests = {hashlib.sha256(it.source.read_bytes()).hexdigest() for it in found}
    assert len(found) == 300
    assert digests == {it.digest for it in found} == {it.name for it in store.glob("??/*")}
    assert len(digests) == 200
    assert not list(store.glob(".*"))


def test_a_copy_that_cannot_be_written_ends_the_reading(tmp_path: Path) -> None:
    folder, store = tmp_path / "dist", tmp_path / "store"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number}.html").write_text(f"page {number}")
    store.mkdir()
    in_the_way = hashlib.sha256(b"page 99").hexdigest()
    (store / in_the_way[:2]).write_text("no folder")
    with pytest.raises(NotADirectoryError):
        read(folder, store)


def test_a_repository_published_whole_leaves_out_what_is_the_repositorys(tmp_path: Path) -> None:
    root = tmp_path / "repo"
    for name in (
        *("index.html", "about/index.html", ".well-known/a", ".git/HEAD", ".env", ".github/w.yml"),
        *("functions/.env", "functions/hi.js", "node_modules/x/i.js", "jam.toml"),
    ):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text("x")
    left_out = beside_the_site(root, root, "functions")
    assert files(root, left_out=left_out) == [".well-known/a", "about/index.html", "index.html"]


def test_a_build_that_copied_a_dotenv_is_refused_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "dist").mkdir()
    (tmp_path / "dist" / ".env").write_text("x")
    left_out = beside_the_site(tmp_path / "dist", tmp_path, "functions")
    assert left_out == ()
    assert list(refused(tmp_path / "dist", left_out=left_out)) == [".env"]
