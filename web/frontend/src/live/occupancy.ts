/** What is known of every bay in view: a snapshot, then changes. No browser in it. */
import type { BayState } from "../glyphs/shapes";

/** `[bay_id, facility_id, longitude, latitude, state, since_ms, sure, heard_ms, provisional]` */
export type LiveRow = readonly [
  string,
  string,
  number,
  number,
  BayState,
  number | null,
  number,
  number | null,
  boolean | number,
];

export interface LiveBay {
  readonly id: string;
  readonly facilityId: string;
  readonly longitude: number;
  readonly latitude: number;
  readonly state: BayState;
  readonly sinceMs: number | null;
  /** Per mille. */
  readonly sure: number;
  readonly heardMs: number | null;
  readonly provisional: boolean;
}

export interface Counts {
  free: number;
  occupied: number;
  unknown: number;
}

export function noCounts(): Counts {
  return { free: 0, occupied: 0, unknown: 0 };
}

export function total(counts: Counts): number {
  return counts.free + counts.occupied + counts.unknown;
}

/** The feed writes ids as 32 hex digits, the API as a UUID: the page speaks UUID. */
export function uuid(hex: string): string {
  if (hex.length !== 32) return hex;
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  );
}

export function bayOf(row: LiveRow): LiveBay {
  return {
    id: uuid(row[0]),
    facilityId: uuid(row[1]),
    longitude: row[2],
    latitude: row[3],
    state: row[4],
    sinceMs: row[5],
    sure: row[6],
    heardMs: row[7],
    provisional: Boolean(row[8]),
  };
}

export class Occupancy {
  readonly bays = new Map<string, LiveBay>();
  private readonly facilities = new Map<string, Counts>();

  /** Take a snapshot's rows; `fresh` forgets what was known before it. */
  snapshot(rows: readonly LiveRow[], fresh: boolean): void {
    if (fresh) {
      this.bays.clear();
      this.facilities.clear();
    }
    for (const row of rows) this.set(bayOf(row));
  }

  /** Take one change and tell what was known before it. */
  change(row: LiveRow): { before: LiveBay | null; after: LiveBay } {
    const after = bayOf(row);
    const before = this.bays.get(after.id) ?? null;
    this.set(after);
    return { before, after };
  }

  counts(facilityId: string): Counts | null {
    return this.facilities.get(facilityId) ?? null;
  }

  private set(bay: LiveBay): void {
    const before = this.bays.get(bay.id);
    if (before) this.add(before, -1);
    this.bays.set(bay.id, bay);
    this.add(bay, 1);
  }

  private add(bay: LiveBay, by: 1 | -1): void {
    let counts = this.facilities.get(bay.facilityId);
    if (!counts) {
      counts = noCounts();
      this.facilities.set(bay.facilityId, counts);
    }
    counts[bay.state] += by;
  }
}

export interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

/** A box grown by a share of its size on every side. */
export function grown(box: Box, share: number): Box {
  const dx = (box.east - box.west) * share;
  const dy = (box.north - box.south) * share;
  return {
    west: Math.max(-180, box.west - dx),
    south: Math.max(-90, box.south - dy),
    east: Math.min(180, box.east + dx),
    north: Math.min(90, box.north + dy),
  };
}

export function holds(outer: Box, inner: Box): boolean {
  return (
    outer.west <= inner.west &&
    outer.south <= inner.south &&
    outer.east >= inner.east &&
    outer.north >= inner.north
  );
}

/** The smallest box around positions; null around none. */
export function boxAround(positions: Iterable<readonly [number, number]>): Box | null {
  let box: Box | null = null;
  for (const [x, y] of positions) {
    box = box
      ? {
          west: Math.min(box.west, x),
          south: Math.min(box.south, y),
          east: Math.max(box.east, x),
          north: Math.max(box.north, y),
        }
      : { west: x, south: y, east: x, north: y };
  }
  return box;
}

/** Farther from the middle than this, in degrees, is no part of the same town. */
const SAME_TOWN_DEGREES = 0.25;

/** The positions around their middle (medians): a place put down wrongly, far away, moves no map. */
export function sameTown(positions: readonly (readonly [number, number])[]): (readonly [number, number])[] {
  const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
  const x = median(positions.map((each) => each[0]));
  const y = median(positions.map((each) => each[1]));
  return positions.filter((each) => Math.abs(each[0] - x) <= SAME_TOWN_DEGREES && Math.abs(each[1] - y) <= SAME_TOWN_DEGREES);
}

export function boxText(box: Box): string {
  return [box.west, box.south, box.east, box.north].map((n) => n.toFixed(5)).join(",");
}

/** Widths in whole per mille that add up to 1 000 exactly (largest remainder); all 0 for none. */
export function shares(parts: readonly number[]): number[] {
  const sum = parts.reduce((a, b) => a + b, 0);
  if (sum <= 0) return parts.map(() => 0);
  const exact = parts.map((part) => (part * 1_000) / sum);
  const whole = exact.map(Math.floor);
  let left = 1_000 - whole.reduce((a, b) => a + b, 0);
  const order = exact
    .map((value, index) => ({ index, rest: value - Math.floor(value) }))
    .sort((a, b) => b.rest - a.rest || a.index - b.index);
  for (const { index } of order) {
    if (left <= 0) break;
    whole[index] = (whole[index] ?? 0) + 1;
    left -= 1;
  }
  return whole;
}
