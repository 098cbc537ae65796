"""Loads extensions and calls them. Whatever their code raises is an answer to the program."""
import sys
from contextvars import copy_context

from .compact_json import dumps
from .lanes import ThreadLane, may_wait
from .loader import Package
from .output import adopt_modules, current, finish_lines
from .problems import describe, traceback_lines

_COROUTINE = 0x80
_LONGEST_ANSWER = 1024 * 1024


class Extension:
    """A loaded folder: the handler of a gateway hook, or a plugin (plugins.py)."""

    def __init__(self, bridge, number, message):
        safe = "".join(letter if letter.isalnum() else "_" for letter in message["name"])
        self._bridge = bridge
        self._number = number
        self._entry = message["entry"]
        self.package = Package(f"hermes_hook_{number}_{safe}", message["folder"], message["sources"])
        self._handle = None
        #: None while it runs in the main thread.
        self._thread = None
        #: Tasks by the number of their call.
        self._tasks = {}

    def load(self, call):
        """Called in the main thread. A module without coroutines is loaded in the thread that runs its functions."""
        if self._is_async():
            if self.package.mentions(b"asyncio"):
                self._bridge.main.use_loop(lambda: self._load(call))
            else:
                self._load(call)
        else:
            self._thread = ThreadLane()
            self._thread.post(lambda: self._load(call))

    def run(self, call, event, context):
        """Called in any thread."""
        lane = self._bridge.main if self._thread is None else self._thread
        lane.post(lambda: self._run(call, event, context))

    def cancel(self, call):
        """Cancels a coroutine that waits. What does not wait cannot be stopped from here."""
        task = self._tasks.get(call)
        if task is not None:
            self._bridge.main.loop.call_soon_threadsafe(task.cancel)

    def close(self):
        self.package.unload()
        if self._thread is not None:
            self._thread.close()

    def _is_async(self):
        """Whether the source defines `async def handle`. What the sources do not tell runs in a thread."""
        source = self.package.sources.get(self._entry)
        try:
            code = compile(source, self._entry, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, TypeError, RecursionError, MemoryError):
            # Loading it says what is wrong.
            return False
        return any(getattr(part, "co_name", "") == "handle" and part.co_flags & _COROUTINE for part in code.co_consts)

    def _load(self, call):
        self._begin(call)
        try:
            self._answer(call, self._enter(self._start))
        except _Unusable as problem:
            self._fail(call, "unusable", str(problem))
        except BaseException as error:
            self._raised(call, error, "unusable")

    def _start(self):
        """Loads the modules. The value goes to the program."""
        self._handle = self._function("handle")

    def _function(self, name):
        found = getattr(self.package.load(self._entry), name, None)
        if not callable(found):
            raise _Unusable(f'it does not define a function "{name}"')
        return found

    def _run(self, call, event, context):
        handle = self._handle
        code = getattr(handle, "__code__", None)
        if code is None or not code.co_flags & _COROUTINE:
            self._call(call, handle, event, context)
        elif may_wait(handle):
            self._bridge.main.post(lambda: self._bridge.main.use_loop(lambda: self._await(call, handle, event, context)))
        else:
            self._finish_now(call, handle, event, context)

    def _call(self, call, function, *args):
        """A function, in the current thread. It may return something to await."""
        self._begin(call)
        try:
            value = self._enter(function, *args)
        except BaseException as error:
            self._raised(call, error)
            return
        if hasattr(type(value), "__await__"):
            main = self._bridge.main
            main.post(lambda: main.use_loop(lambda: self._await(call, lambda: value)))
        else:
            self._answer(call, value)

    def _finish_now(self, call, handle, event, context):
        """A coroutine that waits for nothing needs no event loop."""
        self._begin(call)
        try:
            coroutine = self._enter(handle, event, context)
            try:
                self._enter(coroutine.send, None)
            except StopIteration as end:
                self._answer(call, end.value)
            else:
                raise RuntimeError("the coroutine waits for something that is not awaited")
        except BaseException as error:
            self._raised(call, error)

    def _await(self, call, start, *args):
        self._begin(call)

        async def work():
            try:
                self._answer(call, await start(*args))
            except BaseException as error:
                self._raised(call, error)
            finally:
                self._tasks.pop(call, None)

        # Its context is that of its creation.
        self._tasks[call] = self._enter(self._bridge.main.loop.create_task, work())

    def _enter(self, function, *args):
        context = copy_context()
        context.run(current.set, self._number)
        return context.run(function, *args)

    def _begin(self, call):
        adopt_modules(self._bridge.output)
        self._bridge.channel.send_text(f'{{"type":"begun","id":{call}}}')

    def _answer(self, call, value):
        try:
            text = "null" if value is None else dumps(value)
            problem = f"{len(text)} characters of JSON" if len(text) > _LONGEST_ANSWER else None
        except (TypeError, ValueError, RecursionError) as error:
            problem = f"a value that JSON cannot represent: {str(error) or type(error).__name__}"
        if problem is not None:
            self._fail(call, "answer", f"it returned {problem}")
            return
        finish_lines(self._number)
        adopt_modules(self._bridge.output)
        self._bridge.channel.send_text(f'{{"type":"answer","id":{call},"value":{text}}}')

    def _raised(self, call, error, kind="raised"):
        try:
            problem = describe(error, self.package)
            for line in traceback_lines(error):
                self._bridge.output.line(self._number, "error", line)
        except BaseException as worse:  # Memory ran out, or an exception of the hook's own misbehaves.
            problem = f"{type(error).__name__} ({type(worse).__name__} while it was described)"
        self._fail(call, kind, problem)

    def _fail(self, call, kind, problem):
        finish_lines(self._number)
        self._bridge.channel.send({"type": "failed", "id": call, "kind": kind, "problem": problem})


class _Unusable(Exception):
    """What is wrong with a module that could be loaded, as a clause."""
