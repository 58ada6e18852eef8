"""edgebin's kernels in onnxruntime sessions of your own.

    import edgebin.onnxruntime          # before onnxruntime: edgebin switches its telemetry off
    import onnxruntime

    options = onnxruntime.SessionOptions()
    edgebin.onnxruntime.register(options)
    session = onnxruntime.InferenceSession("model.onnx", options)

Both what `edgebin export` writes and what `edgebin compile --backend ort` makes of it run so; without the call they run
too, on onnxruntime's own ops. In C it is one call, `OrtApi::RegisterCustomOpsLibrary_V2(options,
"…/libedgebin_ort.so")`; onnxruntime's own programs take an option such as `--custom-op-library`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edgebin.errors import InputError

if TYPE_CHECKING:
    import onnxruntime

__all__ = ["register"]


def register(session_options: onnxruntime.SessionOptions, library: Path | str | None = None) -> None:
    """Let sessions with these options run edgebin's ops on edgebin's kernels.

    Threads are the session's own (`intra_op_num_threads`). Inputs and outputs are float32; a float16 input of one of
    our ops is an error when the session is made or run.

    Args:
        session_options: an `onnxruntime.SessionOptions`, of onnxruntime 1.21 or newer.
        library: `libedgebin_ort.so` for this machine; None: built for this host, once, into edgebin's cache.

    Raises:
        InputError: the library is not there, or onnxruntime refuses it; or this host is not x86-64 and none is given.
        ToolchainError: it has to be built, and there is no compiler.
    """
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail

    path = _host_library() if library is None else Path(library).absolute()
    if not path.is_file():
        raise InputError(f"there is no library `{path}`", hint="`edgebin unpack` takes it out of a bundle")
    try:
        session_options.register_custom_ops_library(str(path))
    except Fail as error:
        reason = str(error).strip().splitlines()[-1]
        raise InputError(
            f"onnxruntime cannot load `{path}`: {reason}",
            hint="it has to be built for this machine's architecture, and onnxruntime be 1.21 or newer",
        ) from error


def _host_library() -> Path:
    from edgebin.backends.ort import cached_library
    from edgebin.targets import load_target
    from edgebin.targets.host import host_arch

    if host_arch() != "x86_64":
        raise InputError(
            f"no library can be built for a {host_arch()} host",
            hint="give `library`: `edgebin compile --backend ort` puts it into the bundle",
        )
    return cached_library(load_target("x86-64"))
