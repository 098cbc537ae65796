"""Runs the Python hooks and plugins of a home, for the program that has started it. Standard library only.

docs/architecture.md ("The Python bridge") describes the parts. Modules that are slow to import (asyncio, json,
threading, traceback) are imported when a hook needs them: without them the bridge starts about as fast as Python.
"""
