/** What else can be done at a bay on a terminal: each a word or two, kept first and sent then. */
import type { Session } from "../api/types";
import type { Shown, Wanted } from "../outbox/acts";
import { h, write } from "../shell/dom";
import { labelled } from "../shell/form";
import { named, text, type TextKey } from "../shell/text";
import { correct, fittingCorrections } from "../stays/corrections";
import { camera } from "./camera";
import { exemptForm, type NoteWithPhoto } from "./exempting";
import type { Post } from "./post";

const SET_ASIDE = ["motorcycle", "object", "works", "sensor-fault", "other"] as const;
const REPORT = ["sensor-silent", "sensor-wrong", "bay-blocked", "other"] as const;
const MOST_SIGNS = 500;
const MINUTES_AGO = [0, 5, 10, 15, 30, 60, 120] as const;

export type Note = NoteWithPhoto;

interface Choice {
  readonly id: string;
  readonly value: string;
  readonly words: string;
}

function choices(id: string, label: string, list: readonly Choice[]): [HTMLElement, () => string] {
  const select = h(
    "select",
    { class: "input", id },
    ...list.map(({ value, words }) => h("option", { value }, words)),
  );
  return [labelled(id, label, select), () => select.value];
}

/** One act behind its own word: what it needs, and a button that says what it does. */
function folded(
  title: string,
  button: string,
  fields: readonly (HTMLElement | null)[],
  done: () => Promise<void>,
): HTMLElement {
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary", type: "submit" }, button);
  const run = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    try {
      await done();
    } catch {
      problem.hidden = false;
      write(problem, text("outbox.not_kept"));
    } finally {
      submit.disabled = false;
    }
  };
  return h(
    "details",
    { class: "frame" },
    h("summary", {}, title),
    h(
      "form",
      {
        class: "bay-act",
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      ...fields,
      problem,
      h("p", { class: "panel-acts" }, submit),
    ),
  );
}

function words(id: string, label: string, required: boolean): [HTMLElement, () => string] {
  const input = h("input", { class: "input", id, maxlength: MOST_SIGNS, required, autocomplete: "off" });
  return [labelled(id, label, input), () => input.value.trim()];
}

function options(prefix: string, list: readonly string[]): Choice[] {
  return list.map((value) => ({ id: value, value, words: named(prefix, value) }));
}

/** What is wrong with the stay in a bay, said with a line by a device that keeps no acts. */
export function corrections(stay: Session, done: () => void): HTMLElement | null {
  const kinds = fittingCorrections(stay).filter((kind) => kind !== "attach");
  if (kinds.length === 0) return null;
  return h(
    "section",
    { class: "panel-section" },
    h("h3", {}, text("bay_act.corrections")),
    h("p", { class: "note" }, text("bay_act.needs_line")),
    h(
      "p",
      { class: "panel-acts" },
      ...kinds.map((kind) =>
        h("button", { class: "button", type: "button", "data-correction": kind, onclick: () => void correct(kind, stay, done) }, text(`stays.correct.${kind}`)),
      ),
    ),
  );
}

/** A driver who was asked to pay drove off: said of a bay, or of the bill of a stay that is over. */
export function escapeForm(of: { readonly bay_id: string } | { readonly bill_id: string }, label: string, note: Note): HTMLElement {
  const [said, saidOf] = words("escape-words", text("bay_act.note"), false);
  const taking = camera("escape-photo", text("photo.take"), () => undefined);
  return folded(text("bay_act.escape"), text("bay_act.escape_act"), [h("p", { class: "note" }, text("bay_act.escape_means")), said, taking.element], () => {
    const reason = saidOf();
    return note({ kind: "escape", ...of, ...(reason ? { reason } : {}) }, { label }, taking.photo());
  });
}

/** Two cars in one record, or two records of one car. */
function partings(post: Post, bayId: string, label: string, stay: Session, note: Note): HTMLElement[] {
  const [ago, agoOf] = choices(
    "split-ago",
    text("bay_act.split_at"),
    MINUTES_AGO.map((minutes) => ({ id: String(minutes), value: String(minutes), words: text("bay_act.minutes_ago", { minutes }) })),
  );
  const [whose, whoseOf] = choices("split-whose", text("stays.split_whose"), [
    { id: "left", value: "left", words: text("stays.split_left") },
    { id: "came", value: "came", words: text("stays.split_came") },
  ]);
  const [why, whyOf] = words("split-reason", text("bay_act.reason"), true);
  const split = folded(text("stays.correct.split"), text("bay_act.split_act", { label }), [ago, stay.plate ? whose : null, why], () =>
    note({ kind: "split", bay_id: bayId, minutes_before: Number(agoOf()), vehicle_left: whoseOf() === "left", reason: whyOf() }, { label }),
  );
  const wholes = post.bays.flatMap((other) => {
    const there = other.id === bayId ? null : post.stayIn(other.id);
    const fits = there?.plate && !there.part_of && (!stay.plate || stay.plate.text === there.plate.text);
    return fits ? [{ id: other.id, value: other.id, words: text("bay_act.join_bay", { label: post.short(other.label) }) }] : [];
  });
  if (wholes.length === 0) return [split];
  const [into, intoOf] = choices("join-into", text("bay_act.join_into"), wholes);
  const [because, becauseOf] = words("join-reason", text("bay_act.reason"), true);
  const join = folded(text("stays.correct.join"), text("bay_act.join_act", { label }), [into, because], () =>
    note({ kind: "join", bay_id: bayId, to_bay_id: intoOf(), reason: becauseOf() }, { label }),
  );
  return [split, join];
}

/** Acts that need a step of their own. */
export interface BaySteps {
  /** A vehicle stands where nothing is known to. */
  readonly begin: () => void;
  /** Another vehicle than the noted one stands there. */
  readonly swap: () => void;
}

/** What can be done at a bay beside its plate. */
export function bayActs(post: Post, bayId: string, note: Note, steps: BaySteps): HTMLElement | null {
  const bay = post.bay(bayId);
  if (!bay) return null;
  const label = post.short(bay.label);
  const stay = post.stayIn(bayId);
  const acts: HTMLElement[] = [];
  if (stay) {
    const [reason, reasonOf] = words("end-reason", text("bay_act.reason"), true);
    acts.push(
      folded(text("bay_act.end"), text("bay_act.end_act", { label }), [reason], () =>
        note({ kind: "end", bay_id: bayId, reason: reasonOf() }, { label }),
      ),
    );
    const free = !stay.exempt && post.rules ? exemptForm(bayId, label, post.rules, note) : null;
    if (free) acts.push(free);
    const [what, whatOf] = choices("aside-what", text("bay_act.what"), options("bay_act.aside", SET_ASIDE));
    const [why, whyOf] = words("aside-reason", text("bay_act.reason"), true);
    acts.push(
      folded(text("bay_act.set_aside"), text("bay_act.set_aside_act", { label }), [what, why], () =>
        note({ kind: "set-aside", bay_id: bayId, what: whatOf(), reason: whyOf() }, { label }),
      ),
    );
    const others = post.bays
      .filter((other) => other.id !== bayId && post.stayIn(other.id))
      .map((other) => ({ id: other.id, value: other.id, words: post.short(other.label) }));
    if (stay.plate && others.length > 0) {
      const [to, toOf] = choices("move-to", text("bay_act.move_to"), others);
      const [cause, causeOf] = words("move-reason", text("bay_act.reason"), true);
      acts.push(
        folded(text("bay_act.move"), text("bay_act.move_act"), [to, cause], () =>
          note(
            { kind: "move", bay_id: bayId, to_bay_id: toOf(), reason: causeOf() },
            { label, toLabel: others.find(({ id }) => id === toOf())?.words ?? "" },
          ),
        ),
      );
    }
  }
  if (stay && stay.set_aside === null && stay.part_of === null) {
    if (stay.plate && !stay.exempt) acts.push(escapeForm({ bay_id: bayId }, label, note));
    acts.push(...partings(post, bayId, label, stay, note));
  }
  const [fault, faultOf] = choices("report-what", text("bay_act.what"), options("bay_act.fault", REPORT));
  const [note_, noteOf] = words("report-note", text("bay_act.note"), false);
  acts.push(
    folded(text("bay_act.report"), text("bay_act.report_act", { label }), [fault, note_], () => {
      const said = noteOf();
      return note({ kind: "report", bay_id: bayId, what: faultOf(), ...(said ? { note: said } : {}) }, { label });
    }),
  );
  return h(
    "section",
    { class: "panel-section bay-acts" },
    h("h3", {}, text("bay_act.title")),
    stay
      ? null
      : h("button", { class: "button", type: "button", onclick: steps.begin }, text("bay_act.begin")),
    stay?.plate
      ? h("p", { class: "panel-acts" }, h("button", { class: "button", type: "button", id: "swap", onclick: steps.swap }, text("stays.correct.swap")))
      : null,
    ...acts,
  );
}

/** An act in a line of words, for the bar and the list. */
export function actWords(wanted: Wanted, shown: Shown, money: string): string {
  const key = `outbox.act.${wanted.kind}` as TextKey;
  return text(key, {
    label: shown.label ?? "–",
    to: shown.toLabel ?? "",
    plate: wanted.plate ?? "",
    place: wanted.place ?? "",
    amount: money,
    reason: shown.reason ?? "",
    who: shown.who ?? "",
    what: wanted.what ? named(wanted.kind === "report" ? "bay_act.fault" : "bay_act.aside", wanted.what) : "",
  });
}
