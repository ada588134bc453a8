/** A post as it is with what was done here and the city has not told back yet. Pure. */
import type { Bill, Session } from "../api/types";
import { doneAtMs, type KeptAct } from "./acts";

const MINUTE_MS = 60_000;

export interface Laid {
  /** Open stays by bay. */
  readonly stays: ReadonlyMap<string, Session>;
  readonly bills: readonly Bill[];
  /** Bays about which something waits to be sent. */
  readonly waiting: ReadonlySet<string>;
}

export interface KnownBay {
  readonly id: string;
  readonly label: string;
}

/** A stay that this device began: nobody else knows it yet. */
function begun(act: KeptAct, bay: KnownBay, facilityId: string): Session {
  const at = new Date(doneAtMs(act)).toISOString();
  return {
    id: act.id,
    bay_id: bay.id,
    bay_label: bay.label,
    facility_id: facilityId,
    state: "open",
    opened_at: at,
    closed_at: null,
    closing_reason: null,
    uncertain_from_at: null,
    plate: null,
    attached_at: at,
    bill_id: null,
    hold: null,
    set_aside: null,
    exempt: null,
    part_of: null,
    part_kind: null,
    planned_until_at: null,
    paid_until_at: null,
  };
}

export function laid(
  facilityId: string,
  bays: readonly KnownBay[],
  stays: ReadonlyMap<string, Session>,
  bills: readonly Bill[],
  acts: readonly KeptAct[],
): Laid {
  if (acts.length === 0) return { stays, bills, waiting: new Set() };
  const now = new Map(stays);
  const paid = new Set<string>();
  const waiting = new Set<string>();
  for (const act of acts) {
    const { wanted } = act;
    // Nothing more is asked for here of who paid, or drove off.
    if ((wanted.kind === "cash" || wanted.kind === "escape") && wanted.bill_id) paid.add(wanted.bill_id);
    const bay = bays.find(({ id }) => id === wanted.bay_id);
    if (!bay) continue;
    waiting.add(bay.id);
    const stay = now.get(bay.id);
    switch (wanted.kind) {
      case "plate": {
        const plate = { text: wanted.plate ?? "", kind: wanted.plate_kind ?? "unknown" } as Session["plate"];
        now.set(bay.id, { ...(stay ?? begun(act, bay, facilityId)), plate });
        break;
      }
      case "end":
      case "escape":
        now.delete(bay.id);
        break;
      case "swap": {
        const plate = { text: wanted.plate ?? "", kind: wanted.plate_kind ?? "unknown" } as Session["plate"];
        now.set(bay.id, { ...begun(act, bay, facilityId), plate });
        break;
      }
      case "split": {
        const cameAt = new Date(doneAtMs(act) - (wanted.minutes_before ?? 0) * MINUTE_MS).toISOString();
        const plate = wanted.vehicle_left === false ? (stay?.plate ?? null) : null;
        now.set(bay.id, { ...begun(act, bay, facilityId), opened_at: cameAt, plate });
        break;
      }
      case "join": {
        const whole = now.get(wanted.to_bay_id ?? "");
        if (stay && whole) now.set(bay.id, { ...stay, part_of: whole.id });
        break;
      }
      case "ahead": {
        const paidUntilAt = new Date(doneAtMs(act) + (wanted.minutes_ahead ?? 0) * MINUTE_MS).toISOString();
        if (stay) now.set(bay.id, { ...stay, paid_until_at: paidUntilAt });
        break;
      }
      case "set-aside":
        if (stay) now.set(bay.id, { ...stay, set_aside: wanted.what ?? "other" });
        break;
      case "exempt":
        if (stay) now.set(bay.id, { ...stay, exempt: wanted.exempt ?? "other" });
        break;
      case "move": {
        const other = bays.find(({ id }) => id === wanted.to_bay_id);
        const there = other && now.get(other.id);
        if (!stay || !other || !there) break;
        waiting.add(other.id);
        // The vehicle goes with its stay's name; what stands in the first bay is unnamed again.
        now.set(other.id, { ...there, plate: stay.plate });
        now.set(bay.id, { ...stay, plate: null });
        break;
      }
      default:
    }
  }
  return { stays: now, bills: bills.filter(({ id }) => !paid.has(id)), waiting };
}
