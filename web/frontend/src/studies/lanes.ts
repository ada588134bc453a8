/** Lanes as their sign shows them: from the middle to the kerb, as a driver sees them. */
import { h, svg } from "../shell/dom";
import { named, text, wholeNumber } from "../shell/text";
import { windOf } from "../signals/groups";
import { changed, faultOf, serves, toggled } from "./functions";
import type { Approach, Functions, Way } from "./types";

const WIDTH = 44;
const HEIGHT = 64;
/** Heads of arrows: from the shaft's foot, where each turn leads. */
const HEADS: Readonly<Record<string, readonly [string, string]>> = {
  straight: ["M22 56V14", "22,6 15,18 29,18"],
  left: ["M22 56V36Q22 26 12 26", "4,26 15,19 15,33"],
  partial_left: ["M22 56V34L13 20", "8,12 9,25 19,19"],
  right: ["M22 56V36Q22 26 32 26", "40,26 29,19 29,33"],
  partial_right: ["M22 56V34L31 20", "36,12 35,25 25,19"],
  u_turn: ["M26 56V24Q26 14 18 14T10 24V34", "10,44 3,32 17,32"],
};

/** Where an approach's traffic comes from, in words. */
export function fromWords(approach: Approach): string {
  return text(`studies.from_${windOf(approach.bearing_deg)}`);
}

export function turnWords(way: Way): string {
  return named("studies.turn", way.turn);
}

/** A lane's sign: white arrows on blue. */
export function laneSign(ways: readonly Way[], label: string): SVGElement {
  const turns = [...new Set(ways.map((way) => way.turn))];
  return svg(
    "svg",
    { class: "lane-sign", width: WIDTH, height: HEIGHT, viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": label },
    svg("rect", { class: "lane-sign-plate", x: 1, y: 1, width: WIDTH - 2, height: HEIGHT - 2, rx: 4 }),
    ...turns.flatMap((turn) => {
      const [shaft, head] = HEADS[turn] ?? HEADS["straight"] ?? ["", ""];
      return [svg("path", { class: "lane-sign-shaft", d: shaft }), svg("polygon", { class: "lane-sign-head", points: head })];
    }),
  );
}

/** Lanes of an approach side by side, the middle of the road at the left. */
export function laneRow(functions: Functions): HTMLElement {
  return h(
    "div",
    { class: "lane-row" },
    ...functions.map((ways, i) => laneSign(ways, laneWords(i, functions.length, ways))).reverse(),
  );
}

function laneWords(place: number, count: number, ways: readonly Way[]): string {
  return text("studies.lane_is", { n: count - place, turns: ways.map(turnWords).join(", ") || "–" });
}

/** An approach whose lanes' turns are pressed on and off. */
export function approachCard(
  approach: Approach,
  functions: Functions,
  mayChange: boolean,
  chosen: (functions: Functions) => void,
): HTMLElement {
  const fault = faultOf(approach, functions);
  const count = functions.length;
  const flows = approach.ways
    .map((way) => `${turnWords(way)} ${way.flow_vph === null ? "–" : wholeNumber(way.flow_vph)}`)
    .reverse()
    .join(" · ");
  const lanes = functions.map((ways, i) => {
    const n = count - i;
    return h(
      "div",
      { class: "lane-choice" },
      h("p", { class: "lane-number" }, text("studies.lane", { n })),
      laneSign(ways, laneWords(i, count, ways)),
      ...[...approach.ways].reverse().map((way) =>
        h(
          "button",
          {
            class: "lane-turn",
            type: "button",
            disabled: !mayChange,
            id: `turn-${approach.road}-${i}-${way.turn}-${way.to_road}`,
            "aria-pressed": String(serves(ways, way)),
            "aria-label": text("studies.turn_of_lane", { turn: turnWords(way), n, road: way.to_road }),
            onclick: () => chosen(toggled(functions, i, way)),
          },
          turnWords(way),
        ),
      ),
    );
  });
  return h(
    "section",
    { class: `approach-card${changed(approach, functions) ? " approach-changed" : ""}`, "aria-label": fromWords(approach), "data-road": approach.road },
    h("h3", {}, fromWords(approach), " ", changed(approach, functions) ? h("span", { class: "tag tag-warning" }, text("studies.changed")) : null),
    h("p", { class: "item-facts" }, `${approach.road} · ${flows} ${text("studies.vph")}`),
    h("div", { class: "lane-choices" }, ...lanes.reverse()),
    h("p", { class: "form-problem", role: "status", hidden: fault === null }, fault ? text(`studies.fault_${fault}`) : ""),
  );
}
