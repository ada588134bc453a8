/** Invoices and receipts that were asked for: issued, waiting for their provider, taken back. */
import { withQuery } from "../api/client";
import type { ListedPaper, ListedPapers } from "../api/types";
import { moved } from "../figures/range";
import { instant } from "../format/time";
import { exactly, inLanguage, price } from "../format/words";
import { fact } from "../panels/figures";
import { plateLabel } from "../plates/label";
import { zone } from "../shell/clock";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { field, localInstant } from "../shell/form";
import { emptyState } from "../shell/states";
import { named, text } from "../shell/text";
import { Pages } from "./pages";
import { toolField } from "./words";

const VIEWS = ["all", "asked", "blue", "red"] as const;

export class InvoicesDesk {
  private readonly place = byId("section");
  private readonly list = h("div", {});
  private readonly views = h("div", { class: "chips", role: "group", "aria-label": text("papers.which") });
  private readonly number = field("", { id: "number", type: "search", maxlength: 64, spellcheck: "false" });
  private readonly from = field("", { id: "from", type: "date" });
  private readonly until = field("", { id: "until", type: "date" });
  private readonly file = h("a", { class: "button", href: "#", download: "" }, text("figures.file"));
  private readonly desk = new Desk(this.place, () => this.pages.draw());
  private view: (typeof VIEWS)[number] = "all";
  private readonly pages = new Pages<ListedPaper, ListedPapers>(
    this.list,
    "/api/v1/invoices",
    () => this.query(),
    (items) => this.draw(items),
    () => this.desk.wasRead(),
  );

  start(): Promise<void> {
    chips(
      this.views,
      VIEWS.map((view) => [view, named("papers.view", view)] as const),
      this.view,
      (view) => {
        this.view = view;
        void this.load();
      },
    );
    for (const each of [this.number, this.from, this.until]) each.addEventListener("change", () => void this.load());
    replace(
      this.place,
      h(
        "div",
        { class: "bench-tools" },
        toolField(this.number, text("papers.number")),
        toolField(this.from, text("papers.from")),
        toolField(this.until, text("papers.until")),
        h("div", { class: "tool-end" }, this.file),
      ),
      this.views,
      this.list,
    );
    return this.load();
  }

  private query(): Readonly<Record<string, string | null>> {
    const midnight = (day: string): string => localInstant(`${day}T00:00`, zone());
    return {
      state: this.view === "asked" ? "asked" : this.view === "blue" ? "issued" : null,
      colour: this.view === "blue" || this.view === "red" ? this.view : null,
      number: this.number.value.trim() || null,
      from_at: this.from.value ? midnight(this.from.value) : null,
      before_at: this.until.value ? midnight(moved(this.until.value, 1)) : null,
    };
  }

  private load(): Promise<void> {
    this.file.href = withQuery("/api/v1/invoices/export", this.query());
    return this.pages.load();
  }

  private draw(items: readonly ListedPaper[]): Node {
    if (items.length === 0) return emptyState(text("papers.none"), text("papers.none_advice"));
    return h(
      "ul",
      {},
      ...items.map((one) =>
        h(
          "li",
          {},
          this.desk.row(
            one.id,
            () => void this.open(one),
            h("span", { class: "desk-top" }, h("strong", {}, one.title), h("strong", { class: "number" }, amountOf(one))),
            h(
              "span",
              { class: "desk-top" },
              h("span", { class: "item-facts" }, `${named("invoice", one.kind)} · ${one.serial ?? exactly(instant(one.asked_at))}`),
              stateTag(one),
            ),
          ),
        ),
      ),
    );
  }

  private open(one: ListedPaper): Promise<void> {
    return this.desk.open(one.id, one.serial ?? named("invoice", one.kind), () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-paper": one.id },
          h(
            "dl",
            { class: "facts" },
            fact(text("disputes.state"), stateTag(one)),
            fact(text("papers.kind"), `${named("invoice", one.kind)} · ${named("papers.colour", one.colour)}`),
            fact(text("papers.number"), h("span", { class: "mono" }, one.serial ?? "—")),
            one.of_serial ? fact(text("invoice.of"), h("span", { class: "mono" }, one.of_serial)) : null,
            fact(text("invoice.amount"), amountOf(one)),
            one.rate_bp ? fact(text("papers.tax"), `${price(one.tax)} · ${one.rate_bp / 100}%`) : null,
            fact(text("invoice.buyer"), one.title, one.tax_no ? h("span", { class: "mono" }, one.tax_no) : null),
            one.seller ? fact(text("invoice.seller"), inLanguage(one.seller.zh, one.seller.en)) : null,
            fact(text("finance.asked"), exactly(instant(one.asked_at))),
            one.issued_at ? fact(text("invoice.issued"), exactly(instant(one.issued_at))) : null,
            one.provider ? fact(text("papers.provider"), one.provider) : null,
            fact(
              text("bill.title"),
              h("a", { href: `/bills/${one.bill_id}` }, text("finance.open_bill")),
              one.plate ? plateLabel(one.plate) : null,
            ),
          ),
        ),
      ),
    );
  }
}

/** What a red paper takes back is written below zero. */
function amountOf(one: ListedPaper): string {
  return `${one.colour === "red" ? "−" : ""}${price(one.amount)}`;
}

function stateTag(one: ListedPaper): HTMLElement {
  const tone = one.state === "asked" ? "tag tag-warning" : one.colour === "red" ? "tag tag-danger" : "tag tag-good";
  return h("span", { class: tone }, one.colour === "red" ? named("papers.view", "red") : named("papers.state", one.state));
}
