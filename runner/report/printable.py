"""Makes text from outside harmless for a terminal: nothing in it can do more than be seen. Pure."""

from __future__ import annotations

import re
import unicodedata

# Control characters move the cursor, change titles and answer queries; format characters turn the
# direction of text, so that it reads as something else. Lone surrogates cannot be encoded at all.
# Source: Unicode Standard Annex #44, "General_Category Values"; Annex #9, "Directional Formatting
# Characters"; ECMA-48, "Control Functions for Coded Character Sets".
_SUSPECT = re.compile(r"[^\n\t -~]")
_KEPT = frozenset("\u200c\u200d")  # joiners: Persian, Indic scripts and emoji need them
_SHOWN_AS_ESCAPES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


def printable(text: str) -> str:
    """`text` with escapes (`\\u001b`) for all that is not to be seen; line ends and tabs stay.

    Applied to JSON text it changes nothing of what the JSON says: such characters stand in strings.
    """
    return _SUSPECT.sub(lambda found: _escaped(found[0]), text)


def _escaped(character: str) -> str:
    if character in _KEPT or unicodedata.category(character) not in _SHOWN_AS_ESCAPES:
        return character
    code = ord(character)
    if code < 0x10000:
        return f"\\u{code:04x}"
    rest = code - 0x10000  # as JSON writes it: a pair
    return f"\\u{0xD800 + (rest >> 10):04x}\\u{0xDC00 + (rest & 0x3FF):04x}"
