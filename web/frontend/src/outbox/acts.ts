/** What was done on this device and is not known to the city yet. Pure. */
import type { Money } from "../format/money";

export type ActKind =
  | "plate"
  | "end"
  | "move"
  | "split"
  | "swap"
  | "join"
  | "set-aside"
  | "exempt"
  | "cash"
  | "ahead"
  | "escape"
  | "report"
  | "shift-begin"
  | "shift-pause"
  | "shift-resume"
  | "shift-count"
  | "shift-explain"
  | "cash-give"
  | "cash-take"
  | "sign-out";

/** What an act needs besides who, when and its number: members as `ActPartIn` names them. */
export interface Wanted {
  readonly kind: ActKind;
  readonly bay_id?: string;
  readonly to_bay_id?: string;
  readonly plate?: string;
  readonly plate_kind?: string;
  readonly reason?: string;
  readonly what?: string;
  readonly note?: string;
  readonly exempt?: string;
  readonly photo_id?: string;
  readonly photo_sha256?: string;
  readonly minutes_before?: number;
  readonly vehicle_left?: boolean;
  readonly bill_id?: string;
  readonly amount_minor?: number;
  readonly minutes_ahead?: number;
  readonly tendered_minor?: number;
  readonly currency?: string;
  readonly place?: string;
  readonly shift_id?: string;
  readonly person_id?: string;
  readonly move_id?: string;
  /** Notes and coins that were counted, by face value in fen. */
  readonly pieces?: Readonly<Record<string, number>>;
}

/** What is needed to tell a person of an act later, when the page no longer knows its bay or bill. */
export interface Shown {
  /** Number of the bay. */
  readonly label?: string;
  readonly toLabel?: string;
  /** Why a stay was freed of its fee. */
  readonly reason?: string;
  /** With whom cash changed hands. */
  readonly who?: string;
  /** What the bill came to: the money that stays in the attendant's bag. */
  readonly amount?: Money;
}

export interface Refusal {
  readonly reason: string;
  /** In the page's language, as the server said it. */
  readonly words: string;
  readonly advice: string;
  /** Whether the city has it on record; false: this device alone has it. */
  readonly kept: boolean;
}

export interface KeptAct {
  /** In which order acts were done; also the key. */
  readonly order: number;
  readonly id: string;
  /** Its number in the terminal's own count; null while it can be undone. */
  readonly sequence: number | null;
  readonly accountId: string;
  /** By the device's clock, right or wrong. */
  readonly deviceAt: string;
  /** The city's clock less the device's; null where the device did not know it. */
  readonly offsetMs: number | null;
  readonly wanted: Wanted;
  readonly shown: Shown;
  readonly refusal: Refusal | null;
}

export type FreshAct = Omit<KeptAct, "order">;

export const UNDO_MS = 10_000;
export const MOST_A_BATCH = 200;

/** UUIDv7 (RFC 9562): sorts by when it was made, which indexes and lists like. */
export function uuid7(atMs: number, random: Uint8Array): string {
  const bytes = Uint8Array.from(random.subarray(0, 16));
  let left = Math.max(0, Math.floor(atMs));
  for (let at = 5; at >= 0; at -= 1) {
    bytes[at] = left % 256;
    left = Math.floor(left / 256);
  }
  bytes[6] = 0x70 | ((bytes[6] ?? 0) & 0x0f);
  bytes[8] = 0x80 | ((bytes[8] ?? 0) & 0x3f);
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** How long an act can still be undone; 0 where its time is over, or the clock was set since. */
export function undoLeftMs(act: KeptAct, deviceMs: number): number {
  if (act.sequence !== null) return 0;
  const passedMs = deviceMs - Date.parse(act.deviceAt);
  return passedMs < 0 || Number.isNaN(passedMs) ? 0 : Math.max(0, UNDO_MS - passedMs);
}

/**
 * Number what may leave the device now. Numbers follow the order in which acts were done: where a
 * later one may leave (the clock was set in between), the earlier ones leave with it. What is
 * undone never had a number, so that the count has no gaps.
 */
export function released(
  acts: readonly KeptAct[],
  next: number,
  deviceMs: number,
  atOnce: boolean,
): { readonly acts: KeptAct[]; readonly next: number } {
  const held = acts.filter((act) => act.sequence === null).sort((a, b) => a.order - b.order);
  const last = atOnce
    ? held.length - 1
    : held.findLastIndex((act) => undoLeftMs(act, deviceMs) === 0);
  const leaving = held.slice(0, last + 1).map((act, index) => ({ ...act, sequence: next + index }));
  return { acts: leaving, next: next + leaving.length };
}

/** The next batch: what has a number and was not refused, the oldest first. */
export function batchOf(acts: readonly KeptAct[], most: number): KeptAct[] {
  return acts
    .filter((act) => act.sequence !== null && act.refusal === null)
    .sort((a, b) => (a.sequence ?? 0) - (b.sequence ?? 0))
    .slice(0, most);
}

export function partOf(act: KeptAct): object {
  return {
    id: act.id,
    sequence: act.sequence,
    account_id: act.accountId,
    device_at: act.deviceAt,
    offset_ms: act.offsetMs,
    ...act.wanted,
  };
}

/** A result as the server gives it for each act. */
export interface Result {
  readonly id: string | null;
  readonly index: number;
  readonly result: "created" | "exists" | "conflict";
  readonly kept: boolean;
  readonly reason: string | null;
  readonly detail: string | null;
  readonly advice: string | null;
}

export interface Settled {
  /** Orders of acts that took effect: the device forgets them. */
  readonly done: readonly number[];
  /** Acts as they are to be kept from now on: refused ones, and ones with another number. */
  readonly changed: readonly KeptAct[];
  readonly next: number;
}

/**
 * What becomes of a batch by its results. A number that another act has (this device lost its
 * memory) is replaced by one behind all that the server and this device know; every other refusal
 * is for a person to read. An act without a result stays as it is, to be sent again.
 */
export function settled(
  batch: readonly KeptAct[],
  results: readonly Result[],
  next: number,
  serverNext: number,
): Settled {
  const done: number[] = [];
  const changed: KeptAct[] = [];
  let free = Math.max(next, serverNext);
  for (const { index, ...told } of [...results].sort((a, b) => a.index - b.index)) {
    const act = batch[index];
    if (!act || (told.id !== null && told.id !== act.id)) continue;
    if (told.result !== "conflict") done.push(act.order);
    else if (told.advice === "renumber") {
      changed.push({ ...act, sequence: free });
      free += 1;
    } else {
      const refusal: Refusal = {
        reason: told.reason ?? "",
        words: told.detail ?? "",
        advice: told.advice ?? "call-supervisor",
        kept: told.kept,
      };
      changed.push({ ...act, refusal });
    }
  }
  return { done, changed, next: free };
}

/** Number what was not sent anew, in its order: the device became another terminal, with its own count. */
export function renumbered(
  acts: readonly KeptAct[],
  next: number,
): { readonly acts: KeptAct[]; readonly next: number } {
  const numbered = batchOf(acts, acts.length).map((act, index) => ({ ...act, sequence: next + index }));
  return { acts: numbered, next: next + numbered.length };
}

/** What waits to be sent: refused acts do not, they wait for a person. */
export function waiting(acts: readonly KeptAct[]): KeptAct[] {
  return acts.filter((act) => act.refusal === null);
}

/** Whether money went into the bag with it. */
export function takesCash(kind: ActKind): boolean {
  return kind === "cash" || kind === "ahead";
}

/** Cash in the bag that the city does not know of yet. */
export function cashWaiting(acts: readonly KeptAct[]): number {
  return waiting(acts).reduce(
    (sum, { wanted, shown }) => (takesCash(wanted.kind) ? sum + (shown.amount?.minor ?? 0) : sum),
    0,
  );
}

/**
 * What may still be taken in cash without a line; null where this device's limit is in another
 * currency, and none may.
 */
export function cashRoom(acts: readonly KeptAct[], most: Money, currency: string): number | null {
  return most.currency === currency ? Math.max(0, most.minor - cashWaiting(acts)) : null;
}

/** When an act was done by the city's clock, as far as this device knows. */
export function doneAtMs(act: KeptAct): number {
  return Date.parse(act.deviceAt) + (act.offsetMs ?? 0);
}
