"""What people are told of rights: keys and texts in both languages, as those of tariffs."""

from collections.abc import Mapping
from typing import Final

TEXTS: Final[Mapping[str, Mapping[str, str]]] = {
    "rights.why.permit": {
        "en": "covered by permit {label}",
        "zh": "已由停车许可“{label}”覆盖",
    },
    "rights.why.permit.per_stay": {
        "en": "permit {label}: {free_s} free each stay",
        "zh": "停车许可“{label}”：每次停放免费{free_s}",
    },
    "rights.why.permit.per_day": {
        "en": "permit {label}: {free_s} free each day",
        "zh": "停车许可“{label}”：每日免费{free_s}",
    },
    "rights.why.benefit": {
        "en": "free for {name}",
        "zh": "{name}免费",
    },
    "rights.why.benefit.per_stay": {
        "en": "{name}: {free_s} free each stay",
        "zh": "{name}：每次停放免费{free_s}",
    },
    "rights.why.benefit.per_day": {
        "en": "{name}: {free_s} free each day",
        "zh": "{name}：每日免费{free_s}",
    },
    "rights.why.used_up.per_stay": {
        "en": "{label}: the {free_s} of this stay are used up",
        "zh": "{label}：本次停放的免费时长{free_s}已用完",
    },
    "rights.why.used_up.per_day": {
        "en": "{label}: the {free_s} of this day are used up",
        "zh": "{label}：当日免费时长{free_s}已用完",
    },
    "rights.why.grace": {
        "en": "left within {grace_s} of the end of the hours of {label}",
        "zh": "在“{label}”约定时段结束后{grace_s}内驶离",
    },
    "rights.why.overstay": {
        "en": "past the hours of {label}: {units} started × {unit_s} at {price}",
        "zh": "超出“{label}”约定时段：{units}个计费单位×{unit_s}，每单位{price}",
    },
    "rights.why.overstay.capped": {
        "en": "past the hours of {label}: {units} started × {unit_s} at {price}, capped at {cap}",
        "zh": "超出“{label}”约定时段：{units}个计费单位×{unit_s}，每单位{price}，封顶{cap}",
    },
    "rights.why.limit": {
        "en": "permit {label} covers {limit} at a time, and others came first",
        "zh": "停车许可“{label}”同时覆盖{limit}辆车，已有先到车辆使用",
    },
    "rights.why.outside_hours": {
        "en": "outside the hours of permit {label}",
        "zh": "不在停车许可“{label}”的有效时段内",
    },
    "rights.why.not_in_force": {
        "en": "permit {label} was not in force for this vehicle",
        "zh": "停车许可“{label}”对该车辆当时未生效",
    },
    "rights.why.blacklisted": {
        "en": "no rights: on the blacklist of {district} ({reason})",
        "zh": "不享受停车权益：已列入{district}黑名单（{reason}）",
    },
    "rights.why.none": {
        "en": "no right covers it",
        "zh": "无停车权益覆盖",
    },
}

REASONS: Final[Mapping[str, tuple[str, str]]] = {
    "arrears": ("欠费", "arrears"),
    "evasion": ("逃费", "evasion"),
    "false_plate": ("套牌", "false plate"),
    "abuse": ("冒用权益", "abuse of rights"),
    "damage": ("损坏设施", "damage"),
}
"""Reasons for which a vehicle is listed, in Chinese and English."""
