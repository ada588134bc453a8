/** Starting a stay: a bay by its sign's code or its painted number, and one's own vehicle. */
import { act, actKey, ProblemError, readAll } from "../api/client";
import type { Bay, Facility, MyStay, MyVehicle } from "../api/types";
import { inLanguage } from "../format/words";
import { labelled } from "../shell/form";
import { h, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { named, text } from "../shell/text";
import { atNumber, byNumber } from "./numbers";

/** The bay whose sign was scanned. */
export interface WantedBay {
  readonly id: string;
  readonly label: string;
  readonly place: string;
}

/** What the server refuses, in the driver's words; the rest in the server's. */
function refusal(error: unknown): string {
  if (error instanceof ProblemError && error.status === 409) {
    return text(error.field === "vehicle_id" ? "mine.refused_elsewhere" : "mine.refused_taken");
  }
  return problemText(error);
}

export class StartForm {
  readonly element: HTMLElement;
  private key = actKey();
  private facilities: readonly Facility[] = [];
  private readonly number = h("input", {
    class: "input",
    maxlength: 40,
    autocomplete: "off",
    autocapitalize: "characters",
    spellcheck: "false",
    required: true,
    oninput: () => this.offer(),
  });
  private readonly place = h("select", { class: "input" });
  private readonly placePart: HTMLElement;
  private readonly vehicle = h("select", { class: "input", required: true });
  private readonly problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  private readonly submit = h("button", { class: "button button-primary button-wide", type: "submit" }, text("mine.start"));
  private loaded: Promise<void> = Promise.resolve();

  constructor(
    vehicles: readonly MyVehicle[],
    private readonly wanted: WantedBay | null,
    private readonly started: (stay: MyStay) => void,
  ) {
    this.placePart = labelled("start-place", text("mine.place"), this.place);
    replace(
      this.vehicle,
      ...vehicles.map((one) =>
        h(
          "option",
          { value: one.id },
          one.plate ? `${one.plate.text} · ${named("plate.kind", one.plate.kind)}` : text("mine.ticket_only"),
        ),
      ),
    );
    this.element = h(
      "form",
      {
        class: "start-form",
        onsubmit: (event) => {
          event.preventDefault();
          void this.send();
        },
      },
      wanted
        ? h(
            "p",
            { class: "start-bay" },
            h("span", { class: "item-facts" }, text("mine.at_bay")),
            h("strong", { class: "start-number" }, wanted.label),
            h("span", {}, wanted.place),
          )
        : h(
            "div",
            { class: "start-where" },
            labelled("start-number", text("mine.number"), this.number, text("mine.number_hint")),
            this.placePart,
          ),
      labelled("start-vehicle", text("mine.vehicle"), this.vehicle),
      this.problem,
      this.submit,
      wanted ? h("p", { class: "note" }, h("a", { href: "/mine" }, text("mine.other_bay"))) : null,
    );
    if (!wanted) this.loaded = this.load();
  }

  private async load(): Promise<void> {
    try {
      const found = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
      this.facilities = found
        .filter((one) => one.kind === "kerb" || one.kind === "lot")
        .sort((a, b) => inLanguage(a.name.zh, a.name.en).localeCompare(inLanguage(b.name.zh, b.name.en)));
      replace(
        this.place,
        ...this.facilities.map((one) => h("option", { value: one.id }, inLanguage(one.name.zh, one.name.en))),
      );
      // The number may have been typed before the places were there.
      this.offer();
    } catch (error) {
      this.say(problemText(error));
    }
  }

  /** A number that begins with a place's code says which place it is. */
  private offer(): void {
    this.problem.hidden = true;
    const known = byNumber(this.facilities, this.number.value);
    if (known) this.place.value = known.id;
    this.placePart.hidden = known !== null;
  }

  private async bay(): Promise<{ readonly id: string } | null> {
    if (this.wanted) return this.wanted;
    await this.loaded;
    const place = this.facilities.find((one) => one.id === this.place.value);
    if (!place) return null;
    const bays = await readAll<Bay>(`/api/v1/facilities/${place.id}/bays`, { limit: 500 });
    return atNumber(bays, place.code, this.number.value);
  }

  private async send(): Promise<void> {
    this.submit.disabled = true;
    this.problem.hidden = true;
    try {
      const bay = await this.bay();
      if (!bay) {
        this.say(text("mine.no_such_bay"));
        return;
      }
      const stay = await act<MyStay>(
        "POST",
        "/api/v1/me/stays",
        { bay_id: bay.id, vehicle_id: this.vehicle.value },
        this.key,
      );
      this.key = actKey();
      this.started(stay);
    } catch (error) {
      // Refused is not done: what is corrected is another act.
      if (!(error instanceof ProblemError && error.offline)) this.key = actKey();
      this.say(refusal(error));
    } finally {
      this.submit.disabled = false;
    }
  }

  private say(words: string): void {
    this.problem.hidden = false;
    write(this.problem, words);
  }
}
