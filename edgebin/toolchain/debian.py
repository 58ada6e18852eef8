"""Unpacks Debian packages for arm64 into a folder: no root, no chroot, nothing of the system is changed.

apt resolves and checks them as it does for the system, from the mirror that the system itself uses, but with lists and
a record of installed packages of its own, which is empty: so it brings all dependencies along.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from edgebin.errors import ToolchainError
from edgebin.toolchain.process import call
from edgebin.toolchain.wheels import Say

# Debian 12: the newest whose Python is one that tflite-runtime has wheels for. Mirrors of later Debians carry it too.
SUITE = "bookworm"
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
_ELSEWHERE = "make it on Debian, for instance in a container, and set EDGEBIN_CACHE_DIR to a folder shared with it"
_HINT = "this step needs a mirror of Debian; afterwards everything works offline"


def unpack_debian_packages(packages: Sequence[str], root: Path, say: Say) -> None:
    """Fills `root` with these arm64 packages and all they depend on, `/lib` merged with `/usr/lib`.

    Raises:
        ToolchainError: no apt, the system is not a Debian, or the mirror cannot be reached.
    """
    mirror = debian_mirror()
    for name in ("lib", "bin", "sbin"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        (root / name).symlink_to(f"usr/{name}")
    with tempfile.TemporaryDirectory(dir=root.parent, prefix=".apt-") as scratch:
        say(f"downloading {' '.join(packages)} for arm64 of Debian {SUITE}")
        for package in _download(packages, mirror, Path(scratch)):
            # dpkg -x would put a folder in the place of the link /lib.
            call(
                ["sh", "-c", 'dpkg-deb --fsys-tarfile "$0" | tar -x --keep-directory-symlink -C "$1"', package, root],
                what=f"unpacking {package.name}",
            )
    _make_links_relative(root)


def debian_mirror() -> str:
    """The address of the mirror that the system takes its own packages from.

    Raises:
        ToolchainError: the system is not a Debian, or names no mirror.
    """
    if shutil.which("apt-get") is None or shutil.which("dpkg-deb") is None:
        raise ToolchainError(
            "an arm64 userland is made of Debian packages, and this system has no apt", hint=_ELSEWHERE
        )
    system = platform.freedesktop_os_release()
    if system.get("ID") != "debian":
        raise ToolchainError(
            f"an arm64 userland is made of Debian packages, and this system is {system.get('PRETTY_NAME', 'another')}",
            hint=_ELSEWHERE,
        )
    targets = call(
        ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages"],
        what="reading apt's sources",
    )
    for line in targets.splitlines():
        address, release, component = line.rsplit(" ", 2)
        if (release, component) == (system.get("VERSION_CODENAME"), "main"):
            return address
    raise ToolchainError("apt's sources name no mirror of Debian", hint="see `man sources.list`")


def _download(packages: Sequence[str], mirror: str, folder: Path) -> list[Path]:
    lists, archives = folder / "lists", folder / "cache" / "archives"
    for path in (lists, archives):
        (path / "partial").mkdir(parents=True)
    (folder / "status").touch()
    signed_by = f" signed-by={_KEYRING}" if _KEYRING.exists() else ""
    (folder / "sources.list").write_text(f"deb [arch=arm64{signed_by}] {mirror} {SUITE} main\n")
    options = {
        "APT::Architecture": "arm64",
        "APT::Architectures::": "arm64",
        "APT::Install-Recommends": "false",
        "APT::Sandbox::User": "root",
        "APT::Update::Error-Mode": "any",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
        "Dir::Cache": folder / "cache",
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State::Lists": lists,
        "Dir::State::status": folder / "status",
    }
    apt = ["apt-get", "-qq", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    call([*apt, "update"], what="reading Debian's list of arm64 packages", hint=_HINT)
    call(
        [*apt, "--yes", "--download-only", "install", *packages], what="downloading Debian's arm64 packages", hint=_HINT
    )
    return sorted(archives.glob("*.deb"))


def _make_links_relative(root: Path) -> None:
    """Links that begin at `/` mean the root that they lie in."""
    for folder, folders, files in os.walk(root):
        depth = len(Path(folder).relative_to(root).parts)
        for path in (Path(folder) / name for name in (*folders, *files)):
            if path.is_symlink() and (aim := path.readlink()).is_absolute():
                path.unlink()
                path.symlink_to(Path(*[".."] * depth) / aim.relative_to("/"))
