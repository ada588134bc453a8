/** Whether reports come in and are kept: the readiness of each part, with the server's own words. */
import { h, replace } from "../shell/dom";
import { named, text } from "../shell/text";

interface Readiness {
  readonly ready?: boolean;
  readonly status?: string;
  readonly checks?: Readonly<Record<string, unknown>>;
}

interface Check {
  readonly name: string;
  readonly good: boolean;
  readonly detail: string;
}

/** Read what `/readyz` says of each part, in whichever of its shapes: a flag, a word, an object. */
export function checksOf(answer: Readiness): Check[] {
  return Object.entries(answer.checks ?? {}).map(([name, said]) => {
    if (typeof said === "boolean") return { name, good: said, detail: "" };
    if (typeof said === "string") return { name, good: said === "ok", detail: said === "ok" ? "" : said };
    const parts = (said ?? {}) as Readonly<Record<string, unknown>>;
    const good = parts["ok"] === true || parts["ready"] === true;
    const detail = parts["detail"] ?? parts["reason"] ?? "";
    return { name, good, detail: String(detail) };
  });
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
      ...checksOf(answer).map(({ name, good, detail }) =>
        h(
          "li",
          { class: "check" },
          h("span", { class: "check-name" }, named("ingest.part", name)),
          h(
            "span",
            { class: good ? "tag tag-good" : "tag tag-danger" },
            text(good ? "ingest.good" : "ingest.bad"),
          ),
          detail ? h("span", { class: "item-facts check-detail" }, detail) : null,
        ),
      ),
    ),
  );
}
