"""Words that files use for what we have names for: Chinese, English, German."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from city.errors import Invalid
from parking.rules.places.importing.stated import Faulty, Orientation
from parking.rules.places.model import BayKind, FacilityKind, Ground, Purpose

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f]")

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "label": (
        *("label", "bay", "bay_no", "bay_number", "bay_label", "space", "space_no", "spot"),
        *("number", "nr", "stellplatz", "stellplatznummer", "泊位编号", "泊位号", "车位编号"),
        *("车位号", "泊位编码", "车位编码", "编号"),
    ),
    "facility": (
        *("facility", "facility_code", "facility_id", "site", "site_id", "car_park", "lot"),
        *("parking_site_uid", "segment", "street_segment", "停车场编号", "停车场编码", "路段编号"),
        *("路段编码",),
    ),
    "facility_name": (
        *("facility_name", "name", "site_name", "street", "street_name", "standort", "strasse"),
        *("停车场名称", "停车场", "路段名称", "路段", "道路名称", "名称"),
    ),
    "facility_kind": ("facility_kind", "facility_type", "site_type", "停车场类型"),
    "level": ("level", "floor", "storey", "etage", "ebene", "楼层", "层"),
    "kind": (
        *("kind", "bay_kind", "bay_type", "type", "category", "泊位类型", "车位类型", "类型"),
    ),
    "purpose": ("purpose", "use", "usage", "widmung", "用途", "泊位用途", "使用性质"),
    "longitude": ("longitude", "lon", "lng", "long", "x", "经度"),
    "latitude": ("latitude", "lat", "y", "纬度"),
    "bearing_deg": ("bearing_deg", "bearing", "heading", "方位角"),
    "length_m": ("length_m", "length", "laenge", "长度", "泊位长度", "长"),
    "width_m": ("width_m", "width", "breite", "宽度", "泊位宽度", "宽"),
    "capacity": (
        *("capacity", "spaces", "bays", "count", "kapazitaet", "stellplaetze", "anzahl"),
        *("anzahl_stellplaetze", "泊位数", "车位数", "泊位数量", "车位数量"),
    ),
    "orientation": ("orientation", "parkrichtung", "bays_angle", "泊位方向", "停放方式"),
    "ground": ("ground", "surface_of", "position_on_road", "设置位置", "占用位置"),
    "opening_hours": ("opening_hours", "hours", "oeffnungszeiten", "开放时间", "营业时间"),
    "max_stay": (
        *("max_stay_min", "max_stay", "maxstay", "max_parkdauer", "maximale_parkdauer"),
        *("最长停车时间",),
    ),
    "address": ("address", "adresse", "location", "地址", "位置"),
    "grid_cell": ("grid_cell", "grid_code", "单元网格编码", "网格编码", "单元网格"),
    "component_code": ("component_code", "部件编码", "部件标识码", "部件代码"),
    "geometry": ("wkt", "geometry", "geom", "the_geom"),
    "max_height": ("max_height_m", "max_height", "height_limit", "限高"),
}
"""What a column or property means, under the names that it comes by."""

_KIND_WORDS: Final[Mapping[BayKind, tuple[str, ...]]] = {
    "standard": (
        *("standard", "normal", "general", "regular", "car", "small", "public", "oeffentlich"),
        *("普通", "普通泊位", "普通车位", "标准", "小型车", "小车", "小汽车", "一般"),
    ),
    "disabled": (
        *("disabled", "handicap", "handicapped", "accessible", "wheelchair", "ada"),
        *("behinderte", "behindertenparkplatz", "behinderten_stellplatz", "无障碍", "无障碍泊位"),
        *("无障碍车位", "残疾人", "残疾人专用"),
    ),
    "charging": (
        *("charging", "ev", "electric", "e_ladesaeule", "lademoeglichkeit", "ladeplatz"),
        *("充电", "充电泊位", "充电车位", "新能源", "新能源车位"),
    ),
    "coach": ("coach", "bus", "tour_bus", "reisebus", "大客车", "大巴", "客车", "旅游大巴"),
    "lorry": ("lorry", "truck", "lkw", "hgv", "货车", "大货车", "卡车"),
    "loading": (
        *("loading", "delivery", "loading_zone", "ladezone", "lieferzone", "装卸", "装卸货"),
        *("卸货", "临时装卸"),
    ),
    "motorcycle": ("motorcycle", "motorbike", "moto", "motorrad", "kraftrad", "摩托车"),
}
_PURPOSE_WORDS: Final[Mapping[Purpose, tuple[str, ...]]] = {
    "public": ("public", "short_term", "visitor", "oeffentlich", "公共", "社会", "临停", "临时"),
    "reserved": (
        *("reserved", "private", "privat", "staff", "customer", "halboeffentlich", "专用"),
        *("预留", "固定", "内部"),
    ),
    "permit": (
        *("permit", "resident", "residents", "monthly", "long_term", "season", "bewohner"),
        *("bewohnerparken", "anwohner", "anwohnerparken", "dauerparker", "月卡", "包月", "月租"),
        *("长租", "长期", "居民", "业主"),
    ),
}
_FACILITY_WORDS: Final[Mapping[FacilityKind, tuple[str, ...]]] = {
    "kerb": (
        *("kerb", "curb", "street", "on_street", "strassenraum", "lane", "路内", "道路", "路侧"),
        *("占道",),
    ),
    "lot": (
        *("lot", "surface", "off_street_parking_ground", "parkplatz", "p+r", "bahnhof"),
        *("地面", "露天", "路外"),
    ),
    "garage": (
        *("garage", "underground", "car_park", "multi_storey", "parkhaus", "tiefgarage"),
        *("parkdeck", "地下", "停车楼", "室内"),
    ),
    "mechanical": ("mechanical", "stereo", "automated", "机械", "立体", "机械立体"),
}
_GROUND_WORDS: Final[Mapping[Ground, tuple[str, ...]]] = {
    "carriageway": ("carriageway", "road", "lane", "机动车道", "车行道", "路面"),
    "non_motor_lane": ("non_motor_lane", "cycle_lane", "非机动车道"),
    "pavement": ("pavement", "sidewalk", "footway", "on_kerb", "gehweg", "人行道"),
    "off_street": ("off_street", "路外"),
}
_ORIENTATION_WORDS: Final[Mapping[Orientation, tuple[str, ...]]] = {
    "parallel": ("parallel", "laengsparken", "平行", "平行式", "顺向"),
    "perpendicular": ("perpendicular", "senkrechtparken", "querparken", "垂直", "垂直式"),
    "diagonal": ("diagonal", "angled", "schraegparken", "斜列", "斜列式", "斜向"),
}
NO_ORIENTATION: Final = frozenset({"keine", "none", "unknown", ""})


def plain(text: str) -> str:
    """Bring a word to the form in which words are compared: lower case, one kind of gap."""
    text = unicodedata.normalize("NFKC", text).strip().lower()
    for letter, spelt in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        text = text.replace(letter, spelt)
    return re.sub(r"[\s\-./]+", "_", text).strip("_")


_COLUMN_OF: Final = {plain(word): name for name, words in COLUMNS.items() for word in words}
_KINDS: Final = {plain(word): kind for kind, words in _KIND_WORDS.items() for word in words}
_PURPOSES: Final = {plain(w): purpose for purpose, words in _PURPOSE_WORDS.items() for w in words}
_FACILITIES: Final = {
    plain(word): kind for kind, words in _FACILITY_WORDS.items() for word in words
}
_GROUNDS: Final = {plain(word): ground for ground, words in _GROUND_WORDS.items() for word in words}
_ORIENTATIONS: Final = {
    plain(word): each for each, words in _ORIENTATION_WORDS.items() for word in words
}


def column_of(name: str) -> str | None:
    """Give what a column means; None where it is none of ours."""
    return _COLUMN_OF.get(plain(name))


def kind_of(text: str, field: str) -> BayKind:
    """Give a bay's kind; an unknown word is refused, not taken for a standard bay."""
    found = _KINDS.get(plain(text))
    if found is None:
        raise Faulty(f"is no kind of bay: must be one of {', '.join(_KIND_WORDS)}", field=field)
    return found


def purpose_of(text: str, field: str) -> Purpose:
    """Give a bay's purpose; an unknown word is refused, not taken for public."""
    found = _PURPOSES.get(plain(text))
    if found is None:
        raise Faulty(f"is no purpose: must be one of {', '.join(_PURPOSE_WORDS)}", field=field)
    return found


def facility_kind_of(text: str, field: str) -> FacilityKind:
    """Give a facility's kind."""
    found = _FACILITIES.get(plain(text))
    if found is None:
        allowed = ", ".join(_FACILITY_WORDS)
        raise Faulty(f"is no kind of facility: must be one of {allowed}", field=field)
    return found


def ground_of(text: str, field: str) -> Ground:
    """Give what a bay is marked on."""
    found = _GROUNDS.get(plain(text))
    if found is None:
        raise Faulty(f"must be one of {', '.join(_GROUND_WORDS)}", field=field)
    return found


def orientation_of(text: str, field: str) -> Orientation | None:
    """Give how cars stand to the kerb; None where the file says that it does not matter."""
    word = plain(text)
    if word in NO_ORIENTATION:
        return None
    found = _ORIENTATIONS.get(word)
    if found is None:
        raise Faulty(f"must be one of {', '.join(_ORIENTATION_WORDS)}", field=field)
    return found


def text_of(value: JsonValue, field: str, most: int = 200) -> str | None:
    """Read a text, one line of it; None where there is none.

    Raises
    ------
    Faulty
        Where it is no text or number, too long, or holds control characters.
    """
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Faulty("must be a text", field=field)
    text = " ".join(str(value).split())
    if _CONTROL.search(text):
        raise Faulty("must hold no control characters", field=field)
    if len(text) > most:
        raise Faulty(f"must be at most {most} characters", field=field)
    return text or None


def number_of(value: JsonValue, field: str) -> float | None:
    """Read a number, also one written as text, with a decimal comma or not; None for none.

    Raises
    ------
    Faulty
        On anything else.
    """
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise Faulty("must be a number", field=field)
    text = str(value).strip().replace(",", ".") if isinstance(value, str) else value
    try:
        number = float(text)
    except ValueError:
        raise Faulty("must be a number", field=field) from None
    if number != number or number in (float("inf"), float("-inf")):  # noqa: PLR0124 - NaN
        raise Faulty("must be a number", field=field)
    return number


def count_of(value: JsonValue, field: str, most: int) -> int | None:
    """Read a whole number of spaces, at least 1; None where none is stated.

    Raises
    ------
    Faulty
        On 0, a fraction, a negative number, or anything else.
    """
    number = number_of(value, field)
    if number is None:
        return None
    if number != int(number):
        raise Faulty("must be a whole number", field=field)
    if not 1 <= number <= most:
        raise Faulty(f"must be 1 to {most} spaces", field=field)
    return int(number)


def refused(error: Invalid, field: str) -> Faulty:
    """Give an error of a part as one of the file's member."""
    return Faulty(error.message, field=field)
