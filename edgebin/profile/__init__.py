"""Latencies of bundles and of their full-precision twin: measured on a machine, or estimated."""

from edgebin.profile.measure.dry_run import dry_run_lines
from edgebin.profile.options import Options
from edgebin.profile.record import RunRecord
from edgebin.profile.run import default_run_folder, profile_bundles, profile_on, resume_profile

__all__ = [
    "Options",
    "RunRecord",
    "default_run_folder",
    "dry_run_lines",
    "profile_bundles",
    "profile_on",
    "resume_profile",
]
