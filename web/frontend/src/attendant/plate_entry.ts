/** Typing a plate with the thumb: kind, province, letters; one key a tap, nothing to spell. */
import { act, actKey, ProblemError } from "../api/client";
import type { Attached, PlateCandidates, Session } from "../api/types";
import type { TakenPhoto } from "../outbox/photos";
import {
  carriedOver,
  DIGITS,
  isComplete,
  LETTERS,
  nextKeys,
  nextPad,
  PLATE_KINDS,
  placesOf,
  plateLook,
  plateText,
  PROVINCES,
  typedText,
  type PlateKind,
} from "../plates/kinds";
import { h, icon, replace, write } from "../shell/dom";
import { problemText } from "../shell/states";
import { named, text } from "../shell/text";
import { base64 } from "../terminal/signing";
import { camera } from "./camera";

const MAIN_KINDS: readonly PlateKind[] = ["blue7", "nev_green8", "yellow7"];
const REMEMBERED = "greenbay.plate_prefix";

/** The province and office typed last: most cars here are from here. */
function remembered(): string[] {
  const kept = localStorage.getItem(REMEMBERED) ?? "";
  return [...kept].slice(0, 2);
}

export class PlateEntry {
  readonly element: HTMLElement;
  private kind: PlateKind = "blue7";
  private typed: string[] = [];
  private key = actKey();
  private sentAs = "";
  private readonly display = h("div", { class: "plate-display", role: "status" });
  private readonly kinds = h("div", { class: "chips", role: "group" });
  private readonly pad = h("div", { class: "pad", role: "group" });
  private readonly free: HTMLInputElement;
  private readonly problem = h("p", { class: "form-problem", role: "alert", hidden: true });
  private readonly submit: HTMLButtonElement;
  private sending = false;
  private readonly readAs = h("div", { class: "plate-read", role: "status" });
  private readonly taking = camera("plate-photo", text("photo.plate"), (photo) => void this.readPhoto(photo));

  constructor(
    /** The stay to attach the plate to; null where the plate itself begins one. */
    private readonly stay: Session | null,
    private readonly label: string,
    private readonly attached: (stay: Attached) => void,
    /** Keeps the plate on this device instead, which is a terminal. */
    private readonly note?: (plate: string, kind: PlateKind, photo: TakenPhoto | null) => Promise<void>,
  ) {
    this.typed = carriedOver(this.kind, remembered());
    this.kinds.setAttribute("aria-label", text("plate.kind"));
    this.free = h("input", {
      class: "input plate-free",
      type: "text",
      maxlength: 16,
      autocapitalize: "characters",
      autocomplete: "off",
      spellcheck: "false",
      "aria-label": text("plate.number"),
      oninput: () => {
        this.typed = [...this.free.value.toUpperCase()];
        this.draw();
      },
    });
    this.submit = h("button", { class: "button button-primary button-thumb", type: "submit" });
    this.element = h(
      "form",
      {
        class: "plate-entry",
        onsubmit: (event) => {
          event.preventDefault();
          void this.send();
        },
      },
      this.taking.element,
      this.readAs,
      this.kinds,
      this.display,
      this.free,
      this.pad,
      this.problem,
      h("div", { class: "thumb-bar" }, this.submit),
    );
    this.element.addEventListener("keydown", (event) => this.hardKey(event as KeyboardEvent));
    this.draw();
  }

  /** Ask the reader for the plate of a photo: it types, a person confirms. Without a line a person types. */
  private async readPhoto(photo: TakenPhoto): Promise<void> {
    write(this.readAs, text("photo.reading"));
    try {
      const found = await act<PlateCandidates>("POST", "/api/v1/plate-readings", { photo: base64(photo.content) });
      this.offer(found.items);
    } catch (error) {
      const offline = error instanceof ProblemError && error.offline;
      write(this.readAs, offline && this.note ? text("photo.offline") : this.notRead());
    }
  }

  /** Only a terminal keeps the photo. */
  private notRead(): string {
    return text(this.note ? "photo.not_read" : "photo.type_it");
  }

  private offer(found: PlateCandidates["items"]): void {
    const [best] = found;
    if (!best) {
      write(this.readAs, this.notRead());
      return;
    }
    const take = (candidate: typeof best): void => {
      this.kind = candidate.kind as PlateKind;
      this.typed = carriedOver(this.kind, [...candidate.text]);
      this.free.value = candidate.text;
      this.problem.hidden = true;
      this.draw();
    };
    take(best);
    replace(
      this.readAs,
      h("p", { class: "note" }, text(best.band === "accept" ? "photo.read" : "photo.read_unsure")),
      ...(found.length > 1
        ? found.map((each) =>
            h("button", { class: "chip", type: "button", onclick: () => take(each) }, plateText(each.text)),
          )
        : []),
    );
  }

  private choose(kind: PlateKind): void {
    this.kind = kind;
    this.typed = placesOf(kind) ? carriedOver(kind, this.typed) : [...this.free.value];
    this.draw();
  }

  private press(character: string): void {
    if (!nextKeys(this.kind, this.typed).includes(character)) return;
    this.typed = [...this.typed, character];
    this.problem.hidden = true;
    this.draw();
  }

  private erase(): void {
    this.typed = this.typed.slice(0, -1);
    this.draw();
  }

  private hardKey(event: KeyboardEvent): void {
    if (event.target === this.free || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Backspace") {
      event.preventDefault();
      this.erase();
    } else if (event.key.length === 1 && event.key !== " ") this.press(event.key.toUpperCase());
  }

  private draw(): void {
    const places = placesOf(this.kind);
    const complete = isComplete(this.kind, this.typed);
    this.drawKinds();
    this.free.hidden = places !== null;
    this.display.hidden = places === null;
    if (places) this.drawDisplay();
    this.drawPad();
    this.submit.disabled = !complete || this.sending;
    write(
      this.submit,
      complete
        ? text("plate.attach", {
            plate: plateText(typedText(this.kind, this.typed)),
            label: this.label,
          })
        : text("plate.incomplete"),
    );
  }

  private drawKinds(): void {
    const chip = (kind: PlateKind): HTMLElement =>
      h(
        "button",
        {
          class: `chip chip-plate chip-plate-${plateLook(kind)}`,
          type: "button",
          "aria-pressed": String(kind === this.kind),
          onclick: () => this.choose(kind),
        },
        h("span", { class: "chip-swatch", "aria-hidden": "true" }),
        named("plate.kind", kind),
      );
    const others = PLATE_KINDS.filter((kind) => !MAIN_KINDS.includes(kind) && kind !== "unknown");
    const select = h(
      "select",
      {
        class: "input chip-select",
        "aria-label": text("plate.other_kinds"),
        onchange: () => {
          if (select.value) this.choose(select.value as PlateKind);
        },
      },
      h("option", { value: "" }, text("plate.other_kinds")),
      ...others.map((kind) =>
        h("option", { value: kind, selected: kind === this.kind }, named("plate.kind", kind)),
      ),
    );
    replace(this.kinds, ...MAIN_KINDS.map(chip), select);
  }

  private drawDisplay(): void {
    const places = placesOf(this.kind) ?? [];
    const shown = [...typedText(this.kind, this.typed)];
    replace(
      this.display,
      h("span", { class: "visually-hidden" }, shown.join(" ")),
      h(
        "span",
        { class: `plate plate-${plateLook(this.kind)} plate-size-l plate-typing`, "aria-hidden": "true" },
        ...places.map((place, index) => {
          const character = shown[index] ?? (place.takes === "fixed" ? place.character : "");
          const next = index === shown.length;
          return h(
            "span",
            {
              class: `plate-place${next ? " is-next" : ""}${index === 1 ? " is-office" : ""}`,
            },
            character,
          );
        }),
      ),
    );
  }

  private drawPad(): void {
    this.pad.hidden = placesOf(this.kind) === null;
    if (this.pad.hidden) return;
    const next = nextKeys(this.kind, this.typed);
    const which = nextPad(this.kind, this.typed);
    const all =
      which === "province" ? PROVINCES : which === "choice" ? next : [...DIGITS, ...LETTERS];
    if (this.pad.dataset["pad"] !== which || which === "choice") {
      this.pad.dataset["pad"] = which;
      this.pad.setAttribute("aria-label", text(`plate.pad_${which}`));
      replace(
        this.pad,
        ...all.map((key) =>
          h(
            "button",
            { class: "key", type: "button", "data-key": key, onclick: () => this.press(key) },
            key,
          ),
        ),
        h(
          "button",
          {
            class: "key key-erase",
            type: "button",
            "aria-label": text("plate.erase"),
            onclick: () => this.erase(),
          },
          icon("erase"),
        ),
      );
    }
    for (const key of this.pad.querySelectorAll<HTMLButtonElement>("[data-key]")) {
      key.disabled = !next.includes(key.dataset["key"] ?? "");
    }
    const erase = this.pad.querySelector<HTMLButtonElement>(".key-erase");
    if (erase) erase.disabled = this.typed.length === 0;
  }

  private async send(): Promise<void> {
    if (this.sending || !isComplete(this.kind, this.typed)) return;
    this.sending = true;
    this.draw();
    const plate = typedText(this.kind, this.typed).trim();
    // A plate that was refused is another act than the corrected one; the key never tells it.
    if (this.sentAs && this.sentAs !== `${this.kind}:${plate}`) this.key = actKey();
    this.sentAs = `${this.kind}:${plate}`;
    try {
      if (this.note) await this.note(plate, this.kind, this.taking.photo());
      else if (this.stay) {
        const stay = await act<Attached>(
          "POST",
          `/api/v1/sessions/${this.stay.id}/vehicle`,
          { plate, kind: this.kind },
          this.key,
        );
        this.attached(stay);
      }
      localStorage.setItem(REMEMBERED, this.typed.slice(0, 2).join(""));
    } catch (error) {
      this.problem.hidden = false;
      write(
        this.problem,
        this.note
          ? text("outbox.not_kept")
          : error instanceof ProblemError && error.status === 409
            ? text("plate.conflict")
            : problemText(error),
      );
    } finally {
      this.sending = false;
      this.draw();
    }
  }
}
