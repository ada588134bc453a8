/** Held times of a bay laid on local days. Pure. */
import { dateOf, moved } from "../figures/range";
import { localField } from "../shell/form";

export interface Span {
  readonly fromMs: number;
  readonly untilMs: number;
}

export interface Block<T> {
  readonly item: T;
  /** Of the day's 24 wall-clock hours, 0 to 1. */
  readonly start: number;
  readonly end: number;
}

export interface Day<T> {
  readonly date: string;
  readonly blocks: readonly Block<T>[];
}

/** Hours since midnight on the wall clock of an instant, and its date. */
function wall(atMs: number, zone: string): readonly [date: string, share: number] {
  const [date = "", time = "00:00"] = localField(atMs, zone).split("T");
  const [hours = 0, minutes = 0] = time.split(":").map(Number);
  return [date, (hours * 60 + minutes) / 1_440];
}

/** Each day of a stretch with the parts of the spans that fall on it, in order of time. */
export function week<T extends Span>(items: readonly T[], firstMs: number, days: number, zone: string): Day<T>[] {
  const first = dateOf(firstMs, zone);
  return Array.from({ length: days }, (_, index) => {
    const date = moved(first, index);
    const blocks = items
      .map((item) => {
        const [fromDate, from] = wall(item.fromMs, zone);
        const [untilDate, until] = wall(item.untilMs, zone);
        if (untilDate < date || fromDate > date) return null;
        return { item, start: fromDate < date ? 0 : from, end: untilDate > date ? 1 : until };
      })
      .filter((block): block is { item: T; start: number; end: number } => block !== null && block.end > block.start)
      .sort((a, b) => a.start - b.start);
    return { date, blocks };
  });
}
