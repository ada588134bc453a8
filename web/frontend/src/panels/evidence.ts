/** What a bay's state rests on: the sensor, its health, the raw frames and what they say. */
import type { Evidence, EvidenceDevice, EvidenceFrame } from "../api/types";
import { hexBytes, flatFields, signalBars } from "../format/frames";
import { agoText, exactly, percent } from "../format/words";
import { instant } from "../format/time";
import { h } from "../shell/dom";
import { fill, named, text } from "../shell/text";
import { fact } from "./figures";

function minus(number: string): string {
  return number.replace("-", "−");
}

/** A fault in words; makers' own numbers stay with them ('hardware-3'). */
export function faultText(fault: string): string {
  const numbered = /^(.+)-(\d+)$/.exec(fault);
  if (!numbered) return named("fault", fault);
  const words = named("fault", numbered[1] ?? fault);
  return words.includes("{n}") ? fill(words, { n: numbered[2] ?? "" }) : fault;
}

/** Four bars of signal with their number, never the bars alone. */
export function signal(rssi: number | null, snr: number | null): HTMLElement {
  if (rssi === null) return h("span", { class: "muted" }, text("device.no_signal_report"));
  const strength = signalBars(rssi, snr);
  return h(
    "span",
    { class: "signal" },
    h(
      "span",
      { class: `bars bars-${strength}`, "aria-hidden": "true" },
      ...[1, 2, 3, 4].map((n) => h("i", { class: n <= strength ? "on" : "off" })),
    ),
    h("span", { class: "number" }, `${minus(rssi.toFixed(0))} dBm`),
    snr === null ? null : h("span", { class: "muted" }, `SNR ${minus(snr.toFixed(1))}`),
  );
}

export function battery(volts: number | null, low: boolean | null): HTMLElement {
  const words = volts === null ? text("device.no_battery_report") : `${volts.toFixed(2)} V`;
  return h(
    "span",
    { class: low ? "battery is-low" : "battery" },
    h("span", { class: volts === null ? "muted" : "number" }, words),
    low ? h("span", { class: "tag tag-warning" }, text("device.battery_low")) : null,
  );
}

function deviceFacts(device: EvidenceDevice): HTMLElement {
  return h(
    "dl",
    { class: "facts" },
    fact(text("device.model"), h("span", { class: "mono" }, device.model)),
    fact(text("device.key"), h("span", { class: "mono" }, device.network_key)),
    fact(text("device.here_since"), exactly(instant(device.since_at))),
    fact(
      text("device.last_seen"),
      agoText(device.last_seen_at ? instant(device.last_seen_at) : null),
    ),
    fact(text("device.battery"), battery(device.battery_v, device.battery_low)),
    fact(text("device.signal"), signal(device.rssi, device.snr)),
    device.faults.length
      ? fact(
          text("device.faults"),
          ...device.faults.map((fault) =>
            h("span", { class: "tag tag-danger" }, faultText(fault)),
          ),
        )
      : fact(text("device.faults"), text("device.no_faults")),
  );
}

function observationText(observation: Readonly<Record<string, unknown>>): string {
  const occupied = observation["occupied"];
  const state = occupied === null ? "unknown" : occupied ? "occupied" : "free";
  const parts = [text(`state.${state}`)];
  if (typeof observation["strength"] === "number") {
    parts.push(`${percent(observation["strength"])} %`);
  }
  const ageS = observation["age_s"];
  if (typeof ageS === "number" && ageS > 0) parts.push(text("frame.age", { n: ageS }));
  return parts.join(" · ");
}

function frameDetails(frame: EvidenceFrame, open: boolean): HTMLElement {
  const fields = flatFields(frame.fields ?? {});
  const says =
    frame.observations.length > 0
      ? frame.observations.map(observationText).join("; ")
      : named("verdict", frame.verdict);
  return h(
    "details",
    { class: "frame", open },
    h(
      "summary",
      {},
      h("span", { class: "frame-when" }, agoText(instant(frame.received_at))),
      h("span", { class: "frame-says" }, says),
    ),
    h(
      "div",
      { class: "frame-body" },
      h("p", { class: "frame-caption" }, text("frame.raw", { port: frame.port })),
      h("code", { class: "hex" }, hexBytes(frame.frame_hex)),
      fields.length > 0 && h("p", { class: "frame-caption" }, text("frame.decoded")),
      fields.length > 0 &&
        h(
          "dl",
          { class: "fields" },
          ...fields.map(([name, value]) =>
            h("div", { class: "field-pair" }, h("dt", {}, name), h("dd", {}, value)),
          ),
        ),
      h(
        "p",
        { class: "frame-caption" },
        [
          text("frame.received", { at: exactly(instant(frame.received_at)) }),
          frame.counter === null ? null : text("frame.counter", { n: frame.counter }),
        ]
          .filter(Boolean)
          .join(" · "),
      ),
    ),
  );
}

/** `withDevices` is off where the page already says which device it is. */
export function evidenceSection(evidence: Evidence, withDevices = true): HTMLElement {
  const devices = evidence.devices.length
    ? evidence.devices.map(deviceFacts)
    : [h("p", { class: "note" }, text("evidence.no_device"))];
  return h(
    "section",
    { class: "panel-section evidence" },
    h("h3", {}, text(withDevices ? "evidence.title" : "evidence.frames")),
    ...(withDevices ? [...devices, h("h4", {}, text("evidence.frames"))] : []),
    ...(evidence.frames.length
      ? evidence.frames.map((frame, index) => frameDetails(frame, index === 0))
      : [h("p", { class: "note" }, text("evidence.no_frames"))]),
  );
}
