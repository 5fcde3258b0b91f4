#!/bin/sh
# Finds a Python that tidelake can use and hands over to setup.py. A file of its own, in plain sh,
# because on a new machine nothing else is sure to run, and the first error must be a clear one.
# PYTHON=/path/to/python3.12 chooses one by hand.
set -eu

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14; do
    if usable "$candidate"; then
        exec "$candidate" "$(dirname "$0")/setup.py" "$@"
    fi
done

cat >&2 <<MESSAGE
tidelake needs Python 3.11 or newer; found: $(python3 --version 2>/dev/null || echo "no python3 at all").
  Debian, Ubuntu:  apt-get install python3 python3-venv
  macOS:           brew install python@3.13
  anything:        uv python install 3.13
or name one yourself:  make demo PYTHON=/path/to/python3.13
MESSAGE
exit 1
