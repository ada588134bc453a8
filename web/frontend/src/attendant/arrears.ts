/** What a car owes anywhere in the city: shown to whoever meets it, collected, told of by a slip. */
import { act, ProblemError, read } from "../api/client";
import type { Bill, Owed, Payment, Several, Slip, Together, TogetherLink } from "../api/types";
import type { Money } from "../format/money";
import { instant } from "../format/time";
import { agoText, exactly, inLanguage, price } from "../format/words";
import { PLATE_KINDS } from "../plates/kinds";
import { h, replace, write } from "../shell/dom";
import { choice, field, labelled } from "../shell/form";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { cardStep } from "./card";
import { CashDesk, cashDone, inCash, type Taken } from "./cash";
import { codeScanStep } from "./code";

const PAID_EVERY_MS = 3_000;
/** The server's own limit of bills in one order. */
const MOST_AT_ONCE = 20;

/** What this device was told that a car owes, when; it can be collected with a line alone. */
export interface LastKnown {
  readonly amount: Money;
  readonly atMs: number;
}

export interface ArrearsActs {
  /** Show a step of its own: cash, a code, a slip. */
  readonly show: (title: string, element: HTMLElement) => void;
  readonly close: () => void;
  /** False for who takes no money: codes for the driver and slips alone. */
  readonly takes?: boolean;
}

/** Cash for several bills of one vehicle: all of them or none. */
class SeveralDesk extends CashDesk {
  constructor(
    private readonly bills: readonly Bill[],
    due: Money,
    cash: Money,
    paid: (payment: Taken) => void,
  ) {
    const [first] = bills;
    if (!first) throw new Error("no bill is paid");
    super({ ...first, outstanding: due, in_cash: cash }, paid);
  }

  protected override async pay(tendered: Money, key: string): Promise<Payment> {
    const done = await act<Several>("POST", "/api/v1/arrears/payments", { bills: this.bills.map((each) => each.id), tendered }, key);
    const last = done.payments.at(-1);
    if (!last) throw new Error("nothing was paid");
    // What stands afterwards is about all of them.
    const minor = done.payments.reduce((sum, each) => sum + each.amount.minor, 0);
    return { ...last, amount: { ...last.amount, minor }, change: done.change };
  }
}

function billRow(bill: Bill, box: HTMLInputElement | null): HTMLElement {
  return h(
    "li",
    { class: "row", "data-arrear": bill.id },
    box,
    h(
      "div",
      { class: "row-words" },
      h("p", {}, bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : "–"),
      h("p", { class: "item-facts" }, bill.state === "open" ? text("bill.due_by", { at: exactly(instant(bill.due_at)) }) : named("bill.state", bill.state)),
    ),
    h("strong", { class: "number row-amount" }, price(bill.outstanding)),
  );
}

/** A code that the driver scans, and what becomes of it: said to be paid when it is known to be. */
export function codeStep(link: string, due: Money, done: () => void): HTMLElement {
  const state = h("p", { class: "note", role: "status", id: "arrears-state" }, text("owed.code_note"));
  const element = h(
    "div",
    { class: "arrears-code" },
    h("p", { class: "cash-due" }, h("span", {}, text("cash.due")), h("strong", { class: "cash-sum" }, price(due))),
    h("figure", { class: "pay-code" }, h("img", { src: `${link}/code.svg`, alt: text("owed.code_alt"), width: 240, height: 240 })),
    state,
    h("div", { class: "thumb-bar" }, h("button", { class: "button button-thumb", type: "button", onclick: done }, text("act.done"))),
  );
  const ask = async (): Promise<void> => {
    if (!element.isConnected) return; // its step was closed
    try {
      const found = await read<Together>(`/api/v1${link}`);
      if (found.outstanding.minor === 0) {
        element.dataset["paid"] = "";
        write(state, text("owed.code_paid", { amount: price(due) }));
        return;
      }
      const unknown = found.orders.some((order) => order.state === "unknown" || order.state === "asked");
      write(state, text(unknown ? "owed.code_unknown" : "owed.code_note"));
    } catch {
      // The line is down: what we last heard stands.
    }
    setTimeout(() => void ask(), PAID_EVERY_MS);
  };
  setTimeout(() => void ask(), PAID_EVERY_MS);
  return element;
}

/** A slip to be printed and left on the car; where it was left is its proof of delivery. */
function slipStep(slip: Slip, link: string | null, done: () => void): HTMLElement {
  const where = field("", { maxlength: 200, required: true });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const left = h("button", { class: "button button-primary button-thumb", type: "submit" }, text("owed.slip_left"));
  const run = async (): Promise<void> => {
    left.disabled = true;
    problem.hidden = true;
    try {
      await act("POST", `/api/v1/arrears/slips/${slip.id}`, { where: where.value.trim() });
      replace(element, h("p", { class: "cash-done-title", role: "status" }, text("owed.slip_kept")), h("div", { class: "thumb-bar" }, h("button", { class: "button button-primary button-thumb", type: "button", onclick: done }, text("act.done"))));
    } catch (error) {
      problem.hidden = false;
      write(problem, problemText(error));
      left.disabled = false;
    }
  };
  const element = h(
    "form",
    {
      class: "arrears-slip",
      onsubmit: (event) => {
        event.preventDefault();
        void run();
      },
    },
    h(
      "article",
      { class: "slip", lang: "zh" },
      h("p", { class: "slip-text" }, slip.text),
      link && h("img", { src: `${link}/code.svg`, alt: text("owed.code_alt"), width: 180, height: 180 }),
    ),
    h("p", { class: "no-print" }, h("button", { class: "button", type: "button", onclick: () => print() }, text("owed.slip_print"))),
    h("div", { class: "no-print" }, labelled("slip-where", text("owed.slip_where"), where, text("owed.slip_where_hint"))),
    problem,
    h("div", { class: "thumb-bar no-print" }, left),
  );
  return element;
}

/** Bind some bills into one link that a driver scans; it shows neither places nor times. */
export async function linkTo(bills: readonly string[]): Promise<string> {
  return (await act<TogetherLink>("POST", "/api/v1/arrears/links", { bills })).link;
}

/** What is owed, what can be collected here and now, and slips that wait for the car. */
function owedPart(owed: Owed, acts: ArrearsActs, again: () => void): HTMLElement {
  const open = owed.bills.filter((bill) => bill.state === "open" && bill.outstanding.minor > 0);
  const boxes = new Map(open.map((bill, at) => [bill.id, h("input", { type: "checkbox", checked: at < MOST_AT_ONCE, "aria-label": text("pay.choose_bill", { amount: price(bill.outstanding), at: exactly(instant(bill.due_at)) }) })]));
  const cash = h("button", { class: "button button-primary", type: "button", id: "arrears-cash" });
  const code = h("button", { class: "button", type: "button", id: "arrears-code" }, text("owed.show_code"));
  const card = h("button", { class: "button", type: "button", id: "arrears-card" }, text("card_pay.start"));
  const scan = h("button", { class: "button", type: "button", id: "arrears-scan" }, text("code_pay.start"));
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const chosen = (): Bill[] => open.filter((bill) => boxes.get(bill.id)?.checked);
  const sum = (of: (bill: Bill) => Money): Money => ({ minor: chosen().reduce((all, bill) => all + of(bill).minor, 0), currency: open[0]?.outstanding.currency ?? "CNY" });
  const due = (): Money => sum((bill) => bill.outstanding);
  const done = (): void => {
    acts.close();
    again();
  };
  const draw = (): void => {
    const picked = chosen();
    const one = new Set(picked.map((bill) => bill.outstanding.currency)).size === 1;
    cash.disabled = !one;
    code.disabled = !one || picked.length > MOST_AT_ONCE;
    // A card, and a code on a phone, pay one bill at a time.
    card.hidden = picked.length !== 1;
    scan.hidden = picked.length !== 1;
    write(cash, text("cash.start", { amount: price(sum(inCash)) }));
  };
  const tell = (error: unknown): void => {
    problem.hidden = false;
    write(problem, problemText(error));
  };
  for (const box of boxes.values()) box.addEventListener("change", draw);
  cash.addEventListener("click", () => {
    const desk = new SeveralDesk(chosen(), due(), sum(inCash), (payment) => acts.show(text("cash.title"), cashDone(payment, done)));
    acts.show(text("cash.title"), desk.element);
  });
  card.addEventListener("click", () => {
    const [bill] = chosen();
    if (bill) acts.show(text("card_pay.start"), cardStep(bill, done));
  });
  scan.addEventListener("click", () => {
    const [bill] = chosen();
    if (bill) acts.show(text("code_pay.start"), codeScanStep(bill, done));
  });
  code.addEventListener("click", () => {
    const owing = due();
    code.disabled = true;
    linkTo(chosen().map((bill) => bill.id))
      .then((link) => acts.show(text("owed.code_title"), codeStep(link, owing, done)))
      .catch(tell)
      .finally(draw);
  });
  draw();
  const slipRow = (slip: Slip): HTMLElement =>
    h(
      "li",
      { class: "row", "data-slip": slip.id },
      h("span", { class: "row-words" }, `${named("arrears.step", slip.kind)} · ${exactly(instant(slip.made_at))}`),
      h(
        "button",
        {
          class: "button",
          type: "button",
          onclick: () => {
            const payable = open.some((bill) => bill.id === slip.bill_id);
            (payable ? linkTo([slip.bill_id]) : Promise.resolve(null))
              .then((link) => acts.show(text("owed.slip_title"), slipStep(slip, link, done)))
              .catch(tell);
          },
        },
        text("owed.slip_open"),
      ),
    );
  return h(
    "div",
    {},
    h("p", { class: "note note-warning" }, text("owed.never_detain")),
    h("ul", { class: "rows" }, ...owed.bills.map((bill) => billRow(bill, boxes.get(bill.id) ?? null))),
    problem,
    open.length ? h("p", { class: "arrears-acts" }, ...(acts.takes === false ? [code] : [cash, scan, code, card])) : null,
    owed.slips.length ? h("p", { class: "label" }, counted("owed.slips", owed.slips.length)) : null,
    owed.slips.length ? h("ul", { class: "rows" }, ...owed.slips.map(slipRow)) : null,
  );
}

/** The part of a stay's panel about what its car owes at whichever place; nothing where it owes nothing. */
export function arrearsOfStay(stayId: string, acts: ArrearsActs, known: LastKnown | null = null): HTMLElement {
  const body = h("div", { "aria-live": "polite" }, skeleton(2, "line"));
  const section = h("section", { class: "panel-section", id: "arrears" }, h("h3", {}, text("owed.title")), body);
  const load = async (): Promise<void> => {
    try {
      const owed = await read<Owed>(`/api/v1/sessions/${stayId}/arrears`);
      replace(body, owed.bills.length ? owedPart(owed, acts, () => void load()) : h("p", { class: "note" }, text("owed.none")));
    } catch (error) {
      const last = known && error instanceof ProblemError && error.offline ? known : null;
      replace(
        body,
        last && h("p", { class: "note note-warning", id: "arrears-known" }, text("owed.last_known", { amount: price(last.amount), age: agoText(last.atMs, Date.now()) })),
        errorState(error, () => void load()),
      );
    }
  };
  void load();
  return section;
}

/** Look a plate up that stands in no bay here: somebody comes to pay. */
export function arrearsByPlate(acts: ArrearsActs): HTMLElement {
  const kind = choice(PLATE_KINDS.map((one) => [one, named("plate.kind", one)] as const), "blue7");
  const plate = field("", { maxlength: 16, minlength: 5, required: true, autocapitalize: "characters", spellcheck: "false" });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary button-wide", type: "submit" }, text("owed.look_up"));
  const found = h("div", { class: "arrears-found", "aria-live": "polite" });
  const run = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    try {
      const owed = await act<Owed>("POST", "/api/v1/arrears/lookups", { plate: plate.value.trim(), kind: kind.value });
      replace(found, owed.bills.length ? owedPart(owed, acts, () => void run()) : emptyState(text("owed.none"), text("owed.none_advice")));
    } catch (error) {
      problem.hidden = false;
      write(problem, problemText(error));
    } finally {
      submit.disabled = false;
    }
  };
  return h(
    "div",
    { class: "panel-body" },
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      labelled("arrears-plate", text("plate.number"), plate),
      labelled("arrears-kind", text("plate.kind"), kind),
      problem,
      submit,
    ),
    found,
  );
}
