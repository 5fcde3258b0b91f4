"""The event contract: fields, reasons, flags, identity and types, and the schemas of them."""
