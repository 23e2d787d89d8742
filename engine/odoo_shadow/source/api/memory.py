"""Returns memory to the system: the texts of pages are large, and allocated and freed in several threads."""

from __future__ import annotations

import ctypes
from functools import cache

_MMAP_THRESHOLD = -3  # M_MMAP_THRESHOLD of <malloc.h>
_LARGE = 128 * 1024
"""Bytes: glibc's own bound at the start of a program."""


@cache
def give_large_blocks_back() -> None:
    """Keep glibc from raising the size above which freed blocks return to the system at once; once per process.

    It would raise it to as much as 32 MiB when the first large blocks are freed, and then keep fragments of them for
    each thread: more than twice the memory for pages of long texts. Other C libraries need nothing.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _LARGE)
