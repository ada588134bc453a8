/** Invoices of a paid bill: asked for by whoever holds its link, opened to be printed or kept. */
import { act, ProblemError, read } from "../api/client";
import type { Invoice, Invoices } from "../api/types";
import { price } from "../format/words";
import { h, replace } from "../shell/dom";
import { field, labelled, row, showForm } from "../shell/form";
import { text } from "../shell/text";

/** The part of a receipt about invoices, by a link that shows all of the bill. */
export function invoicePart(link: string): HTMLElement {
  const place = h("section", { "aria-labelledby": "invoices" });
  const path = `/api/v1/pay/${link}/invoices`;

  const ask = (left: string): void => {
    const title = field("", { required: true, maxlength: 100, autocomplete: "organization" });
    const number = field("", { maxlength: 20, autocapitalize: "characters", spellcheck: "false" });
    showForm({
      title: text("invoice.ask_title", { amount: left }),
      submit: text("invoice.ask"),
      parts: [row(labelled("invoice-title", text("invoice.buyer"), title, text("invoice.buyer_hint")), labelled("invoice-tax", text("invoice.tax_no"), number, text("invoice.tax_no_hint")))],
      send: async () => {
        const made = await act<Invoice>("POST", path, { title: title.value.trim(), tax_no: number.value.trim() });
        void show();
        return text(made.state === "issued" ? "invoice.done" : "invoice.asked");
      },
    });
  };

  const show = async (): Promise<void> => {
    let found: Invoices;
    try {
      found = await read<Invoices>(path);
    } catch (error) {
      if (!(error instanceof ProblemError)) throw error;
      return; // the receipt stands without this part
    }
    const left = price(found.left);
    replace(
      place,
      h("h2", { id: "invoices" }, text(`invoice.heading_${found.kind}`)),
      found.items.length
        ? h(
            "ul",
            { class: "rows" },
            ...found.items.map((each) =>
              h(
                "li",
                { class: "row" },
                h(
                  "a",
                  { href: `/pay/${link}/invoices/${each.id}` },
                  each.serial ?? text("invoice.waiting"),
                ),
                h("span", { class: "number" }, `${each.colour === "red" ? "−" : ""}${price(each.amount)}`),
              ),
            ),
          )
        : h("p", { class: "note no-print" }, text("invoice.none")),
      found.left.minor > 0
        ? h("p", { class: "no-print" }, h("button", { class: "button", type: "button", onclick: () => ask(left) }, text("invoice.ask_open")))
        : null,
    );
  };

  void show();
  return place;
}
