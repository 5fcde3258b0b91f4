"""The loader reads a lake on Glue and S3, as an emulator serves them, like one in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.aws import REGION, emulated
from tests.pipeline.loading import loads

from tidelake import settings
from tidelake.errors import UnavailableError
from tidelake.lake.entries import live_files


@pytest.fixture
def aws() -> Iterator[str]:
    """Address of an emulated AWS with the bucket `lake`."""
    with emulated() as address:
        yield address


def test_files_on_s3_come_to_raw_and_a_missing_one_is_named(
    aws: str, database_url: str, tmp_path: Path
) -> None:
    environ = {
        "TIDELAKE_POSTGRES_URL": database_url,
        "TIDELAKE_LAKE_CATALOG": "glue",
        "TIDELAKE_LAKE_WAREHOUSE": "s3://lake/warehouse",
        "TIDELAKE_AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": aws,
    }
    with loads(settings.load(environ, home=tmp_path / "home")) as site:
        site.lake.commit(1, 10, bad={3})
        site.load()
        assert site.numbers() == [1, 2, *range(4, 11)]
        assert site.balanced()

        site.lake.commit(11, 12)
        (*_, last) = live_files(site.lake.events)
        site.lake.events.io.delete(last.location)
        with pytest.raises(UnavailableError, match=last.location):
            site.load()
