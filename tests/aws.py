"""An emulated AWS for tests: S3 with one bucket, and Glue."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import Request, urlopen

import boto3
import pytest
from moto.server import ThreadedMotoServer

REGION = "us-east-1"


@contextmanager
def emulated() -> Iterator[str]:
    """Its address, with the bucket `lake`, while the block runs."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    # What an earlier one held outlives its server, in this process.
    with urlopen(Request(f"{address}/moto-api/reset", method="POST"), timeout=10):
        pass
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("AWS_ACCESS_KEY_ID", "test")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        s3 = boto3.client("s3", endpoint_url=address, region_name=REGION)
        s3.create_bucket(Bucket="lake")
        s3.close()
        yield address
    server.stop()
