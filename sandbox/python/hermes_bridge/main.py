"""Takes the program's messages and passes them on to the extensions."""
import os
import sys
from _thread import start_new_thread

from .channel import Channel
from .compact_json import loads
from .extensions import Extension
from .lanes import MainLane
from .output import Output
from .requests import Requests

#: How long functions of `atexit` may take when the program is gone.
_FAREWELL_SECONDS = 1


class Bridge:
    """What extensions share."""

    def __init__(self):
        self.channel = Channel()
        self.output = Output(self.channel)
        self.main = MainLane(self.output)
        self.requests = Requests(self.channel)
        self._extensions = {}

    def read(self):
        """Takes messages until the connection ends, and the process with it. Runs in a thread of its own."""
        try:
            for line in self.channel.read():
                try:
                    message = loads(line.decode("utf-8"))
                except (ValueError, RecursionError) as error:
                    self._refuse(line, error)
                else:
                    self._take(message)
        finally:
            # Also when the main thread is in a call that never returns.
            self.main.leave()
            _sleep(_FAREWELL_SECONDS)
            os._exit(0)

    def _refuse(self, line, error):
        """Python parses less than the program writes, such as deep nesting. That is one failed call."""
        # The number comes before anything that a hook or a model has a say in.
        number = int(line.partition(b'"id":')[2].partition(b",")[0])
        problem = f"what it was sent cannot be parsed: {error}"
        if line.startswith(b'{"op":"reply",'):
            self.requests.take(number, False, problem)
        else:
            self.channel.send({"type": "failed", "id": number, "kind": "raised", "problem": problem})

    def _take(self, message):
        op = message["op"]
        number = message["extension"]
        if op == "load":
            extension = self._extensions[number] = _kind_of(message)(self, number, message)
            self.main.post(lambda: extension.load(message["id"]))
            return
        extension = self._extensions.get(number)
        if extension is None:
            return
        if op == "run":
            extension.run(message["id"], message["event"], message["context"])
        elif op == "call":
            extension.call(message["id"], message)
        elif op == "reply":
            self.requests.take(message["id"], message["ok"], message["value"])
        elif op == "cancel":
            extension.cancel(message["id"])
        elif op == "close":
            del self._extensions[number]
            self.main.post(extension.close)


def _kind_of(message):
    if message["plugin"] is None:
        return Extension
    from .plugins import Plugin

    return Plugin


def main():
    bridge = Bridge()
    _restore_marker(sys.argv[1:])
    sys.argv = [""]
    bridge.output.divert()
    version = ".".join(str(part) for part in sys.version_info[:3])
    bridge.channel.send({"type": "ready", "version": version, "executable": sys.executable or ""})
    start_new_thread(bridge.read, ())
    bridge.main.serve()


def _restore_marker(words):
    """The program kills this process when it ends, but not what hooks have started in it."""
    name, _, value = "".join(words).partition("=")
    if name and value:
        os.environ[name] = value
    elif name:
        os.environ.pop(name, None)


def _sleep(seconds):
    import time

    time.sleep(seconds)
