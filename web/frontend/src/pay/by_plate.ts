/** What a car owes, found by the plate that somebody reads off it. */
import { act } from "../api/client";
import type { UnpaidList } from "../api/types";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { PLATE_KINDS } from "../plates/kinds";
import { h, replace, write } from "../shell/dom";
import { choice, field, labelled } from "../shell/form";
import { emptyState, problemText } from "../shell/states";
import { named, text } from "../shell/text";

function rows(found: UnpaidList): HTMLElement {
  if (found.items.length === 0) return emptyState(text("pay.nothing_found"), text("pay.nothing_found_note"));
  return h(
    "ul",
    { class: "rows" },
    ...found.items.map((each) =>
      h(
        "li",
        { class: "row", "data-ahead": each.ahead ? "" : null },
        h(
          "div",
          { class: "row-words" },
          h("p", {}, h("a", { class: "row-link", href: each.link }, text("pay.pay_this", { amount: price(each.amount) }))),
          h(
            "p",
            { class: "item-facts" },
            text(each.ahead ? "pay.ahead_until" : "bill.due_by", { at: exactly(instant(each.due_at)) }),
          ),
        ),
        h("strong", { class: "number row-amount" }, price(each.amount)),
      ),
    ),
  );
}

export function byPlate(place: HTMLElement, bay: string | null): void {
  const kind = choice(PLATE_KINDS.map((one) => [one, named("plate.kind", one)] as const), "blue7");
  const plate = field("", { maxlength: 16, minlength: 5, required: true, autocapitalize: "characters", spellcheck: "false" });
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary button-wide", type: "submit" }, text("pay.find"));
  const found = h("div", { class: "pay-found", "aria-live": "polite" });
  const run = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    replace(found);
    try {
      const path = bay ? `/api/v1/bays/${bay}/unpaid` : "/api/v1/me/unpaid";
      const answer = await act<UnpaidList>("POST", path, { plate: plate.value.trim(), kind: kind.value });
      replace(found, rows(answer));
    } catch (error) {
      problem.hidden = false;
      write(problem, problemText(error));
    } finally {
      submit.disabled = false;
    }
  };
  replace(
    place,
    h(
      "form",
      {
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      labelled("plate", text("plate.number"), plate),
      labelled("plate-kind", text("plate.kind"), kind),
      problem,
      submit,
    ),
    found,
  );
}
