/** Fields for opening hours and for rules by time. Clauses without a field are kept as they are. */
import { h } from "../shell/dom";
import { choice, field, labelled, row, typedNumber } from "../shell/form";
import { named, text } from "../shell/text";
import {
  ACTIVITIES,
  dayName,
  DAYS,
  HOLIDAYS,
  otherClauses,
  otherMembers,
  type Day,
  type Rule,
  type Span,
} from "./times";

export interface Editor<T> {
  readonly element: HTMLElement;
  readonly value: () => T[];
}

let made = 0;

/** An id that no other field on the page has. */
function fresh(name: string): string {
  made += 1;
  return `${name}-${made}`;
}

interface Item<T> {
  readonly element: HTMLElement;
  readonly value: () => T;
}

/** A list of things that can be added to and taken from. */
function listEditor<T>(
  legend: string,
  hint: string,
  add: string,
  blank: T,
  given: readonly T[],
  edit: (value: T, remove: HTMLElement) => Item<T>,
): Editor<T> {
  const items: Item<T>[] = [];
  const list = h("div", { class: "span-list" });
  const append = (value: T): void => {
    const remove = h(
      "button",
      {
        class: "link",
        type: "button",
        onclick: () => {
          items.splice(items.indexOf(item), 1);
          item.element.remove();
          more.focus();
        },
      },
      text("places.remove"),
    );
    const item = edit(value, remove);
    items.push(item);
    list.append(item.element);
  };
  const more = h("button", { class: "button", type: "button", onclick: () => append(blank) }, add);
  given.forEach(append);
  return {
    element: h(
      "fieldset",
      { class: "form-group" },
      h("legend", {}, legend),
      h("p", { class: "hint" }, hint),
      list,
      h("p", {}, more),
    ),
    value: () => items.map((item) => item.value()),
  };
}

/** A day ends at 24:00, which a field for times cannot show: midnight as an end means it. */
function shownEnd(until: string): string {
  return until === "24:00" ? "00:00" : until;
}

function spanItem(span: Span, remove: HTMLElement): Item<Span> {
  const days = DAYS.map((day) => {
    const box = h("input", { type: "checkbox", value: day });
    box.checked = span.days?.includes(day) ?? false;
    return { day, box, label: h("label", { class: "bay-check" }, box, dayName(day)) };
  });
  const [first, ...furtherTimes] = span.times ?? [];
  const from = field(first?.[0], { type: "time" });
  const until = field(first ? shownEnd(first[1]) : null, { type: "time" });
  const holidays = choice(
    HOLIDAYS.map((one): [string, string] => [one, named("places.holidays", one)]),
    span.holidays ?? "any",
  );
  const kept = otherClauses(span);
  const shown = [...furtherTimes.map(([a, b]) => `${a}–${b}`), ...(Object.keys(kept).length ? [JSON.stringify(kept)] : [])];
  const element = h(
    "div",
    { class: "span-item", role: "group", "aria-label": text("places.time") },
    h("div", { class: "day-checks" }, ...days.map(({ label }) => label)),
    row(
      labelled(fresh("span-from"), text("permits.hours_from"), from),
      labelled(fresh("span-until"), text("permits.hours_until"), until),
      labelled(fresh("span-holidays"), text("places.holidays"), holidays),
    ),
    shown.length ? h("p", { class: "hint mono" }, text("places.also", { clauses: shown.join(", ") })) : null,
    h("p", {}, remove),
  );
  return {
    element,
    value: () => {
      const chosen = days.filter(({ box }) => box.checked).map(({ day }): Day => day);
      const window: [string, string][] = from.value || until.value ? [[from.value || "00:00", ended(until.value)]] : [];
      const times = [...window, ...furtherTimes];
      return {
        ...kept,
        ...(chosen.length && chosen.length < DAYS.length ? { days: chosen } : {}),
        ...(times.length ? { times } : {}),
        ...(holidays.value === "any" ? {} : { holidays: holidays.value as Span["holidays"] & string }),
      };
    },
  };
}

function ended(until: string): string {
  return until === "" || until === "00:00" ? "24:00" : until;
}

/** Spans of time: opening hours, or when a rule holds. */
export function spanEditor(legend: string, hint: string, given: readonly Span[]): Editor<Span> {
  return listEditor<Span>(legend, hint, text("places.add_time"), {}, given, spanItem);
}

function ruleItem(rule: Rule, remove: HTMLElement): Item<Rule> {
  const activity = choice(
    ACTIVITIES.map((one): [string, string] => [one, named("activity", one)]),
    rule.activity,
  );
  const reason = field(rule.reason, { maxlength: 120 });
  const longest = field(rule.max_stay_min, { type: "number", min: 1, max: 525_600 });
  const when = spanEditor(text("places.when"), text("places.when_hint"), rule.when ?? []);
  const kept = otherMembers(rule);
  const element = h(
    "div",
    { class: "span-item rule-item", role: "group", "aria-label": text("places.rule") },
    row(
      labelled(fresh("rule-activity"), text("places.rule"), activity),
      labelled(fresh("rule-reason"), text("places.reason"), reason),
      labelled(fresh("rule-longest"), text("places.longest_min"), longest),
    ),
    when.element,
    Object.keys(kept).length ? h("p", { class: "hint mono" }, text("places.also", { clauses: JSON.stringify(kept) })) : null,
    h("p", {}, remove),
  );
  return {
    element,
    value: () => {
      const spans = when.value();
      const minutes = typedNumber(longest);
      return {
        ...kept,
        activity: activity.value as Rule["activity"],
        ...(spans.length ? { when: spans } : {}),
        ...(reason.value.trim() ? { reason: reason.value.trim() } : {}),
        ...(minutes === null ? {} : { max_stay_min: minutes }),
      };
    },
  };
}

/** Rules by time: what may be done when, and what may not. */
export function ruleEditor(given: readonly Rule[]): Editor<Rule> {
  return listEditor<Rule>(
    text("places.rules"),
    text("places.rules_hint"),
    text("places.add_rule"),
    { activity: "no_parking" },
    given,
    ruleItem,
  );
}
