/** How long signals were heard: a share that says what it was made of, and what is not known. */
import { lastingText } from "../format/words";
import { h } from "../shell/dom";
import { emptyState } from "../shell/states";
import { locale, text } from "../shell/text";
import type { OnLine, SignalsOnLine } from "./types";
import { said } from "./words";

const GOOD = 0.99;
const FAIR = 0.95;

/** Never 100 % unless it is. */
export function rateText(rate: number | null): string {
  if (rate === null) return text("duty.unknown");
  const shown = rate === 1 ? 100 : Math.min(99.99, rate * 100);
  return `${new Intl.NumberFormat(locale(), { maximumFractionDigits: 2 }).format(shown)} %`;
}

export function onLineBar(found: OnLine | null): HTMLElement {
  if (found === null || found.rate === null) return h("span", { class: "tag" }, `? ${text("duty.unknown")}`);
  const kind = found.rate >= GOOD ? "tag tag-good" : found.rate >= FAIR ? "tag tag-warning" : "tag tag-danger";
  const mark = found.rate >= GOOD ? "✓" : found.rate >= FAIR ? "●" : "▲";
  const unknown = found.elapsed_s - found.watched_s;
  return h(
    "span",
    { class: "online" },
    h("span", { class: kind }, `${mark} ${rateText(found.rate)}`),
    h(
      "span",
      { class: "item-facts" },
      text("online.of", { heard: lastingText(0, found.heard_s * 1_000), watched: lastingText(0, found.watched_s * 1_000) }),
      unknown >= 60 ? ` · ${text("online.unknown", { time: lastingText(0, unknown * 1_000) })}` : "",
    ),
  );
}

export function onLineView(found: SignalsOnLine, file: (signal: string) => string): HTMLElement {
  const worst = [...found.items].sort((a, b) => (a.rate ?? 2) - (b.rate ?? 2) || a.signal.localeCompare(b.signal));
  if (worst.length === 0) return emptyState(text("online.none"), text("online.none_advice"));
  return h(
    "div",
    {},
    h("p", { class: "work-heading" }, text("online.all", { rate: rateText(found.rate), n: worst.length })),
    h(
      "ul",
      { class: "duty-list" },
      ...worst.map((each) => {
        const title = said(each.title);
        return h(
          "li",
          { class: "file-row online-row" },
          h("a", { href: file(each.signal) }, title && title !== each.signal ? `${each.signal} ${title}` : each.signal),
          onLineBar(each),
        );
      }),
    ),
  );
}
