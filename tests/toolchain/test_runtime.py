"""Runtime libraries: fetched once, known by checksum, then offline."""

from __future__ import annotations

import hashlib
import importlib.metadata
import zipfile
from pathlib import Path

import pytest

from edgebin.errors import ToolchainError
from edgebin.targets import load_target
from edgebin.toolchain import wheels
from edgebin.toolchain.elf import elf_needs
from edgebin.toolchain.runtime import TVM_FFI_VERSION, Backend, fetch_onnxruntime_aarch64, runtime_libraries
from edgebin.toolchain.wheels import Wheel, WheelFile, fetch_wheel_files, unpack_wheels

CONTENT = b"a library"
FILE = WheelFile("some-package", "1.0", "some/lib/libsome.so", hashlib.sha256(CONTENT).hexdigest())


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


def serve(monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes]) -> list[str]:
    """In place of pip and the network, a wheel with these members; returns the list of downloads."""
    downloads: list[str] = []

    def download(package: str, version: str, folder: Path) -> Path:
        downloads.append(package)
        path = folder / f"{package}-{version}-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as wheel:
            for name, content in members.items():
                wheel.writestr(name, content)
        return path

    monkeypatch.setattr(wheels, "_download", download)
    return downloads


def test_missing_libraries_name_the_step_that_fetches_them(empty_cache: Path) -> None:
    with pytest.raises(ToolchainError) as caught:
        runtime_libraries(load_target("rpi4b"))
    assert caught.value.hint == "edgebin targets fetch rpi4b"


def test_missing_onnxruntime_names_the_step_that_fetches_it(empty_cache: Path) -> None:
    with pytest.raises(ToolchainError) as caught:
        fetch_onnxruntime_aarch64(fetch=False)
    assert caught.value.hint is not None
    assert "edgebin targets fetch" in caught.value.hint


def test_fetch_keeps_one_file_and_says_so(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloads = serve(monkeypatch, {FILE.member: CONTENT, "some/other.py": b"x" * 1000})
    said: list[str] = []
    fetch_wheel_files([FILE], said.append)
    fetch_wheel_files([FILE], said.append)
    assert downloads == ["some-package"], "the second time it is there"
    assert FILE.path.read_bytes() == CONTENT
    assert said == ["downloading some-package 1.0 for aarch64 from PyPI", "kept libsome.so (0.0 MB)"]
    assert [path for path in empty_cache.rglob("*") if path.is_file()] == [FILE.path]


@pytest.mark.parametrize("members", [{FILE.member: b"another library"}, {"some/other.so": CONTENT}, {}])
def test_wheel_that_is_not_the_known_one(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, members: dict[str, bytes]
) -> None:
    serve(monkeypatch, members)
    with pytest.raises(ToolchainError, match=r"libsome\.so"):
        fetch_wheel_files([FILE], lambda _: None)
    assert not [path for path in empty_cache.rglob("*") if path.is_file()]


def test_whole_wheel_is_unpacked_only_if_it_is_the_known_one(
    empty_cache: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    serve(monkeypatch, {"some/other.so": CONTENT})
    with pytest.raises(ToolchainError, match="unexpected checksum"):
        unpack_wheels([Wheel("some-package", "1.0", "0" * 64)], tmp_path / "site", lambda _: None)
    assert not (tmp_path / "site").exists()
    monkeypatch.setattr(wheels, "sha256_of", lambda _: "0" * 64)
    unpack_wheels([Wheel("some-package", "1.0", "0" * 64)], tmp_path / "site", lambda _: None)
    assert (tmp_path / "site" / "some" / "other.so").read_bytes() == CONTENT


def test_damaged_cache_is_noticed(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    serve(monkeypatch, {FILE.member: CONTENT})
    fetch_wheel_files([FILE], lambda _: None)
    FILE.path.write_bytes(CONTENT[:-1])
    assert not FILE.present()


def test_no_network(empty_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ToolchainError, match="downloading some-package"):
        fetch_wheel_files([FILE], lambda _: None)


def test_wrong_tvm_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """tvm-ffi 0.1.15 resolves, installs and imports; TVM then crashes while it schedules."""
    found = importlib.metadata.version
    installed = {"apache-tvm-ffi": "0.1.15.post2"}
    monkeypatch.setattr(importlib.metadata, "version", lambda name: installed.get(name) or found(name))
    with pytest.raises(ToolchainError, match=rf"is 0\.1\.15\.post2, edgebin needs exactly {TVM_FFI_VERSION}"):
        runtime_libraries(load_target("x86-64"))


@pytest.mark.parametrize(
    ("backend", "name", "glibc"), [("ort", "libonnxruntime.so.1", (2, 28)), ("tflite", "libLiteRt.so", (2, 34))]
)
@pytest.mark.parametrize("id_", ["x86-64", "jetson-nano"])
def test_other_backends_libraries(id_: str, backend: Backend, name: str, glibc: tuple[int, int]) -> None:
    """What they need of the C library is newer than some boards': compile says it, from the file."""
    target = load_target(id_)
    libraries = runtime_libraries(target, backend, fetch=True)
    assert list(libraries.files) == [name]
    needs = elf_needs(libraries.files[name])
    assert needs.arch == target.arch
    if target.arch == "aarch64":
        assert needs.glibc == glibc


@pytest.mark.parametrize("id_", ["x86-64", "jetson-nano"])
def test_libraries_start_on_the_target(id_: str) -> None:
    target = load_target(id_)
    libraries = runtime_libraries(target, fetch=True)
    assert [path.name for path in libraries.paths] == ["libtvm_runtime.so", "libtvm_ffi.so"]
    assert libraries.include is not None
    assert (libraries.include / "tvm" / "ffi" / "c_api.h").is_file()
    for path in libraries.paths:
        needs = elf_needs(path)
        assert needs.arch == target.arch
        assert needs.glibc <= (2, 27)
