/** Where to park: a place, a time and a length in; priced free bays, list and map together, out. */
import "../styles/base.css";
import "../styles/map.css";
import "../styles/find.css";
import { ProblemError, read, readAll } from "./api/client";
import { lonLat, type Facility, type Nearest } from "./api/types";
import { CandidateList, type Shown } from "./find/candidates";
import { candidatePanel, type CandidatePanel } from "./find/candidate_panel";
import { WishForm } from "./find/form";
import { CandidateMap } from "./find/map";
import { steady } from "./find/steady";
import {
  bayOf,
  faultOf,
  filtersOf,
  fragmentOf,
  leaveMsOf,
  questionOf,
  RADII_M,
  withoutFilters,
  wishOf,
  type Wish,
} from "./find/wish";
import { metresText } from "./find/words";
import { instant } from "./format/time";
import { agoText } from "./format/words";
import { boxAround } from "./live/occupancy";
import { businessTime, everySecond, noteCityTime } from "./shell/clock";
import { byId, h, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, problemText, skeleton } from "./shell/states";
import { counted, text } from "./shell/text";
import { announce } from "./shell/toast";

const REFRESH_MS = 20_000;
/** From this age of the answer on, the list is said to be old. */
const OLD_MS = 60_000;
const DRAWN_FACILITIES = 500;

class FindPage {
  private wish: Wish = wishOf(location.hash);
  private bayId: string | null = bayOf(location.hash);
  private shown: readonly Shown[] = [];
  private answeredAtMs: number | null = null;
  private failure: unknown = null;
  private panel: CandidatePanel | null = null;
  private panelBay: string | null = null;
  private asking: AbortController | null = null;
  private asked = "";
  private opener: HTMLElement | null = null;

  private readonly main = byId("main");
  private readonly panelElement = byId("panel");
  private readonly panelTitle = byId("panel-title");
  private readonly status = byId("status");
  private readonly map = new CandidateMap({
    pickPoint: (at) => this.change({ ...this.wish, to: { at, name: "" } }, true),
    pickBay: (id) => this.open(id),
  });
  private readonly list = new CandidateList(
    byId("candidates"),
    (id) => this.open(id),
    (id) => this.map.point(id ?? this.bayId),
  );
  private readonly form = new WishForm(
    () => this.wish,
    (wish, moved) => this.change(wish, moved),
    () => void this.search(true),
  );

  start(): void {
    byId("panel-close").addEventListener("click", () => this.close());
    onKey("/", "find.keys.place", () => byId("place").focus());
    onKey("j", "keys.next", () => this.list.step(1));
    onKey("k", "keys.previous", () => this.list.step(-1));
    onKey("Escape", "keys.close", () => this.close());
    addEventListener("hashchange", () => this.addressed());
    addEventListener("offline", () => this.tick());
    addEventListener("online", () => void this.search(false));
    everySecond(() => this.tick());
    this.keepLanguageLink();
    this.form.show();
    void this.begin();
    poll(() => this.search(false), REFRESH_MS);
  }

  /** Where the city lies, for the map's first view; the list needs none of it. */
  private async begin(): Promise<void> {
    try {
      const facilities = await readAll<Facility>(
        "/api/v1/facilities",
        { limit: DRAWN_FACILITIES },
        DRAWN_FACILITIES,
      );
      const box = boxAround(facilities.map(({ position }) => lonLat(position)));
      await this.map.start(box);
      this.map.show(this.wish.to, this.shown, true);
      this.map.point(this.bayId);
    } catch (error) {
      this.map.without(problemText(error));
    }
  }

  private addressed(): void {
    const before = fragmentOf(this.wish);
    this.wish = wishOf(location.hash);
    this.bayId = bayOf(location.hash);
    this.keepLanguageLink();
    if (fragmentOf(this.wish) !== before) {
      this.form.show();
      void this.search(true);
    }
    this.showPanel(true);
  }

  /** The server never sees a fragment: the other language's link carries it on. */
  private keepLanguageLink(): void {
    const link = document.querySelector<HTMLAnchorElement>("a[hreflang]");
    if (link) link.hash = location.hash;
  }

  /** Take another wish; a new place is a step that the browser's back button undoes. */
  private change(wish: Wish, moved: boolean): void {
    this.wish = wish;
    this.bayId = null;
    const fragment = fragmentOf(wish);
    if (moved) history.pushState(null, "", fragment || location.pathname + location.search);
    else history.replaceState(null, "", fragment || location.pathname + location.search);
    this.keepLanguageLink();
    this.form.show();
    this.showPanel(false);
    void this.search(true);
  }

  /** Ask for candidates; `anew` where the wish changed, else what stands is only brought up to date. */
  private async search(anew: boolean): Promise<void> {
    const { wish } = this;
    const fault = faultOf(wish, businessTime());
    this.form.say(fault);
    if (!wish.to || fault) {
      this.asking?.abort();
      this.shown = [];
      this.answeredAtMs = null;
      this.failure = null;
      if (!wish.to) this.list.say(this.invitation());
      else this.list.say(emptyState(text("find.cannot_ask"), text(`find.fault.${fault ?? "price"}`)));
      this.map.show(wish.to, [], anew);
      this.tick();
      return;
    }
    if (!anew && this.asking) return;
    this.asking?.abort();
    const asking = new AbortController();
    this.asking = asking;
    const question = fragmentOf(wish) + JSON.stringify(this.form.origin);
    if (question !== this.asked) {
      this.shown = [];
      this.answeredAtMs = null;
      this.list.say(skeleton(5));
      this.map.show(wish.to, [], true);
    }
    const first = question !== this.asked;
    this.asked = question;
    const nowMs = businessTime();
    try {
      const { items } = await read<Nearest>(
        "/api/v1/bays/nearest",
        questionOf(wish, this.form.origin, nowMs),
        asking.signal,
      );
      if (asking.signal.aborted) return;
      this.failure = null;
      this.take(items, leaveMsOf(wish, nowMs), first);
    } catch (error) {
      if (asking.signal.aborted) return;
      this.failure = error;
      // What stands stays, and its age tells; only an empty list shows the failure itself.
      if (this.shown.length === 0) this.list.say(errorState(error, () => void this.search(true)));
    } finally {
      if (this.asking === asking) this.asking = null;
      this.tick();
    }
  }

  private take(items: Nearest["items"], leaveMs: number, first: boolean): void {
    const answeredMs = businessTime();
    for (const { bay } of items) if (bay.heard_at) noteCityTime(instant(bay.heard_at));
    const order = first || !this.list.busy ? [] : this.list.order;
    const held = steady(items, order, ({ bay }) => bay.id);
    this.shown = held.map((found, index) => ({ found, number: index + 1, leaveMs, answeredMs }));
    this.answeredAtMs = Date.now();
    if (items.length === 0) this.list.say(this.nothingFound());
    else this.list.show(this.shown);
    if (first) announce(counted("find.found", items.length));
    this.map.show(this.wish.to, this.shown, first);
    if (this.panelBay && !this.shown.some(({ found }) => found.bay.id === this.panelBay)) {
      this.panel?.gone();
    }
    if (this.bayId && !this.panel) this.showPanel(first);
    this.list.mark(this.bayId);
    this.map.point(this.bayId);
  }

  private invitation(): HTMLElement {
    return emptyState(text("find.where"), text("find.where_advice"));
  }

  /** Nothing fits: say what was asked, and what would ask for less. */
  private nothingFound(): HTMLElement {
    const { wish } = this;
    const acts: HTMLElement[] = [];
    const wider = RADII_M.find((radius) => radius > wish.radiusM);
    if (wider && wish.walkM === null) {
      acts.push(
        h(
          "button",
          {
            class: "button",
            type: "button",
            onclick: () => this.change({ ...wish, radiusM: wider }, false),
          },
          text("find.wider", { metres: metresText(wider) }),
        ),
      );
    }
    if (filtersOf(wish) > 0) {
      acts.push(
        h(
          "button",
          { class: "button", type: "button", onclick: () => this.change(withoutFilters(wish), false) },
          text("find.filters_clear"),
        ),
      );
    }
    return emptyState(
      text("find.none", { metres: metresText(wish.walkM ?? wish.radiusM) }),
      text(filtersOf(wish) > 0 ? "find.none_filters" : "find.none_advice"),
      h("div", { class: "empty-acts" }, ...acts),
    );
  }

  private tick(): void {
    const age = this.answeredAtMs;
    const offline = !navigator.onLine || (this.failure instanceof ProblemError && this.failure.offline);
    const old = age !== null && Date.now() - age > OLD_MS;
    const parts: string[] = [];
    if (age !== null) {
      parts.push(counted("find.found", this.shown.length), agoText(age, Date.now()));
      if (offline) parts.push(text("find.offline_old"));
      else if (this.failure) parts.push(problemText(this.failure));
      else if (old) parts.push(text("find.old"));
    } else if (offline) parts.push(text("find.offline"));
    this.status.dataset["state"] = offline ? "offline" : old || this.failure ? "old" : "fresh";
    write(this.status, parts.join(" · "));
    this.status.hidden = parts.length === 0;
    this.panel?.tick();
    if (age !== null && this.shown.length > 0) this.list.show(this.shown);
  }

  private open(id: string): void {
    if (!this.panel) this.opener = document.activeElement as HTMLElement | null;
    this.bayId = id;
    history.replaceState(null, "", fragmentOf(this.wish, id));
    this.keepLanguageLink();
    this.showPanel(true);
  }

  private close(): void {
    if (!this.panel) return;
    this.bayId = null;
    history.replaceState(null, "", fragmentOf(this.wish) || location.pathname + location.search);
    this.keepLanguageLink();
    this.showPanel(false);
    if (this.opener?.isConnected) this.opener.focus();
    this.opener = null;
  }

  private showPanel(focus: boolean): void {
    const chosen = this.shown.find(({ found }) => found.bay.id === this.bayId) ?? null;
    this.list.mark(chosen ? this.bayId : null);
    this.map.point(this.bayId);
    if (chosen && this.panelBay === this.bayId) return;
    this.panelBay = chosen ? this.bayId : null;
    this.panel = chosen ? candidatePanel(chosen, this.wish) : null;
    this.panelElement.hidden = !this.panel;
    this.main.dataset["panel"] = this.panel ? "open" : "closed";
    if (!this.panel || !chosen) {
      byId("panel-content").replaceChildren();
      return;
    }
    write(this.panelTitle, this.panel.title);
    replace(byId("panel-content"), this.panel.element);
    this.panelElement.scrollTop = 0;
    this.map.look(chosen);
    if (focus) this.panelTitle.focus({ preventScroll: true });
  }
}

void startPage(() => new FindPage().start());
