"""Names of the demo town's streets, districts and garages, in Chinese and English."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Name:
    """A name in both languages."""

    zh: str
    en: str


TOWN = Name("临江市（模拟）", "Linjiang (simulated)")

EAST_WEST = (
    Name("南环路", "South Ring Road"),
    Name("人民路", "Renmin Road"),
    Name("滨江南路", "South Riverside Road"),
    Name("滨江北路", "North Riverside Road"),
    Name("中山路", "Zhongshan Road"),
    Name("北苑路", "Beiyuan Road"),
)
"""From south to north."""

NORTH_SOUTH = (
    Name("西园路", "Xiyuan Road"),
    Name("文昌路", "Wenchang Road"),
    Name("钟楼街", "Bell Tower Street"),
    Name("长虹大道", "Changhong Avenue"),
    Name("书院街", "Academy Street"),
    Name("望江路", "Wangjiang Road"),
    Name("东港路", "Donggang Road"),
)
"""From west to east."""

LANES = (
    Name("柳荫巷", "Liuyin Lane"),
    Name("石桥巷", "Shiqiao Lane"),
    Name("米市巷", "Rice Market Lane"),
    Name("竹篮巷", "Basket Lane"),
    Name("书坊巷", "Bookshop Lane"),
    Name("桂花巷", "Osmanthus Lane"),
    Name("茶亭巷", "Tea Pavilion Lane"),
    Name("井头巷", "Well Lane"),
    Name("铜匠巷", "Coppersmith Lane"),
    Name("染坊巷", "Dyer Lane"),
)

RIVER = Name("临江", "Linjiang River")

GARAGES = (
    Name("滨江广场停车库", "Riverside Plaza Garage"),
    Name("钟楼停车库", "Bell Tower Garage"),
    Name("市医院停车库", "City Hospital Garage"),
    Name("图书馆停车库", "Library Garage"),
    Name("中心市场停车库", "Central Market Garage"),
    Name("北苑商业中心停车库", "Beiyuan Mall Garage"),
    Name("行政服务中心停车库", "Civic Centre Garage"),
    Name("东港客运站停车库", "Donggang Coach Station Garage"),
)

OPERATORS = {
    "kerbs": Name("临江市道路停车管理中心（模拟）", "Linjiang Kerb Parking Centre (simulated)"),
    "garages": Name("临江停车运营公司（模拟）", "Linjiang Garages Ltd. (simulated)"),
}

OPERATOR_PHONES = {"kerbs": "400-000-0001", "garages": "400-000-0002"}
"""Invented; the exchange has no subscribers."""

SOUTH_BANK = Name("江南区", "South Bank")
NORTH_BANK = Name("江北区", "North Bank")

SIDES = {
    "north": Name("北侧", "north side"),
    "south": Name("南侧", "south side"),
    "east": Name("东侧", "east side"),
    "west": Name("西侧", "west side"),
}

AREAS = {
    "A": Name("A区", "Area A"),
    "B": Name("B区", "Area B"),
}

EXEMPTION = Name("应急、警用与军用车辆免费", "Emergency, police and military vehicles free")
EXEMPTION_SOURCE = Name("临江市停车收费办法（模拟）", "Linjiang parking charges order (simulated)")
