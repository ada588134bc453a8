/** Money is an integer of minor units and a currency: no floating point on its way. */
export interface Money {
  readonly minor: number;
  readonly currency: string;
}

/** Digits after the point of a currency (CNY 2, JPY 0), as ISO 4217 has them. */
export function minorDigits(currency: string): number {
  return new Intl.NumberFormat("en", { style: "currency", currency }).resolvedOptions()
    .maximumFractionDigits ?? 2;
}

/** '¥12.50' in both languages. */
export function moneyText(money: Money, locale: string): string {
  const digits = minorDigits(money.currency);
  return new Intl.NumberFormat(locale, {
    style: "currency",
    currency: money.currency,
    currencyDisplay: "narrowSymbol",
  }).format(money.minor / 10 ** digits);
}

/**
 * Minor units from what a person typed ('20', '7.5', '¥ 7.50'); null where it is no amount.
 * Works on the digits, so that 0.29 yuan is 29 fen.
 */
export function parseAmount(typed: string, currency: string): number | null {
  const digits = minorDigits(currency);
  const match = /^\s*[¥￥]?\s*(\d{1,9})(?:\.(\d*))?\s*$/.exec(typed);
  if (!match) return null;
  const fraction = match[2] ?? "";
  if (fraction.length > digits) return null;
  return Number(match[1] + fraction.padEnd(digits, "0"));
}

/** What to hand back; null while the tendered money does not cover what is due. */
export function change(due: Money, tenderedMinor: number): Money | null {
  if (tenderedMinor < due.minor) return null;
  return { minor: tenderedMinor - due.minor, currency: due.currency };
}

/**
 * Notes a driver would plausibly hand over: the exact amount first, then each note that covers it
 * and the next sum of the largest. Yuan notes; for another currency the exact amount alone.
 */
export function likelyTenders(due: Money): number[] {
  if (due.currency !== "CNY") return [due.minor];
  const notes = [500, 1_000, 2_000, 5_000, 10_000];
  const sums = new Set<number>([due.minor]);
  for (const note of notes) {
    const covering = Math.ceil(due.minor / note) * note;
    if (covering < due.minor + note && covering / note <= 3) sums.add(covering);
  }
  const above = [...sums].sort((a, b) => a - b);
  if (due.minor > 10_000) above.push(Math.ceil(due.minor / 10_000) * 10_000);
  return [...new Set(above)].slice(0, 5);
}
