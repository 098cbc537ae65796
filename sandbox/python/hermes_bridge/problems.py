"""Describes what went wrong in a hook, as the program shows it."""
import os
import sys

_LONGEST = 2000
#: Frames and lines of a traceback that are logged.
_MOST_FRAMES = 10
_MOST_LINES = 30


def describe(error, package):
    """A clause: the kind of error, its text, and the place in the extension's own folder."""
    folder = package.folder
    if isinstance(error, SyntaxError) and error.filename:
        place = error.filename if error.lineno is None else f"{error.filename}:{error.lineno}"
        return f"{type(error).__name__}: {error.msg} ({_shorten(place, folder)})"[:_LONGEST]
    if isinstance(error, SystemExit):
        text = f"sys.exit was called ({error.code})"
    else:
        text = f"{type(error).__name__}: {_text_of(error)}".replace(f"{package.name}.", ".")
    place = _place_in(error, folder)
    return text[:_LONGEST] + ("" if place is None else f" ({place})") + _cure(error)


def traceback_lines(error):
    """The end of the traceback, without the frames of the bridge."""
    import traceback

    # A frame of ours above those of the hook would only confuse.
    trace = error.__traceback__
    while trace is not None and _is_ours(trace.tb_frame.f_code.co_filename):
        trace = trace.tb_next
    lines = "".join(traceback.format_exception(type(error), error, trace, limit=-_MOST_FRAMES)).rstrip().split("\n")
    return lines[-_MOST_LINES:]


def _is_ours(filename):
    return filename.startswith(_HERE) or filename.startswith("<frozen importlib")


_HERE = os.path.dirname(os.path.abspath(__file__)) + os.sep


def _text_of(error):
    try:
        return str(error).strip().split("\n", 1)[0]
    except Exception as problem:  # A __str__ of the hook's own.
        return f"({type(problem).__name__} while it was described)"


def _place_in(error, folder):
    place = None
    trace = error.__traceback__
    while trace is not None:
        filename = trace.tb_frame.f_code.co_filename
        if filename.startswith(folder + os.sep):
            place = f"{_shorten(filename, folder)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return place


def _shorten(path, folder):
    return path[len(folder) + 1 :] if path.startswith(folder + os.sep) else path


def _cure(error):
    """How to install a missing package, with the interpreter that needs it."""
    if not isinstance(error, ModuleNotFoundError) or not error.name:
        return ""
    package = error.name.split(".", 1)[0]
    if package.startswith("hermes_") or package in sys.modules:
        return ""
    return f". To install it: {_quote(sys.executable)} -m pip install {package}"


def _quote(word):
    if all(letter.isalnum() or letter in "/._-+@" for letter in word):
        return word
    return "'" + word.replace("'", "'\\''") + "'"
