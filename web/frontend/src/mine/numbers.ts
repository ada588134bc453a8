/** Finding a bay by the number painted on the ground. Pure. */
import { shortLabel } from "../format/labels";

function plain(typed: string): string {
  return typed.normalize("NFKC").toUpperCase().replace(/[\s·_-]+/g, "");
}

/** The place whose code the number begins with, the longest code first; null where none does. */
export function byNumber<T extends { readonly code: string }>(
  places: readonly T[],
  typed: string,
): T | null {
  const wanted = plain(typed);
  if (places.some((place) => plain(place.code) === wanted)) return null;
  const fitting = places.filter(
    (place) => wanted.length > plain(place.code).length && wanted.startsWith(plain(place.code)),
  );
  return fitting.sort((a, b) => plain(b.code).length - plain(a.code).length)[0] ?? null;
}

/** The bay of a place with that number, whole or as it stands within the place. */
export function atNumber<T extends { readonly label: string }>(
  bays: readonly T[],
  placeCode: string,
  typed: string,
): T | null {
  const wanted = plain(typed);
  const whole = bays.find((bay) => plain(bay.label) === wanted);
  if (whole || wanted === "") return whole ?? null;
  const short = bays.filter((bay) => {
    const own = plain(shortLabel(bay.label, placeCode));
    return own === wanted || (/^\d+$/.test(wanted) && own.replace(/^0+/, "") === wanted.replace(/^0+/, ""));
  });
  return short.length === 1 ? (short[0] ?? null) : null;
}
