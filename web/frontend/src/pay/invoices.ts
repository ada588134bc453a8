/** Invoices of a paid bill: asked for by whoever holds its link, opened to be printed or kept. */
import { act, ProblemError, read } from "../api/client";
import type { Invoice, Invoices } from "../api/types";
import { price } from "../format/words";
import { h, replace } from "../shell/dom";
import { field, labelled, row, showForm } from "../shell/form";
import { text } from "../shell/text";

/** The part of a receipt about invoices, by a link that shows all of the bill; one a page. */
export class InvoicePart {
  readonly element = h("section", { "aria-labelledby": "invoices" });
  private readonly path: string;
  private asking = 0;

  constructor(private readonly link: string) {
    this.path = `/api/v1/pay/${link}/invoices`;
  }

  /** Read anew: asked for again while an answer is under way, the later answer counts. */
  async show(): Promise<void> {
    const asking = ++this.asking;
    let found: Invoices;
    try {
      found = await read<Invoices>(this.path);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return; // the receipt stands without this part
    }
    if (asking === this.asking) this.draw(found);
  }

  private draw(found: Invoices): void {
    const left = price(found.left);
    replace(
      this.element,
      h("h2", { id: "invoices" }, text(`invoice.heading_${found.kind}`)),
      found.items.length
        ? h("ul", { class: "rows" }, ...found.items.map((each) => this.row(each)))
        : h("p", { class: "note no-print" }, text("invoice.none")),
      found.left.minor > 0
        ? h("p", { class: "no-print" }, h("button", { class: "button", type: "button", onclick: () => this.ask(left) }, text("invoice.ask_open")))
        : null,
    );
  }

  private row(each: Invoice): HTMLElement {
    return h(
      "li",
      { class: "row" },
      h("a", { href: `/pay/${this.link}/invoices/${each.id}` }, each.serial ?? text("invoice.waiting")),
      h("span", { class: "number" }, `${each.colour === "red" ? "−" : ""}${price(each.amount)}`),
    );
  }

  private ask(left: string): void {
    const title = field("", { required: true, maxlength: 100, autocomplete: "organization" });
    const number = field("", { maxlength: 20, autocapitalize: "characters", spellcheck: "false" });
    showForm({
      title: text("invoice.ask_title", { amount: left }),
      submit: text("invoice.ask"),
      parts: [row(labelled("invoice-title", text("invoice.buyer"), title, text("invoice.buyer_hint")), labelled("invoice-tax", text("invoice.tax_no"), number, text("invoice.tax_no_hint")))],
      send: async () => {
        const made = await act<Invoice>("POST", this.path, { title: title.value.trim(), tax_no: number.value.trim() });
        void this.show();
        return text(made.state === "issued" ? "invoice.done" : "invoice.asked");
      },
    });
  }
}
