"""What users hold: browser, version, system, device and screen that occur together.

User agent strings follow what the makers send today: Chrome states major versions only, Apple
freezes the macOS version, in-app browsers still name model and build, which is where most of the
few thousand different strings come from.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

DESKTOP, MOBILE, TABLET = "desktop", "mobile", "tablet"
_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"
_CHROME = range(143, 119, -1)
_FIREFOX = (145, 144, 143, 142, 140, 139, 136, 133, 128, 115)
_DESKTOP_SCREENS = (
    ("1920x1080", 42.0), ("2560x1440", 17.0), ("1536x864", 14.0),
    ("1366x768", 11.0), ("3840x2160", 7.0), ("1600x900", 5.0),
)  # fmt: skip
_MAC_SCREENS = (
    ("1440x900", 30.0), ("1512x982", 26.0), ("1728x1117", 20.0), ("2560x1440", 24.0),
)  # fmt: skip
# Model code, what people call it, Android version and build, screen in CSS pixels, share.
_ANDROID_PHONES = (
    ("SM-S928B", "Samsung Galaxy S24 Ultra", "14", "UP1A.231005.007", "384x824", 9.0),
    ("SM-S921B", "Samsung Galaxy S24", "14", "UP1A.231005.007", "360x780", 9.0),
    ("SM-S918B", "Samsung Galaxy S23 Ultra", "14", "UP1A.231005.007", "384x824", 8.0),
    ("SM-S911B", "Samsung Galaxy S23", "14", "UP1A.231005.007", "360x780", 7.0),
    ("SM-S901B", "Samsung Galaxy S22", "13", "TP1A.220624.014", "360x780", 5.0),
    ("SM-G991B", "Samsung Galaxy S21", "13", "TP1A.220624.014", "360x800", 5.0),
    ("SM-A556B", "Samsung Galaxy A55", "14", "UP1A.231005.007", "412x892", 8.0),
    ("SM-A546B", "Samsung Galaxy A54", "14", "UP1A.231005.007", "412x892", 7.0),
    ("SM-A536B", "Samsung Galaxy A53", "13", "TP1A.220624.014", "412x914", 5.0),
    ("SM-A155F", "Samsung Galaxy A15", "14", "UP1A.231005.007", "412x892", 5.0),
    ("SM-A145R", "Samsung Galaxy A14", "13", "TP1A.220624.014", "412x915", 4.0),
    ("SM-F946B", "Samsung Galaxy Z Fold5", "14", "UP1A.231005.007", "344x882", 2.0),
    ("Pixel 9 Pro", "Google Pixel 9 Pro", "15", "AP4A.250105.002", "412x915", 4.0),
    ("Pixel 8", "Google Pixel 8", "15", "AP4A.250105.002", "412x915", 4.0),
    ("Pixel 7a", "Google Pixel 7a", "14", "AP2A.240805.005", "412x892", 3.0),
    ("Pixel 6", "Google Pixel 6", "14", "AP2A.240805.005", "412x915", 2.0),
    ("2312DRA50G", "Xiaomi Redmi Note 13 Pro", "14", "UKQ1.231003.002", "393x873", 5.0),
    ("23021RAA2Y", "Xiaomi Redmi Note 12", "13", "TKQ1.221114.001", "393x873", 4.0),
    ("M2101K6G", "Xiaomi Redmi Note 10 Pro", "13", "TKQ1.221013.002", "393x873", 3.0),
    ("23127PN0CG", "Xiaomi 14", "14", "UKQ1.230804.001", "393x852", 3.0),
    ("CPH2581", "OnePlus 12", "14", "UKQ1.230924.001", "412x919", 2.0),
    ("CPH2449", "OnePlus 11", "14", "UKQ1.230924.001", "412x919", 2.0),
    ("CPH2557", "Oppo Reno 11", "14", "UP1A.230620.001", "360x804", 2.0),
    ("V2307", "Vivo V29", "13", "TP1A.220624.014", "393x873", 2.0),
    ("RMX3771", "Realme 11 Pro", "13", "TP1A.220905.001", "360x800", 2.0),
    ("motorola edge 40", "Motorola Edge 40", "14", "U1TL34.115-13", "412x919", 2.0),
    ("moto g54 5G", "Motorola Moto G54", "14", "U1TDS34.94-12-9", "412x919", 2.0),
)  # fmt: skip
_ANDROID_TABLETS = (
    ("SM-X710", "Samsung Galaxy Tab S9", "14", "UP1A.231005.007", "800x1280", 6.0),
    ("SM-X200", "Samsung Galaxy Tab A8", "13", "TP1A.220624.014", "800x1280", 5.0),
    ("TB350FU", "Lenovo Tab P11", "13", "TP1A.220624.014", "800x1280", 2.0),
)  # fmt: skip
# iOS release, share; the hardware model is not in the string, so screen stands for it.
_IOS = (
    ("26.1", 20.0), ("26.0.1", 12.0), ("18.7", 15.0), ("18.6.2", 14.0), ("18.5", 12.0),
    ("18.3.1", 6.0), ("18.1.1", 5.0), ("17.7", 5.0), ("17.6.1", 5.0), ("17.5.1", 3.0),
    ("16.7.10", 3.0), ("15.8.3", 2.0),
)  # fmt: skip
_IPHONE_SCREENS = (
    ("393x852", 34.0), ("390x844", 28.0), ("430x932", 16.0), ("402x874", 10.0),
    ("414x896", 8.0), ("375x667", 4.0),
)  # fmt: skip
_IPAD_SCREENS = (("820x1180", 45.0), ("768x1024", 30.0), ("1024x1366", 25.0))


@dataclass(frozen=True, slots=True)
class Device:
    """One thing to browse with; `weight` is its share among devices of all types."""

    browser: str
    browser_version: str
    os: str
    os_version: str
    type: str
    model: str
    screen: str
    user_agent: str
    weight: float


def _recent(rank: int) -> float:
    """Share of the release `rank` places behind the newest: most people update, some never do."""
    return 0.62**rank + 0.004


def _windows() -> Iterator[Device]:
    base = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
    for screen, share in _DESKTOP_SCREENS:
        pc = ("Windows", "10", DESKTOP, "Windows PC", screen)
        for rank, major in enumerate(_CHROME):
            chrome = f"{base} {_WEBKIT} Chrome/{major}.0.0.0 Safari/537.36"
            part = share * _recent(rank)
            yield Device("Chrome", f"{major}.0.0.0", *pc, chrome, part * 0.21)
            edge = f"{chrome} Edg/{major}.0.0.0"
            yield Device("Edge", f"{major}.0.0.0", *pc, edge, part * 0.07)
            opera = f"{chrome} OPR/{major - 16}.0.0.0"
            yield Device("Opera", f"{major - 16}.0.0.0", *pc, opera, part * 0.01)
        for rank, major in enumerate(_FIREFOX):
            agent = f"{base[:-1]}; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"
            yield Device("Firefox", f"{major}.0", *pc, agent, share * _recent(rank) * 0.035)


def _mac() -> Iterator[Device]:
    base = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
    for screen, share in _MAC_SCREENS:
        mac = ("macOS", "10.15.7", DESKTOP, "Mac", screen)
        for rank, major in enumerate(_CHROME):
            agent = f"{base} {_WEBKIT} Chrome/{major}.0.0.0 Safari/537.36"
            yield Device("Chrome", f"{major}.0.0.0", *mac, agent, share * _recent(rank) * 0.055)
        for release, part in _IOS:
            version = release.rsplit(".", 1)[0] if release.count(".") == 2 else release
            agent = (
                f"{base} AppleWebKit/605.1.15 (KHTML, like Gecko) Version/{version} Safari/605.1.15"
            )
            yield Device("Safari", version, *mac, agent, share * part * 0.0015)


def _linux() -> Iterator[Device]:
    box = ("Linux", "x86_64", DESKTOP, "Linux PC", "1920x1080")
    for rank, major in enumerate(_FIREFOX):
        agent = f"Mozilla/5.0 (X11; Linux x86_64; rv:{major}.0) Gecko/20100101 Firefox/{major}.0"
        yield Device("Firefox", f"{major}.0", *box, agent, _recent(rank) * 0.8)
    for rank, major in enumerate(_CHROME):
        agent = f"Mozilla/5.0 (X11; Linux x86_64) {_WEBKIT} Chrome/{major}.0.0.0 Safari/537.36"
        yield Device("Chrome", f"{major}.0.0.0", *box, agent, _recent(rank) * 0.8)


def _apple_handheld() -> Iterator[Device]:
    kinds = (
        ("iPhone", "CPU iPhone OS", "iOS", MOBILE, _IPHONE_SCREENS, 0.85),
        ("iPad", "CPU OS", "iPadOS", TABLET, _IPAD_SCREENS, 0.09),
    )
    for model, system, os, type, screens, weight in kinds:
        for screen, screen_share in screens:
            for release, share in _IOS:
                base = f"Mozilla/5.0 ({model}; {system} {release.replace('.', '_')} like Mac OS X)"
                webkit = f"{base} AppleWebKit/605.1.15 (KHTML, like Gecko)"
                held = (os, release, type, model, screen)
                part = weight * screen_share * share / 100
                major = ".".join(release.split(".")[:2])
                safari = f"{webkit} Version/{major} Mobile/15E148 Safari/604.1"
                yield Device("Mobile Safari", major, *held, safari, part * 0.8)
                for rank, build in enumerate(_CHROME[:4]):
                    version = f"{build}.0.{7300 + build}.{46 + rank}"
                    chrome = f"{webkit} CriOS/{version} Mobile/15E148 Safari/604.1"
                    yield Device(
                        "Chrome Mobile iOS", version, *held, chrome, part * 0.12 * _recent(rank)
                    )


def _android() -> Iterator[Device]:
    # Chrome itself hides model and release since version 110; apps and Samsung do not.
    hidden = "Mozilla/5.0 (Linux; Android 10; K)"
    models = [(row, MOBILE, "Mobile ", 0.32) for row in _ANDROID_PHONES]
    models += [(row, TABLET, "", 0.12) for row in _ANDROID_TABLETS]
    for (code, name, release, build, screen, share), type, mobile, weight in models:
        held = ("Android", release, type, name, screen)
        linux = f"Mozilla/5.0 (Linux; Android {release}; {code}"
        part = share * weight
        for rank, major in enumerate(_CHROME[:12]):
            plain = f"{hidden} {_WEBKIT} Chrome/{major}.0.0.0 {mobile}Safari/537.36"
            yield Device(
                f"Chrome {mobile}".strip(),
                f"{major}.0.0.0",
                *held,
                plain,
                part * 0.5 * _recent(rank),
            )
        yield from _in_app(held, f"{linux} Build/{build}; wv)", mobile, part)
        if code.startswith("SM-"):
            for rank, major in enumerate(range(29, 22, -1)):
                base = f"{linux}) {_WEBKIT} SamsungBrowser/{major}.0 Chrome/{major + 101}.0.0.0"
                samsung = f"{base} {mobile}Safari/537.36"
                yield Device(
                    "Samsung Internet", f"{major}.0", *held, samsung, part * 0.3 * _recent(rank)
                )


def _in_app(
    held: tuple[str, str, str, str, str], linux: str, mobile: str, part: float
) -> Iterator[Device]:
    """Browsers inside apps: many releases at once, since every app updates on its own."""
    for rank, major in enumerate(_CHROME):
        for patch in (46, 92, 135, 171):
            version = f"{major}.0.{6000 + 11 * major}.{patch}"
            agent = f"{linux} {_WEBKIT} Version/4.0 Chrome/{version} {mobile}Safari/537.36"
            share = part * 0.19 * (0.95**rank) / 4
            yield Device("Chrome Mobile WebView", version, *held, agent, share)


def all_devices() -> tuple[Device, ...]:
    """Every device there is, the same in every run."""
    makers = (_windows, _mac, _linux, _apple_handheld, _android)
    return tuple(device for maker in makers for device in maker())
