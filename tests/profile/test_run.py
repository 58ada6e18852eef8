"""The whole way from a bundle to a run record: really measured here, really counted under QEMU."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from onnx import helper

from edgebin.bundle import Bundle
from edgebin.errors import EdgebinError, InputError, MeasurementInvalid
from edgebin.profile import Options, RunRecord, profile_bundles
from edgebin.profile.estimate.counting import INFERENCE, Counts
from edgebin.profile.estimate.latency import count_bundle, count_functions
from edgebin.profile.quantities import EstimatedLatency, MeasuredLatency
from edgebin.report import report_csv, report_json, report_markdown
from edgebin.toolchain.runtime import fetch_onnxruntime_aarch64
from tests.profile.twin_file import write_twin
from tests.toolchain.tiny_module import INPUT_WIDTH

Bundles = Callable[[str], Bundle]
QUICK: dict[str, Any] = {"min_runs": 20, "min_seconds": 0.1, "warmup_seconds": 0.05, "energy": "off"}


@pytest.fixture(scope="session")
def twin_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_twin(tmp_path_factory.mktemp("twin") / "twin.onnx")


@pytest.fixture(scope="session")
def measured(tiny_bundle: Bundles, twin_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    folder = tmp_path_factory.mktemp("runs") / "measured"
    bundle = tiny_bundle("x86-64")
    return profile_bundles([bundle.path], Options(baseline_model=twin_file, **QUICK), save=folder), folder


@pytest.fixture(scope="session")
def estimated(
    tiny_bundle: Bundles, twin_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[RunRecord, Path]:
    fetch_onnxruntime_aarch64()
    folder = tmp_path_factory.mktemp("runs") / "estimated"
    return profile_bundles([tiny_bundle("rpi4b").path], Options(baseline_model=twin_file), save=folder), folder


def test_measurement_is_complete(measured: tuple[RunRecord, Path]) -> None:
    record, _ = measured
    assert record.kind == "measured"
    assert [variant.name for variant in record.variants] == ["binary", "fp32", "int8"]
    for variant in record.variants:
        assert isinstance(variant.latency, MeasuredLatency)
        assert variant.latency.runs >= QUICK["min_runs"]
        assert variant.latency.min_ms <= variant.latency.p50_ms <= variant.latency.p90_ms <= variant.latency.p99_ms
        assert variant.peak_rss_bytes is not None
        assert variant.peak_rss_bytes > 1_000_000
        assert variant.speedup is not None
    fp32 = record.variant("fp32")
    assert fp32 is not None
    assert fp32.speedup is not None
    assert fp32.speedup.of_medians == 1.0
    assert all(variant.cpus is not None and len(variant.cpus) == 1 for variant in record.variants)
    for name in ("binary", "fp32"):
        layers = [layer for layer in record.layers if layer.bundle == name]
        assert sum(layer.share for layer in layers) == pytest.approx(1.0)


def test_estimate_says_so_everywhere(estimated: tuple[RunRecord, Path]) -> None:
    record, folder = estimated
    assert record.kind == "estimate"
    for variant in record.variants:
        assert isinstance(variant.latency, EstimatedLatency)
        assert variant.latency.error_bound.low < 0 < variant.latency.error_bound.high
        assert variant.latency.instructions > 0
        assert variant.latency.p50_ms == pytest.approx(variant.latency.cycles / record.device.freq_hz * 1e3)
        assert variant.peak_rss_bytes is None
    assert all(layer.kind == "estimate" for layer in record.layers)
    table = report_markdown(record).split("| --- |")[1].split("\n\n")[0].splitlines()[1:]
    assert len(table) == 3
    assert all("~" in line and "(est. −" in line for line in table)
    rows = list(csv.DictReader(io.StringIO(report_csv(record))))
    assert [row["kind"] for row in rows] == ["estimate"] * 3
    saved = json.loads((folder / "run.json").read_text())
    assert {variant["latency"]["kind"] for variant in saved["variants"]} == {"estimate"}


def test_instructions_of_functions_add_up(estimated: tuple[RunRecord, Path]) -> None:
    record, _ = estimated
    binary = record.variant("binary")
    assert binary is not None
    assert isinstance(binary.latency, EstimatedLatency)
    assert sum(layer.instructions or 0 for layer in record.layers) == binary.latency.instructions
    by_name = {layer.name: layer.instructions or 0 for layer in record.layers}
    assert by_name["double"] > 0
    assert by_name["(virtual machine)"] > 0, "functions alone execute more than the inference that nobody looked at"


def test_looking_at_functions_is_not_charged_to_the_inference(tiny_bundle: Bundles) -> None:
    bundle = tiny_bundle("rpi4b")
    alone, (observed, _) = count_bundle(bundle), count_functions(bundle)

    def instructions(counts: Counts) -> int:
        return sum(counts.instructions(region) for region in counts.inference_regions)

    assert alone.inference_regions == (INFERENCE,)
    assert instructions(alone) < instructions(observed)


def test_counts_do_not_vary(tiny_bundle: Bundles, estimated: tuple[RunRecord, Path]) -> None:
    again = profile_bundles([tiny_bundle("rpi4b").path], Options(baselines=()))
    first, second = estimated[0].variants[0].latency, again.variants[0].latency
    assert isinstance(first, EstimatedLatency)
    assert isinstance(second, EstimatedLatency)
    assert second.instructions == pytest.approx(first.instructions, rel=1e-3)  # allocation depends on addresses


@pytest.mark.parametrize("which", ["measured", "estimated"])
def test_run_folder(which: str, request: pytest.FixtureRequest) -> None:
    record, folder = request.getfixturevalue(which)
    assert RunRecord.read(folder) == record
    assert json.loads(report_json(record)) == json.loads((folder / "run.json").read_text())
    with (folder / "latency.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["kind"] for row in rows} == {"measured" if which == "measured" else "estimate"}
    if which == "measured":
        for variant in record.variants:
            assert sum(row["variant"] == variant.name for row in rows) == variant.latency.runs
    source = {"events.jsonl", "subject.json"} if which == "measured" else set()
    assert {path.name for path in folder.iterdir()} == {"latency.csv", "layers.csv", "run.json"} | source
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_record_of_another_schema_is_refused(measured: tuple[RunRecord, Path], tmp_path: Path) -> None:
    data = measured[0].to_dict()
    path = tmp_path / "run.json"
    for damage in ({"schema_version": 99}, {"variants": [{"name": "x"}]}, {"surprise": 1}):
        path.write_text(json.dumps({**data, **damage}))
        with pytest.raises(InputError):
            RunRecord.read(path)


@pytest.mark.parametrize(
    ("target", "options", "kind"),
    [
        ("x86-64", {"baselines": ("fp16",)}, InputError),
        ("x86-64", {"threads": (4096,)}, InputError),
        ("x86-64", {"pin": (4095,)}, InputError),
        ("x86-64", {"baseline_model": Path("missing.onnx")}, InputError),
        ("rpi4b", {"threads": (2,)}, MeasurementInvalid),
    ],
)
def test_unusable_options(
    tiny_bundle: Bundles,
    twin_file: Path,
    tmp_path: Path,
    target: str,
    options: dict[str, object],
    kind: type[EdgebinError],
) -> None:
    arguments: dict[str, object] = {"baseline_model": twin_file, **QUICK, **options}
    with pytest.raises(kind) as caught:
        profile_bundles([tiny_bundle(target).path], Options(**arguments), save=tmp_path / "run")  # type: ignore[arg-type]
    assert caught.value.hint or "cannot read" in caught.value.message
    assert not list(tmp_path.iterdir())


def test_twin_must_take_the_same_images(tiny_bundle: Bundles, tmp_path: Path) -> None:
    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1, INPUT_WIDTH + 1])
    output = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1, INPUT_WIDTH + 1])
    graph = helper.make_graph([helper.make_node("Relu", ["x"], ["y"])], "other", [value], [output])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "o.onnx")
    with pytest.raises(InputError, match="takes images of"):
        profile_bundles([tiny_bundle("x86-64").path], Options(baseline_model=tmp_path / "o.onnx", **QUICK))


def test_existing_run_folder_is_kept(tiny_bundle: Bundles, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="exists already"):
        profile_bundles([tiny_bundle("x86-64").path], save=tmp_path)
