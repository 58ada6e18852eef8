"""Every error that edgebin raises on purpose.

```
EdgebinError                 exit code
├── InputError                   2      a file or value given by the user cannot be used
│   ├── CheckpointError          2      not a checkpoint of a system we know, or damaged
│   └── BundleError              2      not a bundle, damaged, or of another schema
├── ExportError                  2      the model cannot be written as ONNX
├── CompileError                 2      the graph cannot be lowered
│   └── UnsupportedOp            2      carries `node` and `reason`
├── VerificationError            3      outputs differ; carries `max_abs_diff` and `layer`
├── ToolchainError               4      a compiler, emulator or runtime is missing or failed
├── BoardError                   5      a machine could not be reached or refused
│   └── ConnectionLost           5      it was reached, and is no more; what runs there goes on
├── TargetMismatch               6      right artefact, wrong machine (ABI, ISA, glibc)
└── MeasurementInvalid           7      measured, but the figures must not be trusted; carries `flags`
```

Library code raises these; only `edgebin.cli` prints them (`error: …`, `hint: …`) and exits. Exit code 1 is left for
errors that nobody foresaw.
"""

from __future__ import annotations


class EdgebinError(Exception):
    """What failed and why in `message`, one action that helps in `hint`."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class InputError(EdgebinError):
    """A file or value given by the user cannot be used."""

    exit_code = 2


class CheckpointError(InputError):
    """Not a checkpoint of a system we know, or a damaged one."""


class BundleError(InputError):
    """Not a bundle, a damaged one, or one of another schema version."""


class ExportError(EdgebinError):
    """The model cannot be written as ONNX."""

    exit_code = 2


class CompileError(EdgebinError):
    """The graph cannot be lowered for the target."""

    exit_code = 2


class UnsupportedOp(CompileError):
    """One node of the graph has no lowering; says which and why."""

    def __init__(self, node: str, reason: str, *, hint: str | None = None) -> None:
        super().__init__(f"cannot compile node `{node}`: {reason}", hint=hint)
        self.node = node
        self.reason = reason


class VerificationError(EdgebinError):
    """Outputs differ from the golden ones; `layer` names the first layer that does, where it is known."""

    exit_code = 3

    def __init__(self, message: str, *, max_abs_diff: float, layer: str | None = None, hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.max_abs_diff = max_abs_diff
        self.layer = layer


class ToolchainError(EdgebinError):
    """A compiler, an emulator or a runtime library is missing or failed."""

    exit_code = 4


class BoardError(EdgebinError):
    """A machine could not be reached, or a program on it died."""

    exit_code = 5


class ConnectionLost(BoardError):
    """A machine was reached and then the connection broke. What runs detached there goes on."""


class TargetMismatch(EdgebinError):
    """The artefact is sound but this machine cannot run it (ABI, ISA, glibc)."""

    exit_code = 6


class MeasurementInvalid(EdgebinError):
    """Measured and kept, but not to be trusted; `flags` says why."""

    exit_code = 7

    def __init__(self, message: str, *, flags: tuple[str, ...], hint: str | None = None) -> None:
        super().__init__(message, hint=hint)
        self.flags = flags
