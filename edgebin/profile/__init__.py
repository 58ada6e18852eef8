"""Latencies of bundles and of their full-precision twin: measured here, estimated for boards that are not here."""

from edgebin.profile.record import RunRecord
from edgebin.profile.run import default_run_folder, profile_bundles

__all__ = ["RunRecord", "default_run_folder", "profile_bundles"]
