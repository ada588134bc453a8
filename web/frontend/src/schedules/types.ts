/** What the schedules' routes answer, and a schedule as its document has it. */
import type { components } from "../api/schema";

type Schemas = components["schemas"];

export type Schedule = Schemas["SignalScheduleOut"];
export type ScheduleDetail = Schemas["SignalScheduleDetailOut"];
export type ScheduleDate = Schemas["ScheduleDateOut"];
export type Counts = Schemas["SignalCountsOut"];
export type Imported = Schemas["SignalCountsImportedOut"];

export interface Stretch {
  readonly from: string;
  readonly until: string;
  readonly mode: "plan" | "in_force" | "flashing_yellow" | "unknown";
  readonly plan: string | null;
  readonly delay_s: number | null;
  readonly delay_in_force_s: number | null;
}

export interface Day {
  readonly name: string;
  readonly base: string;
  readonly exception: string | null;
  readonly demand_vph: readonly (number | null)[];
  readonly stretches: readonly Stretch[];
}

export interface ScheduleDocument {
  readonly day_types: readonly { readonly name: string; readonly counted_days: number; readonly unlike: readonly string[] }[];
  readonly days: readonly Day[];
  readonly plans: readonly { readonly name: string; readonly in_force: boolean; readonly cycle_s: number }[];
}
