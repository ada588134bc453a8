/** Schedules in words. */
import { h } from "../shell/dom";
import { named, text } from "../shell/text";
import type { Schedule, Stretch } from "./types";

const TONES: Readonly<Record<string, string>> = {
  waiting: "tag",
  making: "tag",
  failed: "tag tag-danger",
  draft: "tag tag-warning",
  checked: "tag",
  approved: "tag tag-good",
  in_force: "tag tag-good",
  ended: "tag",
  withdrawn: "tag",
};

export function statusTag(schedule: Schedule): HTMLElement {
  return h("span", { class: TONES[schedule.status] ?? "tag" }, named("schedules.status", schedule.status));
}

export function kindWords(kind: string): string {
  return named("schedules.kinds", kind);
}

/** `mon-fri+holiday` in the page's language. */
export function dayWords(name: string): string {
  const [base = "", ...exception] = name.split(": ");
  const words = base
    .replace(/make-up/g, "make_up")
    .split("+")
    .map((part) => part.split("-").map((each) => kindWords(each.replace("make_up", "make-up"))).join("–"))
    .join(" + ");
  return exception.length ? `${exception.join(": ")} (${words})` : words;
}

export function runsWords(each: Stretch): string {
  if (each.plan === null) return text("schedules.mode.unknown");
  return each.mode === "in_force" ? text("schedules.mode.in_force", { plan: each.plan }) : each.plan;
}
