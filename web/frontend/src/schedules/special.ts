/** Special days in the form of a new schedule: events that bring traffic, works that close lanes, days run like others. */
import { read } from "../api/client";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, row, typedNumber } from "../shell/form";
import { text } from "../shell/text";
import type { Model, SignalDetail } from "../signals/types";
import { kindWords } from "./words";

const CLASSES = ["mon", "tue", "wed", "thu", "fri", "sat", "sun", "holiday", "make-up"];
const WHATS = ["event", "works", "runs"] as const;
const SHOWN_ROWS = 5;

type What = (typeof WHATS)[number];

/** A road that leads to the junctions, and its lanes there. */
interface Approach {
  readonly road: string;
  readonly lanes: readonly string[];
}

/** What the route takes (docs/signals.md): empty members are left out. */
export interface SpecialDaysDocument {
  readonly name: string;
  readonly first: string;
  readonly last: string;
  readonly runs?: string;
  readonly factors?: Readonly<Record<string, number>>;
  readonly closed_lanes?: readonly string[];
  readonly start?: string;
  readonly end?: string;
}

export class SpecialDaysPart {
  readonly element: HTMLElement;
  private readonly items = h("div", {});
  private readonly blocks: { readonly element: HTMLElement; read(): SpecialDaysDocument }[] = [];
  private made = 0;

  /** `signals`: those chosen when special days are added. */
  constructor(
    private readonly network: string,
    private readonly signals: () => readonly string[],
  ) {
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const add = h(
      "button",
      {
        class: "button",
        type: "button",
        id: "special-add",
        onclick: () => {
          add.disabled = true;
          problem.hidden = true;
          this.add()
            .catch(() => {
              problem.hidden = false;
              replace(problem, text("schedules.special.no_roads"));
            })
            .finally(() => {
              add.disabled = false;
            });
        },
      },
      text("schedules.special.add"),
    );
    this.element = h(
      "section",
      { class: "form-part", "aria-label": text("schedules.special.title") },
      h("p", { class: "label" }, text("schedules.special.title")),
      h("p", { class: "hint" }, text("schedules.special.hint")),
      this.items,
      problem,
      add,
    );
  }

  read(): readonly SpecialDaysDocument[] {
    return this.blocks.map((each) => each.read());
  }

  private async add(): Promise<void> {
    const approaches = await approachesOf(this.network, this.signals());
    const place = (this.made += 1);
    const id = (name: string): string => `special-${place}-${name}`;
    const name = field("", { maxlength: 60, required: true });
    const first = field("", { type: "date", required: true });
    const last = field("", { type: "date" });
    const what = choice(WHATS.map((each) => [each, text(`schedules.special.${each}`)] as const));
    const start = field("", { type: "time", step: 900 });
    const end = field("", { type: "time", step: 900 });
    const roads = h(
      "select",
      { class: "input", multiple: true, size: Math.min(SHOWN_ROWS, approaches.length) },
      ...approaches.map((each) => h("option", { value: each.road }, each.road)),
    );
    const times = field(1.5, { type: "number", min: 0, max: 10, step: 0.1 });
    const lanes = h(
      "select",
      { class: "input", multiple: true, size: SHOWN_ROWS },
      ...approaches.map((each) =>
        h("optgroup", { label: each.road }, ...each.lanes.map((lane) => h("option", { value: lane }, lane))),
      ),
    );
    const classes = choice(CLASSES.map((each) => [each, kindWords(each)] as const));
    const parts: Readonly<Record<What, HTMLElement>> = {
      event: h(
        "div",
        {},
        labelled(id("roads"), text("schedules.special.roads"), roads),
        labelled(id("times"), text("schedules.special.times"), times),
      ),
      works: labelled(id("lanes"), text("schedules.special.lanes"), lanes),
      runs: labelled(id("runs"), text("schedules.special.runs_like"), classes),
    };
    const hours = row(
      labelled(id("start"), text("schedules.special.start"), start, text("schedules.special.whole_day")),
      labelled(id("end"), text("schedules.special.end"), end),
    );
    const chosen = (): What => what.value as What;
    // What is hidden must not keep the form from being sent.
    const showParts = (): void => {
      for (const each of WHATS) parts[each].hidden = each !== chosen();
      roads.required = chosen() === "event";
      times.required = chosen() === "event";
      lanes.required = chosen() === "works";
      hours.hidden = chosen() === "runs";
    };
    what.addEventListener("change", showParts);
    showParts();
    const element = h(
      "fieldset",
      { class: "special-days" },
      h("legend", {}, text("schedules.special.number", { n: place })),
      labelled(id("name"), text("schedules.special.name"), name),
      row(
        labelled(id("first"), text("schedules.special.first"), first),
        labelled(id("last"), text("schedules.special.last"), last),
      ),
      labelled(id("what"), text("schedules.special.what"), what),
      parts.event,
      parts.works,
      parts.runs,
      hours,
      h("p", { class: "form-part" }, h("button", { class: "button", type: "button", onclick: () => this.remove(element) }, text("schedules.special.remove"))),
    );
    this.blocks.push({
      element,
      read: () => {
        const days = { name: name.value, first: first.value, last: last.value || first.value };
        if (chosen() === "runs") return { ...days, runs: classes.value };
        const during = { ...days, ...(start.value ? { start: start.value } : {}), ...(end.value ? { end: end.value } : {}) };
        if (chosen() === "works") return { ...during, closed_lanes: selected(lanes) };
        return { ...during, factors: Object.fromEntries(selected(roads).map((road) => [road, typedNumber(times) ?? 1])) };
      },
    });
    this.items.append(element);
    name.focus();
  }

  private remove(element: HTMLElement): void {
    const at = this.blocks.findIndex((each) => each.element === element);
    if (at >= 0) this.blocks.splice(at, 1);
    element.remove();
  }
}

function selected(select: HTMLSelectElement): string[] {
  return [...select.selectedOptions].map((each) => each.value);
}

async function approachesOf(network: string, signals: readonly string[]): Promise<Approach[]> {
  const details = await Promise.all(
    signals.map((each) => read<SignalDetail>(`/api/v1/signal-networks/${network}/signals/${encodeURIComponent(each)}`)),
  );
  const lanes = new Map<string, string[]>();
  for (const { model } of details) {
    const before = beforeStopLines(model);
    for (const road of model.roads) {
      const found = road.lanes.map((lane) => lane.name).filter((lane) => before.has(lane));
      if (found.length) lanes.set(road.name, found);
    }
  }
  if (lanes.size === 0) throw new Error("no junction is chosen");
  return [...lanes].map(([road, found]) => ({ road, lanes: found })).sort((a, b) => a.road.localeCompare(b.road));
}

function beforeStopLines(model: Model): Set<string> {
  return new Set(model.junctions.flatMap((junction) => junction.movements.map((movement) => movement.from_lane)));
}
