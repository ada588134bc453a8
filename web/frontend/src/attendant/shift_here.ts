/** A shift as it is with what was done here and the city has not heard of yet. Pure. */
import type { MyShift, Shift } from "../api/types";
import { doneAtMs, cashWaiting, type KeptAct } from "../outbox/acts";

export interface ShiftHere extends MyShift {
  /** Counted on this device and not sent: the difference is told when it was. */
  readonly counted: KeptAct | null;
  /** Cash that changed hands here and is not sent. */
  readonly handed: readonly KeptAct[];
  /** Cash in the bag that the city does not know of yet, in minor units. */
  readonly onDevice: number;
}

export const SHIFT_KINDS: ReadonlySet<string> = new Set(["shift-begin", "shift-pause", "shift-resume", "shift-count"]);

function begun(act: KeptAct, mine: MyShift, district: string): Shift {
  return {
    id: act.id,
    holder: act.accountId,
    district,
    place: act.wanted.place ?? "",
    state: "open",
    opened_at: new Date(doneAtMs(act)).toISOString(),
    carried: mine.carried,
    breaks: [],
    counted_at: null,
    counted: null,
    pieces: {},
    expected: null,
    late: { ...mine.carried, minor: 0 },
    difference: null,
    note: "",
    approved_at: null,
    approved_by: null,
    answer: "",
  };
}

/** Lay what waits over what the city said last of one's own shift. */
export function shiftHere(mine: MyShift, waiting: readonly KeptAct[], district: string): ShiftHere {
  let shift = mine.shift;
  let counted: KeptAct | null = null;
  const handed: KeptAct[] = [];
  for (const act of waiting) {
    const at = new Date(doneAtMs(act)).toISOString();
    switch (act.wanted.kind) {
      case "shift-begin":
        shift = begun(act, mine, district);
        counted = null;
        break;
      case "shift-pause":
        if (shift) shift = { ...shift, breaks: [...shift.breaks, { from_at: at, until_at: null }] };
        break;
      case "shift-resume":
        if (shift) shift = { ...shift, breaks: shift.breaks.map((each) => ({ ...each, until_at: each.until_at ?? at })) };
        break;
      case "shift-count":
        counted = act;
        break;
      case "shift-explain":
        if (shift && shift.id === act.wanted.shift_id) shift = { ...shift, note: act.wanted.note ?? "" };
        break;
      case "cash-give":
      case "cash-take":
        handed.push(act);
        break;
      default:
    }
  }
  const taken = new Set(handed.map(({ wanted }) => wanted.move_id));
  const underWay = mine.waiting.filter(({ id }) => !taken.has(id));
  return { ...mine, shift, counted, handed, waiting: underWay, onDevice: cashWaiting(waiting) };
}

/** What was counted, by face value. */
export function countedMinor(pieces: Readonly<Record<string, number>>): number {
  return Object.entries(pieces).reduce((all, [face, number]) => all + Number(face) * number, 0);
}
