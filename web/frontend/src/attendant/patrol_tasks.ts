/** What calls for somebody around here: how urgent it is, and what of it was done on this device. Pure. */
import type { PatrolAnswer, PatrolTask } from "../api/types";
import type { KeptAct } from "../outbox/acts";
import { walk, type Leg, type Point } from "./walk";

/** What somebody says of a task, kept until the city has it. */
export interface Mark {
  readonly task_id: string;
  readonly at: string;
  readonly done: boolean;
  readonly note: string;
}

/** A photo taken on a round, kept until the city has it. */
export interface RoundPhoto {
  readonly id: string;
  readonly taskId: string;
  readonly takenAt: string;
  readonly content: ArrayBuffer;
  /** Why the city will not take it, in its words; it stays here for a person. */
  readonly refused: string | null;
}

/** Kinds that a look ends; the others end with what is done about them. */
export const LOOKED_AT: ReadonlySet<PatrolTask["kind"]> = new Set(["overstay", "signed", "forbidden", "zombie", "sensor", "blocked"]);

/**
 * What a minute of waiting loses, against other tasks.
 *
 * A car whose plate nobody took may drive off any minute, and with it the whole fee. Who has just
 * left is near for some minutes only: half as near every ten. Who owes and stands here goes when
 * they like. Who stands too long keeps standing; a car of days, a device, a blocked bay can wait.
 */
export function urgency(kind: PatrolTask["kind"], ageMin: number): number {
  switch (kind) {
    case "escape":
      return Math.max(0.5, 8 * 2 ** (-ageMin / 10));
    case "plate":
      return 6;
    case "arrears":
      return 5;
    case "unpaid":
    case "overstay":
    case "signed":
      return 3;
    case "forbidden":
      return 4;
    case "blocked":
    case "zombie":
      return 1;
    default:
      return 0.5;
  }
}

/** What still calls, with what was done here and is not known to the city taken off. */
export function standing(
  told: readonly PatrolTask[],
  marks: readonly Mark[],
  acts: readonly KeptAct[],
): PatrolTask[] {
  const done = new Set(marks.filter((mark) => mark.done).map((mark) => mark.task_id));
  const plates = new Set<string>();
  const paid = new Set<string>();
  for (const { wanted, refusal } of acts) {
    if (refusal) continue;
    if (wanted.bay_id && (wanted.kind === "plate" || wanted.kind === "set-aside" || wanted.kind === "end" || wanted.kind === "join")) plates.add(wanted.bay_id);
    if (wanted.bill_id && wanted.kind === "cash") paid.add(wanted.bill_id);
  }
  return told.filter(
    (task) =>
      !done.has(task.id) &&
      !(task.kind === "plate" && plates.has(task.bay_id)) &&
      !(task.bill_id !== null && paid.has(task.bill_id)),
  );
}

/** In the order of a walk from here. */
export function inOrder(answer: PatrolAnswer, tasks: readonly PatrolTask[], from: Point, nowMs: number): Leg[] {
  const places = answer.facilities.map((each) => point(each.position));
  const at = new Map(answer.facilities.map((each, index) => [each.id, index]));
  const stops = tasks.map((task) => ({
    id: task.id,
    ...point(task.position),
    facility: at.get(task.facility_id) ?? -1,
    weight: urgency(task.kind, Math.max(0, nowMs - Date.parse(task.arose_at)) / 60_000),
  }));
  return walk(from, stops, { facilities: places, walksM: answer.walks_m });
}

export function point(position: readonly number[]): Point {
  return { longitude: position[0] ?? 0, latitude: position[1] ?? 0 };
}

/** Marks to be sent: one a task and word, the first one that was seen. */
export function withMark(marks: readonly Mark[], mark: Mark): Mark[] {
  if (marks.some((each) => each.task_id === mark.task_id && each.done === mark.done)) return [...marks];
  return [...marks, mark];
}
