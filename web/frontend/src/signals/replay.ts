/** Three minutes of a drive looked at: before and after on two canvases, moved by one clock. */
import { h, replace, write } from "../shell/dom";
import { text } from "../shell/text";
import {
  countedAt,
  inside,
  lampOf,
  reaches,
  seenAt,
  shownAt,
  trackOf,
  type Box,
  type ReplayDocument,
  type Side,
  type Track,
} from "./replay_model";

const SIDES: readonly Side[] = ["before", "after"];
const SPEEDS = [1, 2, 5, 10];
const AROUND_M = 110;
const WHOLE_MARGIN_M = 40;
const CAR_M = { length: 4.6, width: 1.9 };
/** Fewer pixels a metre: lamps would be smaller than a dot. */
const LAMPS_FROM = 0.9;
const ROW_S = 30;

interface View {
  readonly canvas: HTMLCanvasElement;
  readonly words: HTMLElement;
  readonly tracks: readonly Track[];
}

export class Replay {
  readonly element = h("div", { class: "replay" });
  private readonly views: Readonly<Record<Side, View>>;
  private readonly still = window.matchMedia("(prefers-reduced-motion: reduce)");
  private readonly endS: number;
  private readonly slider: HTMLInputElement;
  private readonly play: HTMLButtonElement;
  private readonly place: HTMLSelectElement;
  private readonly rows = h("tbody", {});
  private box: Box;
  private lanes: ReplayDocument["lanes"] = [];
  private atS = 0;
  private speed = 1;
  private playing = false;
  private before: number | null = null;

  constructor(
    private readonly found: ReplayDocument,
    titles: ReadonlyMap<string, string>,
    first: string | null,
  ) {
    this.endS = found.until_s - found.from_s - 1;
    const view = (side: Side): View => ({
      canvas: h("canvas", { class: "replay-canvas", role: "img", "aria-label": text(`signals.replay_of_${side}`) }),
      words: h("p", { class: "item-facts", "data-side": side }),
      tracks: found[side].vehicles.map(trackOf),
    });
    this.views = { before: view("before"), after: view("after") };
    this.slider = h("input", { type: "range", class: "replay-slider", id: "replay-at", min: 0, max: this.endS, step: 1, value: 0, "aria-label": text("signals.replay_second") });
    this.slider.addEventListener("input", () => this.show(Number(this.slider.value)));
    this.play = h("button", { class: "button button-primary", type: "button", id: "replay-play", onclick: () => this.run(!this.playing) });
    const speed = h("select", { class: "input", id: "replay-speed" }, ...SPEEDS.map((each) => h("option", { value: each }, `${each}×`)));
    speed.addEventListener("change", () => (this.speed = Number(speed.value)));
    this.place = h(
      "select",
      { class: "input", id: "replay-place" },
      h("option", { value: "" }, text("signals.replay_whole")),
      ...Object.keys(found.heads).map((name) => h("option", { value: name }, (titles.get(name) ?? name) === name ? name : `${name} ${titles.get(name)}`)),
    );
    this.place.value = first !== null && first in found.heads ? first : "";
    this.place.addEventListener("change", () => this.look());
    this.box = this.boxOf(this.place.value);
    this.element.append(
      h(
        "div",
        { class: "replay-tools" },
        this.play,
        h("div", {}, h("label", { class: "label", for: "replay-speed" }, text("signals.replay_speed")), speed),
        h("div", {}, h("label", { class: "label", for: "replay-place" }, text("signals.replay_place")), this.place),
      ),
      this.slider,
      h("div", { class: "replay-sides" }, ...SIDES.map((side) => h("figure", { class: "replay-side" }, h("figcaption", {}, h("strong", {}, text(`signals.drive_${side}`)), this.views[side].words), this.views[side].canvas))),
      h("p", { class: "note" }, text("signals.replay_note")),
      h(
        "details",
        {},
        h("summary", {}, text("signals.replay_words")),
        h("div", { class: "table-box" }, h("table", { class: "table" }, h("thead", {}, h("tr", {}, ...(["signals.replay_time", "signals.drive_before", "signals.drive_after"] as const).map((key) => h("th", { scope: "col" }, text(key))))), this.rows)),
      ),
    );
    new ResizeObserver(() => this.draw()).observe(this.views.before.canvas);
    this.look();
    this.run(false);
  }

  stop(): void {
    this.run(false);
  }

  private run(playing: boolean): void {
    this.playing = playing;
    this.before = null;
    write(this.play, text(playing ? "signals.replay_pause" : "signals.replay_play"));
    if (!playing) return;
    if (this.atS >= this.endS) this.show(0);
    requestAnimationFrame((now) => this.tick(now));
  }

  private tick(nowMs: number): void {
    if (!this.playing || !this.element.isConnected) return;
    // A hidden tab gets no frames: what passed meanwhile is not caught up with.
    const passed = this.before === null ? 0 : Math.min((nowMs - this.before) / 1000, 0.25);
    this.before = nowMs;
    this.show(Math.min(this.atS + passed * this.speed, this.endS));
    if (this.atS >= this.endS) this.run(false);
    else requestAnimationFrame((now) => this.tick(now));
  }

  private show(atS: number): void {
    const second = Math.floor(atS) !== Math.floor(this.atS);
    this.atS = atS;
    // Where motion is to be little, cars stand where they are each second instead of gliding.
    if (second || !this.still.matches) this.draw();
  }

  private look(): void {
    this.box = this.boxOf(this.place.value);
    this.lanes = this.found.lanes.filter(([, line]) => reaches(this.box, line));
    const rows: HTMLElement[] = [];
    for (let at = 0; at <= this.endS; at += ROW_S) {
      rows.push(h("tr", {}, h("th", { scope: "row" }, this.clock(at)), ...SIDES.map((side) => h("td", {}, this.words(side, at)))));
    }
    replace(this.rows, ...rows);
    this.draw();
  }

  private boxOf(signal: string): Box {
    const heads = this.found.heads[signal];
    const lines = heads ? heads.map(([, line]) => line) : this.found.lanes.map(([, line]) => line);
    const xs = lines.flatMap((line) => line.filter((_, i) => i % 2 === 0)).map((each) => each / 10);
    const ys = lines.flatMap((line) => line.filter((_, i) => i % 2 === 1)).map((each) => each / 10);
    if (heads) {
      const stops = heads.map(([, line]) => line.slice(-2));
      const x = stops.reduce((sum, at) => sum + (at[0] ?? 0) / 10, 0) / stops.length;
      const y = stops.reduce((sum, at) => sum + (at[1] ?? 0) / 10, 0) / stops.length;
      return { left: x - AROUND_M, right: x + AROUND_M, bottom: y - AROUND_M, top: y + AROUND_M };
    }
    const least = (values: readonly number[]): number => values.reduce((a, b) => Math.min(a, b), Infinity) - WHOLE_MARGIN_M;
    const most = (values: readonly number[]): number => values.reduce((a, b) => Math.max(a, b), -Infinity) + WHOLE_MARGIN_M;
    return { left: least(xs), right: most(xs), bottom: least(ys), top: most(ys) };
  }

  private clock(atS: number): string {
    const whole = Math.floor(this.found.from_s + atS);
    return `${Math.floor(whole / 60)}:${String(whole % 60).padStart(2, "0")}`;
  }

  private words(side: Side, atS: number): string {
    const { there, standing } = countedAt(this.views[side].tracks, Math.floor(atS), this.box);
    return text("signals.replay_counts", { there, standing });
  }

  private draw(): void {
    this.slider.value = String(Math.floor(this.atS));
    this.slider.setAttribute("aria-valuetext", this.clock(this.atS));
    for (const side of SIDES) {
      const words = `${this.clock(this.atS)} · ${this.words(side, this.atS)}`;
      if (this.views[side].words.textContent !== words) write(this.views[side].words, words);
      this.paint(side);
    }
  }

  private paint(side: Side): void {
    const { canvas, tracks } = this.views[side];
    const pen = canvas.getContext("2d");
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (!pen || width === 0) return;
    const dense = window.devicePixelRatio || 1;
    if (canvas.width !== Math.round(width * dense)) canvas.width = Math.round(width * dense);
    if (canvas.height !== Math.round(height * dense)) canvas.height = Math.round(height * dense);
    const { left, right, bottom, top } = this.box;
    const scale = Math.min(width / (right - left), height / (top - bottom));
    const style = getComputedStyle(canvas);
    const colour = (name: string): string => style.getPropertyValue(name).trim();
    pen.setTransform(dense, 0, 0, dense, 0, 0);
    pen.fillStyle = colour("--map-land");
    pen.fillRect(0, 0, width, height);
    // Metres from here on, north up.
    const k = dense * scale;
    pen.setTransform(k, 0, 0, -k, dense * (width / 2 - ((left + right) / 2) * scale), dense * (height / 2 + ((bottom + top) / 2) * scale));
    this.paintLanes(pen, scale, colour("--map-street"), colour("--map-casing"));
    if (scale >= LAMPS_FROM) this.paintLamps(pen, side, scale, colour);
    const atS = this.still.matches ? Math.floor(this.atS) : this.atS;
    paintCars(pen, tracks, atS, this.box, scale, colour("--ink"));
  }

  private paintLanes(pen: CanvasRenderingContext2D, scale: number, street: string, casing: string): void {
    pen.lineCap = "butt";
    for (const [extra, stroke] of [[2, casing], [0, street]] as const) {
      pen.strokeStyle = stroke;
      for (const [lane, line] of this.lanes) {
        pen.lineWidth = Math.max(lane || 3.2, 1.2 / scale) + extra / scale;
        trace(pen, line);
      }
    }
  }

  private paintLamps(pen: CanvasRenderingContext2D, side: Side, scale: number, colour: (name: string) => string): void {
    for (const [signal, heads] of Object.entries(this.found.heads)) {
      const shown = shownAt(this.found[side].lamps[signal] ?? [], this.atS);
      const beside = new Map<string, number>();
      const many = new Map<string, number>();
      for (const [, line] of heads) many.set(line.join(), (many.get(line.join()) ?? 0) + 1);
      for (const [group, line] of heads) {
        const [x, y] = [(line.at(-2) ?? 0) / 10, (line.at(-1) ?? 0) / 10];
        if (!inside(this.box, x, y)) continue;
        const key = line.join();
        const place = beside.get(key) ?? 0;
        beside.set(key, place + 1);
        const heading = Math.atan2(y - (line.at(-3) ?? 0) / 10, x - (line.at(-4) ?? 0) / 10);
        paintLamp(pen, x, y, heading, shown[group] ?? "", { place, of: many.get(key) ?? 1 }, scale, colour);
      }
    }
  }
}

function trace(pen: CanvasRenderingContext2D, line: readonly number[]): void {
  pen.beginPath();
  for (let i = 0; i + 1 < line.length; i += 2) pen.lineTo((line[i] ?? 0) / 10, (line[i + 1] ?? 0) / 10);
  pen.stroke();
}

/** Red lies across the lane, green ahead of it, yellow across in dashes: told apart without colour. */
function paintLamp(
  pen: CanvasRenderingContext2D,
  x: number,
  y: number,
  heading: number,
  letter: string,
  beside: { readonly place: number; readonly of: number },
  scale: number,
  colour: (name: string) => string,
): void {
  const lamp = lampOf(letter);
  if (lamp === "dark" || !letter) return;
  const across = 2.8 / beside.of;
  const middle = (beside.place - (beside.of - 1) / 2) * across;
  pen.save();
  pen.translate(x, y);
  pen.rotate(heading);
  pen.lineWidth = Math.max(1.1, 2.5 / scale);
  pen.strokeStyle = colour({ go: "--accent", change: "--warning", stop: "--danger" }[lamp]);
  pen.beginPath();
  if (lamp === "go") {
    pen.moveTo(0, middle);
    pen.lineTo(6, middle);
  } else {
    if (lamp === "change") pen.setLineDash([0.7, 0.5]);
    pen.moveTo(0, middle - across * 0.45);
    pen.lineTo(0, middle + across * 0.45);
  }
  pen.stroke();
  pen.restore();
}

/** Moving cars are filled, standing ones hollow. */
function paintCars(pen: CanvasRenderingContext2D, tracks: readonly Track[], atS: number, box: Box, scale: number, ink: string): void {
  const length = Math.max(CAR_M.length, 3.5 / scale);
  const width = Math.max(CAR_M.width, 2 / scale);
  pen.fillStyle = pen.strokeStyle = ink;
  pen.lineWidth = Math.max(0.35, 1 / scale);
  for (const track of tracks) {
    const seen = seenAt(track, atS);
    if (!seen || !inside(box, seen.x, seen.y)) continue;
    pen.save();
    pen.translate(seen.x, seen.y);
    pen.rotate(seen.heading);
    // Where a vehicle is, is its front.
    if (seen.stands) pen.strokeRect(-length, -width / 2, length, width);
    else pen.fillRect(-length, -width / 2, length, width);
    pen.restore();
  }
}
