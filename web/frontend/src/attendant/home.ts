/** The post's home: what needs the attendant, then every bay. */
import { freeBecause } from "./exempting";
import type { Bay } from "../api/types";
import { instant } from "../format/time";
import { agoText, inLanguage, lastingText, price } from "../format/words";
import { glyph, setGlyph } from "../glyphs/inline";
import { legend } from "../panels/figures";
import { plateLabel } from "../plates/label";
import { h, icon, KeyedList, replace, write } from "../shell/dom";
import { emptyState } from "../shell/states";
import { counted, text } from "../shell/text";
import type { Post } from "./post";
import { typeSwitch } from "./large_type";
import { foremost, type Task } from "./tasks";

export interface HomeActs {
  readonly openBay: (bayId: string) => void;
  readonly takePlate: (bayId: string) => void;
  readonly openBill: (billId: string) => void;
  readonly choosePost: () => void;
  readonly openTerminal: () => void;
  readonly openArrears: () => void;
  readonly openShift: () => void;
  readonly openPatrol: () => void;
  readonly openDay: () => void;
}

/** Tasks shown before the rest is folded away. */
const SHOWN_TASKS = 3;

function taskWords(task: Task, post: Post): { title: string; detail: string; act: string } {
  switch (task.kind) {
    case "plate":
      return {
        title: text("task.plate", { label: task.label }),
        detail: text("task.plate_detail", { lasting: lastingText(task.sinceMs) }),
        act: text("task.plate_act"),
      };
    case "collect": {
      const bill = post.bill(task.billId);
      return {
        title: text("task.collect", { amount: bill ? price(bill.outstanding) : "" }),
        detail: text("task.collect_detail", { age: agoText(task.sinceMs) }),
        act: text("task.collect_act"),
      };
    }
    default:
      return {
        title: text("task.look", { label: task.label }),
        detail: task.sinceMs === null ? text("task.look_never") : text("task.look_detail", { age: agoText(task.sinceMs) }),
        act: text("task.look_act"),
      };
  }
}

function taskKey(task: Task): string {
  return task.kind === "collect" ? `collect-${task.billId}` : `${task.kind}-${task.bayId}`;
}

export class Home {
  readonly element: HTMLElement;
  private readonly title = h("span", { class: "post-name" });
  private readonly counts = legend();
  private readonly age = h("p", { class: "post-age" });
  private readonly taskList = h("ul", { class: "tasks" });
  private readonly taskHead = h("h2", {});
  private readonly grid = h("ul", { class: "pda-grid" });
  private readonly tasks: KeyedList<Task>;
  private readonly cells: KeyedList<Bay>;
  private readonly more: HTMLButtonElement;
  private readonly terminal: HTMLButtonElement;
  private all = false;

  constructor(
    private readonly post: Post,
    private readonly acts: HomeActs,
  ) {
    this.more = h("button", {
      class: "button button-quiet",
      type: "button",
      hidden: true,
      onclick: () => {
        this.all = !this.all;
        this.update();
      },
    });
    this.terminal = h("button", {
      class: "button button-quiet",
      type: "button",
      onclick: () => acts.openTerminal(),
    });
    this.tasks = new KeyedList(this.taskList, taskKey, (task) => this.createTask(task));
    this.cells = new KeyedList(
      this.grid,
      (bay) => bay.id,
      (bay) => this.createCell(bay),
    );
    this.element = h(
      "div",
      { class: "post" },
      h(
        "button",
        { class: "post-head", type: "button", onclick: () => acts.choosePost() },
        this.title,
        h("span", { class: "post-change" }, text("post.change"), icon("next")),
      ),
      this.counts.element,
      this.age,
      h("section", { class: "post-section" }, this.taskHead, this.taskList, this.more),
      h(
        "section",
        { class: "post-section" },
        h("button", { class: "button button-wide", type: "button", id: "patrol-open", onclick: () => acts.openPatrol() }, text("patrol.open")),
      ),
      h("section", { class: "post-section" }, h("h2", {}, text("post.bays")), this.grid),
      h(
        "section",
        { class: "post-section" },
        h("button", { class: "button", type: "button", id: "arrears-open", onclick: () => acts.openArrears() }, text("owed.open")),
      ),
      h(
        "section",
        { class: "post-section post-more" },
        h("button", { class: "button", type: "button", id: "shift-open", onclick: () => acts.openShift() }, text("shift.open")),
        h("button", { class: "button", type: "button", id: "day-open", onclick: () => acts.openDay() }, text("day.open")),
        typeSwitch(),
        this.terminal,
      ),
    );
    this.update();
  }

  update(): void {
    const { facility, bays } = this.post;
    if (!facility) return;
    write(this.title, inLanguage(facility.name.zh, facility.name.en));
    this.counts.update({
      free: bays.filter((bay) => bay.state === "free").length,
      occupied: bays.filter((bay) => bay.state === "occupied").length,
      unknown: bays.filter((bay) => bay.state === "unknown").length,
    });
    const all = this.post.tasks();
    write(this.taskHead, counted("count.tasks", all.length));
    if (all.length === 0) {
      this.tasks.clear();
      replace(
        this.taskList,
        h("li", {}, emptyState(text("post.no_tasks"), text("post.no_tasks_advice"))),
      );
    } else {
      this.tasks.show(this.all ? all : foremost(all, SHOWN_TASKS));
    }
    this.more.hidden = all.length <= SHOWN_TASKS;
    write(
      this.more,
      this.all
        ? text("post.fewer_tasks")
        : counted("post.more_tasks", Math.max(0, all.length - SHOWN_TASKS)),
    );
    if (bays.length === 0) {
      this.cells.clear();
      replace(
        this.grid,
        h("li", { class: "wide" }, emptyState(text("facility.no_bays"), text("post.no_bays_advice"))),
      );
    } else this.cells.show(bays);
  }

  /** Say which terminal this device is; none by null. */
  showTerminal(name: string | null): void {
    write(this.terminal, name === null ? text("terminal.none") : text("terminal.named", { name }));
  }

  showAge(offline: boolean): void {
    const { readAtMs } = this.post;
    write(
      this.age,
      offline
        ? text("post.offline", { age: agoText(readAtMs, Date.now()) })
        : text("post.age", { age: agoText(readAtMs, Date.now()) }),
    );
    this.age.classList.toggle("is-stale", offline);
  }

  private createTask(task: Task) {
    const title = h("span", { class: "task-title" });
    const detail = h("span", { class: "task-detail" });
    const act = h("span", { class: "task-act" });
    const run = (): void => {
      if (task.kind === "plate") this.acts.takePlate(task.bayId);
      else if (task.kind === "collect") this.acts.openBill(task.billId);
      else this.acts.openBay(task.bayId);
    };
    const mark =
      task.kind === "plate"
        ? glyph("occupied", "m")
        : task.kind === "look"
          ? glyph("unknown", "m")
          : icon("cash");
    const button = h(
      "button",
      { class: `task task-${task.kind}`, type: "button", onclick: run },
      mark,
      h("span", { class: "task-words" }, title, detail),
      act,
    );
    return {
      element: h("li", {}, button),
      update: (now: Task) => {
        const words = taskWords(now, this.post);
        write(title, words.title);
        write(detail, words.detail);
        write(act, words.act);
      },
    };
  }

  private createCell(bay: Bay) {
    const mark = glyph(bay.state, "m");
    const time = h("span", { class: "cell-time" });
    const plate = h("span", { class: "cell-plate" });
    const word = h("span", { class: "visually-hidden" });
    const free = h("span", { class: "cell-free tag", hidden: true }, text("exempt.tag"));
    let shownPlate = "";
    const button = h(
      "button",
      { class: "cell", type: "button", onclick: () => this.acts.openBay(bay.id) },
      h("span", { class: "cell-top" }, mark, h("span", { class: "cell-number" }, this.post.short(bay.label))),
      word,
      time,
      plate,
      free,
    );
    return {
      element: h("li", {}, button),
      update: (now: Bay) => {
        setGlyph(mark, now.state);
        button.dataset["state"] = now.state;
        write(word, text(`state.${now.state}`));
        const stay = this.post.stayIn(now.id);
        const sinceMs = stay ? instant(stay.opened_at) : now.since_at ? instant(now.since_at) : null;
        write(time, sinceMs === null ? text("state.unknown") : lastingText(sinceMs));
        const plateText = stay?.plate ? `${stay.plate.kind}:${stay.plate.text}` : "";
        button.classList.toggle("needs-plate", Boolean(stay && !stay.plate && !stay.exempt));
        free.hidden = !stay || freeBecause(stay, this.post.rules) === null;
        button.classList.toggle("has-waiting", this.post.waiting.has(now.id));
        if (plateText !== shownPlate) {
          shownPlate = plateText;
          replace(plate, stay?.plate ? plateLabel(stay.plate) : null);
        }
      },
    };
  }
}
