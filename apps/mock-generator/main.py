"""The same as apps/mock_generator/main.py, under the name that some documents use."""

import runpy
from pathlib import Path

if __name__ == "__main__":
    runpy.run_path(
        str(Path(__file__).resolve().parents[1] / "mock_generator" / "main.py"), run_name="__main__"
    )
