/** Entering a contract or a policy: what would follow is shown while it is typed, by the server. */
import { act as send, actKey, ProblemError } from "../api/client";
import type {
  Contract,
  ContractSubjects,
  ContractTrial,
  RegionPolicies,
  RegionPolicy,
  PolicyTrial,
  TermDraft,
} from "../api/types";
import { parseAmount } from "../format/money";
import { instant } from "../format/time";
import { exactly, inLanguage, price } from "../format/words";
import { fact } from "../panels/figures";
import { zone } from "../shell/clock";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, localInstant, row, showForm, typedNumber } from "../shell/form";
import { problemText } from "../shell/states";
import { locale, named, text } from "../shell/text";

const PARTIES = ["operator", "platform", "land_owner"] as const;
const STEPS = ["reminder", "notice", "penalty", "court"] as const;
const MEDIA = ["message", "letter", "slip"] as const;
const PRIVILEGES = ["leave-first", "reserve", "permit"] as const;
/** What cash may be taken in, in fen. */
const CASH_STEPS = [1, 10, 50, 100] as const;
/** What is shared, or not paid, in the example: ¥100. */
const FEE = { minor: 10_000, currency: "CNY" } as const;
const TRY_AFTER_MS = 250;

/** 'As 85 %' of so many parts of a whole. */
export function share(parts: number, whole: number): string {
  return new Intl.NumberFormat(locale(), { style: "percent", maximumFractionDigits: 2 }).format(whole ? parts / whole : 0);
}

/** What the server makes of a form as it stands; of several answers the last asked for is shown. */
class Trial<T extends { readonly fault: { readonly field: string; readonly detail: string } | null }> {
  readonly box = h("div", { class: "note", role: "status", "data-trial": "empty" });
  private timer = 0;
  private asked = 0;

  constructor(
    private readonly path: string,
    /** What is typed; null while something is missing. */
    private readonly body: () => unknown,
    private readonly show: (tried: T) => Node,
  ) {}

  /** Try again whenever one of these changes. */
  watch(...parts: readonly HTMLElement[]): void {
    for (const each of parts) for (const what of ["input", "change"]) each.addEventListener(what, () => this.soon());
    this.soon();
  }

  soon(): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => void this.now(), TRY_AFTER_MS);
  }

  private async now(): Promise<void> {
    const asked = ++this.asked;
    const body = this.body();
    if (body === null) {
      this.say("empty", text("terms.incomplete"));
      return;
    }
    try {
      const tried = await send<T>("POST", this.path, body);
      if (asked !== this.asked) return;
      if (tried.fault) this.say("fault", tried.fault.detail);
      else this.say("fine", this.show(tried));
    } catch (error) {
      if (asked === this.asked) this.say("fault", problemText(error));
    }
  }

  private say(state: "empty" | "fault" | "fine", what: Node | string): void {
    this.box.dataset["trial"] = state;
    this.box.classList.toggle("note-warning", state === "fault");
    replace(this.box, what);
  }
}

/** Rows that are added and taken away; `changed` hears of both. */
class Rows<R extends { readonly box: HTMLElement }> {
  readonly box = h("div", { class: "term-rows" });
  readonly rows: R[] = [];

  constructor(
    private readonly most: number,
    private readonly words: string,
    private readonly make: (remove: HTMLElement) => R,
    private readonly changed: () => void,
  ) {}

  add(): R {
    const remove = h("button", { class: "button", type: "button" }, text("terms.remove"));
    const made = this.make(remove);
    remove.addEventListener("click", () => {
      this.rows.splice(this.rows.indexOf(made), 1);
      this.draw();
      this.changed();
    });
    this.rows.push(made);
    this.draw();
    return made;
  }

  private draw(): void {
    const more = h(
      "button",
      {
        class: "button",
        type: "button",
        disabled: this.rows.length >= this.most,
        onclick: () => {
          this.add();
          this.changed();
        },
      },
      this.words,
    );
    replace(this.box, ...this.rows.map((each) => each.box), h("p", { class: "panel-acts" }, more));
  }
}

interface ShareRow {
  readonly box: HTMLElement;
  readonly party: HTMLSelectElement;
  readonly holder: HTMLInputElement;
  readonly parts: HTMLInputElement;
}

let numbered = 0;

function shareRow(remove: HTMLElement): ShareRow {
  const id = ++numbered;
  const party = choice(PARTIES.map((each) => [each, named("terms.party", each)] as const));
  const holder = field("", { maxlength: 60 });
  const parts = field(1, { type: "number", min: 1, max: 1_000_000, step: 1, required: true });
  const whose = labelled(`share-holder-${id}`, text("terms.holder"), holder);
  const known = (): void => {
    holder.disabled = party.value === "operator";
    if (holder.disabled) holder.value = "";
  };
  party.addEventListener("change", known);
  known();
  const box = h(
    "fieldset",
    { class: "form-group" },
    h("legend", {}, text("terms.share")),
    row(labelled(`share-party-${id}`, text("terms.who"), party), whose, labelled(`share-parts-${id}`, text("terms.parts"), parts)),
    remove,
  );
  return { box, party, holder, parts };
}

/** Ask for a contract; begin with what holds. */
export function contractForm(
  subjects: ContractSubjects["items"],
  last: Contract | null,
  done: () => Promise<void>,
): void {
  const key = actKey();
  const operator = choice(
    subjects.map((each) => [each.operator_id, inLanguage(each.operator.zh, each.operator.en)] as const),
    last?.operator_id ?? null,
    { required: true },
  );
  const facility = h("select", { class: "input" });
  const fillFacilities = (chosen: string | null): void => {
    const own = subjects.find((each) => each.operator_id === operator.value)?.facilities ?? [];
    replace(
      facility,
      h("option", { value: "" }, text("terms.all_others")),
      ...own.map((each) => h("option", { value: each.id }, inLanguage(each.name.zh, each.name.en))),
    );
    facility.value = chosen ?? "";
  };
  fillFacilities(last?.facility_id ?? null);
  operator.addEventListener("change", () => fillFacilities(null));
  const from = field("", { type: "datetime-local" });
  const body = (): { operator_id: string; shares: unknown[] } & Record<string, unknown> => ({
    operator_id: operator.value,
    facility_id: facility.value || null,
    from_at: from.value ? localInstant(from.value, zone()) : null,
    shares: shares.rows.map((each) => ({
      party: each.party.value,
      holder: each.holder.value.trim(),
      parts: Number(each.parts.value),
    })),
  });
  const whole = (): boolean =>
    operator.value !== "" &&
    shares.rows.every(({ parts }) => /^\d{1,7}$/.test(parts.value) && Number(parts.value) >= 1 && Number(parts.value) <= 1_000_000);
  const trial = new Trial<ContractTrial>(
    "/api/v1/contract-trials",
    () => (whole() ? { ...body(), fee: FEE } : null),
    (tried) =>
      h(
        "dl",
        { class: "facts" },
        fact(text("terms.begins"), tried.from_at ? exactly(instant(tried.from_at)) : ""),
        fact(text("terms.ends"), text(tried.ends ? "terms.ends_one" : "terms.ends_none")),
        ...(tried.shares.length
          ? tried.shares.map((each) =>
              fact(
                [named("terms.party", each.party), each.holder].filter(Boolean).join(" "),
                text("terms.of_fee", { amount: price(each.amount), fee: price(FEE) }),
              ),
            )
          : [fact(named("terms.party", "operator"), text("terms.all"))]),
      ),
  );
  const shares = new Rows<ShareRow>(20, text("terms.add_share"), shareRow, () => trial.soon());
  for (const each of last?.shares ?? [{ party: "operator", holder: "", parts: 1 }]) {
    const made = shares.add();
    made.party.value = each.party;
    made.holder.value = each.holder;
    made.holder.disabled = each.party === "operator";
    made.parts.value = String(each.parts);
  }
  const parts = [
    row(
      labelled("contract-operator", text("terms.operator"), operator),
      labelled("contract-facility", text("terms.facility"), facility, text("terms.facility_hint")),
    ),
    labelled("contract-from", text("terms.from_label"), from, text("terms.from_hint")),
    shares.box,
  ];
  trial.watch(...parts);
  showForm({
    title: text("terms.enter_contract"),
    wide: true,
    parts: [...parts, trial.box],
    submit: text("terms.enter"),
    send: async () => {
      if (!whole()) throw new ProblemError(422, "invalid", text("terms.incomplete"));
      await send<TermDraft>("POST", "/api/v1/contracts", body(), key);
      await done();
      return text("terms.contract_entered");
    },
  });
}

interface StepRow {
  readonly box: HTMLElement;
  readonly kind: HTMLSelectElement;
  readonly days: HTMLInputElement;
  readonly media: readonly HTMLInputElement[];
  readonly percent: HTMLInputElement;
  readonly most: HTMLInputElement;
  /** Show what a step of this kind has. */
  readonly fit: () => void;
}

function stepRow(remove: HTMLElement): StepRow {
  const id = ++numbered;
  const kind = choice(STEPS.map((each) => [each, named("arrears.step", each)] as const));
  const days = field(0, { type: "number", min: -3650, max: 3650, step: 1, required: true });
  const media = MEDIA.map((each) => h("input", { type: "checkbox", value: each }));
  const boxes = h(
    "div",
    { class: "bay-checks" },
    ...media.map((each) => h("label", { class: "bay-check" }, each, named("arrears.medium", each.value))),
  );
  const percent = field("", { inputmode: "decimal" });
  const most = field("", { inputmode: "decimal" });
  const penalty = row(
    labelled(`step-share-${id}`, text("terms.percent"), percent),
    labelled(`step-most-${id}`, text("terms.most"), most, text("places.optional")),
  );
  const fit = (): void => {
    boxes.hidden = kind.value === "penalty" || kind.value === "court";
    penalty.hidden = kind.value !== "penalty";
  };
  kind.addEventListener("change", fit);
  fit();
  const box = h(
    "fieldset",
    { class: "form-group" },
    h("legend", {}, text("terms.step")),
    row(labelled(`step-kind-${id}`, text("terms.what"), kind), labelled(`step-days-${id}`, text("terms.days_after"), days)),
    boxes,
    penalty,
    remove,
  );
  return { box, kind, days, media, percent, most, fit };
}

/** A step as it is sent; null where something in it is no number. */
function stepBody(each: StepRow): Record<string, unknown> | null {
  const kind = each.kind.value;
  const days = typedNumber(each.days);
  if (days === null || !Number.isInteger(days) || Math.abs(days) > 3650) return null;
  const told = kind === "reminder" || kind === "notice";
  const basis = kind === "penalty" ? Math.round(Number(each.percent.value) * 100) : 0;
  const most = kind === "penalty" && each.most.value.trim() ? parseAmount(each.most.value, FEE.currency) : null;
  if (!Number.isFinite(basis) || basis < 0 || basis > 10_000) return null;
  if (kind === "penalty" && each.most.value.trim() && !most) return null;
  return {
    kind,
    days,
    media: told ? each.media.filter((one) => one.checked).map((one) => one.value) : [],
    share_bp: basis,
    most_minor: most,
  };
}

/** Ask for a region's policy; begin with what holds there, or everywhere where nothing is ruled. */
export function policyForm(
  last: RegionPolicy | null,
  unruled: RegionPolicies["unruled"] | null,
  done: () => Promise<void>,
): void {
  const key = actKey();
  const begin = last ?? unruled;
  const district = field(last?.district, { maxlength: 12, pattern: "[0-9a-z]{2,12}" });
  const from = field("", { type: "datetime-local" });
  const days = field(begin?.days_to_pay ?? 30, { type: "number", min: 0, max: 3650, step: 1, required: true });
  const step = choice(
    CASH_STEPS.map((each) => [String(each), named("terms.cash_step", String(each))] as const),
    String(begin?.cash_step_minor ?? 1),
  );
  const source = field(last?.source, { maxlength: 500, required: true });
  const privileges = PRIVILEGES.map((each) => {
    const box = h("input", { type: "checkbox", value: each });
    box.checked = begin?.privileges.includes(each) ?? false;
    return { box, label: h("label", { class: "bay-check" }, box, named("terms.privilege", each)) };
  });
  const body = (): Record<string, unknown> | null => {
    const made = steps.rows.map(stepBody);
    const toPay = typedNumber(days);
    const bad = toPay === null || !Number.isInteger(toPay) || toPay < 0 || toPay > 3650 || !source.value.trim();
    if (bad || made.includes(null) || !/^([0-9a-z]{2,12})?$/.test(district.value.trim())) return null;
    return {
      district: district.value.trim() || null,
      from_at: from.value ? localInstant(from.value, zone()) : null,
      days_to_pay: toPay,
      steps: made,
      privileges: privileges.filter(({ box }) => box.checked).map(({ box }) => box.value),
      source: source.value.trim(),
      cash_step_minor: Number(step.value),
    };
  };
  const trial = new Trial<PolicyTrial>(
    "/api/v1/arrears/policy-trials",
    () => {
      const typed = body();
      return typed && { ...typed, fee: FEE };
    },
    (tried) =>
      h(
        "dl",
        { class: "facts" },
        fact(text("terms.bill_of"), tried.from_at ? exactly(instant(tried.from_at)) : ""),
        fact(text("terms.ends"), text(tried.ends ? "terms.ends_one" : "terms.ends_none")),
        fact(text("terms.due"), tried.due_at ? exactly(instant(tried.due_at)) : ""),
        ...tried.steps.map((each) =>
          fact(
            named("arrears.step", each.kind),
            [exactly(instant(each.at)), each.penalty ? `+${price(each.penalty)}` : ""].filter(Boolean).join(" · "),
          ),
        ),
      ),
  );
  const steps = new Rows<StepRow>(20, text("terms.add_step"), stepRow, () => trial.soon());
  for (const each of begin?.steps ?? []) {
    const made = steps.add();
    made.kind.value = each.kind;
    made.days.value = String(each.days);
    for (const one of made.media) one.checked = each.media.some((medium) => medium === one.value);
    made.percent.value = each.share_bp ? String(each.share_bp / 100) : "";
    made.most.value = each.most_minor ? String(each.most_minor / 100) : "";
    made.fit();
  }
  if (!begin?.steps.length) steps.add();
  const parts = [
    row(
      labelled("policy-district", text("places.district"), district, text("terms.district_hint")),
      labelled("policy-days", text("terms.days_to_pay"), days),
    ),
    labelled("policy-from", text("terms.from_label"), from, text("terms.from_hint")),
    steps.box,
    h(
      "fieldset",
      { class: "form-group" },
      h("legend", {}, text("terms.loses")),
      h("div", { class: "bay-checks" }, ...privileges.map(({ label }) => label)),
    ),
    labelled("policy-cash", text("terms.cash"), step, text("terms.cash_hint")),
    labelled("policy-source", text("terms.source"), source, text("terms.source_hint")),
  ];
  trial.watch(...parts);
  showForm({
    title: text("terms.enter_policy"),
    wide: true,
    parts: [...parts, trial.box],
    submit: text("terms.enter"),
    send: async () => {
      const typed = body();
      if (typed === null) throw new ProblemError(422, "invalid", text("terms.incomplete"));
      await send<TermDraft>("POST", "/api/v1/arrears/policies", typed, key);
      await done();
      return text("terms.policy_entered");
    },
  });
}
