"""The loader reads a lake on Glue and S3, as an emulator serves them, like one in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.pipeline.loading import loads

from tidelake import settings
from tidelake.errors import UnavailableError
from tidelake.lake.entries import live_files

REGION = "us-east-1"


@pytest.fixture
def aws() -> Iterator[str]:
    """Address of an emulated AWS with the bucket `lake`."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        s3 = boto3.client("s3", endpoint_url=f"http://{host}:{port}", region_name=REGION)
        s3.create_bucket(Bucket="lake")
        s3.close()
        yield f"http://{host}:{port}"
    server.stop()


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
