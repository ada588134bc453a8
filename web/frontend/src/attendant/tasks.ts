/** What an attendant should do next, the most urgent first. Pure. */
import type { BayState } from "../glyphs/shapes";

export interface TaskStay {
  readonly id: string;
  readonly bayId: string;
  readonly bayLabel: string;
  readonly openedMs: number;
  readonly hasPlate: boolean;
}

export interface TaskBay {
  readonly id: string;
  readonly label: string;
  readonly state: BayState;
  readonly heardMs: number | null;
}

export interface TaskBill {
  readonly id: string;
  readonly issuedMs: number;
}

export type Task =
  | { readonly kind: "plate"; readonly bayId: string; readonly stayId: string; readonly label: string; readonly sinceMs: number }
  | { readonly kind: "collect"; readonly billId: string; readonly sinceMs: number }
  | { readonly kind: "look"; readonly bayId: string; readonly label: string; readonly sinceMs: number | null };

/** A stay younger than this may still be somebody turning round. */
export const SETTLED_MS = 60_000;

/**
 * First the plates that are missing (the longest stay first: it may leave soonest), then bills of
 * the last day that nobody paid (the newest first: the driver may still be near), then bays that
 * no sensor speaks for.
 */
export function tasks(
  stays: readonly TaskStay[],
  bills: readonly TaskBill[],
  bays: readonly TaskBay[],
  nowMs: number,
): Task[] {
  const plates = stays
    .filter((stay) => !stay.hasPlate && nowMs - stay.openedMs >= SETTLED_MS)
    .sort((a, b) => a.openedMs - b.openedMs)
    .map(
      (stay): Task => ({
        kind: "plate",
        bayId: stay.bayId,
        stayId: stay.id,
        label: stay.bayLabel,
        sinceMs: stay.openedMs,
      }),
    );
  const owing = [...bills]
    .filter((bill) => nowMs - bill.issuedMs < 24 * 3_600_000)
    .sort((a, b) => b.issuedMs - a.issuedMs)
    .map((bill): Task => ({ kind: "collect", billId: bill.id, sinceMs: bill.issuedMs }));
  const silent = bays
    .filter((bay) => bay.state === "unknown")
    .sort((a, b) => (a.heardMs ?? 0) - (b.heardMs ?? 0))
    .map(
      (bay): Task => ({ kind: "look", bayId: bay.id, label: bay.label, sinceMs: bay.heardMs }),
    );
  return [...plates, ...owing, ...silent];
}

/** The first few, and among them the newest bill: its driver may be standing here. */
export function foremost(all: readonly Task[], most: number): Task[] {
  const first = all.slice(0, most);
  const bill = all.find((task) => task.kind === "collect");
  if (bill && !first.includes(bill)) first[most - 1] = bill;
  return first;
}

/** Whether money is still owed on a bill. */
export function isOwing(bill: { readonly state: string }): boolean {
  return bill.state === "open";
}
