"""Settings for every test: edgebin is imported before anything can load onnxruntime, and hypothesis is repeatable."""

from pathlib import Path

import hypothesis
import pytest

import edgebin  # noqa: F401 (sets ORT_DISABLE_TELEMETRY before any test imports onnxruntime)

pytest_plugins = ["tests.board.farm", "tests.board.sshd", "tests.road"]

# Machines that run the tests may be slow and shared: no deadline. Derandomised: a failure here is a failure everywhere.
hypothesis.settings.register_profile("edgebin", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("edgebin")


@pytest.fixture(scope="session")
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(autouse=True)
def _own_folders(_own_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What edgebin keeps on boards and knows of them is never the user's, also where this host is the board."""
    monkeypatch.setattr("edgebin.board.local_transport.cache_dir", _own_folder.joinpath)
    monkeypatch.setenv("EDGEBIN_CONFIG_DIR", str(_own_folder / "config"))
