/** Differences of money in words: the sign always stands there, and the arrow is no colour. */
import type { Money } from "../format/money";
import { price } from "../format/words";

export function differenceText(before: Money, after: Money): string {
  const minor = after.minor - before.minor;
  if (minor === 0) return "=";
  const size = price({ minor: Math.abs(minor), currency: after.currency });
  return minor > 0 ? `▲ +${size}` : `▼ −${size}`;
}

/** A change as a whole percentage of what it was; null where there was nothing. */
export function changePercent(before: number, after: number): number | null {
  return before > 0 ? Math.round(((after - before) * 100) / before) : null;
}
