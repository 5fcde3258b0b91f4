"""Where the dbt project lies."""

from __future__ import annotations

import hashlib
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


def fingerprint(project: Path, layer: str) -> str:
    """Changes when the SQL of the layer's models or macros does; tests and words do not count."""
    digest = hashlib.sha256()
    for kind in ("models", "macros"):
        for path in sorted((project / kind / layer).rglob("*.sql")):
            # Git may have changed the line ends on the way here.
            text = "\n".join(path.read_text("utf-8").splitlines())
            digest.update(f"{path.relative_to(project).as_posix()}\n{text}\n".encode())
    return digest.hexdigest()[:16]
