/**
 * In which order to go to what calls: a walk on which little is lost by waiting. Pure.
 *
 * Each stop loses its weight for every minute that nobody is there, so the order sought is the one
 * with the least sum of weight × minutes until reached (the weighted travelling repairman's tour).
 * A start by cheapest insertion is bettered by moving one stop and by turning a stretch round until
 * neither helps; so it is never worse than the stops in the order given, nor than going to the
 * nearest next.
 */

export interface Point {
  readonly longitude: number;
  readonly latitude: number;
}

export interface Stop extends Point {
  readonly id: string;
  /** Which of the facilities it is at; -1 where none is known. */
  readonly facility: number;
  /** What a minute of waiting loses, against the other stops. */
  readonly weight: number;
}

/** Facilities and how far they lie apart on foot, along the streets. */
export interface Ground {
  readonly facilities: readonly Point[];
  readonly walksM: readonly (readonly number[])[];
}

export interface Leg {
  readonly id: string;
  /** Walked to here from the start. */
  readonly metres: number;
  readonly minutes: number;
}

const WALK_M_PER_MIN = 72;
/** What is done at a stop takes so long: a plate, a look. */
export const STOP_MIN = 1;
const DETOUR = 1.3;
/** Beyond that streets lead nowhere near: whoever measured them missed a way. */
const MOST_DETOUR = 6;
/** So many stops are ordered with care; whatever is left follows from the nearest to the next. */
export const MOST_ORDERED = 40;
const MOST_TRIES = 40_000;

export function straightM(a: Point, b: Point): number {
  const northM = (a.latitude - b.latitude) * 111_195;
  const eastM = (a.longitude - b.longitude) * 111_195 * Math.cos(((a.latitude + b.latitude) / 2) * (Math.PI / 180));
  return Math.hypot(northM, eastM);
}

/**
 * How far it is on foot between two places: along one kerb straight, between two as much longer than
 * the straight line as the streets between their facilities are.
 */
export function walkM(a: Point & { readonly facility: number }, b: Point & { readonly facility: number }, ground: Ground): number {
  const straight = straightM(a, b);
  if (a.facility >= 0 && a.facility === b.facility) return straight;
  const [from, to] = [ground.facilities[a.facility], ground.facilities[b.facility]];
  const walk = ground.walksM[a.facility]?.[b.facility];
  if (!from || !to || walk === undefined) return straight * DETOUR;
  const apart = straightM(from, to);
  const factor = apart > 1 ? Math.min(MOST_DETOUR, Math.max(1, walk / apart)) : DETOUR;
  return straight * factor;
}

interface Table {
  readonly n: number;
  /** Minutes from the start (row n) and from each stop to each stop. */
  readonly min: readonly (readonly number[])[];
  readonly weight: readonly number[];
}

function table(from: Point, stops: readonly Stop[], ground: Ground): Table {
  const start = { ...from, facility: nearestFacility(from, ground) };
  const rows = [...stops, start].map((a) => stops.map((b) => walkM(a, b, ground) / WALK_M_PER_MIN));
  return { n: stops.length, min: rows, weight: stops.map((stop) => stop.weight) };
}

function nearestFacility(at: Point, ground: Ground): number {
  let best = -1;
  let bestM = 150;
  ground.facilities.forEach((place, index) => {
    const m = straightM(at, place);
    if (m < bestM) [best, bestM] = [index, m];
  });
  return best;
}

/** What an order loses: weight × minutes until each stop is reached. */
function lossOf(order: readonly number[], { n, min, weight }: Table): number {
  let [at, minutes, loss] = [n, 0, 0];
  for (const next of order) {
    minutes += min[at]?.[next] ?? 0;
    loss += (weight[next] ?? 0) * minutes;
    minutes += STOP_MIN;
    at = next;
  }
  return loss;
}

function nearestNext(known: Table, left: Iterable<number>, from: number): number[] {
  const rest = new Set(left);
  const order: number[] = [];
  let at = from;
  while (rest.size > 0) {
    let best = -1;
    for (const next of rest) {
      if (best < 0 || (known.min[at]?.[next] ?? 0) < (known.min[at]?.[best] ?? 0)) best = next;
    }
    order.push(best);
    rest.delete(best);
    at = best;
  }
  return order;
}

/** Put each stop, the weightiest first, where the order loses least. */
function inserted(known: Table): number[] {
  const byWeight = [...known.weight.keys()].sort((a, b) => (known.weight[b] ?? 0) - (known.weight[a] ?? 0) || a - b);
  let order: number[] = [];
  for (const stop of byWeight) {
    let best: number[] = [];
    let least = Infinity;
    for (let at = 0; at <= order.length; at += 1) {
      const tried = [...order.slice(0, at), stop, ...order.slice(at)];
      const loss = lossOf(tried, known);
      if (loss < least) [best, least] = [tried, loss];
    }
    order = best;
  }
  return order;
}

/**
 * Move one stop elsewhere or turn a stretch round wherever that helps, until nothing does or enough
 * was tried: a handheld must answer at once.
 */
function bettered(start: readonly number[], known: Table): number[] {
  let order = [...start];
  let least = lossOf(order, known);
  let tries = 0;
  const take = (tried: number[]): boolean => {
    tries += 1;
    const loss = lossOf(tried, known);
    if (loss >= least - 1e-9) return false;
    [order, least] = [tried, loss];
    return true;
  };
  for (let helped = true; helped && tries < MOST_TRIES; ) {
    helped = false;
    for (let i = 0; i < order.length; i += 1) {
      for (let j = 0; j < order.length && tries < MOST_TRIES; j += 1) {
        if (j === i) continue;
        const without = [...order.slice(0, i), ...order.slice(i + 1)];
        if (take([...without.slice(0, j), order[i] as number, ...without.slice(j)])) helped = true;
        if (j > i + 1 && take([...order.slice(0, i), ...order.slice(i, j + 1).reverse(), ...order.slice(j + 1)])) helped = true;
      }
    }
  }
  return order;
}

/** Order stops for somebody who stands at a place; each with what was walked by then. */
export function walk(from: Point, stops: readonly Stop[], ground: Ground): Leg[] {
  const known = table(from, stops, ground);
  const ranked = [...stops.keys()].sort(
    (a, b) => (known.weight[b] ?? 0) - (known.weight[a] ?? 0) || (known.min[known.n]?.[a] ?? 0) - (known.min[known.n]?.[b] ?? 0),
  );
  const [careful, rest] = [ranked.slice(0, MOST_ORDERED).sort((a, b) => a - b), ranked.slice(MOST_ORDERED)];
  const chosen = careful.map((index) => stops[index] as Stop);
  const near = table(from, chosen, ground);
  let order = [inserted(near), nearestNext(near, near.weight.keys(), near.n), [...near.weight.keys()]].reduce((a, b) =>
    lossOf(b, near) < lossOf(a, near) ? b : a,
  );
  order = bettered(order, near);
  const all = order.map((index) => careful[index] as number);
  return legs([...all, ...nearestNext(known, rest, all.at(-1) ?? known.n)], stops, known);
}

function legs(order: readonly number[], stops: readonly Stop[], known: Table): Leg[] {
  let [at, metres, minutes] = [known.n, 0, 0];
  return order.map((next) => {
    const leg = known.min[at]?.[next] ?? 0;
    metres += leg * WALK_M_PER_MIN;
    minutes += leg;
    at = next;
    const reached = { id: (stops[next] as Stop).id, metres, minutes };
    minutes += STOP_MIN;
    return reached;
  });
}

/** What an order of stops loses, as `walk` counts it: for whoever would go another way. */
export function lossOfWalk(from: Point, order: readonly Stop[], ground: Ground): number {
  return lossOf([...order.keys()], table(from, order, ground));
}
