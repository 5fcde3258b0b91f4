"""The same lake on Glue and S3, as an emulator serves them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from tests.aws import REGION, emulated

from tidelake.lake.catalog import open_catalog
from tidelake.lake.commit import Committer
from tidelake.lake.tables import create_tables

STREAM = "inbox/7d0c/0"


@pytest.fixture(scope="module")
def aws() -> Iterator[str]:
    """Address of an emulated AWS with the bucket `lake`."""
    with emulated() as address:
        yield address


def test_tables_are_created_twice_and_committed_to_on_glue(aws: str, make_range: Any) -> None:
    catalog = open_catalog("glue", "s3://lake/warehouse", endpoint_url=aws, region=REGION)
    create_tables(catalog)
    events, rejects = create_tables(catalog)
    committer = Committer(catalog)
    committer.start_positions()
    committer.commit([make_range(events, rejects, 1, 6, bad={2})])
    committer.commit([make_range(events, rejects, 7, 9)])

    assert Committer(catalog).start_positions() == {STREAM: (9, 6)}
    assert events.refresh().scan().count() == 8
    assert rejects.refresh().scan().count() == 1
    committer.finish_source(STREAM, 9)
    assert (committer.finished(STREAM), Committer(catalog).start_positions()) == (9, {})
    hint = boto3.client("s3", endpoint_url=aws, region_name=REGION).get_object(
        Bucket="lake", Key="warehouse/events_db/events/metadata/version-hint.text"
    )["Body"]
    events.refresh()
    assert events.metadata_location.endswith(f"/{hint.read().decode()}.metadata.json")
