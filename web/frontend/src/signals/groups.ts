/** A signal group in words: where its traffic comes from, where it may go, on what. */
import { read } from "../api/client";
import { named, text } from "../shell/text";
import type { Model, Movement, Point, SignalDetail } from "./types";

export const WINDS = ["n", "ne", "e", "se", "s", "sw", "w", "nw"] as const;
export type Wind = (typeof WINDS)[number];
const KINDS = ["vehicle", "bicycle", "pedestrian"];
/** From the middle of the road to the kerb, as signs show them. */
const TURNS = ["u_turn", "left", "partial_left", "straight", "partial_right", "right", "crossing"];

/** What a group releases, from one side, for one kind of people. */
export interface Released {
  readonly wind: Wind;
  readonly kind: string;
  readonly turns: readonly string[];
}

/** The side of the compass that lies nearest to a bearing. */
export function windOf(bearingDeg: number): Wind {
  return WINDS[Math.round(bearingDeg / 45) % WINDS.length] ?? "n";
}

function bearingDeg([fromX, fromY]: Point, [toX, toY]: Point): number {
  return ((Math.atan2(toX - fromX, toY - fromY) * 180) / Math.PI + 360) % 360;
}

/** Every group of the model's junction with what it releases; with nothing where no way is drawn. */
export function releasedBy(model: Model): Map<string, Released[]> {
  const junction = model.junctions[0];
  const lanes = new Map(model.roads.flatMap((road) => road.lanes.map((lane) => [lane.name, lane.shape] as const)));
  const found = new Map<string, Released[]>((junction?.groups ?? []).map((group) => [group.name, []]));
  const middle = middleOf((junction?.movements ?? []).filter((each) => each.kind !== "pedestrian").flatMap(waysOf));
  for (const movement of junction?.movements ?? []) {
    const wind = windFrom(movement, lanes.get(movement.from_lane) ?? [], middle);
    const mine = found.get(movement.group);
    if (!wind || !mine) continue;
    const known = mine.findIndex((each) => each.wind === wind && each.kind === movement.kind);
    const turns = known < 0 ? [] : (mine[known]?.turns ?? []);
    const more = { wind, kind: movement.kind, turns: [...new Set([...turns, movement.turn])].sort(byTurn) };
    if (known < 0) mine.push(more);
    else mine[known] = more;
  }
  return found;
}

function byTurn(one: string, other: string): number {
  return TURNS.indexOf(one) - TURNS.indexOf(other);
}

function waysOf(movement: Movement): readonly Point[] {
  return movement.path.flatMap((piece) => piece.shape);
}

function middleOf(points: readonly Point[]): Point | null {
  if (!points.length) return null;
  const sum = points.reduce<Point>(([x, y], [atX, atY]) => [x + atX, y + atY], [0, 0]);
  return [sum[0] / points.length, sum[1] / points.length];
}

/** Drivers come along their lane; a crossing lies across an arm, seen from the junction's middle. */
function windFrom(movement: Movement, lane: readonly Point[], middle: Point | null): Wind | null {
  if (movement.kind === "pedestrian") {
    const at = middleOf(waysOf(movement));
    return at && middle ? windOf(bearingDeg(middle, at)) : null;
  }
  const [before, last] = lane.slice(-2);
  return before && last ? windOf(bearingDeg(last, before)) : null;
}

function releasedWords(each: Released): string {
  if (each.kind === "pedestrian") return text(`signals.crossing_${each.wind}`);
  const turns = each.turns.map((turn) => named("studies.turn", turn)).join("/");
  const words = `${text(`studies.from_${each.wind}`)} ${turns}`;
  return each.kind === "bicycle" ? `${words} · ${text("signals.bicycles")}` : words;
}

/** A junction's groups in words; one that nothing is drawn for keeps its own name. */
export class GroupWords {
  private readonly words = new Map<string, string>();

  constructor(model: Model | null) {
    for (const [name, released] of model ? releasedBy(model) : []) {
      const parts = [...released].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
      if (parts.length) this.words.set(name, parts.map(releasedWords).join(" + "));
    }
  }

  of(name: string): string {
    return this.words.get(name) ?? name;
  }

  /** Each once, also where several groups, one a lane, say the same. */
  list(names: readonly string[]): string {
    return [...new Set(names.map((name) => this.of(name)))].join(", ");
  }
}

/** The words of a junction's groups by its address; their controller's own names where its model cannot be had. */
export async function groupWords(address: string): Promise<GroupWords> {
  const detail = await read<SignalDetail>(address).catch(() => null);
  return new GroupWords(detail?.model ?? null);
}
