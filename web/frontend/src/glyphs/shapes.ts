/** The glyphs of a bay's state: one set of paths for map, list, grid and print. */
export type BayState = "free" | "occupied" | "unknown";
export type GlyphName = BayState | "reserved" | "violation" | "out_of_service";

/** A stroke or a fill in a 24 x 24 box, in the glyph's own colour. */
export interface Shape {
  readonly d: string;
  readonly stroke?: number;
}

const CENTRE = 12;

export function circlePath(radius: number): string {
  const left = CENTRE - radius;
  return `M${left} ${CENTRE}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0Z`;
}

/** Chords at 45 degrees through a circle: a hatch that needs no clip path. */
export function hatchPath(radius: number, offsets: readonly number[]): string {
  return offsets
    .map((offset) => {
      const half = Math.sqrt(radius * radius - offset * offset) * Math.SQRT1_2;
      const shift = offset * Math.SQRT1_2;
      const point = (along: number, across: number) =>
        `${round(CENTRE + along + across)} ${round(CENTRE - along + across)}`;
      return `M${point(-half, shift)}L${point(half, shift)}`;
    })
    .join("");
}

function round(n: number): number {
  return Math.round(n * 100) / 100;
}

export const GLYPHS: Readonly<Record<GlyphName, readonly Shape[]>> = {
  free: [{ d: circlePath(7.5), stroke: 3.4 }],
  occupied: [{ d: circlePath(9) }],
  unknown: [
    { d: circlePath(8.2), stroke: 1.6 },
    { d: hatchPath(8.2, [-4.6, 0, 4.6]), stroke: 1.6 },
  ],
  reserved: [
    { d: circlePath(8.2), stroke: 1.8 },
    { d: "M12 3.8a8.2 8.2 0 0 1 0 16.4Z" },
  ],
  violation: [{ d: "M12 1.8 22.2 12 12 22.2 1.8 12Z" }],
  out_of_service: [{ d: "M5 5 19 19M19 5 5 19", stroke: 3 }],
};

/** The design token that colours a glyph. */
export const GLYPH_TOKEN: Readonly<Record<GlyphName, string>> = {
  free: "--accent",
  occupied: "--taken",
  unknown: "--muted",
  reserved: "--information",
  violation: "--danger",
  out_of_service: "--muted",
};
