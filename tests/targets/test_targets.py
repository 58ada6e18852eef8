"""Target files: those shipped, those of users, and mistakes in them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from edgebin.errors import InputError
from edgebin.resources import resource_dir
from edgebin.targets import Target, list_targets, load_target
from edgebin.targets.host import host_arch, host_features, resolve_host

BOARDS = (
    *("jetson-nano", "jetson-orin-nano", "jetson-tx2", "jetson-xavier-nx"),
    *("rpi-zero2w", "rpi3b-plus", "rpi4b", "rpi5"),
)
on_x86 = pytest.mark.skipif(host_arch() != "x86_64", reason="reads the features of an x86 host")


def test_all_boards_are_there() -> None:
    assert {target.id for target in list_targets()} >= set(BOARDS)


@pytest.mark.parametrize("path", sorted(resource_dir("targets").glob("*.toml")), ids=lambda path: path.stem)
def test_file_is_named_after_its_id(path: Path) -> None:
    if path.stem != "x86-64" or host_arch() == "x86_64":
        assert load_target(str(path)).id == path.stem


def test_no_name_is_used_twice() -> None:
    names = [name for target in list_targets() for name in (target.id, *target.aliases)]
    assert len(set(names)) == len(names)


@pytest.mark.parametrize(("alias", "id_"), [("rpi3b+", "rpi3b-plus"), ("rpi4", "rpi4b"), ("nano", "jetson-nano")])
def test_alias(alias: str, id_: str) -> None:
    assert load_target(alias).id == id_


@pytest.mark.parametrize("id_", BOARDS)
def test_survives_a_manifest(id_: str) -> None:
    target = load_target(id_)
    assert Target.model_validate_json(target.model_dump_json(exclude_none=True)) == target


@pytest.mark.parametrize("id_", BOARDS)
def test_dot_product_path_only_where_the_board_has_it(id_: str) -> None:
    """Carmel is emulated as a Cortex-A76, which has UDOT; Carmel has not."""
    target = load_target(id_)
    assert ("neondot" in target.kernel_paths) == ("asimddp" in target.features)
    assert ("asimddp" in target.features) == (target.core.id in ("cortex-a76", "cortex-a78ae"))


@pytest.mark.parametrize("id_", BOARDS)
def test_rates_are_there_or_said_to_be_unknown(id_: str) -> None:
    core = load_target(id_).core
    assert (core.rates is None) == (core.rates_evidence.kind == "unknown")
    assert (core.rates is None) == (core.id == "carmel")
    assert core.rates is None or core.issue is not None


def test_llvm_knows_all_cores() -> None:
    """LLVM only warns about a name it does not know. In a process of its own, since importing TVM takes seconds."""
    targets = [load_target(id_).tvm_target() for id_ in BOARDS]
    code = (
        f"import tvm\nfor target in {targets!r}:\n  tvm.target.Target(target)\n"
        "print(*tvm.target.codegen.llvm_get_cpu_archlist(tvm.target.Target(target)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) >= {target["mcpu"] for target in targets}


@on_x86
def test_host_is_read_from_the_processor() -> None:
    target = load_target("x86-64")
    assert set(target.features) <= host_features()
    assert len(target.features) == len(target.zig.flags) == len(target.llvm.mattr)


@on_x86
def test_cores_differ_then_only_common_features_count(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("flags\t: fpu avx2 fma\n\nflags\t: fpu avx2\ncpu MHz\t\t: 1500.000\n")
    resolved = resolve_host({"arch": "x86_64", "features": "host", "zig": {"flags": "host"}}, cpuinfo)
    assert resolved == {"arch": "x86_64", "features": ["avx2"], "zig": {"flags": ["-mavx2"]}}


def test_host_values_are_for_x86_only() -> None:
    with pytest.raises(InputError, match="x86_64 only"):
        resolve_host({"arch": "aarch64", "features": "host"})


def board(tmp_path: Path, *changes: tuple[str, str]) -> str:
    text = (resource_dir("targets") / "rpi4b.toml").read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "my.toml"
    path.write_text(text)
    return str(path)


def test_users_own_file(tmp_path: Path) -> None:
    target = load_target(board(tmp_path, ('id = "rpi4b"', 'id = "my-board"'), ("1_500_000_000", "1_800_000_000")))
    assert (target.id, target.freq_hz, target.core.id) == ("my-board", 1_800_000_000, "cortex-a72")


def test_users_own_core(tmp_path: Path) -> None:
    core = (resource_dir("targets") / "cores" / "cortex-a72.toml").read_text()
    (tmp_path / "core.toml").write_text(core.replace('id = "cortex-a72"', 'id = "my-core"'))
    assert load_target(board(tmp_path, ('core = "cortex-a72"', 'core = "core.toml"'))).core.id == "my-core"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("cores = 4", "cores = 0", "cores: Input should be greater than 0"),
        ("cores = 4", "", "cores: Field required"),
        ("cores = 4", "cores = 4\ncolour = 1", "colour: Extra inputs are not permitted"),
        ("cores = 4", 'cores = "host"', "x86_64 only"),
        ('glibc = "2.31"', 'glibc = "new"', "glibc: "),
        ('core = "cortex-a72"', 'core = "cortex-a99"', "unknown core `cortex-a99`"),
        ('core = "cortex-a72"', 'core = "missing.toml"', "cannot read"),
        ('target = "aarch64-linux-gnu.2.27"', 'target = "aarch64-linux-gnu; reboot"', "zig.target: "),
        ("cores = 4", "cores = = 4", "not valid TOML"),
        ('["neon", "scalar"]', '["sve"]', "kernel_paths.0: "),
    ],
)
def test_mistake_in_users_file(tmp_path: Path, old: str, new: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        load_target(board(tmp_path, (old, new)))
    assert message in caught.value.message


def test_unknown_name_suggests_a_near_one() -> None:
    with pytest.raises(InputError) as caught:
        load_target("rpi4bb")
    assert caught.value.hint is not None
    assert "`rpi4b`" in caught.value.hint


@pytest.mark.parametrize("content", [b"\xff\xfe", None])
def test_unreadable_file(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "board.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"board\.toml"):
        load_target(str(path))
