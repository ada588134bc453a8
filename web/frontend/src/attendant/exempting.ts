/** A stay that pays nothing: by its plate's kind, or because the attendant says why. */
import type { Exemptions, Session } from "../api/types";
import { inLanguage } from "../format/words";
import type { Shown, Wanted } from "../outbox/acts";
import type { TakenPhoto } from "../outbox/photos";
import { h, write } from "../shell/dom";
import { labelled } from "../shell/form";
import { text } from "../shell/text";
import { camera } from "./camera";

const MOST_SIGNS = 400;
const SHORTEST_WORDS = 3;

export type NoteWithPhoto = (wanted: Wanted, shown: Shown, photo?: TakenPhoto | null) => Promise<void>;

/** Why a stay pays nothing, in words; null where it pays. */
export function freeBecause(stay: Session, rules: Exemptions | null): string | null {
  // A post that was kept before there was any has none.
  if (stay.exempt) {
    const reason = rules?.reasons.find(({ code }) => code === stay.exempt);
    return reason ? inLanguage(reason.name.zh, reason.name.en) : stay.exempt;
  }
  const kind = rules?.free_kinds.find((each) => each.kind === stay.plate?.kind);
  return kind ? inLanguage(kind.name.zh, kind.name.en) : null;
}

/** What frees a stay here, behind its own word; nothing where the region has no reason. */
export function exemptForm(
  bayId: string,
  label: string,
  rules: Exemptions,
  note: NoteWithPhoto,
): HTMLElement | null {
  const first = rules.reasons[0];
  if (!first) return null;
  const select = h(
    "select",
    { class: "input", id: "exempt-reason" },
    ...rules.reasons.map(({ code, name }) => h("option", { value: code }, inLanguage(name.zh, name.en))),
  );
  const words = h("input", { class: "input", id: "exempt-words", maxlength: MOST_SIGNS, autocomplete: "off" });
  const wordsField = labelled("exempt-words", text("exempt.words"), words);
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const taking = camera("exempt-photo", text("photo.take"), () => {
    problem.hidden = true;
  });
  const submit = h("button", { class: "button button-primary", type: "submit" }, text("exempt.act", { label }));
  const chosen = () => rules.reasons.find(({ code }) => code === select.value) ?? first;
  const draw = (): void => {
    wordsField.hidden = !chosen().words;
    taking.element.hidden = !chosen().photo;
    problem.hidden = true;
  };
  select.addEventListener("change", draw);
  const say = (said: string): void => {
    problem.hidden = false;
    write(problem, said);
  };
  const run = async (): Promise<void> => {
    const reason = chosen();
    const said = words.value.trim();
    const photo = reason.photo ? taking.photo() : null;
    if (reason.words && said.length < SHORTEST_WORDS) return say(text("exempt.words_needed"));
    if (reason.photo && !photo) return say(text("exempt.photo_needed"));
    submit.disabled = true;
    try {
      await note(
        { kind: "exempt", bay_id: bayId, exempt: reason.code, ...(reason.words ? { reason: said } : {}) },
        { label, reason: inLanguage(reason.name.zh, reason.name.en) },
        photo,
      );
    } catch {
      say(text("outbox.not_kept"));
    } finally {
      submit.disabled = false;
    }
  };
  draw();
  return h(
    "details",
    { class: "frame" },
    h("summary", {}, text("exempt.title")),
    h(
      "form",
      {
        class: "bay-act",
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      labelled("exempt-reason", text("exempt.reason"), select),
      wordsField,
      taking.element,
      problem,
      h("p", { class: "panel-acts" }, submit),
    ),
  );
}
