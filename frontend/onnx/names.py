"""Names of an ONNX file as names that trees, IR text and C have, and back again.

ONNX allows any text. `path_of` makes a tree path of it: a dot or a slash between words
separates levels, so that `layer1.0.conv.weight` becomes `layer1._0.conv.weight`. In a word,
every character outside of A-Z, a-z, 0-9 and _ becomes `_u` and its number in hexadecimal
and `_`; so does the `_` of a word that would read as such an escape. A word that starts
with a digit gets a `_` in front. `name_of` undoes all of it.
"""

import re
from collections.abc import Iterable

SAFE = re.compile(r"[A-Za-z0-9_]")
ESCAPE = re.compile(r"_u([0-9a-f]+)_")
LOOKALIKE = re.compile(r"_(?=u[0-9a-f])")
LEVELS = 30
"""The most levels that a name makes; the separators of a longer one become escapes."""


def escaped(char: str) -> str:
    """Return the escape of one character."""
    return f"_u{ord(char):x}_"


def word_of(text: str) -> str:
    """Return one word of a path for any text that is not empty."""
    text = LOOKALIKE.sub(escaped("_"), text)
    if re.match(r"_[0-9]", text):
        text = escaped("_") + text[1:]
    elif text[0].isascii() and text[0].isdigit():
        text = f"_{text}"
    return "".join(char if SAFE.fullmatch(char) else escaped(char) for char in text)


def text_of(word: str) -> str:
    """Return the text that `word_of` made a word of."""
    plain = word[1:] if re.match(r"_[0-9]", word) else word
    return ESCAPE.sub(lambda found: chr(int(found[1], 16)), plain)


def path_of(name: str) -> str:
    """Return the dotted path of a name in which dots separate levels."""
    words = name.split(".")
    if all(words) and len(words) <= LEVELS:
        return ".".join(map(word_of, words))
    return word_of(name)


def name_of(path: str) -> str:
    """Return the name that `path_of` or `word_of` made a path of."""
    return ".".join(map(text_of, path.split(".")))


def paths_of(names: Iterable[str]) -> dict[str, str]:
    """Return a path for every name, none of which leads through another.

    A name that would stand at the place of a subtree, or below another name, is one word.
    """
    paths = {name: path_of(name) for name in names}
    leaves = set(paths.values())
    inner = {prefix for path in leaves for prefix in prefixes(path)}
    through = leaves & inner
    return {
        name: word_of(name) if path in through or through & set(prefixes(path)) else path
        for name, path in paths.items()
    }


def prefixes(path: str) -> list[str]:
    """Return the paths of all subtrees that a path leads through."""
    words = path.split(".")
    return [".".join(words[:count]) for count in range(1, len(words))]


def node_path(name: str) -> str:
    """Return the layer path of a node's name, whose levels end at slashes and dots."""
    words = [word for word in re.split(r"[./]", name) if word]
    return ".".join(map(word_of, words[-LEVELS:]))
