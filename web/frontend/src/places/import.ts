/** Importing a file of places: looked at first, each feature accepted or rejected, then taken. */
import { act, actKey } from "../api/client";
import type { PlaceImport } from "../api/types";
import { h, replace } from "../shell/dom";
import { choice, field, labelled, row, showForm, typedNumber } from "../shell/form";
import { counted, named, text, wholeNumber } from "../shell/text";
import { nameOf, type Registry } from "./registry";
import { FACILITY_KINDS, OWNERSHIPS, REVENUES, wordsFor } from "./words";

const MOST_BYTES = 1_000_000;
const PATIENCE_MS = 120_000;
const SHOWN = 200;
const FORMATS = ["geojson", "curblr", "csv"] as const;

function formatOf(name: string): (typeof FORMATS)[number] {
  const lower = name.toLowerCase();
  if (lower.endsWith(".csv") || lower.endsWith(".txt")) return "csv";
  return lower.includes("curblr") ? "curblr" : "geojson";
}

function sums(report: PlaceImport): HTMLElement {
  const parts = (["facilities", "zones", "bays"] as const).map((kind) =>
    h(
      "li",
      {},
      h("span", { class: "muted" }, text(`places.import_${kind}`)),
      " ",
      Object.entries(report[kind])
        .map(([what, n]) => `${named("places.import", what)} ${wholeNumber(n)}`)
        .join(" · "),
    ),
  );
  return h("ul", { class: "import-sums" }, ...parts);
}

function table(caption: string, head: readonly string[], rows: readonly (readonly string[])[]): HTMLElement {
  return h(
    "div",
    { class: "table-box import-table", tabindex: 0, role: "region", "aria-label": caption },
    h(
      "table",
      { class: "table table-cards" },
      h("caption", { class: "visually-hidden" }, caption),
      h("thead", {}, h("tr", {}, ...head.map((words) => h("th", { scope: "col" }, words)))),
      h(
        "tbody",
        {},
        ...rows.map(([first = "", ...rest]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row", class: "mono" }, first),
            ...rest.map((words, index) => h("td", { "data-label": head[index + 1] ?? "" }, words)),
          ),
        ),
      ),
    ),
    rows.length > SHOWN ? h("p", { class: "note" }, text("places.import_more", { n: rows.length - SHOWN })) : null,
  );
}

export function importReport(report: PlaceImport): HTMLElement {
  return h(
    "section",
    { class: "import-report" },
    h(
      "p",
      { class: "import-verdict" },
      h("span", { class: "tag tag-good" }, counted("places.import_accepted", report.accepted.length)),
      " ",
      h(
        "span",
        { class: report.rejected.length ? "tag tag-danger" : "tag" },
        counted("places.import_rejected", report.rejected.length),
      ),
    ),
    sums(report),
    report.rejected.length
      ? table(
          text("places.import_rejected_list"),
          [text("places.import_ref"), text("places.import_field"), text("permits.reason")],
          report.rejected.slice(0, SHOWN).map((each) => [each.ref || `#${each.index + 1}`, each.field, each.reason]),
        )
      : null,
    report.accepted.length
      ? h(
          "details",
          { class: "form-more" },
          h("summary", {}, text("places.import_accepted_list")),
          table(
            text("places.import_accepted_list"),
            [text("places.import_ref"), text("places.import_facility"), text("places.import_bays"), text("places.import_notes")],
            report.accepted
              .slice(0, SHOWN)
              .map((each) => [each.ref || `#${each.index + 1}`, each.facility, wholeNumber(each.bays), each.notes.join("; ")]),
          ),
        )
      : null,
  );
}

export function importForm(registry: Registry, done: () => void): void {
  const file = h("input", { class: "input input-file", type: "file", required: true, accept: ".json,.geojson,.csv,.txt" });
  const format = choice(FORMATS.map((one): [string, string] => [one, text(`places.format_${one}`)]));
  const source = field("", { required: true, maxlength: 40, pattern: "[a-z0-9][a-z0-9_.\\-]*" });
  const districts = [...new Set(registry.facilities.map((each) => each.district))].sort();
  const district = field(districts.length === 1 ? districts[0] : "", {
    required: true,
    pattern: "[0-9a-z]{2,12}",
    list: "i-districts",
  });
  const known = h("datalist", { id: "i-districts" }, ...districts.map((each) => h("option", { value: each })));
  const operator = choice(registry.operators.map((each): [string, string] => [each.id, nameOf(each)]));
  const kind = choice(wordsFor("facility.kind", FACILITY_KINDS));
  const ownership = choice([["", text("places.import_by_kind")], ...wordsFor("facility.ownership", OWNERSHIPS)]);
  const revenue = choice(wordsFor("facility.revenue", REVENUES), "public_non_tax");
  const zone = field("Asia/Shanghai", { required: true, maxlength: 64 });
  const length = field(null, { type: "number", min: 1, max: 30, step: "any" });
  const result = h("div", { role: "status" });
  let checked: { of: string; key: string } | null = null;

  const reset = (): void => {
    checked = null;
    result.replaceChildren();
    submitWords(text("places.import_check"));
  };
  const submitWords = (words: string): void => {
    const submit = document.querySelector<HTMLElement>("#dialog .dialog-acts .button-primary");
    if (submit) submit.textContent = words;
  };
  file.addEventListener("change", () => {
    const chosen = file.files?.[0];
    if (!chosen) return;
    format.value = formatOf(chosen.name);
    source.value ||= chosen.name.toLowerCase().replace(/\.[^.]*$/, "").replace(/[^a-z0-9_.-]+/g, "-").replace(/^[^a-z0-9]+/, "").slice(0, 40);
    reset();
  });
  for (const input of [format, source, district, operator, kind, ownership, revenue, zone, length]) {
    input.addEventListener("change", reset);
  }

  const send = async (): Promise<string | null> => {
    const chosen = file.files?.[0];
    if (!chosen) return null;
    if (chosen.size > MOST_BYTES) {
      replace(result, h("p", { class: "form-problem", role: "alert" }, text("places.import_too_large")));
      return null;
    }
    const words = await decoded(chosen);
    let content: unknown = words;
    if (format.value !== "csv") {
      try {
        content = JSON.parse(words);
      } catch {
        replace(result, h("p", { class: "form-problem", role: "alert" }, text("places.import_not_json")));
        return null;
      }
    }
    const body = {
      format: format.value,
      source: source.value.trim(),
      district: district.value.trim(),
      operator_id: operator.value,
      content,
      kind: kind.value,
      ownership: ownership.value || null,
      revenue_nature: revenue.value,
      timezone: zone.value.trim(),
      bay_length_m: typedNumber(length),
    };
    const of = JSON.stringify(body);
    if (checked?.of === of) {
      const report = await act<PlaceImport>("POST", "/api/v1/place-imports", body, checked.key, PATIENCE_MS);
      done();
      return text("places.imported", { accepted: report.accepted.length, rejected: report.rejected.length });
    }
    replace(result, h("p", { class: "note" }, text("places.import_checking")));
    try {
      const report = await act<PlaceImport>("POST", "/api/v1/place-imports", { ...body, dry_run: true }, actKey(), PATIENCE_MS);
      replace(result, importReport(report));
      checked = report.accepted.length ? { of, key: actKey() } : null;
      if (checked) submitWords(counted("places.import_confirm", report.accepted.length));
    } catch (error) {
      result.replaceChildren();
      throw error;
    }
    return null;
  };
  showForm({
    title: text("places.import"),
    submit: text("places.import_check"),
    wide: true,
    send,
    parts: [
      h("p", { class: "note" }, text("places.import_note")),
      row(
        labelled("i-file", text("places.import_file"), file),
        labelled("i-format", text("places.import_format"), format),
      ),
      row(
        labelled("i-source", text("places.import_source"), source, text("places.import_source_hint")),
        labelled("i-district", text("places.district"), district),
        labelled("i-operator", text("places.operator"), operator),
      ),
      known,
      row(
        labelled("i-kind", text("places.kind"), kind),
        labelled("i-ownership", text("places.ownership"), ownership),
        labelled("i-revenue", text("places.revenue"), revenue),
      ),
      row(
        labelled("i-zone", text("places.timezone"), zone),
        labelled("i-length", text("places.import_bay_length"), length, text("places.import_bay_length_hint")),
      ),
      result,
    ],
  });
}

/** The words of a file: UTF-8, else GB 18030, in which Chinese spreadsheets write. */
async function decoded(file: File): Promise<string> {
  const bytes = await file.arrayBuffer();
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return new TextDecoder("gb18030").decode(bytes);
  }
}
