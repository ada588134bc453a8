/** Chinese number plates: which kinds there are, how each is typed and shown. Pure. */
export const PLATE_KINDS = [
  "blue7",
  "nev_green8",
  "yellow7",
  "nev_large8",
  "yellow2",
  "motorcycle",
  "police_white",
  "emergency_white",
  "military_white",
  "wj_white",
  "embassy_black",
  "consulate_black",
  "hkmo_black",
  "black7",
  "learner_yellow",
  "trailer_yellow",
  "agri_green2",
  "aviation_green",
  "temporary",
  "unknown",
] as const;
export type PlateKind = (typeof PLATE_KINDS)[number];

/** How a plate looks: the colour of its ground. */
export type PlateLook = "blue" | "green" | "green-large" | "yellow" | "white" | "black" | "plain";

const LOOKS: Readonly<Record<PlateKind, PlateLook>> = {
  blue7: "blue",
  nev_green8: "green",
  nev_large8: "green-large",
  yellow7: "yellow",
  yellow2: "yellow",
  motorcycle: "yellow",
  police_white: "white",
  emergency_white: "white",
  military_white: "white",
  wj_white: "white",
  embassy_black: "black",
  consulate_black: "black",
  hkmo_black: "black",
  black7: "black",
  learner_yellow: "yellow",
  trailer_yellow: "yellow",
  agri_green2: "green-large",
  aviation_green: "green-large",
  temporary: "plain",
  unknown: "plain",
};

export function isPlateKind(word: string): word is PlateKind {
  return (PLATE_KINDS as readonly string[]).includes(word);
}

export function plateLook(kind: string): PlateLook {
  return isPlateKind(kind) ? LOOKS[kind] : "plain";
}

export const PROVINCES = [..."京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云藏陕甘青宁新"];
export const LETTERS = [..."ABCDEFGHJKLMNPQRSTUVWXYZ"];
export const DIGITS = [..."0123456789"];
const SERIAL = [...DIGITS, ...LETTERS];

/** What a place of the plate takes: a set of keys, or one fixed character. */
export type Place =
  | { readonly takes: "province" }
  | { readonly takes: "letter" }
  | { readonly takes: "serial" }
  | { readonly takes: "digit" }
  | { readonly takes: "one of"; readonly keys: readonly string[] }
  | { readonly takes: "fixed"; readonly character: string };

const province: Place = { takes: "province" };
const letter: Place = { takes: "letter" };
const serial: Place = { takes: "serial" };
const digit: Place = { takes: "digit" };
const fixed = (character: string): Place => ({ takes: "fixed", character });
const several = (place: Place, n: number): Place[] => Array.from({ length: n }, () => place);

const COMMON = [province, letter, ...several(serial, 5)];
const ENDING = (ending: string) => [province, letter, ...several(serial, 4), fixed(ending)];

/** The places of the kinds that the key pad types; the others take free text. */
const PLACES: Readonly<Partial<Record<PlateKind, readonly Place[]>>> = {
  blue7: COMMON,
  yellow7: COMMON,
  yellow2: COMMON,
  motorcycle: COMMON,
  black7: COMMON,
  nev_green8: [province, letter, ...several(serial, 6)],
  nev_large8: [province, letter, ...several(digit, 5), letter],
  police_white: ENDING("警"),
  learner_yellow: ENDING("学"),
  trailer_yellow: ENDING("挂"),
  consulate_black: ENDING("领"),
  hkmo_black: [
    fixed("粤"),
    fixed("Z"),
    ...several(serial, 4),
    { takes: "one of", keys: ["港", "澳"] },
  ],
  emergency_white: [
    province,
    { takes: "one of", keys: ["X", "S"] },
    ...several(digit, 4),
    fixed("应"),
    fixed("急"),
  ],
  wj_white: [fixed("W"), fixed("J"), province, ...several(serial, 5)],
  military_white: [letter, letter, ...several(serial, 5)],
};

/** The places of a kind, or null where it is typed as free text. */
export function placesOf(kind: PlateKind): readonly Place[] | null {
  return PLACES[kind] ?? null;
}

/** What has been typed: one character a place, fixed ones filled in by themselves. */
export function typedText(kind: PlateKind, typed: readonly string[]): string {
  const places = placesOf(kind);
  if (!places) return typed.join("");
  let text = "";
  let next = 0;
  for (const place of places) {
    if (place.takes === "fixed") {
      text += place.character;
      continue;
    }
    const character = typed[next];
    next += 1;
    if (character === undefined) break;
    text += character;
  }
  return text;
}

function openPlaces(kind: PlateKind): Place[] {
  return (placesOf(kind) ?? []).filter((place) => place.takes !== "fixed");
}

export function isComplete(kind: PlateKind, typed: readonly string[]): boolean {
  return placesOf(kind) === null
    ? typed.join("").trim().length >= 3
    : typed.length === openPlaces(kind).length;
}

/** The keys that the next place takes; empty when nothing is missing. */
export function nextKeys(kind: PlateKind, typed: readonly string[]): readonly string[] {
  const place = openPlaces(kind)[typed.length];
  if (!place) return [];
  switch (place.takes) {
    case "province":
      return PROVINCES;
    case "letter":
      return LETTERS;
    case "digit":
      return DIGITS;
    case "one of":
      return place.keys;
    default:
      return SERIAL;
  }
}

/** Whether the key pad shows provinces or letters and digits. */
export function nextPad(kind: PlateKind, typed: readonly string[]): "province" | "serial" | "choice" {
  const place = openPlaces(kind)[typed.length];
  if (place?.takes === "province") return "province";
  if (place?.takes === "one of" && !SERIAL.includes(place.keys[0] ?? "")) return "choice";
  return "serial";
}

/** Carry what was typed over to another kind: as many leading characters as still fit. */
export function carriedOver(kind: PlateKind, typed: readonly string[]): string[] {
  const kept: string[] = [];
  for (const character of typed) {
    if (!nextKeys(kind, kept).includes(character)) break;
    kept.push(character);
  }
  return kept;
}

/** '京A·12345': a dot after the issuing office where the plate begins with a province. */
export function plateText(text: string): string {
  const first = [...text][0] ?? "";
  if (text.includes("·") || !PROVINCES.includes(first) || text.length < 4) return text;
  return `${text.slice(0, 2)}·${text.slice(2)}`;
}

/** The characters spelled one by one, for a screen reader. */
export function spelled(text: string): string {
  return [...text.replace("·", "")].join(" ");
}
