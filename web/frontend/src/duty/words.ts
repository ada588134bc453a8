/** Alarms and outcomes as they are shown: state is shape, colour and word at once. */
import { act, actKey } from "../api/client";
import { instant } from "../format/time";
import { agoText, exactly } from "../format/words";
import { h } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { problemText } from "../shell/states";
import { inLanguage, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import type { Alarm, SentPlan } from "./types";

const GOOD = new Set(["active"]);
const UNDER_WAY = new Set(["waiting", "sending", "superseded"]);

export function said(words: { readonly zh: string; readonly en: string }): string {
  return inLanguage(words.zh, words.en);
}

/** By the wall's clock, as the street lives. */
export function ago(at: string | null): string {
  return at === null ? text("duty.never") : agoText(instant(at), Date.now());
}

export function severityTag(alarm: Alarm): HTMLElement {
  if (alarm.cleared_at !== null) return h("span", { class: "tag tag-good" }, `✓ ${text("duty.cleared")}`);
  return alarm.severity === "high"
    ? h("span", { class: "tag tag-danger" }, `▲ ${text("duty.severity_high")}`)
    : h("span", { class: "tag tag-warning" }, `● ${text("duty.severity_medium")}`);
}

export function seenTag(alarm: Alarm): HTMLElement | null {
  return alarm.acknowledged_at === null ? null : h("span", { class: "tag" }, text("duty.acknowledged"));
}

export function outcomeTag(sent: SentPlan): HTMLElement {
  const kind = GOOD.has(sent.status) ? "tag tag-good" : UNDER_WAY.has(sent.status) ? "tag" : "tag tag-danger";
  const mark = GOOD.has(sent.status) ? "✓" : UNDER_WAY.has(sent.status) ? "…" : "▲";
  return h("span", { class: kind }, `${mark} ${named("duty.outcome", sent.status)}`);
}

/** What an alarm says: why it is believed, what to do, what was done. */
export function told(alarm: Alarm): HTMLElement {
  const part = (title: string, words: string): HTMLElement =>
    h("div", {}, h("h3", {}, title), h("p", {}, words));
  return h(
    "div",
    { class: "duty-told" },
    part(text("duty.why"), said(alarm.why)),
    part(text("duty.advice"), said(alarm.advice)),
    part(text("duty.done"), said(alarm.done)),
    h(
      "p",
      { class: "item-facts" },
      `${text("duty.since", { at: exactly(instant(alarm.since_at)) })} · ${text("duty.looked", { ago: ago(alarm.seen_at) })}`,
    ),
    alarm.acknowledged_at === null
      ? null
      : h(
          "p",
          { class: "note" },
          text("duty.acknowledged_at", { at: exactly(instant(alarm.acknowledged_at)) }),
          alarm.note ? `: ${alarm.note}` : "",
        ),
  );
}

export function acknowledgeButton(network: string, alarm: Alarm, done: (alarm: Alarm) => Promise<void>): HTMLElement {
  return h(
    "button",
    {
      class: "button button-primary",
      type: "button",
      "data-acknowledge": alarm.id,
      onclick: () => {
        const note = field("", { maxlength: 400 });
        const key = actKey();
        showForm({
          title: said(alarm.what),
          parts: [labelled("alarm-note", text("duty.note"), note, text("duty.note_hint"))],
          submit: text("duty.acknowledge"),
          send: async () => {
            const path = `/api/v1/signal-networks/${network}/alarms/${alarm.id}/acknowledgement`;
            await done(await act<Alarm>("POST", path, { note: note.value || null }, key));
            return text("duty.acknowledged");
          },
        });
      },
    },
    text("duty.acknowledge"),
  );
}

/** One click: the order that an alarm asks for, or the one that its fault has already. */
export function workButton(alarm: Alarm): HTMLElement {
  const key = actKey();
  return h(
    "button",
    {
      class: "button",
      type: "button",
      "data-raise": alarm.id,
      onclick: () => {
        void act<{ id: string; network_id: string }>("POST", "/api/v1/signal-work-orders", { alarm_id: alarm.id }, key).then(
          (made) => location.assign(`/signals/maintenance?network=${made.network_id}&order=${made.id}`),
          (error: unknown) => toast(problemText(error)),
        );
      },
    },
    text("work.from_alarm"),
  );
}

export function table(
  head: readonly string[],
  rows: readonly (readonly (string | Node | null)[])[],
  label: string,
): HTMLElement {
  return h(
    "div",
    { class: "table-box", tabindex: 0, role: "region", "aria-label": label },
    h(
      "table",
      { class: "table table-cards" },
      h("thead", {}, h("tr", {}, ...head.map((each) => h("th", { scope: "col" }, each)))),
      h(
        "tbody",
        {},
        ...rows.map(([first = "", ...rest]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, first),
            ...rest.map((each, index) => h("td", { "data-label": head[index + 1] ?? "" }, each)),
          ),
        ),
      ),
    ),
  );
}
