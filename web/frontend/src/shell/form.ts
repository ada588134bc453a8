/** Forms in the page's one dialog: what goes wrong is said in them, and they stay open. */
import { ProblemError } from "../api/client";
import { byId, h, replace, write } from "./dom";
import { problemText } from "./states";
import { language, text } from "./text";
import { toast } from "./toast";

export interface Form {
  readonly title: string;
  readonly parts: readonly (Node | null)[];
  readonly submit: string;
  readonly wide?: boolean;
  /** Does it; returns what is said, or null where the form stays open. */
  readonly send: () => Promise<string | null>;
}

/** What the server says of an input, with the field's name where it gave one. */
function faultText(error: unknown): string {
  if (!(error instanceof ProblemError) || error.field === null) return problemText(error);
  const words = problemText(error);
  // In Chinese the server names the field in its own words.
  return language() === "zh" || words.includes(error.field) ? words : `${error.field}: ${words}`;
}

/** Show a form; what goes wrong is said in it, and it stays open. */
export function showForm(form: Form): void {
  const dialog = byId<HTMLDialogElement>("dialog");
  dialog.classList.toggle("dialog-wide", form.wide ?? false);
  const problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  const submit = h("button", { class: "button button-primary", type: "submit" }, form.submit);
  const run = async (): Promise<void> => {
    submit.disabled = true;
    problem.hidden = true;
    try {
      const said = await form.send();
      if (said === null) return;
      dialog.close();
      toast(said);
    } catch (error) {
      problem.hidden = false;
      write(problem, faultText(error));
    } finally {
      submit.disabled = false;
    }
  };
  replace(
    dialog,
    h(
      "form",
      {
        class: "dialog-body",
        onsubmit: (event) => {
          event.preventDefault();
          void run();
        },
      },
      h("h2", { id: "dialog-title" }, form.title),
      ...form.parts,
      problem,
      h(
        "p",
        { class: "dialog-acts" },
        h("button", { class: "button", type: "button", onclick: () => dialog.close() }, text("act.cancel")),
        submit,
      ),
    ),
  );
  if (!dialog.open) dialog.showModal();
}

export function labelled(id: string, words: string, input: HTMLElement, hint?: string): HTMLElement {
  input.id = id;
  if (hint) input.setAttribute("aria-describedby", `${id}-hint`);
  return h(
    "div",
    { class: "form-part" },
    h("label", { class: "label", for: id }, words),
    input,
    hint ? h("p", { class: "hint", id: `${id}-hint` }, hint) : null,
  );
}

/** Parts that stand beside each other where there is room. */
export function row(...parts: readonly (Node | null)[]): HTMLElement {
  return h("div", { class: "form-row" }, ...parts);
}

type Attributes = Readonly<Record<string, string | number | boolean | null | undefined>>;

export function field(value: string | number | null | undefined, more: Attributes = {}): HTMLInputElement {
  const input = h("input", { class: "input", autocomplete: "off", ...more });
  input.value = value === null || value === undefined ? "" : String(value);
  return input;
}

/** A list of words to choose from; `chosen` may be one that the list does not have. */
export function choice(
  options: readonly (readonly [value: string, words: string])[],
  chosen: string | null = null,
  more: Attributes = {},
): HTMLSelectElement {
  const select = h(
    "select",
    { class: "input", ...more },
    ...options.map(([value, words]) => h("option", { value }, words)),
  );
  if (chosen !== null) select.value = chosen;
  return select;
}

/** A number that was typed; null where nothing was. */
export function typedNumber(input: HTMLInputElement): number | null {
  return input.value.trim() === "" ? null : Number(input.value);
}

/** An instant that was typed on the city's wall clock, as `datetime-local` writes it. */
export function localInstant(typed: string, zone: string): string {
  const wall = Date.parse(`${typed}Z`);
  // The zone's offset at the instant itself; asked twice, for a guess that a clock change spoils.
  let at = wall - offsetMs(wall, zone);
  at = wall - offsetMs(at, zone);
  return new Date(at).toISOString();
}

/** An instant as `datetime-local` wants it, on the city's wall clock. */
export function localField(atMs: number, zone: string): string {
  return new Date(atMs + offsetMs(atMs, zone)).toISOString().slice(0, 16);
}

function offsetMs(atMs: number, zone: string): number {
  const parts = new Intl.DateTimeFormat("en-US", {
    timeZone: zone,
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  }).formatToParts(atMs);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const wall = Date.UTC(of("year"), of("month") - 1, of("day"), of("hour"), of("minute"), of("second"));
  return wall - Math.floor(atMs / 1_000) * 1_000;
}
