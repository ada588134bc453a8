/** Disputes of bills: the list, and a case with the bill beside what was said of the stay. */
import "../styles/base.css";
import "../styles/disputes.css";
import { act, actKey, read, type Page } from "./api/client";
import type { Bill, Dispute, ListedDispute } from "./api/types";
import { instant } from "./format/time";
import { agoText, exactly, inLanguage, price } from "./format/words";
import { billTag } from "./panels/bill";
import { disputeWords } from "./panels/dispute";
import { feeTable } from "./panels/fee";
import { fact } from "./panels/figures";
import { plateLabel } from "./plates/label";
import { everySecond } from "./shell/clock";
import { labelled } from "./shell/form";
import { byId, h, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { hasRole, startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";
import { timelineSection } from "./timeline/view";

const STATES = ["open", "upheld", "rejected", "withdrawn"] as const;
const STEP = 50;

class DisputesPage {
  private readonly place = byId("disputes");
  private readonly caseBox = byId("case");
  private readonly mayResolve = hasRole("operator", "finance");
  private state: (typeof STATES)[number] = "open";
  private items: ListedDispute[] = [];
  private next: string | null = null;
  private shown: string | null = null;
  private opener: HTMLElement | null = null;
  private readAtMs: number | null = null;

  constructor() {
    replace(this.place, skeleton(6));
    byId("case-close").addEventListener("click", () => this.close());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
    onKey("Escape", "keys.close", () => this.close());
    everySecond(() => this.showAge());
    this.drawStates();
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
      this.readAtMs = Date.now();
      this.draw();
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load(more)));
    }
    this.showAge();
  }

  private drawStates(): void {
    replace(
      byId("states"),
      ...STATES.map((state) =>
        h(
          "button",
          {
            class: "chip",
            type: "button",
            "aria-pressed": String(this.state === state),
            onclick: () => {
              this.state = state;
              this.drawStates();
              byId("states").querySelector<HTMLElement>('[aria-pressed="true"]')?.focus();
              void this.load();
            },
          },
          named("dispute.state", state),
        ),
      ),
    );
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
    return h(
      "button",
      {
        class: "dispute-row",
        type: "button",
        "data-dispute": one.id,
        "aria-current": this.shown === one.id ? "true" : null,
        onclick: () => void this.open(one),
      },
      h(
        "span",
        { class: "dispute-top" },
        h("strong", {}, named("dispute.ground", one.ground)),
        h("strong", { class: "number" }, price(one.amount)),
      ),
      h(
        "span",
        { class: "dispute-top" },
        h("span", {}, one.facility ? inLanguage(one.facility.zh, one.facility.en) : ""),
        one.plate ? plateLabel(one.plate) : null,
      ),
      h("span", { class: "item-facts" }, agoText(instant(one.opened_at))),
    );
  }

  private async open(one: ListedDispute): Promise<void> {
    const content = byId("case-content");
    if (this.caseBox.hidden) this.opener = document.activeElement as HTMLElement | null;
    this.shown = one.id;
    this.draw();
    this.caseBox.hidden = false;
    byId("main").dataset["case"] = "open";
    write(byId("case-title"), named("dispute.ground", one.ground));
    byId("case-title").focus({ preventScroll: true });
    replace(content, h("div", { class: "case" }, skeleton(6, "line"), skeleton(6, "line")));
    try {
      const bill = await read<Bill>(`/api/v1/bills/${one.bill_id}`);
      if (this.shown !== one.id) return;
      replace(
        content,
        h("div", { class: "case" }, this.paper(one, bill), timelineSection(one.session_id, bill)),
      );
    } catch (error) {
      if (this.shown === one.id) replace(content, errorState(error, () => void this.open(one)));
    }
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
        h("p", { class: "panel-acts" }, h("a", { class: "button", href: `/bills/${bill.id}` }, text("bill.open"))),
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

  private close(): void {
    this.shown = null;
    this.caseBox.hidden = true;
    byId("main").dataset["case"] = "closed";
    this.draw();
    const again = this.opener?.dataset["dispute"];
    if (again) this.place.querySelector<HTMLElement>(`[data-dispute="${again}"]`)?.focus();
    this.opener = null;
  }

  private step(by: 1 | -1): void {
    const rows = [...this.place.querySelectorAll<HTMLElement>("[data-dispute]")];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  }

  private showAge(): void {
    write(
      byId("age"),
      this.readAtMs === null ? "" : text("post.age", { age: agoText(this.readAtMs, Date.now()) }),
    );
  }
}

void startPage(() => new DisputesPage().load());
