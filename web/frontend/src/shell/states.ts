/** Designed states: waiting, empty, failed. Each says what happened, what still works, what to do. */
import { ProblemError } from "../api/client";
import { h, icon } from "./dom";
import { text } from "./text";

/** Grey bars where the content will stand, of the content's height. */
export function skeleton(rows: number, kind: "row" | "card" | "line" = "row"): HTMLElement {
  return h(
    "div",
    { class: `skeleton skeleton-${kind}`, role: "status", "aria-label": text("state.loading") },
    ...Array.from({ length: rows }, () => h("span", { "aria-hidden": "true" })),
  );
}

export function emptyState(title: string, advice: string, action?: HTMLElement): HTMLElement {
  return h(
    "div",
    { class: "empty" },
    h("p", { class: "empty-title" }, title),
    h("p", { class: "empty-advice" }, advice),
    action,
  );
}

/** What went wrong in words for a person: our own for what we know, the server's for the rest. */
export function problemText(error: unknown): string {
  if (!(error instanceof ProblemError)) return text("problem.unexpected");
  if (error.offline) return text("problem.offline");
  if (error.status === 401) return text("problem.logged_out");
  if (error.status === 403) return text("problem.forbidden");
  if (error.status === 404) return text("problem.not_found");
  if (error.status === 429) return text("problem.too_many", { seconds: error.retryAfterS ?? 60 });
  if (error.status >= 500) return text("problem.server");
  return error.detail || text("problem.unexpected");
}

export function errorState(error: unknown, retry?: () => void): HTMLElement {
  const loggedOut = error instanceof ProblemError && error.status === 401;
  const back = encodeURIComponent(location.pathname + location.search);
  return h(
    "div",
    { class: "empty empty-error", role: "alert" },
    icon("warning"),
    h("p", { class: "empty-title" }, problemText(error)),
    loggedOut
      ? h("a", { class: "button", href: `/log-in?next=${back}` }, text("nav.log_in"))
      : retry && h("button", { class: "button", type: "button", onclick: retry }, text("act.retry")),
  );
}
