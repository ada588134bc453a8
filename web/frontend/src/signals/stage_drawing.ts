/** Stages drawn by hand: who is green together, in which order, for how long. */
import { act } from "../api/client";
import { h, replace } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { text } from "../shell/text";
import { stageDiagram } from "./junction";
import { greenWithFlashing, stagesOf } from "./stages";
import type { Model, Plan } from "./types";

const LEAST_STAGES = 2;
const MOST_STAGES = 16;
const NEW_GREEN_S = 12;
const MOST_GREEN_S = 300;

interface Drawn {
  readonly groups: Set<string>;
  greenS: number;
}

export interface Drawing {
  /** The signal's own route. */
  readonly signal: string;
  readonly profile: string;
  readonly model: Model;
  readonly plan: Plan;
  readonly done: (plan: Plan) => void;
}

/** Open the dialog on the stages that a plan has. */
export function drawStages(drawing: Drawing): void {
  const { model, plan } = drawing;
  const groups = model.junctions[0]?.groups ?? [];
  const stages: Drawn[] = stagesOf(plan).map((each) => ({ groups: new Set(each.groups), greenS: greenWithFlashing(plan, each) }));
  const list = h("ol", { class: "drawn-stages", id: "drawn-stages" });
  const draw = (focus: string): void => {
    replace(list, ...stages.map((stage, place) => card(stage, place)));
    document.getElementById(focus)?.focus();
  };

  const move = (place: number, by: number): void => {
    const [moved] = stages.splice(place, 1);
    if (moved) stages.splice(place + by, 0, moved);
    draw(`stage-${place + by}-${by < 0 ? "up" : "down"}`);
  };

  function card(stage: Drawn, place: number): HTMLElement {
    const green = field(Math.round(stage.greenS), { type: "number", min: 1, max: MOST_GREEN_S, step: 1, inputmode: "numeric", required: true });
    green.addEventListener("input", () => {
      stage.greenS = Number(green.value);
    });
    const names = [...stage.groups].join(", ");
    const small = (id: string, words: string, idle: boolean, run: () => void): HTMLElement =>
      h("button", { class: "button button-quiet", type: "button", id: `stage-${place}-${id}`, disabled: idle, onclick: run }, words);
    return h(
      "li",
      { class: "drawn-stage" },
      h("h3", {}, text("signals.stage", { n: place + 1 })),
      stageDiagram(model, stage.groups, text("signals.stage_groups", { groups: names })),
      h(
        "div",
        { class: "drawn-groups", role: "group", "aria-label": text("signals.drawing_green") },
        ...groups.map((group, index) =>
          h(
            "button",
            {
              class: "chip",
              type: "button",
              id: `stage-${place}-group-${index}`,
              "aria-pressed": String(stage.groups.has(group.name)),
              onclick: () => {
                if (!stage.groups.delete(group.name)) stage.groups.add(group.name);
                draw(`stage-${place}-group-${index}`);
              },
            },
            group.name,
          ),
        ),
      ),
      labelled(`drawn-green-${place}`, text("signals.drawing_green_s"), green),
      h(
        "div",
        { class: "plan-acts" },
        small("up", text("signals.drawing_earlier"), place === 0, () => move(place, -1)),
        small("down", text("signals.drawing_later"), place === stages.length - 1, () => move(place, 1)),
        small("drop", text("signals.drawing_drop"), stages.length <= LEAST_STAGES, () => {
          stages.splice(place, 1);
          draw("add-stage");
        }),
      ),
    );
  }

  showForm({
    title: text("signals.drawing"),
    wide: true,
    parts: [
      h("p", { class: "note" }, text("signals.drawing_says")),
      list,
      h(
        "button",
        {
          class: "button",
          type: "button",
          id: "add-stage",
          onclick: () => {
            if (stages.length >= MOST_STAGES) return;
            stages.push({ groups: new Set(), greenS: NEW_GREEN_S });
            draw(`stage-${stages.length - 1}-group-0`);
          },
        },
        text("signals.drawing_add"),
      ),
    ],
    submit: text("signals.drawing_do"),
    send: async () => {
      const empty = stages.findIndex((each) => each.groups.size === 0);
      if (empty >= 0) {
        document.getElementById(`stage-${empty}-group-0`)?.focus();
        return null;
      }
      const made = await act<{ plan: Plan }>("POST", `${drawing.signal}/drawn-plans`, {
        profile: drawing.profile,
        stages: stages.map((each) => ({ groups: [...each.groups], green_s: each.greenS })),
        offset_s: plan.offset_s,
      });
      drawing.done({ ...made.plan, name: plan.name });
      return text("signals.drawn");
    },
  });
  draw("drawn-green-0");
}
