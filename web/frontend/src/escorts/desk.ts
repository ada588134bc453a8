/** The list of routes, and one of them: its junctions, what holds them, its log. */
import { act, actKey, read } from "../api/client";
import type { components } from "../api/schema";
import { table } from "../duty/words";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { showForm } from "../shell/form";
import { emptyState, errorState } from "../shell/states";
import { counted, named, text, wholeNumber } from "../shell/text";
import { toast } from "../shell/toast";
import { draftForm } from "./draft";

type Schemas = components["schemas"];
type Row = Schemas["EscortRowOut"];
type Escort = Schemas["EscortOut"];
type Stop = Schemas["EscortStopOut"];
type Act = "approval" | "start" | "end" | "withdrawal";

const HOME = "/api/v1/signal-escorts";
const SHOWN = 100;
const STATUS_TAGS: Readonly<Record<Row["status"], string>> = {
  draft: "tag",
  approved: "tag tag-good",
  running: "tag tag-warning",
  over: "tag",
  withdrawn: "tag",
};
const STATUS_MARKS: Readonly<Record<Row["status"], string>> = { draft: "…", approved: "✓", running: "●", over: "■", withdrawn: "×" };

export class EscortDesk {
  private readonly place = byId("rows");
  private readonly desk = new Desk(this.place, () => this.draw());
  private items: readonly Row[] = [];
  private known = false;
  private drawn = "";

  constructor() {
    byId("draft").addEventListener("click", () => void draftForm((made) => this.drafted(made)));
  }

  async start(): Promise<void> {
    await this.load();
  }

  async load(): Promise<void> {
    try {
      this.items = (await read<Schemas["EscortsOut"]>(HOME, { limit: SHOWN })).items;
      this.known = true;
      this.desk.wasRead();
      this.draw();
      document.body.dataset["escorts"] = String(this.items.length);
      const open = this.items.find((each) => each.id === this.desk.shown);
      if (open?.status === "running") this.show(await read<Escort>(`${HOME}/${open.id}`));
    } catch (error) {
      if (!this.known) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private async drafted(id: string): Promise<void> {
    await this.load();
    this.open(id);
  }

  private draw(): void {
    if (!this.known) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(text("escorts.none"), text("escorts.none_advice"))
        : h("ul", { class: "duty-list" }, ...this.items.map((each) => h("li", {}, this.row(each)))),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(each: Row): HTMLElement {
    return this.desk.row(
      each.id,
      () => this.open(each.id),
      h("span", { class: "desk-top" }, h("strong", {}, each.name), statusTag(each.status)),
      h(
        "span",
        { class: "item-facts" },
        `${counted("escorts.junctions", each.junctions)} · ${text("escorts.passed", { n: each.passed })} · ${text("escorts.drafted", { who: each.drafted_name, at: exactly(instant(each.drafted_at)) })}`,
      ),
    );
  }

  private open(id: string): void {
    const row = this.items.find((each) => each.id === id);
    void this.desk.open(id, row?.name ?? "", async () => this.whole(await read<Escort>(`${HOME}/${id}`)));
  }

  /** Buttons that are drawn anew each second can be neither focused nor pressed. */
  private show(found: Escort): void {
    const state = JSON.stringify([found.status, found.stops, found.log.length, found.known]);
    if (state === this.drawn || this.desk.shown !== found.id) return;
    replace(byId("case-content"), this.whole(found));
  }

  private whole(found: Escort): HTMLElement {
    this.drawn = JSON.stringify([found.status, found.stops, found.log.length, found.known]);
    document.body.dataset["escort"] = found.status;
    return h(
      "div",
      { class: "case case-plain" },
      h(
        "section",
        { class: "panel-section" },
        h("p", { class: "tags" }, statusTag(found.status)),
        h(
          "dl",
          { class: "facts" },
          fact(text("escorts.where"), this.where(found)),
          fact(text("escorts.lead"), text("duty.seconds", { s: found.lead_s })),
          fact(text("escorts.speed"), `${wholeNumber(found.speed_kph)} km/h`),
          fact(text("escorts.tail"), `${wholeNumber(found.tail_m)} m`),
          fact(text("escorts.device"), found.subject ?? text("escorts.by_desk")),
          fact(text("escorts.approved"), found.approved_name ?? "–"),
        ),
        this.acts(found),
      ),
      h("section", { class: "panel-section" }, h("h3", {}, text("escorts.stops")), this.stops(found)),
      h("section", { class: "panel-section" }, h("h3", {}, text("escorts.log")), this.log(found)),
    );
  }

  private where(found: Escort): string {
    if (found.status !== "running") return "–";
    if (found.located_at === null) return text("escorts.not_told");
    const along = text("escorts.along", { m: wholeNumber(found.along_m), at: exactly(instant(found.located_at)) });
    return found.known ? along : text("escorts.lost", { last: along });
  }

  private acts(found: Escort): HTMLElement {
    const button = (what: Act, primary = false): HTMLElement =>
      h(
        "button",
        { class: primary ? "button button-primary" : "button", type: "button", "data-escort": what, onclick: () => this.ask(found, what) },
        named("escorts.act", what),
      );
    const shown: (HTMLElement | null)[] =
      found.status === "draft"
        ? [found.mine ? h("span", { class: "note" }, text("escorts.other_approves")) : button("approval", true), button("withdrawal")]
        : found.status === "approved"
          ? [button("start", true), button("withdrawal")]
          : found.status === "running"
            ? [button("end", true)]
            : [];
    return h("p", { class: "panel-acts" }, ...shown);
  }

  /** Signals move by it: the consequence is said first. */
  private ask(found: Escort, what: Act): void {
    const key = actKey();
    showForm({
      title: `${found.name} · ${named("escorts.act", what)}`,
      parts: [h("p", {}, named("escorts.means", what))],
      submit: named("escorts.act", what),
      send: async () => {
        const done = await act<Escort>("POST", `${HOME}/${found.id}/${what}`, {}, key);
        replace(byId("case-content"), this.whole(done));
        await this.load();
        return named("escorts.status", done.status);
      },
    });
  }

  private stops(found: Escort): HTMLElement {
    return table(
      ["#", text("escorts.junction"), text("escorts.group"), text("escorts.at_m"), text("escorts.state"), text("escorts.order")],
      found.stops.map((each) => [
        String(each.place + 1),
        each.signal,
        each.group,
        `${wholeNumber(each.along_m)} m`,
        stopState(each),
        found.status === "running" ? this.stopAct(found, each) : null,
      ]),
      text("escorts.stops"),
    );
  }

  private stopAct(found: Escort, stop: Stop): HTMLElement | null {
    if (stop.state === "behind") return null;
    const held = stop.state === "asked" || stop.state === "held";
    const way = held ? "return" : "hold";
    return h(
      "button",
      { class: "button", type: "button", "data-stop": `${way}-${stop.place}`, onclick: () => void this.order(found, stop, way) },
      named("escorts.stop", way),
    );
  }

  /** An officer at the desk orders one junction: at once, for seconds count; the route was approved. */
  private async order(found: Escort, stop: Stop, way: "hold" | "return"): Promise<void> {
    try {
      const done = await act<Escort>("POST", `${HOME}/${found.id}/stops/${stop.place}/${way}`, {}, actKey());
      replace(byId("case-content"), this.whole(done));
    } catch (error) {
      toast(error instanceof Error ? error.message : text("escorts.failed"));
    }
  }

  private log(found: Escort): HTMLElement {
    return h(
      "div",
      {},
      h(
        "p",
        {},
        found.log_broken_at === null
          ? h("span", { class: "tag tag-good" }, `✓ ${text("escorts.sealed")}`)
          : h("span", { class: "tag tag-danger" }, `▲ ${text("escorts.broken", { n: found.log_broken_at })}`),
      ),
      h(
        "ol",
        { class: "duty-steps" },
        ...found.log.map((each) =>
          h("li", {}, `${exactly(instant(each.at))} · ${named("escorts.what", each.what)}${detailWords(found, each.detail)}`),
        ),
      ),
    );
  }
}

function statusTag(status: Row["status"]): HTMLElement {
  return h("span", { class: STATUS_TAGS[status] }, `${STATUS_MARKS[status]} ${named("escorts.status", status)}`);
}

function stopState(stop: Stop): HTMLElement {
  const held = stop.state === "held";
  const words = named("escorts.stop_state", stop.state);
  const until = (held || stop.state === "asked") && stop.until_at ? ` ${text("escorts.until", { at: exactly(instant(stop.until_at)) })}` : "";
  return h("span", { class: held ? "tag tag-good" : stop.state === "asked" ? "tag tag-warning" : "tag" }, `${held ? "✓ " : ""}${words}${until}`);
}

function detailWords(found: Escort, detail: Readonly<Record<string, unknown>>): string {
  const place = detail["place"];
  const signal = typeof place === "number" ? found.stops[place]?.signal : undefined;
  const why = detail["why"];
  return [signal, typeof why === "string" ? why : undefined]
    .filter((each) => each !== undefined)
    .map((each) => ` · ${each}`)
    .join("");
}
