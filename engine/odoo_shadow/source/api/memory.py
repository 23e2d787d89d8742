"""Gives memory back: a page's texts are large, and made and freed in several threads."""

from __future__ import annotations

import ctypes
from functools import cache

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>
_LARGE = 128 * 1024
"""Bytes: glibc's own bound at the start of a program."""


@cache
def give_large_blocks_back() -> None:
    """Keep glibc from raising the size from which on freed blocks go back to the system at once; once per process.

    It would raise it up to 32 MiB with the first large blocks that are freed, and then keep those of each thread, in
    pieces: more than twice the memory for pages of long texts. Elsewhere nothing needs to be done.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
