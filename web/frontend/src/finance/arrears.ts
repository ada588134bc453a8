/** Unpaid bills: who is late by how much, what was done about each, and what may be done. */
import { act as send, actKey, ProblemError, read } from "../api/client";
import type { ArrearsCase, ArrearsPage, Bill, WriteOff, WriteOffs } from "../api/types";
import { parseAmount } from "../format/money";
import { instant } from "../format/time";
import { agoText, exactly, inLanguage, lastingText, price } from "../format/words";
import { billTag } from "../panels/bill";
import { fact } from "../panels/figures";
import { plateLabel } from "../plates/label";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace, write } from "../shell/dom";
import { field, labelled, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, problemText } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { Pages } from "./pages";
import { act, channelWords, fileLink, part, readsLedger, tile, who } from "./words";

const VIEWS = ["overdue", "asked", "approved", "refused"] as const;
type View = (typeof VIEWS)[number];
const TONES: Readonly<Record<string, string>> = {
  waiting: "tag-warning",
  sent: "",
  delivered: "tag-good",
  failed: "tag-danger",
  asked: "tag-warning",
  approved: "tag-good",
  refused: "tag-danger",
};

export class ArrearsDesk {
  private readonly place = byId("section");
  private readonly tiles = h("div", {});
  private readonly list = h("div", {});
  private readonly file = h("p", { class: "panel-acts" });
  private readonly chips = h("div", { class: "chips", role: "group", "aria-label": text("disputes.state") });
  private readonly desk = new Desk(this.place, () => this.shownPages().draw());
  private readonly readsBills = hasRole("finance", "auditor", "operator");
  private readonly mayKeep = hasRole("finance");
  private readonly mayDecide = hasRole("finance", "administrator");
  private view: View = this.readsBills ? "overdue" : "asked";
  private readonly bills = new Pages<Bill, ArrearsPage>(
    this.list,
    "/api/v1/arrears",
    () => ({}),
    (items, page) => this.drawBills(items, page),
    () => this.desk.wasRead(),
  );
  private readonly wishes = new Pages<WriteOff, WriteOffs>(
    this.list,
    "/api/v1/write-offs",
    () => ({ state: this.view }),
    (items, page) => this.drawWishes(items, page),
    () => this.desk.wasRead(),
  );

  start(): Promise<void> {
    chips<View>(
      this.chips,
      VIEWS.filter((view) => view !== "overdue" || this.readsBills).map((view) => [view, named("arrears.view", view)] as const),
      this.view,
      (view) => {
        this.view = view;
        this.desk.close();
        void this.load();
      },
    );
    replace(this.place, this.tiles, this.chips, this.list, this.file);
    return this.load();
  }

  private load(): Promise<void> {
    replace(
      this.file,
      this.view === "overdue"
        ? fileLink("/api/v1/arrears/export")
        : fileLink("/api/v1/write-offs/export", { state: this.view }),
    );
    return this.shownPages().load();
  }

  private shownPages(): Pages<Bill, ArrearsPage> | Pages<WriteOff, WriteOffs> {
    return this.view === "overdue" ? this.bills : this.wishes;
  }

  private drawBills(items: readonly Bill[], page: ArrearsPage): Node {
    replace(
      this.tiles,
      ...page.debts.map((debt) =>
        h(
          "dl",
          { class: "figure-tiles" },
          tile(text("arrears.overdue"), price(debt.overdue), counted("arrears.bills", debt.overdue_bills)),
          tile(text("arrears.outstanding"), price(debt.outstanding), counted("arrears.bills", debt.bills)),
          this.ofLedger(page, debt.overdue.currency),
        ),
      ),
    );
    if (items.length === 0) return emptyState(text("arrears.none"), text("arrears.none_advice"));
    return h(
      "ul",
      {},
      ...items.map((bill) =>
        h(
          "li",
          {},
          this.desk.row(
            bill.id,
            () => void this.open(bill.id),
            h(
              "span",
              { class: "desk-top" },
              bill.plate ? plateLabel(bill.plate) : h("span", {}, text("stay.no_plate")),
              h("strong", { class: "number" }, price(bill.outstanding)),
            ),
            h(
              "span",
              { class: "desk-top" },
              h("span", {}, bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : ""),
              h("span", { class: "item-facts" }, text("arrears.late", { time: lastingText(instant(bill.due_at)) })),
            ),
          ),
        ),
      ),
    );
  }

  /** What the ledger has on its accounts of arrears, which open from here. */
  private ofLedger(page: ArrearsPage, currency: string): Node | null {
    if (!page.in_ledger || !readsLedger()) return null;
    const held = page.in_ledger.find((each) => each.currency === currency) ?? { minor: 0, currency };
    return h(
      "div",
      { class: "figure-tile" },
      h("dt", {}, text("arrears.in_ledger")),
      h("dd", { class: "figure-value" }, price(held)),
      h("dd", { class: "item-facts" }, h("a", { href: "/finance/ledger?kind=arrears" }, text("arrears.accounts"))),
    );
  }

  private drawWishes(items: readonly WriteOff[], page: WriteOffs): Node {
    this.tiles.replaceChildren();
    if (items.length === 0) return emptyState(text("arrears.no_wishes"), text("arrears.no_wishes_advice"));
    return h(
      "ul",
      {},
      ...items.map((one) =>
        h(
          "li",
          {},
          this.desk.row(
            one.bill_id,
            () => void this.open(one.bill_id),
            h("span", { class: "desk-top" }, h("strong", {}, one.reason), h("strong", { class: "number" }, price(one.amount))),
            h(
              "span",
              { class: "desk-top" },
              h("span", { class: "item-facts" }, `${who(one.asked_by, page.names)} · ${agoText(instant(one.asked_at))}`),
              tag("write_off.state", one.state),
            ),
          ),
        ),
      ),
    );
  }

  private open(billId: string): Promise<void> {
    return this.desk.open(billId, text("arrears.case"), async () => {
      const [bill, found] = await Promise.all([
        read<Bill>(`/api/v1/bills/${billId}`),
        read<ArrearsCase>(`/api/v1/bills/${billId}/case`),
      ]);
      return h(
        "div",
        { class: "case", "data-bill": billId },
        h(
          "dl",
          { class: "facts" },
          fact(text("stay.plate"), bill.plate ? plateLabel(bill.plate, "m") : text("stay.no_plate")),
          fact(text("disputes.place"), bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : ""),
          fact(text("bill.title"), h("a", { href: `/bills/${billId}` }, text("finance.open_bill")), billTag(bill)),
          fact(text("bill.open_amount"), price(found.outstanding)),
          fact(text("bill.due"), exactly(instant(bill.due_at))),
          fact(text("arrears.days"), counted("arrears.count_days", found.overdue_days)),
          fact(text("arrears.policy"), found.policy_source),
        ),
        steps(found),
        notices(found),
        changes(found),
        this.writeOff(billId, found),
        this.acts(bill, found),
      );
    });
  }

  private writeOff(billId: string, found: ArrearsCase): HTMLElement | null {
    const wish = found.write_off;
    if (!wish) return null;
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const decide = async (approve: boolean): Promise<void> => {
      try {
        await send<WriteOff>("POST", `/api/v1/write-offs/${wish.id}/decision`, { approve });
        toast(text(approve ? "arrears.given_up" : "arrears.kept"));
        await this.again(billId);
      } catch (error) {
        problem.hidden = false;
        const own = error instanceof ProblemError && error.status === 403;
        write(problem, own ? text("finance.not_alone") : problemText(error));
      }
    };
    return part(
      text("arrears.write_off"),
      h("p", {}, wish.reason, " ", tag("write_off.state", wish.state)),
      h("p", { class: "item-facts" }, `${price(wish.amount)} · ${exactly(instant(wish.asked_at))}`),
      wish.state === "asked" && this.mayDecide
        ? h(
            "div",
            {},
            h("p", { class: "note" }, text("arrears.second_person", { amount: price(wish.amount) })),
            problem,
            h(
              "p",
              { class: "panel-acts" },
              act(text("arrears.give_up"), () => void decide(true), true),
              act(text("arrears.keep"), () => void decide(false)),
            ),
          )
        : null,
    );
  }

  private acts(bill: Bill, found: ArrearsCase): HTMLElement | null {
    if (!this.mayKeep || bill.state !== "open") return null;
    return h(
      "p",
      { class: "panel-acts" },
      act(text("arrears.lower"), () => this.lower(bill)),
      found.write_off?.state === "asked" ? null : act(text("arrears.ask_write_off"), () => this.askWriteOff(bill)),
      // Before the policy's last step there is none to be had.
      found.steps.some((each) => each.kind === "court" && !each.left_out)
        ? h(
            "a",
            { class: "button", href: `/api/v1/bills/${bill.id}/court-file`, download: `court-file-${bill.id}.json` },
            text("arrears.court_file"),
          )
        : null,
    );
  }

  private lower(bill: Bill): void {
    const key = actKey();
    const amount = field("", { inputmode: "decimal", required: true });
    const reason = field("", { minlength: 3, maxlength: 500, required: true });
    showForm({
      title: text("arrears.lower"),
      parts: [
        labelled("lower-amount", text("refund.amount"), amount, text("refund.most", { amount: price(bill.outstanding) })),
        labelled("lower-reason", text("finance.reason"), reason),
      ],
      submit: text("arrears.lower"),
      send: async () => {
        const minor = parseAmount(amount.value, bill.amount.currency);
        if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
        const taken = { minor, currency: bill.amount.currency };
        await send("POST", `/api/v1/bills/${bill.id}/adjustments`, { amount: taken, reason: reason.value }, key);
        await this.again(bill.id);
        return text("arrears.lowered", { amount: price(taken) });
      },
    });
  }

  private askWriteOff(bill: Bill): void {
    const key = actKey();
    const reason = field("", { minlength: 3, maxlength: 500, required: true });
    showForm({
      title: text("arrears.ask_write_off"),
      parts: [
        h("p", { class: "note" }, text("arrears.ask_note", { amount: price(bill.outstanding) })),
        labelled("write-off-reason", text("finance.reason"), reason),
      ],
      submit: text("arrears.ask"),
      send: async () => {
        await send<WriteOff>("POST", `/api/v1/bills/${bill.id}/write-offs`, { reason: reason.value }, key);
        await this.again(bill.id);
        return text("arrears.asked");
      },
    });
  }

  private async again(billId: string): Promise<void> {
    await this.shownPages().load();
    await this.open(billId);
  }
}

function tag(prefix: string, state: string): HTMLElement {
  return h("span", { class: `tag ${TONES[state] ?? ""}` }, named(prefix, state));
}

function steps(found: ArrearsCase): HTMLElement | null {
  if (found.steps.length === 0) return null;
  return part(
    text("arrears.steps"),
    h(
      "dl",
      { class: "facts" },
      ...found.steps.map((each) =>
        fact(
          named("arrears.step", each.kind),
          exactly(instant(each.taken_at)),
          each.left_out ? h("span", { class: "tag" }, text("arrears.left_out")) : null,
        ),
      ),
    ),
  );
}

function notices(found: ArrearsCase): HTMLElement | null {
  if (found.notices.length === 0) return null;
  return part(
    text("arrears.notices"),
    h(
      "ul",
      { class: "rows" },
      ...found.notices.map((each) =>
        h(
          "li",
          { class: "row" },
          h(
            "div",
            { class: "row-words" },
            h(
              "p",
              { class: "row-facts" },
              `${named("arrears.step", each.kind)} · ${named("arrears.medium", each.medium)}`,
              tag("arrears.notice", each.state),
            ),
            h("p", {}, each.text),
            h(
              "p",
              { class: "item-facts" },
              [exactly(instant(each.delivered_at ?? each.sent_at ?? each.made_at)), each.provider, each.provider_no]
                .filter(Boolean)
                .join(" · "),
            ),
          ),
        ),
      ),
    ),
  );
}

/** What made the bill another one than it was issued: penalties, what was taken off, parts paid. */
function changes(found: ArrearsCase): HTMLElement | null {
  const lines = [
    ...found.penalties.map((each) => ({ at: each.at, words: each.reason, sum: `+${price(each.amount)}` })),
    ...found.adjustments.map((each) => ({ at: each.made_at, words: each.reason, sum: `−${price(each.amount)}` })),
    ...found.payments.map((each) => ({ at: each.received_at, words: channelWords(each.channel), sum: `−${price(each.amount)}` })),
  ].sort((a, b) => instant(a.at) - instant(b.at));
  if (lines.length === 0) return null;
  return part(
    text("arrears.changes"),
    h(
      "ul",
      { class: "rows" },
      ...lines.map((each) =>
        h(
          "li",
          { class: "row" },
          h("div", { class: "row-words" }, h("p", {}, each.words), h("p", { class: "item-facts" }, exactly(instant(each.at)))),
          h("strong", { class: "number row-amount" }, each.sum),
        ),
      ),
    ),
  );
}
