/** Where a tariff is charged, and charging it at more facilities. */
import { act, ProblemError, readAll } from "../api/client";
import type { PlaceVersion, RegisteredFacility, Tariff } from "../api/types";
import { folded } from "../map/order";
import { h, replace } from "../shell/dom";
import { field, showForm } from "../shell/form";
import { errorState, problemText, skeleton } from "../shell/states";
import { counted, inLanguage, text } from "../shell/text";

const SHOWN = 8;

function nameOf(each: RegisteredFacility): string {
  return inLanguage(each.name.zh, each.name.en);
}

export class ChargedAt {
  private facilities: readonly RegisteredFacility[] = [];

  constructor(
    private readonly place: HTMLElement,
    private readonly mayAssign: boolean,
  ) {}

  async show(tariff: Tariff, tariffs: readonly Tariff[]): Promise<void> {
    if (this.facilities.length === 0) replace(this.place, skeleton(1, "line"));
    try {
      this.facilities = await readAll<RegisteredFacility>("/api/v1/registered-facilities", { limit: 500 }, 20_000);
    } catch (error) {
      replace(this.place, errorState(error, () => void this.show(tariff, tariffs)));
      return;
    }
    const mine = this.facilities.filter((each) => each.tariff_id === tariff.id);
    const names = mine.slice(0, SHOWN).map(nameOf);
    const rest = mine.length - names.length;
    replace(
      this.place,
      h(
        "p",
        { class: "charged-at" },
        mine.length
          ? `${counted("tariffs.charged_at", mine.length)}: ${names.join(text("tariffs.joint"))}${rest > 0 ? text("tariffs.and_more", { n: rest }) : ""}`
          : text("tariffs.charged_nowhere"),
        this.mayAssign ? " " : null,
        this.mayAssign
          ? h(
              "button",
              { class: "link", type: "button", onclick: () => this.assign(tariff, tariffs) },
              text("tariffs.assign"),
            )
          : null,
      ),
    );
  }

  private assign(tariff: Tariff, tariffs: readonly Tariff[]): void {
    const codes = new Map(tariffs.map((each) => [each.id, each.code]));
    const others = this.facilities.filter((each) => each.tariff_id !== tariff.id);
    const search = field("", { type: "search", "aria-label": text("list.search"), placeholder: text("list.search_short") });
    const rows = others.map((each) => {
      const box = h("input", { type: "checkbox", value: each.id });
      const now = each.tariff_id === null ? text("places.no_tariff") : (codes.get(each.tariff_id) ?? "");
      const label = h(
        "label",
        { class: "bay-check" },
        box,
        h("span", {}, nameOf(each), " ", h("span", { class: "item-facts" }, `${each.code} · ${now}`)),
      );
      return { each, box, label };
    });
    search.addEventListener("input", () => {
      const wanted = folded(search.value);
      for (const { each, label } of rows) {
        label.hidden = ![each.name.zh, each.name.en, each.code].some((name) => folded(name).includes(wanted));
      }
    });
    showForm({
      title: text("tariffs.assign_title", { name: inLanguage(tariff.name.zh, tariff.name.en) }),
      submit: text("tariffs.assign_do"),
      wide: true,
      parts: [
        h("p", { class: "note note-warning" }, text("tariffs.assign_consequence")),
        search,
        h("div", { class: "assign-list", role: "group", "aria-label": text("places.facilities_label") }, ...rows.map(({ label }) => label)),
      ],
      send: async () => {
        const wanted = rows.filter(({ box }) => box.checked);
        let done = 0;
        // One after the other: each is an edit of its own, with its own history.
        for (const { each, box, label } of wanted) {
          try {
            await act<PlaceVersion>("PATCH", `/api/v1/facilities/${each.id}`, { tariff_id: tariff.id, version: each.version });
          } catch (error) {
            await this.show(tariff, tariffs);
            throw new ProblemError(
              error instanceof ProblemError ? error.status : 500,
              "not_assigned",
              text("tariffs.assign_stopped", { done, name: nameOf(each), why: problemText(error) }),
            );
          }
          done += 1;
          box.checked = false;
          label.hidden = true;
        }
        await this.show(tariff, tariffs);
        return counted("tariffs.assigned", done);
      },
    });
  }
}
