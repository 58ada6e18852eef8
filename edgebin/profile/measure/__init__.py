"""The measurement on a machine: what its agent is asked to do, and what comes back."""
