/** Photos taken with acts, on their way to the city: which part goes next. Pure. */
import type { KeptAct } from "./acts";

/** A photo as it was taken: its name and hash go with the act. */
export interface TakenPhoto {
  readonly id: string;
  readonly sha256: string;
  readonly content: ArrayBuffer;
}

export interface KeptPhoto extends TakenPhoto {
  readonly actId: string;
  /** What was done with it; missing on devices that kept it before. */
  readonly of?: Pick<KeptAct, "wanted" | "shown">;
  /** By the city's clock, as far as it was known. */
  readonly takenMs: number;
  /** How much of it the city said it has. */
  readonly received: number;
  /** How often what came was not what the act named. */
  readonly spoilt: number;
  /** Why the city will not take it; it stays here for a person. */
  readonly refused: string | null;
}

export const PART_BYTES = 131_072;
const MOST_SPOILT = 3;

export function kept(photo: TakenPhoto, act: Pick<KeptAct, "id" | "wanted" | "shown">, takenMs: number): KeptPhoto {
  const { id: actId, wanted, shown } = act;
  return { ...photo, actId, of: { wanted, shown }, takenMs, received: 0, spoilt: 0, refused: null };
}

/** Photos that can be sent: the oldest first, and none before the act that names it. */
export function sendable(photos: readonly KeptPhoto[], waitingActs: ReadonlySet<string>): KeptPhoto[] {
  return photos
    .filter(({ actId, refused }) => refused === null && !waitingActs.has(actId))
    .sort((a, b) => a.takenMs - b.takenMs);
}

export interface Part {
  readonly from: number;
  readonly bytes: Uint8Array;
}

export function nextPart(photo: KeptPhoto): Part {
  const from = Math.min(photo.received, photo.content.byteLength);
  return { from, bytes: new Uint8Array(photo.content).subarray(from, from + PART_BYTES) };
}

/** What becomes of a photo by the city's answer to a part of it; null: it has all, and the device forgets it. */
export function answered(photo: KeptPhoto, answer: { received: number; whole: boolean }): KeptPhoto | null {
  if (answer.whole) return null;
  if (answer.received > 0) return { ...photo, received: answer.received };
  const spoilt = photo.spoilt + 1;
  return { ...photo, received: 0, spoilt, refused: spoilt >= MOST_SPOILT ? "spoilt" : null };
}

/** A photo that the city refused, to be sent from its beginning once more. */
export function again(photo: KeptPhoto): KeptPhoto {
  return { ...photo, received: 0, spoilt: 0, refused: null };
}

/** What the city awaits and this device has not: a wiped one, say. */
export function lost(awaited: readonly string[], photos: readonly KeptPhoto[]): string[] {
  const here = new Set(photos.map(({ id }) => id));
  return awaited.filter((id) => !here.has(id));
}
