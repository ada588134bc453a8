/** A plate in a form. */
import { choice, field, labelled, row } from "../shell/form";
import { named, text } from "../shell/text";
import { PLATE_KINDS } from "./kinds";

export interface PlateFields {
  readonly part: HTMLElement;
  readonly value: () => { readonly plate: string; readonly kind: string | null };
}

/** A plate and its kind; the kind may be left to the number where that tells it. */
export function plateFields(): PlateFields {
  const plate = field("", { required: true, maxlength: 16, spellcheck: "false", autocapitalize: "characters" });
  const kind = choice([
    ["", text("rights.kind_by_text")],
    ...PLATE_KINDS.filter((one) => one !== "unknown").map((one): [string, string] => [one, named("plate.kind", one)]),
  ]);
  return {
    part: row(labelled("r-plate", text("rights.plate"), plate), labelled("r-kind", text("plate.kind"), kind)),
    value: () => ({ plate: plate.value.trim(), kind: kind.value || null }),
  };
}
