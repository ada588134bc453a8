/** Functions of lanes: what they may be, by the rules of `signals/rules/what_if/lane_functions.py`. */
import type { Approach, Functions, Way } from "./types";

export type Fault = "idle" | "unserved" | "crossing" | "too_many" | "u_turn";

export function same(one: Way, other: Way): boolean {
  return one.turn === other.turn && one.to_road === other.to_road;
}

export function serves(lane: readonly Way[], way: Way): boolean {
  return lane.some((each) => same(each, way));
}

/** Give a lane one way more, or one less. */
export function toggled(functions: Functions, lane: number, way: Way): Way[][] {
  return functions.map((ways, i) =>
    i !== lane ? [...ways] : serves(ways, way) ? ways.filter((each) => !same(each, way)) : [...ways, { turn: way.turn, to_road: way.to_road }],
  );
}

export function changed(approach: Approach, functions: Functions): boolean {
  return functions.some((lane, i) => {
    const now = approach.functions[i] ?? [];
    return lane.length !== now.length || lane.some((way) => !serves(now, way));
  });
}

/** What is wrong with an approach's functions; null where lanes can have them. */
export function faultOf(approach: Approach, functions: Functions): Fault | null {
  if (functions.some((lane) => lane.length === 0)) return "idle";
  const ordered = approach.ways.filter((way) => way.turn !== "u_turn");
  for (const way of approach.ways) {
    const lanes = functions.filter((lane) => serves(lane, way)).length;
    if (lanes === 0) return "unserved";
    if (lanes > way.most_lanes) return "too_many";
  }
  if (functions.slice(0, -1).some((lane) => lane.some((way) => way.turn === "u_turn"))) return "u_turn";
  let reached = 0;
  for (const lane of functions) {
    const places = lane.filter((way) => way.turn !== "u_turn").map((way) => ordered.findIndex((each) => same(each, way)));
    if (places.length && Math.min(...places) < reached) return "crossing";
    reached = Math.max(reached, ...places);
  }
  return null;
}
