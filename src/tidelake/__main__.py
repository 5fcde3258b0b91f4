"""`python -m tidelake`."""

from tidelake.cli import main

if __name__ == "__main__":  # a spawned worker imports this module and must not run the command
    main()
