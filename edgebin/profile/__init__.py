"""Latencies of bundles and of their full-precision twin: measured on a machine, estimated for boards that are not here."""

from edgebin.profile.options import Options
from edgebin.profile.record import RunRecord
from edgebin.profile.run import default_run_folder, profile_bundles, profile_on, resume_profile

__all__ = ["Options", "RunRecord", "default_run_folder", "profile_bundles", "profile_on", "resume_profile"]
