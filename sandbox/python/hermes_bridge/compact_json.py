"""JSON through the C half of Python's json module, whose Python half takes as long to import as Python to start."""

try:
    from _json import make_encoder, make_scanner
    from _json import encode_basestring_ascii
except ImportError:  # A Python without the C half.
    import json

    loads = json.loads

    def dumps(value):
        return json.dumps(value, allow_nan=False, separators=(",", ":"))

else:

    class _Settings:
        strict = True
        object_hook = None
        object_pairs_hook = None
        parse_float = float
        parse_int = int
        parse_constant = float
        memo = {}

    _scan = make_scanner(_Settings)

    def loads(text):
        """Parses compact JSON; the program sends nothing else."""
        return _scan(text, 0)[0]

    def _refuse(value):
        raise TypeError(f"Object of type {type(value).__name__} is not JSON serializable")

    def dumps(value):
        """Raises TypeError, ValueError or RecursionError for what JSON cannot represent, NaN included."""
        encode = make_encoder({}, _refuse, encode_basestring_ascii, None, ":", ",", False, False, False)
        return "".join(encode(value, 0))
