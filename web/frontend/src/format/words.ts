/** Ages, durations and shares in words: the catalogue over the pure numbers. */
import { counted, inLanguage, locale, text } from "../shell/text";
import { businessTime, zone } from "../shell/clock";
import { moneyText, type Money } from "./money";
import { age, exactText, lasting, momentText } from "./time";

export function agoText(sinceMs: number | null, nowMs = businessTime()): string {
  if (sinceMs === null || Number.isNaN(sinceMs)) return text("age.never");
  const { unit, n } = age(sinceMs, nowMs);
  return unit === "now" ? text("age.now") : text(`age.${unit}`, { n });
}

export function lastingText(fromMs: number, toMs = businessTime()): string {
  const { days, hours, minutes } = lasting(fromMs, toMs);
  if (days) return text("lasting.days", { days, hours });
  if (hours) return text("lasting.hours", { hours, minutes: String(minutes).padStart(2, "0") });
  return text("lasting.minutes", { minutes });
}

export function moment(atMs: number): string {
  return momentText(atMs, businessTime(), zone(), locale());
}

export function exactly(atMs: number): string {
  return exactText(atMs, zone(), locale());
}

export function price(money: Money): string {
  return moneyText(money, locale());
}

/** A per-mille as a whole percentage; never '100 %' or '0 %' unless it is. */
export function percent(perMille: number): number {
  if (perMille <= 0) return 0;
  if (perMille >= 1_000) return 100;
  return Math.min(99, Math.max(1, Math.round(perMille / 10)));
}

export function bays(n: number): string {
  return counted("count.bays", n);
}

export { inLanguage };
