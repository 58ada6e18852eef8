"""What edgebin knows about each board: `targets/*.toml`, one file per board, checked against one schema."""

from edgebin.targets.load import list_targets, load_target
from edgebin.targets.schema import Core, Target

__all__ = ["Core", "Target", "list_targets", "load_target"]
