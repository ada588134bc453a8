/** Plans in words: how one differs from what ran before, and what the checker found. */
import { h } from "../shell/dom";
import { named, text } from "../shell/text";
import { round } from "./editor";
import type { Difference, PlanVersion, Report } from "./types";

export const TONES: Readonly<Record<string, string>> = {
  draft: "tag tag-warning",
  checked: "tag",
  approved: "tag tag-good",
  deployed: "tag tag-good",
  measured: "tag tag-good",
  kept: "tag tag-good",
  reverted: "tag tag-danger",
  withdrawn: "tag",
};

function figure(value: number | string | null): string {
  return typeof value === "number" ? round(value) : (value ?? "–");
}

export function differenceText(each: Difference, title: string): string {
  const holes = { signal: title, stage: each.stage ?? 0, before: figure(each.before), after: figure(each.after) };
  switch (each.what) {
    case "added":
      return text("signals.differs.added", holes);
    case "removed":
      return text("signals.differs.removed", holes);
    case "cycle":
      return text("signals.differs.cycle", holes);
    case "offset":
      return text("signals.differs.offset", holes);
    case "control":
      return text("signals.differs.control", holes);
    case "green":
      return text("signals.differs.green", holes);
    case "change":
      return text("signals.differs.change", holes);
    default:
      return text("signals.differs.stages", holes);
  }
}

/** What the checker said, shape and word before colour. */
export function reportView(report: Report | null): HTMLElement {
  if (!report) return h("p", { class: "note" }, text("signals.not_checked"));
  if (report.safe) {
    return h("p", {}, h("span", { class: "tag tag-good" }, `✓ ${text("signals.safe")}`), ` ${text("signals.by_profile", { profile: report.profile })}`);
  }
  return h(
    "div",
    {},
    h("p", {}, h("span", { class: "tag tag-danger" }, `✕ ${text("signals.unsafe")}`), ` ${text("signals.by_profile", { profile: report.profile })}`),
    h(
      "ul",
      { class: "violations" },
      ...report.violations.slice(0, 12).map((each) =>
        h(
          "li",
          {},
          h("strong", {}, named("signals.rule", each.rule)),
          ` ${each.junction} · ${each.what}`,
          each.shown !== null && each.required !== null
            ? h("span", { class: "item-facts" }, ` ${text("signals.shown_required", { shown: round(each.shown), required: round(each.required), unit: each.unit })}`)
            : null,
        ),
      ),
    ),
  );
}

export function statusTag(version: PlanVersion): HTMLElement {
  return h("span", { class: TONES[version.status] ?? "tag" }, named("signals.status", version.status));
}
