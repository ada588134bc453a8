/** What was said of a stay, as a story: one entry a word, in the order of its time. Pure. */
import type { Bill, StayEvidence, StayTimeline } from "../api/types";
import { instant } from "../format/time";

/** Where an entry stands: what machines saw on the street, or what people said and did. */
export type Lane = "street" | "people";
/** What spoke; `paper` stands for the bill and its dispute. */
export type Witness = StayEvidence["source"] | "paper";

export interface Entry {
  readonly id: string;
  readonly atMs: number;
  /** When we heard of it; null where that is the same act. */
  readonly heardMs: number | null;
  readonly witness: Witness;
  readonly lane: Lane;
  /** Under which words the catalogue says it: `said.{kind}`. */
  readonly kind: string;
  /** A person changed with it what had been said before. */
  readonly corrects: boolean;
  /** From here on nobody knows. */
  readonly doubtful: boolean;
  /** Why, in the words of whoever said it. */
  readonly reason: string | null;
  readonly evidence: StayEvidence | null;
}

/** Later than this it is told when we heard of it: frames take some seconds. */
export const LATE_MS = 60_000;

const CORRECTIONS = new Set([
  "entry-stated",
  "exit-stated",
  "ended",
  "split",
  "joined",
  "vehicle-moved",
  "set-aside",
  "identified",
  "bay-withdrawn",
  "bay-still-taken",
]);
const MACHINES = new Set<Witness>(["sensor", "gate", "camera"]);

function said(item: StayEvidence): Entry {
  const machine = MACHINES.has(item.source);
  const reason = item.detail["reason"];
  return {
    id: item.id,
    atMs: instant(item.at),
    heardMs: instant(item.recorded_at),
    witness: item.source,
    lane: machine ? "street" : "people",
    kind: item.kind,
    corrects: CORRECTIONS.has(item.kind),
    doubtful: item.kind === "bay-silence",
    // A sensor's reason is one of our words; a person's is their own.
    reason: !machine && typeof reason === "string" && reason !== "" ? reason : null,
    evidence: item,
  };
}

function paper(id: string, at: string | null, kind: string, reason: string | null = null): Entry[] {
  if (at === null) return [];
  const atMs = instant(at);
  return [
    {
      id,
      atMs,
      heardMs: null,
      witness: "paper",
      lane: "people",
      kind,
      corrects: false,
      doubtful: false,
      reason: reason || null,
      evidence: null,
    },
  ];
}

function papers(bill: Bill): Entry[] {
  const { dispute, payment } = bill;
  return [
    ...paper(`${bill.id}-issued`, bill.issued_at, "bill-issued"),
    ...(payment ? paper(`${bill.id}-paid`, payment.received_at, "bill-paid") : []),
    ...(dispute
      ? [
          ...paper(dispute.id, dispute.opened_at, "bill-disputed", dispute.words),
          ...paper(
            `${dispute.id}-end`,
            dispute.resolved_at,
            `dispute-${dispute.state}`,
            dispute.answer,
          ),
        ]
      : []),
  ];
}

/** The whole story; what was so at the same instant stands in the order in which we heard it. */
export function story(found: StayTimeline, bill: Bill | null): Entry[] {
  return [...found.items.map(said), ...(bill ? papers(bill) : [])].sort(
    (a, b) => a.atMs - b.atMs || (a.heardMs ?? a.atMs) - (b.heardMs ?? b.atMs),
  );
}

/** Whether an entry came so late that a reader should know. */
export function cameLate(entry: Entry): boolean {
  return entry.heardMs !== null && entry.heardMs - entry.atMs > LATE_MS;
}

/** Entries by the day of the city on which they were, the days in their order. */
export function byDay(entries: readonly Entry[], zone: string): [string, Entry[]][] {
  const day = new Intl.DateTimeFormat("en-CA", { timeZone: zone });
  const days = new Map<string, Entry[]>();
  for (const entry of entries) {
    const name = day.format(entry.atMs);
    const known = days.get(name);
    if (known) known.push(entry);
    else days.set(name, [entry]);
  }
  return [...days];
}
