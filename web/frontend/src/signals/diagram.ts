/** The time-space diagram: greens along a street, the bands through them, offsets to be dragged. */
import { h, replace, svg } from "../shell/dom";
import { text, wholeNumber } from "../shell/text";
import { bandAlong, commonCycleS, modulo, shownGreens, type Band, type StopGreens } from "./bands";
import { cycleS, greensOf } from "./stages";
import type { Plan, Street } from "./types";

const HEIGHT = 460;
const LEFT = 148;
const RIGHT = 16;
const TOP = 20;
const BOTTOM = 36;
const LANE = 7;
const CYCLES = 2;
const STEPS_S = [10, 20, 30, 60, 120];
/** The least room for a number below the diagram. */
const TICK = 36;
const KPH = 3.6;

export interface Bands {
  readonly cycleS: number | null;
  readonly outbound: Band;
  readonly inbound: Band;
}

/** A band between two neighbouring stops, in the order of driving. */
export interface LinkBand extends Band {
  readonly from: number;
  readonly to: number;
}

export interface DiagramListener {
  /** An offset is being moved: answer within a frame. */
  moved(signal: string, offsetS: number): void;
}

type Way = "outbound" | "inbound";

export class Diagram {
  readonly element = h("div", { class: "space-time" });
  private street: Street | null = null;
  private plans: ReadonlyMap<string, Plan> = new Map();
  private titles: ReadonlyMap<string, string> = new Map();
  private speeds: Readonly<Record<Way, number>> = { outbound: 50, inbound: 50 };
  private byLink = false;
  private width = 0;

  constructor(private readonly listener: DiagramListener) {
    new ResizeObserver(() => {
      const width = Math.round(this.element.clientWidth);
      if (width !== this.width) this.draw();
    }).observe(this.element);
  }

  show(
    street: Street,
    plans: ReadonlyMap<string, Plan>,
    titles: ReadonlyMap<string, string>,
    speeds: Readonly<Record<Way, number>>,
    byLink: boolean,
  ): void {
    this.byLink = byLink;
    this.street = street;
    this.plans = plans;
    this.titles = titles;
    this.speeds = speeds;
    this.draw();
  }

  /** The bands by the plans as they stand here, edited or not. */
  bands(): Bands {
    const stops = this.street?.stops ?? [];
    const cycle = stops.length ? commonCycleS(stops.map((stop) => this.cycleOf(stop.signal, stop.cycle_s))) : null;
    if (cycle === null) {
      const none = { widthS: 0, beginS: 0 };
      return { cycleS: null, outbound: none, inbound: none };
    }
    const along = (way: Way): Band => {
      const order = way === "outbound" ? stops : [...stops].reverse();
      const first = order[0]?.position_m ?? 0;
      return bandAlong(
        order.map((stop) => this.greens(stop.signal, way)),
        order.map((stop) => this.reachS(first, stop.position_m, way)),
        cycle,
      );
    };
    return { cycleS: cycle, outbound: along("outbound"), inbound: along("inbound") };
  }

  /** Each link's own widest band: what neighbouring greens have in common. */
  linkBands(way: Way): LinkBand[] {
    const stops = this.street?.stops ?? [];
    const cycle = stops.length ? commonCycleS(stops.map((stop) => this.cycleOf(stop.signal, stop.cycle_s))) : null;
    if (cycle === null) return [];
    return stops.slice(1).flatMap((there, i) => {
      const here = stops[i];
      if (!here) return [];
      const ends = way === "outbound" ? [here, there] : [there, here];
      const band = bandAlong(
        ends.map((stop) => this.greens(stop.signal, way)),
        [0, this.reachS(here.position_m, there.position_m, way)],
        cycle,
      );
      return [{ ...band, from: way === "outbound" ? i : i + 1, to: way === "outbound" ? i + 1 : i }];
    });
  }

  private reachS(from: number, to: number, way: Way): number {
    return (Math.abs(to - from) * KPH) / this.speeds[way];
  }

  private cycleOf(signal: string, otherwise: number): number {
    const plan = this.plans.get(signal);
    return plan ? cycleS(plan) : otherwise;
  }

  private greens(signal: string, way: Way): StopGreens | null {
    const stop = this.street?.stops.find((each) => each.signal === signal);
    const direction = stop?.[way];
    if (!stop || !direction) return null;
    const plan = this.plans.get(signal);
    return plan
      ? { cycleS: cycleS(plan), offsetS: plan.offset_s, greens: greensOf(plan, direction.group) }
      : { cycleS: stop.cycle_s, offsetS: stop.offset_s, greens: direction.greens as [number, number][] };
  }

  private draw(): void {
    const street = this.street;
    this.width = Math.round(this.element.clientWidth);
    if (!street || this.width === 0) return;
    const focused = this.element.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["signal"]
      : undefined;
    const bands = this.bands();
    const shownS = CYCLES * (bands.cycleS ?? Math.max(...street.stops.map((stop) => stop.cycle_s)));
    const last = street.stops[street.stops.length - 1]?.position_m ?? 1;
    const x = (s: number): number => LEFT + ((this.width - LEFT - RIGHT) * s) / shownS;
    const y = (m: number): number => HEIGHT - BOTTOM - ((HEIGHT - TOP - BOTTOM) * m) / Math.max(last, 1);
    const stepS = STEPS_S.find((step) => x(step) - x(0) >= TICK) ?? shownS;
    const grid = Array.from({ length: Math.floor(shownS / stepS) + 1 }, (_, i) => i * stepS);
    const drawing = svg(
      "svg",
      {
        class: "space-time-drawing",
        width: this.width,
        height: HEIGHT,
        viewBox: `0 0 ${this.width} ${HEIGHT}`,
        role: "group",
        "aria-label": text("signals.diagram"),
      },
      svg("defs", {}, svg("clipPath", { id: "space-time-clip" }, svg("rect", { x: LEFT, y: 0, width: Math.max(this.width - LEFT - RIGHT, 1), height: HEIGHT - BOTTOM + 8 }))),
      ...grid.flatMap((s) => [
        svg("line", { x1: x(s), x2: x(s), y1: TOP - 8, y2: HEIGHT - BOTTOM + 8, stroke: "var(--line)", "stroke-width": 1 }),
        svg("text", { x: x(s), y: HEIGHT - 10, "text-anchor": "middle", class: "space-time-tick", fill: "var(--muted)", "font-size": 12 }, wholeNumber(s)),
      ]),
      svg(
        "g",
        { "clip-path": "url(#space-time-clip)" },
        ...(this.byLink ? this.linkShapes(bands.cycleS, x, y, shownS) : []),
        ...this.bandShapes("outbound", bands, x, y, shownS),
        ...this.bandShapes("inbound", bands, x, y, shownS),
        ...street.stops.flatMap((stop) => this.stopShapes(stop.signal, y(stop.position_m), x, shownS, bands.cycleS)),
      ),
      ...street.stops.flatMap((stop) => [
        svg(
          "text",
          { x: LEFT - 12, y: y(stop.position_m) + 4, "text-anchor": "end", class: "space-time-name", fill: "var(--ink)", "font-size": 13 },
          shortened(this.titles.get(stop.signal) ?? stop.signal),
        ),
      ]),
      ...street.stops.map((stop) => this.handle(stop.signal, y(stop.position_m), x, shownS)),
    );
    replace(this.element, drawing);
    if (focused !== undefined) {
      this.element.querySelector<SVGElement>(`[data-signal="${CSS.escape(focused)}"]`)?.focus();
    }
  }

  private stopShapes(
    signal: string,
    at: number,
    x: (s: number) => number,
    shownS: number,
    common: number | null,
  ): SVGElement[] {
    const cycle = common ?? this.cycleOf(signal, shownS);
    return (["outbound", "inbound"] as const).flatMap((way, row) => {
      const top = row === 0 ? at - LANE : at + 1;
      const greens = this.greens(signal, way);
      const red = svg("rect", { x: x(0), y: top, width: x(shownS) - x(0), height: LANE - 1, fill: "var(--danger)", opacity: 0.55 });
      if (!greens) return [];
      const arcs = shownGreens(greens, cycle).flatMap(([begin, length]) =>
        Array.from({ length: Math.ceil(shownS / cycle) + 1 }, (_, turn) => {
          const from = Math.max(0, begin + (turn - 1) * cycle);
          const until = Math.min(shownS, begin + (turn - 1) * cycle + length);
          return until > from
            ? svg("rect", { x: x(from), y: top - 0.5, width: x(until) - x(from), height: LANE, fill: "var(--surface)", stroke: "var(--accent)", "stroke-width": 1 })
            : null;
        }).filter((each) => each !== null),
      );
      return [red, ...arcs];
    });
  }

  private bandShapes(
    way: Way,
    bands: Bands,
    x: (s: number) => number,
    y: (m: number) => number,
    shownS: number,
  ): SVGElement[] {
    const band = bands[way];
    const stops = this.street?.stops ?? [];
    const cycle = bands.cycleS;
    if (cycle === null || band.widthS <= 0) return [];
    const order = way === "outbound" ? stops : [...stops].reverse();
    const first = order[0]?.position_m ?? 0;
    const reach = order.map((stop) => this.reachS(first, stop.position_m, way));
    const back = Math.ceil((reach[reach.length - 1] ?? 0) / cycle) + 1;
    const colour = way === "outbound" ? "var(--accent)" : "var(--information)";
    return Array.from({ length: Math.ceil(shownS / cycle) + back }, (_, turn) => {
      const begin = band.beginS + (turn - back) * cycle;
      const front = order.map((stop, i) => `${x(begin + (reach[i] ?? 0)).toFixed(1)},${y(stop.position_m).toFixed(1)}`);
      const rear = order
        .map((stop, i) => `${x(begin + band.widthS + (reach[i] ?? 0)).toFixed(1)},${y(stop.position_m).toFixed(1)}`)
        .reverse();
      return svg("polygon", { points: [...front, ...rear].join(" "), fill: colour, "fill-opacity": 0.2, stroke: colour, "stroke-width": 1 });
    });
  }

  private linkShapes(cycle: number | null, x: (s: number) => number, y: (m: number) => number, shownS: number): SVGElement[] {
    const stops = this.street?.stops ?? [];
    if (cycle === null) return [];
    return (["outbound", "inbound"] as const).flatMap((way) =>
      this.linkBands(way).flatMap((band) => {
        const here = stops[band.from];
        const there = stops[band.to];
        if (!here || !there || band.widthS <= 0) return [];
        const driven = this.reachS(here.position_m, there.position_m, way);
        const back = Math.ceil((driven + band.widthS) / cycle);
        const colour = way === "outbound" ? "var(--accent)" : "var(--information)";
        return Array.from({ length: Math.ceil(shownS / cycle) + back }, (_, turn) => {
          const begin = band.beginS + (turn - back) * cycle;
          const corners = [
            [begin, here],
            [begin + driven, there],
            [begin + driven + band.widthS, there],
            [begin + band.widthS, here],
          ] as const;
          return svg("polygon", {
            class: "space-time-link",
            points: corners.map(([s, stop]) => `${x(s).toFixed(1)},${y(stop.position_m).toFixed(1)}`).join(" "),
            fill: colour,
            "fill-opacity": 0.14,
            stroke: colour,
            "stroke-width": 1,
            "stroke-dasharray": "4 3",
          });
        });
      }),
    );
  }

  private handle(signal: string, at: number, x: (s: number) => number, shownS: number): SVGElement {
    const plan = this.plans.get(signal);
    const stop = this.street?.stops.find((each) => each.signal === signal);
    const whole = this.cycleOf(signal, stop?.cycle_s ?? shownS);
    const offset = plan?.offset_s ?? stop?.offset_s ?? 0;
    const name = this.titles.get(signal) ?? signal;
    const knob = svg(
      "g",
      {
        class: "space-time-handle",
        tabindex: 0,
        role: "slider",
        "data-signal": signal,
        "aria-label": text("signals.offset_of", { signal: name }),
        "aria-valuemin": 0,
        "aria-valuemax": Math.ceil(whole) - 1,
        "aria-valuenow": offset,
        "aria-valuetext": text("signals.seconds", { n: offset }),
      },
      svg("rect", { x: x(offset) - 14, y: at - 22, width: 28, height: 44, fill: "transparent" }),
      svg("path", { d: `M${x(offset)} ${at - 11}v22`, stroke: "var(--ink)", "stroke-width": 2 }),
      svg("circle", { cx: x(offset), cy: at, r: 6, fill: "var(--surface)", stroke: "var(--ink)", "stroke-width": 2 }),
    );
    const perSecond = x(1) - x(0);
    knob.addEventListener("pointerdown", (down) => {
      down.preventDefault();
      const from = down.clientX;
      knob.focus();
      // The knob is drawn anew with each move: the window keeps the drag.
      const move = (event: PointerEvent): void => {
        const seconds = Math.round((event.clientX - from) / perSecond);
        this.listener.moved(signal, modulo(offset + seconds, whole));
      };
      const end = (): void => {
        removeEventListener("pointermove", move);
        removeEventListener("pointerup", end);
        removeEventListener("pointercancel", end);
      };
      addEventListener("pointermove", move);
      addEventListener("pointerup", end);
      addEventListener("pointercancel", end);
    });
    knob.addEventListener("keydown", (event) => {
      const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, PageDown: -10, PageUp: 10 };
      const step = steps[event.key];
      if (step === undefined) return;
      event.preventDefault();
      this.listener.moved(signal, modulo(offset + step, whole));
    });
    return knob;
  }
}

function shortened(name: string): string {
  const most = /[\u4e00-\u9fff]/.test(name) ? 9 : 18;
  return name.length > most ? `${name.slice(0, most - 1)}…` : name;
}
