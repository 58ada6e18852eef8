"""Bundles: the same input gives the same bytes; a hostile or damaged one is refused before anything of it is used."""

from __future__ import annotations

import json
import os
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from edgebin.bundle import Manifest, Operation, TensorSpec, open_bundle, write_bundle
from edgebin.errors import BundleError, InputError
from tests.bundle.bundle_files import contents, manifest


@pytest.fixture
def bundle_path(tmp_path: Path) -> Path:
    write_bundle(tmp_path / "model.ebz", manifest(), contents())
    return tmp_path / "model.ebz"


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGEBIN_CACHE_DIR", str(tmp_path / "cache"))


def test_round_trip(bundle_path: Path, tmp_path: Path) -> None:
    bundle = open_bundle(bundle_path)
    folder = bundle.extract(tmp_path / "out")
    for name, content in contents().items():
        assert (folder / name).read_bytes() == content
    assert (folder / "io.txt").read_text() == (
        "edgebin-io 1\nbatch 4\ntolerance 1e-05 0.0001\ninput pixel_values float32 4 8\noutput logits float32 4 5\n"
    )
    assert Manifest.model_validate_json((folder / "manifest.json").read_text()) == bundle.manifest
    assert bundle.manifest.target == manifest().target
    assert os.access(folder / "runner", os.X_OK)
    assert not os.access(folder / "module.so", os.X_OK)


def test_same_input_gives_the_same_bytes(bundle_path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    on_disk = {}
    for name, content in reversed(contents().items()):
        on_disk[name] = tmp_path / "files" / name
        on_disk[name].parent.mkdir(parents=True, exist_ok=True)
        on_disk[name].write_bytes(content)
        on_disk[name].chmod(0o777)
    monkeypatch.setattr(time, "time", lambda: 2_000_000_000.0)
    write_bundle(tmp_path / "again.ebz", manifest(), on_disk)
    assert (tmp_path / "again.ebz").read_bytes() == bundle_path.read_bytes()


def test_incomplete_bundle_is_not_written(tmp_path: Path) -> None:
    files = contents()
    del files["runner"]
    with pytest.raises(InputError, match="`runner`"):
        write_bundle(tmp_path / "out" / "model.ebz", manifest(), files)
    assert not (tmp_path / "out").exists()


def test_unreadable_member_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.so"):
        write_bundle(tmp_path / "out" / "model.ebz", manifest(), {**contents(), "module.so": tmp_path / "gone.so"})
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil", "a//b", ".hidden", "a\\b", "a b", "a\nb", ""])
def test_writer_refuses_bad_names(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValidationError):
        write_bundle(tmp_path / "model.ebz", manifest(), {**contents(), name: b""})
    assert list(tmp_path.glob("*.ebz")) == []


def test_tensor_name_cannot_break_a_line() -> None:
    with pytest.raises(ValidationError):
        TensorSpec(name="x float32 1\noutput y", dtype="float32", shape=(1,))


def test_kernels_are_those_that_are_called() -> None:
    named = [
        Operation(function=str(i), kind="b1_gemm", variant=name)
        for i, name in enumerate(("neon", "neon_tbl", "neon_tbl"))
    ]
    assert manifest().kernels == "neon", "of a bundle that does not say, the best path"
    assert manifest().model_copy(update={"operations": tuple(named)}).kernels == "neon_tbl, neon"


def test_first_axis_is_the_batch() -> None:
    with pytest.raises(ValidationError, match="the batch is 4"):
        Manifest.model_validate(
            {**manifest().model_dump(), "inputs": [{"name": "x", "dtype": "float32", "shape": (3, 8)}]}
        )


Members = list[tuple[str | zipfile.ZipInfo, bytes]]


def rewrite(path: Path, change: Callable[[Members], Members], method: int = zipfile.ZIP_STORED) -> None:
    """Unpacks the archive, lets `change` do its worst, and packs it again."""
    with zipfile.ZipFile(path) as archive:
        members: Members = [(name, archive.read(name)) for name in archive.namelist()]
    with warnings.catch_warnings(), zipfile.ZipFile(path, "w", method) as archive:
        warnings.simplefilter("ignore")  # zipfile warns about names that come twice
        for name, content in change(members):
            archive.writestr(name, content)


def edit_manifest(**changes: Any) -> Callable[[Members], Members]:
    def change(members: Members) -> Members:
        return [
            (name, json.dumps({**json.loads(content), **changes}).encode() if name == "manifest.json" else content)
            for name, content in members
        ]

    return change


def refused(path: Path) -> str:
    with pytest.raises(BundleError) as caught:
        open_bundle(path)
    return caught.value.message


@pytest.mark.parametrize("name", ["../evil", "/evil", "lib/../../evil", "unlisted"])
def test_member_that_the_manifest_does_not_list(bundle_path: Path, name: str) -> None:
    rewrite(bundle_path, lambda members: [*members, (name, b"x")])
    assert "does not list" in refused(bundle_path)


@pytest.mark.parametrize("name", ["../evil", "/evil", "lib/../../evil", "..", "C:\\evil"])
def test_zip_slip_that_the_manifest_lists(bundle_path: Path, name: str) -> None:
    files = {**json.loads(zipfile.ZipFile(bundle_path).read("manifest.json"))["files"]}
    files[name] = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    rewrite(bundle_path, lambda members: edit_manifest(files=files)([*members, (name, b"x")]))
    assert "not usable" in refused(bundle_path)


def test_member_twice(bundle_path: Path) -> None:
    """Checking one and running the other would be the attack."""
    rewrite(bundle_path, lambda members: [*members, ("runner", b"evil")])
    assert "twice" in refused(bundle_path)


def test_changed_member(bundle_path: Path) -> None:
    rewrite(
        bundle_path,
        lambda members: [(name, b"\x7fELF rUnner" if name == "runner" else content) for name, content in members],
    )
    assert "`runner` has the wrong checksum" in refused(bundle_path)


@pytest.mark.parametrize("content", [b"", b"\x7fELF runner and more"])
def test_member_of_another_size(bundle_path: Path, content: bytes) -> None:
    rewrite(bundle_path, lambda members: [(name, content if name == "runner" else old) for name, old in members])
    assert "`runner`" in refused(bundle_path)


def test_missing_member(bundle_path: Path) -> None:
    rewrite(bundle_path, lambda members: [member for member in members if member[0] != "module.so"])
    assert "lacks `module.so`" in refused(bundle_path)


def test_member_that_every_bundle_needs(bundle_path: Path) -> None:
    files = {**json.loads(zipfile.ZipFile(bundle_path).read("manifest.json"))["files"]}
    del files["runner"]
    rewrite(
        bundle_path,
        lambda members: edit_manifest(files=files)([member for member in members if member[0] != "runner"]),
    )
    assert "has no `runner`" in refused(bundle_path)


def test_zip_bomb(bundle_path: Path) -> None:
    rewrite(bundle_path, lambda members: [*members, ("bomb", bytes(50_000_000))], zipfile.ZIP_DEFLATED)
    assert "compressed" in refused(bundle_path)


def test_symbolic_link_becomes_no_link(bundle_path: Path, tmp_path: Path) -> None:
    def change(members: Members) -> Members:
        link = zipfile.ZipInfo("runner")
        link.external_attr = 0o120777 << 16
        return [(link if name == "runner" else name, content) for name, content in members]

    rewrite(bundle_path, change)
    folder = open_bundle(bundle_path).extract(tmp_path / "out")
    assert not (folder / "runner").is_symlink()


@pytest.mark.parametrize("version", [0, 1, "1", None])
def test_another_schema_version(bundle_path: Path, version: object) -> None:
    rewrite(bundle_path, edit_manifest(schema_version=version))
    assert f"schema version {version}" in refused(bundle_path)


@pytest.mark.parametrize("changes", [{"batch": 0}, {"colour": 1}, {"features": "asimd"}, {"target": {}}])
def test_manifest_with_mistakes(bundle_path: Path, changes: dict[str, object]) -> None:
    rewrite(bundle_path, edit_manifest(**changes))
    assert "not usable" in refused(bundle_path)


@pytest.mark.parametrize("text", [b"", b"{", b"[" * 100_000, b"\xff\xfe", b"[]"])
def test_manifest_that_is_not_json(bundle_path: Path, text: bytes) -> None:
    rewrite(
        bundle_path,
        lambda members: [(name, text if name == "manifest.json" else content) for name, content in members],
    )
    assert "manifest" in refused(bundle_path) or "schema version" in refused(bundle_path)


def test_other_zip_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "x.ebz", "w") as archive:
        archive.writestr("hello.txt", "hello")
    assert "not a bundle" in refused(tmp_path / "x.ebz")


@pytest.mark.parametrize("keep", [0.0, 0.3, 0.9, 0.999])
def test_truncated(bundle_path: Path, keep: float) -> None:
    content = bundle_path.read_bytes()
    bundle_path.write_bytes(content[: int(len(content) * keep)])
    assert "truncated" in refused(bundle_path)


def test_any_flipped_byte_of_a_member_is_found(bundle_path: Path) -> None:
    content = bytearray(bundle_path.read_bytes())
    for position in range(0, len(content), 499):
        damaged = bytearray(content)
        damaged[position] ^= 0x10
        bundle_path.write_bytes(damaged)
        try:
            manifest_read = open_bundle(bundle_path).manifest
        except BundleError:
            continue
        # What zip itself does not care about (timestamps, permissions) may change; contents may not.
        assert manifest_read.files == open_bundle(bundle_path).manifest.files
        assert {name: entry.sha256 for name, entry in manifest_read.files.items()} == {
            name: entry.sha256 for name, entry in write_bundle(bundle_path, manifest(), contents()).files.items()
        }


def test_missing_file(tmp_path: Path) -> None:
    assert "No such file" in refused(tmp_path / "none.ebz")


def test_folder(tmp_path: Path) -> None:
    assert "cannot read" in refused(tmp_path)


def test_file_that_changes_after_it_was_opened(bundle_path: Path, tmp_path: Path) -> None:
    bundle = open_bundle(bundle_path)
    rewrite(bundle_path, lambda members: [(name, b"evil" if name == "runner" else old) for name, old in members])
    with pytest.raises(BundleError):
        bundle.extract(tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_processes_unpack_at_once(bundle_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The slower one finds the folder of the faster one in its way, and uses it."""
    bundle = open_bundle(bundle_path)
    rename = os.rename

    def overtaken(source: Path, destination: Path) -> None:
        monkeypatch.setattr(os, "rename", rename)
        bundle.extract(destination)
        rename(source, destination)

    monkeypatch.setattr(os, "rename", overtaken)
    assert (bundle.extracted() / "runner").read_bytes() == contents()["runner"]


def test_cache_forgets_what_is_old_but_nothing_in_use(bundle_path: Path, tmp_path: Path) -> None:
    kept = open_bundle(bundle_path).extracted()
    others = [kept.parent / f"other{index}" for index in range(20)]
    for index, folder in enumerate(others):
        folder.mkdir()
        os.utime(folder, (index, index))
    os.utime(others[0])
    write_bundle(tmp_path / "new.ebz", manifest().model_copy(update={"edgebin": "0.2.0"}), contents())
    new = open_bundle(tmp_path / "new.ebz").extracted()
    assert {kept, new, *others[:1], *others[-13:]} == set(kept.parent.iterdir())


def test_folder_that_exists_is_left_alone(bundle_path: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    with pytest.raises(InputError, match="exists already"):
        open_bundle(bundle_path).extract(tmp_path / "mine")


def test_cached_folder_is_reused_and_repaired(bundle_path: Path) -> None:
    bundle = open_bundle(bundle_path)
    folder = bundle.extracted()
    made = folder.stat().st_ino
    assert bundle.extracted().stat().st_ino == made
    (folder / "module.so").write_bytes(b"\x7fELF evil!!")
    assert (bundle.extracted() / "module.so").read_bytes() == contents()["module.so"]
