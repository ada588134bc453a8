/** Which days: local dates where the bays lie, both ends included. */
export interface Days {
  readonly first: string;
  readonly last: string;
}

/** The local date of an instant, as YYYY-MM-DD. */
export function dateOf(atMs: number, zone: string): string {
  return new Intl.DateTimeFormat("en-CA", {
    timeZone: zone,
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  }).format(atMs);
}

/** The date so many days later. */
export function moved(date: string, days: number): string {
  const at = new Date(`${date}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** The last n days up to and including a date. */
export function lastDays(today: string, n: number): Days {
  return { first: moved(today, 1 - n), last: today };
}

export function lengthOf(days: Days): number {
  const ms = Date.parse(`${days.last}T00:00:00Z`) - Date.parse(`${days.first}T00:00:00Z`);
  return Math.round(ms / 86_400_000) + 1;
}

/** Hours while they can be told apart, days above. */
export function grain(days: Days): "hour" | "day" {
  return lengthOf(days) <= 3 ? "hour" : "day";
}

/** Whether somebody typed a range that can be asked for: in order, at most a year. */
export function valid(days: Days): boolean {
  const n = lengthOf(days);
  return Number.isFinite(n) && n >= 1 && n <= 366;
}
