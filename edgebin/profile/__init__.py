"""A bundle's latency against its full-precision twin: measured on this host, estimated for boards that are not here."""
