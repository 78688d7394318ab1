"""Papermill parameters in Rust.

Papermill injects a cell with the parameters below the one tagged `parameters`.
It needs to know how to write a value in the notebook's language. This package
adds Rust:

    papermill in.ipynb out.ipynb -p movie_name Alien -p min_rating 5

produces the cell

    // Parameters
    let movie_name = "Alien";
    let min_rating = 5;

A number without a point becomes an integer, whose type Rust infers from its use; a
number with a point becomes an f64. A list becomes a Vec, a mapping a BTreeMap with
string keys. Null has no type of its own in Rust, so `None` becomes `None::<()>`.
"""

import math
import re

from papermill.engines import NBClientEngine
from papermill.exceptions import PapermillException
from papermill.models import Parameter
from papermill.translators import Translator, papermill_translators

# let name: type = value;  // help
PARAMETER = re.compile(
    r"^\s*let\s+(?:mut\s+)?(?P<name>\w+)\s*(?::\s*(?P<type>[^=]+?))?\s*=\s*(?P<value>.+);\s*(?://\s*(?P<help>.*))?$"
)


class RustTranslator(Translator):
    """Writes Python values as Rust."""

    @classmethod
    def translate_none(cls, val):
        return "None::<()>"

    @classmethod
    def translate_bool(cls, val):
        return "true" if val else "false"

    @classmethod
    def translate_int(cls, val):
        if -(2**31) <= val < 2**31:
            return str(val)
        # In Rust an unsuffixed literal is an i32 by default.
        return f"{val}_i64" if -(2**63) <= val < 2**63 else f"{val}_i128"

    @classmethod
    def translate_float(cls, val):
        if math.isnan(val):
            return "f64::NAN"
        if math.isinf(val):
            return "f64::INFINITY" if val > 0 else "f64::NEG_INFINITY"
        return f"{val!r}_f64"

    @classmethod
    def translate_escaped_str(cls, str_val):
        return f'"{cls._escape(str(str_val))}"'

    @classmethod
    def translate_str(cls, val):
        return cls.translate_escaped_str(val)

    @classmethod
    def translate_list(cls, val):
        return f"vec![{', '.join(cls.translate(item) for item in val)}]"

    @classmethod
    def translate_dict(cls, val):
        pairs = ", ".join(f"({cls.translate_escaped_str(key)}, {cls.translate(item)})" for key, item in val.items())
        return f"std::collections::BTreeMap::from([{pairs}])"

    @classmethod
    def comment(cls, cmt_str):
        return f"// {cmt_str}".rstrip()

    @classmethod
    def assign(cls, name, str_val):
        if not name.isidentifier():
            raise PapermillException(f"the parameter {name!r} is not a valid name in Rust")
        return f"let {name} = {str_val};"

    @classmethod
    def inspect(cls, parameters_cell):
        """Returns the cell's parameters, for `papermill --help-notebook`."""
        found = map(PARAMETER.match, parameters_cell["source"].splitlines())
        return [
            Parameter(match["name"], match["type"] or "None", match["value"], match["help"] or "")
            for match in found
            if match
        ]

    @staticmethod
    def _escape(text):
        named = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\0": "\\0"}
        return "".join(
            named.get(char, char) if char.isprintable() or char in named else f"\\u{{{ord(char):x}}}" for char in text
        )


papermill_translators.register("rust", RustTranslator)


class Engine(NBClientEngine):
    """Papermill's own engine under another name, because the entry point has to name one."""
