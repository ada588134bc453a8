/** Figures in words: shares, rates, durations; a dash where there is nothing to divide by. */
import type { FigureLine } from "../api/types";
import { price } from "../format/words";
import { locale, text } from "../shell/text";

export const NONE = "–";

export function share(value: number | null): string {
  if (value === null) return NONE;
  const digits = value > 0 && value < 0.1 ? 1 : 0;
  return new Intl.NumberFormat(locale(), {
    style: "percent",
    maximumFractionDigits: digits,
  }).format(value);
}

export function rate(value: number | null): string {
  if (value === null) return NONE;
  return new Intl.NumberFormat(locale(), {
    minimumFractionDigits: 1,
    maximumFractionDigits: 1,
  }).format(value);
}

/** Seconds as people say them: '48 s', '12 min', '1 h 05 min'. */
export function duration(seconds: number | null): string {
  if (seconds === null) return NONE;
  if (seconds < 90) return text("figures.seconds", { n: Math.round(seconds) });
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return text("lasting.minutes", { minutes });
  return text("lasting.hours", {
    hours: Math.floor(minutes / 60),
    minutes: String(minutes % 60).padStart(2, "0"),
  });
}

type Sums = Pick<FigureLine, "money">;

export function revenue(line: Sums): string {
  const earned = line.money.flatMap((each) => each.revenue_per_bay_day ?? []);
  return earned.length ? earned.map(price).join(" · ") : NONE;
}

export function due(line: Sums): string {
  return line.money.length ? line.money.map((each) => price(each.due)).join(" · ") : NONE;
}

export function received(line: Sums): string {
  return line.money.length ? line.money.map((each) => price(each.received)).join(" · ") : NONE;
}

/** One share where there is one currency; several are never mixed into one. */
export function collected(line: Sums): string {
  return line.money.length
    ? line.money.map((each) => share(each.collected_share)).join(" · ")
    : NONE;
}

export function recovered(line: Sums): string {
  return line.money.length
    ? line.money.map((each) => share(each.recovered_share)).join(" · ")
    : NONE;
}
