/** One work order: what and where, what may be done with it, its photos and its history. */
import { act, actKey, read } from "../api/client";
import { camera } from "../attendant/camera";
import { instant } from "../format/time";
import { exactly } from "../format/words";
import { fact } from "../panels/figures";
import { h, replace } from "../shell/dom";
import { choice, labelled, showForm } from "../shell/form";
import { named, text } from "../shell/text";
import { dueTag, fileAddress, place, priorityTag, said, seconds, stateTag } from "./words";
import { WORK, type Work, type WorkAct, type WorkDetail, type Worker, type WorkEntry } from "./types";

const PRIMARY: readonly WorkAct[] = ["take", "done", "check"];
const WITH_WORDS: ReadonlySet<string> = new Set(["hand_back", "note", "done", "give_back", "withdraw"]);

export type Changed = (done: WorkDetail) => Promise<void>;

export function orderCase(found: WorkDetail, changed: Changed): HTMLElement {
  document.body.dataset["order"] = found.state;
  return h(
    "div",
    { class: "case case-plain" },
    h(
      "section",
      { class: "panel-section" },
      h("p", { class: "tags" }, stateTag(found), priorityTag(found), dueTag(found)),
      h("p", { class: "duty-what" }, said(found.what)),
      acts(found, changed),
      h(
        "dl",
        { class: "facts" },
        fact(text("work.kind"), named("work.kind", found.kind)),
        fact(text("work.where"), where(found)),
        fact(text("work.assignee"), found.assignee ?? "–"),
        fact(text("work.raised"), raised(found)),
        found.fault ? fact(text("work.fault"), faultWords(found)) : null,
        fact(text("work.responded"), seconds(found.responded_s)),
        fact(text("work.mended"), seconds(found.mended_s)),
      ),
    ),
    h("section", { class: "panel-section" }, h("h3", {}, text("work.history")), history(found)),
  );
}

function where(found: Work): HTMLElement {
  return h("a", { href: fileAddress(found.network_id, found.signal) }, place(found));
}

function raised(found: Work): string {
  return `${exactly(instant(found.raised_at))} · ${found.origin === "rule" ? text("work.by_rule") : found.raised_by}`;
}

function faultWords(found: WorkDetail): HTMLElement {
  const fault = found.fault;
  if (fault?.open) return h("span", { class: "tag tag-danger" }, `▲ ${text("work.fault_open", { at: exactly(instant(fault.since_at)) })}`);
  const at = fault?.cleared_at ? exactly(instant(fault.cleared_at)) : "";
  return h("span", { class: "tag tag-good" }, `✓ ${text("work.fault_over", { at })}`);
}

function acts(found: WorkDetail, changed: Changed): HTMLElement | null {
  const main = PRIMARY.find((each) => found.acts.includes(each));
  const others = found.acts.filter((each) => each !== main) as WorkAct[];
  if (!main && others.length === 0) return null;
  const button = (what: WorkAct, primary: boolean): HTMLElement =>
    h(
      "button",
      {
        class: primary ? "button button-primary work-main" : "button",
        type: "button",
        "data-work": what,
        onclick: () => void ask(found, what, changed),
      },
      named("work.act", what),
    );
  const photo = found.acts.includes("note")
    ? h("button", { class: "button", type: "button", "data-work": "photo", onclick: () => askPhoto(found, changed) }, text("work.photo"))
    : null;
  return h(
    "div",
    { class: "work-acts" },
    main ? button(main, true) : null,
    photo,
    ...others.map((each) => button(each, false)),
  );
}

async function ask(found: WorkDetail, what: WorkAct, changed: Changed): Promise<void> {
  const key = actKey();
  const words = h("textarea", { class: "input", rows: 3, minlength: 3, maxlength: 1000, required: WITH_WORDS.has(what) });
  let workers: HTMLSelectElement | null = null;
  if (what === "assign") {
    const { items } = await read<{ items: Worker[] }>("/api/v1/signal-workers");
    workers = choice(items.map((each) => [each.id, each.name] as const));
  }
  showForm({
    title: `${place(found)} · ${named("work.act", what)}`,
    parts: [
      h("p", {}, named("work.means", what)),
      workers ? labelled("work-assignee", text("work.assignee"), workers) : null,
      WITH_WORDS.has(what) ? labelled("work-words", named("work.words", what), words) : null,
    ],
    submit: named("work.act", what),
    send: async () => {
      const body = { act: what, words: words.value.trim() || null, assignee: workers?.value ?? null };
      const done = await act<WorkDetail>("POST", `${WORK}/${found.id}/acts`, body, key);
      await changed(done);
      return named("work.state", done.state);
    },
  });
}

function askPhoto(found: WorkDetail, changed: Changed): void {
  const key = actKey();
  const lens = camera("work-photo", text("work.take_photo"));
  const words = h("textarea", { class: "input", rows: 2, minlength: 3, maxlength: 1000 });
  showForm({
    title: `${place(found)} · ${text("work.photo")}`,
    parts: [lens.element, labelled("work-photo-words", text("work.photo_words"), words), h("p", { class: "hint" }, text("work.photo_hint"))],
    submit: text("work.photo_send"),
    send: async () => {
      const taken = lens.photo();
      if (taken === null) return null;
      const body = { photo: base64(taken.content), words: words.value.trim() || null };
      await changed(await act<WorkDetail>("POST", `${WORK}/${found.id}/photos`, body, key, 60_000));
      return text("work.photo_kept");
    },
  });
}

export function base64(content: ArrayBuffer): string {
  let binary = "";
  for (const byte of new Uint8Array(content)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

function history(found: WorkDetail): HTMLElement {
  return h(
    "div",
    {},
    h("ol", { class: "work-history" }, ...found.entries.map((each) => h("li", {}, ...entry(found, each)))),
    found.more ? h("p", { class: "note" }, text("work.history_more")) : null,
  );
}

function entry(found: WorkDetail, each: WorkEntry): (Node | null)[] {
  return [
    h("p", { class: "work-entry" }, h("strong", {}, named("work.did", each.what)), each.other ? ` ${each.other}` : ""),
    each.words ? h("p", { class: "work-words" }, each.words) : null,
    each.photo ? photo(found, each.photo) : null,
    h("p", { class: "item-facts" }, `${exactly(instant(each.at))} · ${each.what === "raised" && found.origin === "rule" ? text("work.by_rule") : each.by}`),
  ];
}

/** Shown when asked for: each look is on record. */
function photo(found: WorkDetail, sha256: string): HTMLElement {
  const box = h("div", { class: "work-photo" });
  const show = h(
    "button",
    {
      class: "button",
      type: "button",
      onclick: () =>
        replace(box, h("img", { src: `${WORK}/${found.id}/photos/${sha256}`, alt: text("work.photo_alt", { place: place(found) }) })),
    },
    text("work.photo_show"),
  );
  replace(box, show);
  return box;
}
