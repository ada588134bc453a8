/** The label of a facility on the map: a pill that stretches around its count. */
import type { StyleImageMetadata } from "maplibre-gl";
import { GLYPHS, type GlyphName } from "../glyphs/shapes";
import type { Raster } from "../glyphs/raster";

interface Pill {
  readonly raster: Raster;
  readonly options: Partial<StyleImageMetadata>;
}

const WIDTH = 44;
const HEIGHT = 26;
const MARK = 14;
const RADIUS = 6;

/** Drawn at `ratio` device pixels per CSS pixel; the mark keeps its size, the rest stretches. */
export function pillImage(
  name: GlyphName,
  colour: string,
  ground: string,
  line: string,
  ratio: number,
): Pill {
  const canvas = document.createElement("canvas");
  canvas.width = WIDTH * ratio;
  canvas.height = HEIGHT * ratio;
  const pen = canvas.getContext("2d", { willReadFrequently: true });
  if (!pen) throw new Error("no 2D canvas");
  pen.scale(ratio, ratio);
  pen.beginPath();
  pen.roundRect(1, 1, WIDTH - 2, HEIGHT - 2, RADIUS);
  pen.fillStyle = ground;
  pen.fill();
  pen.strokeStyle = line;
  pen.lineWidth = 1;
  pen.stroke();
  pen.save();
  pen.translate(7, (HEIGHT - MARK) / 2);
  pen.scale(MARK / 24, MARK / 24);
  pen.lineCap = "round";
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
  pen.restore();
  const textFrom = 7 + MARK + 2;
  return {
    raster: pen.getImageData(0, 0, canvas.width, canvas.height),
    options: {
      pixelRatio: ratio,
      stretchX: [[(textFrom + 2) * ratio, (WIDTH - RADIUS - 2) * ratio]],
      stretchY: [[(RADIUS + 6) * ratio, (RADIUS + 7) * ratio]],
      content: [textFrom * ratio, 2 * ratio, (WIDTH - 3) * ratio, (HEIGHT - 2) * ratio],
    },
  };
}
