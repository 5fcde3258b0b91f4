"""A collector in small: appends requests from four threads and tells each acknowledgement.

    write_rows.py HOME NAME REQUESTS

Each thread appends REQUESTS requests of three records `NAME.thread.request.record`. A line on
standard output is an acknowledgement: the first row, and the request.
"""

import os
import sys
import threading
from pathlib import Path

from tidelake.files import open_disk
from tidelake.inbox import LaneWriter, Records, SegmentLimits


def main(home: Path, name: str, requests: int) -> None:
    writer = LaneWriter.claim(home, open_disk(), SegmentLimits(segment_bytes=500))

    def client(thread: int) -> None:
        for request in range(requests):
            sent = f"{name}.{thread}.{request}"
            bodies = [f"{sent}.{record}".encode() for record in range(3)]
            first, _ = writer.append_and_wait(Records(bodies, b"{}", 1_764_000_000_000_000))
            # One system call: a kill leaves whole lines only.
            os.write(1, f"{first} {sent}\n".encode())

    threads = [threading.Thread(target=client, args=(n,)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    writer.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]))
