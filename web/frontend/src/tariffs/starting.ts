/** The document that a new tariff starts from: one price by the unit, as most cities have it. Pure. */
import { minorDigits } from "../format/money";

export interface Start {
  readonly zh: string;
  readonly en: string;
  readonly currency: string;
  readonly timezone: string;
  /** Of a started unit, in minor units. */
  readonly price_minor: number;
  readonly unit_min: number;
  /** Stays up to this are free; 0: none. */
  readonly free_min: number;
  /** In 24 hours, in minor units; null: none. */
  readonly cap_minor: number | null;
}

export function startingDocument(start: Start): Readonly<Record<string, unknown>> {
  const schedule: Record<string, unknown> = { id: "ordinary" };
  if (start.free_min > 0) {
    schedule["free"] = { up_to_s: start.free_min * 60, when_exceeded: "charged_from_start" };
  }
  schedule["bands"] = [
    {
      id: "all-day",
      name: { zh: "全天", en: "all day" },
      charge: {
        kind: "steps",
        rounding: "started",
        steps: [{ unit_s: start.unit_min * 60, price_minor: start.price_minor }],
      },
    },
  ];
  if (start.cap_minor !== null) schedule["caps"] = [{ per: "24h", minor: start.cap_minor }];
  return {
    language: "greenbay-tariff/1",
    name: { zh: start.zh, en: start.en },
    currency: start.currency,
    timezone: start.timezone,
    // Whose public holidays are meant where the document speaks of them.
    calendar: start.timezone === "Asia/Shanghai" ? "CN" : null,
    schedules: [schedule],
  };
}

/** Minor units of what was typed; the field lets nothing but numbers in. */
export function minorOf(typed: number, currency: string): number {
  return Math.round(typed * 10 ** minorDigits(currency));
}
