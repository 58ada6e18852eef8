"""`python -m edgebin`: the same as the `edgebin` command."""

from edgebin.cli import main

main()
