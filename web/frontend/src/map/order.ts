/** Which facilities the list shows and in what order. Pure. */
import type { Counts } from "../live/occupancy";

export type Sorting = "free" | "share" | "name" | "unknown" | "near";
export const SORTINGS: readonly Sorting[] = ["free", "share", "name", "unknown", "near"];

export interface Listed {
  readonly id: string;
  readonly code: string;
  readonly zh: string;
  readonly en: string;
  readonly position: readonly [number, number];
  readonly counts: Counts;
}

/** Lower case, full-width letters narrowed, spaces gone: '滨河 ＡＢ' finds '滨河ab'. */
export function folded(words: string): string {
  return words.normalize("NFKC").toLocaleLowerCase("en").replace(/\s+/g, "");
}

export function matches(facility: Listed, search: string): boolean {
  const wanted = folded(search);
  if (!wanted) return true;
  return [facility.zh, facility.en, facility.code].some((name) => folded(name).includes(wanted));
}

/** Squared distance in degrees, good enough to order what lies in one city. */
function away(a: readonly [number, number], b: readonly [number, number]): number {
  const dx = (a[0] - b[0]) * Math.cos((b[1] * Math.PI) / 180);
  const dy = a[1] - b[1];
  return dx * dx + dy * dy;
}

function knownShare(counts: Counts): number {
  const known = counts.free + counts.occupied;
  return known ? counts.free / known : -1;
}

/** Order a list; equal ones keep the order of their names, so that nothing swaps without reason. */
export function ordered<T extends Listed>(
  facilities: readonly T[],
  sorting: Sorting,
  language: "zh" | "en",
  from: readonly [number, number] | null,
): T[] {
  const collator = new Intl.Collator(language === "zh" ? "zh-CN-u-co-pinyin" : "en", {
    numeric: true,
  });
  const byName = (a: T, b: T): number =>
    collator.compare(a[language], b[language]) || a.id.localeCompare(b.id);
  const by: Readonly<Record<Sorting, (a: T, b: T) => number>> = {
    free: (a, b) => b.counts.free - a.counts.free,
    share: (a, b) => knownShare(b.counts) - knownShare(a.counts),
    unknown: (a, b) => b.counts.unknown - a.counts.unknown,
    near: (a, b) => (from ? away(a.position, from) - away(b.position, from) : 0),
    name: () => 0,
  };
  return [...facilities].sort((a, b) => by[sorting](a, b) || byName(a, b));
}

/** How a facility stands at a glance. */
export function standing(counts: Counts): "free" | "occupied" | "unknown" {
  if (counts.free > 0) return "free";
  return counts.unknown > counts.occupied ? "unknown" : "occupied";
}
