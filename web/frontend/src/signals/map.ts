/** The junctions of a network on their roads, in the network's own plane; chosen by click or key. */
import { h, replace, svg } from "../shell/dom";
import { text } from "../shell/text";
import type { NetworkDetail, Point } from "./types";

const AROUND = 36;
const LEVELS: Readonly<Record<string, string>> = { A: "good", B: "good", C: "good", D: "fair", E: "poor", F: "bad" };

export class NetworkMap {
  private network: NetworkDetail | null = null;
  private names: ReadonlyMap<string, string> = new Map();
  private chosen: string | null = null;
  private street: readonly string[] = [];
  private width = 0;
  private height = 0;

  constructor(
    private readonly element: HTMLElement,
    private readonly pick: (signal: string) => void,
  ) {
    new ResizeObserver(() => {
      if (element.clientWidth !== this.width || element.clientHeight !== this.height) this.draw();
    }).observe(element);
  }

  show(network: NetworkDetail, names: ReadonlyMap<string, string>): void {
    this.network = network;
    this.names = names;
    this.draw();
  }

  mark(chosen: string | null, street: readonly string[]): void {
    this.chosen = chosen;
    this.street = street;
    this.draw();
  }

  private draw(): void {
    const network = this.network;
    this.width = this.element.clientWidth;
    this.height = this.element.clientHeight;
    if (!network || this.width === 0 || network.signals.length === 0) return;
    const focused = this.element.contains(document.activeElement)
      ? (document.activeElement as HTMLElement).dataset["signal"]
      : undefined;
    // A single junction still shows the beginnings of its roads.
    const xs = network.signals.map((each) => each.x_m);
    const ys = network.signals.map((each) => each.y_m);
    const middle: Point = [(Math.min(...xs) + Math.max(...xs)) / 2, (Math.min(...ys) + Math.max(...ys)) / 2];
    const scale = Math.min(
      (this.width - 2 * AROUND) / Math.max(Math.max(...xs) - Math.min(...xs), 260),
      (this.height - 2 * AROUND) / Math.max(Math.max(...ys) - Math.min(...ys), 260),
    );
    const at = (x: number, y: number): [number, number] => [
      this.width / 2 + (x - middle[0]) * scale,
      this.height / 2 - (y - middle[1]) * scale,
    ];
    const path = (line: readonly (readonly number[])[]): string =>
      `M${line.map((point) => at(point[0] ?? 0, point[1] ?? 0).map((each) => each.toFixed(1)).join(" ")).join("L")}`;
    const small = network.signals.length > 60;
    const roads = (stroke: string, extra: number): SVGElement[] =>
      network.roads.map((road) =>
        svg("path", { d: path(road.line as number[][]), fill: "none", stroke, "stroke-width": Math.max(1.2 * road.lanes, 1.5) + extra, "stroke-linecap": "round" }),
      );
    const places = new Map(network.signals.map((each) => [each.name, at(each.x_m, each.y_m)]));
    const along = this.street.flatMap((name) => {
      const place = places.get(name);
      return place ? [place.map((each) => each.toFixed(1)).join(",")] : [];
    });
    replace(
      this.element,
      svg(
        "svg",
        { class: "network-drawing", width: this.width, height: this.height, viewBox: `0 0 ${this.width} ${this.height}`, role: "group", "aria-label": text("signals.map") },
        ...roads("var(--map-casing)", 2),
        ...roads("var(--map-street)", 0),
        along.length > 1
          ? svg("polyline", { points: along.join(" "), fill: "none", stroke: "var(--accent)", "stroke-opacity": 0.45, "stroke-width": 9, "stroke-linejoin": "round", "stroke-linecap": "round" })
          : null,
        ...network.signals.map((signal) => {
          const [x, y] = places.get(signal.name) ?? [0, 0];
          const level = signal.outlook?.level ?? null;
          const number = this.street.indexOf(signal.name);
          const radius = small ? 7 : 12;
          const title = this.names.get(signal.name) ?? signal.name;
          const words = level ? text("signals.level_of", { level }) : text("signals.level_unknown");
          return svg(
            "g",
            {
              class: `network-signal level-${LEVELS[level ?? ""] ?? "unknown"}`,
              role: "button",
              tabindex: 0,
              "data-signal": signal.name,
              "aria-pressed": String(this.chosen === signal.name || number >= 0),
              "aria-label": `${title}, ${words}${number >= 0 ? `, ${text("signals.street_place", { n: number + 1 })}` : ""}`,
              onclick: () => this.pick(signal.name),
              onkeydown: (event) => {
                const key = (event as KeyboardEvent).key;
                if (key !== "Enter" && key !== " ") return;
                event.preventDefault();
                this.pick(signal.name);
              },
            },
            svg("title", {}, `${title} · ${words}`),
            svg("circle", { class: "network-reach", cx: x, cy: y, r: Math.max(radius, 14) }),
            this.chosen === signal.name ? svg("circle", { class: "network-chosen", cx: x, cy: y, r: radius + 4 }) : null,
            svg("circle", { class: "network-dot", cx: x, cy: y, r: radius }),
            small ? null : svg("text", { class: "network-level", x, y: y + 4.5, "text-anchor": "middle" }, number >= 0 ? String(number + 1) : (level ?? "–")),
          );
        }),
      ),
    );
    if (focused !== undefined) {
      this.element.querySelector<SVGElement>(`[data-signal="${CSS.escape(focused)}"]`)?.focus();
    }
  }
}

/** The levels that the map shows, in words. */
export function legend(): HTMLElement {
  return h(
    "ul",
    { class: "level-legend" },
    ...(["good", "fair", "poor", "bad", "unknown"] as const).map((level) =>
      h("li", {}, h("span", { class: `level-swatch level-${level}`, "aria-hidden": "true" }), text(`signals.legend.${level}`)),
    ),
  );
}
