"""Alarms in plain Chinese and English: what, why it is believed, what to do, what was done."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from signals.rules.live.alarms import Code


class Words(NamedTuple):
    """An alarm in one language."""

    what: str
    why: str
    advice: str
    done: str


_STATUS_ZH: Final = {
    "not_sent": "未下发：信号机静默、黄闪或故障",
    "refused": "被拒绝：安全校核或信号机不接受",
    "unconfirmed": "读回与下发不一致",
    "reverted": "启用后又退回",
    "flashing": "监视器使路口黄闪",
    "unknown": "启用后信号机失联",
}
_STATUS_EN: Final = {
    "not_sent": "not sent: the controller was silent, flashing or faulty",
    "refused": "refused by the safety check or by the controller",
    "unconfirmed": "what was read back is not what was sent",
    "reverted": "taken up, then taken back",
    "flashing": "the conflict monitor put the junction on flashing",
    "unknown": "the controller fell silent after taking it up",
}
_SOURCE_ZH: Final = {"siblings": "本路口其他检测器", "past": "往日同一时段"}
_SOURCE_EN: Final = {
    "siblings": "the junction's other detectors",
    "past": "the same time on other days",
}

_TOLD_ZH: Final = {
    "red_lamp": "红灯",
    "yellow_lamp": "黄灯",
    "green_lamp": "绿灯",
    "door": "柜门",
    "front_door": "前门",
    "back_door": "后门",
    "left_door": "左门",
    "right_door": "右门",
    "green_conflict": "绿冲突",
    "red_and_green": "红绿同亮",
    "communication": "通信",
    "self_test": "自检",
    "detector": "检测器",
    "relay": "继电器",
    "memory": "存储器",
    "clock": "时钟",
    "main_board": "主板",
    "phase_board": "相位板",
    "detector_board": "检测板",
    "configuration": "配置",
    "control_response": "控制响应",
    "voltage": "电压",
    "voltage_high": "电压过高",
    "voltage_low": "电压过低",
    "power_off": "断电",
    "temperature": "温度",
    "temperature_high": "温度过高",
    "temperature_low": "温度过低",
    "humidity": "湿度",
    "humidity_high": "湿度过高",
    "humidity_low": "湿度过低",
    "smoke": "烟雾",
    "movement": "震动",
    "water": "水浸",
}

ZH: Final[Mapping[Code, Words]] = {
    Code.SPLIT_FAILURES: Words(
        "相位 {subject}{phase}绿灯不够",
        "近一刻钟 {cycles} 个周期中有 {failures} 个绿灯放不完：绿灯期间一直有车，"
        "红灯开始后仍有车等待。",
        "核对该相位绿信比；下游是否堵住；检测器是否可信。可在工作台试算更长绿灯。",
        "平台未改动信号：现行方案继续运行。",
    ),
    Code.SPILL_BACK: Words(
        "排队到达上游检测器 {subject}{serves}",
        "连续两个五分钟，上游检测器至少 {percent} 的时间被占，且有车驶过：队尾已越过它。",
        "查看下游路口与出口车道；考虑截流上游或加长本相位绿灯。",
        "平台未改动信号：现行方案继续运行。",
    ),
    Code.FLASHING: Words(
        "路口黄闪",
        "信号机上报闪光状态 {value:.0f}（NTCIP 1202：4 现场手动，5、6 故障或冲突监视）。",
        "派人到现场；冲突监视器跳闸须查明原因后复位。",
        "平台不再向其下发方案，直至恢复。",
    ),
    Code.CONTROLLER_SILENT: Words(
        "信号机失联（{device}）",
        "已 {value:.0f} 分钟没有任何上报。",
        "检查通信与供电；现场灯色可能正常。",
        "信号机按其自身方案继续运行；检测数据记为未知，不作推测。",
    ),
    Code.CLOCK_AHEAD: Words(
        "信号机时钟超前（{device}）",
        "其数据时间比平台超前两分钟以上，已被拒收。",
        "校准信号机时钟：协调相位差也随之有误。",
        "超前的数据已拒收并计数。",
    ),
    Code.DETECTOR_STUCK: Words(
        "检测器 {subject}{serves}常占",
        "连续 {value:.0f} 分钟有车不放。",
        "检查线圈、检测卡或停放车辆。",
        "其计数不再采信；{imputed}",
    ),
    Code.DETECTOR_CHATTERING: Words(
        "检测器 {subject}{serves}抖动",
        "一分钟内触发次数超过车辆所能；五分钟内共 {value:.0f} 次。",
        "检查线圈灵敏度与接线。",
        "其计数不再采信；{imputed}",
    ),
    Code.DETECTOR_SILENT: Words(
        "检测器 {subject}{serves}无触发",
        "已 {value:.0f} 分钟没有触发，而此时应有车辆通过，信号机仍在上报。",
        "检查线圈与馈线是否断开；车道是否封闭。",
        "其计数不再采信；{imputed}",
    ),
    Code.PLAN_NOT_TAKEN: Words(
        "方案未生效",
        "{status_words}。最后一步：{step}",
        "查看下发步骤；处理后可在路口页重新下发。",
        "旧方案继续运行，或由信号机自身监视器保护。",
    ),
    Code.LAMP_FAULT: Words(
        "灯故障：{told}",
        "信号机在故障表中报告。",
        "更换灯具或检查灯驱动；红灯不亮须先派人到现场。",
        "平台未改动信号：由信号机自身监视器保护。",
    ),
    Code.DOOR_OPEN: Words(
        "机柜门打开：{told}",
        "信号机在告警表中报告。",
        "核对是否有人维护；否则派人查看。",
        "平台未改动信号。",
    ),
    Code.CLOCK_OFF: Words(
        "信号机时钟偏差 {value:+.0f} 秒",
        "巡检读取其时钟，与平台相差 10 秒以上。",
        "校准信号机时钟：协调相位差随之有误。",
        "平台未改动其时钟。",
    ),
    Code.CABINET_FAULT: Words(
        "信号机故障或告警：{told}",
        "信号机在故障表或告警表中报告。",
        "按所报内容派人检查。",
        "平台未改动信号：由信号机自身监视器保护。",
    ),
}
EN: Final[Mapping[Code, Words]] = {
    Code.SPLIT_FAILURES: Words(
        "Phase {subject}{phase} has too little green",
        "{failures} of {cycles} cycles in the last quarter of an hour failed: vehicles stood at the"
        " line all green, and still did after red began.",
        "Look at its split, at the exit downstream, and whether its detectors can be believed. A"
        " longer green can be tried in the workbench.",
        "The platform changed nothing: the plan in force runs on.",
    ),
    Code.SPILL_BACK: Words(
        "The queue has reached detector {subject}{serves} upstream",
        "For two spans of five minutes it was held at least {percent} of the time while vehicles"
        " passed: the queue ends behind it.",
        "Look at the junction and exit lanes downstream; hold traffic back upstream, or give this"
        " phase more green.",
        "The platform changed nothing: the plan in force runs on.",
    ),
    Code.FLASHING: Words(
        "The junction is flashing",
        "The controller reported flash status {value:.0f} (NTCIP 1202: 4 by hand on site, 5 and 6"
        " fault or conflict monitor).",
        "Send somebody; a tripped monitor is reset only once its cause is known.",
        "No plan is sent to it until it recovers.",
    ),
    Code.CONTROLLER_SILENT: Words(
        "The controller is silent ({device})",
        "It has reported nothing for {value:.0f} min.",
        "Check its line and power; its lamps may well be in order.",
        "It runs its own plan on; its detectors count as unknown and are not guessed.",
    ),
    Code.CLOCK_AHEAD: Words(
        "The controller's clock is ahead ({device})",
        "What it reports lies more than two minutes in the future, and is refused.",
        "Set its clock: its offset in the green wave is wrong with it.",
        "What lay ahead was refused and counted.",
    ),
    Code.DETECTOR_STUCK: Words(
        "Detector {subject}{serves} is stuck",
        "It has been held for {value:.0f} min without a break.",
        "Check the loop, its card, or a vehicle parked on it.",
        "It is no longer believed; {imputed}",
    ),
    Code.DETECTOR_CHATTERING: Words(
        "Detector {subject}{serves} chatters",
        "More actuations in a minute than vehicles can make; {value:.0f} in five minutes.",
        "Check its sensitivity and wiring.",
        "It is no longer believed; {imputed}",
    ),
    Code.DETECTOR_SILENT: Words(
        "Detector {subject}{serves} says nothing",
        "No actuation for {value:.0f} min while vehicles were expected and its controller sent on.",
        "Check whether its loop or feeder is cut, or the lane closed.",
        "It is no longer believed; {imputed}",
    ),
    Code.PLAN_NOT_TAKEN: Words(
        "The plan was not taken up",
        "{status_words}. Last step: {step}",
        "Read the steps; once mended, send it again from the junction's page.",
        "The old plan runs on, or the cabinet's own monitor holds the junction.",
    ),
    Code.LAMP_FAULT: Words(
        "Lamps are out of order: {told}",
        "The controller has it in its table of faults.",
        "Change the lamp or look at its driver; where a red one is dark send somebody first.",
        "The platform changed nothing: the cabinet's own monitor holds the junction.",
    ),
    Code.DOOR_OPEN: Words(
        "The cabinet is open: {told}",
        "The controller has it in its table of alarms.",
        "See whether somebody works there; if not, send somebody.",
        "The platform changed nothing.",
    ),
    Code.CLOCK_OFF: Words(
        "The controller's clock is off by {value:+.0f} s",
        "It was asked for its clock, which differs from ours by ten seconds or more.",
        "Set its clock: its offset in the green wave is wrong with it.",
        "The platform did not set it.",
    ),
    Code.CABINET_FAULT: Words(
        "The controller tells of faults: {told}",
        "It has them in its tables of faults or alarms.",
        "Send somebody for what it says.",
        "The platform changed nothing: the cabinet's own monitor holds the junction.",
    ),
}


def words(code: Code, subject: str, value: float, facts: Mapping[str, str]) -> tuple[Words, Words]:
    """Say an alarm in Chinese and in English."""
    serves, phase = facts.get("serves", ""), facts.get("phase_name", "")
    common = {
        "subject": subject,
        "value": value,
        "percent": f"{value:.0%}",
        "device": facts.get("device", ""),
        "cycles": facts.get("cycles", "?"),
        "failures": facts.get("failures", "?"),
        "step": facts.get("step", ""),
    }
    told_codes = facts.get("told", "").split()
    count, source = facts.get("imputed"), facts.get("source", "")
    told = (
        common
        | {
            "serves": f"（{serves}）" if serves else "",
            "phase": f"（{phase}）" if phase else "",
            "status_words": _STATUS_ZH.get(facts.get("status", ""), ""),
            "told": "、".join(_TOLD_ZH.get(each, each) for each in told_codes) or "未知",
            "imputed": "无可替代，记为未知。"
            if count is None
            else f"以{_SOURCE_ZH.get(source, source)}推算的 {count} 辆/5 分钟代替，并标明。",
        },
        common
        | {
            "serves": f" ({serves})" if serves else "",
            "phase": f" ({phase})" if phase else "",
            "status_words": _STATUS_EN.get(facts.get("status", ""), ""),
            "told": ", ".join(each.replace("_", " ") for each in told_codes) or "unknown",
            "imputed": "nothing can stand for it: unknown."
            if count is None
            else f"{count} vehicles in five minutes by {_SOURCE_EN.get(source, source)} stand for"
            " it, flagged.",
        },
    )
    said = [
        Words(*(part.format(**holes) for part in table[code]))
        for table, holes in zip((ZH, EN), told, strict=True)
    ]
    return said[0], said[1]
