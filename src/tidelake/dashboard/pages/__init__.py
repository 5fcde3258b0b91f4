"""One file a page: its questions to gold, and how it lays out the answers."""
