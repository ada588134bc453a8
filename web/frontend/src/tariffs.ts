/** Tariffs from draft to street: written with live examples, simulated, approved, announced. */
import "../styles/base.css";
import "../styles/tariffs.css";
import { act, ProblemError, read, readAll } from "./api/client";
import type {
  Tariff,
  TariffSimulation,
  TariffTrial,
  TariffVersion,
  TariffVersionDetail,
  TariffWithVersions,
} from "./api/types";
import { instant } from "./format/time";
import { exactly, inLanguage } from "./format/words";
import { businessTime } from "./shell/clock";
import { byId, h, replace, write } from "./shell/dom";
import { field, labelled, showForm } from "./shell/form";
import { onKey } from "./shell/keys";
import { hasRole, startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";
import { ChargedAt } from "./tariffs/charged_at";
import { createTariff } from "./tariffs/create";
import { Examples } from "./tariffs/examples";
import { placeOf } from "./tariffs/json_place";
import { simulationView } from "./tariffs/simulation";

const TRY_AFTER_MS = 300;
const LOOK_AGAIN_MS = 1_500;
const DAY_MS = 86_400_000;
const TONES: Readonly<Record<string, string>> = {
  draft: "tag tag-warning",
  approved: "tag",
  published: "tag tag-good",
  withdrawn: "tag",
};

function day(offset: number): string {
  return new Date(businessTime() + offset * DAY_MS).toISOString().slice(0, 10);
}

/** What the server says is more use here than a general word about roles. */
function said(error: unknown): string {
  return error instanceof ProblemError && (error.status === 403 || error.status === 409)
    ? error.detail || problemText(error)
    : problemText(error);
}

class TariffsPage {
  private readonly editor = byId<HTMLTextAreaElement>("document");
  private readonly problem = byId("act-problem");
  private readonly examples: Examples;
  private detail: TariffVersionDetail | null = null;
  private current: unknown = null;
  private currentTrial: TariffTrial | null = null;
  private code: string | null = null;
  private timer = 0;
  private asked = 0;
  private opened = 0;
  private tariffs: readonly Tariff[] = [];
  private readonly chargedAt = new ChargedAt(byId("charged-at"), hasRole("operator", "administrator"));
  private readonly mayWrite = hasRole("operator", "finance", "administrator");

  constructor() {
    this.examples = new Examples(byId("examples"), day(1), day(2), () => void this.tryAll());
    this.examples.draw();
    this.editor.addEventListener("input", () => {
      window.clearTimeout(this.timer);
      this.timer = window.setTimeout(() => void this.tryDraft(), TRY_AFTER_MS);
      this.acts();
    });
    const fresh = byId("new-tariff");
    fresh.hidden = !this.mayWrite;
    fresh.addEventListener("click", () => this.create());
    onKey("e", "keys.edit", () => this.editor.focus());
  }

  async start(): Promise<void> {
    const list = byId("tariffs");
    replace(list, skeleton(4));
    try {
      const tariffs = await readAll<Tariff>("/api/v1/tariffs", { limit: 100 });
      this.tariffs = tariffs;
      if (!tariffs.length) {
        replace(list, emptyState(text("tariffs.none"), text(this.mayWrite ? "tariffs.none_advice" : "tariffs.none_yet")));
        return;
      }
      replace(
        list,
        ...tariffs.map((tariff) =>
          h(
            "button",
            {
              class: "tariff-choice",
              type: "button",
              "data-code": tariff.code,
              onclick: () => void this.open(tariff.code),
            },
            h("span", { class: "item-name" }, inLanguage(tariff.name.zh, tariff.name.en)),
            h("span", { class: "item-facts mono" }, tariff.code),
          ),
        ),
      );
      const wanted = decodeURIComponent(location.hash.slice(1));
      const first = tariffs.find((tariff) => tariff.code === wanted) ?? tariffs[0];
      if (first) await this.open(first.code);
    } catch (error) {
      replace(list, errorState(error, () => void this.start()));
    }
  }

  private create(): void {
    createTariff((code, version) => {
      history.replaceState(null, "", `#${encodeURIComponent(code)}`);
      void this.start().then(() => this.open(code, version.id));
    });
  }

  private async open(code: string, versionId?: string): Promise<void> {
    const mine = this.wait();
    this.code = code;
    history.replaceState(null, "", `#${encodeURIComponent(code)}`);
    for (const choice of byId("tariffs").querySelectorAll<HTMLElement>("[data-code]")) {
      choice.setAttribute("aria-pressed", String(choice.dataset["code"] === code));
    }
    byId("work").hidden = false;
    try {
      const found = await read<TariffWithVersions>(`/api/v1/tariffs/${code}`, { limit: 50 });
      if (mine !== this.opened) return;
      write(byId("tariff-title"), inLanguage(found.tariff.name.zh, found.tariff.name.en));
      write(
        byId("tariff-facts"),
        text("tariffs.notice", { code, days: Math.round((found.tariff.notice_s * 1000) / DAY_MS) }),
      );
      this.versions(found.items);
      void this.chargedAt.show(found.tariff, this.tariffs);
      const now = businessTime();
      const inForce = found.items.find(
        (one) =>
          one.status === "published" && one.valid_from !== null && instant(one.valid_from) <= now,
      );
      const current = inForce ? (await this.read(inForce.id)).document : null;
      if (mine !== this.opened) return;
      this.current = current;
      await this.tryCurrent();
      if (mine !== this.opened) return;
      const chosen = versionId ?? found.items[0]?.id;
      if (chosen) await this.show(chosen);
    } catch (error) {
      replace(byId("versions"), errorState(error, () => void this.open(code)));
    }
  }

  private read(id: string): Promise<TariffVersionDetail> {
    return read<TariffVersionDetail>(`/api/v1/tariff-versions/${id}`);
  }

  private versions(versions: readonly TariffVersion[]): void {
    const now = businessTime();
    const inForce = versions.find(
      (one) => one.status === "published" && one.valid_from && instant(one.valid_from) <= now,
    );
    replace(
      byId("versions"),
      ...versions.map((one) =>
        h(
          "button",
          {
            class: "version-choice",
            type: "button",
            "data-version": one.id,
            onclick: () => void this.show(one.id),
          },
          h("span", { class: "item-name" }, text("tariffs.version", { n: one.version })),
          h(
            "span",
            { class: TONES[one.status] ?? "tag" },
            one === inForce ? text("tariffs.in_force") : named("tariffs.status", one.status),
          ),
          h(
            "span",
            { class: "item-facts" },
            one.valid_from
              ? text("tariffs.from", { at: exactly(instant(one.valid_from)) })
              : one.drafted_at
                ? exactly(instant(one.drafted_at))
                : "",
          ),
          one.note ? h("span", { class: "item-facts" }, one.note) : null,
        ),
      ),
    );
  }

  /** What is typed while another document comes would be lost: nothing can be typed meanwhile. */
  private wait(): number {
    this.editor.readOnly = true;
    this.editor.setAttribute("aria-busy", "true");
    byId("fault").replaceChildren();
    this.quiet();
    this.opened += 1;
    return this.opened;
  }

  private async show(id: string): Promise<void> {
    const mine = this.wait();
    let detail: TariffVersionDetail;
    try {
      detail = await this.read(id);
    } catch (error) {
      if (mine === this.opened) this.fail(error);
      return;
    }
    if (mine !== this.opened) return; // another one was chosen meanwhile
    this.detail = detail;
    this.editor.removeAttribute("aria-busy");
    for (const choice of byId("versions").querySelectorAll<HTMLElement>("[data-version]")) {
      choice.setAttribute("aria-pressed", String(choice.dataset["version"] === id));
    }
    this.editor.value = JSON.stringify(this.detail.document, null, 2);
    this.editor.readOnly = !this.mayWrite;
    this.simulation(this.detail.simulation);
    this.acts();
    await this.tryDraft();
  }

  // --- the document and its examples ----------------------------------------------------------

  private parsed(): unknown {
    try {
      return JSON.parse(this.editor.value);
    } catch {
      return undefined;
    }
  }

  private edited(): boolean {
    const parsed = this.parsed();
    return JSON.stringify(parsed) !== JSON.stringify(this.detail?.document);
  }

  private async tryCurrent(): Promise<void> {
    this.currentTrial = this.current ? await this.trial(this.current).catch(() => null) : null;
  }

  private async tryAll(): Promise<void> {
    await this.tryCurrent();
    await this.tryDraft();
  }

  private trial(document_: unknown): Promise<TariffTrial> {
    return act<TariffTrial>("POST", "/api/v1/tariff-trials", {
      document: document_,
      stays: this.examples.asked(),
    });
  }

  private async tryDraft(): Promise<void> {
    const parsed = this.parsed();
    this.asked += 1;
    const mine = this.asked;
    if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) {
      this.fault("", text("tariffs.not_json"));
      this.examples.show(null, this.currentTrial);
      return;
    }
    try {
      const trial = await this.trial(parsed);
      if (mine !== this.asked) return; // typed on meanwhile
      this.fault(trial.fault?.field ?? "", trial.fault?.detail ?? null);
      this.examples.show(trial.fault ? null : trial, this.currentTrial);
    } catch (error) {
      if (mine === this.asked) this.fault("", problemText(error));
    }
  }

  private fault(field: string, detail: string | null): void {
    const place = byId("fault");
    this.editor.setAttribute("aria-invalid", String(detail !== null));
    if (detail === null) {
      replace(place, h("span", { class: "tag tag-good" }, text("tariffs.sound")));
      return;
    }
    replace(
      place,
      h("span", { class: "tag tag-danger" }, text("tariffs.fault")),
      " ",
      field
        ? h(
            "button",
            { class: "link mono", type: "button", onclick: () => this.goTo(field) },
            field,
          )
        : null,
      " ",
      detail,
    );
  }

  private goTo(field: string): void {
    const [from, to] = placeOf(this.editor.value, field);
    this.editor.focus();
    this.editor.setSelectionRange(from, to);
    const line = this.editor.value.slice(0, from).split("\n").length;
    const height = this.editor.scrollHeight / Math.max(1, this.editor.value.split("\n").length);
    this.editor.scrollTop = Math.max(0, (line - 4) * height);
  }

  // --- acts -----------------------------------------------------------------------------------

  private acts(): void {
    const detail = this.detail;
    const place = byId("acts");
    if (!detail || !this.mayWrite) {
      place.replaceChildren();
      return;
    }
    const { version } = detail;
    const edited = this.edited();
    const draft = version.status === "draft";
    const simulated =
      detail.simulation?.status === "done" && detail.simulation.revision === version.revision;
    const button = (
      key: "save" | "draft" | "simulate" | "approve" | "withdraw",
      run: () => Promise<void>,
      primary = false,
      disabled = false,
    ): HTMLElement =>
      h(
        "button",
        {
          class: primary ? "button button-primary" : "button",
          type: "button",
          disabled,
          onclick: () => void this.guarded(run),
        },
        text(`tariffs.act_${key}`, { n: version.version }),
      );
    const withdrawable =
      draft ||
      version.status === "approved" ||
      (version.status === "published" &&
        version.valid_from !== null &&
        instant(version.valid_from) > businessTime());
    replace(
      place,
      edited && draft ? button("save", () => this.save(), true) : null,
      edited && !draft ? button("draft", () => this.draft(), true) : null,
      draft && !edited && !simulated ? button("simulate", () => this.simulate(), true) : null,
      draft && !edited && simulated && hasRole("finance", "administrator")
        ? button("approve", () => this.approve(), true)
        : null,
      version.status === "approved" && !edited ? this.publication() : null,
      withdrawable && !edited ? button("withdraw", () => this.withdraw()) : null,
      h("p", { class: "note acts-note" }, this.advice(edited, draft, simulated)),
    );
  }

  private advice(edited: boolean, draft: boolean, simulated: boolean): string {
    if (edited) return text(draft ? "tariffs.advice_edited" : "tariffs.advice_new_draft");
    if (draft) return text(simulated ? "tariffs.advice_approve" : "tariffs.advice_simulate");
    const status = this.detail?.version.status;
    if (status === "approved") return text("tariffs.advice_publish");
    return text("tariffs.advice_fixed");
  }

  private publication(): HTMLElement {
    const notice = (this.detail?.tariff.notice_s ?? 0) * 1000;
    const first = new Date(businessTime() + notice + DAY_MS).toISOString().slice(0, 10);
    const date = h("input", {
      class: "input",
      id: "valid-from",
      type: "date",
      value: first,
      min: first,
    });
    return h(
      "form",
      {
        class: "publication",
        onsubmit: (event) => {
          event.preventDefault();
          void this.guarded(() => this.publish(date.value));
        },
      },
      h("label", { class: "label", for: "valid-from" }, text("tariffs.valid_from")),
      date,
      h("button", { class: "button button-primary", type: "submit" }, text("tariffs.act_publish")),
    );
  }

  private async guarded(run: () => Promise<void>): Promise<void> {
    this.quiet();
    try {
      await run();
    } catch (error) {
      this.fail(error);
    }
  }

  private fail(error: unknown): void {
    this.problem.hidden = false;
    write(this.problem, said(error));
  }

  private quiet(): void {
    this.problem.hidden = true;
    this.problem.replaceChildren();
  }

  private path(verb = ""): string {
    return `/api/v1/tariff-versions/${this.detail?.version.id ?? ""}${verb && `/${verb}`}`;
  }

  private async done(version: TariffVersion, words: string): Promise<void> {
    toast(words);
    if (this.code) await this.open(this.code, version.id);
  }

  private async save(): Promise<void> {
    const body = { document: this.parsed(), revision: this.detail?.version.revision };
    const version = await act<TariffVersion>("PUT", this.path(), body);
    await this.done(version, text("tariffs.saved"));
  }

  private async draft(): Promise<void> {
    const version = await act<TariffVersion>("POST", `/api/v1/tariffs/${this.code}/versions`, {
      document: this.parsed(),
    });
    await this.done(version, text("tariffs.drafted", { n: version.version }));
  }

  private async simulate(): Promise<void> {
    const to = businessTime();
    const asked = await act<TariffSimulation>("POST", this.path("simulations"), {
      from_at: new Date(to - 30 * DAY_MS).toISOString(),
      to_at: new Date(to).toISOString(),
    });
    if (this.detail) this.detail = { ...this.detail, simulation: asked };
    this.simulation(asked);
  }

  private async approve(): Promise<void> {
    const body = { revision: this.detail?.version.revision };
    const version = await act<TariffVersion>("POST", this.path("approval"), body);
    await this.done(version, text("tariffs.approved", { n: version.version }));
  }

  private async publish(date: string): Promise<void> {
    // the server knows the tariff's zone, and when its midnight is
    const body = { valid_on: date };
    const version = await act<TariffVersion>("POST", this.path("publication"), body);
    await this.done(version, text("tariffs.published", { n: version.version }));
  }

  private withdraw(): Promise<void> {
    const reason = field("", { required: true, maxlength: 200 });
    const path = this.path("withdrawal");
    const n = this.detail?.version.version ?? 0;
    showForm({
      title: text("tariffs.act_withdraw", { n }),
      submit: text("tariffs.act_withdraw", { n }),
      parts: [labelled("withdraw-reason", text("tariffs.withdraw_why"), reason)],
      send: async () => {
        const version = await act<TariffVersion>("POST", path, { reason: reason.value.trim() });
        if (this.code) await this.open(this.code, version.id);
        return text("tariffs.withdrawn", { n: version.version });
      },
    });
    return Promise.resolve();
  }

  // --- simulation -----------------------------------------------------------------------------

  private simulation(found: TariffSimulation | null): void {
    const place = byId("simulation");
    if (!found) {
      replace(place, emptyState(text("tariffs.not_simulated"), text("tariffs.not_simulated_advice")));
      return;
    }
    const stale = found.revision !== this.detail?.version.revision;
    replace(place, simulationView(found, stale));
    if (found.status !== "waiting") return;
    window.setTimeout(() => void this.lookAgain(found.id), LOOK_AGAIN_MS);
  }

  private async lookAgain(id: string): Promise<void> {
    if (this.detail?.simulation?.id !== id) return; // another version is looked at
    const found = await read<TariffSimulation>(`/api/v1/tariff-simulations/${id}`).catch(() => null);
    if (!found || this.detail?.simulation?.id !== id) return;
    this.detail = { ...this.detail, simulation: found };
    this.simulation(found);
    if (found.status !== "waiting") this.acts();
  }
}

void startPage(() => new TariffsPage().start());
