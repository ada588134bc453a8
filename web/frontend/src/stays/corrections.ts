/** Correcting a stay: which corrections fit it, and the form of each. */
import { act, actKey, readAll } from "../api/client";
import type { Session } from "../api/types";
import { instant } from "../format/time";
import { moment } from "../format/words";
import { plateFields } from "../plates/fields";
import { businessTime, zone } from "../shell/clock";
import { h } from "../shell/dom";
import { choice, field, labelled, localField, localInstant, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { named, text } from "../shell/text";

const SET_ASIDE = ["motorcycle", "object", "works", "sensor-fault", "other"] as const;
/** Holds that a person may lift without stating a time. */
const RELEASABLE = ["plate-doubtful", "plate-differs", "disputed"];
const MOST_OTHERS = 200;

type Kind =
  | "attach"
  | "begin"
  | "charge"
  | "end"
  | "identify"
  | "join"
  | "move"
  | "release"
  | "set-aside"
  | "split"
  | "swap";

/** What may be wrong with a stay as it stands; the server decides again. */
export function fittingCorrections(stay: Session): Kind[] {
  if (stay.bill_id !== null || stay.part_of !== null || stay.set_aside !== null) return [];
  const kinds: Kind[] = [];
  const inBay = stay.bay_id !== null;
  if (stay.hold !== null && RELEASABLE.includes(stay.hold)) kinds.push("release");
  if (stay.hold === "no-entry") kinds.push("begin");
  kinds.push(stay.plate ? "identify" : "attach");
  if (inBay || stay.hold === "missed-exit") kinds.push("end");
  if (inBay) kinds.push("split");
  if (inBay && stay.state === "open" && stay.plate) kinds.push("swap");
  kinds.push("join");
  if (stay.plate) kinds.push("move");
  kinds.push("set-aside");
  if (stay.exempt && hasRole("operator")) kinds.push("charge");
  return kinds;
}

/** One stay in a line: where, when, whose. */
export function stayLine(stay: Session): string {
  const from = moment(instant(stay.opened_at));
  const to = stay.closed_at ? moment(instant(stay.closed_at)) : text("stays.until_now");
  const plate = stay.plate?.text ?? text("stays.no_plate");
  return [stay.bay_label, text("stay.from_to", { from, to }), plate].filter(Boolean).join(" · ");
}

/** Other stays of the facility to choose from. */
export async function otherStays(stay: { readonly id: string | null; readonly facility_id: string }): Promise<HTMLSelectElement> {
  const found = await readAll<Session>(
    "/api/v1/sessions",
    { facility_id: stay.facility_id, limit: 100 },
    MOST_OTHERS,
  );
  const others = found.filter((each) => each.id !== stay.id && each.bill_id === null);
  return choice([
    ["", text("stays.choose")],
    ...others.map((each): [string, string] => [each.id, stayLine(each)]),
  ]);
}

/** Ask for what a correction needs, do it, and say so. */
export async function correct(kind: Kind, stay: Session, done: () => void): Promise<void> {
  const key = actKey();
  const nowMs = businessTime();
  const endMs = stay.closed_at ? instant(stay.closed_at) : nowMs;
  const reason = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 500, required: true });
  const at = field(localField(kind === "begin" ? instant(stay.opened_at) : endMs, zone()), {
    type: "datetime-local",
    required: true,
  });
  const plate = plateFields();
  const what = choice(SET_ASIDE.map((each) => [each, named("set_aside", each)] as const));
  const whose = choice([
    ["true", text("stays.split_left")],
    ["false", text("stays.split_came")],
  ]);
  const other = kind === "join" || kind === "move" ? await otherStays(stay) : null;
  if (other) other.required = true;
  const time = ["begin", "end", "split"].includes(kind);
  const takesPlate = ["identify", "swap", "attach"].includes(kind);
  showForm({
    title: text(`stays.correct.${kind}`),
    parts: [
      h("p", { class: "note" }, text(`stays.means.${kind}`)),
      time ? labelled("s-at", text("stays.at"), at) : null,
      kind === "split" ? labelled("s-whose", text("stays.split_whose"), whose) : null,
      takesPlate ? plate.part : null,
      other ? labelled("s-other", text("stays.other"), other) : null,
      kind === "set-aside" ? labelled("s-what", text("stays.what"), what) : null,
      kind === "attach" ? null : labelled("s-reason", text("stays.reason"), reason, text("stays.reason_hint")),
    ],
    submit: text("stays.save"),
    send: async () => {
      const typed = plate.value();
      if (kind === "attach") {
        await act("POST", `/api/v1/sessions/${stay.id}/vehicle`, { plate: typed.plate, kind: typed.kind }, key);
      } else if (kind === "charge") {
        await act("POST", `/api/v1/sessions/${stay.id}/exemption/withdrawal`, { reason: reason.value }, key);
      } else {
        await act(
          "POST",
          `/api/v1/sessions/${stay.id}/corrections`,
          {
            kind,
            reason: reason.value,
            at: time ? localInstant(at.value, zone()) : null,
            other_id: other ? other.value : null,
            plate: takesPlate ? typed.plate : null,
            plate_kind: takesPlate ? typed.kind : null,
            set_aside: kind === "set-aside" ? what.value : null,
            vehicle_left: whose.value === "true",
          },
          key,
        );
      }
      done();
      return text("stays.corrected");
    },
  });
}
