/** Instants are milliseconds of the business clock; the zone is the facility's. */
export type AgeUnit = "now" | "seconds" | "minutes" | "hours" | "days";
export interface Age {
  readonly unit: AgeUnit;
  readonly n: number;
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How long ago, in the one unit a person would use; an instant ahead of the clock is 'now'. */
export function age(sinceMs: number, nowMs: number): Age {
  const passed = Math.max(0, nowMs - sinceMs);
  if (passed < 2 * SECOND_MS) return { unit: "now", n: 0 };
  if (passed < 90 * SECOND_MS) return { unit: "seconds", n: Math.floor(passed / SECOND_MS) };
  if (passed < 90 * MINUTE_MS) return { unit: "minutes", n: Math.floor(passed / MINUTE_MS) };
  if (passed < 36 * HOUR_MS) return { unit: "hours", n: Math.floor(passed / HOUR_MS) };
  return { unit: "days", n: Math.floor(passed / DAY_MS) };
}

export interface Lasting {
  readonly days: number;
  readonly hours: number;
  readonly minutes: number;
}

/** A stay's length in whole minutes, cut off and not rounded: 59 s is 0 min. */
export function lasting(fromMs: number, toMs: number): Lasting {
  const minutes = Math.max(0, Math.floor((toMs - fromMs) / MINUTE_MS));
  return {
    days: Math.floor(minutes / 1_440),
    hours: Math.floor((minutes % 1_440) / 60),
    minutes: minutes % 60,
  };
}

/** '09:12' on the same day in that zone, else '2 Mar 09:12'. */
export function momentText(atMs: number, nowMs: number, zone: string, locale: string): string {
  const time: Intl.DateTimeFormatOptions = {
    timeZone: zone,
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  };
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
  if (day.format(atMs) === day.format(nowMs)) {
    return new Intl.DateTimeFormat(locale, time).format(atMs);
  }
  return fullMoment(atMs, zone, locale, { ...time, month: "short", day: "numeric" });
}

/** Date and time to the second, for evidence and records. */
export function exactText(atMs: number, zone: string, locale: string): string {
  return fullMoment(atMs, zone, locale, {
    timeZone: zone,
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    hourCycle: "h23",
  });
}

/** Weekday and time, for the demo city's clock. */
export function weekdayText(atMs: number, zone: string, locale: string): string {
  return fullMoment(atMs, zone, locale, {
    timeZone: zone,
    weekday: "short",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  });
}

function fullMoment(
  atMs: number,
  zone: string,
  locale: string,
  options: Intl.DateTimeFormatOptions,
): string {
  return new Intl.DateTimeFormat(locale, { ...options, timeZone: zone })
    .format(atMs)
    .replace(", ", " ");
}

/** RFC 3339 to milliseconds; NaN where it is none. */
export function instant(rfc3339: string): number {
  return Date.parse(rfc3339);
}

/** One setting of the business clock: demo time is d0 + speed x (wall - w0). */
export interface ClockSetting {
  readonly d0Ms: number;
  readonly w0Ms: number;
  readonly speed: number;
}

/** The business time that a setting gives at a wall-clock instant. */
export function businessNow(setting: ClockSetting, wallMs: number): number {
  return setting.d0Ms + setting.speed * (wallMs - setting.w0Ms);
}
