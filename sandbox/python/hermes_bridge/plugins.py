"""Plugins: `register(ctx)`, and the callbacks, tools and commands that it registers, by number in their order."""
import os
from _thread import start_new_thread

from .extensions import Extension
from .lanes import ThreadLane
from .live import Gateway, SessionStore, message_event
from .output import adopt_modules

_TAKES_ANY_KEYWORD = 0x08


class Plugin(Extension):
    """Its modules and functions run in a thread of their own, its coroutines in the main thread."""

    def __init__(self, bridge, number, message):
        super().__init__(bridge, number, message)
        self._about = message["plugin"]
        self._functions = []

    def load(self, call):
        self._thread = ThreadLane()
        self._thread.post(lambda: self._load(call))

    def call(self, call, message):
        """Called in the thread that reads."""
        function = self._functions[message["function"]]
        job = lambda: self._call(call, self._bound(function, message))  # noqa: E731
        if message["alone"]:
            start_new_thread(job, ())
        else:
            self._thread.post(job)

    def request(self, method, args):
        """Asks the program for something, in any thread."""
        return self._bridge.requests.send(self._number, method, args)

    def _start(self):
        register = self._function("register")
        # The modules may have imported logging.
        adopt_modules(self._bridge.output)
        context = PluginContext(self._about, self.package.folder, self._functions)
        register(context)
        return {"registrations": context.registrations, "unsupported": context.unsupported}

    def _bound(self, function, message):
        keywords = message["keywords"]
        live = message["live"]
        if live is not None:
            keywords["event"] = message_event(keywords["event"])
            keywords["gateway"] = Gateway(self, live["platforms"])
            keywords["session_store"] = SessionStore(self)
        named = accepted_keywords(function)
        if named is not None:
            keywords = {name: value for name, value in keywords.items() if name in named}
        if message["ignored"]:
            return lambda: _ignore(function(*message["args"], **keywords))
        return lambda: function(*message["args"], **keywords)


def _ignore(value):
    """The answers of observers do not count, but what is to be awaited is awaited."""
    if not hasattr(type(value), "__await__"):
        return None

    async def wait():
        await value

    return wait()


def accepted_keywords(function):
    """The names of the keyword arguments that a function takes; None when it takes all."""
    code = getattr(function, "__code__", None) or getattr(getattr(function, "__func__", None), "__code__", None)
    if code is None:
        return _keywords_by_signature(function)
    if code.co_flags & _TAKES_ANY_KEYWORD:
        return None
    first = code.co_posonlyargcount
    return frozenset(code.co_varnames[first : code.co_argcount + code.co_kwonlyargcount])


def _keywords_by_signature(function):
    """For objects with `__call__`, partial functions and the like."""
    import inspect

    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # A function of C without a signature.
        return None
    if any(parameter.kind is parameter.VAR_KEYWORD for parameter in parameters):
        return None
    return frozenset(parameter.name for parameter in parameters if parameter.kind is not parameter.POSITIONAL_ONLY)


class _Manifest:
    def __init__(self, about):
        self.name = about["name"]
        self.version = about["version"] or ""
        self.description = about["description"] or ""


class PluginContext:
    """The argument of `register`: what plugins of Hermes Agent use of it, as far as this program has it."""

    def __init__(self, about, directory, functions):
        self.manifest = _Manifest(about)
        self.name = self.plugin_id = about["name"]
        self.directory = directory
        self.home = about["home"]
        #: `plugins.entries.<plugin>.settings` of config.yaml.
        self.settings = about["settings"]
        self.registrations = []
        #: The names of methods that plugins called although they are not supported.
        self.unsupported = []
        self._functions = functions

    @property
    def logger(self):
        import logging

        return logging.getLogger(f"hermes_plugins.{self.name}")

    def get_config(self, key, default=None):
        """A setting; `a.b` is `b` in `a`."""
        value = self.settings
        for part in key.split("."):
            if not isinstance(value, dict) or part not in value:
                return default
            value = value[part]
        return value

    def register_hook(self, hook_name, callback):
        self._add("hook", callback, f"the callback for {hook_name}", event=str(hook_name))

    def register_tool(
        self,
        name,
        toolset=None,
        schema=None,
        handler=None,
        check_fn=None,
        requires_env=None,
        is_async=False,
        description="",
        **options,
    ):
        missing = [variable for variable in requires_env or () if not os.environ.get(_variable(variable))]
        if missing:
            self.logger.warning("the tool %s is not offered: %s is not set", name, ", ".join(map(_variable, missing)))
            return
        if check_fn is not None and not check_fn():
            self.logger.info("the tool %s is not offered: its check_fn says so", name)
            return
        schema = dict(schema or {})
        schema = dict(schema.get("function") or schema)
        parameters = schema.get("parameters", schema if schema.get("type") == "object" else None)
        self._add(
            "tool",
            handler,
            f"the handler of the tool {name}",
            name=str(name),
            description=str(description or schema.get("description") or ""),
            parameters=parameters or {"type": "object", "properties": {}},
        )

    def register_command(self, name, handler, description="", args_hint="", **options):
        self._add("command", handler, f"the handler of the command {name}", name=str(name), description=str(description))

    def _add(self, kind, function, what, **registration):
        if not callable(function):
            raise TypeError(f"{what} is {type(function).__name__}, not a function")
        self.registrations.append({"kind": kind, "function": len(self._functions), **registration})
        self._functions.append(function)

    def __getattr__(self, name):
        if not name.startswith("register_"):
            raise AttributeError(f"ctx.{name} is not supported by this program")

        def unsupported(*args, **options):
            if name not in self.unsupported:
                self.unsupported.append(name)

        return unsupported


def _variable(entry):
    return str(entry.get("name", "")) if isinstance(entry, dict) else str(entry)
