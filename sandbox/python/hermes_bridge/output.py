"""Sends what hooks print to the log: each line names the extension that has printed it."""
import io
import os
import sys
import time
from _contextvars import ContextVar
from _thread import allocate_lock

from .compact_json import dumps

#: The number of the extension whose code is running; None in threads that nobody knows.
current = ContextVar("hermes_extension", default=None)

_LONGEST_LINE = 4000
#: Lines per second and extension; further ones are only counted.
_MOST_LINES = 200


class Output:
    """The lines of all extensions, limited for each."""

    def __init__(self, channel):
        self._channel = channel
        self._lock = allocate_lock()
        self._windows = {}

    def divert(self):
        """Replaces sys.stdout and sys.stderr. What is written to descriptors 1 and 2 reaches the program by itself."""
        sys.stdout = _Stream(self, "info", 1)
        sys.stderr = _Stream(self, "warn", 2)
        os.register_at_fork(after_in_child=_restore)

    def line(self, extension, level, text):
        if len(text) > _LONGEST_LINE:
            text = text[:_LONGEST_LINE] + "…"
        dropped = 0
        with self._lock:
            ends, left, missing = self._windows.get(extension, (0.0, 0, 0))
            now = time.monotonic()
            if now > ends:
                ends, left, dropped, missing = now + 1, _MOST_LINES, missing, 0
            if left > 0:
                left -= 1
                show = True
            else:
                missing += 1
                show = False
            self._windows[extension] = (ends, left, missing)
        if dropped:
            self._send(extension, "warn", f"… {dropped} more lines were dropped")
        if show:
            self._send(extension, level, text)

    def stray(self, extension, problem):
        self._send(extension, "error", problem, "stray")

    def flush(self):
        sys.stdout.flush()
        sys.stderr.flush()

    def _send(self, extension, level, text, kind="output"):
        # Letters of a surrogate pair alone are fine in JSON.
        number = "null" if extension is None else str(extension)
        self._channel.send_text(f'{{"type":"{kind}","extension":{number},"level":"{level}","text":{dumps(text)}}}')


def _restore():
    """A forked process has no connection with the program."""
    sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__


class _Stream(io.TextIOBase):
    """A text stream that splits into lines. One line is kept for each extension until it ends."""

    encoding = "utf-8"
    errors = "replace"

    def __init__(self, output, level, descriptor):
        self._output = output
        self._level = level
        self._descriptor = descriptor
        self._begun = {}
        self.buffer = _Bytes(self)

    def write(self, text):
        extension = find_extension()
        lines = (self._begun.pop(extension, "") + text).split("\n")
        rest = lines.pop()
        for line in lines:
            self._output.line(extension, self._level, line)
        if len(rest) > _LONGEST_LINE:
            self._output.line(extension, self._level, rest)
        elif rest:
            self._begun[extension] = rest
        return len(text)

    def flush(self):
        """Keeps what is begun: a print with end="" and flush=True goes on in the same line."""

    def finish(self, extension):
        rest = self._begun.pop(extension, "")
        if rest:
            self._output.line(extension, self._level, rest)

    def fileno(self):
        return self._descriptor

    def isatty(self):
        return False

    def writable(self):
        return True


class _Bytes(io.RawIOBase):
    def __init__(self, stream):
        self._stream = stream

    def write(self, data):
        self._stream.write(bytes(data).decode("utf-8", "replace"))
        return len(data)

    def fileno(self):
        return self._stream.fileno()

    def writable(self):
        return True


def find_extension():
    extension = current.get()
    if extension is None and "threading" in sys.modules:
        extension = getattr(sys.modules["threading"].current_thread(), "hermes_extension", None)
    return extension


def finish_lines(extension):
    """Sends the line that an extension has begun; called at the end of each of its runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, _Stream):
            stream.finish(extension)


def adopt_modules(output):
    """Prepares modules of the standard library once hooks have imported them. Cheap when there is nothing to do."""
    modules = sys.modules
    if "logging" in modules and not _adopted_logging:
        _adopted_logging.append(True)
        _adopt_logging(modules["logging"], output)
    if "threading" in modules and not _adopted_threading:
        _adopted_threading.append(True)
        _adopt_threading(modules["threading"])


_adopted_logging = []
_adopted_threading = []


def _adopt_logging(logging, output):
    """Log records go to the log as they would in an agent that has set logging up; hooks may add handlers."""
    root = logging.getLogger()
    if root.handlers:
        return

    class ToLog(logging.Handler):
        def emit(self, record):
            level = "error" if record.levelno >= 40 else "warn" if record.levelno >= 30 else "info"
            level = level if record.levelno >= 20 else "debug"
            try:
                text = self.format(record)
            except Exception:  # A record whose arguments do not fit its text.
                self.handleError(record)
                return
            for line in text.split("\n"):
                output.line(find_extension(), level, line)

    root.addHandler(ToLog())
    root.setLevel(logging.INFO)


def _adopt_threading(threading):
    """Threads that a hook starts print in its name."""
    start = threading.Thread.start

    def start_as_extension(self):
        self.hermes_extension = find_extension()
        start(self)

    threading.Thread.start = start_as_extension
