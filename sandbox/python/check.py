"""Says what is wrong with the code of a Python extension, without running it.

Standard input is JSON: {"folder", "entry", "function", "sources": {path below the folder: text, a character for each
byte}}. The last line of standard output is JSON: the first problem as a string, or null.
"""
import ast
import json
import os
import sys

here = os.path.dirname(os.path.abspath(__file__))
sys.path[:] = [path for path in sys.path if path not in ("", here)]


def find_problem(folder, entry, function, sources):
    trees = {}
    for path in [entry, *sorted(path for path in sources if path != entry)]:
        place = os.path.join(folder, path)
        if path not in sources:
            return f"{place} cannot be read"
        try:
            tree = ast.parse(sources[path].encode("latin-1"), place)
            compile(tree, place, "exec", dont_inherit=True)
        except SyntaxError as error:
            line = "" if error.lineno is None else f":{error.lineno}"
            return f"{place}{line}: {type(error).__name__}: {error.msg}"
        except (ValueError, RecursionError, MemoryError) as error:
            return f"{place}: {type(error).__name__}: {error}"
        trees[path] = tree
    if not defines(trees[entry], function):
        return f'{os.path.join(folder, entry)} does not define a function "{function}"'
    reached = [entry]
    for path in reached:
        for line, name, level in imports_of(trees[path]):
            found, problem = resolve(folder, path, name, level, sources)
            if problem is not None:
                return f"{os.path.join(folder, path)}:{line}: {problem}"
            reached += [other for other in found if other in trees and other not in reached]
    return None


def defines(tree, function):
    """Whether a module may have a name at its top level; what it executes there may define anything."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == function:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == function:
            return True
        if isinstance(node, ast.alias) and function in (node.asname or node.name, "*") or is_star(node):
            return True
    return False


def is_star(node):
    return isinstance(node, ast.alias) and node.name == "*"


def imports_of(tree):
    """The imports that loading it executes first: those within `try`, `if` and functions may be meant to fail."""
    for node in tree.body:
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name, 0
        elif isinstance(node, ast.ImportFrom):
            if node.module is None:
                for alias in node.names:
                    yield node.lineno, alias.name, -node.level
            else:
                yield node.lineno, node.module, node.level


def resolve(folder, path, name, level, sources):
    """The files below the folder that an import loads, and why it fails. A negative level may name an attribute."""
    top = name.partition(".")[0]
    if level == 0:
        if top in standard_modules():
            return [], None
        own = own_files(folder, name.replace(".", "/"), sources) or own_files(folder, top, sources)
        if own:
            return own, None
        return [], None if is_installed(top) else missing(top)
    base = os.path.dirname(path)
    for _ in range(abs(level) - 1):
        if base == "":
            return [], "a relative import leaves the folder"
        base = os.path.dirname(base)
    place = os.path.join(base, name.replace(".", "/"))
    found = own_files(folder, place, sources)
    package = own_files(folder, base, sources) if base else own_files(folder, "__init__", sources)
    if not found and (level > 0 or not package):
        return [], f'it imports "{"." * abs(level)}{name}", but there is no such module'
    return found + package, None


def own_files(folder, place, sources):
    for file in (f"{place}/__init__.py", f"{place}.py"):
        if file in sources or os.path.isfile(os.path.join(folder, file)):
            return [file]
    inside = [file for file in sources if file.startswith(f"{place}/")]
    if inside or os.path.isdir(os.path.join(folder, place)):
        return [place]
    stem = os.path.basename(place)
    parent = os.path.join(folder, os.path.dirname(place))
    names = os.listdir(parent) if os.path.isdir(parent) else []
    return [name for name in names if name.startswith(f"{stem}.") and name.endswith((".so", ".pyd"))]


def standard_modules():
    return frozenset(getattr(sys, "stdlib_module_names", ())) | frozenset(sys.builtin_module_names)


def is_installed(top):
    from importlib.machinery import PathFinder
    from importlib.util import find_spec

    try:
        return top in sys.modules or (find_spec(top) or PathFinder.find_spec(top)) is not None
    except (ImportError, ValueError):
        return False


def missing(top):
    return f"No module named '{top}'. To install it: {sys.executable} -m pip install {top}"


print(json.dumps(find_problem(**json.load(sys.stdin))))
