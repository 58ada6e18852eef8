"""Work is split before the program starts and in whole rows and heads: any number of threads gives the same bits."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from edgebin.board import run_bundle_files
from edgebin.bundle import npz_bytes, read_npz
from edgebin.bundle.compile import compile_bundle
from edgebin.targets import load_target
from edgebin.targets.host import host_arch

pytestmark = pytest.mark.skipif(host_arch() != "x86_64", reason="the emulator has threads of its own")

PARTS = 3
THREADS = (1, 2, PARTS, len(os.sched_getaffinity(0)) + 3)


@pytest.fixture(scope="module")
def outputs(road: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, int], tuple[bytes, int]]:
    """Bits of the logits and threads of the process, by bundle and threads asked for."""
    folder = tmp_path_factory.mktemp("threads")
    target = load_target("x86-64").model_copy(update={"cores": PARTS})
    compile_bundle(road / "net.export", target, folder / "parts.ebz")
    images = np.random.default_rng(0).standard_normal((5, 3, 16, 16), dtype=np.float32)
    (folder / "in.npz").write_bytes(npz_bytes({"pixel_values": images}))
    results = {}
    for bundle in (road / "net-x86-64.ebz", folder / "parts.ebz"):
        for threads in THREADS:
            report = run_bundle_files(bundle, folder / "in.npz", folder / "out.npz", threads=threads)
            logits = read_npz(folder / "out.npz")["logits"]
            assert np.unique(logits).size > 1
            results[bundle.stem, threads] = logits.tobytes(), report.process_threads
    return results


def test_every_number_of_threads_gives_the_same_bits(outputs: dict[tuple[str, int], tuple[bytes, int]]) -> None:
    assert len(outputs) == 2 * len(set(THREADS))
    assert len({bits for bits, _ in outputs.values()}) == 1


def test_no_more_threads_run_than_were_asked_for(outputs: dict[tuple[str, int], tuple[bytes, int]]) -> None:
    assert {threads: running for (_, threads), (_, running) in outputs.items()} == {n: n for n in THREADS}
