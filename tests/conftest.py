"""Settings for every test: edgebin is imported before anything can load onnxruntime, and hypothesis is repeatable."""

import hypothesis

import edgebin  # noqa: F401 (sets ORT_DISABLE_TELEMETRY before any test imports onnxruntime)

pytest_plugins = ["tests.road", "tests.board.farm"]

# Machines that run the tests may be slow and shared: no deadline. Derandomised: a failure here is a failure everywhere.
hypothesis.settings.register_profile("edgebin", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("edgebin")
