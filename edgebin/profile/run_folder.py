"""The run folder: `run.json`, the single timings in `latency.csv`, the functions of each bundle in `layers.csv`."""

from __future__ import annotations

import csv
import json
import os
import tempfile
from pathlib import Path

from edgebin.errors import InputError
from edgebin.profile.host import Comparison
from edgebin.profile.record import RunRecord

_LAYER_COLUMNS = ("bundle", "name", "op", "nodes", "kind", "latency_ms", "share", "calls", "cycles", "instructions")


def write_run_folder(folder: Path, record: RunRecord, comparison: Comparison | None) -> None:
    """Writes a new folder; it appears when it is complete. Without `comparison` the latencies are the estimates.

    Raises:
        InputError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".run-") as scratch:
        partial = Path(scratch, "run")
        partial.mkdir()
        text = json.dumps(record.to_dict(), indent=1, ensure_ascii=False, allow_nan=False)
        (partial / "run.json").write_text(text + "\n", encoding="utf-8")
        with (partial / "latency.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["variant", "kind", "round", "latency_ms"])
            for timings in comparison.timings if comparison else ():
                for number, block in enumerate(timings.rounds):
                    writer.writerows([timings.name, "measured", number, f"{ms:.6f}"] for ms in block)
            if comparison is None:
                writer.writerows([v.name, "estimate", 0, f"{v.latency.p50_ms:.6f}"] for v in record.variants)
        with (partial / "layers.csv").open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(
                ["bundle", "name", "op", "nodes", "kind", "latency_ms", "share", "calls", "cycles", "instructions"]
            )
            for layer in record.layers:
                cycles = "" if layer.cycles is None else f"{layer.cycles:.0f}"
                row = [layer.bundle, layer.name, layer.op, " ".join(layer.nodes), layer.kind, f"{layer.latency_ms:.6f}"]
                writer.writerow([*row, f"{layer.share:.6f}", layer.calls, cycles, layer.instructions or ""])
        try:
            os.rename(partial, folder)
        except OSError as error:
            raise InputError(f"cannot write the run folder `{folder}`: {error.strerror}") from error
