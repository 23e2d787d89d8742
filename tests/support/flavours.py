"""The two flavours of Odoo that the stand-in has."""

from __future__ import annotations

from typing import Literal, get_args

Flavour = Literal["17", "19"]
FLAVOURS: tuple[Flavour, ...] = get_args(Flavour)
