"""Settings for every test: edgebin is imported before anything can load onnxruntime, and hypothesis is repeatable."""

from collections.abc import Iterator

import hypothesis
import pytest

import edgebin  # noqa: F401 (sets ORT_DISABLE_TELEMETRY before any test imports onnxruntime)

pytest_plugins = ["tests.board.agents", "tests.board.farm", "tests.board.sshd", "tests.road"]

# Machines that run the tests may be slow and shared: no deadline. Derandomised: a failure here is a failure everywhere.
hypothesis.settings.register_profile("edgebin", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("edgebin")


@pytest.fixture(autouse=True, scope="session")
def _own_folders(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What edgebin keeps on boards and knows of them is never the user's, also where this host is the board.

    For the whole session, so that it holds for fixtures of the session too.
    """
    own = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("edgebin.board.transports.local.cache_dir", own.joinpath)
        patch.setenv("EDGEBIN_CONFIG_DIR", str(own / "config"))
        yield
