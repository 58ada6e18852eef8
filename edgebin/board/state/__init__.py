"""What a board is and how it does, and whether a bundle can run there."""
