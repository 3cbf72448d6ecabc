"""The package as it is handed out: built, and installed where nothing else is, without a network."""

import re
import subprocess
import sys
import venv
import zipfile
from importlib import metadata
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
ROOMS: Final = sorted(path.parent.name for path in ROOT.glob("*/__init__.py"))
"""The packages."""

PROGRAM: Final = "TESTED_PROGRAM"
"""The variable that names the program which the end-to-end tests start in place of the repository's."""


def build(folder: Path, *kinds: str) -> list[Path]:
    """Build the package. Returns what was built, in the order of the kinds: `wheel`, `sdist`."""
    wanted = [word for kind in kinds for word in ("-t", kind)]
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", *wanted, "-d", str(folder)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    endings = {"wheel": "*.whl", "sdist": "*.tar.gz"}
    return [next(folder.glob(endings[kind])) for kind in kinds]


def install_alone(wheel: Path, folder: Path) -> Path:
    """Make an environment of a wheel, and of the locked requirements of the runtime as they are installed here.

    Returns:
        The folder of its programs.
    """
    venv.create(folder, with_pip=False)
    programs = folder / "bin"
    site = next((folder / "lib").glob("python*/site-packages"))
    for name in re.findall(r"^([a-z0-9-]+)==", (ROOT / "requirements/runtime.lock").read_text(), re.MULTILINE):
        _link(name, site)
    pip = [sys.executable, "-m", "pip", "--python", str(programs / "python"), "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, "--quiet", str(wheel)], check=True, capture_output=True)
    return programs


def _link(name: str, site: Path) -> None:
    """Link a distribution of this environment into another; one of another system is not here.

    Whole folders are linked, so that what is compiled already need not be compiled again.
    """
    try:
        distribution = metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return
    for top in {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}:
        if not (site / top).exists():
            (site / top).symlink_to(Path(str(distribution.locate_file(top))))


def stub(requirement: str, version: str, folder: Path) -> None:
    """Write a wheel without content, which stands for a requirement where no network is."""
    name = requirement.replace("-", "_")
    facts = f"Metadata-Version: 2.1\nName: {requirement}\nVersion: {version}\n"
    tag = "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for file, text in (("METADATA", facts), ("WHEEL", tag), ("RECORD", "")):
            wheel.writestr(f"{name}-{version}.dist-info/{file}", text)
