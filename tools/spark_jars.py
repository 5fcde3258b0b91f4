"""Bring the jars that Spark needs to read the lake into .cache/spark-jars, through Maven.

    python tools/spark_jars.py

A jar that is there with the right checksum is left alone; one with a wrong checksum is an error.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / ".cache" / "spark-jars"

# Tried together with the pyspark in requirements-spark.in, on Java 17.
JARS = {
    "org.apache.iceberg:iceberg-spark-runtime-4.0_2.13:1.10.1": (
        "2192a0881ed0f5773b5a83a8820d2b0b2069beec203028643a1c338551007f09"
    ),
    "org.postgresql:postgresql:42.7.4": (
        "188976721ead8e8627eb6d8389d500dccc0c9bebd885268a3047180274a6031e"
    ),
}
COPY = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy"


def main() -> None:
    for artifact, checksum in JARS.items():
        _, name, version = artifact.split(":")
        jar = FOLDER / f"{name}-{version}.jar"
        if not jar.exists():
            download(artifact)
        found = hashlib.sha256(jar.read_bytes()).hexdigest()
        if found != checksum:
            raise SystemExit(
                f"{jar} is not the jar that was tried: sha256 {found}, not {checksum}.\n"
                "  Remove it and run the command again."
            )


def download(artifact: str) -> None:
    maven = shutil.which("mvn")
    if maven is None:
        raise SystemExit(
            f"Maven is needed to get {artifact}, and there is no `mvn` on the PATH.\n"
            "  Debian, Ubuntu:  apt-get install maven default-jre-headless\n"
            "  macOS:           brew install maven openjdk@17"
        )
    print(f"Getting {artifact} …", flush=True)
    arguments = [f"-Dartifact={artifact}", f"-DoutputDirectory={FOLDER}"]
    subprocess.run([maven, "--quiet", "--batch-mode", COPY, *arguments], check=True)


if __name__ == "__main__":
    main()
