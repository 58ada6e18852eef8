"""Chooses kernels by measurement: each distinct call of a model is timed once, on all variants that can do it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from edgebin.kernels.choose import Choose
from edgebin.kernels.select import usable_variants
from edgebin.kernels.shape import CallShape
from edgebin.kernels.variants import Variant

# The fastest call of each variant, in nanoseconds.
Measure = Callable[[CallShape, Sequence[Variant]], Mapping[str, int]]


@dataclass
class Tuner:
    """Measures with `measure`, on the machine and day named; `results` are the choices, with what each variant took."""

    machine: str
    date: str
    measure: Measure
    results: dict[CallShape, tuple[str, Mapping[str, int]]] = field(default_factory=dict)

    def choose_for(self, paths: Sequence[str]) -> Choose:
        """Chooses among the kernels of these paths; of two that are equally fast, that of the better path."""

        def choose(call: CallShape) -> Variant:
            candidates = usable_variants(call.kernel, paths)
            if call not in self.results:
                best_ns = self.measure(call, candidates)
                fastest = min(candidates, key=lambda variant: best_ns[variant.path])
                self.results[call] = (fastest.path, best_ns)
            chosen, _ = self.results[call]
            return next(variant for variant in candidates if variant.path == chosen)

        return choose
