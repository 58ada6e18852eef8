"""Boards that a TVM RPC tracker hands out."""
