"""Words of invented companies, their desks and things."""

from __future__ import annotations

from random import Random

_COMPANY = (
    "Nordwind",
    "Kupfertal",
    "Bluepeak",
    "Silverbrook",
    "Alderway",
    "Brightforge",
    "Cobaltine",
    "Dunehaven",
    "Eastmere",
    "Fennmark",
    "Greywater",
    "Halcyon",
    "Ironleaf",
    "Juniper",
    "Kestrel",
    "Lowland",
    "Marrow",
    "Northgate",
    "Oakline",
    "Pinecrest",
    "Quarry",
    "Redfern",
    "Saltmarsh",
    "Thornfield",
    "Umberland",
    "Vantage",
    "Westerly",
    "Yarrow",
    "Zephyr",
)
_TRADE = (
    "Foods",
    "Logistics",
    "Instruments",
    "Textiles",
    "Energy",
    "Robotics",
    "Papers",
    "Glass",
    "Optics",
    "Timber",
    "Foundry",
    "Media",
)
_FORM = ("GmbH", "Ltd", "SA", "Inc.", "B.V.", "AB", "S.r.l.", "KG")
_DESK = (
    "Accounts payable",
    "Bookkeeping",
    "Dispatch",
    "Front office",
    "Goods inwards",
    "Laboratory",
    "Maintenance",
    "Planning",
    "Purchasing",
    "Quality",
    "Reception",
    "Sales desk",
    "Service desk",
    "Tool shop",
    "Training",
    "Warehouse",
    "Workshop",
    "Yard",
)
_THING = (
    "Lamp",
    "Desk",
    "Chair",
    "Pump",
    "Valve",
    "Sensor",
    "Cable",
    "Frame",
    "Panel",
    "Rotor",
    "Filter",
    "Hinge",
    "Bracket",
    "Motor",
    "Switch",
    "Drawer",
)
_KIND = (
    "Oak",
    "Steel",
    "Compact",
    "Silent",
    "Modular",
    "Outdoor",
    "Precision",
    "Foldable",
    "Heavy-duty",
    "Classic",
    "Slim",
    "Digital",
)
_CITY = (
    "Altenbruck",
    "Brackmoor",
    "Cressford",
    "Dellwick",
    "Eskdale",
    "Fairholm",
    "Grunau",
    "Hollenstedt",
    "Inverlee",
    "Karlsbach",
)
_STREET = (
    "Mill Lane",
    "Harbour Road",
    "Station Street",
    "Old Market",
    "Ringstrasse",
    "Rue du Canal",
    "Via Nuova",
    "High Street",
)
_VERB = ("check", "call", "prepare", "deliver", "invoice", "repair", "plan", "review", "measure", "pack")
AWKWARD_TEXTS = (
    'He said: "it\'s fine";\nsecond line\twith a tab',
    "C:\\temp\\new \\N \\. back\\slashes",
    "emoji 🚚📦 and ümläuts, ﷽, 漢字",
    "line one\r\nline two\n\n  trailing blanks  ",
    "'; DROP TABLE res_partner; --",
    '{"json": [1, 2]} <b>markup</b> & ampersand',
    "comma, semicolon; pipe| percent% under_score",
)


def company(random: Random) -> str:
    """Invent a company's name."""
    return f"{random.choice(_COMPANY)} {random.choice(_TRADE)} {random.choice(_FORM)}"


def contact(random: Random) -> str:
    """Invent a contact: a desk somewhere, nobody in person."""
    return f"{random.choice(_DESK)} {random.choice(_COMPANY)}"


def product(random: Random) -> str:
    """Invent a product's name."""
    return f"{random.choice(_KIND)} {random.choice(_THING)}"


def city(random: Random) -> str:
    """Invent a town."""
    return random.choice(_CITY)


def street(random: Random) -> str:
    """Invent a street and number."""
    return f"{random.choice(_STREET)} {random.randint(1, 180)}"


def task(random: Random) -> str:
    """Something to do."""
    return f"{random.choice(_VERB).capitalize()} the {product(random).lower()}"


def sentence(random: Random) -> str:
    """Invent a short text; every now and then an awkward one."""
    if random.random() < 0.15:
        return random.choice(AWKWARD_TEXTS)
    return f"{task(random)} and {random.choice(_VERB)} the {random.choice(_THING).lower()}."


def word(random: Random) -> str:
    """Invent a word for a field that needs one."""
    return f"{random.choice(_KIND)}-{random.randint(100, 999)}"
