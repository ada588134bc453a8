/** An attendant's shift: begun, broken off, cash handed over, counted blind at its end. */
import { act, actKey, ProblemError, read } from "../api/client";
import type { CashMove, Colleague, MyShift, Shift } from "../api/types";
import type { Money } from "../format/money";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { acceptCash, button, CURRENCY, refuseCash, typedAmount, withdrawCash } from "../shifts/cash";
import { endName, stateTag } from "../shifts/words";
import { h, replace, write } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { page } from "../shell/page";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { text } from "../shell/text";
import { toast } from "../shell/toast";

const OFFICE = "till";
const MOST_PIECES = 100_000;

export interface ShiftPlace {
  readonly district: string;
  readonly name: string;
}

export interface ShiftActs {
  /** Acts that wait on this device: their cash is not in the ledger yet. */
  readonly waiting: () => number;
}

function money(minor: number): Money {
  return { minor, currency: CURRENCY };
}

export class ShiftPanel {
  readonly element = h("div", { class: "panel-body shift" }, skeleton(4, "line"));
  private now: MyShift | null = null;

  constructor(
    private readonly place: ShiftPlace,
    private readonly acts: ShiftActs,
  ) {
    void this.load();
  }

  private async load(): Promise<void> {
    try {
      this.now = await read<MyShift>("/api/v1/shifts/mine");
      this.draw(this.now);
    } catch (error) {
      replace(this.element, errorState(error, () => void this.load()));
    }
  }

  private draw(mine: MyShift): void {
    const open = mine.shift?.state === "open" ? mine.shift : null;
    replace(
      this.element,
      open ? this.running(open, mine) : this.none(mine),
      mine.waiting.length ? this.waiting(mine) : null,
      open || mine.carried.minor ? this.hands() : null,
      open ? h("div", { class: "thumb-bar" }, button(text("shift.end"), () => this.count(open, mine), true)) : null,
    );
  }

  private none(mine: MyShift): HTMLElement {
    const last = mine.shift;
    return h(
      "section",
      { class: "panel-section" },
      last ? this.over(last) : emptyState(text("shift.none"), text("shift.none_advice")),
      mine.carried.minor ? h("p", {}, text("shift.carried", { amount: price(mine.carried) })) : null,
      h("p", { class: "panel-acts" }, button(text("shift.begin", { place: this.place.name }), () => void this.begin(), true)),
    );
  }

  /** What became of the last one: now that it was counted, the difference is told. */
  private over(shift: Shift): HTMLElement {
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
      shift.state === "counted" && difference !== 0
        ? h("p", { class: "panel-acts" }, button(text("shift.explain"), () => this.explain(shift)))
        : null,
    );
  }

  private running(shift: Shift, mine: MyShift): HTMLElement {
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
        fact(text("shift.carries"), h("strong", { class: "number" }, price(mine.carried))),
      ),
      h(
        "p",
        { class: "panel-acts" },
        resting
          ? button(text("shift.resume"), () => void this.send(`${shift.id}/breaks/end`), true)
          : button(text("shift.pause"), () => void this.send(`${shift.id}/breaks`)),
      ),
    );
  }

  /** Cash on its way from or to this attendant. */
  private waiting(mine: MyShift): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("shift.waiting")),
      h("ul", { class: "rows" }, ...mine.waiting.map((move) => this.move(move, mine.names))),
    );
  }

  private move(move: CashMove, names: Readonly<Record<string, string>>): HTMLElement {
    const mine = move.offered_by === page().account;
    const words = mine
      ? text("shift.offered_to", { who: endName(move.target, names) })
      : text("shift.offered_by", { who: endName(move.source, names) });
    return h(
      "li",
      { class: "row row-tall", "data-move": move.id },
      h(
        "div",
        { class: "row-words" },
        h("p", {}, words),
        h(
          "p",
          { class: "panel-acts" },
          mine
            ? button(text("shift.withdraw"), () => void withdrawCash(move, () => this.load()))
            : button(text("shift.accept"), () => acceptCash(move, () => this.load()), true),
          mine ? null : button(text("shift.refuse"), () => refuseCash(move, () => this.load())),
        ),
      ),
      // Who gets it counts it without being told.
      mine ? h("strong", { class: "number row-amount" }, price(move.amount)) : null,
    );
  }

  private hands(): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("p", { class: "panel-acts" }, button(text("shift.hand_over"), () => void this.handOver())),
    );
  }

  private async begin(): Promise<void> {
    await this.send("", { district: this.place.district, place: this.place.name });
  }

  private async send(path: string, body: object = {}): Promise<void> {
    try {
      await act<Shift>("POST", path ? `/api/v1/shifts/${path}` : "/api/v1/shifts", body);
    } catch (error) {
      toast(problemText(error));
    }
    await this.load();
  }

  private async handOver(): Promise<void> {
    const { district } = this.place;
    let colleagues: readonly Colleague[] = [];
    try {
      colleagues = (await read<{ items: Colleague[] }>("/api/v1/shifts/colleagues", { district })).items;
    } catch {
      // The office is always there.
    }
    const key = actKey();
    const amount = field("", { inputmode: "decimal", required: true });
    const to = choice([
      [OFFICE, text("shifts.office", { district })] as const,
      ...colleagues.map((each) => [each.account_id, `${each.name} · ${each.place}`] as const),
    ]);
    showForm({
      title: text("shift.hand_over"),
      parts: [
        h("p", { class: "note" }, text("shift.hand_over_means")),
        labelled("hand-over-to", text("shift.to"), to),
        labelled("hand-over-amount", text("refund.amount"), amount),
      ],
      submit: text("shift.hand_over"),
      send: async () => {
        const sum = typedAmount(amount);
        const receiver = to.value === OFFICE ? { kind: OFFICE } : { kind: "attendant", account_id: to.value };
        await act<CashMove>("POST", "/api/v1/cash-moves", { district, to: receiver, amount: sum }, key);
        await this.load();
        return text("shift.offered", { amount: price(sum) });
      },
    });
  }

  /** Count notes and coins; what should be there is not on the screen meanwhile. */
  private count(shift: Shift, mine: MyShift): void {
    if (this.acts.waiting() > 0) {
      toast(text("shift.acts_wait"));
      return;
    }
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
        await act<Shift>("POST", `/api/v1/shifts/${shift.id}/count`, { pieces: pieces(), note: note.value }, key);
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
        h("div", { class: "thumb-bar" }, button(text("act.cancel"), () => this.draw(mine)), submit),
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
        await act<Shift>("PUT", `/api/v1/shifts/${shift.id}/note`, { note: note.value });
        await this.load();
        return text("shift.explained");
      },
    });
  }
}
