"""What edgebin keeps on a board: brought there once, by checksum, and removed again."""
