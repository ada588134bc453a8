/** What calls for somebody around a post: read, kept on the device, shown in the order of a walk. */
import { act, ProblemError, read } from "../api/client";
import type { PatrolAnswer, PatrolTask } from "../api/types";
import { agoText, inLanguage, price } from "../format/words";
import { instant } from "../format/time";
import type { KeptAct } from "../outbox/acts";
import type { TakenPhoto } from "../outbox/photos";
import { plateLabel } from "../plates/label";
import { businessTime } from "../shell/clock";
import { h, replace, write } from "../shell/dom";
import { labelled } from "../shell/form";
import { emptyState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { base64 } from "../terminal/signing";
import { camera } from "./camera";
import { keepPatrol, keptPatrol } from "./kept";
import { inOrder, LOOKED_AT, standing, withMark, type Mark, type RoundPhoto } from "./patrol_tasks";
import { askPlace } from "./place";
import type { Leg, Point } from "./walk";

const RADIUS_M = 600;
const MOST_MARKS = 200;
/** The next ones: nobody walks further before the list is another. */
const SHOWN = 25;

export class Patrol {
  answer: PatrolAnswer | null = null;
  readAtMs: number | null = null;
  /** Kinds that are shown; all by null. */
  only: ReadonlySet<PatrolTask["kind"]> | null = null;
  private sending = false;
  private marks: readonly Mark[] = [];
  private photos: readonly RoundPhoto[] = [];

  constructor(private readonly done: () => readonly KeptAct[]) {}

  private started: Promise<void> | null = null;

  /** Read what was kept before the last restart, once, and send it. */
  start(): Promise<void> {
    this.started ??= this.restore();
    return this.started;
  }

  private async restore(): Promise<void> {
    addEventListener("online", () => void this.sendPhotos());
    const kept = await keptPatrol();
    if (!kept) return;
    this.marks = [...kept.marks, ...this.marks];
    this.photos = [...(kept.photos ?? []), ...this.photos];
    void this.sendPhotos();
    if (this.answer) return;
    this.answer = kept.answer;
    this.readAtMs = kept.readAtMs;
  }

  /** Read what calls around a place; first tell what was seen and done, so that it is known there. */
  async load(around: Point): Promise<void> {
    await this.send();
    void this.sendPhotos();
    const { only } = this;
    const kinds = only ? [...only].join() : null;
    const answer = await read<PatrolAnswer>("/api/v1/patrol", { ...around, radius_m: RADIUS_M, kinds });
    if (only !== this.only) return; // other kinds are wanted by now
    this.answer = answer;
    this.readAtMs = Date.now();
    await this.keep();
  }

  tasks(): PatrolTask[] {
    const all = this.answer ? standing(this.answer.items, this.marks, this.done()) : [];
    return this.only ? all.filter((task) => this.only?.has(task.kind)) : all;
  }

  walk(from: Point): Leg[] {
    return this.answer ? inOrder(this.answer, this.tasks(), from, businessTime()) : [];
  }

  /** Keep that tasks were seen, or that one is done; told to the city when there is a line. */
  async mark(tasks: readonly PatrolTask[], done = false, note = ""): Promise<void> {
    const at = new Date(businessTime()).toISOString();
    const fresh = tasks.filter((task) => done || task.seen_at === null);
    const marks = fresh.reduce<readonly Mark[]>((all, { id }) => withMark(all, { task_id: id, at, done, note }), this.marks);
    if (marks.length === this.marks.length) return;
    this.marks = marks;
    await this.keep();
    await this.send().catch(() => undefined);
  }

  /** Keep a photo of a task's stay; false where this device could not. Told to the city when there is a line. */
  async keepPhoto(task: PatrolTask, photo: TakenPhoto): Promise<boolean> {
    const takenAt = new Date(businessTime()).toISOString();
    this.photos = [...this.photos, { id: photo.id, taskId: task.id, takenAt, content: photo.content, refused: null }];
    if (!(await this.keep())) {
      this.photos = this.photos.filter(({ id }) => id !== photo.id);
      return false;
    }
    this.photosChanged();
    void this.sendPhotos();
    return true;
  }

  /** Called whenever photos on this device change: of the one task that is open. */
  photosChanged: () => void = () => undefined;

  /** Photos of a task that are on this device alone. */
  photosOf(task: PatrolTask): readonly RoundPhoto[] {
    return this.photos.filter(({ taskId }) => taskId === task.id);
  }

  /** What the car of a stay owes from before, as the list said it last; null where it said nothing. */
  owes(stayId: string): { readonly amount: NonNullable<PatrolTask["amount"]>; readonly atMs: number } | null {
    const task = this.answer?.items.find(({ kind, session_id }) => kind === "arrears" && session_id === stayId);
    return task?.amount && this.readAtMs !== null ? { amount: task.amount, atMs: this.readAtMs } : null;
  }

  /** How many photos are on this device alone, on their way and refused. */
  photosHere(): { readonly waiting: number; readonly refused: number } {
    const refused = this.photos.filter((photo) => photo.refused !== null).length;
    return { waiting: this.photos.length - refused, refused };
  }

  private async sendPhotos(): Promise<void> {
    if (this.sending) return;
    this.sending = true;
    try {
      for (;;) {
        const photo = this.photos.find(({ refused }) => refused === null);
        if (!photo) return;
        const refused = await sentPhoto(photo);
        // What was kept meanwhile stays behind it.
        this.photos = this.photos.flatMap((each) => (each.id !== photo.id ? [each] : refused === null ? [] : [{ ...each, refused }]));
        await this.keep();
        this.photosChanged();
      }
    } catch {
      // No line: asked again with the next reading.
    } finally {
      this.sending = false;
    }
  }

  private async send(): Promise<void> {
    while (this.marks.length > 0) {
      const batch = this.marks.slice(0, MOST_MARKS);
      await act("POST", "/api/v1/patrol/marks", { items: batch });
      const sent = new Set(batch);
      this.marks = this.marks.filter((mark) => !sent.has(mark));
      this.note(batch);
      await this.keep();
    }
  }

  /** Lay over the list what the city has just been told: it is read anew only now and then. */
  private note(told: readonly Mark[]): void {
    if (!this.answer) return;
    const seen = new Map(told.map((mark) => [mark.task_id, mark]));
    const items = this.answer.items
      .filter((task) => !seen.get(task.id)?.done)
      .map((task) => ({ ...task, seen_at: task.seen_at ?? seen.get(task.id)?.at ?? null }));
    this.answer = { ...this.answer, items };
  }

  private keep(): Promise<boolean> {
    return keepPatrol({ answer: this.answer, readAtMs: this.readAtMs, marks: this.marks, photos: this.photos });
  }
}

/** Send a photo: null where the city has it, else why it will not take it. Throws where nobody answered. */
async function sentPhoto(photo: RoundPhoto): Promise<string | null> {
  try {
    const body = { taken_at: photo.takenAt, photo: base64(photo.content) };
    await act("PUT", `/api/v1/patrol/tasks/${photo.taskId}/photos/${photo.id}`, body);
    return null;
  } catch (error) {
    // 401, 429 and 5xx are about the moment.
    if (error instanceof ProblemError && !error.offline && [403, 404, 409, 413, 422].includes(error.status)) return problemText(error);
    throw error;
  }
}

/** A photo of the stay that a task is about, and what became of those that were taken. */
function photoPart(task: PatrolTask, patrol: Patrol): HTMLElement | null {
  if (!task.session_id) return null;
  const state = h("p", { class: "note", role: "status", id: "round-photos" });
  const draw = (): void => {
    const left = patrol.photosOf(task);
    const refused = left.find((photo) => photo.refused !== null);
    state.hidden = left.length === 0;
    write(state, refused?.refused ?? counted("outbox.photos", left.length));
  };
  const taking = camera("round-photo", text("patrol.photo"), (photo) => {
    void patrol.keepPhoto(task, photo).then((kept) => {
      if (kept) toast(text("patrol.photo_kept"));
      else {
        state.hidden = false;
        write(state, text("outbox.not_kept"));
      }
    });
  });
  patrol.photosChanged = draw;
  draw();
  return h("section", { class: "panel-section" }, taking.element, state);
}

export interface PatrolActs {
  /** Do what a task calls for; null where a look is all. */
  readonly act: (task: PatrolTask) => void;
  /** What that is called; null where nothing can be done but look. By default as an attendant does it. */
  readonly named?: (task: PatrolTask) => string | null;
  readonly show: (title: string, element: HTMLElement) => void;
  readonly back: () => void;
}

function title(task: PatrolTask): string {
  return text(`patrol.${task.kind}`, { label: task.bay_label, amount: task.amount ? price(task.amount) : "" });
}

function detail(task: PatrolTask): string {
  const age = agoText(instant(task.arose_at));
  const said = saidBy(task);
  return said ? `${said} · ${age}` : age;
}

/** What a device, a report or a sign says; a sign's own words stand as they are. */
function saidBy(task: PatrolTask): string {
  if (!task.what) return "";
  if (task.kind === "signed") return text("patrol.limit", { minutes: Number(task.what) });
  return task.kind === "forbidden" && task.what !== "works" ? task.what : named("patrol.what", task.what);
}

function placeOf(task: PatrolTask, answer: PatrolAnswer | null): string {
  const facility = answer?.facilities.find((each) => each.id === task.facility_id);
  return facility ? inLanguage(facility.name.zh, facility.name.en) : "";
}

/** The list in the order of a walk, and how far it is. */
export function patrolPanel(
  patrol: Patrol,
  around: Point,
  acts: PatrolActs,
): { readonly element: HTMLElement; readonly update: () => void; readonly reload: () => Promise<void> } {
  const list = h("ol", { class: "patrol-list" });
  const head = h("p", { class: "note", role: "status", id: "patrol-walk" });
  const age = h("p", { class: "post-age", id: "patrol-age" });
  const element = h("div", { class: "panel-body" }, head, age, list);
  let from = around;
  let fromHere = false;
  let shown = "";
  const draw = (): void => {
    const tasks = new Map(patrol.tasks().map((task) => [task.id, task]));
    // The order holds while nothing changes: a list that moves under a thumb is no list.
    const key = [...tasks.keys()].sort().join() + JSON.stringify(from);
    const photos = patrol.photosHere();
    const said = [
      patrol.readAtMs === null ? "" : text(navigator.onLine ? "post.age" : "post.offline", { age: agoText(patrol.readAtMs, Date.now()) }),
      photos.waiting > 0 ? counted("outbox.photos", photos.waiting) : "",
      photos.refused > 0 ? counted("outbox.photos_refused", photos.refused) : "",
    ];
    write(age, said.filter(Boolean).join(" · "));
    if (key === shown) return;
    shown = key;
    const all = patrol.walk(from);
    const legs = all.slice(0, SHOWN);
    const last = legs.at(-1);
    write(
      head,
      last
        ? text(fromHere ? "patrol.walk_here" : "patrol.walk_post", {
            tasks: all.length > SHOWN ? text("patrol.first", { n: SHOWN, of: all.length }) : counted("count.tasks", all.length),
            metres: Math.round(last.metres / 10) * 10,
            minutes: Math.ceil(last.minutes),
          })
        : "",
    );
    if (legs.length === 0) {
      replace(list, h("li", {}, patrol.answer ? emptyState(text("patrol.none"), text("patrol.none_advice")) : emptyState(text("patrol.unread"), text("patrol.unread_advice"))));
      return;
    }
    replace(
      list,
      ...legs.flatMap((leg, index) => {
        const task = tasks.get(leg.id);
        return task ? [row(task, index, leg)] : [];
      }),
    );
    void patrol.mark(legs.flatMap((leg) => tasks.get(leg.id) ?? []));
  };
  const row = (task: PatrolTask, index: number, leg: Leg): HTMLElement =>
    h(
      "li",
      {},
      h(
        "button",
        { class: `task task-patrol task-${task.kind}`, type: "button", "data-task": task.kind, onclick: () => acts.show(title(task), step(task)) },
        h("span", { class: "patrol-number number" }, String(index + 1)),
        h(
          "span",
          { class: "task-words" },
          h("span", { class: "task-title" }, title(task)),
          h("span", { class: "task-detail" }, `${placeOf(task, patrol.answer)} · ${detail(task)}`),
          task.plate ? plateLabel(task.plate) : null,
        ),
        h("span", { class: "task-act" }, text("patrol.metres", { metres: Math.round(leg.metres) })),
      ),
    );
  const step = (task: PatrolTask): HTMLElement => taskStep(task, patrol, acts);
  if (patrol.answer) draw();
  else replace(list, skeleton(4, "row"));
  const reload = async (): Promise<void> => {
    const here = await askPlace();
    if (here) [from, fromHere] = [here, true];
    await patrol.load(from).catch(() => undefined);
    draw();
  };
  void reload();
  return { element, update: draw, reload };
}

/** One task: what is known of it, and what can be done. */
function taskStep(task: PatrolTask, patrol: Patrol, acts: PatrolActs): HTMLElement {
  const facts = h(
    "div",
    { class: "panel-section" },
    h("p", {}, placeOf(task, patrol.answer)),
    h("p", { class: "item-facts" }, detail(task)),
    task.plate ? plateLabel(task.plate) : null,
    h("p", { class: "note" }, text(`patrol.${task.kind}_note`)),
  );
  const name = acts.named ? acts.named(task) : text(`patrol.${task.kind}_act`);
  const go = name === null ? null : h("button", { class: "button button-primary button-thumb", type: "button", id: "patrol-act", onclick: () => acts.act(task) }, name);
  const photo = photoPart(task, patrol);
  if (!LOOKED_AT.has(task.kind)) return h("div", { class: "panel-body" }, facts, photo, go && h("div", { class: "thumb-bar" }, go));
  const note = h("textarea", { class: "input", maxlength: 500, rows: 3 });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const looked = h("button", { class: "button button-primary button-thumb", type: "submit", id: "patrol-done" }, text("patrol.looked"));
  if (go) go.className = "button button-wide";
  return h(
    "form",
    {
      class: "panel-body",
      onsubmit: (event) => {
        event.preventDefault();
        looked.disabled = true;
        patrol
          .mark([task], true, note.value.trim())
          .then(acts.back)
          .catch((error: unknown) => {
            problem.hidden = false;
            write(problem, problemText(error));
            looked.disabled = false;
          });
      },
    },
    facts,
    go,
    photo,
    labelled("patrol-note", text("patrol.note"), note),
    problem,
    h("div", { class: "thumb-bar" }, looked),
  );
}
