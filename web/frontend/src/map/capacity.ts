/** What a facility's count says: the public's bays alone, never mixed with others'. Pure. */
import type { BayState } from "../glyphs/shapes";
import { noCounts, total, type Counts } from "../live/occupancy";

/** A facility's counts as the API last gave them. */
interface Capacity {
  /** Bays on which anybody may park now. */
  readonly counts: Counts & { readonly total: number };
  readonly reserved: { readonly total: number };
  readonly permit: { readonly total: number };
  /** Public bays that may not be used now. */
  readonly closed: number;
}

interface CountedBay {
  readonly id: string;
  readonly usable: boolean;
}

/** Bays of a facility that do not count as free or taken for the public. */
export function apart(facility: Capacity): number {
  return facility.reserved.total + facility.permit.total + facility.closed;
}

/**
 * The public's counts: from the feed where it covers the facility and which of its bays are the
 * public's is known, else the API's last.
 */
export function publicCounts(
  facility: Capacity,
  live: Counts | null,
  bays: readonly CountedBay[] | null,
  stateOf: (bayId: string) => BayState | null,
): Counts {
  const { counts } = facility;
  if (!live || total(live) !== counts.total + apart(facility)) return counts;
  if (apart(facility) === 0) return live;
  const usable = bays?.filter((bay) => bay.usable) ?? [];
  if (usable.length !== counts.total) return counts;
  const found = noCounts();
  for (const bay of usable) found[stateOf(bay.id) ?? "unknown"] += 1;
  return found;
}
