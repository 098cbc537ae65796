"""The objects that plugins get of a running gateway, as Hermes Agent has them."""
from collections.abc import Coroutine, Mapping


class Record(dict):
    """Data with attributes, such as `event.source.chat_id`."""

    def __init__(self, data):
        super().__init__((key, as_record(value)) for key, value in data.items())

    def __getattr__(self, name):
        try:
            return self[name]
        except KeyError:
            raise AttributeError(name) from None


class Platform(str):
    """The name of a platform; Hermes Agent has an enum."""

    @property
    def value(self):
        return str(self)

    @property
    def name(self):
        return str(self).upper()


def as_record(value):
    return Record(value) if isinstance(value, dict) else value


def message_event(data):
    """The argument `event` of pre_gateway_dispatch."""
    event = Record(data)
    source = event.get("source")
    if isinstance(source, Record) and isinstance(source.get("platform"), str):
        source["platform"] = Platform(source["platform"])
    return event


class Gateway:
    """`gateway.adapters[platform].send(chat_id, text)`"""

    def __init__(self, plugin, platforms):
        self.adapters = _Adapters({name: _Adapter(plugin, name) for name in platforms})


class _Adapters(Mapping):
    """By the platform's name, or anything whose `value` is that."""

    def __init__(self, adapters):
        self._adapters = adapters

    def __getitem__(self, platform):
        return self._adapters[str(getattr(platform, "value", platform))]

    def __iter__(self):
        return map(Platform, self._adapters)

    def __len__(self):
        return len(self._adapters)


class _Adapter:
    def __init__(self, plugin, platform):
        self._plugin = plugin
        self.platform = Platform(platform)

    def send(self, chat_id, content=None, *args, **options):
        """Sends at once, also for a caller that does not await the result."""
        text = options.get("text") if content is None else content
        return _Sending(self._plugin.request("send", [str(self.platform), str(chat_id), str(text)]))


class _Sending(Coroutine):
    """What a send comes to; a coroutine to asyncio, so that it may be awaited or made a task."""

    def __init__(self, reply):
        self._reply = reply
        self._steps = None

    def __await__(self):
        import asyncio

        loop = asyncio.get_running_loop()
        settled = loop.create_future()
        self._reply.when_settled(lambda: loop.call_soon_threadsafe(_finish, settled))
        yield from settled
        ok, value = self._reply.wait()
        message_id = value.get("message_id") if ok and isinstance(value, dict) else None
        return Record({"success": ok, "message_id": message_id, "error": None if ok else value})

    def send(self, value):
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.send(value)

    def throw(self, *error):
        if self._steps is None:
            self._steps = self.__await__()
        return self._steps.throw(*error)

    def close(self):
        if self._steps is not None:
            self._steps.close()


def _finish(future):
    if not future.done():
        future.set_result(None)


class SessionStore:
    """`session_store.append_to_transcript(session_id, message)`"""

    def __init__(self, plugin):
        self._plugin = plugin

    def append_to_transcript(self, session_id, message, **options):
        ok, value = self._plugin.request("append_to_transcript", [str(session_id), dict(message)]).wait()
        if not ok:
            raise RuntimeError(value)
        return value
