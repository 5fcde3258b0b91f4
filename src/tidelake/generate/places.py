"""Where users live: countries whose cities, time zones, languages, networks and money agree.

Networks are two leading bytes that the provider named really announces, so that a lookup of an
address gives the country beside it; the last two bytes are made up.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class City:
    """A city; `utc_offset` is standard time in minutes.

    There is no summer time here on purpose: it would move the daily rhythm by one hour, which its
    width hides, and it would make the bytes depend on the machine's time zone database.
    """

    name: str
    region: str
    timezone: str
    utc_offset: int
    weight: float


@dataclass(frozen=True, slots=True)
class Isp:
    """A provider with the networks (two leading bytes) that its addresses come from."""

    name: str
    networks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Country:
    ""

    "A market: `share` of all users, tax in hundredths of a percent, languages with their share."
    ""

    code: str
    share: float
    currency: str
    tax: int
    languages: tuple[tuple[str, float], ...]
    fixed: tuple[Isp, ...]
    mobile: tuple[Isp, ...]
    cities: tuple[City, ...]


# Unit price of one euro in each currency, and the step that prices there are rounded to, both in
# hundredths. Whole-unit currencies (JPY, KRW) step by 100.
CURRENCIES: dict[str, tuple[float, int]] = {
    "EUR": (1.0, 1), "USD": (1.1, 1), "GBP": (0.86, 1), "CHF": (0.96, 5), "SEK": (11.3, 100),
    "PLN": (4.3, 1), "JPY": (162.0, 100), "INR": (91.0, 100), "BRL": (5.6, 1), "MXN": (19.0, 1),
    "CAD": (1.5, 1), "AUD": (1.65, 1), "SGD": (1.45, 1), "KRW": (1480.0, 1000), "ZAR": (20.1, 1),
    "AED": (4.0, 1), "TRY": (35.0, 1),
}  # fmt: skip


def _country(
    code: str,
    share: float,
    currency: str,
    tax: int,
    languages: str,
    fixed: str,
    mobile: str,
    cities: str,
) -> Country:
    """Reads the table below: `;` between entries, `|` between the parts of one."""
    return Country(
        code,
        share,
        currency,
        tax,
        tuple((tag, float(part)) for tag, part in (row.split() for row in languages.split(";"))),
        tuple(_isp(row) for row in fixed.split(";")),
        tuple(_isp(row) for row in mobile.split(";")),
        tuple(_city(row) for row in cities.split(";")),
    )


def _isp(row: str) -> Isp:
    name, networks = row.split("|")
    return Isp(name.strip(), tuple(networks.split()))


def _city(row: str) -> City:
    name, region, timezone, offset, weight = (part.strip() for part in row.split("|"))
    return City(name, region, timezone, int(offset), float(weight))


COUNTRIES: tuple[Country, ...] = (
    _country(
        "US", 26, "USD", 725, "en-US 88; es-US 12",
        "Comcast|73.15 73.92 67.160; Charter|71.64 72.128; Verizon Fios|71.112 96.224;"
        " AT&T Internet|99.8 76.192",
        "T-Mobile USA|172.56 172.58; Verizon Wireless|174.192 174.224; AT&T Mobility|107.64 107.96",
        "New York|New York|America/New_York|-300|84; Boston|Massachusetts|America/New_York|-300|25;"
        "Atlanta|Georgia|America/New_York|-300|30; Miami|Florida|America/New_York|-300|31;"
        "Chicago|Illinois|America/Chicago|-360|47; Houston|Texas|America/Chicago|-360|36;"
        "Dallas|Texas|America/Chicago|-360|38; Denver|Colorado|America/Denver|-420|15;"
        "Phoenix|Arizona|America/Phoenix|-420|24;"
        " Los Angeles|California|America/Los_Angeles|-480|65;"
        "San Francisco|California|America/Los_Angeles|-480|24;"
        " Seattle|Washington|America/Los_Angeles|-480|20",
    ),
    _country(
        "DE", 14, "EUR", 1900, "de-DE 90; en-US 6; tr-TR 4",
        "Deutsche Telekom|84.130 79.192 87.128; Vodafone Kabel|178.24 188.192;"
        " 1&1 Versatel|89.244 94.134",
        "Telekom Mobilfunk|80.187 37.80; Vodafone Mobilfunk|109.40 176.2;"
        " O2 Telefónica|46.114 89.204",
        "Berlin|Berlin|Europe/Berlin|60|37; Hamburg|Hamburg|Europe/Berlin|60|19;"
        "München|Bayern|Europe/Berlin|60|15; Köln|Nordrhein-Westfalen|Europe/Berlin|60|11;"
        "Frankfurt am Main|Hessen|Europe/Berlin|60|8;"
        " Stuttgart|Baden-Württemberg|Europe/Berlin|60|6;"
        "Leipzig|Sachsen|Europe/Berlin|60|6; Düsseldorf|Nordrhein-Westfalen|Europe/Berlin|60|6",
    ),
    _country(
        "GB", 9, "GBP", 2000, "en-GB 96; pl-PL 2; en-US 2",
        "BT|86.128 81.128; Virgin Media|82.0 86.0; Sky Broadband|90.192 94.0",
        "EE|31.64 31.124; O2 UK|82.132 89.193; Vodafone UK|85.255 148.252",
        "London|England|Europe/London|0|89; Birmingham|England|Europe/London|0|11;"
        "Manchester|England|Europe/London|0|14; Glasgow|Scotland|Europe/London|0|6;"
        "Cardiff|Wales|Europe/London|0|4; Bristol|England|Europe/London|0|5",
    ),
    _country(
        "FR", 7, "EUR", 2000, "fr-FR 95; en-US 5",
        "Orange|90.0 86.192; Free|82.64 88.160; SFR|77.192 93.0",
        "Orange Mobile|92.184 37.164; Bouygues Telecom|176.128 5.48; Free Mobile|37.160 78.244",
        "Paris|Île-de-France|Europe/Paris|60|70; Lyon|Auvergne-Rhône-Alpes|Europe/Paris|60|10;"
        "Marseille|Provence-Alpes-Côte d'Azur|Europe/Paris|60|9;"
        " Toulouse|Occitanie|Europe/Paris|60|6;"
        "Lille|Hauts-de-France|Europe/Paris|60|6",
    ),
    _country(
        "NL", 4, "EUR", 2100, "nl-NL 92; en-US 8",
        "KPN|77.160 86.80; Ziggo|84.24 94.208",
        "KPN Mobile|62.133 188.206; VodafoneZiggo Mobile|62.140 109.36",
        "Amsterdam|Noord-Holland|Europe/Amsterdam|60|9;"
        " Rotterdam|Zuid-Holland|Europe/Amsterdam|60|7;"
        "Utrecht|Utrecht|Europe/Amsterdam|60|4; Eindhoven|Noord-Brabant|Europe/Amsterdam|60|2",
    ),
    _country(
        "ES", 4, "EUR", 2100, "es-ES 84; ca-ES 12; en-GB 4",
        "Movistar|80.24 83.32; Orange España|85.48 90.160",
        "Vodafone España|77.208 212.166; Movistar Móvil|176.80 95.124",
        "Madrid|Comunidad de Madrid|Europe/Madrid|60|33; Barcelona|Cataluña|Europe/Madrid|60|16;"
        "Valencia|Comunitat Valenciana|Europe/Madrid|60|8; Sevilla|Andalucía|Europe/Madrid|60|7",
    ),
    _country(
        "IT", 4, "EUR", 2200, "it-IT 97; en-US 3",
        "TIM|79.0 87.0; Fastweb|93.32 2.224", "Vodafone Italia|5.90 37.176; WindTre|37.161 151.18",
        "Roma|Lazio|Europe/Rome|60|28; Milano|Lombardia|Europe/Rome|60|14;"
        "Napoli|Campania|Europe/Rome|60|9; Torino|Piemonte|Europe/Rome|60|8",
    ),
    _country(
        "PL", 3, "PLN", 2300, "pl-PL 97; uk-UA 3",
        "Orange Polska|83.0 79.184; UPC Polska|89.64 78.8", "Play|46.134 31.60; Plus|37.7 77.112",
        "Warszawa|Mazowieckie|Europe/Warsaw|60|18; Kraków|Małopolskie|Europe/Warsaw|60|8;"
        "Wrocław|Dolnośląskie|Europe/Warsaw|60|6; Gdańsk|Pomorskie|Europe/Warsaw|60|5",
    ),
    _country(
        "SE", 2, "SEK", 2500, "sv-SE 95; en-US 5",
        "Telia|90.224 81.224; Bredband2|83.233 82.99",
        "Tele2|37.196 90.130; Telenor Sverige|46.195 83.186",
        "Stockholm|Stockholms län|Europe/Stockholm|60|16;"
        " Göteborg|Västra Götaland|Europe/Stockholm|60|6;"
        "Malmö|Skåne|Europe/Stockholm|60|3",
    ),
    _country(
        "CH", 2, "CHF", 810, "de-CH 63; fr-CH 24; it-CH 8; en-US 5",
        "Swisscom|85.0 178.192; Sunrise UPC|80.218 77.56",
        "Swisscom Mobile|178.197 213.55; Salt|178.196 194.230",
        "Zürich|Zürich|Europe/Zurich|60|14; Genève|Genève|Europe/Zurich|60|6;"
        " Basel|Basel-Stadt|Europe/Zurich|60|5",
    ),
    _country(
        "AT", 2, "EUR", 2000, "de-AT 95; en-US 5",
        "A1 Telekom Austria|80.108 91.112; Magenta|84.112 62.178",
        "Drei Austria|77.116 178.115; A1 Mobil|80.120 194.96",
        "Wien|Wien|Europe/Vienna|60|20; Graz|Steiermark|Europe/Vienna|60|3;"
        " Linz|Oberösterreich|Europe/Vienna|60|2",
    ),
    _country(
        "CA", 4, "CAD", 500, "en-CA 76; fr-CA 24",
        "Bell Canada|70.48 174.88; Rogers|99.224 72.136; Telus|75.152 207.6",
        "Rogers Wireless|24.114 74.198; Bell Mobility|184.151 142.182",
        "Toronto|Ontario|America/Toronto|-300|62; Montréal|Québec|America/Toronto|-300|43;"
        "Vancouver|British Columbia|America/Vancouver|-480|26;"
        " Calgary|Alberta|America/Edmonton|-420|15",
    ),
    _country(
        "BR", 5, "BRL", 1700, "pt-BR 99; en-US 1",
        "Claro NET|177.32 189.60; Vivo Fibra|177.102 187.34",
        "TIM Brasil|177.56 187.68; Vivo Móvel|177.79 191.192",
        "São Paulo|São Paulo|America/Sao_Paulo|-180|12;"
        " Rio de Janeiro|Rio de Janeiro|America/Sao_Paulo|-180|6;"
        "Brasília|Distrito Federal|America/Sao_Paulo|-180|3; Manaus|Amazonas|America/Manaus|-240|2",
    ),
    _country(
        "MX", 2, "MXN", 1600, "es-MX 98; en-US 2",
        "Telmex|187.128 189.128; Megacable|187.240 201.108",
        "Telcel|187.184 200.68; Movistar México|177.224 189.203",
        "Ciudad de México|Ciudad de México|America/Mexico_City|-360|22;"
        " Guadalajara|Jalisco|America/Mexico_City|-360|5;"
        "Monterrey|Nuevo León|America/Monterrey|-360|5;"
        " Tijuana|Baja California|America/Tijuana|-480|2",
    ),
    _country(
        "IN", 4, "INR", 1800, "en-IN 66; hi-IN 34",
        "Airtel Broadband|122.160 182.64; BSNL|117.192 59.88",
        "Reliance Jio|49.32 157.32; Airtel Mobile|106.192 223.176",
        "Mumbai|Maharashtra|Asia/Kolkata|330|20; Delhi|Delhi|Asia/Kolkata|330|29;"
        "Bengaluru|Karnataka|Asia/Kolkata|330|12; Chennai|Tamil Nadu|Asia/Kolkata|330|11",
    ),
    _country(
        "JP", 3, "JPY", 1000, "ja-JP 98; en-US 2",
        "NTT Communications|114.144 153.128; KDDI|106.128 111.96",
        "SoftBank Mobile|126.128 126.192; NTT Docomo|1.72 49.96",
        "東京|東京都|Asia/Tokyo|540|14; 大阪|大阪府|Asia/Tokyo|540|9;"
        " 名古屋|愛知県|Asia/Tokyo|540|5; 福岡|福岡県|Asia/Tokyo|540|3",
    ),
    _country(
        "KR", 1, "KRW", 1000, "ko-KR 98; en-US 2",
        "KT|121.128 175.192; SK Broadband|58.120 211.200",
        "SK Telecom|223.32 223.38; LG U+|106.96 117.111",
        "서울|서울특별시|Asia/Seoul|540|10; 부산|부산광역시|Asia/Seoul|540|3",
    ),
    _country(
        "AU", 2, "AUD", 1000, "en-AU 97; zh-CN 3",
        "Telstra|58.160 101.160; TPG|60.240 220.240",
        "Optus Mobile|49.176 1.144; Vodafone Australia|49.180 1.124",
        "Sydney|New South Wales|Australia/Sydney|600|53;"
        " Melbourne|Victoria|Australia/Melbourne|600|51;"
        "Brisbane|Queensland|Australia/Brisbane|600|26;"
        " Perth|Western Australia|Australia/Perth|480|21",
    ),
    _country(
        "SG", 1, "SGD", 900, "en-SG 78; zh-SG 22",
        "Singtel|116.88 219.74; StarHub|27.104 182.55",
        "M1|118.200 119.56; Singtel Mobile|58.182 203.116",
        "Singapore|Singapore|Asia/Singapore|480|1",
    ),
    _country(
        "ZA", 1, "ZAR", 1500, "en-ZA 84; af-ZA 16",
        "Telkom SA|105.184 102.132; Afrihost|169.0 154.0",
        "Vodacom|41.0 105.240; MTN SA|41.112 197.64",
        "Johannesburg|Gauteng|Africa/Johannesburg|120|10;"
        " Cape Town|Western Cape|Africa/Johannesburg|120|5",
    ),
    _country(
        "AE", 1, "AED", 500, "ar-AE 48; en-GB 52",
        "Etisalat|86.96 94.200; du|91.72 94.56",
        "Etisalat Mobile|5.192 2.48; du Mobile|37.39 91.73",
        "Dubai|Dubai|Asia/Dubai|240|34; Abu Dhabi|Abu Dhabi|Asia/Dubai|240|15",
    ),
    _country(
        "TR", 1, "TRY", 2000, "tr-TR 98; en-US 2",
        "Türk Telekom|78.160 88.224; Superonline|85.96 176.232",
        "Turkcell|5.24 46.104; Vodafone TR|31.140 178.240",
        "İstanbul|İstanbul|Europe/Istanbul|180|16; Ankara|Ankara|Europe/Istanbul|180|6;"
        " İzmir|İzmir|Europe/Istanbul|180|4",
    ),
)  # fmt: skip

CITIES: tuple[tuple[Country, City], ...] = tuple(
    (country, city) for country in COUNTRIES for city in country.cities
)
ISPS: tuple[Isp, ...] = tuple(
    isp for country in COUNTRIES for isp in (*country.fixed, *country.mobile)
)
NETWORKS: tuple[str, ...] = tuple(network for isp in ISPS for network in isp.networks)
LOCALES: tuple[tuple[str, str], ...] = tuple(
    sorted({(tag, city.timezone) for country, city in CITIES for tag, _ in country.languages})
)


def city_weights() -> NDArray[np.float64]:
    """Probability of each of `CITIES`: the country's share, divided over its cities."""
    weights = [
        country.share * city.weight / sum(other.weight for other in country.cities)
        for country, city in CITIES
    ]
    return np.array(weights) / sum(weights)
