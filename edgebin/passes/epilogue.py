"""The epilogue of a fused op: what happens to a kernel's values between accumulator and memory.

The order of its stages is `eb_epilogue`'s in kernels/include/edgebin.h, and an epilogue is only ever composed with what
follows it when the result still fits that order:

    v = acc * scale + bias;  v += residuals;  v = v < 0 ? v * slope : v;  v += offset;  v = v * gain + shift;  v += skip
    out = v (or the mean over `pool` neighbours);  bits[p] = v < thresholds[p]
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import onnx_ir as ir

Vector = npt.NDArray[np.float64]

# EB_MAX_RESIDUALS and EB_MAX_BIT_PLANES of edgebin.h.
MAX_RESIDUALS = 3
MAX_BIT_PLANES = 3

STAGES = ("scale", "bias", "residuals", "slope", "offset", "gain", "shift", "skip", "thresholds")


@dataclass(frozen=True)
class Epilogue:
    """Stages of one fused op; `None` or empty means the stage is left out.

    Vectors are float64 [columns], so that folds round once, when a node is written. `residuals` and `skip` are values
    of the graph: [rows, columns], a residual also [rows, columns / r], then read r times side by side.
    """

    scale: Vector | None = None
    bias: Vector | None = None
    residuals: tuple[ir.Value, ...] = ()
    slope: Vector | None = None
    offset: Vector | None = None
    gain: Vector | None = None
    shift: Vector | None = None
    skip: ir.Value | None = None
    thresholds: tuple[Vector, ...] = ()
    stores_out: bool = True
    pool: int = 1

    @property
    def is_open(self) -> bool:
        """Whether the value stored in `out` is still the plain v, so that more stages may follow."""
        return self.stores_out and self.pool == 1 and not self.thresholds

    @property
    def stages(self) -> frozenset[str]:
        """Names of the stages that are there, `thresholds` among them."""
        vectors = [name for name in STAGES if getattr(self, name) is not None]
        return frozenset(vectors) - {name for name in ("residuals", "thresholds") if not getattr(self, name)}

    def scaled(self, factor: Vector) -> Epilogue | None:
        """v → v * factor."""
        if self.skip is not None:
            return None
        if self.residuals or self.slope is not None or self.offset is not None or self.gain is not None:
            gain = factor if self.gain is None else self.gain * factor
            shift = np.zeros_like(gain) if self.shift is None else self.shift * factor
            return replace(self, gain=gain, shift=shift)
        scale = factor if self.scale is None else self.scale * factor
        return replace(self, scale=scale, bias=None if self.bias is None else self.bias * factor)

    def biased(self, term: Vector) -> Epilogue | None:
        """v → v + term, for a constant term."""
        if self.skip is not None:
            return None
        if self.shift is not None:
            return replace(self, shift=self.shift + term)
        if self.slope is not None or self.offset is not None:
            return replace(self, offset=term if self.offset is None else self.offset + term)
        return replace(self, bias=term if self.bias is None else self.bias + term)

    def added(self, value: ir.Value, *, full: bool) -> Epilogue | None:
        """v → v + value; `full` when the value has as many columns as v."""
        late = self.slope is not None or self.offset is not None or self.gain is not None or self.skip is not None
        if not late and len(self.residuals) < MAX_RESIDUALS:
            return replace(self, residuals=(*self.residuals, value))
        if full and self.skip is None:
            return replace(self, skip=value)
        return None

    def rectified(self, slope: Vector) -> Epilogue | None:
        """v → v < 0 ? v * slope : v."""
        if self.slope is not None or self.offset is not None or self.gain is not None or self.skip is not None:
            return None
        return replace(self, slope=slope)

    def then(self, following: Epilogue, *, columns: int) -> Epilogue | None:
        """This epilogue followed by another on its `out`, or `None` where the two do not fit one order of stages."""
        if not self.is_open:
            return None
        result: Epilogue | None = self
        if following.scale is not None:
            result = result and result.scaled(following.scale)
        if following.bias is not None:
            result = result and result.biased(following.bias)
        for value in following.residuals:
            result = result and result.added(value, full=static_shape(value)[-1] == columns)
        if following.slope is not None:
            result = result and result.rectified(following.slope)
        if following.offset is not None:
            result = result and result.biased(following.offset)
        if following.gain is not None:
            result = result and result.scaled(following.gain)
        if following.shift is not None:
            result = result and result.biased(following.shift)
        if following.skip is not None:
            result = result and result.added(following.skip, full=True)
        if result is None:
            return None
        return replace(result, thresholds=following.thresholds, stores_out=following.stores_out, pool=following.pool)


def static_shape(value: ir.Value) -> tuple[int, ...]:
    """The shape of a value, all numbers: `fix_batch` has run."""
    shape = value.shape
    assert shape is not None, value.name
    return shape.numpy()
