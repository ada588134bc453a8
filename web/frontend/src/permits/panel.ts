/** One permit: its terms, how its end was moved, its list of vehicles, and adding plates to it. */
import { act, actKey, read, type Page } from "../api/client";
import type { Facility, ListedPlates, ListedVehicle, PermitDetail } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { plateLabel } from "../plates/label";
import { PLATE_KINDS } from "../plates/kinds";
import { h, replace, write } from "../shell/dom";
import { emptyState, errorState, problemText, skeleton } from "../shell/states";
import { counted, named, text } from "../shell/text";
import { toast } from "../shell/toast";
import { renewDialog, revokeDialog } from "./issue";
import {
  allowanceText,
  firstDay,
  hoursText,
  lastDay,
  limitText,
  overstayText,
  placesText,
  TONES,
  writtenPlates,
} from "./words";

const STEP = 50;
const MOST_AT_ONCE = 500;

export function stateTag(state: PermitDetail["state"]): HTMLElement {
  return h("span", { class: `tag tag-${TONES[state]}` }, named("permits.state", state));
}

/** What was refused of the last plates that were sent: it stays to be corrected. */
interface Refused {
  readonly permit: string;
  readonly added: number;
  readonly lines: readonly { readonly line: string; readonly reason: string }[];
}

export class PermitPanel {
  private refused: Refused | null = null;

  constructor(
    private readonly content: HTMLElement,
    private readonly title: HTMLElement,
    private readonly mayKeep: boolean,
    private readonly changed: () => void,
  ) {}

  async show(id: string, facilities: readonly Facility[]): Promise<void> {
    replace(this.content, skeleton(6, "line"));
    try {
      const permit = await read<PermitDetail>(`/api/v1/permits/${id}`);
      write(this.title, permit.label);
      const again = (): void => {
        this.changed();
        void this.show(id, facilities);
      };
      replace(
        this.content,
        h(
          "div",
          { class: "panel-body" },
          h("p", { class: "panel-kind" }, named("permits.kind", permit.kind), " ", stateTag(permit.state)),
          this.terms(permit, facilities),
          this.acts(permit, again),
          this.moves(permit),
          this.list(permit, again),
        ),
      );
    } catch (error) {
      replace(this.content, errorState(error, () => void this.show(id, facilities)));
    }
  }

  private terms(permit: PermitDetail, facilities: readonly Facility[]): HTMLElement {
    const overstay = overstayText(permit);
    const allowance = allowanceText(permit);
    return h(
      "dl",
      { class: "facts" },
      fact(text("permits.places"), placesText(permit, facilities)),
      fact(
        text("permits.validity"),
        text("stay.from_to", { from: firstDay(permit), to: lastDay(permit) }),
      ),
      fact(text("permits.hours"), hoursText(permit)),
      fact(text("permits.limit"), limitText(permit)),
      allowance === null ? null : fact(text("permits.allowance"), allowance),
      overstay === null ? null : fact(text("permits.overstay"), overstay),
      permit.revoked_reason === null
        ? null
        : fact(text("permits.revoked_why"), permit.revoked_reason),
    );
  }

  private acts(permit: PermitDetail, again: () => void): HTMLElement | null {
    if (!this.mayKeep || permit.state === "ended" || permit.state === "revoked") return null;
    return h(
      "p",
      { class: "panel-acts" },
      h("button", { class: "button", type: "button", onclick: () => renewDialog(permit, again) }, text("permits.renew")),
      h("button", { class: "button", type: "button", onclick: () => revokeDialog(permit, again) }, text("permits.revoke")),
    );
  }

  private moves(permit: PermitDetail): HTMLElement | null {
    if (permit.extensions.length === 0) return null;
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("permits.moves")),
      h(
        "ul",
        { class: "placements" },
        ...permit.extensions.map((move) =>
          h(
            "li",
            {},
            h("span", {}, `${named("permits.move", move.why)} · ${counted("permits.days_more", move.days)}`),
            h("span", { class: "item-facts" }, `${move.reason} · ${exactly(instant(move.extended_at))}`),
          ),
        ),
      ),
    );
  }

  private list(permit: PermitDetail, again: () => void): HTMLElement {
    const rows = h("ul", { class: "placements" });
    const more = h("button", { class: "button", type: "button", hidden: true }, text("list.more"));
    let cursor: string | null = null;
    const load = async (): Promise<void> => {
      try {
        const page: Page<ListedVehicle> = await read<Page<ListedVehicle>>(
          `/api/v1/permits/${permit.id}/vehicles`,
          { limit: STEP, cursor },
        );
        rows.append(...page.items.map((item) => this.vehicle(permit, item, again)));
        if (!rows.childElementCount) {
          rows.replaceWith(emptyState(text("permits.no_cars"), text("permits.no_cars_advice")));
        }
        cursor = page.next;
        more.hidden = cursor === null;
      } catch (error) {
        rows.replaceWith(errorState(error, again));
      }
    };
    more.addEventListener("click", () => void load());
    void load();
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("permits.list"), " ", h("span", { class: "item-facts" }, counted("permits.cars", permit.vehicles))),
      this.mayKeep && permit.state !== "ended" && permit.state !== "revoked"
        ? this.adding(permit, again)
        : null,
      rows,
      more,
    );
  }

  private vehicle(permit: PermitDetail, item: ListedVehicle, again: () => void): HTMLElement {
    const remove = async (): Promise<void> => {
      try {
        await act("POST", `/api/v1/permits/${permit.id}/vehicles/${item.vehicle_id}/removal`, {});
        toast(text("permits.removed"));
        again();
      } catch (error) {
        toast(problemText(error), "danger");
      }
    };
    return h(
      "li",
      {},
      item.plate ? plateLabel(item.plate) : h("span", { class: "muted" }, text("stay.no_plate")),
      h("span", { class: "item-facts" }, text("device.since", { at: exactly(instant(item.from_at)) })),
      this.mayKeep && permit.state !== "ended" && permit.state !== "revoked"
        ? h("button", { class: "link", type: "button", onclick: () => void remove() }, text("permits.remove"))
        : null,
    );
  }

  private adding(permit: PermitDetail, again: () => void): HTMLElement {
    const typed = h("textarea", {
      class: "input",
      id: "plates",
      rows: 3,
      spellcheck: "false",
      autocomplete: "off",
      "aria-describedby": "plates-hint",
    });
    const kind = h(
      "select",
      { class: "input", "aria-label": text("plate.kind") },
      h("option", { value: "" }, text("permits.by_text")),
      ...PLATE_KINDS.filter((one) => one !== "unknown").map((one) =>
        h("option", { value: one }, named("plate.kind", one)),
      ),
    );
    const result = h("div", { role: "status" });
    const refused = this.refused?.permit === permit.id ? this.refused : null;
    this.refused = null;
    if (refused) {
      typed.value = refused.lines.map((each) => each.line).join("\n");
      replace(
        result,
        h("p", { class: "note" }, counted("permits.added", refused.added)),
        h(
          "ul",
          { class: "form-problem" },
          ...refused.lines.map((each) => h("li", {}, `${each.line}: ${each.reason}`)),
        ),
      );
    }
    const submit = h("button", { class: "button", type: "submit" }, text("permits.add"));
    const send = async (): Promise<void> => {
      const written = writtenPlates(typed.value, kind.value);
      if (written.length === 0) return;
      submit.disabled = true;
      const rejected: { line: string; reason: string }[] = [];
      let added = 0;
      try {
        for (let start = 0; start < written.length; start += MOST_AT_ONCE) {
          const part = written.slice(start, start + MOST_AT_ONCE);
          const done = await act<ListedPlates>(
            "POST",
            `/api/v1/permits/${permit.id}/vehicles`,
            { vehicles: part },
            actKey(),
          );
          added += done.accepted.filter((each) => each.added).length;
          rejected.push(
            ...done.rejected.map((each) => ({
              line: part[each.index]?.plate ?? String(each.index + 1),
              reason: each.reason,
            })),
          );
        }
        if (rejected.length === 0) toast(counted("permits.added", added));
        this.refused = rejected.length ? { permit: permit.id, added, lines: rejected } : null;
        again();
      } catch (error) {
        replace(result, h("p", { class: "form-problem", role: "alert" }, problemText(error)));
      } finally {
        submit.disabled = false;
      }
    };
    return h(
      "form",
      {
        class: "plates-form",
        onsubmit: (event) => {
          event.preventDefault();
          void send();
        },
      },
      h("label", { class: "label", for: "plates" }, text("permits.plates")),
      typed,
      h("p", { class: "hint", id: "plates-hint" }, text("permits.plates_hint")),
      h("div", { class: "form-row" }, kind, submit),
      result,
    );
  }
}
