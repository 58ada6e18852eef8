"""A bundle's latency against its full-precision twin: measured on this host, estimated for boards that are not here."""

from edgebin.profile.protocol import RunRecord
from edgebin.profile.run import default_run_folder, profile_bundle

__all__ = ["RunRecord", "default_run_folder", "profile_bundle"]
