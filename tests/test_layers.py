"""Holds the layers of docs/architecture.md: imports go downwards only, and onnxruntime never phones home."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = (
    "base",
    "targets",
    "toolchain",
    "kernels",
    "nn",
    "models",
    "graph",
    "passes",
    "backends",
    "bundle",
    "board",
    "profile",
    "report",
    "cli",
)
# Modules directly under edgebin/, which have no folder to name their layer.
TOP_MODULES = {
    "__init__": "base",
    "__main__": "cli",
    "errors": "base",
    "resources": "base",
    "onnxruntime": "backends",
    "tflite": "backends",
}

PACKAGE = sorted((ROOT / "edgebin").rglob("*.py"))
SCRIPTS = sorted(path for folder in ("examples", "benchmarks", "docs") for path in (ROOT / folder).rglob("*.py"))


def layer_of(module: str) -> str:
    """The layer of `edgebin.x.y`; fails for a module that belongs to none."""
    parts = module.split(".")[1:]
    if not parts:
        return "base"
    layer = TOP_MODULES.get(parts[0], parts[0])
    assert layer in LAYERS, f"`{module}` belongs to no layer of docs/architecture.md"
    return layer


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imports(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every imported module with its line, also inside functions and under TYPE_CHECKING."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: relative import"
            assert node.module is not None
            # `from edgebin import profile` imports the module edgebin.profile.
            if node.module == "edgebin":
                for alias in node.names:
                    if (ROOT / "edgebin" / alias.name).is_dir() or alias.name in TOP_MODULES:
                        yield f"edgebin.{alias.name}", node.lineno
            else:
                yield node.module, node.lineno


def upward_imports(source: str, module: str) -> list[str]:
    own = layer_of(module)
    found = []
    for imported, line in imports(ast.parse(source)):
        if imported.split(".")[0] == "edgebin" and LAYERS.index(layer_of(imported)) > LAYERS.index(own):
            found.append(f"{module}:{line} ({own}) imports {imported} ({layer_of(imported)})")
    return found


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: module_name(path))
def test_imports_go_downwards(path: Path) -> None:
    assert upward_imports(path.read_text(), module_name(path)) == []


def test_a_function_level_upward_import_is_found() -> None:
    source = "def late():\n    from edgebin.cli import main\n    import edgebin.targets\n"
    assert upward_imports(source, "edgebin.nn.layers") == ["edgebin.nn.layers:2 (nn) imports edgebin.cli (cli)"]


def test_every_layer_has_its_folder() -> None:
    folders = {path.name for path in (ROOT / "edgebin").iterdir() if path.is_dir() and path.name != "__pycache__"}
    assert folders == set(LAYERS) - {"base"}


@pytest.mark.parametrize("before", [None, "0", "1"])
def test_telemetry_is_off_once_edgebin_is_imported(before: str | None) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    if before is not None:
        environment["ORT_DISABLE_TELEMETRY"] = before
    # A child of the process has to have it too: that is how other interpreters and emulated ones are started.
    child = 'import os; print(os.environ["ORT_DISABLE_TELEMETRY"])'
    code = f"import edgebin, subprocess, sys; subprocess.run([sys.executable, '-c', {child!r}], check=True)"
    shown = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "1"


@pytest.mark.parametrize("path", PACKAGE, ids=lambda path: module_name(path))
def test_environments_made_for_other_processes_keep_telemetry_off(path: Path) -> None:
    source = path.read_text()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
            given = [ast.unparse(keyword.value) for keyword in node.keywords if keyword.arg == "env"]
            assert all("os.environ" in value for value in given), (
                f"{module_name(path)}:{node.lineno} makes an environment that is not built on os.environ"
            )


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_scripts_import_edgebin_before_onnxruntime(path: Path) -> None:
    lines: dict[str, int] = {}
    for module, line in imports(ast.parse(path.read_text())):
        lines.setdefault(module.split(".")[0], line)
    if "onnxruntime" in lines:
        assert lines.get("edgebin", sys.maxsize) < lines["onnxruntime"]
