import { GLYPHS, type GlyphName } from "./shapes";

export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

/**
 * A glyph drawn for the map, with a rim in the paper's colour that keeps it apart from the street.
 *
 * `size` in CSS pixels, `ratio` device pixels per CSS pixel.
 */
export function rasterGlyph(
  name: GlyphName,
  colour: string,
  rim: string,
  size: number,
  ratio: number,
): Raster {
  const pixels = Math.round(size * ratio);
  const canvas = document.createElement("canvas");
  canvas.width = pixels;
  canvas.height = pixels;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("no 2D canvas");
  // 24 units of glyph in 28 units of picture: room for the rim.
  pen.scale(pixels / 28, pixels / 28);
  pen.translate(2, 2);
  pen.lineCap = "round";
  pen.lineJoin = "round";
  for (const shape of GLYPHS[name]) {
    pen.strokeStyle = rim;
    pen.lineWidth = (shape.stroke ?? 0) + 3.4;
    pen.stroke(new Path2D(shape.d));
  }
  if (name === "unknown" || name === "free" || name === "reserved") {
    pen.fillStyle = rim;
    pen.beginPath();
    pen.arc(12, 12, 8, 0, 2 * Math.PI);
    pen.fill();
  }
  for (const shape of GLYPHS[name]) {
    const path = new Path2D(shape.d);
    if (shape.stroke) {
      pen.strokeStyle = colour;
      pen.lineWidth = shape.stroke;
      pen.stroke(path);
    } else {
      pen.fillStyle = colour;
      pen.fill(path);
    }
  }
  return pen.getImageData(0, 0, pixels, pixels);
}
