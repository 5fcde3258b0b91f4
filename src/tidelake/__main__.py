"""`python -m tidelake`."""

from tidelake.cli import main

main()
