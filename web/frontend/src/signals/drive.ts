/** A version driven in simulation: asked for, watched, what it measured, its replay. */
import { act, read } from "../api/client";
import { h, replace } from "../shell/dom";
import { counted, text } from "../shell/text";
import { differenceWords, estimateWords, ROWS, TROUBLES, type Row } from "./drive_words";
import { Replay } from "./replay";
import type { ReplayDocument } from "./replay_model";
import type { Drive, PlanVersion } from "./types";

const LOOK_AGAIN_MS = 1500;
const SEEDS = [2, 3, 4, 5];
const USUAL_SEEDS = 3;
interface Setting {
  readonly plan: PlanVersion;
  readonly drive: Drive | null;
  readonly mayDraw: boolean;
  readonly hasDemand: boolean;
  readonly titles: ReadonlyMap<string, string>;
}

export class DrivePanel {
  readonly element = h("div", { id: "drive" });
  private readonly job = h("div", { class: "job", role: "status" });
  private readonly place = h("div", {});
  private readonly replayPlace = h("div", {});
  private setting: Setting | null = null;
  private replay: Replay | null = null;
  private watching = 0;

  constructor(
    private readonly guarded: (run: () => Promise<void>) => Promise<void>,
    private readonly ended: (drive: Drive) => void,
  ) {
    this.element.append(h("h4", {}, text("signals.drive")), this.job, this.place, this.replayPlace);
  }

  show(setting: Setting): void {
    window.clearTimeout(this.watching);
    this.replay?.stop();
    this.replay = null;
    this.replayPlace.replaceChildren();
    this.setting = setting;
    this.draw(setting.drive);
  }

  hide(): void {
    window.clearTimeout(this.watching);
    this.replay?.stop();
    this.setting = null;
  }

  private draw(drive: Drive | null): void {
    const setting = this.setting;
    if (!setting) return;
    const running = drive !== null && drive.finished_at === null;
    this.watch(drive, running);
    replace(
      this.place,
      drive?.result ? measured(drive, drive.result) : running ? null : h("p", { class: "note" }, text("signals.drive_none")),
      running || !setting.mayDraw ? null : setting.hasDemand ? this.asking(setting.plan) : h("p", { class: "note" }, text("signals.drive_no_demand")),
      drive?.result ? h("button", { class: "button", type: "button", id: "replay-open", onclick: () => void this.guarded(() => this.open(drive)) }, text("signals.replay_open")) : null,
    );
  }

  private asking(plan: PlanVersion): HTMLElement {
    const seeds = h("select", { class: "input", id: "drive-seeds" }, ...SEEDS.map((each) => h("option", { value: each }, String(each))));
    seeds.value = String(USUAL_SEEDS);
    const ask = async (): Promise<void> => {
      this.draw(await act<Drive>("POST", `/api/v1/signal-plans/${plan.id}/drives`, { revision: plan.revision, seeds: Number(seeds.value) }));
    };
    return h(
      "div",
      { class: "drive-ask" },
      h("div", {}, h("label", { class: "label", for: "drive-seeds" }, text("signals.drive_seeds")), seeds),
      h("button", { class: "button", type: "button", "data-act": "drive", onclick: () => void this.guarded(ask) }, text("signals.act_drive")),
      h("p", { class: "note" }, text("signals.drive_says")),
    );
  }

  /** The job goes on where the page is closed; here it is only watched. */
  private watch(drive: Drive | null, running: boolean): void {
    window.clearTimeout(this.watching);
    const problem = drive?.status === "failed" || drive?.status === "cancelled";
    replace(
      this.job,
      ...(drive && running
        ? [
            h("progress", { max: drive.total, value: drive.done, "aria-label": text("signals.drive") }),
            h("span", {}, text("signals.drive_running", { done: drive.done, total: drive.total })),
            this.setting?.mayDraw
              ? h("button", { class: "button button-quiet", type: "button", onclick: () => void this.guarded(() => this.cancel(drive)) }, text("act.cancel"))
              : null,
          ]
        : []),
      drive && problem ? h("span", {}, text(drive.status === "failed" ? "signals.drive_failed" : "signals.drive_cancelled")) : null,
      drive?.problem ? h("span", { class: "item-facts" }, drive.problem) : null,
    );
    if (!drive || !running) return;
    this.watching = window.setTimeout(() => {
      read<Drive>(`/api/v1/signal-drives/${drive.id}`).then(
        (now) => {
          if (now.status === "done") this.ended(now);
          else this.draw(now);
        },
        () => this.watch(drive, running),
      );
    }, LOOK_AGAIN_MS);
  }

  private async cancel(drive: Drive): Promise<void> {
    this.draw(await act<Drive>("POST", `/api/v1/signal-drives/${drive.id}/cancellation`, {}));
  }

  private async open(drive: Drive): Promise<void> {
    const setting = this.setting;
    if (!setting) return;
    const found = await read<ReplayDocument>(`/api/v1/signal-drives/${drive.id}/replay`);
    this.replay?.stop();
    this.replay = new Replay(found, setting.titles, setting.plan.signals[0] ?? null);
    replace(this.replayPlace, this.replay.element);
    document.getElementById("replay-open")?.remove();
    document.getElementById("replay-play")?.focus();
  }
}

function measured(drive: Drive, result: NonNullable<Drive["result"]>): HTMLElement {
  const rows: Row[] = [...ROWS, ...TROUBLES.filter((row) => (result.figures[row]?.before.mean ?? 0) + (result.figures[row]?.after.mean ?? 0) > 0)];
  return h(
    "div",
    {},
    h("p", { class: "item-facts" }, text("signals.drive_facts", { demand: result.demand, minutes: Math.round(result.counted_s / 60), warm: Math.round(result.warm_up_s / 60), seeds: drive.seeds.length, junctions: counted("signals.junctions", result.signals) })),
    result.share_driven < 0.995 ? h("p", { class: "note note-warning" }, text("signals.drive_share", { share: Math.floor(result.share_driven * 100) })) : null,
    h(
      "div",
      { class: "table-box" },
      h(
        "table",
        { class: "table" },
        h("caption", { class: "visually-hidden" }, text("signals.drive")),
        h("thead", {}, h("tr", {}, ...(["signals.drive_figure", "signals.drive_before", "signals.drive_after", "signals.drive_difference"] as const).map((key) => h("th", { scope: "col" }, text(key))))),
        h(
          "tbody",
          {},
          ...rows.flatMap((row) => {
            const each = result.figures[row];
            if (!each) return [];
            return [
              h(
                "tr",
                { "data-figure": row, "data-shown": each.shown },
                h("th", { scope: "row" }, text(`signals.drive_of_${row}`)),
                h("td", {}, estimateWords(each.before, row)),
                h("td", {}, estimateWords(each.after, row)),
                h("td", {}, differenceWords(each, row)),
              ),
            ];
          }),
        ),
      ),
    ),
    h("p", { class: "note" }, counted("signals.drive_note", drive.seeds.length)),
  );
}
