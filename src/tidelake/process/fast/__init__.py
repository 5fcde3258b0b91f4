"""The fast decoder of native records: it accepts the usual case, and leaves all else to `judge`."""
