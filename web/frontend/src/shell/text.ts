/** The text catalogue: the same two files that the server's templates read. */
import type english from "../../../catalogue/en.json";

export type Language = "zh" | "en";

type Catalogue = typeof english;
/** A key as written in the catalogue, or the stem of a counted pair `stem.one` / `stem.other`. */
export type TextKey = keyof Catalogue;
export type CountedKey = {
  [K in TextKey]: K extends `${infer Stem}.other` ? Stem : never;
}[TextKey];
export type Holes = Readonly<Record<string, string | number>>;

let catalogue: Readonly<Record<string, string>> = {};
let current: Language = "zh";

export function language(): Language {
  return current;
}

/** The tag for `Intl`, which knows more dialects than we speak. */
export function locale(): string {
  return current === "zh" ? "zh-CN" : "en-GB";
}

/** Fill `{name}` holes; a hole without a value stays visible, so that a mistake is seen. */
export function fill(template: string, holes: Holes = {}): string {
  return template.replace(/\{(\w+)\}/g, (hole, name: string) => {
    const value = holes[name];
    return value === undefined ? hole : String(value);
  });
}

export function text(key: TextKey, holes?: Holes): string {
  return fill(catalogue[key] ?? key, holes);
}

/** A text that depends on a number: English tells one from many, Chinese does not. */
export function counted(stem: CountedKey, n: number, holes: Holes = {}): string {
  const form = current === "en" && n === 1 ? "one" : "other";
  return fill(catalogue[`${stem}.${form}`] ?? stem, { n: wholeNumber(n), ...holes });
}

/** A text whose key came from the server (a state, a fault); the raw word where none is known. */
export function named(prefix: string, word: string): string {
  return catalogue[`${prefix}.${word}`] ?? word;
}

export function wholeNumber(n: number): string {
  return new Intl.NumberFormat(locale(), { maximumFractionDigits: 0 }).format(n);
}

export function useCatalogue(chosen: Language, entries: Readonly<Record<string, string>>): void {
  current = chosen;
  catalogue = entries;
}

/** Load the one catalogue the page needs, as its own file. */
export async function loadCatalogue(chosen: Language): Promise<void> {
  const loaded =
    chosen === "zh"
      ? await import("../../../catalogue/zh.json")
      : await import("../../../catalogue/en.json");
  useCatalogue(chosen, loaded.default);
}

/** A name that exists in both languages; the other one where this one is empty. */
export function inLanguage(zh: string | null | undefined, en: string | null | undefined): string {
  return (current === "zh" ? zh || en : en || zh) ?? "";
}
