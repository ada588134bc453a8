/** What a `datetime-local` field holds, in the city's zone and not the device's. Pure. */

const MINUTE_MS = 60_000;

/** The field's text for an instant: '2026-03-02T09:05'. */
export function cityField(atMs: number, zone: string): string {
  const parts = new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).formatToParts(atMs);
  const part = (type: string): string => parts.find((each) => each.type === type)?.value ?? "00";
  return `${part("year")}-${part("month")}-${part("day")}T${part("hour")}:${part("minute")}`;
}

/**
 * The instant of a field's text; null where it is none. An hour that a change of clocks skips
 * is taken by the offset before it, one that comes twice is the first.
 */
export function fromCityField(field: string, zone: string): number | null {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d$/.test(field)) return null;
  const asUtc = Date.parse(`${field}:00Z`);
  if (Number.isNaN(asUtc)) return null;
  const offset = (atMs: number): number => Date.parse(`${cityField(atMs, zone)}:00Z`) - atMs;
  const floor = (atMs: number): number => Math.floor(atMs / MINUTE_MS) * MINUTE_MS;
  const first = asUtc - offset(floor(asUtc - 24 * 60 * MINUTE_MS));
  if (cityField(first, zone) === field) return first;
  const second = asUtc - offset(floor(asUtc + 24 * 60 * MINUTE_MS));
  return cityField(second, zone) === field ? second : first;
}
