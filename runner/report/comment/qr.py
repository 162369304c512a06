"""An address as a QR code made of text: a comment shows no picture of ours. Pure."""

from __future__ import annotations

_DARK = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}
_QUIET = 4  # modules around it. Source: ISO/IEC 18004, quiet zone


def qr(url: str) -> str:
    """A block of half squares, two rows of modules a line; empty for no address."""
    import segno

    if not url:
        return ""
    # Between the lines of a block GitHub leaves gaps: "m" still reads with them.
    code = segno.make(url, micro=False, error="m")
    rows = [list(map(bool, row)) for row in code.matrix_iter(border=_QUIET)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    lines = (
        "".join(_DARK[pair] for pair in zip(upper, lower, strict=True))
        for upper, lower in zip(rows[::2], rows[1::2], strict=True)
    )
    return "<pre>" + "\n".join(lines) + "\n</pre>"
