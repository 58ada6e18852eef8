"""Charts of a run as SVG: one a module, each drawn for a width, so that text has its size on a phone as well."""
