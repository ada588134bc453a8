/** A chart: bars or a line over slots, read by pointer or arrow keys, with the same as a table. */
import { h, replace, svg, write } from "../shell/dom";
import { text } from "../shell/text";
import { bars, labelEvery, line, slotAt, slots, ticks, type Box } from "./plot";

export interface ChartData {
  readonly title: string;
  /** One a slot: short under the axis, long in the read-out and the table. */
  readonly short: readonly string[];
  readonly long: readonly string[];
  readonly values: readonly (number | null)[];
  readonly kind: "bars" | "line";
  /** The axis ends here at least; a share's at 1. */
  readonly atLeast?: number;
  readonly column: string;
  readonly format: (value: number) => string;
}

const HEIGHT = 220;
const BOTTOM = 24;
const TOP = 10;
const LEFT = 46;
const LABEL = 44;
let charts = 0;

export class Chart {
  readonly element: HTMLElement;
  private readonly drawing = h("div", {
    class: "chart-drawing",
    tabindex: 0,
    role: "img",
  });
  private readonly readout = h("p", { class: "chart-readout", "aria-live": "polite" });
  private readonly title = h("h2", {});
  private readonly rows = h("tbody", {});
  private readonly head = h("tr", {});
  private readonly hatch = `chart-hatch-${++charts}`;
  private data: ChartData | null = null;
  private at: number | null = null;
  private width = 0;

  constructor() {
    this.element = h(
      "figure",
      { class: "chart" },
      h("figcaption", { class: "chart-head" }, this.title, this.readout),
      this.drawing,
      h(
        "details",
        { class: "chart-table" },
        h("summary", {}, text("chart.table")),
        h("table", { class: "table" }, h("thead", {}, this.head), this.rows),
      ),
    );
    new ResizeObserver(() => this.draw()).observe(this.drawing);
    this.drawing.addEventListener("pointermove", (event) => this.point(event));
    this.drawing.addEventListener("pointerleave", () => this.show(null));
    this.drawing.addEventListener("keydown", (event) => this.step(event));
    this.drawing.addEventListener("blur", () => this.show(null));
  }

  update(data: ChartData): void {
    const at = this.data?.values.length === data.values.length ? this.at : null;
    this.data = data;
    write(this.title, data.title);
    replace(
      this.head,
      h("th", { scope: "col" }, text("chart.when")),
      h("th", { scope: "col" }, data.column),
    );
    replace(
      this.rows,
      ...data.values.map((value, i) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, data.long[i] ?? ""),
          h("td", { class: "number" }, this.words(value)),
        ),
      ),
    );
    this.width = 0;
    this.draw();
    this.show(at);
  }

  private words(value: number | null | undefined): string {
    return value === null || value === undefined ? text("chart.unknown") : (this.data?.format(value) ?? "");
  }

  private box(): Box {
    return {
      left: LEFT,
      top: TOP,
      width: Math.max(this.width - LEFT - 4, 1),
      height: HEIGHT - TOP - BOTTOM,
    };
  }

  private draw(): void {
    const data = this.data;
    const width = Math.round(this.drawing.clientWidth);
    if (!data || width === 0 || width === this.width) return;
    this.width = width;
    const box = this.box();
    const known = data.values.filter((value): value is number => value !== null);
    const steps = ticks(Math.max(data.atLeast ?? 0, ...known));
    const largest = steps[steps.length - 1] ?? 1;
    const places = slots(data.values.length, box);
    const every = labelEvery(data.values.length, box.width, LABEL);
    const drawing = svg(
      "svg",
      { width, height: HEIGHT, viewBox: `0 0 ${width} ${HEIGHT}`, "aria-hidden": "true" },
      svg(
        "defs",
        {},
        svg(
          "pattern",
          { id: this.hatch, width: 6, height: 6, patternUnits: "userSpaceOnUse" },
          svg("path", { d: "M-1 1l2-2M0 6l6-6M5 7l2-2", class: "chart-hatch" }),
        ),
      ),
      ...steps.flatMap((value) => {
        const y = box.top + box.height * (1 - value / largest);
        return [
          svg("line", { x1: LEFT, x2: width - 4, y1: y, y2: y, class: "chart-grid" }),
          svg("text", { x: LEFT - 6, y: y + 4, class: "chart-tick chart-tick-y" }, data.format(value)),
        ];
      }),
      ...data.values.map((value, i) => {
        const place = places[i];
        return value === null && place
          ? svg("rect", { ...place, fill: `url(#${this.hatch})` })
          : null;
      }),
      ...(data.kind === "bars"
        ? bars(data.values, largest, box).map((bar) =>
            bar ? svg("rect", { ...bar, class: "chart-bar" }) : null,
          )
        : [svg("path", { d: line(data.values, largest, box), class: "chart-line" })]),
      ...(data.kind === "line" ? this.lonely(data.values, largest, box) : []),
      ...data.short.map((label, i) => {
        const place = places[i];
        return i % every === 0 && place
          ? svg(
              "text",
              { x: place.x + place.width / 2, y: HEIGHT - 7, class: "chart-tick chart-tick-x" },
              label,
            )
          : null;
      }),
      svg("line", { class: "chart-cursor", y1: box.top, y2: box.top + box.height }),
    );
    replace(this.drawing, drawing);
    this.drawing.setAttribute("aria-label", this.summary());
  }

  /** Values between two unknown ones, which no line would show. */
  private lonely(values: readonly (number | null)[], largest: number, box: Box): (SVGElement | null)[] {
    return slots(values.length, box).map((slot, i) => {
      const value = values[i];
      const alone = (values[i - 1] ?? null) === null && (values[i + 1] ?? null) === null;
      if (value === null || value === undefined || !alone) return null;
      return svg("circle", {
        cx: slot.x + slot.width / 2,
        cy: box.top + box.height * (1 - value / largest),
        r: 3,
        class: "chart-dot",
      });
    });
  }

  private summary(): string {
    const data = this.data;
    const known = (data?.values ?? []).filter((value): value is number => value !== null);
    if (!data || known.length === 0) return text("chart.empty", { title: data?.title ?? "" });
    return text("chart.summary", {
      title: data.title,
      n: known.length,
      least: data.format(Math.min(...known)),
      most: data.format(Math.max(...known)),
    });
  }

  private point(event: PointerEvent): void {
    if (!this.data || this.data.values.length === 0) return;
    const x = event.clientX - this.drawing.getBoundingClientRect().left;
    this.show(slotAt(x, this.data.values.length, this.box()));
  }

  private step(event: KeyboardEvent): void {
    const n = this.data?.values.length ?? 0;
    const by = { ArrowLeft: -1, ArrowRight: 1, Home: -n, End: n }[event.key];
    if (by === undefined || n === 0) return;
    event.preventDefault();
    const from = this.at ?? (by > 0 ? -1 : n);
    this.show(Math.min(n - 1, Math.max(0, from + by)));
  }

  private show(at: number | null): void {
    this.at = at;
    const cursor = this.drawing.querySelector(".chart-cursor");
    const place = at === null ? undefined : slots(this.data?.values.length ?? 0, this.box())[at];
    cursor?.classList.toggle("is-shown", place !== undefined);
    if (at === null || !place) {
      write(this.readout, "");
      return;
    }
    const x = String(place.x + place.width / 2);
    cursor?.setAttribute("x1", x);
    cursor?.setAttribute("x2", x);
    write(this.readout, `${this.data?.long[at] ?? ""} · ${this.words(this.data?.values[at])}`);
  }
}
