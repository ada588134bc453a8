/** Keeps a list still while somebody reads it. Pure. */

/**
 * Items in the order in which they are shown, new ones behind; what is gone is left out. A list
 * that nobody is busy with simply takes the new order.
 */
export function steady<T>(
  fresh: readonly T[],
  shown: readonly string[],
  keyOf: (item: T) => string,
): T[] {
  const place = new Map(shown.map((key, index) => [key, index]));
  const at = (item: T): number => place.get(keyOf(item)) ?? shown.length;
  return [...fresh].sort((a, b) => at(a) - at(b));
}
