/** Stays of every kind: what waits for a person, what stands now, and each with its evidence. */
import "../styles/base.css";
import { act, actKey, read, readAll, type Page } from "./api/client";
import type { Facility, LongStay, Session, StayEvidence, StayTimeline } from "./api/types";
import { instant } from "./format/time";
import { agoText, exactly, inLanguage, lastingText, moment } from "./format/words";
import { fact } from "./panels/figures";
import { plateLabel } from "./plates/label";
import { chips, Desk } from "./shell/desk";
import { byId, h, replace } from "./shell/dom";
import { labelled, showForm } from "./shell/form";
import { hasRole, page, startPage } from "./shell/page";
import { emptyState, errorState, problemText } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";
import { correct, fittingCorrections, otherStays } from "./stays/corrections";
import { timelineSection } from "./timeline/view";

const STEP = 50;
const LISTS = ["held", "open", "long", "unmatched", "all"] as const;
type List = (typeof LISTS)[number];

/** What a row is about: a stay, with what makes it stand out, or a passage that belongs to none. */
type Item =
  | { readonly id: string; readonly stay: Session; readonly why: string | null }
  | { readonly id: string; readonly passage: StayEvidence };

class StaysPage {
  private readonly place = byId("stays");
  private readonly facility = byId<HTMLSelectElement>("facility");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayCorrect = hasRole("attendant", "operator");
  private readonly names = new Map<string, string>();
  private list: List = page().subject ? "all" : "held";
  private items: Item[] = [];
  private next: string | null = null;
  private asked = 0;

  constructor() {
    chips(
      byId("lists"),
      this.lists().map((each) => [each, text(`stays.list.${each}`)] as const),
      this.list,
      (each) => {
        this.list = each;
        void this.load();
      },
    );
    this.facility.addEventListener("change", () => void this.load());
  }

  async start(): Promise<void> {
    await Promise.all([this.load(), this.loadNames()]);
    this.draw();
    const { subject } = page();
    if (!subject) return;
    try {
      await this.openStay((await read<StayTimeline>(`/api/v1/sessions/${subject}/evidence`)).session);
    } catch (error) {
      toast(problemText(error), "danger");
    }
  }

  /** Who corrects and audits sees passages; others stays alone. */
  private lists(): readonly List[] {
    return LISTS.filter(
      (each) =>
        (each !== "unmatched" || hasRole("attendant", "operator", "auditor")) &&
        (each !== "long" || hasRole("attendant", "operator", "auditor", "administrator")),
    );
  }

  private async loadNames(): Promise<void> {
    try {
      for (const each of await readAll<Facility>("/api/v1/facilities", { limit: 500 }, 5_000)) {
        this.names.set(each.id, inLanguage(each.name.zh, each.name.en));
      }
    } catch {
      return; // Rows then say the bay alone.
    }
    const sorted = [...this.names].sort(([, a], [, b]) => a.localeCompare(b));
    this.facility.append(...sorted.map(([id, name]) => h("option", { value: id }, name)));
  }

  private async load(more = false): Promise<void> {
    const asked = ++this.asked;
    const query = {
      facility_id: this.facility.value || null,
      limit: STEP,
      cursor: more ? this.next : null,
    };
    try {
      const found = await this.read(query);
      if (asked !== this.asked) return;
      this.items = more ? [...this.items, ...found.items] : [...found.items];
      this.next = found.next;
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      if (asked === this.asked) replace(this.place, errorState(error, () => void this.load(more)));
    }
  }

  private async read(query: Readonly<Record<string, string | number | null>>): Promise<Page<Item>> {
    if (this.list === "unmatched") {
      const found = await read<Page<StayEvidence>>("/api/v1/gates/unmatched", query);
      return { next: found.next, items: found.items.map((passage) => ({ id: passage.id, passage })) };
    }
    if (this.list === "long") {
      const found = await read<Page<LongStay>>("/api/v1/sessions/long", query);
      return {
        next: found.next,
        items: found.items.map(({ session, why, last_word_at }) => ({
          id: session.id,
          stay: session,
          why: text("stays.last_word", {
            why: text(`stays.why.${why}`),
            age: agoText(instant(last_word_at)),
          }),
        })),
      };
    }
    const state = this.list === "open" ? "open" : null;
    const held = this.list === "held" ? true : null;
    const found = await read<Page<Session>>("/api/v1/sessions", { ...query, state, held });
    return { next: found.next, items: found.items.map((stay) => ({ id: stay.id, stay, why: null })) };
  }

  private draw(): void {
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(text(`stays.none.${this.list}`), text("stays.none_advice"))
        : h("ul", {}, ...this.items.map((one) => h("li", {}, this.row(one)))),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
  }

  private row(one: Item): HTMLElement {
    if ("passage" in one) return this.passageRow(one.passage);
    const { stay, why } = one;
    const fromMs = instant(stay.opened_at);
    const toMs = stay.closed_at ? instant(stay.closed_at) : undefined;
    return this.desk.row(
      stay.id,
      () => void this.openStay(stay),
      h(
        "span",
        { class: "desk-top" },
        h("strong", {}, this.where(stay)),
        stay.plate ? plateLabel(stay.plate) : h("span", { class: "item-facts" }, text("stays.no_plate")),
      ),
      h(
        "span",
        { class: "desk-top" },
        h("span", { class: "item-facts" }, `${moment(fromMs)} · ${lastingText(fromMs, toMs)}`),
        this.tag(stay),
      ),
      why ? h("span", { class: "item-facts" }, why) : null,
    );
  }

  private tag(stay: Session): HTMLElement {
    if (stay.hold) return h("span", { class: "tag tag-warning" }, named("hold", stay.hold));
    if (stay.set_aside) return h("span", { class: "tag" }, named("set_aside", stay.set_aside));
    if (stay.exempt) return h("span", { class: "tag" }, text("exempt.tag"));
    if (stay.bill_id) return h("span", { class: "tag" }, text("stays.billed"));
    return h("span", { class: "tag" }, text(`stays.state.${stay.state}`));
  }

  private where(stay: Session): string {
    const home = this.names.get(stay.facility_id) ?? "";
    return [home, stay.bay_label].filter(Boolean).join(" · ") || text("stays.case");
  }

  private passageRow(passage: StayEvidence): HTMLElement {
    return this.desk.row(
      passage.id,
      () => void this.openPassage(passage),
      h(
        "span",
        { class: "desk-top" },
        h("strong", {}, this.passageTitle(passage)),
        passage.read_as ? plateLabel(passage.read_as) : null,
      ),
      h("span", { class: "item-facts" }, exactly(instant(passage.at))),
    );
  }

  private passageTitle(passage: StayEvidence): string {
    const gate = passage.detail["gate"];
    const home = this.names.get(passage.facility_id) ?? "";
    return [home, named("said", passage.kind), typeof gate === "string" ? gate : ""].filter(Boolean).join(" · ");
  }

  private openStay(stay: Session): Promise<void> {
    return this.desk.open(stay.id, this.where(stay), async () => {
      // As it stands now: the list may be minutes old.
      const { session } = await read<StayTimeline>(`/api/v1/sessions/${stay.id}/evidence`);
      return h("div", { class: "case" }, this.paper(session), timelineSection(session.id, null));
    });
  }

  private paper(stay: Session): HTMLElement {
    const acts = this.mayCorrect ? fittingCorrections(stay) : [];
    const changed = (): void => {
      void this.load();
      void this.openStay(stay);
    };
    return h(
      "div",
      {},
      h(
        "section",
        { class: "panel-section" },
        h(
          "dl",
          { class: "facts" },
          fact(text("stay.plate"), stay.plate ? plateLabel(stay.plate, "m") : text("stay.no_plate")),
          fact(text("stays.from"), exactly(instant(stay.opened_at))),
          fact(text("stays.to"), stay.closed_at ? exactly(instant(stay.closed_at)) : text("stays.until_now")),
          fact(text("stays.counts"), this.tag(stay)),
        ),
        stay.bill_id
          ? h(
              "p",
              { class: "panel-acts" },
              h("a", { class: "button", href: `/bills/${stay.bill_id}` }, text("bill.open")),
            )
          : null,
        stay.bill_id ? h("p", { class: "note" }, text("stays.billed_note")) : null,
      ),
      acts.length === 0
        ? null
        : h(
            "section",
            { class: "panel-section" },
            h("h3", {}, text("stays.correct")),
            h(
              "div",
              { class: "corrections" },
              ...acts.map((kind) =>
                h(
                  "button",
                  {
                    class: "button",
                    type: "button",
                    "data-correction": kind,
                    onclick: () =>
                      void correct(kind, stay, changed).catch((error: unknown) =>
                        toast(problemText(error), "danger"),
                      ),
                  },
                  text(`stays.correct.${kind}`),
                ),
              ),
            ),
          ),
    );
  }

  private openPassage(passage: StayEvidence): Promise<void> {
    return this.desk.open(passage.id, this.passageTitle(passage), () =>
      Promise.resolve(
        h(
          "div",
          { class: "case" },
          h(
            "section",
            { class: "panel-section" },
            h("p", { class: "note" }, text("stays.unmatched_note")),
            h(
              "dl",
              { class: "facts" },
              fact(text("stays.passed_at"), exactly(instant(passage.at))),
              fact(text("stay.plate"), passage.read_as ? plateLabel(passage.read_as, "m") : text("stay.no_plate")),
              fact(text("story.by"), passage.by ?? "–"),
            ),
            this.mayCorrect
              ? h(
                  "p",
                  { class: "panel-acts" },
                  h(
                    "button",
                    {
                      class: "button button-primary",
                      type: "button",
                      onclick: () =>
                        void this.match(passage).catch((error: unknown) => toast(problemText(error), "danger")),
                    },
                    text("stays.match"),
                  ),
                )
              : null,
          ),
        ),
      ),
    );
  }

  private async match(passage: StayEvidence): Promise<void> {
    const key = actKey();
    const stays = await otherStays({ id: null, facility_id: passage.facility_id });
    stays.required = true;
    const reason = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 500, required: true });
    showForm({
      title: text("stays.match"),
      parts: [
        labelled("s-stay", text("stays.other"), stays),
        labelled("s-reason", text("stays.reason"), reason, text("stays.reason_hint")),
      ],
      submit: text("stays.save"),
      send: async () => {
        await act(
          "POST",
          `/api/v1/gates/unmatched/${passage.id}/match`,
          { session_id: stays.value, reason: reason.value },
          key,
        );
        this.desk.close();
        await this.load();
        return text("stays.corrected");
      },
    });
  }
}

void startPage(() => new StaysPage().start());
