/** Disputing a bill, taking the dispute back, and what became of it: a driver's side. */
import "../../styles/timeline.css";
import { act, actKey } from "../api/client";
import type { Bill, Dispute } from "../api/types";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { showForm, labelled } from "../shell/form";
import { h } from "../shell/dom";
import { named, text } from "../shell/text";

const GROUNDS = [
  "wrong-times",
  "not-my-vehicle",
  "not-parked",
  "wrong-fee",
  "already-paid",
  "other",
] as const;
export const DISPUTE_TONES: Readonly<Record<Dispute["state"], string>> = {
  open: "tag-warning",
  upheld: "tag-good",
  rejected: "tag-danger",
  withdrawn: "",
};

export function disputeTag(state: Dispute["state"]): HTMLElement {
  return h("span", { class: `tag ${DISPUTE_TONES[state]}` }, named("dispute.state", state));
}

function disputeDialog(bill: Bill, done: () => void): void {
  const key = actKey();
  const ground = h(
    "select",
    { class: "input" },
    ...GROUNDS.map((one) => h("option", { value: one }, named("dispute.ground", one))),
  );
  const words = h("textarea", { class: "input", rows: 4, maxlength: 1000 });
  showForm({
    title: text("dispute.title"),
    parts: [
      h("p", { class: "note" }, text("dispute.consequence")),
      labelled("dispute-ground", text("dispute.ground"), ground),
      labelled("dispute-words", text("dispute.words"), words, text("dispute.words_hint")),
    ],
    submit: text("dispute.submit"),
    send: async () => {
      await act<Dispute>(
        "POST",
        `/api/v1/bills/${bill.id}/disputes`,
        { ground: ground.value, words: words.value },
        key,
      );
      done();
      return text("dispute.opened");
    },
  });
}

function withdrawDialog(dispute: Dispute, done: () => void): void {
  const key = actKey();
  const words = h("textarea", { class: "input", rows: 3, maxlength: 1000, minlength: 3, required: true });
  showForm({
    title: text("dispute.withdraw_title"),
    parts: [
      h("p", { class: "note" }, text("dispute.withdraw_consequence")),
      labelled("withdraw-words", text("dispute.withdraw_words"), words),
    ],
    submit: text("dispute.withdraw"),
    send: async () => {
      await act<Dispute>(
        "POST",
        `/api/v1/disputes/${dispute.id}/withdrawal`,
        { words: words.value },
        key,
      );
      done();
      return text("dispute.withdrawn");
    },
  });
}

/** What was said and answered; the same for everybody. */
export function disputeWords(dispute: Dispute): HTMLElement {
  return h(
    "div",
    { class: "dispute" },
    h(
      "p",
      { class: "dispute-head" },
      h("strong", {}, named("dispute.ground", dispute.ground)),
      disputeTag(dispute.state),
    ),
    dispute.words ? h("blockquote", { class: "said-why" }, dispute.words) : null,
    h("p", { class: "item-facts" }, text("dispute.opened_at", { at: exactly(instant(dispute.opened_at)) })),
    dispute.answer ? h("p", { class: "label" }, text("dispute.answer")) : null,
    dispute.answer ? h("blockquote", { class: "said-why" }, dispute.answer) : null,
    dispute.resolved_at
      ? h("p", { class: "item-facts" }, text("dispute.resolved_at", { at: exactly(instant(dispute.resolved_at)) }))
      : null,
  );
}

/** The dispute of a bill and what its driver can do; null where there is nothing to say. */
export function disputeSection(bill: Bill, mayAct: boolean, again: () => void): HTMLElement | null {
  const { dispute } = bill;
  const open = bill.state === "open" && mayAct;
  if (!dispute && !open) return null;
  return h(
    "section",
    { class: "panel-section", "aria-label": text("dispute.section") },
    h("h2", {}, text("dispute.section")),
    dispute ? disputeWords(dispute) : h("p", { class: "note" }, text("dispute.offer")),
    dispute?.state === "open"
      ? h("p", { class: "note" }, text(mayAct ? "dispute.frozen" : "dispute.frozen_staff"))
      : null,
    h(
      "p",
      { class: "panel-acts no-print" },
      open
        ? h(
            "button",
            { class: "button", type: "button", onclick: () => disputeDialog(bill, again) },
            text("dispute.start"),
          )
        : null,
      dispute?.state === "open" && mayAct
        ? h(
            "button",
            { class: "button", type: "button", onclick: () => withdrawDialog(dispute, again) },
            text("dispute.withdraw"),
          )
        : null,
    ),
  );
}
