/**
 * What a stay costs that began, or was first named, without a line: read off tables by beginning and
 * end that the city's one engine made (docs/decisions), computed nowhere here. Pure.
 */
import type { FeesByStart } from "../api/types";
import type { Money } from "../format/money";

export interface Told {
  readonly fee: Money;
  /** Whether no other stay of the car changes it. */
  readonly alone: boolean;
}

/** What a stay of a kind of plate comes to that began then and ends now; null where it is not known. */
export function feeByStart(tables: FeesByStart, kind: string, openedMs: number, atMs: number): Told | null {
  const baseS = Date.parse(tables.base_at) / 1_000;
  // As the engine rates: the beginning rounded up to a whole second, the leaving down.
  const startS = Math.ceil(openedMs / 1_000) - baseS;
  const leaveS = Math.max(startS, Math.floor(atMs / 1_000) - baseS);
  if (leaveS > tables.until_s) return null;
  const told = tables.fees.find(({ kinds }) => kinds.includes(kind));
  const piece = told?.pieces.findLast(({ from_s }) => from_s <= startS);
  if (!told || !piece || startS > piece.to_s) return null;
  let minor = 0;
  for (const [moves, at, then] of piece.steps as readonly (readonly [number, number, number])[]) {
    if ((moves ? startS + at : at) > leaveS) break;
    minor = then;
  }
  return { fee: { minor, currency: tables.currency }, alone: told.alone };
}
