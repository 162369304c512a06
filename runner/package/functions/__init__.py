"""From a functions folder to `Function` values with their archives; begins in assemble.py."""
