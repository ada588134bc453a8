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
