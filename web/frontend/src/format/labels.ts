/**
 * A bay's number as it stands on the kerb: 'K014-07' within facility K014 is '07'.
 * A label of another pattern stays whole.
 */
export function shortLabel(label: string, facilityCode: string): string {
  const prefix = `${facilityCode}-`;
  return label.startsWith(prefix) && label.length > prefix.length
    ? label.slice(prefix.length)
    : label;
}

const BY_NUMBER = new Intl.Collator("en", { numeric: true });

/** Bays in the order in which one walks past them. */
export function inWalkingOrder<T extends { readonly label: string }>(bays: readonly T[]): T[] {
  return [...bays].sort((a, b) => BY_NUMBER.compare(a.label, b.label));
}

/**
 * Whether a row of bays runs rather north than east, so that numbers belong beside the bays and
 * not below them, where the next bay lies.
 */
export function runsNorth(positions: readonly (readonly [number, number])[]): boolean {
  const [first, last] = [positions[0], positions.at(-1)];
  if (!first || !last) return false;
  const east = (last[0] - first[0]) * Math.cos((first[1] * Math.PI) / 180);
  return Math.abs(last[1] - first[1]) > Math.abs(east);
}
