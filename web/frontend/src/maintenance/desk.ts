/** The list of work orders, the form to raise one, and the policy of their deadlines. */
import { act, actKey, read } from "../api/client";
import type { Overview } from "../duty/types";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { choice, labelled, row, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState } from "../shell/states";
import { named, text } from "../shell/text";
import { offerNetworks } from "../signals/network_choice";
import { orderCase } from "./order";
import { onLineView } from "./online";
import { policyView } from "./policy";
import { KINDS, PRIORITIES, WORK, type SignalsOnLine, type Work, type WorkDetail, type Works, type WorkPolicy } from "./types";
import { dueTag, fileAddress, place, priorityTag, said, stateTag } from "./words";

const VIEWS = ["active", "mine", "over", "online", "policy"] as const;
type View = (typeof VIEWS)[number];
const STEP = 100;

export class WorkDesk {
  private readonly place = byId("rows");
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayRaise = hasRole("maintainer", "engineer", "operator", "administrator");
  private view: View = "active";
  private network = "";
  private items: readonly Work[] = [];
  private next: string | null = null;
  private policy: WorkPolicy | null = null;
  private online: SignalsOnLine | null = null;
  private known = false;
  private asked = new URLSearchParams(location.search).get("order");

  constructor() {
    chips(byId("view"), VIEWS.map((each) => [each, named("work.view", each)] as const), this.view, (chosen) => {
      this.view = chosen;
      this.desk.close();
      void this.load();
    });
    byId<HTMLSelectElement>("network").addEventListener("change", (event) => {
      this.network = (event.target as HTMLSelectElement).value;
      this.desk.close();
      void this.load();
    });
    const raise = byId("raise");
    raise.hidden = !this.mayRaise;
    raise.addEventListener("click", () => void this.raise());
  }

  async start(): Promise<void> {
    try {
      const asked = new URLSearchParams(location.search).get("network");
      const { first } = await offerNetworks(byId("network"), asked);
      if (!first) {
        replace(this.place, emptyState(text("signals.none"), text("signals.none_advice")));
        return;
      }
      this.network = first.id;
    } catch (error) {
      replace(this.place, errorState(error, () => void this.start()));
    }
  }

  /** A page that was asked for more shows as much again: what is read anew is never less. */
  async load(more = false): Promise<void> {
    if (!this.network) return;
    const view = this.view;
    try {
      if (view === "policy") {
        this.policy = await read<WorkPolicy>("/api/v1/signal-work-policy");
      } else if (view === "online") {
        this.online = await read<SignalsOnLine>(`/api/v1/signal-networks/${this.network}/on-line`);
      } else {
        const query = {
          network_id: this.network,
          view: view === "over" ? "over" : "active",
          mine: view === "mine" ? true : null,
          limit: more ? STEP : Math.min(500, Math.max(STEP, this.items.length)),
          cursor: more ? this.next : null,
        };
        const found = await read<Works>(WORK, query);
        if (view !== this.view) return;
        this.items = more ? [...this.items, ...found.items] : found.items;
        this.next = found.next;
        this.summary(found.counts);
      }
      this.known = true;
      this.desk.wasRead();
      this.draw();
      document.body.dataset["work"] = view;
      if (this.asked) await this.openAsked();
    } catch (error) {
      if (!this.known) replace(this.place, errorState(error, () => void this.load()));
    }
  }

  /** The duty desk leads to an order by its address. */
  private async openAsked(): Promise<void> {
    const id = this.asked ?? "";
    this.asked = null;
    const found = await read<WorkDetail>(`${WORK}/${id}`);
    await this.desk.open(id, place(found), () => Promise.resolve(orderCase(found, (done) => this.changed(done))));
  }

  private summary(counts: Readonly<Record<string, number>>): void {
    const of = (name: string): number => counts[name] ?? 0;
    const late = of("overdue");
    replace(
      byId("summary"),
      late > 0
        ? h("span", { class: "tag tag-danger" }, `▲ ${text("work.late", { n: late })}`)
        : h("span", { class: "tag tag-good" }, `✓ ${text("work.in_time")}`),
      ` ${text("work.summary", { open: of("open"), taken: of("taken"), done: of("done") })}`,
    );
  }

  private draw(): void {
    if (!this.known) return;
    if (this.view === "policy") {
      if (this.policy) replace(this.place, policyView(this.policy, (set) => this.setPolicy(set)));
      return;
    }
    if (this.view === "online") {
      if (this.online) replace(this.place, onLineView(this.online, (signal) => fileAddress(this.network, signal)));
      return;
    }
    const focused = (document.activeElement as HTMLElement | null)?.dataset["row"];
    replace(
      this.place,
      this.items.length === 0
        ? emptyState(named("work.none", this.view), named("work.none_advice", this.view))
        : h("ul", { class: "duty-list" }, ...this.items.map((each) => h("li", {}, this.row(each)))),
      this.next === null
        ? null
        : h("button", { class: "button", type: "button", onclick: () => void this.load(true) }, text("list.more")),
    );
    if (focused) this.place.querySelector<HTMLElement>(`[data-row="${focused}"]`)?.focus({ preventScroll: true });
  }

  private row(each: Work): HTMLElement {
    return this.desk.row(
      each.id,
      () => void this.open(each),
      h("span", { class: "desk-top" }, h("strong", {}, place(each)), priorityTag(each)),
      h("span", {}, said(each.what)),
      h("span", { class: "tags" }, stateTag(each), dueTag(each)),
      h("span", { class: "item-facts" }, `${named("work.kind", each.kind)}${each.assignee ? ` · ${each.assignee}` : ""}`),
    );
  }

  private open(each: Work): Promise<void> {
    return this.desk.open(each.id, place(each), async () => {
      const found = await read<WorkDetail>(`${WORK}/${each.id}`);
      // Somebody has acted since the list was read.
      if (found.state !== each.state) void this.load();
      return orderCase(found, (done) => this.changed(done));
    });
  }

  private async changed(done: WorkDetail): Promise<void> {
    if (this.desk.shown === done.id) replace(byId("case-content"), orderCase(done, (next) => this.changed(next)));
    await this.load();
  }

  private setPolicy(set: WorkPolicy): void {
    this.policy = set;
    this.draw();
  }

  private async raise(): Promise<void> {
    const { signals } = await read<Overview>(`/api/v1/signal-networks/${this.network}/overview`);
    const key = actKey();
    const names = signals.map((each) => {
      const title = said(each.title);
      return [each.signal, title && title !== each.signal ? `${each.signal} ${title}` : each.signal] as const;
    });
    const signal = choice(names);
    const kind = choice(KINDS.map((each) => [each, named("work.kind", each)] as const));
    const priority = choice(PRIORITIES.map((each) => [each, named("work.priority", each)] as const), "normal");
    const what = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 400, required: true });
    showForm({
      title: text("work.raise"),
      parts: [
        labelled("work-signal", text("escorts.junction"), signal),
        row(labelled("work-kind", text("work.kind"), kind), labelled("work-priority", text("work.priority_label"), priority)),
        labelled("work-what", text("work.what"), what),
      ],
      submit: text("work.raise"),
      send: async () => {
        const body = {
          network_id: this.network,
          signal: signal.value,
          kind: kind.value,
          priority: priority.value,
          what: what.value.trim(),
        };
        const made = await act<WorkDetail>("POST", WORK, body, key);
        await this.load();
        await this.open(made);
        return text("work.raised_done");
      },
    });
  }
}
