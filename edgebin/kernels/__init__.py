"""The Python view of the C kernels: bit convention, weight layouts, list of variants, selection, sources to compile."""
