/** The printed timing sheet (配时表), and drawings as files. */
import { h } from "../shell/dom";
import { text } from "../shell/text";
import { token } from "../shell/theme";
import { round } from "./editor";
import { GroupWords } from "./groups";
import { stageDiagram } from "./junction";
import { cycleS, stagesOf } from "./stages";
import type { Model, Plan, PlanDetail } from "./types";

export interface SheetPart {
  readonly title: string;
  readonly model: Model;
  readonly plan: Plan;
}

/** One signal a page: stages with their arrows and seconds, who drew and approved it. */
export function timingSheet(parts: readonly SheetPart[], version: PlanDetail | null): HTMLElement {
  return h(
    "div",
    { class: "sheet-pages" },
    ...parts.map(({ title, model, plan }) => {
      const stages = stagesOf(plan);
      const words = new GroupWords(model);
      return h(
        "section",
        { class: "sheet-page" },
        h("h2", {}, `${text("signals.sheet")} · ${title}`),
        h("p", {}, sheetHead(plan, version)),
        h(
          "table",
          { class: "table sheet-table" },
          h("thead", {}, h("tr", {}, ...["stage", "arrows", "groups", "green", "change"].map((each) => h("th", { scope: "col" }, heading(each))))),
          h(
            "tbody",
            {},
            ...stages.map((stage, i) =>
              h(
                "tr",
                {},
                h("th", { scope: "row" }, String(i + 1)),
                h("td", {}, stageDiagram(model, new Set(stage.groups), text("signals.stage", { n: i + 1 }), 120)),
                h("td", {}, words.list(stage.groups)),
                h("td", { class: "number" }, round(stage.greenS)),
                h("td", { class: "number" }, round(stage.changeS)),
              ),
            ),
          ),
        ),
        h("p", { class: "sheet-sign" }, text("signals.sheet_sign", { drafted: nameOf(version, version?.plan.drafted_by), approved: nameOf(version, version?.plan.approved_by) })),
      );
    }),
  );
}

function heading(which: string): string {
  if (which === "stage") return text("signals.sheet_stage");
  if (which === "arrows") return text("signals.sheet_arrows");
  if (which === "groups") return text("signals.sheet_groups");
  return which === "green" ? text("signals.green_s") : text("signals.sheet_change");
}

function sheetHead(plan: Plan, version: PlanDetail | null): string {
  const facts = text("signals.cycle_offset", { cycle: round(cycleS(plan)), offset: round(plan.offset_s) });
  return version
    ? `${text("signals.plan_number", { n: version.plan.number })} · ${version.plan.title} · ${facts} · ${version.plan.profile}`
    : facts;
}

function nameOf(version: PlanDetail | null, subject: string | null | undefined): string {
  return (subject && version?.names[subject]) || "________";
}

/** A drawing as a file that stands by itself: tokens become colours. */
export function saveDrawing(drawing: SVGElement, name: string): void {
  const copy = drawing.cloneNode(true) as SVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  copy.setAttribute("font-family", "system-ui, sans-serif");
  const written = new XMLSerializer()
    .serializeToString(copy)
    .replace(/var\((--[\w-]+)\)/g, (_, variable: string) => token(variable));
  const address = URL.createObjectURL(new Blob([written], { type: "image/svg+xml" }));
  const link = h("a", { href: address, download: `${name}.svg` });
  link.click();
  URL.revokeObjectURL(address);
}
