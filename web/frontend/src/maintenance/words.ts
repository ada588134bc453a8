/** Work orders as they are shown: state and deadline are shape, colour and word at once. */
import { instant } from "../format/time";
import { lastingText } from "../format/words";
import { h } from "../shell/dom";
import { inLanguage, named, text } from "../shell/text";
import type { Work } from "./types";

const SOON_MS = 2 * 3_600_000;
const STATE_MARKS: Readonly<Record<Work["state"], string>> = {
  open: "○",
  taken: "◐",
  done: "◕",
  checked: "✓",
  withdrawn: "×",
};

export function said(names: { readonly zh: string; readonly en: string }): string {
  return inLanguage(names.zh, names.en);
}

export function place(work: Work): string {
  const title = work.title ? said(work.title) : "";
  return title && title !== work.signal ? `${work.signal} ${title}` : work.signal;
}

export function fileAddress(network: string, signal: string): string {
  return `/signals/maintenance/${network}/${encodeURIComponent(signal)}`;
}

export function stateTag(work: Work): HTMLElement {
  return h(
    "span",
    { class: work.state === "checked" ? "tag tag-good" : "tag" },
    `${STATE_MARKS[work.state]} ${named("work.state", work.state)}`,
  );
}

/** When the next step is due, or by how much it is late, by the wall's clock. */
export function dueTag(work: Work, nowMs = Date.now()): HTMLElement | null {
  if (work.due_at === null) return null;
  const due = instant(work.due_at);
  const step = named("work.step", work.state === "open" && work.taken_at !== null ? "taken" : work.state);
  if (due < nowMs) {
    return h("span", { class: "tag tag-danger" }, `▲ ${text("work.overdue", { step, time: lastingText(due, nowMs) })}`);
  }
  return h(
    "span",
    { class: due - nowMs < SOON_MS ? "tag tag-warning" : "tag" },
    `${due - nowMs < SOON_MS ? "● " : ""}${text("work.due", { step, time: lastingText(nowMs, due) })}`,
  );
}

export function priorityTag(work: Work): HTMLElement {
  const kind = { urgent: "tag tag-danger", high: "tag tag-warning", normal: "tag", low: "tag" }[work.priority];
  const mark = { urgent: "▲ ", high: "● ", normal: "", low: "" }[work.priority];
  return h("span", { class: kind }, `${mark}${named("work.priority", work.priority)}`);
}

export function seconds(s: number | null): string {
  return s === null ? "–" : lastingText(0, s * 1_000);
}
