/** A route drafted: where it starts, through which junctions, how it drives. */
import { act, actKey } from "../api/client";
import type { components } from "../api/schema";
import { h } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { text } from "../shell/text";
import { offerNetworks } from "../signals/network_choice";

type Stop = components["schemas"]["EscortStopIn"];

/** `114.30,30.59`: two numbers, as maps give them. */
export function positionOf(words: string): [number, number] | null {
  const parts = words.split(/[,，]\s*/).map(Number);
  const [longitude, latitude] = parts;
  return parts.length === 2 && longitude !== undefined && latitude !== undefined && parts.every(Number.isFinite)
    ? [longitude, latitude]
    : null;
}

/** A junction a line: its name, the signal group, and where it is unless the city knows. */
export function stopsOf(words: string): Stop[] | null {
  const found: Stop[] = [];
  for (const line of words.split("\n").map((each) => each.trim())) {
    if (!line) continue;
    const [signal, group, at, more] = line.split(/\s+/);
    const position = at === undefined ? null : positionOf(at);
    if (!signal || !group || more !== undefined || (at !== undefined && position === null)) return null;
    found.push({ signal, group, position });
  }
  return found.length ? found : null;
}

export async function draftForm(drafted: (id: string) => Promise<void>): Promise<void> {
  const network = choice([], "");
  await offerNetworks(network, null);
  const name = field("", { maxlength: 100, required: true });
  const start = field("", { required: true, placeholder: "114.3000,30.5900" });
  const stops = h("textarea", { class: "input", rows: 6, required: true, spellcheck: false });
  const lead = field("60", { type: "number", min: 20, max: 180, required: true });
  const speed = field("40", { type: "number", min: 5, max: 120, required: true });
  const tail = field("100", { type: "number", min: 0, max: 1000, required: true });
  const subject = field("", { maxlength: 64 });
  const checked = (input: HTMLInputElement | HTMLTextAreaElement, good: () => boolean, words: string): void => {
    const check = (): void => input.setCustomValidity(good() ? "" : words);
    input.addEventListener("input", check);
    check();
  };
  checked(start, () => positionOf(start.value) !== null, text("escorts.start_hint"));
  checked(stops, () => stopsOf(stops.value) !== null, text("escorts.stops_hint"));
  const key = actKey();
  showForm({
    title: text("escorts.draft"),
    wide: true,
    parts: [
      labelled("escort-network", text("signals.network"), network),
      labelled("escort-name", text("escorts.name"), name),
      labelled("escort-start", text("escorts.start"), start, text("escorts.start_hint")),
      labelled("escort-stops", text("escorts.stops"), stops, text("escorts.stops_hint")),
      labelled("escort-lead", text("escorts.lead"), lead, text("escorts.lead_hint")),
      labelled("escort-speed", `${text("escorts.speed")} (km/h)`, speed),
      labelled("escort-tail", `${text("escorts.tail")} (m)`, tail),
      labelled("escort-subject", text("escorts.device"), subject, text("escorts.device_hint")),
    ],
    submit: text("escorts.draft"),
    send: async () => {
      const made = await act<{ id: string }>(
        "POST",
        "/api/v1/signal-escorts",
        {
          network_id: network.value,
          name: name.value,
          start: positionOf(start.value),
          stops: stopsOf(stops.value),
          lead_s: Number(lead.value),
          speed_kph: Number(speed.value),
          tail_m: Number(tail.value),
          subject: subject.value || null,
        },
        key,
      );
      await drafted(made.id);
      return text("escorts.drafted_now");
    },
  });
}
