"""Where the code of extensions runs: coroutines and their modules in the main thread, everything else in a thread for
each extension, so that a hook that waits or hangs holds up nobody else."""
import sys
from _thread import start_new_thread


class MainLane:
    """The main thread. It has an event loop once something needs one, because asyncio takes longer to start than Python."""

    def __init__(self, output):
        from _queue import SimpleQueue

        self._output = output
        self._jobs = SimpleQueue()
        #: None until a coroutine may really wait.
        self.loop = None
        self._is_leaving = False

    def post(self, job):
        """Runs a function in the main thread, in the order of the calls. May be called in any thread."""
        self._jobs.put(job)
        loop = self.loop
        if loop is not None:
            loop.call_soon_threadsafe(self._drain)

    def serve(self):
        """Runs what is posted, until the process ends."""
        while self.loop is None:
            self._jobs.get()()
        while True:
            try:
                self.loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                if self._is_leaving:
                    raise
                # A task that the hook has started on its own.
                self._output.stray(None, f"called sys.exit in a task ({error})")

    def leave(self):
        """Ends the main thread, and with it the process, once it has nothing else to do."""
        self._is_leaving = True
        self.post(sys.exit)

    def use_loop(self, job):
        """Runs a function where an event loop runs; called in the main thread."""
        if self.loop is None:
            self._open_loop()
            self.post(job)
        else:
            job()

    def _open_loop(self):
        import asyncio

        loop = asyncio.new_event_loop()
        asyncio.set_event_loop(loop)
        loop.set_exception_handler(self._on_stray)
        self.loop = loop
        # Also what came before anybody could see the loop.
        loop.call_soon(self._drain)

    def _drain(self):
        while not self._jobs.empty():
            self._jobs.get()()

    def _on_stray(self, loop, context):
        from .output import find_extension

        error = context.get("exception")
        text = context.get("message", "") if error is None else f"{type(error).__name__}: {error}"
        of = context.get("task") or context.get("future")
        find = getattr(of, "get_context", None)
        extension = find_extension() if find is None else find().run(find_extension)
        self._output.stray(extension, f"left an exception in a task: {text}")


class ThreadLane:
    """A thread for the functions of one extension, one after the other."""

    def __init__(self):
        # The thread that imports it first becomes its main thread in older Pythons, so this one does.
        import threading  # noqa: F401
        from _queue import SimpleQueue

        self._jobs = SimpleQueue()
        start_new_thread(self._serve, ())

    def post(self, job):
        self._jobs.put(job)

    def close(self):
        """Ends the thread after what was posted."""
        self._jobs.put(None)

    def _serve(self):
        while True:
            job = self._jobs.get()
            if job is None:
                return
            job()


def may_wait(function):
    """Whether a coroutine function may need an event loop: it awaits something, or asyncio is there already."""
    code = getattr(function, "__code__", None)
    if code is None or "asyncio" in sys.modules:
        return True
    from opcode import opmap

    waiting = {opmap[name] for name in ("GET_AWAITABLE", "GET_AITER") if name in opmap}
    return any(instruction in waiting for instruction in code.co_code[::2])
