"""Why a line stands on a bill: a key and its values, rendered in any language of the catalogue.

The keys are those of the web catalogue as well; the texts here serve the command line and any
reader without one. A value is a whole number, a text, a name in both languages, an amount, or a
duration: durations are whole seconds in a value whose name ends in ``_s``.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from pydantic import JsonValue

from city.errors import Invalid
from city.money import Money
from parking.rules.rights.texts import TEXTS as RIGHTS_TEXTS

TEXTS: Mapping[str, Mapping[str, str]] = {
    **RIGHTS_TEXTS,
    "tariff.why.units.started": {
        "en": "{units} started × {unit_s} at {price}",
        "zh": "{units}个计费单位×{unit_s}，每单位{price}，不足一个单位按一个单位计",
    },
    "tariff.why.units.completed": {
        "en": "{units} completed × {unit_s} at {price}; a unit not completed is not charged",
        "zh": "{units}个计费单位×{unit_s}，每单位{price}，不足一个单位不计",
    },
    "tariff.why.units.tolerance": {
        "en": "{units} × {unit_s} at {price}; a unit counts once more than {tolerance_s} of it"
        " have passed",
        "zh": "{units}个计费单位×{unit_s}，每单位{price}，超过{tolerance_s}方计一个单位",
    },
    "tariff.why.entry": {
        "en": "{price} per entry",
        "zh": "按次收费，每次{price}",
    },
    "tariff.why.tier": {
        "en": "{stayed_s} fall in the tier up to {up_to_s}: {price} flat",
        "zh": "停放{stayed_s}，适用{up_to_s}以内档，一口价{price}",
    },
    "tariff.why.tier.last": {
        "en": "{stayed_s} fall in the last tier: {price} flat",
        "zh": "停放{stayed_s}，适用最高档，一口价{price}",
    },
    "tariff.why.free.band": {
        "en": "free in this band",
        "zh": "本时段免费",
    },
    "tariff.why.free.within": {
        "en": "within the free period of {up_to_s}",
        "zh": "未超过{up_to_s}免费时长",
    },
    "tariff.why.free.deducted": {
        "en": "free period of {up_to_s}, not counted",
        "zh": "免费时长{up_to_s}，不计入计费时间",
    },
    "tariff.why.free.within.left": {
        "en": "within what is left of the free period of {up_to_s}: {left_s}",
        "zh": "未超过{up_to_s}免费时长的剩余部分{left_s}",
    },
    "tariff.why.free.deducted.left": {
        "en": "what is left of the free period of {up_to_s}, not counted: {left_s}",
        "zh": "免费时长{up_to_s}的剩余部分{left_s}，不计入计费时间",
    },
    "tariff.why.free.re_entry": {
        "en": "back within {within_s}: no free period",
        "zh": "{within_s}内再次驶入，不再享受免费时长",
    },
    "tariff.why.free.paid": {
        "en": "no free period of {up_to_s} after a payment",
        "zh": "缴费后的停放不再享受{up_to_s}免费时长",
    },
    "tariff.why.free.used": {
        "en": "the free period was used by an earlier stay",
        "zh": "免费时长已由此前的停放使用",
    },
    "tariff.why.gap": {
        "en": "not observed, so not charged",
        "zh": "该段时间未监测到，不计费",
    },
    "tariff.why.covered": {
        "en": "covered by {name}",
        "zh": "{name}覆盖时段，不另计费",
    },
    "tariff.why.away": {
        "en": "away between two stays, not counted",
        "zh": "两次停放之间驶离，不计费",
    },
    "tariff.why.grace": {
        "en": "left within {within_s} of paying",
        "zh": "缴费后{within_s}内离场，不计费",
    },
    "tariff.why.never_more": {
        "en": "time that is not charged never makes the rest dearer",
        "zh": "不计费时段不增加其余时段的费用",
    },
    "tariff.why.cap.band": {
        "en": "capped at {cap} in this band",
        "zh": "本时段封顶{cap}",
    },
    "tariff.why.cap.stay": {
        "en": "capped at {cap} a stay",
        "zh": "每次停放封顶{cap}",
    },
    "tariff.why.cap.day": {
        "en": "capped at {cap} a calendar day",
        "zh": "每自然日封顶{cap}",
    },
    "tariff.why.cap.24h": {
        "en": "capped at {cap} in 24 hours",
        "zh": "24小时内封顶{cap}",
    },
    "tariff.why.cap.day.shared": {
        "en": "capped at {cap} a calendar day, {paid} of it paid for earlier stays",
        "zh": "每自然日封顶{cap}，其中此前停放已付{paid}",
    },
    "tariff.why.cap.24h.shared": {
        "en": "capped at {cap} in 24 hours, {paid} of it paid for earlier stays",
        "zh": "24小时内封顶{cap}，其中此前停放已付{paid}",
    },
    "tariff.why.cap.period": {
        "en": "capped at {cap} in {period_s}",
        "zh": "{period_s}内封顶{cap}",
    },
    "tariff.why.cap.period.shared": {
        "en": "capped at {cap} in {period_s}, {paid} of it paid for earlier stays",
        "zh": "{period_s}内封顶{cap}，其中此前停放已付{paid}",
    },
    "tariff.why.both_ends": {
        "en": "{name}: at most {price}",
        "zh": "{name}：最高{price}",
    },
    "tariff.why.discount": {
        "en": "{name}: {percent} % off",
        "zh": "{name}：减免{percent}%",
    },
    "tariff.why.coupon.time": {
        "en": "{name}: {time_s} not counted",
        "zh": "{name}：{time_s}不计入计费时间",
    },
    "tariff.why.coupon.percent": {
        "en": "{name}: {percent} % off",
        "zh": "{name}：减免{percent}%",
    },
    "tariff.why.coupon.percent.most": {
        "en": "{name}: {percent} % off, at most {at_most}",
        "zh": "{name}：减免{percent}%，最多减免{at_most}",
    },
    "tariff.why.coupon.amount": {
        "en": "{name}: {amount} off",
        "zh": "{name}：减免{amount}",
    },
    "tariff.why.coupon.flat": {
        "en": "{name}: at most {price} a stay",
        "zh": "{name}：每次停放最多{price}",
    },
    "tariff.why.rounded.down": {
        "en": "rounded down to whole {coin}",
        "zh": "按{coin}向下取整",
    },
    "tariff.why.rounded.nearest": {
        "en": "rounded to the nearest {coin}",
        "zh": "按{coin}四舍五入",
    },
    "tariff.why.rounded.up": {
        "en": "rounded up to whole {coin}",
        "zh": "按{coin}向上取整",
    },
    "tariff.why.credit.paid": {
        "en": "paid already: {paid}",
        "zh": "此前已付{paid}",
    },
    "tariff.why.ahead.told": {
        "en": "taken ahead without a line, as the terminal showed it",
        "zh": "离线预收，按终端当时显示的金额",
    },
    "tariff.why.paid.kept": {
        "en": "paid ahead for more than was used: {unused} is not given back",
        "zh": "预付时长未用完，{unused}不予退还",
    },
    "tariff.why.credit.re_entry": {
        "en": "back within {within_s}, so one stay; paid before: {paid}",
        "zh": "{within_s}内再次驶入，合并为一次停放，此前已付{paid}",
    },
    "tariff.why.exempt": {
        "en": "exempt: {name}",
        "zh": "免费车辆：{name}",
    },
    "tariff.why.exempted": {
        "en": "freed of the fee: {name}",
        "zh": "免收：{name}",
    },
    "tariff.why.calendar.unpublished": {
        "en": "holidays of {year} not published; days taken by their weekday",
        "zh": "{year}年节假日安排尚未公布，按星期计",
    },
}


class Why(NamedTuple):
    """A reason: a key of the catalogue and the values for its holes."""

    key: str
    values: Mapping[str, JsonValue] = MappingProxyType({})

    def as_json(self) -> dict[str, JsonValue]:
        """Give the stored form."""
        return {"key": self.key, "values": dict(self.values)}

    @classmethod
    def from_json(cls, value: JsonValue) -> "Why":
        """Read what ``as_json`` gave; Invalid on anything else."""
        members = value if isinstance(value, dict) else {}
        key, values = members.get("key"), members.get("values")
        if not isinstance(key, str) or not isinstance(values, dict):
            raise Invalid("must carry key and values", field="why")
        return cls(key, values)

    def text(self, language: str) -> str:
        """Write the reason for people, in ``zh`` or ``en``."""
        texts = TEXTS.get(self.key)
        if texts is None or language not in texts:
            raise Invalid("is not a reason of the catalogue", field="why")
        return texts[language].format_map(values_text(self.values, language))


def values_text(values: Mapping[str, JsonValue], language: str) -> dict[str, str]:
    """Write every value of a reason for people: what the holes of any catalogue take."""
    return {name: _text(name, value, language) for name, value in values.items()}


def _text(name: str, value: JsonValue, language: str) -> str:
    if isinstance(value, dict):
        if "minor" in value:
            return Money.from_json(value, name).text(language)
        return str(value.get(language, ""))
    if name.endswith("_s") and isinstance(value, int):
        return duration_text(value, language)
    return str(value)


def duration_text(seconds: int, language: str) -> str:
    """Write a duration in hours, minutes and seconds, leaving out what is zero."""
    hours, rest = divmod(seconds, 3600)
    minutes, left = divmod(rest, 60)
    units = ("小时", "分钟", "秒") if language == "zh" else (" h", " min", " s")
    parts = [f"{n}{unit}" for n, unit in zip((hours, minutes, left), units, strict=True) if n]
    joint = "" if language == "zh" else " "
    return joint.join(parts) or f"0{units[2]}"
