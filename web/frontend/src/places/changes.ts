/** What changed between two states of a place. Pure. */

export interface Change {
  readonly field: string;
  readonly before: unknown;
  readonly after: unknown;
}

type State = Readonly<Record<string, unknown>>;

/** Members that differ, in the order of the newer state; objects are compared by what they hold. */
export function changes(before: State, after: State): Change[] {
  const fields = [...Object.keys(after), ...Object.keys(before).filter((name) => !(name in after))];
  return fields
    .filter((name) => JSON.stringify(before[name] ?? null) !== JSON.stringify(after[name] ?? null))
    .map((name) => ({ field: name, before: before[name] ?? null, after: after[name] ?? null }));
}
