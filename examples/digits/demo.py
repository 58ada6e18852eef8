"""`make demo`: the whole road on two really trained networks, with the commands that a user would type.

    python examples/digits/demo.py            # prints the table of results, and keeps it in build/demo/results.md
    python examples/digits/demo.py --readme   # writes it into README.md as well

Exits with a code other than 0 as soon as a command fails or two runtimes classify one image differently.
"""

from __future__ import annotations

import argparse
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path

import data
import numpy as np
import torch
from numpy.typing import NDArray

from edgebin.errors import MeasurementInvalid
from edgebin.graph.manifest import read_manifest
from edgebin.models.checkpoint import read_checkpoint
from edgebin.profile.quantities import EstimatedLatency
from edgebin.profile.record import RunRecord
from edgebin.report.cells import bound_text

ROOT = Path(__file__).resolve().parents[2]
CHECKPOINTS = Path("examples/digits/checkpoints")
OUT = Path("build/demo")
BINARY, TWIN = "digits-binary", "digits-full-precision"
BOARDS = ("rpi4b", "rpi5")
TARGETS = ("x86-64", *BOARDS)
EMULATED_IMAGES = 32  # under QEMU, where an inference takes many times longer
README_START, README_END = "<!-- results: written by examples/digits/demo.py -->", "<!-- end of results -->"

Classes = NDArray[np.int64]


def main() -> None:
    """Walks the road and prints what came of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readme", action="store_true", help="write the results into README.md")
    options = parser.parse_args()
    started = time.monotonic()
    (ROOT / OUT).mkdir(parents=True, exist_ok=True)

    heading("Export: PyTorch to ONNX, weights at 1 bit")
    for name in (BINARY, TWIN):
        edgebin("export", CHECKPOINTS / f"{name}.safetensors", "-o", OUT / name)

    heading("Fetch: what ARM bundles carry, and the baseline of their estimates; once")
    edgebin("targets", "fetch", *BOARDS, "--baseline")

    heading("Compile: one bundle for each machine, verified on its golden inputs")
    for target in TARGETS:
        edgebin("compile", OUT / BINARY, "-t", target, "-o", bundle(target))

    heading("Verify: the bundle checks itself, ARM ones under QEMU")
    for target in TARGETS:
        edgebin("verify", bundle(target))

    heading("Classify: every held-out image, by every runtime")
    accuracies = classify_everywhere()

    heading("Profile: measured here, estimated for the boards")
    for target in TARGETS:
        shutil.rmtree(ROOT / run_folder(target), ignore_errors=True)
        profile(target)

    table = results(accuracies)
    (ROOT / OUT / "results.md").write_text(table, encoding="utf-8")
    heading(f"Results, after {time.monotonic() - started:.0f} s")
    print(table)
    if options.readme:
        write_readme(table)


def heading(text: str) -> None:
    """Says what comes next."""
    print(f"\n== {text}\n", flush=True)


def edgebin(*words: str | Path, accepted: tuple[int, ...] = (0,)) -> None:
    """Runs a command of edgebin as a user would, and ends the demo if it fails."""
    print(f"$ {shlex.join(['edgebin', *map(str, words)])}", flush=True)
    done = subprocess.run([sys.executable, "-m", "edgebin", *map(str, words)], cwd=ROOT, check=False)
    if done.returncode not in accepted:
        sys.exit(done.returncode)
    print(flush=True)


def profile(target: str) -> None:
    """On a busy machine the figures are kept but flagged, and the table of results says so."""
    twin = OUT / TWIN / "model.onnx"
    words = ("profile", bundle(target), "--baseline-model", twin, "--min-seconds", "2", "--save", run_folder(target))
    edgebin(*words, accepted=(0, MeasurementInvalid.exit_code))


def bundle(target: str) -> Path:
    """The bundle of the binary network for a target."""
    return OUT / f"digits-{target}.ebz"


def run_folder(target: str) -> Path:
    """Where the profile for a target is kept."""
    return OUT / f"run-{target}"


def classify_everywhere() -> dict[str, float]:
    """Holds all runtimes' answers against PyTorch's; returns each network's accuracy on the held-out images."""
    digits = data.load()
    everything, few = save_images("test", digits.test_images), save_images("few", digits.test_images[:EMULATED_IMAGES])
    accuracies = {}
    for name in (BINARY, TWIN):
        expected = in_pytorch(name, digits.test_images)
        accuracies[name] = float((expected == digits.test_labels).mean())
        agree(f"{name}, stock onnxruntime", in_onnxruntime(name, digits.test_images), expected)
        if name == BINARY:
            print()
            agree(f"{name}, x86-64 bundle", in_bundle("x86-64", everything), expected)
            agree(f"{name}, rpi4b bundle under QEMU", in_bundle("rpi4b", few), expected[:EMULATED_IMAGES])
            print()
    for name, accuracy in accuracies.items():
        print(f"{name}: accuracy {accuracy:.2%} of {len(digits.test_labels)} images it was not trained on")
    return accuracies


def save_images(name: str, images: NDArray[np.float32]) -> Path:
    """An input file for `edgebin run`."""
    path = OUT / f"{name}.npz"
    np.savez(ROOT / path, pixel_values=images)
    return path


def in_pytorch(name: str, images: NDArray[np.float32]) -> Classes:
    """What the network answers as it was trained."""
    model = read_checkpoint(ROOT / CHECKPOINTS / f"{name}.safetensors").module
    with torch.no_grad():
        return model(torch.from_numpy(images)).argmax(1).numpy()


def in_onnxruntime(name: str, images: NDArray[np.float32]) -> Classes:
    """What stock onnxruntime makes of the exported file: no library of ours is registered."""
    import onnxruntime

    session = onnxruntime.InferenceSession(ROOT / OUT / name / "model.onnx", providers=["CPUExecutionProvider"])
    (logits,) = session.run(["logits"], {"pixel_values": images})
    return logits.argmax(1)


def in_bundle(target: str, images: Path) -> Classes:
    """What the compiled bundle answers."""
    logits = images.with_name(f"logits-{target}.npz")
    edgebin("run", bundle(target), "--input", images, "--output", logits)
    with np.load(ROOT / logits) as arrays:
        return arrays["logits"].argmax(1)


def agree(who: str, found: Classes, expected: Classes) -> None:
    """Ends the demo unless every image is classified as PyTorch does."""
    different = np.flatnonzero(found != expected)
    print(f"{who}: {len(expected) - len(different)} of {len(expected)} images classified as by PyTorch")
    if len(different):
        sys.exit(f"error: {who} differs from PyTorch on images {different[:10].tolist()}")


def results(accuracies: dict[str, float]) -> str:
    """The final table in Markdown, from the run folders, the files and the accuracies."""
    rows = [("", "full precision", "binary", "gain")]
    rows.append(("accuracy, held-out digits", f"{accuracies[TWIN]:.2%}", f"{accuracies[BINARY]:.2%}", ""))
    sizes = [(ROOT / OUT / name / "model.onnx").stat().st_size for name in (TWIN, BINARY)]
    weights = [read_manifest(ROOT / OUT / name).counts.constant_bytes for name in (TWIN, BINARY)]
    for what, (full, binary) in (("ONNX file", sizes), ("of that, constants", weights)):
        rows.append((what, f"{full / 1000:.0f} kB", f"{binary / 1000:.0f} kB", f"{full / binary:.1f} ×"))
    records = [RunRecord.read(ROOT / run_folder(target)) for target in TARGETS]
    rows += [latency_row(record) for record in records]
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    lines.insert(1, "|---|---|---|---|")
    notes = "\n".join(f"- {record.device.name}: {provenance(record)}." for record in records)
    return "\n".join(lines) + f"\n\n{notes}\n"


def latency_row(record: RunRecord) -> tuple[str, str, str, str]:
    """One machine: fp32 under onnxruntime against our bundle, median of single inferences."""
    ours, fp32 = record.variant("binary"), record.variant("fp32")
    assert ours is not None
    assert fp32 is not None
    kind = "measured" if record.kind == "measured" else "estimated"
    mark = "" if record.kind == "measured" else "~ "
    values = [f"{mark}{variant.latency.p50_ms:.2f} ms" for variant in (fp32, ours)]
    return (
        f"latency, {record.device.name}, {kind}",
        *values,
        f"{mark}{fp32.latency.p50_ms / ours.latency.p50_ms:.1f} ×",
    )


def provenance(record: RunRecord) -> str:
    """What the figures of a machine rest on, in words."""
    threads = f"{record.protocol.threads[0]} thread" + ("" if record.protocol.threads == (1,) else "s")
    latency = record.variants[0].latency
    if isinstance(latency, EstimatedLatency):
        core = f"{record.device.core} at {record.device.freq_hz / 1e9:.2f} GHz"
        return f"**estimated, not measured**, {core}, {threads}; true times may differ by {bound_text(latency)}"
    doubts = "" if record.validity.ok else f"; not to be trusted: {', '.join(record.validity.flags)}"
    return f"measured on {processor_name()}, {threads}, on {record.created_utc[:10]}{doubts}"


def processor_name() -> str:
    """This host's processor in its maker's words."""
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        key, _, value = line.partition(":")
        if key.strip() == "model name":
            return value.strip()
    return "an unnamed processor"


def write_readme(table: str) -> None:
    """Replaces the block of results in README.md."""
    readme = ROOT / "README.md"
    text = readme.read_text(encoding="utf-8")
    before, _, rest = text.partition(README_START)
    _, end, after = rest.partition(README_END)
    assert end, "README.md has lost its markers"
    readme.write_text(f"{before}{README_START}\n{table}{README_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main()
