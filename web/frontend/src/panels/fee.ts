/** A fee explained: its lines and their sum. The same on quote, stay, bill and print. */
import type { QuoteLine } from "../api/types";
import type { Money } from "../format/money";
import { inLanguage, moment, price } from "../format/words";
import { instant } from "../format/time";
import { h } from "../shell/dom";
import { text } from "../shell/text";

function stretch(line: QuoteLine): string {
  const from = moment(instant(line.from_at));
  const to = moment(instant(line.to_at));
  return from === to ? from : `${from} – ${to}`;
}

export function feeTable(lines: readonly QuoteLine[], sum: Money, caption: string): HTMLElement {
  return h(
    "table",
    { class: "fee" },
    h("caption", { class: "visually-hidden" }, caption),
    h(
      "thead",
      { class: "visually-hidden" },
      h(
        "tr",
        {},
        h("th", { scope: "col" }, text("fee.why")),
        h("th", { scope: "col" }, text("fee.amount")),
      ),
    ),
    h(
      "tbody",
      {},
      ...lines.map((line) =>
        h(
          "tr",
          {},
          h(
            "td",
            {},
            h("span", { class: "fee-why" }, inLanguage(line.why.zh, line.why.en)),
            h("span", { class: "fee-when" }, stretch(line)),
          ),
          h("td", { class: "amount" }, price(line.amount)),
        ),
      ),
    ),
    h(
      "tfoot",
      {},
      h(
        "tr",
        {},
        h("th", { scope: "row" }, text("fee.total")),
        h("td", { class: "amount" }, price(sum)),
      ),
    ),
  );
}
