"""The arm64 userland: made whole or not at all, from what the system itself uses, and missed with a reason."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest

from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.toolchain import debian, userland
from edgebin.toolchain.userland import userland_command

BOOKWORM = {"ID": "debian", "VERSION_CODENAME": "bookworm"}
SOURCES = """\
http://vendor.example/apt/ cloud-sdk-bookworm main
http://security.example/debian-security/ bookworm-security main
http://mirror.example/debian/ bookworm main
"""


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def on(monkeypatch: pytest.MonkeyPatch, system: dict[str, str], sources: str = SOURCES) -> None:
    """Makes this machine another system with these sources of apt."""
    monkeypatch.setattr(platform, "freedesktop_os_release", lambda: system)
    monkeypatch.setattr(debian.shutil, "which", lambda name: f"/usr/bin/{name}")
    monkeypatch.setattr(debian, "call", lambda *_, **__: sources)


def test_mirror_is_the_systems_own(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, BOOKWORM)
    assert debian.debian_mirror() == "http://mirror.example/debian/"
    on(monkeypatch, {"ID": "debian", "VERSION_CODENAME": "trixie"}, "http://new.example/debian/ trixie main\n")
    assert debian.debian_mirror() == "http://new.example/debian/"


def test_other_systems_say_why_not(monkeypatch: pytest.MonkeyPatch) -> None:
    on(monkeypatch, {"ID": "ubuntu", "PRETTY_NAME": "Ubuntu 24.04"})
    with pytest.raises(ToolchainError, match=r"this system is Ubuntu 24\.04"):
        debian.debian_mirror()
    on(monkeypatch, BOOKWORM, "http://vendor.example/apt/ cloud-sdk-bookworm main\n")
    with pytest.raises(ToolchainError, match="no mirror"):
        debian.debian_mirror()
    monkeypatch.setattr(debian.shutil, "which", lambda _: None)
    with pytest.raises(ToolchainError, match="no apt"):
        debian.debian_mirror()


def test_missing_userland_names_the_step_that_makes_it(empty_cache: Path) -> None:
    with pytest.raises(ToolchainError) as caught:
        userland_command(load_target("rpi4b"), ["-c", "pass"])
    assert caught.value.hint is not None
    assert "edgebin targets fetch --userland" in caught.value.hint


def test_userland_that_fails_half_way_leaves_nothing(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(packages: object, root: Path, say: object) -> None:
        (root / "usr").mkdir()
        raise ToolchainError("the mirror is gone")

    monkeypatch.setattr(userland, "unpack_debian_packages", fail)
    with pytest.raises(ToolchainError, match="gone"):
        userland.userland(fetch=True)
    assert not list((empty_cache / "userland").iterdir())


def test_userland_that_is_there_needs_no_network(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(userland, "unpack_debian_packages", lambda packages, root, say: None)
    monkeypatch.setattr(userland, "unpack_wheels", lambda wheels, site, say: None)
    made = userland.userland(fetch=True)
    monkeypatch.undo()
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(empty_cache))
    monkeypatch.setattr(userland, "unpack_debian_packages", None)
    assert userland.userland(fetch=True) == made == userland.userland()


def test_links_mean_the_root_that_they_lie_in(tmp_path: Path) -> None:
    (tmp_path / "usr/lib/deep").mkdir(parents=True)
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/file").write_text("ours")
    (tmp_path / "usr/lib/deep/link").symlink_to("/etc/file")
    debian._make_links_relative(tmp_path)
    assert (tmp_path / "usr/lib/deep/link").read_text() == "ours"


def test_unreachable_mirror_is_one_error(empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    try:
        debian.debian_mirror()
    except ToolchainError as error:
        pytest.skip(str(error))
    monkeypatch.setattr(debian, "debian_mirror", lambda: (tmp_path / "nowhere").as_uri() + "/")
    with pytest.raises(ToolchainError, match="list of arm64 packages failed") as caught:
        userland.userland(fetch=True)
    assert caught.value.hint is not None
    assert not list((empty_cache / "userland").iterdir())
