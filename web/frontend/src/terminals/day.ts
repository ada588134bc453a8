/** A terminal's day: what was done on it, held against the payments that its acts became. */
import { read } from "../api/client";
import type { TerminalDay } from "../api/types";
import { dateOf } from "../figures/range";
import { instant } from "../format/time";
import { exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { businessTime, zone } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { field, labelled } from "../shell/form";
import { errorState, skeleton } from "../shell/states";
import { counted, named, text, wholeNumber } from "../shell/text";

function shown(found: TerminalDay): HTMLElement {
  const acts = found.counts.map((each) =>
    fact(`${named("terminals.act", each.kind)} · ${named("terminals.outcome", each.outcome)}`, wholeNumber(each.acts)),
  );
  return h(
    "div",
    {},
    h("p", { class: "tags" }, h("span", { class: found.differences ? "tag tag-danger" : "tag tag-good" },
      found.differences ? counted("terminals.differs", found.differences) : text("terminals.agrees"))),
    h(
      "dl",
      { class: "facts" },
      ...found.cash.map((each) =>
        fact(`${text("terminals.cash_of")} · ${found.names[each.account_id] ?? text("shifts.somebody")}`, price(each.amount)),
      ),
      fact(text("terminals.bills"), wholeNumber(found.bills)),
      ...acts,
      fact(text("terminals.acts_missing"), wholeNumber(found.missing)),
    ),
    found.differing.length
      ? h(
          "ul",
          { class: "refused-acts" },
          ...found.differing.map((each) =>
            h(
              "li",
              {},
              h("strong", {}, exactly(instant(each.at))),
              h(
                "span",
                {},
                text("terminals.told_paid", {
                  told: each.told ? price(each.told) : "–",
                  paid: each.paid ? price(each.paid) : "–",
                }),
              ),
              h("code", { class: "thumbprint" }, each.act_id),
            ),
          ),
        )
      : null,
  );
}

/** The section of a terminal's case; it reads the chosen day by itself. */
export function daySection(terminalId: string): HTMLElement {
  const day = field(dateOf(businessTime(), zone()), { type: "date", required: true });
  const box = h("div", { "aria-live": "polite" });
  const load = async (): Promise<void> => {
    if (!day.value) return;
    replace(box, skeleton(3, "line"));
    try {
      replace(box, shown(await read<TerminalDay>(`/api/v1/terminals/${terminalId}/days/${day.value}`)));
    } catch (error) {
      replace(box, errorState(error, () => void load()));
    }
  };
  day.addEventListener("change", () => void load());
  void load();
  return h(
    "section",
    { class: "panel-section", "data-day": terminalId },
    h("h3", {}, text("terminals.day")),
    labelled("terminal-day", text("terminals.which_day"), day),
    box,
  );
}
