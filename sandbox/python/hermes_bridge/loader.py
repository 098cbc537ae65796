"""Loads the modules of an extension's folder, each version as a package of its own.

The program keeps the sources of the version that it has accepted, so that a process that starts later loads that one
and not what is on the disk by then. Files that were not kept, such as extension modules, come from the disk.
"""
import builtins
import os
import sys
from _frozen_importlib import ModuleSpec
from _frozen_importlib_external import PathFinder

_STANDARD = frozenset(getattr(sys, "stdlib_module_names", ())) | frozenset(sys.builtin_module_names)
_real_import = builtins.__import__


class Package:
    """The modules of one version of a folder."""

    def __init__(self, name, folder, sources):
        self.name = name
        self.folder = folder
        #: Bytes by path below the folder.
        self.sources = {path: text.encode("latin-1") for path, text in sources.items()}
        self._builtins = dict(vars(builtins), __import__=self._import)

    def load(self, entry):
        """Executes the entry's module and returns it. Raises whatever it raises."""
        if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
            sys.meta_path.insert(0, _Finder())
        _packages[self.name] = self
        if entry == "__init__.py":
            _real_import(self.name)
            return sys.modules[self.name]
        module = f"{self.name}.{entry[:-3]}"
        _real_import(module)
        return sys.modules[module]

    def unload(self):
        _packages.pop(self.name, None)
        inside = self.folder + os.sep
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            own = name == self.name or name.startswith(self.name + ".")
            if own or (isinstance(file, str) and file.startswith(inside)):
                del sys.modules[name]

    def mentions(self, word):
        """Whether a source that was kept has a word in it."""
        return any(word in source for source in self.sources.values())

    def find_spec(self, name):
        """The spec of one of its modules; None when there is no such module."""
        below = name[len(self.name) + 1 :].replace(".", "/")
        prefix = below + "/" if below else ""
        for path, is_package in ((f"{prefix}__init__.py", True), (f"{below}.py", False)):
            if path in self.sources:
                return self._spec(name, path, is_package)
        # A handler's folder is a package, whether or not it has an __init__.py.
        if any(path.startswith(prefix) for path in self.sources) or not below:
            return self._folder_spec(name, below)
        parent = os.path.join(self.folder, os.path.dirname(below)).rstrip("/")
        return PathFinder.find_spec(name, [parent])

    def _spec(self, name, path, is_package):
        file = os.path.join(self.folder, path)
        spec = ModuleSpec(name, _Loader(self, path), origin=file, is_package=is_package)
        spec.has_location = True
        if is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec

    def _folder_spec(self, name, below):
        spec = ModuleSpec(name, _Folder(), is_package=True)
        spec.submodule_search_locations = [os.path.join(self.folder, below).rstrip("/")]
        return spec

    def _has(self, name):
        if f"{name}.py" in self.sources or any(path.startswith(f"{name}/") for path in self.sources):
            return True
        place = os.path.join(self.folder, name)
        return os.path.isfile(place + ".py") or os.path.isfile(os.path.join(place, "__init__.py"))

    def _import(self, name, globals=None, locals=None, fromlist=(), level=0):
        """`import helper` finds helper.py beside the handler, as in a script; the standard library comes first."""
        top = name.partition(".")[0]
        if level == 0 and top not in _STANDARD and top != self.name and self._has(top):
            module = _real_import(f"{self.name}.{name}", globals, locals, fromlist, 0)
            return module if fromlist else sys.modules[f"{self.name}.{top}"]
        return _real_import(name, globals, locals, fromlist, level)


#: By the name of their package.
_packages = {}


class _Finder:
    def find_spec(self, name, path=None, target=None):
        package = _packages.get(name.partition(".")[0])
        return None if package is None else package.find_spec(name)

    def invalidate_caches(self):
        pass


class _Loader:
    def __init__(self, package, path):
        self._package = package
        self._path = path

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__dict__["__builtins__"] = self._package._builtins
        exec(self.get_code(module.__name__), module.__dict__)

    def get_code(self, name):
        file = os.path.join(self._package.folder, self._path)
        return compile(self._package.sources[self._path], file, "exec", dont_inherit=True)

    def get_source(self, name):
        from importlib.util import decode_source

        return decode_source(self._package.sources[self._path])

    def get_data(self, path):
        with open(path, "rb") as file:
            return file.read()


class _Folder:
    """The loader of a folder without __init__.py."""

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        pass
