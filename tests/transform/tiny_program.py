"""`tidelake` over the dbt project whose folder is the first argument."""

from __future__ import annotations

import sys
from pathlib import Path

from tidelake.cli import main
from tidelake.pipeline import transformer

folder = Path(sys.argv.pop(1))
transformer.project_folder = lambda: folder
main()
