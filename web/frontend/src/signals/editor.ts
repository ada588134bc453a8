/** One signal's stages: arrows, a bar of the cycle whose boundaries are dragged, and numbers. */
import { h, replace, svg } from "../shell/dom";
import { text } from "../shell/text";
import { GroupWords } from "./groups";
import { stageDiagram } from "./junction";
import { cycleS, movedBoundary, stagesOf, withGreen } from "./stages";
import type { Model, Plan } from "./types";

const BAR = 36;

export class StageEditor {
  readonly element = h("div", { class: "stage-editor" });
  private plan: Plan | null = null;
  private model: Model | null = null;
  private mayEdit = false;

  constructor(private readonly changed: (plan: Plan) => void) {}

  show(model: Model, plan: Plan, mayEdit: boolean): void {
    this.model = model;
    this.plan = plan;
    this.mayEdit = mayEdit;
    this.draw();
  }

  private draw(): void {
    const { plan, model } = this;
    if (!plan || !model) return;
    const focus = this.element.contains(document.activeElement) ? (document.activeElement as HTMLElement).id : "";
    const stages = stagesOf(plan);
    const whole = cycleS(plan);
    const words = new GroupWords(model);
    const cards = stages.map((stage, i) => {
      const input = h("input", { class: "input stage-green", id: `green-${i}`, type: "number", min: 1, max: 300, step: 1, inputmode: "numeric", readonly: !this.mayEdit });
      input.value = String(stage.greenS);
      input.addEventListener("change", () => {
        const green = Math.round(Number(input.value));
        if (Number.isFinite(green) && green >= 1 && green <= 300) this.changed(withGreen(plan, stage.interval, green));
        else input.value = String(stage.greenS);
      });
      return h(
        "li",
        { class: "stage-card" },
        h("p", { class: "stage-name" }, text("signals.stage", { n: i + 1 })),
        stageDiagram(model, new Set(stage.groups), text("signals.stage_groups", { groups: words.list(stage.groups) })),
        h("label", { class: "stage-label", for: `green-${i}` }, text("signals.green_s")),
        input,
        h("p", { class: "item-facts" }, text("signals.change_s", { n: round(stage.changeS) })),
      );
    });
    replace(this.element, this.bar(plan, whole), h("ol", { class: "stage-cards" }, ...cards));
    if (focus) document.getElementById(focus)?.focus();
  }

  private bar(plan: Plan, whole: number): HTMLElement {
    const stages = stagesOf(plan);
    const greens = new Set(stages.map((stage) => stage.interval));
    let at = 0;
    const parts: SVGElement[] = [];
    const handles: SVGElement[] = [];
    plan.intervals.forEach((each, i) => {
      const x = (at / whole) * 1000;
      const width = (each.duration_s / whole) * 1000;
      at += each.duration_s;
      const shows = Object.values(each.shows);
      const kind = greens.has(i) ? "green" : shows.some((aspect) => aspect.includes("flashing")) ? "flashing" : shows.some((aspect) => aspect.startsWith("yellow")) ? "yellow" : "red";
      parts.push(svg("rect", { class: `bar-${kind}`, x, y: 0, width: Math.max(width, 0.5), height: BAR }));
      const number = stages.findIndex((stage) => stage.interval === i);
      if (number < 0) return;
      if (!this.mayEdit || stages.length < 2) return;
      const knob = svg(
        "g",
        {
          class: "bar-handle",
          id: `boundary-${number}`,
          tabindex: 0,
          role: "slider",
          "aria-label": text("signals.boundary", { n: number + 1 }),
          "aria-valuemin": 1,
          "aria-valuemax": Math.round(whole),
          "aria-valuenow": each.duration_s,
          "aria-valuetext": text("signals.seconds", { n: each.duration_s }),
        },
        svg("rect", { class: "bar-grip-reach", x: x + width - 14, y: -4, width: 28, height: BAR + 8 }),
        svg("rect", { class: "bar-grip", x: x + width - 3, y: -4, width: 6, height: BAR + 8, rx: 2 }),
      );
      const move = (seconds: number): void => this.changed(movedBoundary(plan, number, seconds));
      knob.addEventListener("keydown", (event) => {
        const steps: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1 };
        const step = steps[event.key];
        if (step === undefined) return;
        event.preventDefault();
        move(step);
      });
      knob.addEventListener("pointerdown", (down) => {
        down.preventDefault();
        const perSecond = this.element.clientWidth / whole;
        const slide = (event: PointerEvent): void => move(Math.round((event.clientX - down.clientX) / perSecond));
        const end = (): void => {
          removeEventListener("pointermove", slide);
          removeEventListener("pointerup", end);
          removeEventListener("pointercancel", end);
        };
        addEventListener("pointermove", slide);
        addEventListener("pointerup", end);
        addEventListener("pointercancel", end);
      });
      handles.push(knob);
    });
    return h(
      "div",
      { class: "cycle-bar" },
      svg("svg", { class: "cycle-drawing", viewBox: `0 -6 1000 ${BAR + 12}`, preserveAspectRatio: "none", role: "group", "aria-label": text("signals.cycle_bar", { n: round(whole) }) }, ...parts, ...handles),
      h("p", { class: "item-facts" }, text("signals.cycle_offset", { cycle: round(whole), offset: round(plan.offset_s) })),
    );
  }
}

export function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}
