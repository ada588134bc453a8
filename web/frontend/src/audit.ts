/** The record of acts and whether its chain holds. */
import "../styles/base.css";
import "../styles/audit.css";
import { read } from "./api/client";
import type { AuditPage, AuditRecord } from "./api/types";
import { flatFields } from "./format/frames";
import { instant } from "./format/time";
import { exactly } from "./format/words";
import { byId, h, icon, put, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { startPage } from "./shell/page";
import { emptyState, errorState, skeleton } from "./shell/states";
import { counted, named, text } from "./shell/text";

/** A record younger than this is normally still unsealed; older ones show a sealer that stopped. */
const LATE_S = 120;

class AuditLog {
  private readonly place = byId("records");
  private readonly rows = h("tbody", {});
  private readonly more = h(
    "button",
    { class: "button", type: "button", hidden: true, onclick: () => void this.load(true) },
    text("list.more"),
  );
  private next: string | null = null;
  private shown = 0;

  constructor() {
    const form = byId<HTMLFormElement>("filter");
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.load(false);
    });
    onKey("/", "keys.search", () => byId("action").focus());
    onKey("j", "keys.next", () => this.step(1));
    onKey("k", "keys.previous", () => this.step(-1));
  }

  async load(more: boolean): Promise<void> {
    const value = (id: string): string | null => byId<HTMLInputElement>(id).value.trim() || null;
    if (!more) {
      this.shown = 0;
      replace(this.place, skeleton(8));
    }
    try {
      const page = await read<AuditPage>("/api/v1/audit", {
        action: value("action"),
        subject_id: value("subject"),
        cursor: more ? this.next : null,
        limit: 100,
      });
      this.next = page.next;
      this.chain(page);
      if (!more) this.frame(page.items.length === 0);
      put(this.rows, ...page.items.map((record) => this.row(record)));
      this.shown += page.items.length;
      this.more.hidden = page.next === null;
      write(byId("record-count"), counted("count.records", this.shown));
    } catch (error) {
      replace(this.place, errorState(error, () => void this.load(more)));
    }
  }

  private frame(empty: boolean): void {
    this.rows.replaceChildren();
    if (empty) {
      replace(this.place, emptyState(text("audit.none"), text("audit.none_advice")));
      return;
    }
    const head = ["at", "actor", "action", "subject", "detail"] as const;
    replace(
      this.place,
      h(
        "table",
        { class: "table table-cards" },
        h("caption", { class: "visually-hidden" }, text("audit.title")),
        h("thead", {}, h("tr", {}, ...head.map((key) => h("th", { scope: "col" }, text(`audit.${key}`))))),
        this.rows,
      ),
      this.more,
    );
  }

  private row(record: AuditRecord): HTMLElement {
    const fields = flatFields(record.detail);
    return h(
      "tr",
      { tabindex: -1 },
      h("th", { scope: "row", class: "number nowrap" }, exactly(instant(record.at))),
      h(
        "td",
        { "data-label": text("audit.actor") },
        h(
          "div",
          {},
          named("audit.actor_kind", record.actor_kind),
          h("span", { class: "mono muted subject-id" }, record.actor),
        ),
      ),
      h(
        "td",
        { "data-label": text("audit.action") },
        h(
          "div",
          {},
          named("audit.act", record.action),
          h("span", { class: "mono muted subject-id" }, record.action),
        ),
      ),
      h(
        "td",
        { "data-label": text("audit.subject") },
        h(
          "div",
          {},
          named("audit.kind", record.subject_kind),
          " ",
          h("span", { class: "mono muted subject-id" }, record.subject_id),
        ),
      ),
      h(
        "td",
        { "data-label": text("audit.detail") },
        fields.length
          ? h(
              "dl",
              { class: "fields" },
              ...fields.map(([name, value]) =>
                h("div", { class: "field-pair" }, h("dt", {}, name), h("dd", {}, value)),
              ),
            )
          : h("span", { class: "muted" }, "–"),
      ),
    );
  }

  private chain(page: AuditPage): void {
    const age = page.unsealed_age_s;
    const late = age !== null && age > LATE_S;
    const banner = byId("chain");
    banner.dataset["state"] = late ? "late" : "good";
    replace(
      banner,
      icon(late ? "warning" : "seal"),
      h(
        "span",
        {},
        age === null
          ? text("audit.all_sealed")
          : text(late ? "audit.sealing_late" : "audit.sealing", { seconds: Math.round(age) }),
      ),
    );
  }

  private step(by: 1 | -1): void {
    const rows = [...this.rows.querySelectorAll<HTMLElement>("tr")];
    const at = rows.findIndex((row) => row === document.activeElement);
    rows[at < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, at + by))]?.focus();
  }
}

void startPage(() => new AuditLog().load(false));
