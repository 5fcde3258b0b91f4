"""The pieces of a line that are looked up: which table holds what, and where it begins."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product as every_pair

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tidelake.generate.catalogue import Catalogue
from tidelake.generate.channels import CHANNELS, Channel
from tidelake.generate.devices import Device
from tidelake.generate.draw import Index
from tidelake.generate.fragments import Fragments, Hexadecimal, members, text
from tidelake.generate.places import CITIES, ISPS, LOCALES, NETWORKS, City, Country
from tidelake.generate.sessions import LONGEST_DURATION, MOST_STEPS, Kind

SITE = "https://shop.example"
CONNECTIONS = ("ethernet", "wifi", "5g", "4g", "3g")
SLOWEST_MS = 40_000  # page timings above are cut
MOST_INTERACTIONS = 60
_DAYS = 60_000  # from 1970-01-01 into 2134
_LABELS = (
    "Add to wishlist", "Size guide", "Show more", "Share", "Next image", "Zoom", "Filter",
    "Sort by price", "Reviews", "Menu",
)  # fmt: skip
_ELEMENTS = ("button", "link", "image", "tab", "checkbox", "menu_item")
_FORMS = ("newsletter", "review", "contact", "stock_alert", "checkout_address")
_LOGINS = ("password", "password", "google", "apple", "magic_link")


@dataclass(frozen=True, slots=True)
class Pieces:
    """First piece number of each table; add the index of the thing."""

    open: int
    hex: Hexadecimal
    dash: int  # three digits behind a dash
    version: int  # of a random UUID: -4 and three digits
    variant: int  # of it: a dash, 8 to b, and one more digit
    kind: int
    user_thousands: int
    user_rest: int
    user_padded: int
    anonymous: int
    quote: int
    day: int
    minute: int
    second: int
    millisecond: int
    metadata: Index  # by device
    duration: int
    visited: int
    entry: int
    exit: int
    referrer: int  # channel * 2 + is_new_session
    agent: Index  # by device
    full_agent: int
    locale: int
    city: int
    network: int
    third: int
    fourth: int
    isp: int  # isp * connections + connection
    connections: int
    scroll: int
    after_scroll: int
    number: int
    after_time: int
    counters: int  # form * 4 + video * 2 + download
    after_latency: int
    after_paint: int
    after_interactive: int
    after_load: int
    page: int
    from_channel: int
    from_page: int
    campaign: int
    search: int
    click: int
    clicks: int
    login: int
    logins: int
    form_of_page: NDArray[np.int32]
    trace: int
    dash_end: int
    close: int

    @classmethod
    def build(
        cls, add: Fragments, catalogue: Catalogue, devices: tuple[Device, ...], users: int
    ) -> Pieces:
        clicks = list(every_pair(_ELEMENTS, _LABELS))
        paths = [page.path for page in catalogue.pages]
        return cls(
            open=add.add(['{"event_id":"']),
            hex=add.hexadecimal(),
            dash=add.digits(3, before="-"),
            version=add.digits(3, before="-4"),
            variant=add.add(f"-{i:02x}" for i in range(0x80, 0xC0)),
            kind=add.add(f'","event_type":"{kind.name.lower()}"' for kind in Kind),
            user_thousands=add.add(f',"user_id":"user_{i or ""}' for i in range(users // 1000 + 1)),
            user_rest=add.numbers("", 1000, '"'),
            user_padded=add.add(f'{i:03d}"' for i in range(1000)),
            anonymous=add.add([',"anonymous_id":"anon_']),
            quote=add.add(['"']),
            day=add.add(_days()),
            minute=add.add(f"{i // 60:02d}:{i % 60:02d}:" for i in range(1440)),
            second=add.add(f"{i:02d}." for i in range(60)),
            millisecond=add.add(f'{i:03d}Z"' for i in range(1000)),
            metadata=add.distinct(_metadata(device) for device in devices),
            duration=add.numbers('","duration":', LONGEST_DURATION + 1),
            visited=add.numbers(',"pages_visited":', MOST_STEPS + 1),
            entry=add.add(f',"entry_page":{text(path)}' for path in paths),
            exit=add.add(f',"exit_page":{text(path)}' for path in paths),
            referrer=add.add(
                f',"referrer":{_or_null(channel.referrer)},"is_new_session":{new}}}'
                for channel in CHANNELS
                for new in ("false", "true")
            ),
            agent=add.distinct(_agent(device) for device in devices),
            full_agent=add.add(_agent(device, in_full=True) for device in devices),
            locale=add.add(f'"language":"{tag}","timezone":"{zone}"}}' for tag, zone in LOCALES),
            city=add.add(_location(country, city) for country, city in CITIES),
            network=add.add(f"{network}." for network in NETWORKS),
            third=add.numbers("", 256, "."),
            fourth=add.numbers("", 256, '"'),
            isp=add.add(
                f',"isp":{text(isp.name)},"connection_type":"{connection}"}}'
                for isp, connection in every_pair(ISPS, CONNECTIONS)
            ),
            connections=len(CONNECTIONS),
            scroll=add.numbers(',"engagement":{"scroll_depth":', 101),
            after_scroll=add.hundredths(',"time_on_page":'),
            number=add.numbers("", SLOWEST_MS + 1),
            after_time=add.hundredths(',"interactions":'),
            counters=add.add(
                f',"form_submissions":{form},"video_views":{video},"downloads":{download}}}'
                ',"performance":{"network_latency":'
                for form, video, download in every_pair((0, 1), (0, 1), (0, 1))
            ),
            after_latency=add.hundredths(',"first_contentful_paint":'),
            after_paint=add.hundredths(',"dom_interactive":'),
            after_interactive=add.hundredths(',"page_load_time":'),
            after_load=add.hundredths("}"),
            page=add.add(
                f',"page":{{"url":{text(SITE + page.path)},"path":{text(page.path)}'
                f',"title":{text(page.title)}'
                for page in catalogue.pages
            ),
            from_channel=add.add(
                f',"referrer":{_or_null(channel.referrer)}}}' for channel in CHANNELS
            ),
            from_page=add.add(f',"referrer":{text(SITE + path)}}}' for path in paths),
            campaign=add.add(_campaign(channel) for channel in CHANNELS),
            search=add.add(
                f',"search":{{"query":{text(query)},"results":{rank * 37 % 240}}}'
                for rank, query in enumerate(catalogue.queries)
            ),
            click=add.add(
                f',"click":{{"element":"{element}","label":"{label}"}}' for element, label in clicks
            ),
            clicks=len(clicks),
            login=add.add(f',"login":{{"method":"{method}"}}' for method in _LOGINS),
            logins=len(_LOGINS),
            form_of_page=_forms(add, catalogue),
            trace=add.add([',"properties":{"traceparent":"00-']),
            dash_end=add.add(['-01"}']),
            close=add.add(["}}\n"]),
        )


def _or_null(value: str) -> str:
    return text(value or None)


def _days() -> pa.Array:
    days = np.arange(_DAYS).astype("datetime64[D]").astype("U10")
    return pc.binary_join_element_wise(',"timestamp":"', pa.array(days), "T", "")


def _metadata(device: Device) -> str:
    known: dict[str, object] = {
        "browser": device.browser,
        "os": device.os,
        "device": device.model,
    }
    return f',"metadata":{{{members(known)}}},"_doc":{{"session_info":{{"session_id":"'


def _agent(device: Device, in_full: bool = False) -> str:
    known: dict[str, object] = {
        "browser_version": device.browser_version,
        "platform_version": device.os_version,
        "device_type": device.type,
        "screen_resolution": device.screen,
    }
    if in_full:
        known["string"] = device.user_agent
    return f',"user_agent":{{{members(known)},'


def _location(country: Country, city: City) -> str:
    known: dict[str, object] = {"country": country.code, "region": city.region, "city": city.name}
    return f',"location":{{{members(known)},"ip_address":"'


def _campaign(channel: Channel) -> str:
    if not channel.source:
        return ""
    known: dict[str, object] = {
        "source": channel.source,
        "medium": channel.medium,
        "name": channel.campaign,
        "content": channel.content,
    }
    return f',"campaign":{{{members(known)}}}'


def _forms(add: Fragments, catalogue: Catalogue) -> NDArray[np.int32]:
    """The form that each page has: an address at the checkout, reviews below products."""
    first = add.add(f',"form":{{"name":"{name}"}}' for name in _FORMS)
    named = {"/checkout": 4, "/contact": 2, "/newsletter": 0}
    forms = [named.get(page.path, 0) for page in catalogue.pages]
    forms[catalogue.first_product :] = [
        1 + 2 * (i % 4 == 3) for i in range(len(catalogue.products))
    ]
    return first + np.array(forms, dtype=np.int32)
