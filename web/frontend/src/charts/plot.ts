/** From values to places on a drawing: nothing here knows of a page. */
export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Rect {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Values from 0 up to the first round number at or above the largest: about `wanted` steps. */
export function ticks(largest: number, wanted = 4): number[] {
  if (!(largest > 0)) return [0, 1];
  const rough = largest / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 2.5, 5, 10].find((each) => each * power >= rough * (1 - 1e-9)) ?? 10) * power;
  const count = Math.ceil(largest / step - 1e-9);
  return Array.from({ length: count + 1 }, (_, n) => Number((n * step).toPrecision(12)));
}

/** Where each of n values has its room, from left to right. */
export function slots(n: number, box: Box): Rect[] {
  const width = n > 0 ? box.width / n : 0;
  return Array.from({ length: n }, (_, i) => ({
    x: box.left + i * width,
    y: box.top,
    width,
    height: box.height,
  }));
}

/** A bar for each value, standing on zero; null where a value is unknown. */
export function bars(
  values: readonly (number | null)[],
  largest: number,
  box: Box,
  gap = 0.2,
): (Rect | null)[] {
  return slots(values.length, box).map((slot, i) => {
    const value = values[i];
    if (value === null || value === undefined) return null;
    const height = largest > 0 ? (Math.min(value, largest) / largest) * box.height : 0;
    const space = Math.min(slot.width * gap, 8);
    return {
      x: slot.x + space / 2,
      y: box.top + box.height - height,
      width: Math.max(slot.width - space, 1),
      height,
    };
  });
}

/** A line through the middles of the slots; it breaks where a value is unknown. */
export function line(values: readonly (number | null)[], largest: number, box: Box): string {
  const places = slots(values.length, box);
  let path = "";
  let drawing = false;
  values.forEach((value, i) => {
    const slot = places[i];
    if (value === null || !slot) {
      drawing = false;
      return;
    }
    const x = slot.x + slot.width / 2;
    const y = box.top + box.height * (1 - (largest > 0 ? Math.min(value, largest) / largest : 0));
    path += `${drawing ? "L" : "M"}${round(x)} ${round(y)}`;
    drawing = true;
  });
  return path;
}

/** Every how many slots a label fits, so that none touches the next. */
export function labelEvery(n: number, width: number, labelWidth: number): number {
  const most = Math.max(1, Math.floor(width / labelWidth));
  const needed = Math.ceil(n / most);
  return [1, 2, 3, 4, 6, 7, 8, 12, 14, 24, 28, 48, 56].find((each) => each >= needed) ?? needed;
}

/** The slot under a place on the drawing; the nearest where it lies outside. */
export function slotAt(x: number, n: number, box: Box): number {
  return Math.min(n - 1, Math.max(0, Math.floor(((x - box.left) / box.width) * n)));
}

/** A stretch of time on a strip that shows another; null where it lies outside. */
export function stretch(
  fromMs: number,
  untilMs: number,
  startMs: number,
  endMs: number,
  box: Box,
): Rect | null {
  const from = Math.max(fromMs, startMs);
  const until = Math.min(untilMs, endMs);
  if (until <= from || endMs <= startMs) return null;
  const scale = box.width / (endMs - startMs);
  return {
    x: box.left + (from - startMs) * scale,
    y: box.top,
    width: Math.max((until - from) * scale, 1),
    height: box.height,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
