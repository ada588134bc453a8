/** A junction's flows filled from counts: which hour of which days, and where each figure comes from. */
import { read } from "../api/client";
import type { components } from "../api/schema";
import { h, replace, write } from "../shell/dom";
import { choice, labelled } from "../shell/form";
import { problemText } from "../shell/states";
import { counted, text } from "../shell/text";
import type { Approach, Way } from "./types";

type Counted = components["schemas"]["CountedFlowsOut"];
type Turn = components["schemas"]["CountedTurnOut"];

const HOURS = 24;
const USUAL_HOUR = "8";
const PERCENT = 100;

export interface FlowField {
  readonly approach: Approach;
  readonly way: Way;
  readonly input: HTMLInputElement;
  /** Says beneath the input where its figure comes from. */
  readonly origin: HTMLElement;
}

/** Where a turn's figure comes from, and what is not known of it. */
export function originWords(turn: Turn | undefined): string {
  if (!turn || turn.source === null) return text("studies.not_counted");
  return [
    counted(turn.source === "table" ? "studies.by_table" : "studies.by_detectors", turn.days),
    turn.parted === "demand" || turn.parted === "even" ? text(`studies.parted_${turn.parted}`) : "",
    turn.imputed > 0 ? text("studies.imputed", { n: Math.max(Math.round(turn.imputed * PERCENT), 1) }) : "",
  ]
    .filter(Boolean)
    .join("; ");
}

/** The part of the dialog that fills it: inputs without a count stay as they are, and say so. */
export function fillFromCounts(signal: string, fields: readonly FlowField[], source: HTMLInputElement): HTMLElement {
  const days = choice([["working", text("studies.days_working")], ["free", text("studies.days_free")]], "working");
  const hour = choice(Array.from({ length: HOURS }, (_, n) => [String(n), `${n}:00–${n + 1}:00`] as const), USUAL_HOUR);
  const said = h("p", { class: "note", role: "status" });
  const fill = async (): Promise<void> => {
    try {
      const found = await read<Counted>(`${signal}/counted-flows`, { days: days.value, hour: hour.value });
      const known = found.turns.filter((each) => each.source !== null);
      for (const each of fields) {
        const turn = found.turns.find((other) => other.from_road === each.approach.road && other.to_road === each.way.to_road);
        if (turn?.flow_vph != null) each.input.value = String(Math.round(turn.flow_vph * 10) / 10);
        replace(each.origin, originWords(turn));
      }
      if (known.length) {
        const kinds = [...new Set(known.map((each) => text(each.source === "table" ? "studies.source_table" : "studies.source_detectors")))].join(" + ");
        source.value = text("studies.counted_source", { kinds, days: text(`studies.days_${found.days}`), hour: `${found.hour}:00–${found.hour + 1}:00` });
      }
      write(said, known.length ? text("studies.filled", { n: known.length, of: fields.length }) : text("studies.nothing_counted"));
    } catch (error) {
      write(said, problemText(error));
    }
  };
  for (const each of fields) each.input.addEventListener("input", () => replace(each.origin, text("studies.by_hand")));
  return h(
    "fieldset",
    { class: "count-fill" },
    h("legend", {}, text("studies.from_counts")),
    h(
      "div",
      { class: "count-choice" },
      labelled("counted-days", text("studies.days"), days),
      labelled("counted-hour", text("studies.hour"), hour),
      h("button", { class: "button", type: "button", id: "fill-counts", onclick: () => void fill() }, text("studies.fill")),
    ),
    said,
  );
}
