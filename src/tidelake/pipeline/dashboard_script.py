"""The script that Streamlit runs for every visitor; its argument is the home."""

import sys

from tidelake.pipeline.dashboard import draw

draw(sys.argv[1])
