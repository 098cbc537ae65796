"""What plugins ask of the program, and its answers."""
from _thread import allocate_lock
from itertools import count


class Requests:
    def __init__(self, channel):
        self._channel = channel
        self._numbers = count(1)
        self._pending = {}

    def send(self, extension, method, args):
        """Sends a request at once; the program answers it at some time. Raises what makes `args` no JSON."""
        number = next(self._numbers)
        reply = self._pending[number] = Reply()
        try:
            self._channel.send(
                {"type": "request", "id": number, "extension": extension, "method": method, "args": args}
            )
        except BaseException:
            del self._pending[number]
            raise
        return reply

    def take(self, number, ok, value):
        """Called in the thread that reads."""
        reply = self._pending.pop(number, None)
        if reply is not None:
            reply.settle(ok, value)


class Reply:
    """The answer to come. Any thread may wait for it."""

    def __init__(self):
        self._lock = allocate_lock()
        self._lock.acquire()
        self._guard = allocate_lock()
        self._callbacks = []
        self._result = None

    def settle(self, ok, value):
        with self._guard:
            self._result = (ok, value)
            callbacks, self._callbacks = self._callbacks, []
        self._lock.release()
        for callback in callbacks:
            callback()

    def wait(self):
        """Blocks the current thread. Gives whether it went well, and the value or what went wrong."""
        with self._lock:
            return self._result

    def when_settled(self, callback):
        """Called once, in any thread; immediately when the answer is there."""
        with self._guard:
            if self._result is None:
                self._callbacks.append(callback)
                return
        callback()
