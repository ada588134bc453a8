"""What is wrong with a device, judged from what it last said and when."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final


class Health(StrEnum):
    """A device's verdict; of several problems the one to look at first, in this order."""

    NEVER = "never"
    """Registered and not heard yet."""
    SILENT = "silent"
    FAULT = "fault"
    """It reports a fault of its own."""
    BATTERY = "battery"
    SIGNAL = "signal"
    OK = "ok"


ORDER: Final = tuple(Health)


@dataclass(frozen=True, slots=True)
class HealthPolicy:
    """The numbers behind a verdict."""

    silent_after: timedelta = timedelta(hours=26)
    """A daily heartbeat and two hours of delay: when folding calls the bay unknown."""
    silent_after_by_model: Mapping[str, timedelta] = field(
        default_factory=lambda: MappingProxyType({})
    )
    battery_percent: float = 15.0
    """Below it the battery counts as low, where the device does not say so itself."""
    rssi_dbm: float = -118.0
    """Weaker than this frames get lost: LoRa at SF12 and 125 kHz ends near -137 dBm, less 19 dB
    for a car on top of the sensor."""
    snr_db: float = -15.0
    """SF12 decodes down to -20 dB."""

    def silence(self, model: str) -> timedelta:
        """Give the silence after which a device of a model counts as silent."""
        return self.silent_after_by_model.get(model, self.silent_after)


DEFAULT: Final = HealthPolicy()


def problems(
    *,
    model: str,
    now: datetime,
    last_seen_at: datetime | None,
    battery_low: bool | None,
    battery_percent: float | None,
    faults: tuple[str, ...],
    rssi: float | None,
    snr: float | None,
    policy: HealthPolicy = DEFAULT,
) -> tuple[Health, ...]:
    """Give everything that is wrong with a device, the most urgent first; empty for nothing."""
    if last_seen_at is None:
        return (Health.NEVER,)
    found = {
        Health.SILENT: now - last_seen_at > policy.silence(model),
        Health.FAULT: bool(faults),
        Health.BATTERY: battery_low is True
        or (
            battery_low is None
            and battery_percent is not None
            and battery_percent < policy.battery_percent
        ),
        Health.SIGNAL: (rssi is not None and rssi < policy.rssi_dbm)
        or (snr is not None and snr < policy.snr_db),
    }
    return tuple(verdict for verdict in ORDER if found.get(verdict, False))
