/** Orders by hand at one junction: what holds it, until when, and a new one in two steps. */
import { act, actKey, read } from "../api/client";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { byId, h, replace } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { poll } from "../shell/poll";
import { errorState } from "../shell/states";
import { counted, named, text } from "../shell/text";
import type { Lights } from "./lights";
import type { Override, Overrides } from "./types";

const EVERY_MS = 1_000;
const SHOWN = 10;
const STAGED = ["hold", "step", "stage"] as const;
const MODES = ["flashing", "all_red", "dark"] as const;
type Effect = Override["effect"];
/** Seconds that are offered; the server judges each. */
const STAGE_TIMES = [20, 30, 60, 120, 300, 900];
const RED_TIMES = [20, 60, 120, 300];
const MODE_TIMES = [300, 900, 1_800, 3_600, 4 * 3_600, 8 * 3_600];

export class OverridePanel {
  private readonly place = byId("override");
  private drawn = "";

  constructor(
    private readonly home: string,
    private readonly signal: string,
    private readonly mayAct: boolean,
    private readonly lights: Lights,
  ) {}

  start(): void {
    poll(() => this.load(), EVERY_MS);
  }

  private async load(): Promise<void> {
    try {
      const found = await read<Overrides>(`${this.home}/overrides`, { limit: SHOWN });
      this.draw(found);
    } catch (error) {
      this.drawn = "";
      replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private draw(found: Overrides): void {
    const holds = found.items.find((each) => each.ended_at === null);
    const known = this.lights.seen?.state === "known";
    const left = holds ? Math.max(Math.round((instant(holds.until_at) - instant(found.now)) / 1_000), 0) : 0;
    // Buttons that are drawn anew each second can be neither focused nor pressed.
    const state = JSON.stringify([found.items, known]);
    if (state !== this.drawn) {
      this.drawn = state;
      replace(
        this.place,
        holds ? this.holding(holds) : h("p", { class: "note" }, text("override.none")),
        this.mayAct && known ? this.acts(holds) : null,
        found.items.length ? this.past(found.items) : null,
      );
    }
    document.body.dataset["override"] = holds?.status ?? "none";
    const place = document.getElementById("override-left");
    if (place) place.textContent = counted("override.left", left);
  }

  private holding(holds: Override): HTMLElement {
    return h(
      "div",
      { class: "override-now", role: "status" },
      h("p", { class: "duty-what" }, h("strong", {}, effectWords(holds)), " ", statusTag(holds)),
      h("p", { id: "override-left", class: "override-left", "aria-live": "off" }),
      h(
        "p",
        { class: "item-facts" },
        text("override.by", { who: holds.proposed_name, at: exactly(instant(holds.until_at)) }),
        ` · ${holds.reason}`,
      ),
      this.mayAct && holds.released_at === null
        ? h("button", { class: "button", type: "button", "data-override-end": holds.id, onclick: () => this.end(holds) }, text("override.end"))
        : null,
    );
  }

  private acts(holds: Override | undefined): HTMLElement {
    return h(
      "p",
      { class: "panel-acts" },
      ...[...STAGED, ...MODES].map((effect) =>
        h(
          "button",
          { class: "button", type: "button", "data-override": effect, onclick: () => this.ask(effect, holds) },
          named("override.effect", effect),
        ),
      ),
    );
  }

  private past(items: readonly Override[]): HTMLElement {
    return h(
      "details",
      {},
      h("summary", {}, text("override.past")),
      h(
        "ul",
        { class: "duty-alarms" },
        ...items.map((each) =>
          h(
            "li",
            { class: "duty-alarm" },
            h("p", {}, `${exactly(instant(each.proposed_at))} · ${effectWords(each)} `, statusTag(each)),
            h("p", { class: "item-facts" }, `${each.proposed_name} · ${each.reason}`),
            each.steps.length ? h("ol", { class: "duty-steps" }, ...each.steps.map((step) => h("li", {}, step))) : null,
          ),
        ),
      ),
    );
  }

  /** First step: what, how long, why; the server judges it and says until when. */
  private ask(effect: Effect, holds: Override | undefined): void {
    const seen = this.lights.seen;
    const times = effect === "all_red" ? RED_TIMES : STAGED.some((each) => each === effect) ? STAGE_TIMES : MODE_TIMES;
    const long = choice(
      times.map((s) => [String(s), s < 60 ? text("duty.seconds", { s }) : text("override.minutes", { n: s / 60 })] as const),
      String(times[0]),
    );
    const stage = choice(
      (seen?.stages ?? []).map((each) => [String(each.stage), `${each.stage} · ${this.lights.words.list(each.groups)}`] as const),
      String(seen?.stage ?? 1),
    );
    const reason = field("", { maxlength: 400, required: true });
    const key = actKey();
    showForm({
      title: `${this.signal} · ${named("override.effect", effect)}`,
      parts: [
        h("p", { class: "note" }, named("override.means", effect)),
        holds ? h("p", { class: "note" }, text("override.replaces", { what: effectWords(holds), who: holds.proposed_name })) : null,
        effect === "stage" ? labelled("override-stage", text("duty.stage"), stage) : null,
        labelled("override-long", text("override.long"), long, text("override.long_hint")),
        labelled("override-reason", text("override.reason"), reason, text("override.reason_hint")),
      ],
      submit: text("override.next"),
      send: async () => {
        const proposed = await act<Override>(
          "POST",
          `${this.home}/overrides`,
          {
            effect,
            stage: effect === "stage" ? Number(stage.value) : null,
            seconds: Number(long.value),
            reason: reason.value,
          },
          key,
        );
        this.confirm(proposed);
        return null;
      },
    });
  }

  /** Second step: junction, effect and end are read, and the junction's name is typed. */
  private confirm(proposed: Override): void {
    const words = text("override.typed", { signal: this.signal });
    const typed = field("", { required: true, autocomplete: "off" });
    const check = (): void => typed.setCustomValidity(typed.value.trim() === this.signal ? "" : words);
    typed.addEventListener("input", check);
    check();
    const key = actKey();
    showForm({
      title: text("override.confirm"),
      parts: [
        h(
          "p",
          { class: "duty-what" },
          h(
            "strong",
            {},
            text("override.confirm_what", {
              signal: this.signal,
              what: effectWords(proposed),
              at: exactly(instant(proposed.until_at)),
            }),
          ),
        ),
        h("p", { class: "note" }, text("override.confirm_note")),
        labelled("override-typed", words, typed),
      ],
      submit: text("override.order"),
      send: async () => {
        await act<Override>(
          "POST",
          `${this.home}/overrides/${proposed.id}/confirmation`,
          { signal: typed.value.trim(), effect: proposed.effect, until_at: proposed.until_at },
          key,
        );
        await this.load();
        return named("override.status", "waiting");
      },
    });
  }

  private end(holds: Override): void {
    const key = actKey();
    showForm({
      title: text("override.end"),
      parts: [h("p", {}, text("override.end_means", { what: effectWords(holds) }))],
      submit: text("override.end"),
      send: async () => {
        await act<Override>("POST", `${this.home}/overrides/${holds.id}/end`, {}, key);
        await this.load();
        return text("override.ending");
      },
    });
  }
}

function effectWords(each: Override): string {
  return each.stage === null ? named("override.effect", each.effect) : text("override.staged", { n: each.stage });
}

function statusTag(each: Override): HTMLElement {
  const good = each.status === "ended" || each.status === "replaced";
  const open = each.ended_at === null;
  const kind = good ? "tag tag-good" : open ? "tag tag-warning" : "tag tag-danger";
  const mark = good ? "✓" : open ? "●" : "▲";
  const word = open && each.released_at !== null ? text("override.ending") : named("override.status", each.status);
  return h("span", { class: kind }, `${mark} ${word}`);
}
