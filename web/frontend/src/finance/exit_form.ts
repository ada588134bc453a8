/** Proposing a rule about exits: where vehicles leave first, and where they pay first. */
import { act as send, actKey } from "../api/client";
import type { ExitRule, Facility, TermDraft } from "../api/types";
import { inLanguage } from "../format/words";
import { zone } from "../shell/clock";
import { h } from "../shell/dom";
import { choice, field, labelled, localInstant, row, showForm } from "../shell/form";
import { named, text } from "../shell/text";

const MODES = ["leave-first", "pay-first"] as const;

/** Ask for a rule; begin with what holds there. */
export function exitForm(gated: readonly Facility[], last: ExitRule | null, done: () => Promise<void>): void {
  const key = actKey();
  const facility = choice(
    [["", text("terms.no_facility")] as const, ...gated.map((each) => [each.id, inLanguage(each.name.zh, each.name.en)] as const)],
    last?.facility_id ?? "",
  );
  const district = field(last?.district, { maxlength: 12, pattern: "[0-9a-z]{2,12}" });
  const mode = choice(MODES.map((each) => [each, named("terms.mode", each)] as const), last?.mode ?? "pay-first");
  const from = field("", { type: "datetime-local" });
  const source = field(last?.source, { maxlength: 500, required: true });
  const known = (): void => {
    district.disabled = facility.value !== "";
    if (district.disabled) district.value = "";
  };
  facility.addEventListener("change", known);
  known();
  showForm({
    title: text("terms.propose_exit"),
    wide: true,
    parts: [
      row(
        labelled("exit-facility", text("terms.facility"), facility),
        labelled("exit-district", text("places.district"), district, text("terms.district_hint")),
      ),
      labelled("exit-mode", text("terms.mode"), mode),
      labelled("exit-from", text("terms.from_label"), from, text("terms.from_hint")),
      labelled("exit-source", text("terms.source"), source, text("terms.source_hint")),
      h("p", { class: "note" }, text("terms.exit_note")),
    ],
    submit: text("terms.enter"),
    send: async () => {
      await send<TermDraft>(
        "POST",
        "/api/v1/gates/exit-rules",
        {
          facility_id: facility.value || null,
          district: district.value.trim() || null,
          mode: mode.value,
          from_at: from.value ? localInstant(from.value, zone()) : null,
          source: source.value.trim(),
        },
        key,
      );
      await done();
      return text("terms.proposed");
    },
  });
}
