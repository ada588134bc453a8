/** A junction's file: how it does, work on it, its papers in versions, its faults and its plans. */
import { act, actKey, read } from "../api/client";
import type { Alarm } from "../duty/types";
import { severityTag, table } from "../duty/words";
import { instant } from "../format/time";
import { agoText, exactly } from "../format/words";
import { fact } from "../panels/figures";
import { byId, h, replace, write } from "../shell/dom";
import { choice, field, labelled, showForm } from "../shell/form";
import { hasRole } from "../shell/page";
import { emptyState, errorState } from "../shell/states";
import { named, text, wholeNumber } from "../shell/text";
import { onLineBar } from "./online";
import { base64 } from "./order";
import { PAPERS, WORK, type JunctionDocument, type JunctionFile, type Works } from "./types";
import { dueTag, priorityTag, said, stateTag } from "./words";

const SHOWN = 50;
const CLOCK_OFF_S = 10;
const LARGEST = 2 * 1024 * 1024;

export class FilePage {
  private readonly network: string;
  private readonly name: string;
  private readonly home: string;

  constructor(subject: string) {
    const cut = subject.indexOf("/");
    this.network = subject.slice(0, cut);
    this.name = subject.slice(cut + 1);
    this.home = `/api/v1/signal-networks/${this.network}/signals/${encodeURIComponent(this.name)}`;
    byId<HTMLAnchorElement>("back").href = `/signals/maintenance?network=${this.network}`;
    if (hasRole("engineer", "operator", "auditor", "administrator")) {
      byId("ways").append(" · ", h("a", { href: `/signals/duty/${this.network}/${encodeURIComponent(this.name)}` }, text("duty.open_junction")));
    }
    byId("add-document").addEventListener("click", () => this.add());
  }

  async start(): Promise<void> {
    await this.load();
  }

  async load(): Promise<void> {
    const network = `/api/v1/signal-networks/${this.network}`;
    const mine = { signal: this.name, limit: SHOWN };
    try {
      const [file, orders, alarms] = await Promise.all([
        read<JunctionFile>(`${this.home}/file`),
        read<Works>(WORK, { ...mine, network_id: this.network, view: "all" }),
        read<{ items: Alarm[]; next: string | null }>(`${network}/alarms`, { ...mine, state: "all" }),
      ]);
      this.head(file);
      this.orders(orders);
      this.documents(file.documents);
      this.faults(alarms.items, alarms.next !== null);
      this.plans(file);
      byId("add-document").hidden = !file.may_keep;
      byId("work").hidden = false;
      byId("problem").replaceChildren();
      document.body.dataset["file"] = this.name;
    } catch (error) {
      if (byId("work").hidden) replace(byId("problem"), errorState(error, () => void this.load()));
    }
  }

  private head(file: JunctionFile): void {
    const title = said(file.title);
    write(byId("junction-name"), title && title !== this.name ? `${this.name} ${title}` : this.name);
    write(byId("age"), text("post.age", { age: agoText(instant(file.at), Date.now()) }));
    const cabinet = file.cabinet;
    replace(
      byId("facts"),
      fact(text("file.month"), onLineBar(file.month)),
      file.month_before ? fact(text("file.month_before"), onLineBar(file.month_before)) : null,
      fact(text("file.cabinet"), cabinet ? `${named("file.protocol", cabinet.protocol)} · ${cabinet.transport.toUpperCase()} · ${cabinet.controller}` : text("file.no_cabinet")),
      ...cabinetFacts(cabinet),
      ...file.reporters.flatMap((each) => [
        fact(text("file.heard", { who: each.subject }), each.heard_at ? agoText(instant(each.heard_at), Date.now()) : text("duty.never")),
        each.refused_rows > 0 && each.refused_at
          ? fact(
              text("file.refused", { who: each.subject }),
              text("file.refused_rows", { n: wholeNumber(each.refused_rows), at: exactly(instant(each.refused_at)), why: each.refused_reason ?? "" }),
            )
          : null,
      ]),
      file.reporters.length === 0 ? fact(text("file.heard", { who: "" }), text("duty.not_reported")) : null,
    );
  }

  private orders(found: Works): void {
    replace(
      byId("orders"),
      found.items.length === 0
        ? emptyState(text("file.no_orders"), text("work.none_advice.active"))
        : h(
            "ul",
            { class: "duty-list" },
            ...found.items.map((each) =>
              h(
                "li",
                { class: "file-row" },
                h("a", { href: `/signals/maintenance?network=${each.network_id}&order=${each.id}` }, said(each.what)),
                h("p", { class: "tags" }, stateTag(each), priorityTag(each), dueTag(each)),
                h("p", { class: "item-facts" }, `${exactly(instant(each.raised_at))} · ${named("work.kind", each.kind)}${each.assignee ? ` · ${each.assignee}` : ""}`),
              ),
            ),
          ),
      found.next ? h("p", { class: "note" }, text("file.latest", { n: SHOWN })) : null,
    );
  }

  /** The last version of each paper; those before it under it. */
  private documents(items: readonly JunctionDocument[]): void {
    const papers = new Map<string, JunctionDocument[]>();
    for (const each of items) {
      const key = `${each.kind} ${each.title}`;
      papers.set(key, [...(papers.get(key) ?? []), each]);
    }
    replace(
      byId("documents"),
      papers.size === 0
        ? emptyState(text("file.no_documents"), text("file.no_documents_advice"))
        : h("ul", { class: "duty-list file-papers" }, ...[...papers.values()].map((versions) => h("li", { class: "file-row" }, ...this.paper(versions)))),
    );
  }

  private paper(versions: readonly JunctionDocument[]): (Node | null)[] {
    const [last, ...before] = versions;
    if (!last) return [];
    return [
      h("p", { class: "tags" }, h("span", { class: "tag" }, named("file.kind", last.kind)), h("a", { href: this.address(last), target: "_blank", rel: "noopener" }, last.title)),
      last.note ? h("p", { class: "work-words" }, last.note) : null,
      h("p", { class: "item-facts" }, this.keptWords(last)),
      before.length > 0
        ? h(
            "details",
            {},
            h("summary", {}, text("file.versions", { n: before.length })),
            h("ul", {}, ...before.map((each) => h("li", {}, h("a", { href: this.address(each), target: "_blank", rel: "noopener" }, this.keptWords(each))))),
          )
        : null,
    ];
  }

  private keptWords(each: JunctionDocument): string {
    const kind = named("file.format", each.format);
    return `${text("file.version", { n: each.version })} · ${kind} ${wholeNumber(Math.max(1, each.bytes / 1024))} KB · ${exactly(instant(each.kept_at))} · ${each.kept_by}`;
  }

  private address(each: JunctionDocument): string {
    return `${this.home}/documents/${each.id}/content`;
  }

  private faults(items: readonly Alarm[], more: boolean): void {
    replace(
      byId("faults"),
      items.length === 0
        ? emptyState(text("duty.empty.alarms"), text("duty.empty_advice.alarms"))
        : table(
            [text("file.fault"), text("file.since"), text("file.until"), text("duty.state")],
            items.map((each) => [
              said(each.what),
              exactly(instant(each.since_at)),
              each.cleared_at ? exactly(instant(each.cleared_at)) : "–",
              severityTag(each),
            ]),
            text("file.faults_table"),
          ),
      more ? h("p", { class: "note" }, text("file.latest", { n: SHOWN })) : null,
    );
  }

  private plans(file: JunctionFile): void {
    replace(
      byId("plans"),
      table(
        [text("file.plan"), text("file.since"), text("file.until"), text("file.origin")],
        file.plans.map((each) => [
          each.name ?? "–",
          exactly(instant(each.from_at)),
          each.until_at ? exactly(instant(each.until_at)) : h("span", { class: "tag tag-good" }, `✓ ${text("file.in_force")}`),
          each.version_id && hasRole("engineer", "operator", "auditor", "administrator")
            ? h("a", { href: `/signals/plans/${each.version_id}` }, named("file.origin", each.origin))
            : named("file.origin", each.origin),
        ]),
        text("file.plans_table"),
      ),
    );
  }

  private add(): void {
    const key = actKey();
    const kind = choice(PAPERS.map((each) => [each, named("file.kind", each)] as const));
    const title = field("", { required: true, maxlength: 120 });
    const content = h("input", { class: "input", type: "file", accept: "image/jpeg,image/png,application/pdf", required: true });
    const note = h("textarea", { class: "input", rows: 2, minlength: 3, maxlength: 1000 });
    const problem = h("p", { class: "form-problem", role: "alert", hidden: true }, text("file.too_large"));
    showForm({
      title: text("file.add"),
      parts: [
        labelled("document-kind", text("file.what"), kind),
        labelled("document-title", text("file.title"), title, text("file.title_hint")),
        labelled("document-content", text("file.content"), content, text("file.content_hint")),
        labelled("document-note", text("file.note"), note),
        problem,
      ],
      submit: text("file.keep"),
      send: async () => {
        const chosen = content.files?.[0];
        if (!chosen) return null;
        problem.hidden = chosen.size <= LARGEST;
        if (chosen.size > LARGEST) return null;
        const body = {
          kind: kind.value,
          title: title.value.trim(),
          content: base64(await chosen.arrayBuffer()),
          note: note.value.trim() || null,
        };
        await act<JunctionDocument>("POST", `${this.home}/documents`, body, key, 60_000);
        await this.load();
        return text("file.kept");
      },
    });
  }
}

/** What the cabinet said of itself; what it does not tell says that it is not known. */
function cabinetFacts(cabinet: JunctionFile["cabinet"]): readonly HTMLElement[] {
  if (!cabinet) return [];
  const unknown = text("duty.unknown");
  const made = [cabinet.maker, cabinet.version, cabinet.serial].filter((each) => each !== null);
  const wrong = cabinet.faults === null && cabinet.alarms === null ? null : [...(cabinet.faults ?? []), ...(cabinet.alarms ?? [])];
  return [
    fact(text("file.made"), made.length ? made.join(" · ") : unknown),
    fact(text("file.clock"), cabinet.clock_ahead_s === null ? unknown : clockTag(cabinet.clock_ahead_s)),
    fact(
      text("file.tells"),
      wrong === null
        ? unknown
        : wrong.length === 0
          ? h("span", { class: "tag tag-good" }, `✓ ${text("file.tells_nothing")}`)
          : h("span", { class: "tags" }, ...wrong.map((each) => h("span", { class: "tag tag-danger" }, `▲ ${named("cabinet.tells", each)}`))),
    ),
    fact(text("file.looked"), cabinet.looked_at ? agoText(instant(cabinet.looked_at), Date.now()) : text("duty.never")),
  ];
}

function clockTag(aheadS: number): HTMLElement {
  const off = Math.abs(aheadS) >= CLOCK_OFF_S;
  if (Math.abs(aheadS) < 1) return h("span", { class: "tag tag-good" }, `✓ ${text("file.clock_right")}`);
  const words = text(aheadS >= 0 ? "file.clock_ahead" : "file.clock_behind", { s: wholeNumber(Math.abs(aheadS)) });
  return h("span", { class: off ? "tag tag-danger" : "tag tag-good" }, `${off ? "▲" : "✓"} ${words}`);
}
