/** Bills and stays that were, the latest first, page by page. */
import { read, type Page } from "../api/client";
import type { Bill, MyStay } from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage, lastingText, moment, price } from "../format/words";
import { billTag } from "../panels/bill";
import { plateLabel } from "../plates/label";
import { h, replace } from "../shell/dom";
import { emptyState, errorState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { timelineSection } from "../timeline/view";
import { openAmounts } from "./sums";

const STEP = 20;

/** A list that reads on: rows as they come, 'show more' while there are more. */
export class PagedList<T> {
  private items: T[] = [];
  private next: string | null = null;

  constructor(
    private readonly place: HTMLElement,
    private readonly path: string,
    private readonly draw: (items: readonly T[], more: HTMLElement | null) => HTMLElement,
  ) {
    replace(place, skeleton(3));
  }

  async load(more = false): Promise<void> {
    try {
      const page: Page<T> = await read<Page<T>>(this.path, {
        limit: STEP,
        cursor: more ? this.next : null,
      });
      this.items = more ? [...this.items, ...page.items] : [...page.items];
      this.next = page.next;
      replace(
        this.place,
        this.draw(
          this.items,
          this.next === null
            ? null
            : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
        ),
      );
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load(more)));
    }
  }
}

function billFacts(bill: Bill): string {
  if (bill.payment) {
    return text("mine.bill_paid", {
      at: exactly(instant(bill.payment.received_at)),
      by: named("bill.channel", bill.payment.channel),
    });
  }
  if (bill.state === "disputed") return text("bill.clock_stands");
  if (bill.state === "open") return text("bill.due_by", { at: exactly(instant(bill.due_at)) });
  return exactly(instant(bill.issued_at));
}

export function billRows(bills: readonly Bill[], more: HTMLElement | null): HTMLElement {
  if (bills.length === 0) return emptyState(text("mine.no_bills"), text("mine.no_bills_advice"));
  const open = openAmounts(bills);
  return h(
    "div",
    {},
    open.length
      ? h(
          "p",
          { class: "open-amount" },
          h("span", {}, text(more ? "mine.open_so_far" : "bill.open_amount")),
          ...open.map((amount) => h("strong", { class: "number" }, price(amount))),
        )
      : h("p", { class: "note" }, text("mine.nothing_open")),
    h(
      "ul",
      { class: "rows" },
      ...bills.map((bill) =>
        h(
          "li",
          { class: "row", "data-bill": bill.id },
          h(
            "div",
            { class: "row-words" },
            h(
              "p",
              {},
              h(
                "a",
                { class: "row-link", href: `/bills/${bill.id}` },
                bill.facility ? inLanguage(bill.facility.zh, bill.facility.en) : text("bill.title"),
              ),
            ),
            h("p", { class: "row-facts" }, bill.plate ? plateLabel(bill.plate) : null, billTag(bill)),
            h("p", { class: "item-facts" }, billFacts(bill)),
          ),
          h("strong", { class: "number row-amount" }, price(bill.amount)),
        ),
      ),
    ),
    more,
  );
}

function stayWord(stay: MyStay): string {
  if (stay.hold) return named("hold", stay.hold);
  if (stay.set_aside) return named("set_aside", stay.set_aside);
  return named("mine.stay", stay.state);
}

function stayRow(stay: MyStay): HTMLElement {
  const fromMs = instant(stay.opened_at);
  const toMs = stay.closed_at ? instant(stay.closed_at) : null;
  const story = h("details", { class: "frame" }, h("summary", {}, text("mine.what_was_said")));
  story.addEventListener(
    "toggle",
    () => {
      if (story.open) story.append(timelineSection(stay.id, null));
    },
    { once: true },
  );
  return h(
    "li",
    { class: "row row-tall", "data-stay-row": stay.id },
    h(
      "div",
      { class: "row-words" },
      h(
        "p",
        { class: "row-name" },
        stay.facility ? inLanguage(stay.facility.zh, stay.facility.en) : "",
        stay.bay_label ? ` · ${stay.bay_label}` : "",
      ),
      h(
        "p",
        { class: "row-facts" },
        stay.plate ? plateLabel(stay.plate) : null,
        h("span", { class: stay.hold ? "tag tag-warning" : "tag" }, stayWord(stay)),
      ),
      h(
        "p",
        { class: "item-facts" },
        text("stay.from_to", { from: moment(fromMs), to: toMs === null ? "…" : moment(toMs) }),
        " · ",
        lastingText(fromMs, toMs ?? undefined),
      ),
      story,
    ),
    stay.bill_id ? h("a", { href: `/bills/${stay.bill_id}` }, text("bill.page")) : null,
  );
}

export function stayRows(stays: readonly MyStay[], more: HTMLElement | null): HTMLElement {
  if (stays.length === 0) return emptyState(text("mine.no_stays"), text("mine.no_stays_advice"));
  return h("div", {}, h("ul", { class: "rows" }, ...stays.map(stayRow)), more);
}
