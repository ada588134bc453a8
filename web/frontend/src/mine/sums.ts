/** What a driver still owes. Pure. */
import type { Bill } from "../api/types";
import type { Money } from "../format/money";

/** The sum of open bills by currency; what is disputed is frozen and not counted. */
export function openAmounts(bills: readonly Pick<Bill, "state" | "amount">[]): Money[] {
  const sums = new Map<string, number>();
  for (const { state, amount } of bills) {
    if (state !== "open" || amount.minor === 0) continue;
    sums.set(amount.currency, (sums.get(amount.currency) ?? 0) + amount.minor);
  }
  return [...sums].map(([currency, minor]) => ({ minor, currency }));
}
