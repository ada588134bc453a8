/** One bay: its state, since when, how sure, how old; for staff also what it rests on. */
import { read } from "../api/client";
import type { Evidence } from "../api/types";
import { agoText, exactly, inLanguage, lastingText, moment } from "../format/words";
import { glyph, setGlyph } from "../glyphs/inline";
import { fact, sureness } from "../panels/figures";
import { evidenceSection } from "../panels/evidence";
import { h, replace, write } from "../shell/dom";
import { seesEvidence } from "../shell/page";
import { errorState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import type { City } from "./city";
import type { Panel } from "./facility_panel";

export function bayPanel(
  city: City,
  id: string,
  openFacility: (facilityId: string) => void,
): Panel | null {
  const bay = city.bay(id);
  const first = city.stateOf(id);
  if (!first) return null;
  const place = city.place(first.facilityId);
  const mark = glyph(first.state, "l");
  const word = h("span", { class: "figure-words figure-state" });
  const since = h("p", { class: "freshness" });
  const heard = h("dd", {});
  const exactSince = h("dd", {});
  const sure = h("dd", {});
  const provisional = h("p", { class: "note note-provisional", hidden: true }, text("bay.provisional"));
  let shownSure = -1;

  const update = (): void => {
    const now = city.stateOf(id);
    if (!now) return;
    setGlyph(mark, now.state);
    write(word, text(`state.${now.state}`));
    write(
      since,
      now.sinceMs === null
        ? text("bay.since_unknown")
        : text("bay.since", { at: moment(now.sinceMs), lasting: lastingText(now.sinceMs) }),
    );
    write(exactSince, now.sinceMs === null ? text("age.never") : exactly(now.sinceMs));
    write(heard, agoText(now.heardMs));
    // A sensor may rightly be quiet; the fold says 'unknown' when it has been so for too long.
    heard.classList.toggle("is-stale", now.state === "unknown");
    provisional.hidden = !now.provisional;
    if (now.sure !== shownSure) {
      shownSure = now.sure;
      replace(sure, now.state === "unknown" ? text("bay.sure_of_nothing") : sureness(now.sure));
    }
  };

  const evidence = h("div", {});
  if (seesEvidence()) {
    const load = (): void => {
      replace(evidence, skeleton(4, "line"));
      read<Evidence>(`/api/v1/bays/${id}/evidence`).then(
        (found) => replace(evidence, evidenceSection(found)),
        (error: unknown) => replace(evidence, errorState(error, load)),
      );
    };
    load();
  }

  const element = h(
    "div",
    { class: "panel-body" },
    place &&
      h(
        "p",
        { class: "panel-kind" },
        h(
          "button",
          { class: "link", type: "button", onclick: () => openFacility(first.facilityId) },
          inLanguage(place.zh, place.en),
        ),
        bay ? ` · ${named("bay.kind", bay.kind)}` : "",
      ),
    h("p", { class: "figure" }, mark, word),
    since,
    provisional,
    h(
      "dl",
      { class: "facts" },
      h("div", { class: "fact" }, h("dt", {}, text("bay.sure")), sure),
      h("div", { class: "fact" }, h("dt", {}, text("bay.heard")), heard),
      h("div", { class: "fact" }, h("dt", {}, text("bay.since_exact")), exactSince),
      fact(text("bay.source"), text("bay.source_sensor")),
    ),
    evidence,
  );
  update();
  return { element, title: text("bay.title", { label: bay?.label ?? "…" }), update };
}
