"""Where the dbt project lies."""

from __future__ import annotations

from pathlib import Path

from tidelake.errors import SetupError

IN_WHEEL = Path(__file__).parent / "project"
IN_REPOSITORY = Path(__file__).parents[3] / "dbt"


def project_folder() -> Path:
    """The dbt project of this tidelake; nothing may be written into it. Raises `SetupError`."""
    for folder in (IN_WHEEL, IN_REPOSITORY):
        if (folder / "dbt_project.yml").is_file():
            return folder
    raise SetupError(
        f"the dbt project is missing: neither {IN_WHEEL} nor {IN_REPOSITORY} holds one",
        hint="Install tidelake again; it is part of the wheel and of the repository.",
    )
