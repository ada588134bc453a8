/** What two people agreed to: contracts, rules on unpaid bills and rules about exits, by date. */
import { read, readAll } from "../api/client";
import type {
  Contract,
  Contracts,
  ContractSubjects,
  ExitRule,
  ExitRules,
  Facility,
  RegionPolicies,
  RegionPolicy,
  TermDraft,
  TermDrafts,
} from "../api/types";
import { instant } from "../format/time";
import { exactly, inLanguage, price } from "../format/words";
import { fact } from "../panels/figures";
import { zone } from "../shell/clock";
import { chips, Desk } from "../shell/desk";
import { byId, h, replace } from "../shell/dom";
import { field, localInstant } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState, skeleton } from "../shell/states";
import { named, text } from "../shell/text";
import { exitForm } from "./exit_form";
import { draftList } from "./term_drafts";
import { contractForm, policyForm, share } from "./term_forms";
import { act, fileLink, part, section, who } from "./words";

const VIEWS = ["contracts", "policies", "exits"] as const;
const KINDS = { contracts: "contract", policies: "policy", exits: "exit" } as const;
const FILES = {
  contracts: "/api/v1/contracts/export",
  policies: "/api/v1/arrears/policies/export",
  exits: "/api/v1/gates/exit-rules/export",
} as const;
type View = (typeof VIEWS)[number];
const TONES: Readonly<Record<string, string>> = { "in-force": "tag-good", "to-come": "tag-warning", past: "" };

/** All versions about one operator or facility, or one district, the latest first. */
interface Scope<T> {
  readonly id: string;
  readonly title: string;
  readonly versions: readonly T[];
}

export class TermsDesk {
  private readonly place = byId("section");
  private readonly views = h("div", { class: "chips", role: "group", "aria-label": text("terms.view") });
  private readonly drafts = h("div", {});
  private readonly list = h("div", {}, skeleton(5));
  private readonly rules = h("p", { class: "note" });
  private readonly tools = h("p", { class: "panel-acts" });
  private readonly files = h("p", { class: "panel-acts" });
  private readonly at = field("", { type: "datetime-local", id: "at" });
  private readonly desk = new Desk(this.place, () => this.draw());
  private readonly mayKeep = hasRole("finance");
  private readonly mayDecide = hasRole("finance", "administrator");
  private view: View = "contracts";
  private subjects: ContractSubjects = { items: [] };
  private contracts: Contracts | null = null;
  private policies: RegionPolicies | null = null;
  private exits: ExitRules | null = null;
  private gated: readonly Facility[] = [];
  private waiting: TermDrafts = { items: [], names: {} };
  private asking = 0;

  async start(): Promise<void> {
    chips<View>(
      this.views,
      VIEWS.map((view) => [view, named("terms.view", view)] as const),
      this.view,
      (view) => {
        this.view = view;
        this.desk.close();
        this.draw();
      },
    );
    replace(
      this.place,
      h(
        "div",
        { class: "bench-tools" },
        h("div", { class: "tool-field" }, h("label", { class: "label", for: "at" }, text("finance.as_of")), this.at),
      ),
      this.views,
      section(text("terms.view"), this.rules, this.drafts, this.list, this.tools, this.files),
    );
    this.at.addEventListener("change", () => void this.load());
    await this.load();
  }

  private async load(): Promise<void> {
    const asking = ++this.asking;
    const at = this.asOf();
    try {
      const [subjects, contracts, policies, exits, waiting, facilities] = await Promise.all([
        read<ContractSubjects>("/api/v1/contract-subjects"),
        read<Contracts>("/api/v1/contracts", { at }),
        read<RegionPolicies>("/api/v1/arrears/policies", { at }),
        read<ExitRules>("/api/v1/gates/exit-rules", { at }),
        read<TermDrafts>("/api/v1/term-drafts"),
        readAll<Facility>("/api/v1/facilities"),
      ]);
      if (asking !== this.asking) return;
      [this.subjects, this.contracts, this.policies] = [subjects, contracts, policies];
      [this.exits, this.waiting] = [exits, waiting];
      this.gated = facilities.filter((each) => each.kind !== "kerb");
      this.desk.wasRead();
      this.draw();
    } catch (error) {
      if (asking === this.asking) replace(this.list, errorState(error, () => void this.load()));
    }
  }

  private asOf(): string | null {
    return this.at.value ? localInstant(this.at.value, zone()) : null;
  }

  private draw(): void {
    if (!this.contracts || !this.policies || !this.exits) return;
    replace(this.rules, named("terms.rule", this.view));
    replace(
      this.files,
      fileLink(FILES[this.view], { at: this.asOf() }),
      fileLink("/api/v1/term-drafts/export", {}, text("terms.all_proposals")),
    );
    this.drawDrafts();
    if (this.view === "contracts") this.drawContracts(this.contracts);
    else if (this.view === "policies") this.drawPolicies(this.policies);
    else this.drawExits(this.exits);
  }

  /** What waits for a second person, of the kind that is looked at. */
  private drawDrafts(): void {
    const kind = KINDS[this.view];
    replace(
      this.drafts,
      draftList(
        this.waiting.items.filter((each) => each.kind === kind).map((each) => ({ draft: each, ...this.said(each) })),
        this.waiting.names,
        this.mayDecide,
        () => this.load(),
      ),
    );
  }

  /** What a proposal is about, and what it says. */
  private said(draft: TermDraft): { title: string; facts: readonly HTMLElement[] } {
    if (draft.contract) return { title: this.scopeOf(draft.contract), facts: contractFacts(draft.contract.shares) };
    if (draft.policy) return { title: districtWords(draft.policy.district), facts: policyFacts(draft.policy) };
    if (draft.exit) return { title: this.exitScope(draft.exit), facts: exitFacts(draft.exit) };
    return { title: draft.kind, facts: [] };
  }

  private drawExits(found: ExitRules): void {
    const scopes = grouped(found.items, (each) => each.facility_id ?? each.district ?? "-", (each) => this.exitScope(each));
    replace(this.tools, this.mayKeep ? act(text("terms.propose_exit"), () => this.enterExit(null), true) : null);
    replace(
      this.list,
      scopes.length === 0
        ? emptyState(text("terms.no_exits"), text("terms.no_exits_advice"))
        : rows(scopes, (scope) => this.row(scope, (each) => named("terms.mode", each.mode), () => this.openExits(scope))),
    );
  }

  private openExits(scope: Scope<ExitRule>): Promise<void> {
    const names = this.exits?.names ?? {};
    return this.desk.open(scope.id, scope.title, () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-scope": scope.id },
          this.mayKeep
            ? h("p", { class: "panel-acts" }, act(text("terms.new_version"), () => this.enterExit(scope.versions[0] ?? null), true))
            : null,
          ...scope.versions.map((each) => version(each, names, exitFacts(each))),
        ),
      ),
    );
  }

  private enterExit(last: ExitRule | null): void {
    exitForm(this.gated, last, async () => {
      this.desk.close();
      await this.load();
    });
  }

  private exitScope(each: { readonly facility_id: string | null; readonly district: string | null }): string {
    if (each.facility_id === null) return districtWords(each.district);
    const home = this.gated.find((one) => one.id === each.facility_id);
    return home ? inLanguage(home.name.zh, home.name.en) : each.facility_id;
  }

  private drawContracts(found: Contracts): void {
    const scopes = grouped(found.items, (each) => each.facility_id ?? each.operator_id, (each) => this.scopeOf(each));
    replace(
      this.tools,
      this.mayKeep ? act(text("terms.enter_contract"), () => this.enterContract(null), true) : null,
    );
    replace(
      this.list,
      scopes.length === 0
        ? emptyState(text("terms.no_contracts"), text("terms.no_contracts_advice"))
        : rows(scopes, (scope) => this.row(scope, (each) => sharesText(each.shares), () => this.openContracts(scope))),
    );
  }

  private drawPolicies(found: RegionPolicies): void {
    const scopes = grouped(found.items, (each) => each.district ?? "-", (each) => districtWords(each.district));
    replace(this.tools, this.mayKeep ? act(text("terms.enter_policy"), () => this.enterPolicy(null), true) : null);
    replace(
      this.list,
      scopes.length === 0
        ? emptyState(text("terms.no_policies"), text("terms.no_policies_advice", { n: found.unruled.days_to_pay }))
        : rows(scopes, (scope) => this.row(scope, (each) => policyText(each), () => this.openPolicies(scope))),
    );
  }

  private row<T extends { readonly standing: string; readonly from_at: string }>(
    scope: Scope<T>,
    words: (each: T) => string,
    open: () => Promise<void>,
  ): HTMLElement {
    const now = scope.versions.find((each) => each.standing === "in-force") ?? scope.versions[0];
    return this.desk.row(
      scope.id,
      () => void open(),
      h("span", { class: "desk-top" }, h("strong", {}, scope.title), now ? tag(now.standing) : null),
      now ? h("span", {}, words(now)) : null,
      now
        ? h("span", { class: "item-facts" }, text("terms.since", { at: exactly(instant(now.from_at)), n: scope.versions.length }))
        : null,
    );
  }

  private openContracts(scope: Scope<Contract>): Promise<void> {
    const names = this.contracts?.names ?? {};
    return this.desk.open(scope.id, scope.title, () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-scope": scope.id },
          this.mayKeep
            ? h("p", { class: "panel-acts" }, act(text("terms.new_version"), () => this.enterContract(scope.versions[0] ?? null), true))
            : null,
          ...scope.versions.map((each) =>
            version(each, names, contractFacts(each.shares)),
          ),
        ),
      ),
    );
  }

  private openPolicies(scope: Scope<RegionPolicy>): Promise<void> {
    const names = this.policies?.names ?? {};
    return this.desk.open(scope.id, scope.title, () =>
      Promise.resolve(
        h(
          "div",
          { class: "case", "data-scope": scope.id },
          this.mayKeep
            ? h("p", { class: "panel-acts" }, act(text("terms.new_version"), () => this.enterPolicy(scope.versions[0] ?? null), true))
            : null,
          ...scope.versions.map((each) =>
            version(each, names, policyFacts(each)),
          ),
        ),
      ),
    );
  }

  private enterContract(last: Contract | null): void {
    contractForm(this.subjects.items, last, async () => {
      this.desk.close();
      await this.load();
    });
  }

  private enterPolicy(last: RegionPolicy | null): void {
    policyForm(last, this.policies?.unruled ?? null, async () => {
      this.desk.close();
      await this.load();
    });
  }

  private scopeOf(each: Pick<Contract, "operator_id" | "facility_id">): string {
    const known = this.subjects.items.find((one) => one.operator_id === each.operator_id);
    const operator = known ? inLanguage(known.operator.zh, known.operator.en) : each.operator_id;
    if (each.facility_id === null) return operator;
    const home = known?.facilities.find((one) => one.id === each.facility_id);
    return `${operator} · ${home ? inLanguage(home.name.zh, home.name.en) : each.facility_id}`;
  }
}

function grouped<T>(items: readonly T[], key: (each: T) => string, title: (each: T) => string): Scope<T>[] {
  const found = new Map<string, T[]>();
  for (const each of items) {
    const versions = found.get(key(each));
    if (versions) versions.push(each);
    else found.set(key(each), [each]);
  }
  return [...found].map(([id, versions]) => ({ id, title: versions[0] === undefined ? id : title(versions[0]), versions }));
}

function rows<T>(scopes: readonly Scope<T>[], draw: (scope: Scope<T>) => HTMLElement): HTMLElement {
  return h("ul", {}, ...scopes.map((scope) => h("li", {}, draw(scope))));
}

function tag(standing: string): HTMLElement {
  return h("span", { class: `tag ${TONES[standing] ?? ""}` }, named("terms.standing", standing));
}

/** One version: from when, how it stands, what it says, who proposed it and who approved it. */
function version(
  each: {
    readonly id: string;
    readonly standing: string;
    readonly from_at: string;
    readonly agreed_at: string;
    readonly agreed_by: string;
    readonly approved_by: string | null;
  },
  names: Readonly<Record<string, string>>,
  facts: readonly HTMLElement[],
): HTMLElement {
  const box = part(
    text("terms.from", { at: exactly(instant(each.from_at)) }),
    tag(each.standing),
    h(
      "dl",
      { class: "facts" },
      ...facts,
      fact(text("terms.proposed_by"), who(each.agreed_by, names)),
      fact(
        text("terms.approved_by"),
        `${each.approved_by === null ? text("terms.by_one") : who(each.approved_by, names)} · ${exactly(instant(each.agreed_at))}`,
      ),
    ),
  );
  box.dataset["version"] = each.standing;
  return box;
}

function contractFacts(shares: Contract["shares"]): HTMLElement[] {
  return shares.length === 0
    ? [fact(named("terms.party", "operator"), text("terms.all"))]
    : shares.map((one) => fact(partyText(one), share(one.parts, wholeOf(shares))));
}

function policyFacts(each: Pick<RegionPolicy, "days_to_pay" | "steps" | "privileges" | "cash_step_minor" | "source">): HTMLElement[] {
  return [
    fact(text("terms.days_to_pay"), text("terms.days", { n: each.days_to_pay })),
    ...each.steps.map((one) => fact(named("arrears.step", one.kind), stepText(one))),
    fact(text("terms.loses"), each.privileges.map((one) => named("terms.privilege", one)).join(text("tariffs.joint")) || text("finance.none")),
    fact(text("terms.cash"), named("terms.cash_step", String(each.cash_step_minor))),
    fact(text("terms.source"), each.source),
  ];
}

function exitFacts(each: Pick<ExitRule, "mode" | "source">): HTMLElement[] {
  return [fact(text("terms.mode"), named("terms.mode", each.mode)), fact(text("terms.source"), each.source)];
}

function wholeOf(shares: readonly { readonly parts: number }[]): number {
  return shares.reduce((sum, each) => sum + each.parts, 0);
}

function partyText(one: { readonly party: string; readonly holder: string }): string {
  const words = named("terms.party", one.party);
  return one.holder ? `${words} ${one.holder}` : words;
}

function sharesText(shares: Contract["shares"]): string {
  const whole = wholeOf(shares);
  return shares.length === 0
    ? `${named("terms.party", "operator")} ${text("terms.all")}`
    : shares.map((each) => `${partyText(each)} ${share(each.parts, whole)}`).join(" · ");
}

function districtWords(district: string | null): string {
  return district === null ? text("terms.everywhere") : text("terms.district", { code: district });
}

function policyText(each: RegionPolicy): string {
  const steps = each.steps.map((one) => named("arrears.step", one.kind)).join(" → ");
  return [text("terms.due_after", { n: each.days_to_pay }), steps].filter(Boolean).join(" · ");
}

function stepText(one: RegionPolicy["steps"][number]): string {
  const when = text(one.days < 0 ? "terms.before_due" : "terms.after_due", { n: Math.abs(one.days) });
  const more = [
    one.media.map((each) => named("arrears.medium", each)).join(text("tariffs.joint")),
    one.share_bp ? share(one.share_bp, 10_000) : "",
    one.most_minor ? text("terms.at_most", { amount: price({ minor: one.most_minor, currency: "CNY" }) }) : "",
  ];
  return [when, ...more].filter(Boolean).join(" · ");
}
