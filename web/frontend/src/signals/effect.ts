/** What a deployed plan did on the street: told by detectors, kept as its measurement, or put in. */
import { act, read } from "../api/client";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { zone } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, localInstant, row, showForm } from "../shell/form";
import { errorState, skeleton } from "../shell/states";
import { counted, text } from "../shell/text";
import { table } from "../duty/words";
import { differenceWords, estimateWords, foretoldWords, MEASURES, type Effect, type Figures } from "./effect_words";
import type { PlanVersion } from "./types";

const DAYS = [3, 7, 14, 28];
const USUAL_DAYS = 14;
const SHOWN_WAYS = 12;
const SOURCES = ["survey", "floating_cars", "detectors", "simulation"] as const;

interface Setting {
  readonly plan: PlanVersion;
  readonly mayDraw: boolean;
  readonly titles: ReadonlyMap<string, string>;
}

/** What was measured of a version, as it is kept with it. */
export interface Measured {
  readonly before: Delay | null;
  readonly after: Delay | null;
}

interface Delay {
  readonly mean_s: number;
  readonly low_s: number | null;
  readonly high_s: number | null;
}

export class EffectPanel {
  readonly element = h("div", { id: "effect" });
  private readonly place = h("div", { "aria-live": "polite" });
  private readonly acts = h("div", { class: "plan-acts" });
  private readonly days = h("select", { class: "input", id: "effect-days" }, ...DAYS.map((each) => h("option", { value: each }, String(each))));
  private setting: Setting | null = null;
  private asked = 0;

  constructor(
    private readonly guarded: (run: () => Promise<void>) => Promise<void>,
    private readonly changed: (plan: string) => Promise<void>,
  ) {
    this.days.value = String(USUAL_DAYS);
    this.days.addEventListener("change", () => void this.load());
    this.element.append(
      h("h4", {}, text("effect.title")),
      h("div", { class: "drive-ask" }, h("div", {}, h("label", { class: "label", for: "effect-days" }, text("effect.days")), this.days), h("p", { class: "note" }, text("effect.how"))),
      this.place,
      this.acts,
    );
  }

  show(setting: Setting): void {
    this.setting = setting;
    this.element.hidden = setting.plan.deployed_at === null;
    if (!this.element.hidden) void this.load();
  }

  hide(): void {
    this.setting = null;
    this.element.hidden = true;
  }

  private async load(): Promise<void> {
    const setting = this.setting;
    if (!setting) return;
    const turn = ++this.asked;
    this.acts.replaceChildren();
    delete this.element.dataset["shown"];
    replace(this.place, skeleton(3, "line"));
    try {
      const found = await read<Effect>(`/api/v1/signal-plans/${setting.plan.id}/effect`, { days: Number(this.days.value) });
      if (turn !== this.asked) return;
      this.draw(setting, found);
    } catch (error) {
      if (turn !== this.asked) return;
      replace(this.place, errorState(error, () => void this.load()));
      this.drawActs(setting, null);
    }
    this.element.dataset["shown"] = setting.plan.id;
  }

  private draw(setting: Setting, found: Effect): void {
    const known = found.ways.length > 0 || MEASURES.some((each) => found.figures[each] !== null);
    const when = (at: string): string => exactly(instant(at));
    replace(
      this.place,
      h(
        "p",
        { class: "item-facts" },
        text("effect.spans", { from: when(found.before.from_at), until: when(found.before.until_at), since: when(found.after.from_at), now: when(found.after.until_at) }),
      ),
      ...(known
        ? [
            this.figures(setting, found),
            MEASURES.every((each) => found.figures[each]?.difference.low == null) ? h("p", { class: "note note-warning" }, text("effect.too_few_days")) : null,
            this.ways(found),
            this.bySignal(setting, found),
            h("p", { class: "note" }, text("effect.note")),
          ]
        : [h("p", { class: "note note-warning" }, text("effect.none"))]),
      found.left_out ? h("p", { class: "note" }, text("effect.left_out", { n: (found.left_out * 100).toFixed(1) })) : null,
      found.not_shown.length ? h("p", { class: "note note-warning" }, text("effect.not_shown", { names: found.not_shown.join(", ") })) : null,
      found.unread_days ? h("p", { class: "note" }, counted("effect.unread", found.unread_days)) : null,
    );
    this.drawActs(setting, known ? found : null);
  }

  private figures(setting: Setting, found: Effect): HTMLElement {
    const predicted = setting.plan.predicted as { before_s: number | null; after_s: number | null } | null;
    const foretold = predicted && predicted.before_s !== null && predicted.after_s !== null ? predicted.after_s - predicted.before_s : null;
    return table(
      [text("effect.measure"), text("effect.before"), text("effect.after"), text("effect.difference"), text("effect.days_told"), text("effect.foretold")],
      MEASURES.flatMap((each) => {
        const told = found.figures[each];
        if (!told) return [];
        return [
          [
            text(`effect.of_${each}`),
            estimateWords(told.before, each),
            estimateWords(told.after, each),
            differenceWords(told, each),
            text("effect.days_words", { before: told.days_before, after: told.days_after, hours: told.hours }),
            each === "delay_s" ? foretoldWords(foretold, told) : "–",
          ],
        ];
      }),
      text("effect.title"),
    );
  }

  private ways(found: Effect): HTMLElement | null {
    if (!found.ways.length) return null;
    const busiest = [...found.ways].sort((one, other) => other.took_s.hours - one.took_s.hours).slice(0, SHOWN_WAYS);
    return table(
      [text("effect.way"), text("effect.before"), text("effect.after"), text("effect.difference")],
      busiest.map(({ from_signal, to_signal, took_s }) => [
        `${from_signal} → ${to_signal}`,
        estimateWords(took_s.before, "delay_s"),
        estimateWords(took_s.after, "delay_s"),
        differenceWords(took_s, "delay_s"),
      ]),
      text("effect.way"),
    );
  }

  private bySignal(setting: Setting, found: Effect): HTMLElement | null {
    const names = Object.keys(found.by_signal);
    if (names.length <= 1) return null;
    const cell = (figures: Figures | undefined, each: (typeof MEASURES)[number]): string => {
      const told = figures?.[each];
      return told ? differenceWords(told, each) : "–";
    };
    return h(
      "details",
      {},
      h("summary", {}, text("effect.by_signal")),
      table(
        [text("signals.junction"), ...MEASURES.map((each) => text(`effect.of_${each}`))],
        names.map((name) => [setting.titles.get(name) ?? name, ...MEASURES.map((each) => cell(found.by_signal[name], each))]),
        text("effect.by_signal"),
      ),
    );
  }

  private drawActs(setting: Setting, found: Effect | null): void {
    const open = setting.plan.status === "deployed" || setting.plan.status === "measured";
    if (!setting.mayDraw || !open) return;
    const keep = async (): Promise<void> => {
      await act("POST", `/api/v1/signal-plans/${setting.plan.id}/effect`, { days: Number(this.days.value) });
      await this.changed(setting.plan.id);
    };
    replace(
      this.acts,
      found ? h("button", { class: "button", type: "button", "data-act": "keep-effect", onclick: () => void this.guarded(keep) }, text("effect.keep")) : null,
      h("button", { class: "button", type: "button", "data-act": "enter-measurement", onclick: () => this.entering(setting.plan) }, text("effect.enter")),
    );
  }

  /** Where no detector tells: a survey's or probe cars' figures, put in by hand with their source. */
  private entering(plan: PlanVersion): void {
    const seconds = (): HTMLInputElement => field("", { type: "number", min: 0, max: 3600, step: "0.1", required: true, inputmode: "decimal" });
    const sides = { before: [seconds(), seconds(), seconds()], after: [seconds(), seconds(), seconds()] } as const;
    const source = choice(SOURCES.map((each) => [each, text(`effect.source_${each}`)] as const), SOURCES[0]);
    const note = field("", { maxlength: 1000 });
    const from = field("", { type: "datetime-local", required: true });
    const until = field("", { type: "datetime-local", required: true });
    const delay = ([mean, low, high]: readonly [HTMLInputElement, HTMLInputElement, HTMLInputElement]) => ({ mean_s: Number(mean.value), low_s: Number(low.value), high_s: Number(high.value) });
    const side = (name: "before" | "after"): HTMLElement =>
      h(
        "fieldset",
        { class: "form-part" },
        h("legend", { class: "label" }, text(`effect.${name}`)),
        row(
          labelled(`${name}-mean`, text("effect.mean"), sides[name][0]),
          labelled(`${name}-low`, text("effect.low"), sides[name][1]),
          labelled(`${name}-high`, text("effect.high"), sides[name][2]),
        ),
      );
    showForm({
      title: text("effect.enter"),
      wide: true,
      parts: [
        h("p", {}, text("effect.enter_says")),
        labelled("measured-source", text("effect.source"), source),
        side("before"),
        side("after"),
        row(labelled("measured-from", text("effect.from"), from), labelled("measured-until", text("effect.until"), until)),
        labelled("measured-note", text("effect.remark"), note),
      ],
      submit: text("effect.enter_do"),
      send: async () => {
        await act("POST", `/api/v1/signal-plans/${plan.id}/measurement`, {
          source: source.value,
          note: note.value,
          before: delay(sides.before),
          after: delay(sides.after),
          from_at: localInstant(from.value, zone()),
          until_at: localInstant(until.value, zone()),
        });
        await this.changed(plan.id);
        return text("effect.kept");
      },
    });
  }
}

/** The measured mean delay as it is kept with a version; null where no detector told of it. */
export function measuredWords(value: unknown): string | null {
  const { before, after } = (value ?? {}) as Partial<Measured>;
  if (!before || !after) return null;
  return `${delayWords(before)} → ${delayWords(after)}`;
}

function delayWords(each: Delay): string {
  return estimateWords({ mean: each.mean_s, low: each.low_s, high: each.high_s }, "delay_s");
}
