/** What a car owes, found by the plate that somebody reads off it. */
import { act } from "../api/client";
import type { TogetherLink, UnpaidList } from "../api/types";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { PLATE_KINDS } from "../plates/kinds";
import { h, replace, write } from "../shell/dom";
import { choice, field, labelled } from "../shell/form";
import { emptyState, problemText } from "../shell/states";
import { counted, named, text } from "../shell/text";

/** The server's own limit of bills in one order. */
const MOST_AT_ONCE = 20;

/** A press that pays what is ticked, at once: it names the sum, and is there from two bills on. */
function together(boxes: readonly (readonly [HTMLInputElement, UnpaidList["items"][number]])[]): HTMLElement {
  const button = h("button", { class: "button button-primary button-wide", type: "button", id: "pay-together" });
  const note = h("p", { class: "note", role: "status" });
  const ticked = (): UnpaidList["items"] => boxes.filter(([box]) => box.checked).map(([, item]) => item);
  const show = (): void => {
    const chosen = ticked();
    const minor = chosen.reduce((sum, each) => sum + each.amount.minor, 0);
    const currency = boxes[0]?.[1].amount.currency ?? "CNY";
    button.disabled = chosen.length === 0 || chosen.length > MOST_AT_ONCE;
    write(button, counted("pay.pay_together", chosen.length, { amount: price({ minor, currency }) }));
    write(note, chosen.length > MOST_AT_ONCE ? text("pay.too_many", { most: MOST_AT_ONCE }) : text("pay.together_note"));
  };
  for (const [box] of boxes) box.addEventListener("change", show);
  button.addEventListener("click", () => {
    button.disabled = true;
    void act<TogetherLink>("POST", "/api/v1/pay/together", { links: ticked().map((each) => each.link) })
      .then((bound) => location.assign(bound.link))
      .catch((error: unknown) => {
        show();
        write(note, problemText(error));
      });
  });
  show();
  return h("div", {}, button, note);
}

function rows(found: UnpaidList): HTMLElement {
  if (found.items.length === 0) return emptyState(text("pay.nothing_found"), text("pay.nothing_found_note"));
  const bills = found.items.filter((each) => !each.ahead);
  const currencies = new Set(bills.map((each) => each.amount.currency));
  const boxes =
    bills.length > 1 && currencies.size === 1
      ? new Map(
          bills.map((each, at) => {
            const box = h("input", { type: "checkbox", "aria-label": text("pay.choose_bill", { amount: price(each.amount), at: exactly(instant(each.due_at)) }) });
            box.checked = at < MOST_AT_ONCE;
            return [each, box] as const;
          }),
        )
      : null;
  const list = h(
    "ul",
    { class: "rows" },
    ...found.items.map((each) =>
      h(
        "li",
        { class: "row", "data-ahead": each.ahead ? "" : null },
        boxes?.get(each),
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
  return boxes ? h("div", {}, list, together([...boxes].map(([item, box]) => [box, item] as const))) : list;
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
