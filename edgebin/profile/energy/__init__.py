"""Energy per inference: from a board's sensor, from an external meter's log, or as a published range."""
