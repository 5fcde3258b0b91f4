"""The OpenAPI document is true: generated requests get documented answers, and never a 5xx."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from tests.collect.running import Running

from tidelake.collect.openapi import document
from tidelake.event.contract import EVENTS
from tidelake.event.schemas.jsonschema import json_schema

EXAMPLES = 8


def test_the_document_holds_the_contracts_event(collector: Running) -> None:
    served = collector.http.get("/openapi.json").json()
    assert served == json.loads(json.dumps(document()))
    event = served["components"]["schemas"]["Event"]
    assert event["properties"] == json_schema(EVENTS)["properties"]


@pytest.mark.slow
def test_generated_requests_get_documented_answers(collector: Running, tmp_path: Path) -> None:
    done = subprocess.run(
        [
            *(sys.executable, "-m", "schemathesis.cli", "run"),
            f"{collector.url}/openapi.json",
            *("--checks", "not_a_server_error,status_code_conformance,response_schema_conformance"),
            *("--max-examples", str(EXAMPLES), "--seed", "1", "--phases", "coverage,fuzzing"),
            *("--generation-database", "none", "--no-color"),
        ],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert collector.http.get("/healthz").status_code == 200
