"""The pieces of a line that are looked up: which table holds what, and where it begins."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from itertools import product as every_pair

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from tidelake.generate.catalogue import Catalogue
from tidelake.generate.channels import CHANNELS, Channel
from tidelake.generate.devices import Device
from tidelake.generate.draw import Index
from tidelake.generate.fragments import Fragments, members, text
from tidelake.generate.places import CITIES, ISPS, LOCALES, NETWORKS, City, Country
from tidelake.generate.sessions import LONGEST_DURATION, LONGEST_DWELL, MOST_STEPS, Kind

SITE = "https://tidemark.example"
CONNECTIONS = ("ethernet", "wifi", "5g", "4g", "3g")
SLOWEST_MS = 40_000  # page timings above are cut
MOST_INTERACTIONS = 60
_DAYS = 60_000  # from 1970-01-01 into 2134
_LABELS = "Add to wishlist,Size guide,Show more,Share,Next image,Zoom,Filter,Sort by price,Reviews,Menu".split(
    ","
)
_ELEMENTS = "button,link,image,tab,checkbox,menu_item".split(",")
_FORMS = "newsletter,review,contact,stock_alert,checkout_address".split(",")
_LOGINS = "password,password,google,apple,magic_link".split(",")


@dataclass(frozen=True, slots=True)
class Pieces:
    """First piece number of each table; add the index of the thing."""

    open: int
    hex4: int
    hex4_quote: int
    dash_hex4: int
    uuid_version: int
    uuid_variant: int
    kind: int
    user: int
    anonymous: int
    day: int
    minute: int
    millisecond: int
    metadata: int
    duration: int
    visited: int
    entry: int
    exit: int
    referrer: int  # channel * 2 + is_new_session
    agent: int
    locale: int
    city: int
    network: int
    third: int
    fourth: int
    isp: int  # isp * connections + connection
    connections: int
    scroll: int
    time_on_page: int  # tenths of a second
    interactions: int
    counters: int  # form * 4 + video * 2 + download
    load: int
    paint: int
    interactive: int
    latency: int
    tenth: int
    tenth_end: int
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
    view: int
    traits: int
    trait_count: int
    close: int

    def hash(self, values: NDArray[np.uint64]) -> list[Index]:
        """64 bits as sixteen hexadecimal digits and the closing quote."""
        parts = np.ascontiguousarray(values).view(np.uint16).reshape(-1, 4).astype(np.int32)
        return [*(self.hex4 + parts[:, i] for i in range(3)), self.hex4_quote + parts[:, 3]]

    @classmethod
    def build(
        cls, add: Fragments, catalogue: Catalogue, devices: tuple[Device, ...], users: int
    ) -> Pieces:
        clicks = list(every_pair(_ELEMENTS, _LABELS))
        traits = _traits()
        paths = [page.path for page in catalogue.pages]
        return cls(
            open=add.add(['{"event_id":"']),
            hex4=add.hexadecimal(4),
            hex4_quote=add.hexadecimal(4, after='"'),
            dash_hex4=add.hexadecimal(4, before="-"),
            uuid_version=add.hexadecimal(3, before="-4"),
            uuid_variant=add.add(f"-{i:04x}" for i in range(0x8000, 0xC000)),
            kind=add.add(f'","event_type":"{kind.name.lower()}"' for kind in Kind),
            user=add.numbers(',"user_id":"user_', users, '"'),
            anonymous=add.add([',"anonymous_id":"anon_']),
            day=add.add(
                f',"timestamp":"{date(1970, 1, 1) + timedelta(days=i)}T' for i in range(_DAYS)
            ),
            minute=add.add(f"{i // 60:02d}:{i % 60:02d}:" for i in range(1440)),
            millisecond=add.add(f'{i // 1000:02d}.{i % 1000:03d}Z"' for i in range(60_000)),
            metadata=add.add(_metadata(device) for device in devices),
            duration=add.numbers(',"duration":', LONGEST_DURATION + 1),
            visited=add.numbers(',"pages_visited":', MOST_STEPS + 1),
            entry=add.add(f',"entry_page":{text(path)}' for path in paths),
            exit=add.add(f',"exit_page":{text(path)}' for path in paths),
            referrer=add.add(
                f',"referrer":{_or_null(channel.referrer)},"is_new_session":{new}}}'
                for channel in CHANNELS
                for new in ("false", "true")
            ),
            agent=add.add(_agent(device) for device in devices),
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
            time_on_page=add.add(_tenths(',"time_on_page":', LONGEST_DWELL * 10 + 1)),
            interactions=add.numbers(',"interactions":', MOST_INTERACTIONS + 1),
            counters=add.add(
                f',"form_submissions":{form},"video_views":{video},"downloads":{download}}}'
                for form, video, download in every_pair((0, 1), (0, 1), (0, 1))
            ),
            load=add.numbers(',"performance":{"page_load_time":', SLOWEST_MS + 1, "."),
            paint=add.numbers(',"first_contentful_paint":', SLOWEST_MS + 1, "."),
            interactive=add.numbers(',"dom_interactive":', SLOWEST_MS + 1, "."),
            latency=add.numbers(',"network_latency":', SLOWEST_MS + 1, "."),
            tenth=add.numbers("", 10),
            tenth_end=add.numbers("", 10, "}"),
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
            view=add.add([',"properties":{"view_id":"']),
            traits=add.add(traits),
            trait_count=len(traits),
            close=add.add(["}}\n"]),
        )


def _or_null(value: str) -> str:
    return text(value or None)


def _tenths(before: str, count: int) -> pa.Array:
    whole, tenth = np.divmod(np.arange(count), 10)
    return pc.binary_join_element_wise(
        pc.binary_join_element_wise(before, pa.array(whole).cast(pa.string()), ""),
        pa.array(tenth).cast(pa.string()),
        ".",
    )


def _metadata(device: Device) -> str:
    known = {"browser": device.browser, "os": device.os, "device": device.model}
    return f',"metadata":{{{members(known)}}},"_doc":{{"session_info":{{"session_id":"'


def _agent(device: Device) -> str:
    known: dict[str, object] = {
        "browser_version": device.browser_version,
        "platform_version": device.os_version,
        "device_type": device.type,
        "screen_resolution": device.screen,
        "string": device.user_agent,
    }
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


def _traits() -> list[str]:
    """What an app says of itself with every event, behind the id of the page view."""
    releases = ("4.12.1", "4.12.0", "4.11.3", "4.10.2")
    consents = ("all", "analytics", "necessary")
    return [
        f',"app_version":"{release}","variant":"{variant}","consent":"{consent}"}}'
        for release, variant, consent in every_pair(releases, "abcd", consents)
    ]
