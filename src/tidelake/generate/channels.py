"""Where sessions come from: the referring site and the campaign that paid for it, if one did."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Channel:
    """One way into the shop. `referrer` is empty for visitors who typed or kept the address."""

    referrer: str
    source: str
    medium: str
    campaign: str
    term: str
    content: str
    weight: float


def _free(referrer: str, weight: float) -> Channel:
    return Channel(referrer, "", "", "", "", "", weight)


def _paid(referrer: str, source: str, medium: str, names: str, weight: float) -> list[Channel]:
    """A campaign in two variants each; the newer the campaign, the more it brings."""
    return [
        Channel(referrer, source, medium, name, "", variant, weight / (rank + 1))
        for rank, name in enumerate(names.split())
        for variant in ("variant-a", "variant-b")
    ]


_GOOGLE = "https://www.google.com/"
_INSTAGRAM = "https://l.instagram.com/"
_FACEBOOK = "https://l.facebook.com/"

CHANNELS: tuple[Channel, ...] = (
    _free("", 34.0),
    _free(_GOOGLE, 22.0),
    _free("https://www.bing.com/", 3.0),
    _free("https://duckduckgo.com/", 2.5),
    _free("https://www.reddit.com/", 1.5),
    _free("https://www.youtube.com/", 1.5),
    _free("https://www.pinterest.com/", 1.2),
    _free("https://chatgpt.com/", 1.0),
    *_paid(_GOOGLE, "google", "cpc", "brand shopping-feed autumn-outdoor generic-shoes", 2.5),
    *_paid("https://www.bing.com/", "bing", "cpc", "brand shopping-feed", 0.6),
    *_paid(_INSTAGRAM, "instagram", "paid_social", "lookbook-november creators-autumn", 1.6),
    *_paid(_FACEBOOK, "facebook", "paid_social", "retargeting-30d lookalike-eu gift", 1.3),
    *_paid("https://www.tiktok.com/", "tiktok", "paid_social", "unboxing creators-autumn", 0.9),
    *_paid("", "newsletter", "email", "weekly-47 weekly-46 back-in-stock abandoned-cart", 1.6),
    *_paid("https://www.idealo.de/", "idealo", "affiliate", "price-feed", 0.6),
)  # fmt: skip
