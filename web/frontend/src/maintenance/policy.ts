/** Within what time work is to be done, and which alarms raise it: read by all, set with a reason. */
import { act, actKey } from "../api/client";
import { table } from "../duty/words";
import { instant } from "../format/time";
import { exactly, lastingText } from "../format/words";
import { h } from "../shell/dom";
import { field, labelled, row, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { named, text } from "../shell/text";
import { PRIORITIES, type WorkPolicy } from "./types";

const STEPS = ["respond_min", "mend_min", "check_min"] as const;
const MINUTE_MS = 60_000;

function minutes(n: number | undefined): string {
  return n === undefined ? "–" : lastingText(0, n * MINUTE_MS);
}

export function policyView(policy: WorkPolicy, set: (made: WorkPolicy) => void): HTMLElement {
  return h(
    "div",
    { class: "work-policy" },
    h("p", { class: "note" }, policy.number === 0 ? text("work.policy_standard") : setBy(policy)),
    table(
      [text("work.priority_label"), ...STEPS.map((each) => named("work.limit", each))],
      PRIORITIES.map((each) => [
        named("work.priority", each),
        ...STEPS.map((step) => minutes(policy.limits[each]?.[step])),
      ]),
      text("work.limits"),
    ),
    h("h2", { class: "work-heading" }, text("work.lasting")),
    table(
      [text("work.alarm"), text("work.after"), text("work.kind"), text("work.priority_label")],
      Object.entries(policy.lasting).map(([code, each]) => [
        named("work.code", code),
        minutes(each.after_min),
        named("work.kind", each.kind),
        named("work.priority", each.priority),
      ]),
      text("work.lasting"),
    ),
    hasRole("engineer", "administrator")
      ? h("p", { class: "panel-acts" }, h("button", { class: "button", type: "button", id: "set-policy", onclick: () => change(policy, set) }, text("work.policy_set")))
      : null,
  );
}

function setBy(policy: WorkPolicy): string {
  const at = policy.set_at ? exactly(instant(policy.set_at)) : "";
  return text("work.policy_by", { n: policy.number, at, who: policy.set_by ?? "", why: policy.reason ?? "" });
}

function change(policy: WorkPolicy, set: (made: WorkPolicy) => void): void {
  const key = actKey();
  const number = (value: number | undefined): HTMLInputElement =>
    field(value, { type: "number", min: 1, max: 527040, required: true, inputmode: "numeric" });
  const limits = PRIORITIES.map((priority) => ({
    priority,
    inputs: STEPS.map((step) => ({ step, input: number(policy.limits[priority]?.[step]) })),
  }));
  const lasting = Object.entries(policy.lasting).map(([code, each]) => ({ code, each, input: number(each.after_min) }));
  const reason = field("", { minlength: 3, maxlength: 1000, required: true });
  showForm({
    title: text("work.policy_set"),
    wide: true,
    parts: [
      h("p", { class: "note" }, text("work.policy_minutes")),
      ...limits.map(({ priority, inputs }) =>
        h(
          "fieldset",
          { class: "work-limits" },
          h("legend", {}, named("work.priority", priority)),
          row(...inputs.map(({ step, input }) => labelled(`limit-${priority}-${step}`, named("work.limit", step), input))),
        ),
      ),
      h("fieldset", { class: "work-limits" }, h("legend", {}, text("work.lasting")), ...lasting.map(({ code, input }) => labelled(`lasting-${code}`, named("work.code", code), input))),
      labelled("policy-reason", text("work.policy_reason"), reason),
    ],
    submit: text("work.policy_set"),
    send: async () => {
      const body = {
        number: policy.number,
        reason: reason.value.trim(),
        limits: Object.fromEntries(
          limits.map(({ priority, inputs }) => [priority, Object.fromEntries(inputs.map(({ step, input }) => [step, Number(input.value)]))]),
        ),
        lasting: Object.fromEntries(lasting.map(({ code, each, input }) => [code, { ...each, after_min: Number(input.value) }])),
      };
      set(await act<WorkPolicy>("PUT", "/api/v1/signal-work-policy", body, key));
      return text("work.policy_is_set");
    },
  });
}
