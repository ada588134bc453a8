/** An attendant's shift: begun, broken off, cash handed over, counted blind at its end. */
import { act, actKey, ProblemError, read } from "../api/client";
import type { Colleague, MyShift, Shift } from "../api/types";
import type { Money } from "../format/money";
import { instant } from "../format/time";
import { exactly, moment, price } from "../format/words";
import { doneAtMs, type KeptAct, type Wanted } from "../outbox/acts";
import { fact } from "../panels/figures";
import { handedRow, handOver, keep, moveRow, takeOver, type Hands, type NoteAct } from "./hands";
import { keepShift, keptShift, type KeptShift } from "./kept";
import { countedMinor, SHIFT_KINDS, shiftHere, type ShiftHere } from "./shift_here";
import { button, CURRENCY } from "../shifts/cash";
import { stateTag } from "../shifts/words";
import { businessTime } from "../shell/clock";
import { h, replace, write } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { page } from "../shell/page";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";

const MOST_PIECES = 100_000;

export interface ShiftPlace {
  readonly district: string;
  readonly name: string;
}

export interface ShiftActs {
  /** Acts that wait on this device: their cash is not in the ledger yet. */
  readonly waiting: () => readonly KeptAct[];
  /** Keep an act until there is a line; null on a device that keeps none. */
  readonly note: NoteAct | null;
}

function offline(error: unknown): boolean {
  return error instanceof ProblemError && error.offline;
}

/** Read one's own shift and who else is on shift, and keep both for when there is no line. */
export async function readShift(account: string, district: string): Promise<KeptShift> {
  const [mine, colleagues] = await Promise.all([
    read<MyShift>("/api/v1/shifts/mine"),
    read<{ items: Colleague[] }>("/api/v1/shifts/colleagues", { district }),
  ]);
  const found = { mine, colleagues: colleagues.items, readAtMs: businessTime() };
  await keepShift(account, found);
  return found;
}

function money(minor: number): Money {
  return { minor, currency: CURRENCY };
}

export class ShiftPanel {
  readonly element = h("div", { class: "panel-body shift" }, skeleton(4, "line"));
  /** What waited when it was drawn. */
  private drawn = "";
  /** Whether cash was offered that nobody had counted when the city was asked last. */
  private underWay = false;
  /** Whether notes and coins are being counted: nothing is drawn over that. */
  private counting = false;
  /** Who was on shift when the city was asked last. */
  private colleagues: readonly Colleague[] = [];

  constructor(
    private readonly place: ShiftPlace,
    private readonly acts: ShiftActs,
  ) {
    void this.load();
  }

  /** Draw it anew where something was done, undone or sent since. */
  update(): void {
    if (!this.counting && this.drawn !== this.signature()) void this.load();
  }

  private signature(): string {
    return this.acts.waiting().map(({ id }) => id).join();
  }

  private async load(): Promise<void> {
    this.drawn = this.signature();
    const account = page().account ?? "";
    try {
      const { mine, colleagues } = await readShift(account, this.place.district);
      this.colleagues = colleagues ?? [];
      this.draw(mine, null);
    } catch (error) {
      const kept = offline(error) && this.acts.note ? await keptShift(account) : null;
      if (kept) {
        this.colleagues = kept.colleagues ?? [];
        this.draw(kept.mine, kept.readAtMs);
      } else replace(this.element, errorState(error, () => void this.load()));
    }
  }

  private draw(read: MyShift, readAtMs: number | null): void {
    const mine = shiftHere(read, this.acts.waiting(), this.place.district);
    const open = mine.shift?.state === "open" && !mine.counted ? mine.shift : null;
    this.counting = false;
    this.underWay = mine.waiting.length > 0;
    replace(
      this.element,
      readAtMs === null ? null : h("p", { class: "note note-warning", role: "status" }, text("shift.as_read", { at: moment(readAtMs) })),
      mine.counted ? this.countedHere(mine.counted) : null,
      open ? this.running(open, mine) : this.none(mine),
      mine.waiting.length + mine.handed.length ? this.waiting(mine) : null,
      open || mine.carried.minor ? this.hands() : null,
      open
        ? h("div", { class: "thumb-bar" }, button(text("shift.end"), () => this.count(open, mine, () => this.draw(read, readAtMs)), true))
        : null,
    );
  }

  /** What was counted here and is not sent: what the city expected is told then, not before. */
  private countedHere(act: KeptAct): HTMLElement {
    return h(
      "section",
      { class: "panel-section", "data-shift": "counted-here" },
      h("h3", {}, text("shift.counted_here")),
      h(
        "dl",
        { class: "facts" },
        fact(text("shift.counted_at"), exactly(doneAtMs(act))),
        fact(text("shift.counted"), price(money(countedMinor(act.wanted.pieces ?? {})))),
      ),
      h("p", { class: "note" }, text("shift.counted_here_advice")),
    );
  }

  private none(mine: ShiftHere): HTMLElement {
    const last = mine.counted ? null : mine.shift;
    return h(
      "section",
      { class: "panel-section" },
      last ? this.over(last, mine.waiting.length > 0) : mine.counted ? null : emptyState(text("shift.none"), text("shift.none_advice")),
      mine.carried.minor ? h("p", {}, text("shift.carried", { amount: price(mine.carried) })) : null,
      h("p", { class: "panel-acts" }, button(text("shift.begin", { place: this.place.name }), () => void this.begin(), true)),
    );
  }

  /** What became of the last one: now that it was counted, the difference is told. */
  private over(shift: Shift, underWay: boolean): HTMLElement {
    const difference = shift.difference?.minor ?? 0;
    return h(
      "section",
      { class: "panel-section", "data-shift": shift.state },
      h("h3", {}, text("shift.last"), " ", stateTag(shift)),
      h(
        "dl",
        { class: "facts" },
        fact(text("shift.place"), shift.place),
        fact(text("shift.counted_at"), shift.counted_at ? exactly(instant(shift.counted_at)) : "–"),
        fact(text("shift.counted"), shift.counted ? price(shift.counted) : "–"),
        fact(text("shift.difference"), shift.difference ? price(shift.difference) : "–"),
        shift.note ? fact(text("shift.note"), shift.note) : null,
        shift.answer ? fact(text("shift.answer"), shift.answer) : null,
      ),
      underWay && difference !== 0 ? h("p", { class: "note" }, text("shift.in_difference")) : null,
      shift.state === "counted" && difference !== 0
        ? h("p", { class: "panel-acts" }, button(text("shift.explain"), () => this.explain(shift)))
        : null,
    );
  }

  private running(shift: Shift, mine: ShiftHere): HTMLElement {
    const pause = shift.breaks.at(-1);
    const resting = pause !== undefined && pause.until_at === null;
    return h(
      "section",
      { class: "panel-section", "data-shift": "open" },
      h("p", { class: "tags" }, stateTag(shift), resting ? h("span", { class: "tag tag-warning" }, text("shift.on_break")) : null),
      h(
        "dl",
        { class: "facts" },
        fact(text("shift.place"), shift.place),
        fact(text("shift.since"), exactly(instant(shift.opened_at))),
        fact(text("shift.carries"), h("strong", { class: "number" }, price({ ...mine.carried, minor: mine.carried.minor + mine.onDevice }))),
      ),
      h(
        "p",
        { class: "panel-acts" },
        resting
          ? button(text("shift.resume"), () => void this.send({ kind: "shift-resume" }, `/${shift.id}/breaks/end`), true)
          : button(text("shift.pause"), () => void this.send({ kind: "shift-pause" }, `/${shift.id}/breaks`)),
      ),
    );
  }

  /** Cash on its way from or to this attendant. */
  private waiting(mine: ShiftHere): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("shift.waiting")),
      h(
        "ul",
        { class: "rows" },
        ...mine.handed.map(handedRow),
        ...mine.waiting.map((move) => moveRow(move, mine.names, this.sides())),
      ),
    );
  }

  private hands(): HTMLElement {
    const { note } = this.acts;
    return h(
      "section",
      { class: "panel-section" },
      h(
        "p",
        { class: "panel-acts" },
        button(text("shift.hand_over"), () => handOver(this.sides())),
        note ? button(text("shift.take_over"), () => takeOver(this.sides(), note)) : null,
      ),
    );
  }

  private sides(): Hands {
    return { district: this.place.district, colleagues: this.colleagues, note: this.acts.note, load: () => this.load() };
  }

  private async begin(): Promise<void> {
    const { district, name: place } = this.place;
    await this.send({ kind: "shift-begin", place }, "", { district, place });
  }

  private async send(wanted: Wanted, path: string, body: object = {}): Promise<void> {
    try {
      const waits = this.acts.waiting().some((each) => SHIFT_KINDS.has(each.wanted.kind));
      await this.tell(wanted, path, body, waits);
    } catch (error) {
      toast(problemText(error));
    }
    await this.load();
  }

  /**
   * Tell the city, or keep it as an act: without a line, and after what was done before and waits.
   * Told twice, because an answer was lost, it is one: the city says that it is so already.
   */
  private async tell(wanted: Wanted, path: string, body: object, waits: boolean, key = actKey()): Promise<void> {
    const { note } = this.acts;
    if (!note || !waits) {
      try {
        await act<Shift>("POST", `/api/v1/shifts${path}`, body, key);
        return;
      } catch (error) {
        if (!note || !offline(error)) throw error;
      }
    }
    if (wanted.kind === "shift-count" && this.underWay) {
      // The city counts nothing while cash is under way, and without a line nobody can ask it.
      throw new ProblemError(409, "cash-under-way", text("shift.under_way"));
    }
    await keep(note, wanted);
  }

  /** Count notes and coins; what should be there is not on the screen meanwhile. */
  private count(shift: Shift, mine: ShiftHere, cancel: () => void): void {
    this.counting = true;
    const key = actKey();
    const total = h("strong", { class: "cash-sum", "aria-live": "polite" }, price(money(0)));
    const inputs = mine.faces.map((face) => {
      const input = field("", { inputmode: "numeric", pattern: "[0-9]*", "data-face": face, maxlength: 6 });
      input.addEventListener("input", () => write(total, price(money(sum()))));
      return { face, input };
    });
    const pieces = (): Record<string, number> =>
      Object.fromEntries(
        inputs
          .map(({ face, input }) => [String(face), Math.trunc(Number(input.value) || 0)] as const)
          .filter(([, number]) => number > 0),
      );
    const sum = (): number => Object.entries(pieces()).reduce((all, [face, number]) => all + Number(face) * number, 0);
    const note = h("textarea", { class: "input", rows: 2, maxlength: 500 });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const submit = h("button", { class: "button button-primary", type: "submit" }, text("shift.end"));
    const send = async (): Promise<void> => {
      submit.disabled = true;
      problem.hidden = true;
      try {
        if (Object.values(pieces()).some((number) => number > MOST_PIECES)) {
          throw new ProblemError(422, "invalid", text("shift.too_many"));
        }
        const told = { pieces: pieces(), note: note.value };
        await this.tell({ kind: "shift-count", ...told }, `/${shift.id}/count`, told, this.acts.waiting().length > 0, key);
        this.counting = false;
        await this.load();
      } catch (error) {
        problem.hidden = false;
        write(problem, problemText(error));
      } finally {
        submit.disabled = false;
      }
    };
    replace(
      this.element,
      h(
        "form",
        {
          class: "shift-count",
          onsubmit: (event) => {
            event.preventDefault();
            void send();
          },
        },
        h("h3", {}, text("shift.count")),
        h("p", { class: "note" }, text("shift.count_advice")),
        h(
          "div",
          { class: "form-row shift-pieces" },
          ...inputs.map(({ face, input }) => labelled(`piece-${face}`, text("shift.piece", { face: price(money(face)) }), input)),
        ),
        labelled("count-note", text("shift.note"), note),
        h("p", { class: "cash-due" }, h("span", {}, text("shift.counted")), total),
        problem,
        h("div", { class: "thumb-bar" }, button(text("act.cancel"), cancel), submit),
      ),
    );
  }

  private explain(shift: Shift): void {
    const note = h("textarea", { class: "input", rows: 3, maxlength: 500, required: true });
    note.value = shift.note;
    showForm({
      title: text("shift.explain"),
      parts: [labelled("shift-note", text("shift.note"), note)],
      submit: text("shift.explain"),
      send: async () => {
        try {
          await act<Shift>("PUT", `/api/v1/shifts/${shift.id}/note`, { note: note.value });
        } catch (error) {
          if (!this.acts.note || !offline(error)) throw error;
          await keep(this.acts.note, { kind: "shift-explain", shift_id: shift.id, note: note.value });
        }
        await this.load();
        return text("shift.explained");
      },
    });
  }
}
