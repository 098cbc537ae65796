"""Starts the bridge. It parses in every Python, so that one that is too old can say so."""
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
# Neither this folder nor the working folder is a place for the modules of hooks.
sys.path[:] = [path for path in sys.path if path not in ("", here)]

if sys.version_info < (3, 9):
    version = ".".join(str(part) for part in sys.version_info[:3])
    os.write(3, ('{"type": "old", "version": "%s"}\n' % version).encode("ascii"))
    sys.exit(0)

sys.path.insert(0, here)
from hermes_bridge.main import main  # noqa: E402

sys.path.remove(here)
main()
