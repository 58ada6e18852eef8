"""The list of variants is complete, and no processor gets a path that it cannot run."""

from __future__ import annotations

import pytest

from edgebin.errors import InputError
from edgebin.kernels.build import sources_for
from edgebin.kernels.select import host_paths, path_for, usable_paths
from edgebin.kernels.variants import find_variant, kernel_paths, variants
from edgebin.resources import resource_dir
from edgebin.targets import Target, list_targets

OPS = {
    *("b1_gemm", "f32_gemm", "w1_gemm", "w1i8_gemm", "rows", "quantize", "layernorm", "b1_conv", "f32_stencil"),
    *("b1_attention", "b1_relative_attention", "b1_biased_attention"),
}
AVX512 = find_variant("rows", "avx512").features


@pytest.mark.parametrize(
    ("arch", "features", "path"),
    [
        ("aarch64", {"fp", "asimd", "crc32"}, "neon"),
        ("aarch64", {"fp", "asimd", "asimddp"}, "neondot"),
        ("x86_64", AVX512 | {"sse2"}, "avx512"),
        ("x86_64", AVX512 - {"avx512_vpopcntdq"}, "avx2"),
        ("x86_64", {"avx2", "fma"}, "avx2"),
        ("x86_64", {"avx2"}, "scalar"),
        ("x86_64", {"asimd"}, "scalar"),
        ("riscv64", set(), "scalar"),
    ],
)
def test_the_best_path_that_the_features_allow(arch: str, features: set[str], path: str) -> None:
    assert path_for(arch, frozenset(features)) == path


@pytest.mark.parametrize("target", list_targets(), ids=lambda target: target.id)
def test_every_target_names_its_usable_paths(target: Target) -> None:
    usable = usable_paths(target.arch, frozenset(target.features))
    assert set(usable) <= set(target.kernel_paths)
    if target.arch == "aarch64":
        assert usable == target.kernel_paths


def test_scalar_runs_everywhere() -> None:
    assert host_paths()[-1] == "scalar"


def test_every_path_has_every_operation() -> None:
    for path in kernel_paths():
        assert {variant.op for variant in variants() if variant.path == path.name} == OPS


def test_the_list_and_the_folders_agree() -> None:
    kernels = resource_dir("kernels")
    listed = {variant.source for variant in variants()}
    operations = {source.split("/")[0] for source in listed}
    assert {f"{path.parent.name}/{path.name}" for op in operations for path in (kernels / op).glob("*.c")} == listed


def test_an_unknown_path_is_an_input_error() -> None:
    with pytest.raises(InputError, match="sve"):
        sources_for("sve")
