"""What the Dockerfile says, done in order in clean roots, on a machine without a container daemon.

A bare Debian stands in for the base image: a stage begins as a copy of it, `RUN` runs inside by chroot, and a container
is a process of its own namespaces, as the user and with the file system that it would have: read-only but for its
volume. That takes root on a Debian.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
VOLUME: Final = "data"

_PACKAGES: Final = ("?essential", "usr-is-merged", "apt", "python3-venv", "python3-pip", "ca-certificates")
_MERGED: Final = ("bin", "lib", "lib64", "sbin")
_DEVICES: Final = ("null", "random", "urandom", "zero")
_UNREAD: Final = ("doc", "info", "locale", "man")
_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")

_PIP: Final = """\
#!/bin/sh
if [ "$3 $4 $5" = "install --no-compile --require-hashes" ]; then
    uv pip install --quiet --no-cache --require-hashes --python "$2" "$6" "$7" && exec rm -f "$2/.lock"
    exit 1
fi
exec /usr/bin/pip "$@"
"""
"""What stands in for pip of the base image: what is locked by hashes uv installs, in a tenth of the time."""

Instruction = tuple[str, str]


def is_possible() -> bool:
    """Whether this machine can do it."""
    return os.getuid() == 0 and all(map(shutil.which, ("apt-get", "dpkg-deb", "chroot", "unshare", "nsenter")))


def hadolint() -> str | None:
    """Find the linter of Dockerfiles: one of the development requirements, where it is made for the processor."""
    return shutil.which("hadolint", path=os.pathsep.join([str(Path(sys.executable).parent), _PATH]))


def instructions(text: str) -> list[Instruction]:
    """The instructions of a Dockerfile: comments dropped, continued lines joined."""
    plain = re.sub(r"\\\n", " ", re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))
    pairs = (line.split(maxsplit=1) for line in plain.splitlines() if line.strip())
    return [(keyword, rest) for keyword, rest in pairs]


@dataclass
class Stage:
    """One stage while it is built.

    Attributes:
        root: Its file system.
        environ: What ENV set.
        folder: Where WORKDIR is.
        user: Who runs the container.
        entry: What runs in it, and with what by default.
        check: How Docker asks whether it is well.
        labels: What is said of it.
    """

    root: Path
    environ: dict[str, str] = field(default_factory=lambda: {"PATH": _PATH})
    folder: str = "/"
    user: str = "0:0"
    entry: tuple[list[str], list[str]] = ([], [])
    check: list[str] = field(default_factory=list[str])
    labels: dict[str, str] = field(default_factory=dict[str, str])


def build(text: str, work: Path) -> Stage:
    """Do what a Dockerfile says; the last stage.

    Args:
        text: The Dockerfile.
        work: An empty folder.
    """
    base = work / "base"
    _bootstrap(base)
    stages: dict[str, Stage] = {}
    stage = Stage(base)
    for keyword, rest in instructions(text):
        if keyword == "FROM":
            name = rest.partition(" AS ")[2] or "image"
            _run(["cp", "--archive", str(base), str(work / name)])  # devices stay devices
            stage = stages[name] = Stage(work / name)
        else:
            _DO[keyword](stage, rest, stages)
    return stage


def _bootstrap(root: Path) -> None:
    """Make the bare system, from where this machine's own packages come.

    Packages are unpacked and noted as installed. To configure them, as debootstrap does, takes four times as long, and
    nothing here needs more of it than what follows.
    """
    for name in _MERGED:
        (root / "usr" / name).mkdir(parents=True)
        (root / name).symlink_to(f"usr/{name}")
    _unpack_packages(root)
    for name in ("passwd", "group"):
        shutil.copy(root / f"usr/share/base-passwd/{name}.master", root / f"etc/{name}")
    _run(["cp", "--archive", *(f"/dev/{name}" for name in _DEVICES), str(root / "dev")])
    _run(["ldconfig", "-r", str(root)])
    # There are no users but those of base-passwd.
    (root / "etc/apt/apt.conf.d/root").write_text('APT::Sandbox::User "root";\n')
    (root / "usr/local/bin").mkdir(parents=True)
    (root / "usr/local/bin/python").symlink_to("/usr/bin/python3")
    (root / "usr/local/bin/pip").write_text(_PIP)
    (root / "usr/local/bin/pip").chmod(0o755)
    shutil.copy(Path(sys.executable).with_name("uv"), root / "usr/local/bin/uv")
    shutil.copy(_CERTIFICATES, root / _CERTIFICATES.relative_to("/"))
    shutil.copy("/etc/resolv.conf", root / "etc/resolv.conf")


def _unpack_packages(root: Path) -> None:
    """Fetch the packages, unpack them, and note that they are installed."""
    state, sources, noted = root / "var/lib/apt", root / "etc/apt/sources.list", root / "var/lib/dpkg/status"
    archives = root / "var/cache/apt/archives"
    for folder in (state / "lists/partial", archives / "partial", sources.parent, noted.parent):
        folder.mkdir(parents=True)
    sources.write_text(_source())
    noted.touch()
    paths = {"Dir::State": state, "Dir::State::status": noted, "Dir::Cache": archives.parent}
    told = {
        **paths,
        "Dir::Etc::SourceList": sources,
        "Dir::Etc::SourceParts": "/dev/null",
        "APT::Sandbox::User": "root",
        "Acquire::CompressionTypes::Order::": "gz",  # four times as fast to unpack as xz
    }
    apt = ["apt-get", "--quiet", "--yes", *(f"--option={name}={value}" for name, value in told.items())]
    _run([*apt, "update"])
    _run([*apt, "install", "--download-only", "--no-install-recommends", *_PACKAGES])
    unread = " ".join(f"--exclude=./usr/share/{name}" for name in _UNREAD)
    script = (
        "for package; do"
        f" dpkg-deb --fsys-tarfile $package | tar --extract --keep-directory-symlink {unread} --directory={root};"
        f" dpkg-deb --field $package | sed '1a Status: install ok installed' >>{noted}; echo >>{noted};"
        "done"
    )
    _run(["/bin/sh", "-ec", script, "unpack", *map(str, archives.glob("*.deb"))])
    _run([*apt, "clean"])


def _source() -> str:
    """Compose the line that tells apt where this machine's own packages come from: apt itself says it."""
    release = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    suite = release["VERSION_CODENAME"].strip('"')
    mirrors = re.findall(rf"'(\S+)/dists/{suite}/InRelease'", _run(["apt-get", "--print-uris", "update"]))
    assert mirrors, f"apt of this machine has no source of {suite}"
    return f"deb {mirrors[0]} {suite} main\n"


def _run_inside(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    reach = {name: value for name, value in os.environ.items() if name.startswith("PIP_") or "proxy" in name.lower()}
    certificates = dict.fromkeys(("PIP_CERT", "SSL_CERT_FILE"), str(_CERTIFICATES))
    if "PIP_INDEX_URL" in reach:
        reach["UV_DEFAULT_INDEX"] = reach["PIP_INDEX_URL"]
    command = f"cd {stage.folder} && {rest}"
    _run(["chroot", str(stage.root), "/bin/sh", "-ec", command], {**reach, **certificates, **stage.environ})


def _copy(stage: Stage, rest: str, stages: Mapping[str, Stage]) -> None:
    words = rest.split()
    origin = ROOT
    if words[0].startswith("--from="):
        origin = stages[words.pop(0).removeprefix("--from=")].root
    *sources, target = words
    into = stage.root / (Path(stage.folder) / target).relative_to("/")
    for source in sources:
        path = origin / source.lstrip("/")
        if path.is_dir():
            ignored = shutil.ignore_patterns("__pycache__") if origin is ROOT else None
            shutil.copytree(path, into, symlinks=True, dirs_exist_ok=True, ignore=ignored)
        else:
            place = into / path.name if target.endswith("/") else into
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, place)


def _env(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    for pair in rest.split():
        name, _, value = pair.partition("=")
        stage.environ[name] = value.replace("$PATH", stage.environ["PATH"])


def _workdir(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    stage.folder = rest.strip()
    (stage.root / stage.folder.lstrip("/")).mkdir(parents=True, exist_ok=True)


def _user(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    stage.user = rest.strip()


def _entrypoint(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    stage.entry = (json.loads(rest), stage.entry[1])


def _cmd(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    stage.entry = (stage.entry[0], json.loads(rest))


def _healthcheck(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    stage.check = json.loads(rest.partition("CMD")[2])


def _label(stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    name, _, value = rest.partition("=")
    stage.labels[name] = value.strip()


def _expose(_stage: Stage, rest: str, _stages: Mapping[str, Stage]) -> None:
    if not rest.strip().isdecimal():
        raise ValueError(rest)


_DO: Final = {
    "RUN": _run_inside,
    "COPY": _copy,
    "ENV": _env,
    "WORKDIR": _workdir,
    "USER": _user,
    "ENTRYPOINT": _entrypoint,
    "CMD": _cmd,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "EXPOSE": _expose,
}


@dataclass
class Container:
    """A running one.

    Attributes:
        stage: The image.
        process: What started it.
        environ: What it is told.
    """

    stage: Stage
    process: subprocess.Popen[str]
    environ: Mapping[str, str]

    @property
    def first(self) -> int:
        """The process that is its first one, as this machine counts."""
        [child] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(child)

    def inside(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run something in it, as `docker exec` would."""
        user, group = self.stage.user.split(":")
        enter = ["nsenter", f"--target={self.first}", "--mount", "--pid", f"--root=/proc/{self.first}/root", "--wd=/"]
        as_user = [f"--setuid={user}", f"--setgid={group}", "--"]
        return subprocess.run([*enter, *as_user, *words], capture_output=True, text=True, check=False, env=self.environ)

    def stop(self) -> int:
        """Ask it to end, as `docker stop` would; its exit status."""
        os.kill(self.first, signal.SIGTERM)
        return self.process.wait()


@contextmanager
def container(stage: Stage, *words: str, **environ: str) -> Generator[Container]:
    """Run the image as `docker run --read-only` would, with an empty volume; `words` take the place of CMD."""
    entry, usual = stage.entry
    told = {**stage.environ, **environ}
    root, (user, group) = stage.root, stage.user.split(":")
    script = (
        f"mount --bind {root} {root} && mount -o remount,bind,ro {root} && mount -t proc proc {root}/proc && "
        f"mount --bind /dev {root}/dev && mount -t tmpfs -o mode=0700,uid={user},gid={group} tmpfs {root}/{VOLUME} && "
        f'exec chroot --userspec={stage.user} {root} "$@"'
    )
    alone = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--", "/bin/sh", "-ec", script, "run"]
    with subprocess.Popen(
        [*alone, *entry, *(words or usual)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=told,
    ) as process:
        one = Container(stage, process, told)
        try:
            yield one
        finally:
            if process.poll() is None:  # whoever drops its rights no longer dies with its parent
                os.kill(one.first, signal.SIGKILL)


def _run(words: Sequence[str], environ: Mapping[str, str] | None = None) -> str:
    ended = subprocess.run(words, capture_output=True, text=True, check=False, env=environ)
    if ended.returncode != 0:
        raise AssertionError(f"{words[-1]}\n{ended.stdout[-3000:]}\n{ended.stderr[-3000:]}")
    return ended.stdout
