/** A new tariff: its code, its names and one price; the rest is written in the editor. */
import { act, actKey } from "../api/client";
import type { TariffVersion } from "../api/types";
import { zone } from "../shell/clock";
import { h } from "../shell/dom";
import { choice, field, labelled, row, showForm } from "../shell/form";
import { text } from "../shell/text";
import { minorOf, startingDocument } from "./starting";

export function createTariff(done: (code: string, version: TariffVersion) => void): void {
  const key = actKey();
  const code = field("", { required: true, pattern: "[a-z0-9][a-z0-9_\\-]{1,62}", spellcheck: "false" });
  const zh = field("", { required: true, maxlength: 200 });
  const en = field("", { required: true, maxlength: 200 });
  const currency = field("CNY", { required: true, pattern: "[A-Z]{3}" });
  const timezone = field(zone(), { required: true, maxlength: 64 });
  const price = field(null, { type: "number", min: 0, step: "0.01", required: true });
  const unit = choice([15, 30, 60, 120].map((n): [string, string] => [String(n), text("lasting.minutes", { minutes: n })]), "60");
  const free = field(0, { type: "number", min: 0, max: 1440, required: true });
  const cap = field(null, { type: "number", min: 0, step: "0.01" });
  showForm({
    title: text("tariffs.new_title"),
    submit: text("tariffs.new_draft"),
    wide: true,
    parts: [
      h("p", { class: "note" }, text("tariffs.new_note")),
      labelled("t-code", text("places.code"), code, text("tariffs.code_hint")),
      row(labelled("t-zh", text("places.name_zh"), zh), labelled("t-en", text("places.name_en"), en)),
      row(
        labelled("t-price", text("tariffs.new_price"), price),
        labelled("t-unit", text("tariffs.new_unit"), unit),
        labelled("t-free", text("tariffs.new_free"), free),
        labelled("t-cap", text("tariffs.new_cap"), cap, text("places.optional")),
      ),
      row(
        labelled("t-currency", text("tariffs.currency"), currency),
        labelled("t-zone", text("places.timezone"), timezone),
      ),
    ],
    send: async () => {
      const money = currency.value.trim();
      const document_ = startingDocument({
        zh: zh.value.trim(),
        en: en.value.trim(),
        currency: money,
        timezone: timezone.value.trim(),
        price_minor: minorOf(Number(price.value), money),
        unit_min: Number(unit.value),
        free_min: Number(free.value),
        cap_minor: cap.value.trim() === "" ? null : minorOf(Number(cap.value), money),
      });
      const path = `/api/v1/tariffs/${encodeURIComponent(code.value.trim())}/versions`;
      const version = await act<TariffVersion>("POST", path, { document: document_ }, key);
      done(code.value.trim(), version);
      return text("tariffs.drafted", { n: version.version });
    },
  });
}
