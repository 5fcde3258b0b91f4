"""What the shop shows: products with prices, pages, and what people search for.

Everything is in order of popularity: rank 0 is the best seller. Where a thing stands is drawn by
`draw.zipf`, so few are popular and many rare.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as every_pair

import numpy as np
from numpy.typing import NDArray

from tidelake.generate import draw
from tidelake.generate.places import CURRENCIES

PRODUCTS = 2500
ARTICLES = 800
_STREAM = 11  # this room's path below a seed, see draw.generator

# Category, kinds of thing in it, and the median price of one in euro.
_SHELVES: tuple[tuple[str, str, float], ...] = (
    ("Shoes", "Trail Runner,Sneaker,Ankle Boot,Sandal,Loafer,Hiking Boot,Slipper", 79),
    ("Jackets", "Rain Jacket,Down Jacket,Windbreaker,Parka,Denim Jacket,Fleece", 129),
    ("Shirts", "T-Shirt,Oxford Shirt,Polo,Flannel Shirt,Blouse,Henley", 34),
    ("Trousers", "Jeans,Chinos,Shorts,Leggings,Joggers,Cargo Pants", 59),
    ("Bags", "Backpack,Tote,Messenger Bag,Duffel,Belt Bag,Suitcase", 74),
    ("Kitchen", "Skillet,Chef Knife,Kettle,Espresso Maker,Cutting Board,Dutch Oven", 49),
    ("Lighting", "Desk Lamp,Floor Lamp,Pendant,Lantern,String Lights", 64),
    ("Furniture", "Armchair,Bookshelf,Side Table,Standing Desk,Stool,Sofa", 249),
    ("Audio", "Headphones,Earbuds,Bluetooth Speaker,Turntable,Soundbar", 119),
    ("Computing", "Keyboard,Mouse,Monitor,Webcam,USB Hub,Laptop Stand", 69),
    ("Outdoor", "Tent,Sleeping Bag,Camp Stove,Headlamp,Water Bottle,Hammock", 69),
    ("Cycling", "Helmet,Bike Light,Pannier,Floor Pump,Jersey,Lock", 45),
    ("Fitness", "Yoga Mat,Kettlebell,Resistance Bands,Foam Roller,Jump Rope", 29),
    ("Beauty", "Face Cream,Shampoo,Lip Balm,Sunscreen,Hand Soap", 16),
    ("Toys", "Building Set,Puzzle,Board Game,Plush Bear,Kite", 27),
    ("Books", "Cookbook,Travel Guide,Novel,Photo Book,Field Guide", 22),
    ("Garden", "Planter,Pruning Shears,Watering Can,Bird Feeder,Hose", 31),
    ("Bedding", "Duvet,Pillow,Linen Sheet,Mattress Topper,Throw", 72),
)
_MAKERS = ("Fjord", "Sable", "Lumen", "Alder", "Marlow", "Tarn", "Juno", "Oslo")
_FINISHES = ("Black", "White", "Sand", "Moss", "Slate", "Rust", "Navy")
_STATIC = (
    ("/", "Tidemark Store"), ("/login", "Sign in"), ("/search", "Search"), ("/cart", "Your cart"),
    ("/checkout", "Checkout"), ("/checkout/confirmation", "Thank you"),
    ("/account", "Your account"),
    ("/account/orders", "Your orders"), ("/deals", "Deals of the week"), ("/new", "New arrivals"),
    ("/help", "Help centre"), ("/help/returns", "Returns and refunds"), ("/contact", "Contact us"),
    ("/newsletter", "Newsletter"), ("/stores", "Find a store"), ("/about", "About us"),
    ("/gift-cards", "Gift cards"), ("/size-guide", "Size guide"),
)  # fmt: skip
_TOPICS = (
    "choose", "care for", "repair", "pack", "clean", "compare", "style", "measure", "store",
    "recycle",
)  # fmt: skip

_WORDS = (
    "black", "cheap", "women", "men", "kids", "sale", "large", "waterproof", "gift", "best",
    "small", "vintage",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Product:
    """A thing for sale; `price` is in euro cents before it is turned into a market's currency."""

    id: str
    sku: str
    name: str
    category: str
    price: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the shop's site."""

    path: str
    title: str


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Products and pages by rank; page `first_product + i` shows product `i`.

    `landing` and `browsing` give the pages in order of how often a session starts there, and goes
    there. `related` has eight products of the same category for each product.
    """

    products: tuple[Product, ...]
    pages: tuple[Page, ...]
    first_product: int
    landing: NDArray[np.int32]
    browsing: NDArray[np.int32]
    related: NDArray[np.int32]
    queries: tuple[str, ...]
    prices: NDArray[np.int64]  # [currency, product], hundredths of the currency's unit

    def page(self, path: str) -> int:
        """The index of a page that is always there, like `/login`."""
        return next(i for i, page in enumerate(self.pages) if page.path == path)


def _slug(name: str) -> str:
    return name.lower().replace(" ", "-")


def _products(rng: draw.Rng) -> tuple[Product, ...]:
    names = [
        (f"{maker} {kind} {finish}", category, median)
        for (category, kinds, median) in _SHELVES
        for kind, maker, finish in every_pair(kinds.split(","), _MAKERS, _FINISHES)
    ]
    chosen = rng.permutation(len(names))[:PRODUCTS]
    spread = np.exp(rng.normal(0.0, 0.45, PRODUCTS))
    return tuple(
        Product(
            id=f"prod_{10_000 + rank * 7 % 90_000}",
            sku=f"{names[at][1][:3].upper()}-{at:05d}",
            name=names[at][0],
            category=names[at][1],
            price=_shelf_price(names[at][2] * 100 * factor),
        )
        for rank, (at, factor) in enumerate(zip(chosen.tolist(), spread.tolist(), strict=True))
    )


def _shelf_price(cents: float) -> int:
    """Prices end in .90, .50 or .99 as on a shelf."""
    return max(int(cents // 100), 3) * 100 + (90, 50, 99, 99)[int(cents) % 4]


def _prices(products: tuple[Product, ...]) -> NDArray[np.int64]:
    euro = np.array([item.price for item in products], dtype=np.float64)
    return np.stack(
        [
            np.maximum(np.round(euro * rate / step), 1).astype(np.int64) * step
            for rate, step in CURRENCIES.values()
        ]
    )


def _related(products: tuple[Product, ...], rng: draw.Rng) -> NDArray[np.int32]:
    """Eight of the same category each, the popular ones more often, so that ranks stay Zipf."""
    categories = np.array([item.category for item in products])
    related = np.empty((len(products), 8), dtype=np.int32)
    for category in sorted(set(categories.tolist())):
        members = np.flatnonzero(categories == category)
        weights = np.cumsum(1.0 / (members + 1))
        related[members] = members[draw.pick(rng, weights, len(members) * 8)].reshape(-1, 8)
    return related


def _articles() -> list[Page]:
    kinds = [kind for _, kinds, _ in _SHELVES for kind in kinds.split(",")]
    pairs = list(every_pair(_TOPICS, kinds))[:ARTICLES]
    return [
        Page(f"/guides/how-to-{_slug(f'{topic} a {kind}')}", f"How to {topic} a {kind.lower()}")
        for topic, kind in pairs
    ]


def _queries(rng: draw.Rng) -> tuple[str, ...]:
    kinds = [kind.lower() for _, kinds, _ in _SHELVES for kind in kinds.split(",")]
    phrases = kinds + [f"{word} {kind}" for word, kind in every_pair(_WORDS, kinds)]
    return tuple(phrases[i] for i in rng.permutation(len(phrases)))


def build(seed: int) -> Catalogue:
    """The same shop for the same seed."""
    rng = draw.generator(seed, _STREAM)
    products = _products(rng)
    categories = [Page(f"/c/{_slug(name)}", name) for name, _, _ in _SHELVES]
    shown = [Page(f"/p/{_slug(item.name)}", item.name) for item in products]
    plain = [Page(path, title) for path, title in _STATIC] + categories + _articles()
    steps = ("/login", "/search", "/checkout", "/checkout/confirmation")
    free = np.array([i for i, page in enumerate(plain) if page.path not in steps], dtype=np.int32)
    fixed = free[1 : len(free) - ARTICLES]
    popular = np.concatenate([free[:1], rng.permutation(fixed)])
    return Catalogue(
        products=products,
        pages=(*plain, *shown),
        first_product=len(plain),
        landing=np.concatenate([popular, rng.permutation(free[len(free) - ARTICLES :])]),
        browsing=np.concatenate([popular, rng.permutation(free[len(free) - ARTICLES :])]),
        related=_related(products, rng),
        queries=_queries(rng),
        prices=_prices(products),
    )
