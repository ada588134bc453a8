/** Who asked for priority, what was done, what came of it: on the duty page and a junction's own. */
import { read } from "../api/client";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { byId, h, replace } from "../shell/dom";
import { poll } from "../shell/poll";
import { emptyState, errorState } from "../shell/states";
import { counted, named, text, wholeNumber } from "../shell/text";
import type { GroupWords } from "../signals/groups";
import type { Lights } from "./lights";
import type { PriorityEffects, PriorityRequest, PriorityRequests, PriorityTurn, PriorityTurns } from "./types";

const EVERY_MS = 3_000;
const SHOWN = 10;

export function stateTag(each: PriorityRequest): HTMLElement {
  const kind = each.state === "passed" ? "tag tag-good" : each.state === "coming" ? "tag tag-warning" : "tag";
  const mark = each.state === "passed" ? "✓" : each.state === "coming" ? "●" : "–";
  return h("span", { class: kind }, `${mark} ${named("priority.state", each.state)}`);
}

/** Class and name; an emergency vehicle is told by word and mark, not by colour. */
export function vehicleWords(each: PriorityRequest): string {
  return `${each.kind === "emergency" ? "▲ " : ""}${named("priority.kind", each.kind)} ${each.vehicle}`;
}

export function loadWords(each: PriorityRequest, words: GroupWords): string {
  const group = text("priority.group", { group: words.of(each.group) });
  if (each.kind === "emergency") return group;
  const late =
    each.lateness_s === null
      ? text("priority.late_unknown")
      : text(each.lateness_s < 0 ? "priority.early" : "priority.late", { s: wholeNumber(Math.abs(each.lateness_s)) });
  const load = each.passengers === null ? text("priority.load_unknown") : counted("priority.aboard", each.passengers);
  return `${group} · ${late} · ${load}`;
}

export function doneWords(each: PriorityRequest): string {
  if (each.act === null) return text("priority.undecided");
  if (each.act === "none") return each.reason === null ? named("priority.act", "none") : text("priority.nothing", { why: each.reason });
  const others = each.others_s ?? 0;
  return text("priority.done", {
    act: named("priority.act", each.act),
    stage: each.stage ?? "?",
    s: wholeNumber(each.by_s ?? 0),
    sooner: wholeNumber(each.sooner_s ?? 0),
    others: text(others >= 0 ? "priority.others_lose" : "priority.others_gain", { s: wholeNumber(Math.abs(others)) }),
  });
}

function outcomeWords(each: PriorityRequest): string | null {
  if (each.gained_s === null) return null;
  return each.gained_s >= 0
    ? text("priority.gained", { s: wholeNumber(each.gained_s) })
    : text("priority.lost", { s: wholeNumber(-each.gained_s) });
}

/** All that is known of one request. */
export function requestFacts(each: PriorityRequest, words: GroupWords): HTMLElement {
  const outcome = outcomeWords(each);
  return h(
    "div",
    {},
    h("p", { class: "item-facts" }, loadWords(each, words)),
    h("p", { class: "duty-what" }, doneWords(each)),
    outcome === null ? null : h("p", {}, outcome),
    h(
      "p",
      { class: "item-facts" },
      [
        text("priority.asked", { at: exactly(instant(each.checked_in_at)) }),
        text("priority.arrives", { at: exactly(instant(each.arrives_at)) }),
        each.checked_out_at === null ? null : text("priority.passed", { at: exactly(instant(each.checked_out_at)) }),
      ]
        .filter(Boolean)
        .join(" · "),
    ),
  );
}

/** What it did over the last day: a vehicle's gain beside what others were foretold to lose. */
export function effectTable(found: PriorityEffects): HTMLElement | null {
  if (found.items.length === 0) return null;
  const unknown = text("duty.unknown");
  return h(
    "section",
    {},
    h("h2", {}, text("priority.effect")),
    ...found.items.map((each) =>
      h(
        "div",
        {},
        h("h3", {}, named("priority.kind", each.kind)),
        h(
          "dl",
          { class: "facts" },
          fact(text("priority.asked_n"), wholeNumber(each.asked)),
          fact(text("priority.served_n"), wholeNumber(each.served)),
          fact(text("priority.measured_n"), wholeNumber(each.measured)),
          fact(
            text("priority.gain"),
            each.gained_s === null ? unknown : text("duty.seconds", { s: each.gained_s.toFixed(1) }),
          ),
          fact(
            text("priority.cost"),
            each.others_s === null ? unknown : text("priority.person_seconds", { s: wholeNumber(each.others_s) }),
          ),
        ),
      ),
    ),
  );
}

function turnItem(each: PriorityTurn): HTMLElement {
  const good = each.status === "ended" || each.status === "gave_way";
  const open = each.ended_at === null;
  const tag = h(
    "span",
    { class: open ? "tag tag-warning" : good ? "tag tag-good" : "tag tag-danger" },
    `${open ? "●" : good ? "✓" : "▲"} ${named("priority.turn", each.status)}`,
  );
  return h(
    "li",
    { class: "duty-alarm" },
    h("p", {}, `${exactly(instant(each.began_at))} `, tag),
    h("ol", { class: "duty-steps" }, ...each.steps.map((step) => h("li", {}, step))),
  );
}

/** Priority at one junction: who comes, who came, and what its controller was asked for. */
export class PriorityPanel {
  private readonly place = byId("priority");
  private drawn = "";
  private wordsDrawn: GroupWords | null = null;

  constructor(
    private readonly network: string,
    private readonly signal: string,
    private readonly lights: Lights,
  ) {}

  start(): void {
    poll(() => this.load(), EVERY_MS);
  }

  private async load(): Promise<void> {
    const home = `/api/v1/signal-networks/${this.network}`;
    try {
      const [asked, orders] = await Promise.all([
        read<PriorityRequests>(`${home}/priority-requests`, { signal: this.signal, limit: SHOWN }),
        read<PriorityTurns>(`${home}/signals/${encodeURIComponent(this.signal)}/priority-orders`, { limit: SHOWN }),
      ]);
      this.draw(asked.items, orders.items);
    } catch (error) {
      this.drawn = "";
      replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private draw(asked: readonly PriorityRequest[], orders: readonly PriorityTurn[]): void {
    // What is open stays open: drawn anew where something has changed alone.
    const { words } = this.lights;
    const state = JSON.stringify([asked, orders]);
    if (state === this.drawn && words === this.wordsDrawn) return;
    this.drawn = state;
    this.wordsDrawn = words;
    const opened = this.place.querySelector("details")?.open ?? false;
    const holds = orders.some((each) => each.status === "holding");
    document.body.dataset["priority"] = holds ? "holding" : asked.length ? "known" : "none";
    replace(
      this.place,
      asked.length === 0
        ? emptyState(text("priority.empty"), text("priority.empty_advice"))
        : h(
            "ul",
            { class: "duty-alarms" },
            ...asked.map((each) =>
              h("li", { class: "duty-alarm" }, h("p", {}, h("strong", {}, vehicleWords(each)), " ", stateTag(each)), requestFacts(each, words)),
            ),
          ),
      orders.length === 0
        ? null
        : h("details", { open: opened }, h("summary", {}, text("priority.orders")), h("ul", { class: "duty-alarms" }, ...orders.map(turnItem))),
    );
  }
}
