/** What a study found: the sides beside each other, in words, in figures, in stages. */
import { h } from "../shell/dom";
import { text, wholeNumber } from "../shell/text";
import { round } from "../signals/editor";
import { GroupWords } from "../signals/groups";
import { stageDiagram } from "../signals/junction";
import { stagesOf } from "../signals/stages";
import type { Model, Plan, Report } from "../signals/types";
import { reportView } from "../signals/words";
import { fromWords, laneRow } from "./lanes";
import type { Approach, Side, Study, StudyDetail, WithoutSignal } from "./types";

type Name = "in_force" | "as_it_is" | "changed";

const LEAST_S = 0.5;

/** One sentence: what the change does, held against the best plan with the lanes as they are. */
export function inWords(study: Study): string {
  const found = study.result;
  if (!found) return "";
  const before = found.as_it_is ?? found.in_force;
  if (study.functions === null) return withoutWords(found.without_signal, before);
  if (!found.changed) return text("studies.no_plan");
  if (!before) return text("studies.only_changed", { n: round(found.changed.outlook.delay_s) });
  const gain = before.outlook.delay_s - found.changed.outlook.delay_s;
  const holes = { before: round(before.outlook.delay_s), after: round(found.changed.outlook.delay_s), by: round(Math.abs(gain)) };
  if (Math.abs(gain) < LEAST_S) return text("studies.no_difference", holes);
  return text(gain > 0 ? "studies.better" : "studies.worse", holes);
}

function withoutWords(found: WithoutSignal | null, before: Side | null): string {
  if (!found) return text("studies.not_judged");
  const asked = text(found.signal_asked_for ? "studies.asked_for" : "studies.not_asked_for");
  if (found.over_capacity) return `${asked} ${text("studies.over_capacity")}`;
  return `${asked} ${text("studies.would_wait", { n: round(found.delay_s ?? 0), longest: round(found.longest_approach_delay_s ?? 0), before: before ? round(before.outlook.delay_s) : "–" })}`;
}

/** All that a study found. */
export function resultView(detail: StudyDetail, approaches: readonly Approach[]): HTMLElement {
  const { study, documents } = detail;
  const found = study.result;
  if (!found) return h("div", {});
  const names: Name[] = study.functions === null ? ["in_force", "as_it_is"] : ["in_force", "as_it_is", "changed"];
  const sides = names.flatMap((name) => (found[name] ? [{ name, side: found[name] }] : []));
  return h(
    "div",
    {},
    h("p", { class: "study-words" }, inWords(study)),
    figures(sides, study.functions === null ? found.without_signal : null),
    study.functions === null ? withoutView(found.without_signal) : changesView(study, approaches),
    approachTable(sides, approaches),
    h(
      "div",
      { class: "study-sides" },
      ...sides.map(({ name, side }) =>
        h("section", { "aria-label": text(`studies.side_${name}`) }, h("h3", {}, text(`studies.side_${name}`)), stages(documents[name]), reportView(side.report as unknown as Report)),
      ),
    ),
    h("p", { class: "note" }, text("studies.how", { demand: `${found.demand} · ${found.source}` })),
  );
}

interface Named {
  readonly name: Name;
  readonly side: Side;
}

function figures(sides: readonly Named[], without: WithoutSignal | null): HTMLElement {
  const rows: [string, (side: Side) => string, string][] = [
    [text("studies.delay"), (side) => text("signals.seconds", { n: round(side.outlook.delay_s) }), without ? (without.delay_s === null ? "–" : text("signals.seconds", { n: round(without.delay_s) })) : ""],
    [text("signals.level"), (side) => (side.outlook.level ? `${side.outlook.level} · ${text("signals.grade", { n: side.outlook.grade ?? 0 })}` : "–"), without?.level ?? ""],
    [text("studies.saturation"), (side) => round(side.outlook.saturation * 100) + " %", "–"],
    [text("studies.cycle"), (side) => text("signals.seconds", { n: round(side.cycle_s) }), "–"],
    [text("studies.safety"), (side) => (side.report["safe"] ? `✓ ${text("signals.safe")}` : `✕ ${text("signals.unsafe")}`), text("studies.no_lamps")],
  ];
  return h(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-label": text("studies.figures") },
    h(
      "table",
      { class: "table study-figures" },
      h("thead", {}, h("tr", {}, h("td", {}), ...sides.map(({ name }) => h("th", { scope: "col" }, text(`studies.side_${name}`))), without ? h("th", { scope: "col" }, text("studies.side_none")) : null)),
      h(
        "tbody",
        {},
        ...rows.map(([heading, figure, other]) =>
          h("tr", {}, h("th", { scope: "row" }, heading), ...sides.map(({ side }) => h("td", {}, figure(side))), without ? h("td", {}, other) : null),
        ),
      ),
    ),
  );
}

function changesView(study: Study, approaches: readonly Approach[]): HTMLElement {
  return h(
    "div",
    { class: "study-changes" },
    ...Object.entries(study.functions ?? {}).map(([road, functions]) => {
      const approach = approaches.find((each) => each.road === road);
      return h(
        "section",
        { class: "approach-card" },
        h("h3", {}, approach ? fromWords(approach) : road),
        h(
          "div",
          { class: "lane-change" },
          approach ? laneRow(approach.functions) : null,
          h("span", { class: "lane-arrow", role: "img", "aria-label": text("studies.becomes") }, "→"),
          laneRow(functions),
        ),
      );
    }),
  );
}

function withoutView(found: WithoutSignal | null): HTMLElement | null {
  if (!found) return null;
  const facts = [
    text("studies.right_of_way", { roads: found.roads_with_right_of_way.join(", "), n: wholeNumber(found.greater_road_vph) }),
    text("studies.lesser", { n: wholeNumber(found.lesser_approach_vph) }),
    found.asked_vph ? text("studies.line", { greater: wholeNumber(found.asked_vph[0] ?? 0), lesser: wholeNumber(found.asked_vph[1] ?? 0) }) : text("studies.no_line"),
    text("studies.left_to_people", { crossing: found.crossing_ways, merging: found.merging_ways, walking: found.crossings_on_foot }),
    text("studies.not_in_it"),
  ];
  return h("ul", { class: "difference-list" }, ...facts.map((fact) => h("li", {}, fact)));
}

/** Delay and degree of saturation by approach, side by side. */
function approachTable(sides: readonly Named[], approaches: readonly Approach[]): HTMLElement {
  const cell = (side: Side, approach: Approach): string => {
    const lanes = side.outlook.lanes.filter((each) => approach.lanes.includes(each.lane));
    const flow = lanes.reduce((sum, each) => sum + each.flow_vph, 0);
    if (flow <= 0) return "–";
    const delay = lanes.reduce((sum, each) => sum + each.delay_s * each.flow_vph, 0) / flow;
    const full = Math.max(...lanes.map((each) => each.saturation));
    return `${text("signals.seconds", { n: round(delay) })} · ${Math.round(full * 100)} %`;
  };
  return h(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-label": text("studies.by_approach") },
    h(
      "table",
      { class: "table study-figures" },
      h("caption", { class: "table-caption" }, text("studies.by_approach")),
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, text("studies.approach")), ...sides.map(({ name }) => h("th", { scope: "col" }, text(`studies.side_${name}`))))),
      h("tbody", {}, ...approaches.map((approach) => h("tr", {}, h("th", { scope: "row" }, fromWords(approach)), ...sides.map(({ side }) => h("td", {}, cell(side, approach)))))),
    ),
  );
}

function stages(document: unknown): HTMLElement {
  const model = document as Model & { readonly plans?: readonly Plan[] };
  const plan = model.plans?.[0];
  const words = new GroupWords(model);
  return h(
    "ol",
    { class: "stage-cards" },
    ...(plan ? stagesOf(plan) : []).map((stage, i) =>
      h(
        "li",
        { class: "stage-card" },
        h("p", { class: "stage-name" }, text("signals.stage", { n: i + 1 })),
        stageDiagram(model, new Set(stage.groups), text("signals.stage_groups", { groups: words.list(stage.groups) }), 112),
        h("p", { class: "item-facts" }, text("signals.seconds", { n: round(stage.greenS) })),
      ),
    ),
  );
}
