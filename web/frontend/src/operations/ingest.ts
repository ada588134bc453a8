/** Whether reports come in and are kept: the readiness of each part, with the server's own words. */
import { h, replace } from "../shell/dom";
import { named, text } from "../shell/text";

interface Readiness {
  readonly status?: string;
  readonly checks?: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

export async function showIngest(place: HTMLElement): Promise<void> {
  let answer: Readiness;
  try {
    // Not ready is an answer too: it comes with 503 and says which part.
    const response = await fetch("/readyz", { cache: "no-store" });
    answer = (await response.json()) as Readiness;
  } catch {
    replace(place, h("p", { class: "note", role: "alert" }, text("ingest.no_answer")));
    return;
  }
  replace(
    place,
    h(
      "ul",
      { class: "checks" },
      ...Object.entries(answer.checks ?? {}).map(([name, { ok: good, detail }]) =>
        h(
          "li",
          { class: "check" },
          h("span", { class: "check-name" }, named("ingest.part", name)),
          h(
            "span",
            { class: good ? "tag tag-good" : "tag tag-danger" },
            text(good ? "ingest.good" : "ingest.bad"),
          ),
          !good && detail ? h("span", { class: "item-facts check-detail" }, detail) : null,
        ),
      ),
    ),
  );
}
