"""What a user can see of a running pipeline: heartbeats of its parts, the books, the monitor."""
