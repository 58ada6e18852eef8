"""Shape files are data: they must say what the probe understands and what the networks really do."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.kernels.lowered import lowered_calls
from benchmarks.kernels.shapes import DIMS, Call, epilogue_names, read_shapes, shape_files, write_shapes
from benchmarks.kernels.update_shapes import MODELS
from edgebin.errors import InputError
from edgebin.kernels.variants import variants
from edgebin.models.registry import resolve_config
from edgebin.resources import resource_dir

DEPTHS = {64, 144, 192, 256, 288, 384, 512, 1024, 1536, 2048}
SPELT = re.compile(r"[a-z0-9,/]*:(out|bits0)(,bits\d)*(:[248])?")


def test_there_is_a_file_for_each_model() -> None:
    assert set(shape_files()) == {"issue", *MODELS}


@pytest.mark.parametrize("name", shape_files())
def test_every_call_is_one_that_the_probe_can_make(name: str) -> None:
    kernels = {variant.op for variant in variants()}
    for call in read_shapes(name):
        assert call.kernel in kernels
        assert set(call.sizes) == set(DIMS[call.op])
        assert min(call.dims) > 0
        assert call.count > 0
        assert call.out in epilogue_names() or SPELT.fullmatch(call.out)


def test_quoted_shapes_have_every_depth_few_rows_and_many() -> None:
    shapes = [call.shape for call in read_shapes("issue") if call.op == "b1_gemm"]
    assert {k for _, k, _ in shapes} == DEPTHS
    assert {1, 49, 196, 3136} <= {m for m, _, _ in shapes}


def test_quoted_shapes_have_a_part_told_apart_by_symbols() -> None:
    (part,) = [call for call in read_shapes("issue") if call.part]
    assert part.shape == (196, 64, 196)
    assert part.part is not None
    assert part.part.functions == ("pack_keys", "agree_rows")


def test_sizes_have_the_names_that_the_probe_has() -> None:
    source = (resource_dir("kernels") / "probe" / "call.c").read_text()
    rows = re.findall(r'\{"(\w+)",\s*"(\w+)",\s*\{([^}]*)\}', source)
    assert rows
    for op, kernel, names in rows:
        assert DIMS[op] == tuple(re.findall(r'"(\w+)"', names))
        assert Call(op, (1,) * len(DIMS[op]), "f32").kernel == kernel


def test_shape_of_a_convolution_is_that_of_its_product() -> None:
    assert Call("b1_conv", (56, 28, 64, 32, 3, 5, 4), "f32").shape == (56 * 28, 9 * 16, 32)


def test_unknown_file() -> None:
    with pytest.raises(InputError, match="no shapes of `resnet`"):
        read_shapes("resnet")


def test_files_are_written_as_they_are_read(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    calls = read_shapes(MODELS[0])
    monkeypatch.setattr("benchmarks.kernels.shapes.FOLDER", tmp_path)
    write_shapes("again", calls, "for a test")
    assert read_shapes("again") == calls


# Run `python -m benchmarks.kernels.update_shapes` where lowering has changed on purpose.
@pytest.mark.parametrize("name", ["reactdeit-small", "bivit-deit-s"])
def test_files_have_the_calls_of_one_layer(name: str) -> None:
    config = resolve_config(name)
    calls = lowered_calls(replace(config, depths=(1,) * len(config.depths)))
    assert {replace(call, count=1) for call in calls} <= {replace(call, count=1) for call in read_shapes(name)}


@pytest.mark.slow
@pytest.mark.parametrize("name", MODELS)
def test_files_agree_with_the_networks(name: str) -> None:
    assert read_shapes(name) == lowered_calls(resolve_config(name))
