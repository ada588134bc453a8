/** The signals' workbench: junctions, stages, green waves, plans from draft to street. */
import "../styles/base.css";
import "../styles/signals.css";
import { act, ProblemError, read } from "./api/client";
import { byId, h, replace, write } from "./shell/dom";
import { field, labelled, showForm } from "./shell/form";
import { onKey } from "./shell/keys";
import { hasRole, page, startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { counted, inLanguage, text } from "./shell/text";
import { toast } from "./shell/toast";
import { Diagram } from "./signals/diagram";
import { DrivePanel } from "./signals/drive";
import { estimateWords } from "./signals/drive_words";
import { round, StageEditor } from "./signals/editor";
import { EffectPanel, measuredWords } from "./signals/effect";
import { legend, NetworkMap } from "./signals/map";
import { offerNetworks } from "./signals/network_choice";
import { saveDrawing, timingSheet } from "./signals/sheet";
import { drawStages } from "./signals/stage_drawing";
import {
  copyOf,
  reportOf,
  type Drive,
  type Network,
  type NetworkDetail,
  type Optimisation,
  type Outlook,
  type Plan,
  type PlanDetail,
  type PlanVersion,
  type Report,
  type SignalDetail,
  type Trial,
} from "./signals/types";
import { differenceText, reportView, statusTag } from "./signals/words";

const TRY_AFTER_MS = 40;
const LOOK_AGAIN_MS = 700;
const FORMAT = "greenbay-signals/1";
const SHOWN_PLANS = 12;

function said(error: unknown): string {
  return error instanceof ProblemError && (error.status === 403 || error.status === 409)
    ? error.detail || problemText(error)
    : problemText(error);
}

class SignalsPage {
  private readonly mayDraw = hasRole("engineer", "administrator");
  private readonly map: NetworkMap;
  private readonly diagram: Diagram;
  private readonly editor: StageEditor;
  private readonly drives: DrivePanel;
  private readonly effects: EffectPanel;
  private network: NetworkDetail | null = null;
  private readonly details = new Map<string, SignalDetail>();
  private readonly edits = new Map<string, Plan>();
  private version: PlanDetail | null = null;
  private chosen: string | null = null;
  private street: string[] = [];
  private choosingStreet = false;
  private trial: Trial | null = null;
  private asked = 0;
  private timer = 0;
  private watching = 0;

  constructor() {
    this.map = new NetworkMap(byId("network-map"), (signal) => void this.pick(signal));
    this.diagram = new Diagram({ moved: (signal, offset) => this.moveOffset(signal, offset) });
    this.editor = new StageEditor((plan) => this.edited(plan));
    this.drives = new DrivePanel((run) => this.guarded(run), (drive) => this.driven(drive));
    this.effects = new EffectPanel((run) => this.guarded(run), (plan) => this.openVersion(plan));
    byId("driven").append(this.effects.element, this.drives.element);
    byId("space-time").append(this.diagram.element);
    byId("stages").append(this.editor.element);
    byId("legend").append(legend());
    byId<HTMLSelectElement>("network").addEventListener("change", (event) =>
      void this.open((event.target as HTMLSelectElement).value),
    );
    for (const id of ["outbound-kph", "inbound-kph"]) {
      byId<HTMLInputElement>(id).addEventListener("change", () => this.tryLater());
    }
    byId("band-kind").addEventListener("change", () => this.showStreet());
    byId("import").hidden = !this.mayDraw;
    byId("import").addEventListener("click", () => this.importDialog());
    byId("mode-junction").addEventListener("click", () => this.mode(false));
    byId("mode-street").addEventListener("click", () => this.mode(true));
    byId("draw-stages").addEventListener("click", () => this.drawDialog());
    byId("clear-street").addEventListener("click", () => this.setStreet([]));
    byId("save-drawing").addEventListener("click", () => {
      const drawing = byId("space-time").querySelector("svg");
      if (drawing) saveDrawing(drawing, "time-space");
    });
    byId("print-sheet").addEventListener("click", () => void this.print());
    onKey("s", "signals.key_street", () => this.mode(!this.choosingStreet));
  }

  async start(wanted: string | null = null): Promise<void> {
    replace(byId("plans"), skeleton(3));
    try {
      const { subject } = page();
      const detail = subject && wanted === null ? await read<PlanDetail>(`/api/v1/signal-plans/${subject}`) : null;
      const asked = wanted ?? detail?.plan.network_id ?? new URLSearchParams(location.search).get("network");
      const { first } = await offerNetworks(byId("network"), asked);
      const open = detail?.plan.network_id ?? first?.id;
      if (!open) {
        byId("work").hidden = true;
        replace(byId("problem"), emptyState(text("signals.none"), text("signals.none_advice")));
        return;
      }
      await this.open(open, detail);
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.start(wanted)));
    }
  }

  // --- a network ------------------------------------------------------------------------------

  private async open(id: string, version: PlanDetail | null = null): Promise<void> {
    delete document.body.dataset["network"];
    this.details.clear();
    this.edits.clear();
    this.chosen = null;
    this.street = [];
    this.trial = null;
    this.version = version;
    byId<HTMLSelectElement>("network").value = id;
    try {
      await this.reload(id);
      this.showLatest(this.network?.optimisation ?? null);
      byId("work").hidden = false;
      byId("problem").replaceChildren();
      if (version) {
        this.street = version.plan.signals.length > 1 ? [...version.plan.signals] : [];
        this.showVersion();
      }
      const first = version?.plan.signals[0] ?? this.network?.signals[0]?.name;
      if (first) await this.choose(first);
      this.tryLater();
      await this.listPlans();
      document.body.dataset["network"] = id;
    } catch (error) {
      replace(byId("problem"), errorState(error, () => void this.open(id)));
    }
  }

  private async reload(id: string): Promise<void> {
    const profile = this.version?.plan.profile ?? "gb";
    this.network = await read<NetworkDetail>(`/api/v1/signal-networks/${id}`, { profile });
    this.map.show(this.network, this.titles());
    const { network, demand, signals } = this.network;
    write(
      byId("network-facts"),
      [
        counted("signals.junctions", signals.length),
        demand ? `${demand.name} · ${demand.source}` : text("signals.no_demand"),
        network.origin === "demo" ? text("signals.simulated") : network.code,
      ].join(" · "),
    );
    this.list();
  }

  private titles(): Map<string, string> {
    return new Map(
      (this.network?.signals ?? []).map((each) => [each.name, inLanguage(each.title.zh, each.title.en) || each.name]),
    );
  }

  private title(signal: string): string {
    return this.titles().get(signal) ?? signal;
  }

  private list(): void {
    replace(
      byId("signal-list"),
      ...(this.network?.signals ?? []).map((each) =>
        h(
          "li",
          {},
          h("button", { class: "link", type: "button", onclick: () => void this.pick(each.name) }, `${each.name} ${this.title(each.name)}`),
          h("span", { class: "item-facts" }, outlookWords(each.outlook)),
        ),
      ),
    );
  }

  private mode(street: boolean): void {
    this.choosingStreet = street;
    byId("mode-junction").setAttribute("aria-pressed", String(!street));
    byId("mode-street").setAttribute("aria-pressed", String(street));
    write(byId("mode-note"), text(street ? "signals.street_note" : "signals.junction_note"));
  }

  private async pick(signal: string): Promise<void> {
    if (!this.choosingStreet) return this.choose(signal);
    const at = this.street.indexOf(signal);
    this.setStreet(at >= 0 ? this.street.filter((each) => each !== signal) : [...this.street, signal]);
    return Promise.resolve();
  }

  private setStreet(street: string[]): void {
    this.street = street;
    this.map.mark(this.chosen, this.street);
    this.tryLater();
  }

  private async detail(signal: string): Promise<SignalDetail> {
    const known = this.details.get(signal);
    if (known) return known;
    const id = this.network?.network.id ?? "";
    const found = (await read(`/api/v1/signal-networks/${id}/signals/${encodeURIComponent(signal)}`)) as SignalDetail;
    this.details.set(signal, found);
    return found;
  }

  private async choose(signal: string): Promise<void> {
    this.chosen = signal;
    this.map.mark(signal, this.street);
    try {
      const found = await this.detail(signal);
      if (this.chosen !== signal) return;
      this.showJunction(found);
      this.tryLater();
    } catch (error) {
      replace(byId("junction-facts"), errorState(error));
    }
  }

  // --- plans as they stand here ---------------------------------------------------------------

  private versionPlans(): Plan[] {
    return (this.version?.document["plans"] as Plan[] | undefined) ?? [];
  }

  private planOf(signal: string): Plan | null {
    return (
      this.edits.get(signal) ??
      this.versionPlans().find((each) => each.junction === signal) ??
      this.details.get(signal)?.plan ??
      null
    );
  }

  private mayEdit(): boolean {
    const status = this.version?.plan.status;
    return this.mayDraw && (status === undefined || status === "draft" || status === "checked");
  }

  private edited(plan: Plan): void {
    this.edits.set(plan.junction, plan);
    const found = this.chosen ? this.details.get(this.chosen) : null;
    if (found && plan.junction === this.chosen) this.editor.show(found.model, plan, this.mayEdit());
    this.showStreet();
    this.acts();
    this.tryLater();
  }

  private drawDialog(): void {
    const found = this.chosen ? this.details.get(this.chosen) : null;
    const plan = found ? this.planOf(found.signal.name) : null;
    if (!found || !plan || !this.mayEdit()) return;
    drawStages({
      signal: `/api/v1/signal-networks/${this.network?.network.id}/signals/${encodeURIComponent(found.signal.name)}`,
      profile: this.version?.plan.profile ?? "gb",
      model: found.model,
      plan,
      done: (drawn) => this.edited(drawn),
    });
  }

  private moveOffset(signal: string, offset: number): void {
    if (!this.mayEdit()) return;
    const move = (plan: Plan): void => this.edited({ ...copyOf(plan), offset_s: offset });
    const known = this.planOf(signal);
    if (known) move(known);
    else void this.detail(signal).then((found) => found.plan && move(found.plan));
  }

  private tryLater(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.tryNow(), TRY_AFTER_MS);
  }

  /** What the server says of the plans as they stand: safety, delay, what waits along the street. */
  private async tryNow(): Promise<void> {
    const id = this.network?.network.id;
    if (!id) return;
    this.asked += 1;
    const mine = this.asked;
    const wanted = new Set([...this.edits.keys(), ...this.versionPlans().map((each) => each.junction)]);
    const plans = [...wanted].flatMap((signal) => this.planOf(signal) ?? []);
    const street =
      this.street.length > 1
        ? { signals: this.street, outbound_kph: kph("outbound-kph"), inbound_kph: kph("inbound-kph") }
        : null;
    if (!plans.length && !street) {
      this.trial = null;
      this.showStreet();
      this.showTrial();
      return;
    }
    try {
      const trial = await act<Trial>("POST", "/api/v1/signal-trials", {
        network_id: id,
        profile: this.version?.plan.profile ?? "gb",
        plans,
        street,
      });
      if (mine !== this.asked) return;
      this.trial = trial;
      if (trial.street) {
        await Promise.all(this.street.map((signal) => this.detail(signal)));
        if (mine !== this.asked) return;
        this.speeds(trial.street.outbound_kph, trial.street.inbound_kph);
      }
      this.showStreet();
      this.showTrial();
    } catch (error) {
      if (mine === this.asked) replace(byId("trial-report"), errorState(error));
    }
  }

  private speeds(outbound: number, inbound: number): void {
    for (const [id, value] of [["outbound-kph", outbound], ["inbound-kph", inbound]] as const) {
      const input = byId<HTMLInputElement>(id);
      if (document.activeElement !== input) input.value = round(value);
    }
  }

  // --- what is shown --------------------------------------------------------------------------

  private showJunction(found: SignalDetail): void {
    const title = this.title(found.signal.name);
    write(byId("junction-title"), title === found.signal.name ? title : `${found.signal.name} ${title}`);
    const plan = this.planOf(found.signal.name);
    if (!plan) {
      replace(byId("junction-facts"), emptyState(text("signals.no_plan"), text("signals.no_plan_advice")));
      byId("stages").hidden = byId("draw-stages").hidden = true;
      return;
    }
    byId("stages").hidden = false;
    byId("draw-stages").hidden = !this.mayEdit();
    this.facts(found.signal.outlook);
    this.editor.show(found.model, plan, this.mayEdit());
  }

  private facts(outlook: Outlook | null): void {
    const known: Outlook | null = this.trial?.outlooks.find((each) => each.signal === this.chosen) ?? outlook;
    replace(
      byId("junction-facts"),
      known?.level
        ? h(
            "dl",
            { class: "junction-figures" },
            ...(
              [
                ["signals.level", `${known.level} · ${text("signals.grade", { n: known.grade ?? 0 })}`],
                ["signals.delay", text("signals.seconds", { n: round(known.delay_s) })],
                ["signals.saturation", round(known.saturation * 100) + " %"],
                ["signals.flow", text("signals.vph", { n: Math.round(known.flow_vph) })],
              ] as const
            ).map(([key, value]) => h("div", {}, h("dt", {}, text(key)), h("dd", {}, value))),
          )
        : h("p", { class: "note" }, text("signals.level_unknown")),
    );
  }

  private showStreet(): void {
    const street = this.trial?.street ?? null;
    const shown = street !== null && this.street.length > 1;
    byId("street-empty").hidden = shown;
    byId("street-body").hidden = !shown;
    if (!street || !shown) return;
    const byLink = byId<HTMLSelectElement>("band-kind").value === "links";
    const plans = new Map(this.street.flatMap((signal) => {
      const plan = this.planOf(signal);
      return plan ? [[signal, plan] as const] : [];
    }));
    this.diagram.show(street, plans, this.titles(), {
      outbound: kph("outbound-kph") ?? street.outbound_kph,
      inbound: kph("inbound-kph") ?? street.inbound_kph,
    }, byLink);
    const bands = this.diagram.bands();
    const width = (seconds: number): string =>
      bands.cycleS === null ? "–" : text("signals.seconds", { n: round(seconds) });
    write(byId("band-out"), width(bands.outbound.widthS));
    write(byId("band-in"), width(bands.inbound.widthS));
    byId("links-figure").hidden = !byLink;
    write(
      byId("band-links"),
      (["outbound", "inbound"] as const)
        .map((way) => this.diagram.linkBands(way).map((band) => band.widthS))
        .map((widths) => (widths.length ? width(Math.min(...widths)) : "–"))
        .join(" / "),
    );
    byId("cycles-differ").hidden = bands.cycleS !== null;
  }

  private showTrial(): void {
    const trial = this.trial;
    const street = trial?.street ?? null;
    const seconds = (value: number | null | undefined): string =>
      value === null || value === undefined ? "–" : text("signals.seconds", { n: round(value) });
    write(byId("street-delay"), `${seconds(street?.outbound_delay_s)} / ${seconds(street?.inbound_delay_s)}`);
    const report = reportOf(trial?.report);
    const frame = byId("trial-report");
    frame.dataset["safe"] = report ? String(report.safe) : "";
    replace(frame, report ? reportView(report) : h("p", { class: "note" }, text("signals.trial_none")));
    replace(byId("trial-delay"), trial ? delayTable(trial.before, trial.outlooks, (each) => this.title(each)) : null);
    const chosen = this.chosen ? this.details.get(this.chosen) : null;
    if (chosen) this.facts(chosen.signal.outlook);
  }

  // --- versions -------------------------------------------------------------------------------

  private async listPlans(): Promise<void> {
    const id = this.network?.network.id;
    if (!id) return;
    const found = await read<{ items: PlanVersion[] }>("/api/v1/signal-plans", { network_id: id, limit: SHOWN_PLANS });
    replace(
      byId("plans"),
      ...(found.items.length
        ? found.items.map((each) =>
            h(
              "button",
              { class: "plan-choice", type: "button", "data-plan": each.id, "aria-pressed": String(each.id === this.version?.plan.id), onclick: () => void this.openVersion(each.id) },
              h("span", { class: "item-name" }, `${text("signals.plan_number", { n: each.number })} ${each.title}`),
              statusTag(each),
              h("span", { class: "item-facts" }, counted("signals.junctions", each.signals.length)),
            ),
          )
        : [h("p", { class: "note" }, text("signals.no_plans"))]),
    );
    this.acts();
  }

  private async openVersion(id: string): Promise<void> {
    try {
      const found = await read<PlanDetail>(`/api/v1/signal-plans/${id}`);
      this.version = found;
      this.edits.clear();
      this.details.clear();
      if (this.network) await this.reload(this.network.network.id);
      if (found.plan.signals.length > 1) this.street = [...found.plan.signals];
      history.replaceState(null, "", `/signals/plans/${id}`);
      this.showVersion();
      const first = found.plan.signals.includes(this.chosen ?? "") ? this.chosen : found.plan.signals[0];
      if (first) await this.choose(first);
      await this.listPlans();
    } catch (error) {
      this.fail(error);
    }
  }

  private showVersion(): void {
    const version = this.version;
    byId("version").hidden = !version;
    if (!version) {
      this.drives.hide();
      this.effects.hide();
      return;
    }
    const { plan } = version;
    replace(
      byId("version-title"),
      `${text("signals.plan_number", { n: plan.number })} ${plan.title} `,
      statusTag(plan),
    );
    const by = (subject: string | null): string => (subject && version.names[subject]) || "–";
    replace(
      byId("version-facts"),
      text("signals.people", { drafted: by(plan.drafted_by), approved: by(plan.approved_by) }),
      " · ",
      h("a", { href: `/signals/plans/${plan.id}` }, text("signals.permalink")),
    );
    replace(
      byId("differences"),
      ...(version.differences.length
        ? version.differences.map((each) => h("li", {}, differenceText(each, this.title(each.signal))))
        : [h("li", { class: "note" }, text("signals.differs.none"))]),
    );
    const report = version.plan.checked_revision === plan.revision ? (version.report as Report | null) : null;
    replace(byId("report"), reportView(report));
    replace(byId("predicted"), predictedView(plan, version.drive));
    this.effects.show({ plan, mayDraw: this.mayDraw, titles: this.titles() });
    this.drives.show({ plan, drive: version.drive, mayDraw: this.mayDraw, hasDemand: Boolean(this.network?.demand), titles: this.titles() });
  }

  private driven(drive: Drive): void {
    if (this.version?.plan.id !== drive.version_id) return;
    this.version = { ...this.version, drive };
    this.showVersion();
  }

  private acts(): void {
    const place = byId("acts");
    if (!this.mayDraw) {
      place.replaceChildren();
      return;
    }
    const plan = this.version?.plan ?? null;
    const edited = this.edits.size > 0;
    const button = (key: ActKey, run: () => Promise<void> | void, primary = false): HTMLElement =>
      h("button", { class: primary ? "button button-primary" : "button", type: "button", "data-act": key, onclick: () => void this.guarded(run) }, text(`signals.act_${key}`));
    const open = plan !== null && (plan.status === "draft" || plan.status === "checked");
    const running = plan !== null && (plan.status === "deployed" || plan.status === "measured");
    replace(
      place,
      edited && open ? button("save", () => this.save(), true) : null,
      !open ? button("draft", () => this.draft(), edited || plan === null) : null,
      plan?.status === "draft" && !edited ? button("check", () => this.step("check"), true) : null,
      plan?.status === "checked" && !edited ? button("approve", () => this.step("approval"), true) : null,
      plan?.status === "approved" ? button("deploy", () => this.deploy(), true) : null,
      running ? button("keep", () => this.decide("keep"), true) : null,
      running || plan?.status === "kept" ? button("revert", () => this.decide("revert")) : null,
      edited ? button("undo", () => this.undo()) : null,
      this.network?.demand ? button("optimise", () => this.optimise()) : null,
      plan ? button("close", () => this.closeVersion()) : null,
    );
  }

  private async guarded(run: () => Promise<void> | void): Promise<void> {
    byId("act-problem").hidden = true;
    try {
      await run();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    const problem = byId("act-problem");
    problem.hidden = false;
    write(problem, said(error));
  }

  private undo(): void {
    this.edits.clear();
    if (this.chosen) void this.choose(this.chosen);
    this.acts();
    this.tryLater();
  }

  private closeVersion(): void {
    this.version = null;
    this.edits.clear();
    history.replaceState(null, "", "/signals");
    this.showVersion();
    if (this.chosen) void this.choose(this.chosen);
    this.tryLater();
    void this.listPlans();
  }

  private draft(): void {
    const id = this.network?.network.id ?? "";
    const signals = [...new Set([...(this.street.length > 1 ? this.street : this.chosen ? [this.chosen] : []), ...this.edits.keys()])];
    const title = field(text("signals.draft_title"), { maxlength: 120, required: true });
    showForm({
      title: text("signals.act_draft"),
      parts: [
        h("p", {}, counted("signals.draft_of", signals.length)),
        labelled("draft-title", text("signals.title_label"), title),
      ],
      submit: text("signals.act_draft"),
      send: async () => {
        const details = await Promise.all(signals.map((signal) => this.detail(signal)));
        const plans = details.flatMap((each) => this.planOf(each.signal.name) ?? []);
        const made = await act<PlanVersion>("POST", "/api/v1/signal-plans", {
          network_id: id,
          title: title.value,
          document: { format: FORMAT, plans },
        });
        await this.openVersion(made.id);
        return text("signals.drafted");
      },
    });
  }

  private async save(): Promise<void> {
    const version = this.version;
    if (!version) return;
    const known = new Map(this.versionPlans().map((each) => [each.junction, each]));
    for (const [signal, plan] of this.edits) known.set(signal, plan);
    await act<PlanVersion>("PUT", `/api/v1/signal-plans/${version.plan.id}`, {
      document: { format: FORMAT, plans: [...known.values()] },
      revision: version.plan.revision,
    });
    toast(text("signals.saved"));
    await this.openVersion(version.plan.id);
  }

  private async step(verb: "check" | "approval" | "deployment"): Promise<void> {
    const version = this.version;
    if (!version) return;
    await act("POST", `/api/v1/signal-plans/${version.plan.id}/${verb}`, { revision: version.plan.revision });
    await this.openVersion(version.plan.id);
  }

  private deploy(): void {
    const plan = this.version?.plan;
    if (!plan) return;
    showForm({
      title: text("signals.act_deploy"),
      parts: [h("p", {}, counted("signals.deploy_says", plan.signals.length))],
      submit: text("signals.act_deploy"),
      send: async () => {
        await this.step("deployment");
        return text("signals.deployed");
      },
    });
  }

  private decide(decision: "keep" | "revert"): void {
    const plan = this.version?.plan;
    if (!plan) return;
    const reason = field("", { maxlength: 500, required: true });
    showForm({
      title: text(decision === "keep" ? "signals.act_keep" : "signals.act_revert"),
      parts: [
        decision === "revert" ? h("p", {}, counted("signals.revert_says", plan.signals.length)) : null,
        labelled("decision-reason", text("signals.reason"), reason),
      ],
      submit: text(decision === "keep" ? "signals.act_keep" : "signals.act_revert"),
      send: async () => {
        await act("POST", `/api/v1/signal-plans/${plan.id}/decision`, { decision, reason: reason.value });
        await this.openVersion(plan.id);
        return text("signals.decided");
      },
    });
  }

  // --- optimisation, import, sheet ------------------------------------------------------------

  private async optimise(): Promise<void> {
    const signals = this.street.length > 1 ? this.street : this.chosen ? [this.chosen] : null;
    const made = await act<Optimisation>("POST", "/api/v1/signal-optimisations", {
      network_id: this.network?.network.id,
      profile: this.version?.plan.profile ?? "gb",
      signals,
    });
    this.watch(made);
  }

  /** The job goes on where the page is closed; here it is only watched. */
  private watch(job: Optimisation): void {
    window.clearTimeout(this.watching);
    const frame = byId("job");
    const ended = job.finished_at !== null;
    replace(
      frame,
      h("progress", { max: job.total, value: job.done, "aria-label": text("signals.optimising") }),
      h("span", {}, text(ended ? `signals.job_${job.status as "done" | "failed" | "cancelled"}` : "signals.job_running", { done: job.done, total: job.total })),
      ended
        ? null
        : h("button", { class: "button button-quiet", type: "button", onclick: () => void this.guarded(() => this.cancel(job)) }, text("act.cancel")),
      job.problem ? h("span", { class: "item-facts" }, job.problem) : null,
    );
    if (!ended) {
      this.watching = window.setTimeout(() => {
        read<Optimisation>(`/api/v1/signal-optimisations/${job.id}`).then(
          (now) => this.watch(now),
          () => this.watch(job),
        );
      }, LOOK_AGAIN_MS);
    } else if (job.version_id) void this.openVersion(job.version_id);
  }

  /** One that goes on is watched again; one that failed says so until another is asked for. */
  private showLatest(job: Optimisation | null): void {
    window.clearTimeout(this.watching);
    byId("job").replaceChildren();
    if (job && (job.finished_at === null || job.status === "failed")) this.watch(job);
  }

  private async cancel(job: Optimisation): Promise<void> {
    this.watch(await act<Optimisation>("POST", `/api/v1/signal-optimisations/${job.id}/cancellation`, {}));
  }

  private importDialog(): void {
    const code = field("", { pattern: "[a-z0-9][a-z0-9_\\-]{0,63}", required: true, maxlength: 64 });
    const name = field("", { required: true, maxlength: 120 });
    const file = h("input", { class: "input", type: "file", accept: ".xml,.json", required: true });
    showForm({
      title: text("signals.import"),
      parts: [
        labelled("import-code", text("signals.import_code"), code, text("signals.import_code_hint")),
        labelled("import-name", text("signals.import_name"), name),
        labelled("import-file", text("signals.import_file"), file, text("signals.import_hint")),
      ],
      submit: text("signals.import"),
      send: async () => {
        const content = await file.files?.[0]?.text();
        const made = await act<Network>("POST", "/api/v1/signal-networks", { code: code.value, name: name.value, content: content ?? "" });
        await this.start(made.id);
        return text("signals.imported");
      },
    });
  }

  private async print(): Promise<void> {
    const wanted = this.version?.plan.signals ?? (this.chosen ? [this.chosen] : []);
    const details = await Promise.all(wanted.map((signal) => this.detail(signal)));
    const parts = details.flatMap((each) => {
      const plan = this.planOf(each.signal.name);
      return plan ? [{ title: `${each.signal.name} ${this.title(each.signal.name)}`, model: each.model, plan }] : [];
    });
    replace(byId("sheet"), timingSheet(parts, this.version));
    window.print();
  }
}

type ActKey = "save" | "draft" | "check" | "approve" | "deploy" | "keep" | "revert" | "undo" | "optimise" | "close";

function kph(id: string): number | null {
  const value = Number(byId<HTMLInputElement>(id).value);
  return value >= 5 && value <= 130 ? value : null;
}

function outlookWords(outlook: Outlook | null): string {
  return outlook?.level
    ? ` ${outlook.level} · ${text("signals.seconds", { n: round(outlook.delay_s) })}`
    : ` ${text("signals.level_unknown")}`;
}

function delayTable(before: readonly Outlook[], after: readonly Outlook[], title: (signal: string) => string): HTMLElement | null {
  if (!after.length) return null;
  const was = new Map(before.map((each) => [each.signal, each]));
  const cell = (each: Outlook | undefined): string =>
    each?.level ? `${each.level} · ${text("signals.seconds", { n: round(each.delay_s) })}` : "–";
  return h(
    "div",
    { class: "table-box" },
    h(
      "table",
      { class: "table" },
      h("thead", {}, h("tr", {}, ...[text("signals.junction"), text("signals.before"), text("signals.after")].map((words) => h("th", { scope: "col" }, words)))),
      h(
        "tbody",
        {},
        ...after.map((each) => h("tr", {}, h("th", { scope: "row" }, title(each.signal)), h("td", {}, cell(was.get(each.signal))), h("td", {}, cell(each)))),
      ),
    ),
  );
}

function predictedView(plan: PlanVersion, drive: Drive | null): HTMLElement | null {
  const predicted = plan.predicted as { before_s: number | null; after_s: number | null } | null;
  const measured = measuredWords(plan.measured);
  const simulated = drive?.result?.figures["signal_delay_s"];
  if (!predicted && !measured && !simulated) return null;
  const mean = (value: number | null): string => (value === null ? "–" : text("signals.seconds", { n: round(value) }));
  return h(
    "dl",
    { class: "junction-figures" },
    predicted ? h("div", {}, h("dt", {}, text("signals.predicted")), h("dd", {}, `${mean(predicted.before_s)} → ${mean(predicted.after_s)}`)) : null,
    simulated
      ? h("div", { id: "simulated" }, h("dt", {}, text("signals.simulated_delay")), h("dd", {}, `${estimateWords(simulated.before, "signal_delay_s")} → ${estimateWords(simulated.after, "signal_delay_s")}`))
      : null,
    measured ? h("div", {}, h("dt", {}, text("signals.measured")), h("dd", {}, measured)) : null,
  );
}

void startPage(() => new SignalsPage().start());
