/** POS terminals: their batches, what differs in them, their keys, locks and ends. */
import { act } from "../api/client";
import type { PosBatch, PosKey, PosTerminal } from "../api/types";
import { instant } from "../format/time";
import { agoText, exactly, price } from "../format/words";
import { fact } from "../panels/figures";
import { h } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { named, text, wholeNumber } from "../shell/text";
import { districtField, TerminalList } from "./list";

const STATE_TAGS: Readonly<Record<PosTerminal["state"], string>> = {
  active: "tag tag-good",
  locked: "tag tag-danger",
  retired: "tag",
};
const BATCH_TAGS: Readonly<Record<PosBatch["state"], string>> = {
  open: "tag",
  uploading: "tag tag-warning",
  balanced: "tag tag-good",
  differs: "tag tag-danger",
};

/** Heard of by the wall clock: a demo's city has another one. A sign-in alone proves nobody. */
function heardText(terminal: PosTerminal): string {
  const ago = (at: string): string => agoText(instant(at), Date.now());
  if (terminal.heard_at) return text("terminals.heard_ago", { ago: ago(terminal.heard_at) });
  return terminal.signed_in_at ? text("pos.signed_in_ago", { ago: ago(terminal.signed_in_at) }) : text("terminals.never");
}

function moment(at: string | null): string {
  return at ? exactly(instant(at)) : text("terminals.never");
}

export class PosPage {
  private readonly list = new TerminalList<PosTerminal>({
    words: "pos",
    path: "/api/v1/pos-terminals",
    tags: STATE_TAGS,
    turns: { lock: "lock", unlock: "unlock", retire: "retirement" },
    line: (terminal) => [
      h("span", { class: "item-facts" }, `${terminal.terminal_no} · ${heardText(terminal)}`),
      terminal.batch?.ours ? h("span", { class: "number" }, price(terminal.batch.ours.sold)) : null,
    ],
    content: (terminal) => Promise.resolve(this.content(terminal)),
    register: () => this.register(),
  });

  load(): Promise<void> {
    return this.list.load();
  }

  private content(terminal: PosTerminal): HTMLElement {
    return h(
      "div",
      { class: "case" },
      this.facts(terminal),
      this.batch(text("pos.batch"), terminal.batch),
      terminal.settled && terminal.settled.batch_no !== terminal.batch?.batch_no
        ? this.batch(text("pos.settled"), terminal.settled)
        : null,
      this.differing(terminal),
    );
  }

  private facts(terminal: PosTerminal): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      this.list.tags(terminal),
      terminal.state_reason ? h("p", { class: "note" }, terminal.state_reason) : null,
      h(
        "dl",
        { class: "facts" },
        fact(text("pos.number"), h("span", { class: "mono" }, terminal.terminal_no)),
        fact(text("pos.merchant"), h("span", { class: "mono" }, terminal.merchant_no)),
        fact(text("terminals.district"), terminal.district),
        fact(text("pos.signed_in"), moment(terminal.signed_in_at)),
        fact(text("terminals.heard"), moment(terminal.heard_at)),
        fact(text("pos.registered"), exactly(instant(terminal.registered_at))),
        fact(text("pos.keys"), wholeNumber(terminal.key_generation)),
      ),
      this.list.mayAct && terminal.state !== "retired" ? this.acts(terminal) : null,
    );
  }

  /** A batch by all three sides, as far as they spoke. */
  private batch(title: string, batch: PosBatch | null): HTMLElement {
    if (!batch) return h("section", { class: "panel-section" }, h("h3", {}, title), h("p", { class: "note" }, text("pos.no_batch")));
    const sides = [
      ["pos.ours", batch.ours],
      ["pos.told", batch.told],
    ] as const;
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, `${title} ${batch.batch_no} `, h("span", { class: BATCH_TAGS[batch.state] }, named("pos.batch", batch.state))),
      h(
        "dl",
        { class: "facts" },
        fact(text("pos.opened"), exactly(instant(batch.opened_at))),
        batch.settled_at ? fact(text("pos.ended"), exactly(instant(batch.settled_at))) : null,
        ...sides.map(([key, side]) =>
          side
            ? fact(
                text(key),
                text("pos.totals", {
                  sales: wholeNumber(side.sales),
                  sold: price(side.sold),
                  back: wholeNumber(side.back),
                  went_back: price(side.went_back),
                }),
              )
            : null,
        ),
        batch.ledger_net ? fact(text("pos.ledger"), price(batch.ledger_net)) : null,
      ),
    );
  }

  private differing(terminal: PosTerminal): HTMLElement {
    return h(
      "section",
      { class: "panel-section" },
      h("h3", {}, text("pos.differing")),
      terminal.differing.length === 0
        ? h("p", { class: "note" }, text("pos.differing_none"))
        : h(
            "ul",
            { class: "refused-acts" },
            ...terminal.differing.map((each) =>
              h(
                "li",
                {},
                h("strong", {}, named("difference", each.kind)),
                h(
                  "span",
                  {},
                  text("pos.difference", {
                    act: named("pos.act", each.act),
                    told: each.terminal ? price(each.terminal) : text("pos.nothing"),
                    ours: each.ours ? price(each.ours) : text("pos.nothing"),
                  }),
                ),
                h("span", { class: "item-facts mono" }, `${each.batch_no}-${each.trace}`),
              ),
            ),
          ),
    );
  }

  private acts(terminal: PosTerminal): HTMLElement {
    return h(
      "p",
      { class: "panel-acts" },
      terminal.state === "active" ? this.list.turnButton(terminal, "lock", "button button-primary") : null,
      terminal.state === "locked" ? this.list.turnButton(terminal, "unlock", "button button-primary") : null,
      h("button", { class: "button", type: "button", onclick: () => this.giveKey(terminal) }, text("pos.new_key")),
      this.list.turnButton(terminal, "retire"),
    );
  }

  /** Another key: the one before ends at once, so it is said first. */
  private giveKey(terminal: PosTerminal): void {
    showForm({
      title: `${text("pos.new_key")}: ${terminal.name}`,
      parts: [h("p", {}, text("pos.new_key_means"))],
      submit: text("pos.new_key"),
      send: async () => {
        const given = await act<PosKey>("POST", `/api/v1/pos-terminals/${terminal.id}/key`, {});
        await this.list.load();
        this.showKey(given);
        return null;
      },
    });
  }

  private async register(): Promise<void> {
    const number = field("", { required: true, pattern: "[0-9A-Z]{8}", maxlength: 8 });
    const merchant = field(this.list.items?.[0]?.merchant_no ?? "", { required: true, pattern: "[0-9A-Z]{15}", maxlength: 15 });
    const name = field("", { required: true, maxlength: 120 });
    const district = await districtField();
    const mac = choice([["unionpay", text("pos.mac.unionpay")] as const, ["x9.19", text("pos.mac.x9.19")] as const]);
    showForm({
      title: text("pos.register"),
      parts: [
        labelled("pos-number", text("pos.number"), number, text("pos.number_hint")),
        labelled("pos-merchant", text("pos.merchant"), merchant, text("pos.merchant_hint")),
        labelled("pos-name", text("terminals.name"), name),
        labelled("pos-district", text("terminals.district"), district),
        labelled("pos-mac", text("pos.mac"), mac),
      ],
      submit: text("pos.register"),
      send: async () => {
        const given = await act<PosKey>("POST", "/api/v1/pos-terminals", {
          terminal_no: number.value,
          merchant_no: merchant.value,
          name: name.value,
          district: district.value,
          mac: mac.value,
        });
        await this.list.load();
        this.showKey(given);
        return null;
      },
    });
  }

  /** Once, in a dialog that nothing else closes. */
  private showKey(given: PosKey): void {
    const spaced = given.master_key.replace(/(.{4})(?=.)/g, "$1 ");
    showForm({
      title: text("pos.key", { name: given.terminal.name }),
      parts: [
        h("p", { class: "enrolment-code master-key" }, spaced),
        h("p", {}, text("pos.key_check", { check: given.check_value })),
        h("p", {}, text("pos.key_means")),
      ],
      submit: text("terminals.code_done"),
      send: () =>
        Promise.resolve(this.list.done(given.terminal)),
    });
  }
}
