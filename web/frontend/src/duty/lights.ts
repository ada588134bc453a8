/** What a junction shows now: stage, mode, every lamp with its seconds, as its controller says. */
import { read } from "../api/client";
import { instant } from "../format/time";
import { fact } from "../panels/figures";
import { byId, h, replace } from "../shell/dom";
import { poll } from "../shell/poll";
import { emptyState, errorState } from "../shell/states";
import { named, text } from "../shell/text";
import { GroupWords } from "../signals/groups";
import type { GroupNow, SignalLights } from "./types";
import { ago, table } from "./words";

const EVERY_MS = 1_000;
/** A lamp is colour, shape and word at once. */
const SHAPES: Readonly<Record<string, readonly [string, string]>> = {
  red: ["lamp-red", "■"],
  turn_on_red: ["lamp-red", "■"],
  red_yellow: ["lamp-yellow", "■"],
  yellow: ["lamp-yellow", "◆"],
  yellow_major: ["lamp-yellow", "◆"],
  flashing_yellow: ["lamp-yellow", "◇"],
  green: ["lamp-green", "●"],
  permissive: ["lamp-green", "●"],
  flashing_green: ["lamp-green", "○"],
  flashing_permissive: ["lamp-green", "○"],
  dark: ["", "–"],
};

export class Lights {
  private readonly place = byId("lights");
  /** What was seen last; null before the first answer. */
  seen: SignalLights | null = null;
  /** Its groups, in the controller's own names until the junction's model is there. */
  words = new GroupWords(null);

  constructor(private readonly path: string) {}

  start(): void {
    poll(() => this.load(), EVERY_MS);
  }

  private async load(): Promise<void> {
    try {
      this.seen = await read<SignalLights>(this.path);
      this.draw(this.seen);
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private draw(seen: SignalLights): void {
    document.body.dataset["lights"] = seen.state;
    if (seen.state === "known") replace(this.place, ...known(seen, this.words));
    else if (seen.state === "asked") replace(this.place, emptyState(text("duty.lights.asked"), text("duty.lights.asked_advice")));
    else if (seen.state === "silent") replace(this.place, emptyState(text("duty.lights.silent"), seen.problem ?? ""));
    else replace(this.place, emptyState(text("duty.lights.no_cabinet"), text("duty.lights.no_cabinet_advice")));
  }
}

function known(seen: SignalLights, words: GroupWords): HTMLElement[] {
  return [
    h(
      "dl",
      { class: "facts" },
      fact(text("duty.control"), seen.control === null ? text("duty.unknown") : named("duty.control", seen.control ?? "")),
      fact(text("duty.stage"), stageWords(seen)),
      fact(text("duty.controller_plan"), seen.plan === null ? text("duty.unknown") : String(seen.plan)),
      fact(text("duty.last_heard"), ago(seen.at ?? null)),
      seen.faults.length ? fact(text("duty.faults"), seen.faults.join(", ")) : h("span", { hidden: true }),
    ),
    table(
      [text("duty.group"), text("duty.lamp"), text("duty.left")],
      seen.groups.map((each) => [h("span", { title: each.group }, words.of(each.group)), lamp(each.aspect), left(each)]),
      text("duty.group"),
    ),
  ];
}

/** Counted on from the controller's own word until the next answer. */
function stageWords(seen: SignalLights): string {
  if (seen.stage === null || seen.stage === undefined) return text("duty.no_stage");
  const gone = Math.floor((instant(seen.now) - instant(seen.at ?? seen.now)) / 1_000);
  const s = Math.max((seen.remaining_s ?? 0) - gone, 0);
  const words =
    seen.control === "manual" && !seen.changing
      ? text("duty.stage_open")
      : seen.remaining_s === null
        ? text("duty.unknown")
        : seen.changing
          ? text("duty.stage_change", { s })
          : text("duty.stage_left", { s });
  return text("duty.stage_now", { n: seen.stage, words });
}

function lamp(aspect: string | null): HTMLElement {
  if (aspect === null) return h("span", {}, `? ${text("duty.unknown")}`);
  const [kind, shape] = SHAPES[aspect] ?? ["", "?"];
  return h("span", { class: `lamp ${kind}` }, h("span", { class: "lamp-shape", "aria-hidden": "true" }, shape), named("duty.aspect", aspect));
}

function left(each: GroupNow): string {
  if (each.likely_s === null) return text("duty.unknown");
  return each.most_s === null && each.least_s !== null
    ? text("duty.left_at_least", { s: each.likely_s, least: each.least_s })
    : text("duty.seconds", { s: each.likely_s });
}
