/**
 * The widest band that offsets leave along a street: the rule of `signals/rules/life/bands.py`,
 * here as well so that a dragged offset is answered within a frame. A test holds both to one file
 * of cases.
 */
export type Arc = readonly [beginS: number, lengthS: number];

export interface Band {
  readonly widthS: number;
  readonly beginS: number;
}

export interface StopGreens {
  readonly cycleS: number;
  readonly offsetS: number;
  readonly greens: readonly Arc[];
}

const TINY_S = 1e-9;
const NONE: Band = { widthS: 0, beginS: 0 };

export function modulo(value: number, by: number): number {
  return ((value % by) + by) % by;
}

function leftS([beginS, lengthS]: Arc, atS: number, cycleS: number): number {
  if (lengthS >= cycleS - TINY_S) return cycleS;
  let into = modulo(atS - beginS, cycleS);
  if (into > cycleS - TINY_S) into = 0;
  return Math.max(lengthS - into, 0);
}

/** The widest band through greens, met after the given times from the first signal. */
export function widest(greens: readonly (readonly Arc[])[], reachS: readonly number[], cycleS: number): Band {
  const back = greens.map((arcs, i) =>
    arcs.map(([beginS, lengthS]): Arc => [modulo(beginS - (reachS[i] ?? 0), cycleS), lengthS]),
  );
  const begins = back
    .flat()
    .map(([beginS]) => beginS)
    .sort((a, b) => a - b);
  let best = NONE;
  for (const beginS of begins) {
    const widthS = Math.min(
      ...back.map((arcs) => Math.max(0, ...arcs.map((arc) => leftS(arc, beginS, cycleS)))),
    );
    if (widthS > best.widthS + TINY_S) best = { widthS, beginS };
  }
  return best;
}

/** The cycle in which all repeats: the longest, where the others divide it. */
export function commonCycleS(cyclesS: readonly number[]): number | null {
  const longest = Math.max(...cyclesS);
  const fits = cyclesS.every((cycle) => {
    const times = longest / cycle;
    return Math.abs(times - Math.round(times)) <= TINY_S;
  });
  return fits ? longest : null;
}

/** A stop's greens within the common cycle, by the clock that all share. */
export function shownGreens(stop: StopGreens, cycleS: number): Arc[] {
  if (stop.greens.some(([, lengthS]) => lengthS >= stop.cycleS - TINY_S)) return [[0, cycleS]];
  const times = Math.round(cycleS / stop.cycleS);
  return Array.from({ length: times }, (_, turn) =>
    stop.greens.map(
      ([beginS, lengthS]): Arc => [modulo(beginS + stop.offsetS + turn * stop.cycleS, cycleS), lengthS],
    ),
  ).flat();
}

/** The band along stops, in the order of driving; none where one of them cannot be driven. */
export function bandAlong(
  stops: readonly (StopGreens | null)[],
  reachS: readonly number[],
  cycleS: number,
): Band {
  const greens: Arc[][] = [];
  for (const stop of stops) {
    if (!stop) return NONE;
    greens.push(shownGreens(stop, cycleS));
  }
  return widest(greens, reachS, cycleS);
}
