/** A junction drawn from its ways: the turning arrows of a stage, on screen and on the sheet. */
import { svg } from "../shell/dom";
import type { Model, Movement, Point } from "./types";

const AROUND_M = 12;

interface Box {
  readonly west: number;
  readonly south: number;
  readonly size: number;
}

function points(movement: Movement): readonly Point[] {
  return movement.path.flatMap((piece) => piece.shape);
}

function boxOf(movements: readonly Movement[]): Box {
  const all = movements.flatMap((movement) => [...points(movement)]);
  const xs = all.map(([x]) => x);
  const ys = all.map(([, y]) => y);
  const west = Math.min(...xs);
  const south = Math.min(...ys);
  const size = Math.max(Math.max(...xs) - west, Math.max(...ys) - south, 1);
  return {
    west: west - AROUND_M - (size - (Math.max(...xs) - west)) / 2,
    south: south - AROUND_M - (size - (Math.max(...ys) - south)) / 2,
    size: size + 2 * AROUND_M,
  };
}

/** Roads up to the stop lines, and the ways of those who go; who waits is drawn faintly. */
export function stageDiagram(model: Model, groups: ReadonlySet<string>, label: string, px = 148): SVGElement {
  const junction = model.junctions[0];
  const movements = junction?.movements ?? [];
  if (!movements.some((movement) => points(movement).length > 1)) {
    return svg("svg", { width: px, height: px, role: "img", "aria-label": label });
  }
  const box = boxOf(movements);
  const scale = px / box.size;
  const at = ([x, y]: Point): string =>
    `${((x - box.west) * scale).toFixed(1)} ${(px - (y - box.south) * scale).toFixed(1)}`;
  const line = (shape: readonly Point[]): string => `M${shape.map(at).join("L")}`;
  const lanes = model.roads.flatMap((road) => road.lanes);
  const goes = movements.filter((movement) => groups.has(movement.group));
  const walks = (movement: Movement): boolean => movement.kind === "pedestrian";
  return svg(
    "svg",
    { class: "stage-diagram", width: px, height: px, viewBox: `0 0 ${px} ${px}`, role: "img", "aria-label": label },
    ...lanes.map((lane) =>
      svg("path", { d: line(lane.shape), fill: "none", stroke: "var(--map-casing)", "stroke-width": Math.max(2.6 * scale, 1.5), "stroke-linecap": "butt" }),
    ),
    ...movements
      .filter((movement) => !groups.has(movement.group))
      .map((movement) =>
        svg("path", { d: line(points(movement)), fill: "none", stroke: "var(--line)", "stroke-width": 1 }),
      ),
    ...goes.filter(walks).map((movement) =>
      svg("path", { d: line(points(movement)), fill: "none", stroke: "var(--accent)", "stroke-width": 4, "stroke-dasharray": "3 2.5" }),
    ),
    ...goes
      .filter((movement) => !walks(movement))
      .flatMap((movement) => {
        const shape = points(movement);
        const bike = movement.kind === "bicycle";
        return [
          svg("path", { d: line(shape), fill: "none", stroke: bike ? "var(--information)" : "var(--ink)", "stroke-width": bike ? 1.4 : 2 }),
          arrowHead(shape, at, bike ? "var(--information)" : "var(--ink)", bike ? 4 : 6),
        ];
      }),
  );
}

function arrowHead(shape: readonly Point[], at: (point: Point) => string, colour: string, size: number): SVGElement {
  const coordinates = (point: Point): [number, number] => at(point).split(" ").map(Number) as [number, number];
  const [endX, endY] = coordinates(shape[shape.length - 1] ?? [0, 0]);
  const [beforeX, beforeY] = coordinates(shape[shape.length - 2] ?? [0, 0]);
  const length = Math.hypot(endX - beforeX, endY - beforeY) || 1;
  const [ux, uy] = [(endX - beforeX) / length, (endY - beforeY) / length];
  const corner = (ahead: number, aside: number): string =>
    `${(endX + ux * ahead - uy * aside).toFixed(1)},${(endY + uy * ahead + ux * aside).toFixed(1)}`;
  return svg("polygon", { points: [corner(size * 0.6, 0), corner(-size, size * 0.6), corner(-size, -size * 0.6)].join(" "), fill: colour });
}
