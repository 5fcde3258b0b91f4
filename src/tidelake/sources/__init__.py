"""Where raw records come from: the inbox, and files. Each is a `Source`."""

from tidelake.sources.file import FileSource
from tidelake.sources.inbox import InboxSource
from tidelake.sources.source import Source

__all__ = ["FileSource", "InboxSource", "Source"]
