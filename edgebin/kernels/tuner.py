"""Chooses kernels by measurement: each distinct call of a model is timed once, on all variants that can do it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from edgebin.kernels.choose import Choose
from edgebin.kernels.select import usable_variants
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant

# The fastest call of each variant, in nanoseconds.
Measure = Callable[[CallShape, Sequence[Variant]], Mapping[str, int]]


@dataclass
class Tuner:
    """Measures with `measure`, on the machine and day named; `results` are the choices, with what each variant took.

    `at_once`: how many calls are measured at a time, each on a machine of its own.
    """

    machine: str
    date: str
    measure: Measure
    at_once: int = 1
    results: dict[CallShape, tuple[str, Mapping[str, int]]] = field(default_factory=dict)

    def choose_for(self, paths: Sequence[str]) -> Choose:
        """Chooses among the kernels of these paths; of two that are equally fast, that of the better path."""

        def choose(call: CallShape) -> Variant:
            if call not in self.results:
                self.results[call] = self._measured(call, paths)
            chosen, _ = self.results[call]
            return next(variant for variant in usable_variants(call.kernel, paths) if variant.path == chosen)

        return choose

    def measure_all(self, calls: Iterable[CallShape], paths: Sequence[str]) -> None:
        """Measures those of the calls that have not been, several at a time."""
        new = [call for call in dict.fromkeys(calls) if call not in self.results]
        with ThreadPoolExecutor(self.at_once) as pool:
            measured = [pool.submit(self._measured, call, paths) for call in new]
            try:
                for call, result in zip(new, measured, strict=True):
                    self.results[call] = result.result()
            except BaseException:
                pool.shutdown(cancel_futures=True)
                raise

    def _measured(self, call: CallShape, paths: Sequence[str]) -> tuple[str, Mapping[str, int]]:
        candidates = usable_variants(call.kernel, paths)
        best_ns = self.measure(call, candidates)
        return min(candidates, key=lambda variant: best_ns[variant.path]).path, best_ns
