/** What if: other functions of a junction's lanes, or no signal; before and after, kept as a draft. */
import "../styles/base.css";
import "../styles/signals.css";
import "../styles/studies.css";
import { act, ProblemError, read, withQuery } from "./api/client";
import { byId, h, replace, write } from "./shell/dom";
import { field, labelled, showForm } from "./shell/form";
import { hasRole, page, startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { inLanguage, locale, named, text } from "./shell/text";
import { offerNetworks } from "./signals/network_choice";
import type { NetworkDetail } from "./signals/types";
import { fillFromCounts } from "./studies/counted";
import { changed, faultOf } from "./studies/functions";
import { approachCard, fromWords, turnWords } from "./studies/lanes";
import { inWords, resultView } from "./studies/results";
import type { Approach, Functions, Lanes, Study, StudyDetail } from "./studies/types";

const LOOK_AGAIN_MS = 1_500;
const SHOWN = 24;
const TONES: Readonly<Record<string, string>> = { done: "tag", failed: "tag tag-danger", cancelled: "tag" };

class StudiesPage {
  private readonly mayDraw = hasRole("engineer", "administrator");
  private network = "";
  private signal = "";
  private approaches: readonly Approach[] = [];
  private demand: Lanes["demand"] = null;
  private readonly wanted = new Map<string, Functions>();
  private listed: Study[] = [];
  private next: string | null = null;
  private chosen: string | null = null;
  private timer = 0;

  constructor() {
    byId<HTMLSelectElement>("network").addEventListener("change", (event) => void this.open((event.target as HTMLSelectElement).value));
    byId<HTMLSelectElement>("signal").addEventListener("change", (event) => void this.pick((event.target as HTMLSelectElement).value));
    byId("study-lanes").addEventListener("click", () => void this.guarded(() => this.ask(true)));
    byId("study-none").addEventListener("click", () => void this.guarded(() => this.ask(false)));
    byId("undo").addEventListener("click", () => {
      this.wanted.clear();
      this.draw();
    });
    byId("flows").addEventListener("click", () => this.flowsDialog());
    byId("more").addEventListener("click", () => void this.guarded(() => this.list(this.next)));
  }

  async start(): Promise<void> {
    replace(byId("studies"), skeleton(2));
    try {
      const subject = page().subject;
      const query = new URLSearchParams(location.search);
      const detail = subject ? await read<StudyDetail>(`/api/v1/signal-studies/${subject}`) : null;
      const asked = detail?.study.network_id ?? query.get("network");
      const offered = await offerNetworks(byId("network"), asked);
      const first = detail?.study.network_id ?? offered.first?.id;
      if (!first) {
        replace(byId("problem"), emptyState(text("signals.none"), text("signals.none_advice")));
        return;
      }
      await this.open(first, detail?.study.signal ?? query.get("signal"));
      if (detail) await this.show(detail.study.id);
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.start()));
    }
  }

  private async open(id: string, wanted: string | null = null): Promise<void> {
    this.network = id;
    byId<HTMLSelectElement>("network").value = id;
    try {
      const detail = await read<NetworkDetail>(`/api/v1/signal-networks/${id}`);
      replace(
        byId("signal"),
        ...detail.signals.map((each) => h("option", { value: each.name }, `${each.name} ${inLanguage(each.title.zh, each.title.en)}`)),
      );
      const first = detail.signals.find((each) => each.name === wanted)?.name ?? detail.signals[0]?.name;
      if (first) await this.pick(first);
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.open(id, wanted)));
    }
  }

  private async pick(signal: string): Promise<void> {
    window.clearTimeout(this.timer);
    this.signal = signal;
    this.chosen = null;
    this.wanted.clear();
    byId<HTMLSelectElement>("signal").value = signal;
    byId("study").hidden = true;
    try {
      const found = await read<Lanes>(`/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(signal)}/lanes`);
      this.approaches = found.approaches;
      this.demand = found.demand;
      write(byId("demand"), found.demand ? text("studies.flows_of", { demand: `${found.demand.name} · ${found.demand.source}` }) : text("signals.no_demand"));
      this.draw();
      await this.list();
      byId("work").hidden = false;
      byId("problem").replaceChildren();
      document.body.dataset["signal"] = signal;
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.pick(signal)));
    }
  }

  // --- lanes ------------------------------------------------------------------------------------

  private functions(approach: Approach): Functions {
    return this.wanted.get(approach.road) ?? approach.functions;
  }

  private draw(): void {
    const focus = document.activeElement?.id ?? "";
    replace(
      byId("approaches"),
      ...this.approaches.map((approach) =>
        approachCard(approach, this.functions(approach), this.mayDraw, (functions) => {
          this.wanted.set(approach.road, functions);
          this.draw();
        }),
      ),
    );
    if (focus) document.getElementById(focus)?.focus();
    const differs = this.approaches.some((each) => changed(each, this.functions(each)));
    const faulty = this.approaches.some((each) => faultOf(each, this.functions(each)) !== null);
    byId("study-lanes").hidden = byId("study-none").hidden = byId("flows").hidden = !this.mayDraw;
    byId<HTMLButtonElement>("study-lanes").disabled = !differs || faulty;
    byId("undo").hidden = !differs;
  }

  private flowsDialog(): void {
    const name = field(this.demand?.name, { maxlength: 120, required: true });
    const source = field("", { maxlength: 120, required: true });
    const inputs = this.approaches.flatMap((approach) =>
      approach.ways.map((way) => ({
        approach,
        way,
        origin: h("span", { class: "item-facts" }),
        input: field(way.flow_vph === null ? "" : Math.round(way.flow_vph * 10) / 10, { type: "number", min: 0, max: 20_000, step: "any", inputmode: "decimal", required: true }),
      })),
    );
    showForm({
      title: text("studies.flows"),
      wide: true,
      parts: [
        h("p", { class: "note" }, text("studies.flows_note")),
        labelled("flows-name", text("studies.flows_name"), name),
        labelled("flows-source", text("studies.flows_source"), source),
        fillFromCounts(`/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(this.signal)}`, inputs, source),
        ...this.approaches.map((approach) =>
          h(
            "fieldset",
            { class: "flow-fields" },
            h("legend", {}, fromWords(approach)),
            ...inputs
              .filter((each) => each.approach === approach)
              .map(({ way, input, origin }, i) => h("div", {}, labelled(`flow-${approach.road}-${i}`, `${turnWords(way)}, ${text("studies.vph")}`, input), origin)),
          ),
        ),
      ],
      submit: text("studies.flows_record"),
      send: async () => {
        const flows = inputs.map(({ approach, way, input }) => ({ from_road: approach.road, to_road: way.to_road, vph: Number(input.value) }));
        await act("POST", `/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(this.signal)}/flows`, {
          based_on: this.demand?.id ?? null,
          name: name.value,
          source: source.value,
          flows,
        });
        await this.pick(this.signal);
        return text("studies.flows_recorded");
      },
    });
  }

  private async ask(lanes: boolean): Promise<void> {
    const functions = this.approaches
      .filter((each) => changed(each, this.functions(each)))
      .map((each) => ({ road: each.road, lanes: this.functions(each) }));
    const made = await act<Study>("POST", "/api/v1/signal-studies", { network_id: this.network, signal: this.signal, functions: lanes ? functions : null });
    await this.list();
    await this.show(made.id);
    byId("study-title").focus();
  }

  // --- studies ----------------------------------------------------------------------------------

  private async list(cursor: string | null = null): Promise<void> {
    const found = await read<{ items: Study[]; next: string | null }>("/api/v1/signal-studies", {
      network_id: this.network,
      signal: this.signal,
      limit: SHOWN,
      ...(cursor ? { cursor } : {}),
    });
    this.listed = cursor ? [...this.listed, ...found.items] : found.items;
    this.next = found.next;
    byId("more").hidden = !found.next;
    this.drawList();
  }

  private drawList(): void {
    replace(
      byId("studies"),
      ...this.listed.map((each) =>
        h(
          "button",
          { class: "plan-choice", type: "button", "data-study": each.id, "aria-pressed": String(each.id === this.chosen), onclick: () => void this.guarded(() => this.show(each.id)) },
          h("strong", {}, this.name(each)),
          each.kept_at ? h("span", { class: "tag tag-good" }, text("studies.kept")) : h("span", { class: TONES[each.status] ?? "tag tag-warning" }, named("studies.status", each.status)),
        ),
      ),
      this.listed.length ? null : h("p", { class: "note" }, text("studies.none")),
    );
  }

  private name(study: Study): string {
    if (study.title) return study.title;
    if (study.functions === null) return text("studies.without");
    return Object.keys(study.functions)
      .map((road) => {
        const approach = this.approaches.find((each) => each.road === road);
        return approach ? fromWords(approach) : road;
      })
      .join(", ");
  }

  private async show(id: string): Promise<void> {
    window.clearTimeout(this.timer);
    this.chosen = id;
    const detail = await read<StudyDetail>(`/api/v1/signal-studies/${id}`);
    if (this.chosen !== id) return;
    const { study } = detail;
    this.listed = this.listed.map((each) => (each.id === id ? study : each));
    this.drawList();
    byId("study").hidden = false;
    byId("study").dataset["status"] = study.status;
    replace(byId("study-title"), this.name(study));
    const at = new Intl.DateTimeFormat(locale(), { dateStyle: "medium", timeStyle: "short", timeZone: "Asia/Shanghai" }).format(new Date(study.requested_at));
    write(byId("study-facts"), [study.signal, text("signals.by_profile", { profile: study.profile }), at, study.note].filter(Boolean).join(" · "));
    this.state(study);
    this.acts(study);
    replace(byId("found"), study.status === "done" ? resultView(detail, this.approaches) : null);
    if (study.finished_at === null) {
      this.timer = window.setTimeout(() => void this.show(id).catch(() => undefined), LOOK_AGAIN_MS);
    }
  }

  private state(study: Study): void {
    const runs = study.finished_at === null;
    replace(
      byId("study-state"),
      runs ? h("progress", { max: study.total, value: study.done, "aria-label": text("studies.running") }) : null,
      runs ? h("span", {}, text("studies.progress", { done: study.done, total: study.total })) : null,
      study.status === "failed" || study.status === "cancelled" ? h("span", {}, named("studies.status", study.status)) : null,
      study.problem ? h("span", { class: "item-facts" }, study.problem) : null,
    );
  }

  private acts(study: Study): void {
    const post = (verb: string): Promise<void> =>
      this.guarded(async () => {
        await act("POST", `/api/v1/signal-studies/${study.id}/${verb}`, {});
        await this.show(study.id);
      });
    const file = (format: string): string => withQuery(`/api/v1/signal-studies/${study.id}/network`, { format });
    const done = study.status === "done";
    replace(
      byId("study-acts"),
      this.mayDraw && study.finished_at === null ? h("button", { class: "button", type: "button", "data-act": "cancel", onclick: () => void post("cancellation") }, text("act.cancel")) : null,
      this.mayDraw && done ? h("button", { class: study.kept_at ? "button" : "button button-primary", type: "button", "data-act": "keep", onclick: () => this.keep(study) }, text(study.kept_at ? "studies.act_rename" : "studies.act_keep")) : null,
      this.mayDraw && study.kept_at ? h("button", { class: "button button-quiet", type: "button", "data-act": "discard", onclick: () => void post("discarding") }, text("studies.act_discard")) : null,
      done && study.result?.changed ? h("a", { class: "button", href: file("sumo"), download: "" }, text("studies.file_sumo")) : null,
      done && study.result?.changed ? h("a", { class: "button", href: file("json"), download: "" }, text("studies.file_json")) : null,
      done ? h("a", { class: "button button-quiet", href: `/signals/lanes/${study.id}` }, text("studies.address")) : null,
    );
  }

  private keep(study: Study): void {
    const title = field(study.title ?? this.name(study), { maxlength: 120, required: true });
    const note = h("textarea", { class: "input", maxlength: 2_000, rows: 3 });
    note.value = study.note || inWords(study);
    showForm({
      title: text("studies.act_keep"),
      parts: [labelled("study-name", text("studies.title"), title), labelled("study-note", text("studies.note"), note)],
      submit: text("studies.act_keep"),
      send: async () => {
        await act("POST", `/api/v1/signal-studies/${study.id}/keeping`, { title: title.value, note: note.value });
        await this.show(study.id);
        return text("studies.is_kept");
      },
    });
  }

  private async guarded(run: () => Promise<void>): Promise<void> {
    const problem = byId("act-problem");
    problem.hidden = true;
    try {
      await run();
    } catch (error) {
      problem.hidden = false;
      const told = error instanceof ProblemError && (error.status === 403 || error.status === 409);
      write(problem, told ? error.detail || problemText(error) : problemText(error));
    }
  }
}

void startPage(() => new StudiesPage().start());
