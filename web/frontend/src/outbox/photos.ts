/** Photos taken with acts, on their way to the city: which part goes next, and what may be forgotten. Pure. */

/** A photo as it was taken: its name and hash go with the act. */
export interface TakenPhoto {
  readonly id: string;
  readonly sha256: string;
  readonly content: ArrayBuffer;
}

export interface KeptPhoto extends TakenPhoto {
  readonly actId: string;
  readonly takenMs: number;
  /** How much of it the city said it has. */
  readonly received: number;
  /** When the city had all of it; null until then. */
  readonly sentMs: number | null;
  /** How often what came was not what the act named. */
  readonly spoilt: number;
  /** Why the city will not take it; it stays here for a person. */
  readonly refused: string | null;
}

export const PART_BYTES = 131_072;
/** What the city has already is kept for a look back, so many at most. */
export const MOST_SENT = 30;
const MOST_SPOILT = 3;

export function kept(photo: TakenPhoto, actId: string, takenMs: number): KeptPhoto {
  return { ...photo, actId, takenMs, received: 0, sentMs: null, spoilt: 0, refused: null };
}

export function unsent(photos: readonly KeptPhoto[]): KeptPhoto[] {
  return photos.filter(({ sentMs }) => sentMs === null);
}

/** Photos that can be sent: the oldest first, and none before the act that names it. */
export function sendable(photos: readonly KeptPhoto[], waitingActs: ReadonlySet<string>): KeptPhoto[] {
  return unsent(photos)
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

/** What becomes of a photo by the city's answer to a part of it. */
export function answered(photo: KeptPhoto, answer: { received: number; whole: boolean }, nowMs: number): KeptPhoto {
  if (answer.whole) return { ...photo, received: photo.content.byteLength, sentMs: nowMs };
  if (answer.received > 0) return { ...photo, received: answer.received };
  const spoilt = photo.spoilt + 1;
  return { ...photo, received: 0, spoilt, refused: spoilt >= MOST_SPOILT ? "spoilt" : null };
}

/**
 * Which photos make room, the oldest first: only such as the city has. All beyond `MOST_SENT`, and
 * where room is short as many more as free so many bytes.
 */
export function removable(photos: readonly KeptPhoto[], neededBytes = 0): KeptPhoto[] {
  const sent = photos
    .filter(({ sentMs }) => sentMs !== null)
    .sort((a, b) => a.takenMs - b.takenMs);
  const gone = sent.slice(0, Math.max(0, sent.length - MOST_SENT));
  let freed = 0;
  for (const photo of sent) {
    if (freed >= neededBytes) break;
    freed += photo.content.byteLength;
    if (!gone.includes(photo)) gone.push(photo);
  }
  return gone;
}
