"""Backends turn a graph of kernel calls into something a runtime loads; one folder each."""
