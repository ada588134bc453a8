/** Where a value stands in a JSON text, so that a fault can be shown at its place. */

export type Step = string | number;

/** 'schedules[0].bands[1].charge' as steps. */
export function steps(path: string): Step[] {
  return [...path.matchAll(/([^.[\]]+)|\[(\d+)\]/g)].map((found) =>
    found[2] === undefined ? (found[1] ?? "") : Number(found[2]),
  );
}

class Reader {
  at = 0;

  constructor(readonly text: string) {}

  blank(): void {
    while (/\s/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  string(): string {
    const begin = this.at;
    this.at += 1;
    while (this.at < this.text.length && this.text[this.at] !== '"') {
      this.at += this.text[this.at] === "\\" ? 2 : 1;
    }
    this.at += 1;
    try {
      return JSON.parse(this.text.slice(begin, this.at)) as string;
    } catch {
      return "";
    }
  }

  /** Pass over one value, whatever it is. */
  value(): void {
    this.blank();
    const first = this.text[this.at];
    if (first === '"') this.string();
    else if (first === "{" || first === "[") this.members(() => this.value());
    else while (this.at < this.text.length && !/[\s,\]}]/.test(this.text[this.at] ?? "")) this.at += 1;
  }

  /** Go through the members of an object or a list; the name is a key or a place. */
  members(each: (name: Step) => void): void {
    const list = this.text[this.at] === "[";
    this.at += 1;
    for (let place = 0; ; place += 1) {
      this.blank();
      if (this.at >= this.text.length || "]}".includes(this.text[this.at] ?? "")) break;
      let name: Step = place;
      if (!list) {
        name = this.string();
        this.blank();
        this.at += 1; // the colon
        this.blank();
      }
      const before = this.at;
      each(name);
      this.blank();
      if (this.text[this.at] === ",") this.at += 1;
      if (this.at === before) break; // no JSON: stop rather than turn in circles
    }
    this.at += 1;
  }
}

/**
 * From and to of the value at a path, or of the nearest thing around it that there is.
 * The text must be JSON.
 */
export function placeOf(text: string, path: string): readonly [number, number] {
  const reader = new Reader(text);
  let found: readonly [number, number] = [0, 0];
  const seek = (rest: readonly Step[]): void => {
    reader.blank();
    const begin = reader.at;
    const [wanted, ...deeper] = rest;
    if (wanted !== undefined && "{[".includes(text[begin] ?? " ")) {
      let deepest: readonly [number, number] | null = null;
      reader.members((name) => {
        if (name === wanted) {
          seek(deeper);
          deepest = found;
        } else reader.value();
      });
      found = deepest ?? [begin, reader.at];
    } else {
      reader.value();
      found = [begin, reader.at];
    }
  };
  seek(steps(path));
  return found;
}
