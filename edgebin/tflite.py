"""Runs edgebin's and Larq Compute Engine's `.tflite` files in the stock TFLite runtimes.

```python
from edgebin.tflite import interpreter

model = interpreter("model.tflite")
model.set_tensor(model.get_input_details()[0]["index"], image)
model.invoke()
logits = model.get_tensor(model.get_output_details()[0]["index"])
```

`delegate()` is for programs that make their interpreter themselves; without Python, any TFLite loads
`libedgebin_tflite.so` as an external delegate.
"""

from __future__ import annotations

import importlib
import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from edgebin.errors import InputError, ToolchainError

__all__ = ["delegate", "interpreter"]

Runtime = Literal["tflite_runtime", "litert"]
_MODULES: dict[str, str] = {
    "tflite_runtime": "tflite_runtime.interpreter",
    "litert": "ai_edge_litert.interpreter",
}


def delegate(
    library: Path | str | None = None, *, num_threads: int | None = None, runtime: Runtime | None = None
) -> Any:
    """The delegate that `Interpreter(experimental_delegates=[…])` of `runtime` takes (None: of whichever is installed).

    `library` is `libedgebin_tflite.so` of a bundle; without one, that of this machine is built once. Its kernels run in
    `num_threads` threads, or in as many as the interpreter has.

    Raises:
        InputError: the library cannot be loaded, or there is no such runtime.
        ToolchainError: no runtime is installed, or there is no compiler for the library.
    """
    module = _module(runtime)
    path = _host_library() if library is None else Path(library)
    if not path.is_file():
        raise InputError(f"cannot load `{path}` as a delegate: there is no such file")
    options = {} if num_threads is None else {"num_threads": num_threads}
    try:
        return module.load_delegate(str(path), options)
    except (OSError, ValueError) as error:
        raise InputError(f"cannot load `{path}` as a delegate: {error}") from error


def interpreter(
    model: Path | str | bytes,
    runtime: Runtime | None = None,
    *,
    library: Path | str | None = None,
    num_threads: int = 1,
) -> Any:
    """An `Interpreter` of the runtime with a model, a file or its bytes, and the delegate; its tensors are allocated.

    Raises:
        InputError: the model cannot be read or has ops that neither TFLite nor edgebin knows.
        ToolchainError: no runtime is installed, or there is no compiler for the library.
    """
    module = _module(runtime)
    loaded = delegate(library, num_threads=num_threads, runtime=runtime)
    content = model if isinstance(model, bytes) else _read(Path(model))
    try:
        made = module.Interpreter(model_content=content, experimental_delegates=[loaded], num_threads=num_threads)
        made.allocate_tensors()
    except (RuntimeError, ValueError) as error:
        name = "the model" if isinstance(model, bytes) else f"`{model}`"
        raise InputError(f"TFLite cannot run {name}: {str(error).strip()}") from error
    return made


def _host_library() -> Path:
    # Not at the top: a board that runs models has no compiler, and none of the packages that write models.
    from edgebin.backends.tflite.build import host_library

    return host_library()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(f"cannot read `{path}`: {error.strerror}") from error


def _module(runtime: Runtime | None) -> ModuleType:
    """The runtime's Python module; the first one that is installed if None."""
    if runtime is not None and runtime not in _MODULES:
        raise InputError(f"no such runtime: `{runtime}`", hint=f"there are {', '.join(_MODULES)}")
    for name in _MODULES if runtime is None else (runtime,):
        if importlib.util.find_spec(_MODULES[name].partition(".")[0]) is not None:
            return importlib.import_module(_MODULES[name])
    raise ToolchainError(
        f"{'no TFLite runtime' if runtime is None else _MODULES[runtime].partition('.')[0]} is installed",
        hint="pip install ai-edge-litert, or tflite-runtime where Python is 3.11 or older",
    )
