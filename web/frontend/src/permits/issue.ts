/** Dialogs over permits: issuing one, renewing one, taking one back. */
import { act, actKey } from "../api/client";
import type { Facility, Permit } from "../api/types";
import { inLanguage } from "../format/words";
import { businessTime, zone } from "../shell/clock";
import { h } from "../shell/dom";
import { labelled, showForm } from "../shell/form";
import { named, text } from "../shell/text";

const KINDS = ["month", "year", "resident", "staff", "off_peak", "disabled"] as const;
const MONTHS: Readonly<Record<string, number>> = { month: 1, year: 12 };

/** The city's day as the form's date field writes it. */
function today(): string {
  return new Intl.DateTimeFormat("en-CA", { timeZone: zone() }).format(businessTime());
}

export function issueDialog(facilities: readonly Facility[], issued: (permit: Permit) => void): void {
  const key = actKey();
  const kind = h(
    "select",
    { class: "input" },
    ...KINDS.map((one) => h("option", { value: one }, named("permits.kind", one))),
  );
  const label = h("input", { class: "input", required: true, maxlength: 80, autocomplete: "off" });
  const places = h(
    "select",
    { class: "input", multiple: true, required: true, size: 6 },
    ...facilities.map((one) => h("option", { value: one.id }, inLanguage(one.name.zh, one.name.en))),
  );
  const first = h("input", { class: "input", type: "date", required: true, value: today() });
  const months = h("input", { class: "input", type: "number", min: 1, max: 120, value: 1, required: true });
  const limit = h("input", { class: "input", type: "number", min: 1, max: 5000, value: 1 });
  const from = h("input", { class: "input", type: "time" });
  const until = h("input", { class: "input", type: "time" });
  const days = h(
    "select",
    { class: "input" },
    ...(["every", "workday", "day_off"] as const).map((one) =>
      h("option", { value: one }, named("permits.days", one)),
    ),
  );
  kind.addEventListener("change", () => {
    months.value = String(MONTHS[kind.value] ?? 12);
    limit.value = kind.value === "staff" || kind.value === "resident" ? "" : "1";
    if (kind.value === "off_peak") {
      from.value = "18:00";
      until.value = "08:00";
    }
  });
  const send = async (): Promise<string> => {
    const hours =
      from.value && until.value ? [{ from: from.value, until: until.value, days: days.value }] : [];
    const permit = await act<Permit>(
      "POST",
      "/api/v1/permits",
      {
        kind: kind.value,
        label: label.value.trim(),
        facility_ids: [...places.selectedOptions].map((option) => option.value),
        first_day: first.value,
        months: Number(months.value),
        concurrent_limit: limit.value ? Number(limit.value) : null,
        hours,
      },
      key,
    );
    issued(permit);
    return text("permits.issued", { label: permit.label });
  };
  showForm({
    title: text("permits.issue_title"),
    submit: text("permits.issue"),
    send,
    parts: [
      labelled("issue-kind", text("permits.kind"), kind),
      labelled("issue-label", text("permits.label"), label, text("permits.label_hint")),
      labelled("issue-places", text("permits.places"), places, text("permits.places_hint")),
      h(
        "div",
        { class: "form-row" },
        labelled("issue-first", text("permits.first_day"), first),
        labelled("issue-months", text("permits.months"), months),
        labelled("issue-limit", text("permits.limit"), limit, text("permits.limit_hint")),
      ),
      h(
        "div",
        { class: "form-row" },
        labelled("issue-from", text("permits.hours_from"), from),
        labelled("issue-until", text("permits.hours_until"), until),
        labelled("issue-days", text("permits.on_days"), days),
      ),
      h("p", { class: "hint" }, text("permits.hours_hint")),
    ],
  });
}

export function renewDialog(permit: Permit, done: () => void): void {
  const key = actKey();
  const months = h("input", { class: "input", type: "number", min: 1, max: 120, value: 1, required: true });
  const reason = h("input", { class: "input", required: true, maxlength: 200 });
  showForm({
    title: text("permits.renew_title", { label: permit.label }),
    submit: text("permits.renew"),
    send: async () => {
      const body = { months: Number(months.value), reason: reason.value };
      await act<Permit>("POST", `/api/v1/permits/${permit.id}/renewal`, body, key);
      done();
      return text("permits.renewed", { label: permit.label });
    },
    parts: [
      labelled("renew-months", text("permits.months"), months),
      labelled("renew-reason", text("permits.reason"), reason),
    ],
  });
}

export function revokeDialog(permit: Permit, done: () => void): void {
  const key = actKey();
  const reason = h("input", { class: "input", required: true, maxlength: 200 });
  showForm({
    title: text("permits.revoke_title", { label: permit.label }),
    submit: text("permits.revoke"),
    send: async () => {
      const path = `/api/v1/permits/${permit.id}/revocation`;
      await act<Permit>("POST", path, { reason: reason.value }, key);
      done();
      return text("permits.revoked", { label: permit.label });
    },
    parts: [
      h("p", { class: "note note-warning" }, text("permits.revoke_consequence")),
      labelled("revoke-reason", text("permits.reason"), reason),
    ],
  });
}
