/** Bills deducted when the car has left: what a driver agreed to, car by car and channel by channel. */
import "../styles/base.css";
import "../styles/mine.css";
import "../styles/rights.css";
import { act, actKey, ProblemError, read, type Page } from "./api/client";
import type { Agreement, Agreements, MyVehicle } from "./api/types";
import { parseAmount } from "./format/money";
import { instant } from "./format/time";
import { exactly, price } from "./format/words";
import { plateLabel } from "./plates/label";
import { byId, h, replace } from "./shell/dom";
import { choice, field, labelled, showForm } from "./shell/form";
import { startPage } from "./shell/page";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { named, text } from "./shell/text";
import { toast } from "./shell/toast";

const OWN = "/api/v1/me/agreements";
const CURRENCY = "CNY";
const TONES: Readonly<Record<Agreement["state"], string>> = {
  asked: "tag tag-warning",
  signed: "tag tag-good",
  paused: "tag tag-warning",
  ended: "tag",
};

class AgreementsPage {
  private readonly list = byId("agreements");
  private readonly form = byId("agree");

  async start(): Promise<void> {
    replace(this.list, skeleton(2, "card"));
    replace(this.form, skeleton(2));
    await this.confirmReturned();
    await this.load();
  }

  /** Whoever comes back from the channel's page: the channel is asked what it is now. */
  private async confirmReturned(): Promise<void> {
    const given = new URLSearchParams(location.search);
    const id = given.get("agreement");
    if (!id) return;
    history.replaceState(null, "", location.pathname);
    try {
      const after = await act<Agreement>("POST", `${OWN}/${encodeURIComponent(id)}/confirmation`, {
        holder: given.get("holder") ?? "",
      });
      toast(text(`agreements.now.${after.state}`));
    } catch (error) {
      toast(problemText(error), "danger");
    }
  }

  private async load(): Promise<void> {
    try {
      const [found, mine] = await Promise.all([
        read<Agreements>(OWN),
        read<Page<MyVehicle>>("/api/v1/me/vehicles"),
      ]);
      replace(
        this.list,
        found.items.length
          ? h("ul", { class: "rows" }, ...found.items.map((each) => this.row(each)))
          : emptyState(text("agreements.none"), text("agreements.none_advice")),
      );
      this.offer(found, mine.items);
    } catch (error) {
      replace(this.list, errorState(error, () => void this.load()));
      replace(this.form);
    }
  }

  private row(each: Agreement): HTMLElement {
    const last = each.last;
    const standing = each.state !== "ended";
    return h(
      "li",
      { class: "row", "data-agreement": each.id, "data-state": each.state, "data-channel": each.channel },
      h(
        "div",
        { class: "row-words" },
        h(
          "p",
          {},
          each.plate ? plateLabel(each.plate, "m") : text("mine.ticket_only"),
          " ",
          named("bill.channel", each.channel),
          " ",
          h("span", { class: TONES[each.state] }, named("agreements.state", each.state)),
        ),
        h("p", { class: "item-facts" }, text("agreements.limits", { single: price(each.single), daily: price(each.daily) })),
        each.state === "asked" ? h("p", { class: "note" }, text("agreements.sign_next")) : null,
        each.state === "paused" ? h("p", { class: "note" }, text("agreements.paused_note")) : null,
        last
          ? h(
              "p",
              { class: "item-facts" },
              h("a", { href: `/bills/${last.bill_id}` }, text(`agreements.last.${last.state}`, { amount: price(last.amount), at: exactly(instant(last.opened_at)) })),
            )
          : null,
        standing
          ? h(
              "p",
              { class: "panel-acts" },
              each.signing_link
                ? h(
                    "a",
                    { class: each.state === "asked" ? "button button-primary" : "button", href: each.signing_link },
                    text(each.state === "asked" ? "agreements.sign" : "agreements.manage"),
                  )
                : null,
              h("button", { class: "button button-quiet", type: "button", onclick: () => this.endDialog(each) }, text("agreements.end")),
            )
          : null,
      ),
    );
  }

  private offer(found: Agreements, vehicles: readonly MyVehicle[]): void {
    const own = vehicles.filter((vehicle) => vehicle.plate !== null);
    if (found.channels.length === 0) {
      replace(this.form, emptyState(text("agreements.no_channel"), text("agreements.no_channel_advice")));
      return;
    }
    if (own.length === 0) {
      replace(this.form, emptyState(text("mine.no_vehicles"), text("mine.bind_first"), h("a", { class: "button", href: "/mine" }, text("mine.page"))));
      return;
    }
    // One that waits to be signed is what there is to do.
    const signing = found.items.some((each) => each.state === "asked");
    replace(
      this.form,
      h("p", {}, text("agreements.what")),
      h(
        "p",
        { class: "panel-acts" },
        h("button", { class: signing ? "button" : "button button-primary", type: "button", onclick: () => this.agreeDialog(found, own) }, text("agreements.agree")),
      ),
    );
  }

  private agreeDialog(found: Agreements, own: readonly MyVehicle[]): void {
    const key = actKey();
    const car = choice(own.map((each) => [each.id, each.plate?.text ?? ""] as const));
    const channel = choice(found.channels.map((each) => [each, named("bill.channel", each)] as const));
    const single = field("50", { inputmode: "decimal", required: true });
    const daily = field("100", { inputmode: "decimal", required: true });
    const yuan = (typed: HTMLInputElement): { minor: number; currency: string } => {
      const minor = parseAmount(typed.value, CURRENCY);
      if (!minor) throw new ProblemError(422, "invalid", text("refund.no_amount"));
      return { minor, currency: CURRENCY };
    };
    showForm({
      title: text("agreements.agree_title"),
      parts: [
        labelled("agree-car", text("stay.plate"), car),
        labelled("agree-channel", text("agreements.channel"), channel),
        labelled("agree-single", text("agreements.single"), single, text("agreements.most", { amount: price(found.most_single) })),
        labelled("agree-daily", text("agreements.daily"), daily, text("agreements.most", { amount: price(found.most_daily) })),
        h("p", { class: "note" }, text("agreements.consequence")),
      ],
      submit: text("agreements.agree"),
      send: async () => {
        try {
          await act<Agreement>(
            "POST",
            OWN,
            { vehicle_id: car.value, channel: channel.value, single: yuan(single), daily: yuan(daily) },
            key,
          );
        } catch (error) {
          if (error instanceof ProblemError && error.status === 409) throw new ProblemError(422, error.code, text("agreements.already"));
          throw error;
        }
        void this.load();
        return text("agreements.now.asked");
      },
    });
  }

  private endDialog(each: Agreement): void {
    const key = actKey();
    showForm({
      title: text("agreements.end_title"),
      parts: [
        h("p", {}, each.plate ? plateLabel(each.plate, "m") : "", " ", named("bill.channel", each.channel)),
        h("p", { class: "note" }, text("agreements.end_consequence")),
      ],
      submit: text("agreements.end"),
      send: async () => {
        await act<Agreement>("POST", `${OWN}/${each.id}/end`, {}, key);
        void this.load();
        return text("agreements.now.ended");
      },
    });
  }
}

void startPage(() => new AgreementsPage().start());
