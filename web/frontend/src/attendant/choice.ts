/** Choosing a place by its name: all of them, fewer with every letter. */
import { lonLat, type Facility } from "../api/types";
import { inLanguage } from "../format/words";
import { matches, ordered, type Listed } from "../map/order";
import { h, replace } from "../shell/dom";
import { emptyState } from "../shell/states";
import { counted, language, named, text } from "../shell/text";

export function facilityChoice(facilities: readonly Facility[], take: (facilityId: string) => void): HTMLElement[] {
  const listed = facilities.map((facility): Listed & { facility: Facility } => ({
    id: facility.id,
    code: facility.code,
    zh: facility.name.zh,
    en: facility.name.en,
    position: lonLat(facility.position),
    counts: facility.counts,
    facility,
  }));
  const list = h("ul", { class: "post-list" });
  const search = h("input", {
    class: "input",
    type: "search",
    id: "post-search",
    autocomplete: "off",
    oninput: () => draw(),
  });
  const draw = (): void => {
    const found = ordered(
      listed.filter((facility) => matches(facility, search.value)),
      "name",
      language(),
      null,
    );
    if (found.length === 0) {
      replace(
        list,
        h("li", {}, emptyState(text("list.none_found", { search: search.value }), text("list.none_found_advice"))),
      );
      return;
    }
    replace(
      list,
      ...found.map(({ id, facility }) =>
        h(
          "li",
          {},
          h(
            "button",
            { class: "post-choice", type: "button", onclick: () => take(id) },
            h("span", { class: "item-name" }, inLanguage(facility.name.zh, facility.name.en)),
            h(
              "span",
              { class: "item-facts" },
              `${named("facility.kind", facility.kind)} · ${counted("count.bays", facility.counts.total)}`,
            ),
          ),
        ),
      ),
    );
  };
  draw();
  return [h("label", { class: "label", for: "post-search" }, text("list.search")), search, list];
}
