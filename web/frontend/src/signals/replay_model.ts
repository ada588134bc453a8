/** A replay's numbers: where each vehicle is when, which way it points, and what lamps show. */

export type Side = "before" | "after";

interface Run {
  readonly vehicles: readonly (readonly number[])[];
  readonly lamps: Readonly<Record<string, readonly (readonly [number, string])[]>>;
}

export interface ReplayDocument {
  readonly from_s: number;
  readonly until_s: number;
  readonly lanes: readonly (readonly [number, readonly number[]])[];
  readonly heads: Readonly<Record<string, readonly (readonly [number, readonly number[]])[]>>;
  readonly before: Run;
  readonly after: Run;
}

export interface Track {
  readonly from: number;
  readonly x: Float32Array;
  readonly y: Float32Array;
  /** Radians; kept while it stands. */
  readonly heading: Float32Array;
}

export interface Seen {
  readonly x: number;
  readonly y: number;
  readonly heading: number;
  readonly stands: boolean;
}

export interface Box {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
}

const DM = 10;
/** Slower counts as standing: metres a second. */
const STANDS_MPS = 0.5;

/** Give a vehicle's way in metres from its packed row: first second, x, y, then steps. */
export function trackOf(row: readonly number[]): Track {
  const seconds = Math.max((row.length - 1) / 2, 0);
  const x = new Float32Array(seconds);
  const y = new Float32Array(seconds);
  const heading = new Float32Array(seconds);
  let [atX, atY] = [0, 0];
  for (let second = 0; second < seconds; second += 1) {
    atX += row[1 + 2 * second] ?? 0;
    atY += row[2 + 2 * second] ?? 0;
    x[second] = atX / DM;
    y[second] = atY / DM;
  }
  let known: number | null = null;
  for (let second = 0; second < seconds; second += 1) {
    const next = Math.min(second + 1, seconds - 1);
    const [dx, dy] = [(x[next] ?? 0) - (x[second] ?? 0), (y[next] ?? 0) - (y[second] ?? 0)];
    if (Math.hypot(dx, dy) > 0.2) {
      const now = Math.atan2(dy, dx);
      if (known === null) heading.fill(now, 0, second);
      known = now;
    }
    heading[second] = known ?? 0;
  }
  return { from: row[0] ?? 0, x, y, heading };
}

/** Give where a vehicle is at an instant; null where it is not on the road. */
export function seenAt(track: Track, atS: number): Seen | null {
  const since = atS - track.from;
  const second = Math.floor(since);
  if (since < 0 || second >= track.x.length) return null;
  const next = Math.min(second + 1, track.x.length - 1);
  const share = since - second;
  const [x0, y0] = [track.x[second] ?? 0, track.y[second] ?? 0];
  const [dx, dy] = [(track.x[next] ?? 0) - x0, (track.y[next] ?? 0) - y0];
  return {
    x: x0 + dx * share,
    y: y0 + dy * share,
    heading: track.heading[second] ?? 0,
    stands: Math.hypot(dx, dy) < STANDS_MPS,
  };
}

/** Give what a signal shows at an instant, a letter a group. */
export function shownAt(states: readonly (readonly [number, string])[], atS: number): string {
  let shown = "";
  for (const [from, state] of states) {
    if (from > atS && shown) break;
    shown = state;
  }
  return shown;
}

export function inside(box: Box, x: number, y: number): boolean {
  return x >= box.left && x <= box.right && y >= box.bottom && y <= box.top;
}

/** Tell whether some of a line's decimetres may lie within a box. */
export function reaches(box: Box, line: readonly number[]): boolean {
  const xs = line.filter((_, i) => i % 2 === 0).map((each) => each / DM);
  const ys = line.filter((_, i) => i % 2 === 1).map((each) => each / DM);
  return Math.max(...xs) >= box.left && Math.min(...xs) <= box.right && Math.max(...ys) >= box.bottom && Math.min(...ys) <= box.top;
}

/** Give how many vehicles are within a box, and how many of them stand. */
export function countedAt(tracks: readonly Track[], atS: number, box: Box): { there: number; standing: number } {
  let [there, standing] = [0, 0];
  for (const track of tracks) {
    const seen = seenAt(track, atS);
    if (!seen || !inside(box, seen.x, seen.y)) continue;
    there += 1;
    if (seen.stands) standing += 1;
  }
  return { there, standing };
}

export type Lamp = "go" | "change" | "stop" | "dark";

/** Give what a lamp's letter means for who waits there; flashing counts as what it ends. */
export function lampOf(letter: string): Lamp {
  if ("GgFf".includes(letter)) return "go";
  if ("yYuo".includes(letter)) return "change";
  return letter === "O" ? "dark" : "stop";
}
