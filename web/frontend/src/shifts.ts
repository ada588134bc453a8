/** Attendants' shifts for their office: who is on the street, what was counted, cash on its way. */
import "../styles/base.css";
import "../styles/rights.css";
import "../styles/mine.css";
import "../styles/shifts.css";
import { act, actKey, read } from "./api/client";
import type { CashMove, CashMoves, Shift, ShiftStanding, Shifts, Till } from "./api/types";
import type { Money } from "./format/money";
import { instant } from "./format/time";
import { exactly, price } from "./format/words";
import { fact } from "./panels/figures";
import { fileLink } from "./finance/words";
import { acceptCash, button, CURRENCY, refuseCash, typedAmount, withdrawCash } from "./shifts/cash";
import { endName, stateTag } from "./shifts/words";
import { chips, Desk } from "./shell/desk";
import { byId, h, replace } from "./shell/dom";
import { choice, field, labelled, showForm } from "./shell/form";
import { hasRole, page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, problemText } from "./shell/states";
import { counted, language, named, text } from "./shell/text";
import { toast } from "./shell/toast";

const REFRESH_MS = 15_000;
const FILTERS = ["all", "open", "counted", "approved"] as const;
const STEP = 50;

/** A difference in words: short, over, or none. */
function differenceText(money: Money | null): string {
  if (!money) return text("shifts.not_counted");
  if (money.minor === 0) return text("shifts.balances");
  const amount = price({ ...money, minor: Math.abs(money.minor) });
  return text(money.minor < 0 ? "shifts.short" : "shifts.over", { amount });
}

class ShiftsPage {
  private readonly place = byId("shifts");
  private readonly office = byId("office");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayAct = hasRole("operator", "finance");
  private filter: (typeof FILTERS)[number] = "all";
  private items: Shift[] | null = null;
  private next: string | null = null;
  private most = STEP;
  private names: Record<string, string> = {};

  constructor() {
    chips(
      byId("filter"),
      FILTERS.map((each) => [each, each === "all" ? text("shifts.all") : named("shifts.state", each)] as const),
      this.filter,
      (chosen) => {
        this.filter = chosen;
        this.most = STEP;
        void this.load();
      },
    );
  }

  async load(): Promise<void> {
    try {
      const [shifts, moves, tills] = await Promise.all([
        read<Shifts>("/api/v1/shifts", { limit: this.most, state: this.filter === "all" ? null : this.filter }),
        read<CashMoves>("/api/v1/cash-moves", { limit: STEP, state: "offered" }),
        read<{ items: Till[] }>("/api/v1/tills"),
      ]);
      this.items = [...shifts.items];
      this.next = shifts.next;
      this.names = shifts.names;
      this.desk.wasRead();
      this.draw();
      this.drawOffice(moves, tills.items);
    } catch (error) {
      if (this.items === null) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  private who(subject: string | null): string {
    return (subject && this.names[subject]) || text("shifts.somebody");
  }

  private draw(): void {
    if (this.items === null) return;
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(text("shifts.none"), text("shifts.none_advice"))
        : h("ul", {}, ...this.items.map((each) => h("li", {}, this.row(each)))),
      this.next === null
        ? null
        : button(text("list.more"), () => {
            this.most = Math.min(500, this.most + STEP);
            void this.load();
          }),
      h(
        "p",
        { class: "panel-acts" },
        fileLink("/api/v1/shifts/export", { state: this.filter === "all" ? null : this.filter }),
        fileLink("/api/v1/cash-moves/export", {}, text("shifts.moves_file")),
      ),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(shift: Shift): HTMLElement {
    const state = shift.state === "open" ? exactly(instant(shift.opened_at)) : differenceText(shift.difference);
    return this.desk.row(
      shift.id,
      () => void this.open(shift),
      h("span", { class: "desk-top" }, h("strong", {}, this.who(shift.holder)), stateTag(shift)),
      h(
        "span",
        { class: "desk-top" },
        h("span", { class: "item-facts" }, shift.place),
        h("span", { class: shift.difference?.minor ? "item-facts shift-off" : "item-facts" }, state),
      ),
    );
  }

  /** The office's own cash, and what is on its way to it. */
  private drawOffice(moves: CashMoves, tills: readonly Till[]): void {
    replace(
      this.office,
      h(
        "section",
        { class: "panel-section", "aria-labelledby": "tills-title" },
        h("h2", { id: "tills-title" }, text("shifts.tills")),
        tills.length
          ? h("dl", { class: "facts" }, ...tills.map((each) => fact(text("shifts.office", { district: each.district }), this.ledger(each.account, price(each.holds)))))
          : h("p", { class: "note" }, text("shifts.no_tills")),
        this.mayAct
          ? h(
              "p",
              { class: "panel-acts" },
              button(text("shifts.give_float"), () => void this.giveFloat()),
              button(text("shifts.deposit"), () => this.deposit(tills)),
            )
          : null,
      ),
      moves.items.length
        ? h(
            "section",
            { class: "panel-section", "aria-labelledby": "moves-title" },
            h("h2", { id: "moves-title" }, counted("shifts.under_way", moves.items.length)),
            h("ul", { class: "rows" }, ...moves.items.map((each) => this.move(each, moves.names))),
          )
        : null,
    );
  }

  private move(move: CashMove, names: Readonly<Record<string, string>>): HTMLElement {
    const ours = move.target.kind === "till" && this.mayAct && move.offered_by !== page().account;
    const mine = move.offered_by === page().account;
    return h(
      "li",
      { class: "row row-tall", "data-move": move.id },
      h(
        "div",
        { class: "row-words" },
        h("p", {}, text("shifts.from_to", { from: endName(move.source, names), to: endName(move.target, names) })),
        h("p", { class: "item-facts" }, exactly(instant(move.offered_at))),
        ours || mine
          ? h(
              "p",
              { class: "panel-acts" },
              ours ? button(text("shift.accept"), () => acceptCash(move, () => this.load()), true) : null,
              ours ? button(text("shift.refuse"), () => refuseCash(move, () => this.load())) : null,
              mine ? button(text("shift.withdraw"), () => void withdrawCash(move, () => this.load())) : null,
            )
          : null,
      ),
      // Who takes it in counts it without being told.
      ours ? null : h("strong", { class: "number row-amount" }, price(move.amount)),
    );
  }

  private ledger(account: string, words: string): HTMLElement {
    if (!hasRole("finance", "auditor")) return h("span", { class: "number" }, words);
    const address = `/finance/ledger?account=${encodeURIComponent(account)}&lang=${language()}`;
    return h("a", { class: "number", href: address }, words);
  }

  private open(shift: Shift): Promise<void> {
    return this.desk.open(shift.id, this.who(shift.holder), async () => {
      const found = await read<ShiftStanding>(`/api/v1/shifts/${shift.id}`);
      this.names = { ...this.names, ...found.names };
      return h("div", { class: "case" }, this.facts(found), this.sums(found), this.pieces(found.shift));
    });
  }

  private facts(found: ShiftStanding): HTMLElement {
    const { shift } = found;
    const waits = shift.state === "counted" || (shift.state === "approved" && found.unsettled.minor !== 0);
    const own = shift.holder === page().account;
    return h(
      "section",
      { class: "panel-section" },
      h("p", { class: "tags" }, stateTag(shift), h("span", { class: shift.difference?.minor ? "tag tag-warning" : "tag" }, differenceText(shift.difference))),
      h(
        "dl",
        { class: "facts" },
        fact(text("shift.place"), shift.place),
        fact(text("shift.since"), exactly(instant(shift.opened_at))),
        fact(text("shifts.carried"), price(shift.carried)),
        fact(text(shift.state === "open" ? "shifts.known_now" : "shifts.known"), this.ledger(found.account, price(found.known))),
        shift.counted ? fact(text("shift.counted"), price(shift.counted)) : null,
        shift.counted_at ? fact(text("shift.counted_at"), exactly(instant(shift.counted_at))) : null,
        shift.late.minor ? fact(text("shifts.late"), price(shift.late)) : null,
        found.under_way.minor ? fact(text("shifts.under_way_then"), price(found.under_way)) : null,
        found.unsettled.minor ? fact(text("shifts.unsettled"), price(found.unsettled)) : null,
        fact(text("shifts.breaks"), String(shift.breaks.length)),
        shift.note ? fact(text("shifts.note"), shift.note) : null,
        shift.approved_by ? fact(text("shifts.approved_by"), this.who(shift.approved_by)) : null,
        shift.answer ? fact(text("shift.answer"), shift.answer) : null,
      ),
      this.mayAct && waits && !own
        ? h("p", { class: "panel-acts" }, button(text("shifts.approve"), () => this.approve(found), true))
        : null,
    );
  }

  private sums(found: ShiftStanding): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("shifts.moved")),
      found.sums.length
        ? h(
            "dl",
            { class: "facts" },
            ...found.sums.map((each) =>
              fact(`${named("entry", each.kind)} · ${counted("shifts.entries", each.entries)}`, price(each.amount)),
            ),
          )
        : h("p", { class: "note" }, text("shifts.nothing_moved")),
    );
  }

  private pieces(shift: Shift): HTMLElement | null {
    const laid = Object.entries(shift.pieces).sort(([a], [b]) => Number(b) - Number(a));
    if (!laid.length) return null;
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("shifts.pieces")),
      h("dl", { class: "facts" }, ...laid.map(([face, number]) => fact(price({ minor: Number(face), currency: CURRENCY }), `× ${number}`))),
    );
  }

  private approve(found: ShiftStanding): void {
    const { shift } = found;
    const off = shift.counted !== null && shift.counted.minor !== found.known.minor;
    const answer = h("textarea", { class: "input", rows: 3, maxlength: 500, required: off });
    const key = actKey();
    showForm({
      title: text("shifts.approve"),
      parts: [
        h("p", {}, differenceText(shift.counted ? { ...shift.counted, minor: shift.counted.minor - found.known.minor } : null)),
        labelled("shift-answer", text("shift.answer"), answer, off ? text("shifts.answer_hint") : undefined),
      ],
      submit: text("shifts.approve"),
      send: async () => {
        const done = await act<Shift>("POST", `/api/v1/shifts/${shift.id}/approvals`, { answer: answer.value }, key);
        await this.load();
        void this.open(done);
        return text("shifts.approved", { name: this.who(shift.holder) });
      },
    });
  }

  private async giveFloat(): Promise<void> {
    let open: Shifts;
    try {
      open = await read<Shifts>("/api/v1/shifts", { limit: 500, state: "open" });
    } catch (error) {
      toast(problemText(error));
      return;
    }
    if (open.items.length === 0) {
      toast(text("shifts.nobody_on"));
      return;
    }
    const key = actKey();
    const to = choice(open.items.map((each) => [each.id, `${open.names[each.holder] ?? ""} · ${each.place}`] as const));
    const amount = field("", { inputmode: "decimal", required: true });
    showForm({
      title: text("shifts.give_float"),
      parts: [labelled("float-to", text("shift.to"), to), labelled("float-amount", text("refund.amount"), amount, text("shifts.float_hint"))],
      submit: text("shifts.give_float"),
      send: async () => {
        const chosen = open.items.find((each) => each.id === to.value);
        const sum = typedAmount(amount);
        await act<CashMove>("POST", "/api/v1/cash-moves/floats", { district: chosen?.district, account_id: chosen?.holder, amount: sum }, key);
        await this.load();
        return text("shift.offered", { amount: price(sum) });
      },
    });
  }

  private deposit(tills: readonly Till[]): void {
    const key = actKey();
    const district = tills.length ? choice(tills.map((each) => [each.district, text("shifts.office", { district: each.district })] as const)) : field("", { required: true, pattern: "[0-9a-z]{2,12}" });
    const amount = field("", { inputmode: "decimal", required: true });
    const slip = field("", { required: true, minlength: 3, maxlength: 60, spellcheck: "false" });
    showForm({
      title: text("shifts.deposit"),
      parts: [
        labelled("deposit-from", text("shifts.from"), district),
        labelled("deposit-amount", text("refund.amount"), amount),
        labelled("deposit-slip", text("shifts.slip"), slip),
      ],
      submit: text("shifts.deposit"),
      send: async () => {
        const sum = typedAmount(amount);
        await act<CashMove>("POST", "/api/v1/cash-moves/deposits", { district: district.value, amount: sum, slip: slip.value }, key);
        await this.load();
        return text("shifts.deposited", { amount: price(sum) });
      },
    });
  }
}

void startPage(() => {
  const shown = new ShiftsPage();
  poll(() => shown.load(), REFRESH_MS);
});
