"""The connection with the program: one JSON object a line, on a descriptor of its own."""
import fcntl
import os
from _thread import allocate_lock

from .compact_json import dumps

DESCRIPTOR = 3
_READ_BYTES = 65536
_LEAST = 10


class Channel:
    """Its descriptor is not passed to child processes, and closed in forked ones."""

    def __init__(self):
        # Away from the lowest numbers, which programs that become daemons close.
        self._descriptor = fcntl.fcntl(DESCRIPTOR, fcntl.F_DUPFD_CLOEXEC, _LEAST)
        os.close(DESCRIPTOR)
        self._lock = allocate_lock()
        os.register_at_fork(after_in_child=self._abandon)

    def _abandon(self):
        os.close(self._descriptor)
        self._descriptor = -1
        self._lock = allocate_lock()

    def read(self):
        """Yields the program's messages, a line of bytes each, until it closes the connection."""
        pieces = []
        while True:
            try:
                piece = os.read(self._descriptor, _READ_BYTES)
            except OSError:  # It has ended without reading everything, or a hook has closed the descriptor.
                piece = b""
            if not piece:
                return
            if b"\n" not in piece:
                pieces.append(piece)
                continue
            *lines, rest = (b"".join(pieces) + piece).split(b"\n")
            pieces = [rest] if rest else []
            yield from lines

    def send(self, message):
        self.send_text(dumps(message))

    def send_text(self, text):
        """Sends a message that is JSON already. Does nothing in a forked process, or when the program has ended."""
        data = memoryview(text.encode("ascii") + b"\n")
        with self._lock:
            try:
                while data and self._descriptor >= 0:
                    data = data[os.write(self._descriptor, data) :]
            except ConnectionError:  # read() sees its end, too.
                return
            except OSError as error:  # A hook has closed the descriptor, and nothing can be said any more.
                os.write(2, b"Error: a hook has closed the connection of its process: %s\n" % str(error).encode())
                os._exit(1)
