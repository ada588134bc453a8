/** What the sections of the finance desk say alike: amounts, accounts, people, buttons. */
import { withQuery } from "../api/client";
import type { Accounts } from "../api/types";
import { price } from "../format/words";
import type { Money } from "../format/money";
import { h } from "../shell/dom";
import { hasRole } from "../shell/page";
import { inLanguage, named, text } from "../shell/text";

export const CHANNELS = ["wechat", "alipay", "unionpay"] as const;
/** Those whose bills are handed in, also where nobody can fetch them. */
export const BILLED = [...CHANNELS, "pos"] as const;

export function channelWords(channel: string): string {
  return named("bill.channel", channel);
}

/** '+¥2.00' or '−¥2.00': on accounts the sign says which side. */
export function signed(money: Money): string {
  const size = price({ minor: Math.abs(money.minor), currency: money.currency });
  return money.minor === 0 ? size : `${money.minor > 0 ? "+" : "−"}${size}`;
}

/** Add amounts up, each currency by itself. */
export function sums(all: readonly Money[]): Money[] {
  const found = new Map<string, number>();
  for (const each of all) found.set(each.currency, (found.get(each.currency) ?? 0) + each.minor);
  return [...found].map(([currency, minor]) => ({ minor, currency }));
}

export function prices(all: readonly Money[]): string {
  return all.length ? all.map(price).join(" · ") : price({ minor: 0, currency: "CNY" });
}

/** Who acted: a person's name, a channel, the system by its own word. */
export function who(subject: string | null, names: Readonly<Record<string, string>>): string {
  if (subject === null) return "–";
  const name = names[subject];
  if (name) return name;
  const [kind, rest = ""] = subject.split(":");
  return kind === "channel" ? channelWords(rest) : text("finance.system");
}

/** 'Clearing · WeChat Pay' for `clearing:wechat`. */
export function accountWords(code: string, names: Accounts["names"] = {}): string {
  const at = code.indexOf(":");
  const [kind, holder] = [code.slice(0, at), code.slice(at + 1)];
  const name = names[holder];
  const whose = name ? inLanguage(name.zh, name.en) : channelWords(holder);
  return `${named("account", kind)} · ${whose}`;
}

export function readsLedger(): boolean {
  return hasRole("finance", "auditor");
}

/** A figure that opens what it is made of. */
export function opener(id: string, words: string, open: () => void): HTMLElement {
  return h("button", { class: "link number", type: "button", "data-row": id, onclick: open }, words);
}

export function act(words: string, run: () => void, primary = false): HTMLElement {
  return h(
    "button",
    { class: primary ? "button button-primary" : "button", type: "button", onclick: run },
    words,
  );
}

/** What narrows a list, under its name. */
export function toolField(input: HTMLElement, words: string): HTMLElement {
  return h("div", { class: "tool-field" }, h("label", { class: "label", for: input.id }, words), input);
}

/** Leads to a list as a file, all of it. */
export function fileLink(path: string, query: Readonly<Record<string, string | null>> = {}, words = text("figures.file")): HTMLElement {
  return h("a", { class: "button", href: withQuery(path, query), download: "" }, words);
}

/** A table whose first cell names the row; on a telephone each row is a card. */
export function table(
  caption: string,
  head: readonly string[],
  rows: readonly (readonly (Node | string)[])[],
  numbers: readonly number[] = [],
): HTMLElement {
  const cell = (at: number): string => (numbers.includes(at) ? "number figure-cell" : "");
  return h(
    "table",
    { class: "table table-cards" },
    h("caption", { class: "visually-hidden" }, caption),
    h("thead", {}, h("tr", {}, ...head.map((words, at) => h("th", { scope: "col", class: cell(at) }, words)))),
    h(
      "tbody",
      {},
      ...rows.map(([first = "", ...rest]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, first),
          ...rest.map((each, at) => h("td", { class: cell(at + 1), "data-label": head[at + 1] ?? "" }, each)),
        ),
      ),
    ),
  );
}

export function section(title: string, ...parts: readonly (Node | null)[]): HTMLElement {
  return h("section", { class: "bench-section" }, h("h2", {}, title), ...parts);
}

export function part(title: string, ...parts: readonly (Node | null)[]): HTMLElement {
  return h("section", { class: "panel-section" }, h("h3", {}, title), ...parts);
}

export function tile(term: string, value: string, made: string): HTMLElement {
  return h(
    "div",
    { class: "figure-tile" },
    h("dt", {}, term),
    h("dd", { class: "figure-value" }, value),
    h("dd", { class: "item-facts" }, made),
  );
}
