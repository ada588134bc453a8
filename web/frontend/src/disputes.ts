/** Disputes of bills: the list, and a case with the bill beside what was said of the stay. */
import "../styles/base.css";
import { act, actKey, read, type Page } from "./api/client";
import type { Bill, Dispute, ListedDispute } from "./api/types";
import { instant } from "./format/time";
import { agoText, exactly, inLanguage, price } from "./format/words";
import { billTag } from "./panels/bill";
import { disputeWords } from "./panels/dispute";
import { feeTable } from "./panels/fee";
import { fact } from "./panels/figures";
import { plateLabel } from "./plates/label";
import { labelled } from "./shell/form";
import { chips, Desk } from "./shell/desk";
import { byId, h, replace, write } from "./shell/dom";
import { hasRole, startPage } from "./shell/page";
import { emptyState, errorState, problemText } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";
import { timelineSection } from "./timeline/view";

const STATES = ["open", "upheld", "rejected", "withdrawn"] as const;
const STEP = 50;

class DisputesPage {
  private readonly place = byId("disputes");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayResolve = hasRole("operator", "finance");
  private state: (typeof STATES)[number] = "open";
  private items: ListedDispute[] = [];
  private next: string | null = null;

  constructor() {
    chips(
      byId("states"),
      STATES.map((state) => [state, named("dispute.state", state)] as const),
      this.state,
      (state) => {
        this.state = state;
        void this.load();
      },
    );
  }

  async load(more = false): Promise<void> {
    try {
      const page: Page<ListedDispute> = await read<Page<ListedDispute>>("/api/v1/disputes", {
        state: this.state,
        limit: STEP,
        cursor: more ? this.next : null,
      });
      this.items = more ? [...this.items, ...page.items] : [...page.items];
      this.next = page.next;
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load(more)));
    }
  }

  private draw(): void {
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(text("disputes.none"), text("disputes.none_advice"))
        : h("ul", {}, ...this.items.map((one) => h("li", {}, this.row(one)))),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
  }

  private row(one: ListedDispute): HTMLElement {
    return this.desk.row(
      one.id,
      () => void this.open(one),
      h(
        "span",
        { class: "desk-top" },
        h("strong", {}, named("dispute.ground", one.ground)),
        h("strong", { class: "number" }, price(one.amount)),
      ),
      h(
        "span",
        { class: "desk-top" },
        h("span", {}, one.facility ? inLanguage(one.facility.zh, one.facility.en) : ""),
        one.plate ? plateLabel(one.plate) : null,
      ),
      h("span", { class: "item-facts" }, agoText(instant(one.opened_at))),
    );
  }

  private open(one: ListedDispute): Promise<void> {
    return this.desk.open(one.id, named("dispute.ground", one.ground), async () => {
      const bill = await read<Bill>(`/api/v1/bills/${one.bill_id}`);
      return h("div", { class: "case" }, this.paper(one, bill), timelineSection(one.session_id, bill));
    });
  }

  private paper(one: ListedDispute, bill: Bill): HTMLElement {
    return h(
      "div",
      {},
      bill.dispute ? disputeWords(bill.dispute) : null,
      this.answer(one, bill),
      h(
        "section",
        { class: "panel-section" },
        h("h3", {}, text("bill.title"), " ", billTag(bill)),
        h(
          "dl",
          { class: "facts" },
          fact(text("stay.plate"), bill.plate ? plateLabel(bill.plate, "m") : text("stay.no_plate")),
          fact(text("disputes.place"), bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : ""),
          fact(text("bill.issued"), exactly(instant(bill.issued_at))),
        ),
        feeTable(bill.lines, bill.amount, text("bill.how")),
        h(
          "p",
          { class: "panel-acts" },
          h("a", { class: "button", href: `/bills/${bill.id}` }, text("bill.open")),
          h("a", { class: "button", href: `/stays?stay=${one.session_id}` }, text("disputes.stay")),
        ),
      ),
    );
  }

  /** How it ends: which way, and what the driver is told. */
  private answer(one: ListedDispute, bill: Bill): HTMLElement | null {
    if (bill.dispute?.state !== "open") return null;
    if (!this.mayResolve) return h("p", { class: "note" }, text("disputes.only_read"));
    const key = actKey();
    const words = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 1000, required: true });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
    const submit = h("button", { class: "button button-primary", type: "submit" }, text("disputes.answer"));
    const verdict = (outcome: "upheld" | "rejected", title: string, consequence: string): HTMLElement =>
      h(
        "label",
        { class: "verdict" },
        h("input", { type: "radio", name: "outcome", value: outcome, required: true }),
        h("strong", {}, title),
        h("span", { class: "item-facts" }, consequence),
      );
    const form = h(
      "form",
      {
        class: "panel-section",
        onsubmit: (event) => {
          event.preventDefault();
          void send();
        },
      },
      h("h3", {}, text("disputes.decide")),
      h(
        "fieldset",
        { class: "verdicts" },
        h("legend", { class: "visually-hidden" }, text("disputes.decide")),
        verdict("upheld", text("disputes.uphold"), text("disputes.uphold_means", { amount: price(bill.amount) })),
        verdict("rejected", text("disputes.reject"), text("disputes.reject_means")),
      ),
      labelled("answer-words", text("disputes.told"), words, text("disputes.told_hint")),
      problem,
      h("p", { class: "panel-acts" }, submit),
    );
    const send = async (): Promise<void> => {
      submit.disabled = true;
      problem.hidden = true;
      const outcome = new FormData(form).get("outcome");
      try {
        await act<Dispute>(
          "POST",
          `/api/v1/disputes/${one.id}/resolution`,
          { outcome, answer: words.value },
          key,
        );
        toast(text("disputes.answered"));
        await this.load();
        await this.open(one);
      } catch (error) {
        problem.hidden = false;
        write(problem, problemText(error));
        submit.disabled = false;
      }
    };
    return form;
  }
}

void startPage(() => new DisputesPage().load());
