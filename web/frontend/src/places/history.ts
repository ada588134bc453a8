/** What a place was before: version by version, who changed it when, and what. */
import { read } from "../api/client";
import type { PlaceHistory, PlaceVersion } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { h, replace } from "../shell/dom";
import { errorState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { changes } from "./changes";
import { valueText } from "./words";

/** 'system:demo' and other parts that act by themselves go by their own name. */
function who(changedBy: string, people: Readonly<Record<string, string>>): string {
  const [kind, name = ""] = changedBy.split(":", 2);
  return people[changedBy] ?? (kind === "system" ? text("places.by_system", { name }) : changedBy);
}

/** Rows that were there before anybody kept history say so and no made-up day. */
function since(fromAt: string): string {
  const at = instant(fromAt);
  return at === 0 ? text("places.before_records") : exactly(at);
}

function version(
  now: PlaceVersion,
  before: PlaceVersion | undefined,
  people: Readonly<Record<string, string>>,
): HTMLElement {
  const changed = before ? changes(before.state, now.state) : [];
  return h(
    "li",
    { class: "version" },
    h(
      "p",
      { class: "version-head" },
      h("span", { class: "number" }, text("places.version", { n: now.version })),
      h("span", { class: "item-facts" }, since(now.from_at), " · ", who(now.changed_by, people)),
    ),
    before
      ? h(
          "ul",
          { class: "version-changes" },
          ...changed.map((change) =>
            h(
              "li",
              {},
              h("span", { class: "muted" }, named("places.field", change.field)),
              " ",
              h("s", {}, valueText(change.field, change.before)),
              " → ",
              h("span", {}, valueText(change.field, change.after)),
            ),
          ),
        )
      : h("p", { class: "item-facts" }, text("places.registered")),
  );
}

export function historySection(kind: "facilities" | "zones" | "bays", id: string): HTMLElement {
  const list = h("div", {});
  const load = (): void => {
    replace(list, skeleton(2, "line"));
    read<PlaceHistory>(`/api/v1/${kind}/${id}/history`).then(
      ({ items, people }) =>
        replace(
          list,
          h("ol", { class: "versions" }, ...items.map((each, index) => version(each, items[index + 1], people))),
        ),
      (error: unknown) => replace(list, errorState(error, load)),
    );
  };
  load();
  return h("section", { class: "panel-section" }, h("h3", {}, text("places.history")), list);
}
