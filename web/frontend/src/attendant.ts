/** The attendant's page: a handheld's width first, beside each other where there is room. */
import "../styles/base.css";
import "../styles/attendant.css";
import { ProblemError, read, readAll } from "./api/client";
import type { Bill, Facility, PatrolTask, Session } from "./api/types";
import { keepApp } from "./attendant/app";
import { aheadStep, type WithoutLine } from "./attendant/ahead";
import { arrearsByPlate, arrearsOfStay, codeStep, linkTo, type ArrearsActs } from "./attendant/arrears";
import { bridge } from "./attendant/bridge";
import { bayActs, corrections, escapeForm } from "./attendant/bay_acts";
import { cardStep } from "./attendant/card";
import { CashDesk, cashDone, type Taken } from "./attendant/cash";
import { facilityChoice } from "./attendant/choice";
import { codeScanStep } from "./attendant/code";
import { dayPanel } from "./attendant/day";
import { Home } from "./attendant/home";
import { Patrol, patrolPanel } from "./attendant/patrol";
import { point } from "./attendant/patrol_tasks";
import { keptPosts } from "./attendant/kept";
import { installType } from "./attendant/large_type";
import { knownPlace } from "./attendant/place";
import { printButton } from "./attendant/receipt";
import { PlateEntry } from "./attendant/plate_entry";
import { Post } from "./attendant/post";
import { readShift, ShiftPanel } from "./attendant/shift";
import { billSummary, stayPanel, type StayActs } from "./attendant/stay_panel";
import type { Money } from "./format/money";
import { instant } from "./format/time";
import { inLanguage, price } from "./format/words";
import { businessTime, everySecond } from "./shell/clock";
import { byId, h, put, replace, write } from "./shell/dom";
import { onKey } from "./shell/keys";
import { outboxBar, outboxList } from "./outbox/bar";
import { doneAtMs, type Shown, type Wanted } from "./outbox/acts";
import { Outbox } from "./outbox/outbox";
import type { TakenPhoto } from "./outbox/photos";
import { hasRole, page, startPage } from "./shell/page";
import { poll } from "./shell/poll";
import { emptyState, errorState, skeleton } from "./shell/states";
import { text } from "./shell/text";
import { toast } from "./shell/toast";
import { resumeClock, watchClock } from "./terminal/city_clock";
import { Refused, signIn, tellHealth } from "./terminal/line";
import { known } from "./terminal/self";
import { terminalPanel } from "./attendant/terminal_panel";

const REFRESH_MS = 4_000;
const HEALTH_MS = 60_000;
/** How long a log-out waits for the terminal's sign-out; one that was not heard is sent by the next start. */
const SIGN_OUT_MS = 3_000;
const POST_KEY = "greenbay.post";

interface Step {
  readonly title: string;
  readonly element: HTMLElement;
  readonly update?: () => void;
}

class AttendantPage {
  private readonly home = byId("home");
  private readonly actPanel = byId("act");
  private readonly actTitle = byId("act-title");
  private readonly actBody = byId("act-content");
  private post: Post | null = null;
  private view: Home | null = null;
  private step: Step | null = null;
  private refreshNow: (() => void) | null = null;
  private offline = false;
  private barred = false;
  private readonly outbox = new Outbox();
  private readonly patrol = new Patrol(() => this.outbox.laid());
  /** A bay to be opened once its post is read. */
  private wantedBay: string | null = null;

  constructor() {
    installType();
    resumeClock();
    byId("act-close").addEventListener("click", () => this.closeStep());
    onKey("Escape", "keys.close", () => this.closeStep());
    everySecond(() => {
      watchClock();
      this.view?.showAge(this.offline || !navigator.onLine);
      this.view?.update();
      this.step?.update?.();
    });
  }

  async start(): Promise<void> {
    // Without storage (a private window, say) the page works on line as it does on no terminal.
    await this.outbox.start().catch(() => undefined);
    outboxBar(byId("outbox"), this.outbox, () => this.openOutbox());
    this.outbox.onChange(() => this.lay());
    keepApp(byId("app-news"));
    void this.patrol.start();
    void bridge.start();
    this.work();
    addEventListener("online", () => void this.signIn());
    document.querySelector("form.log-out")?.addEventListener("submit", (event) => this.signOut(event));
    void this.signIn();
    poll(() => this.tellHealth(), HEALTH_MS);
  }

  /** Sign in at the terminal; without a line whoever was signed in here before still is. */
  private async signIn(): Promise<void> {
    try {
      const told = await signIn();
      if (!told) return;
      const { next_act, offline_cash } = told.terminal;
      await this.outbox.signedIn(
        { accountId: told.account_id, name: told.name, offlineCash: offline_cash },
        told.terminal.id,
        next_act,
      );
      await this.outbox.upload();
      // For a shift that is begun or counted without a line.
      if (hasRole("attendant")) await readShift(told.account_id, told.terminal.district);
    } catch {
      // Asked again with the next page or line.
    }
  }

  /**
   * Whoever logs out leaves the terminal, too. Without a line nobody is logged out, and whoever goes
   * on here is still signed in.
   */
  private signOut(event: Event): void {
    const form = event.target;
    if (!this.keeps || this.outbox.offline || !navigator.onLine || !(form instanceof HTMLFormElement)) return;
    event.preventDefault();
    const told = this.note({ kind: "sign-out" }, {}).then(() => this.outbox.upload(true));
    const late = new Promise<void>((resolve) => setTimeout(resolve, SIGN_OUT_MS));
    void Promise.race([told.catch(() => undefined), late]).then(() => form.submit());
  }

  /** Whether acts are kept here and sent: this is a terminal, and whoever reads is signed in at it. */
  private get keeps(): boolean {
    const { person } = this.outbox;
    return person !== null && person.accountId === page().account;
  }

  private async note(wanted: Wanted, shown: Shown, photo: TakenPhoto | null = null): Promise<void> {
    await this.outbox.note(wanted, shown, photo);
  }

  /** Lay what was done here over what the city said last. */
  private lay(): void {
    this.post?.lay();
    this.view?.update();
    this.step?.update?.();
  }

  private openOutbox(): void {
    const { element, update } = outboxList(this.outbox);
    this.show({ title: text("outbox.title"), element, update });
  }

  private work(): void {
    const kept = localStorage.getItem(POST_KEY);
    if (kept) this.takePost(kept);
    else void this.choosePost();
  }

  /** Tell how the terminal does, and heed what it is told: a locked one shows nothing. */
  private async tellHealth(): Promise<void> {
    try {
      const waiting = this.outbox.waiting();
      const oldest = waiting[0];
      const photos = this.outbox.photos();
      const told = await tellHealth({
        waiting: waiting.length,
        oldestAt: oldest ? new Date(doneAtMs(oldest)).toISOString() : null,
        pricesOf: this.post?.pricesOf ?? null,
        place: await knownPlace(),
      });
      if (told) this.outbox.notePhotosAwaited(told.awaited_photos, photos);
      if (told?.state === "locked") {
        this.bar(text("terminal.locked"), text("terminal.locked_advice", { reason: told.state_reason }));
      } else if (this.barred) {
        this.barred = false;
        this.work();
      }
    } catch (error) {
      if (error instanceof Refused && error.reason === "revoked") {
        this.bar(text("terminal.revoked"), text("terminal.revoked_advice"));
      }
    }
    this.view?.showTerminal((await known())?.name || null);
  }

  private bar(title: string, advice: string): void {
    this.barred = true;
    this.post = null;
    this.view = null;
    this.show(null);
    replace(this.home, emptyState(title, advice));
  }

  private async openTerminal(): Promise<void> {
    const element = await terminalPanel(() => {
      void this.tellHealth();
      void this.signIn();
    });
    this.show({ title: text("terminal.title"), element });
  }

  private takePost(facilityId: string): void {
    localStorage.setItem(POST_KEY, facilityId);
    const post = new Post(facilityId, () => this.outbox.laid());
    this.post = post;
    this.view = null;
    this.show(null);
    replace(this.home, skeleton(2, "card"), skeleton(6, "row"));
    this.refreshNow ??= poll(() => this.refresh(), REFRESH_MS);
    this.refreshNow();
  }

  private async refresh(): Promise<void> {
    const { post } = this;
    if (!post) return;
    const askedMs = performance.now();
    try {
      await post.load();
      this.outbox.seenSince(askedMs);
      post.lay();
      if (this.keeps) void post.fetchFees();
    } catch (error) {
      this.offline = true;
      const restored = await post.restore();
      if (post !== this.post) return;
      if (!this.view && restored) this.showHome(post);
      if (!this.view) {
        replace(
          this.home,
          errorState(error, () => this.refreshNow?.()),
          h(
            "button",
            { class: "button button-quiet", type: "button", onclick: () => void this.choosePost() },
            text("post.choose_other"),
          ),
        );
      } else this.view.showAge(true);
      return;
    }
    if (post !== this.post) return;
    this.offline = false;
    if (this.view) this.view.update();
    else this.showHome(post);
    this.view?.showAge(false);
    this.step?.update?.();
  }

  private showHome(post: Post): void {
    const view = new Home(post, {
      openBay: (bayId) => this.openBay(bayId),
      takePlate: (bayId) => this.openPlate(bayId),
      openBill: (billId) => void this.openBill(billId),
      choosePost: () => void this.choosePost(),
      openTerminal: () => void this.openTerminal(),
      openArrears: () => this.openArrears(),
      openShift: () => this.openShift(post),
      openPatrol: () => void this.openPatrol(post),
      openDay: () => void this.openDay(),
    });
    this.view = view;
    replace(this.home, view.element);
    void known().then((self) => view.showTerminal(self?.id ? self.name : null));
    if (this.wantedBay) this.openBay(this.wantedBay);
    this.wantedBay = null;
  }

  private async choosePost(): Promise<void> {
    this.post = null;
    this.view = null;
    this.show(null);
    replace(this.home, h("h1", {}, text("post.choose")), skeleton(8));
    let facilities: Facility[];
    let note: HTMLElement | null = null;
    try {
      facilities = await readAll<Facility>("/api/v1/facilities", { limit: 500 });
    } catch (error) {
      // Without a line those can be taken that were read here before.
      const kept = error instanceof ProblemError && error.offline ? await keptPosts() : [];
      if (kept.length === 0) {
        replace(this.home, errorState(error, () => void this.choosePost()));
        return;
      }
      facilities = kept.map(({ facility }) => facility);
      note = h("p", { class: "note note-warning", role: "status" }, text("post.kept_alone"));
    }
    replace(this.home, h("h1", {}, text("post.choose")), note, ...facilityChoice(facilities, (id) => this.takePost(id)));
  }

  private openBay(bayId: string): void {
    if (!this.post) return;
    const panel = stayPanel(this.post, bayId, {
      takePlate: (id) => this.openPlate(id),
      ...this.taking(),
      takeAhead: (stay) => this.openAhead(stay, bayId),
      arrears: (stayId) => arrearsOfStay(stayId, this.arrears(() => this.openBay(bayId)), this.patrol.owes(stayId)),
    });
    if (!panel) return;
    if (this.keeps) {
      const note = async (wanted: Wanted, shown: Shown, photo: TakenPhoto | null = null): Promise<void> => {
        await this.note(wanted, shown, photo);
        this.closeStep();
      };
      const more = bayActs(this.post, bayId, note, {
        begin: () => this.openPlate(bayId),
        swap: () => this.openSwap(bayId),
      });
      if (more) panel.element.append(more);
    } else {
      const stay = this.post.stayIn(bayId);
      const wrong = stay ? corrections(stay, () => this.corrected(bayId)) : null;
      if (wrong) panel.element.append(wrong);
    }
    this.show(panel);
  }

  private corrected(bayId: string): void {
    this.refreshNow?.();
    this.openBay(bayId);
  }

  /** The ways in which a bill is paid here. */
  private taking(): Pick<StayActs, "takeCash" | "scanCode" | "showCode" | "takeCard" | "escaped" | "offline"> {
    return {
      offline: () => this.offline || !navigator.onLine,
      escaped: (bill) => this.escapeOf(bill),
      takeCash: (bill) => this.openCash(bill),
      scanCode: (bill) => this.openScan(bill),
      showCode: (bill) => void this.openCode(bill),
      takeCard: (bill) => this.show({ title: text("card_pay.start"), element: cardStep(bill, () => this.readAnew()) }),
    };
  }

  /** What says that whoever owes a bill drove off; nothing where it is due, or this is no terminal. */
  private escapeOf(bill: Bill): HTMLElement | null {
    if (!this.keeps || instant(bill.due_at) <= businessTime()) return null;
    return escapeForm({ bill_id: bill.id }, "–", async (wanted, shown, photo = null) => {
      await this.note(wanted, { ...shown, amount: bill.outstanding }, photo);
      this.closeStep();
    });
  }

  private openAhead(stay: Session, bayId: string): void {
    const label = this.post?.short(stay.bay_label) ?? stay.bay_label;
    const acts = {
      show: (title: string, step: HTMLElement) => this.show({ title, element: step }),
      close: () => this.corrected(bayId),
    };
    const element = aheadStep(stay, label, acts, this.keeps ? this.aheadHere(stay, bayId, label) : null);
    this.show({ title: text("prepay.title", { label }), element });
  }

  /** Cash ahead as this device's own tables say; kept here until there is a line. */
  private aheadHere(stay: Session, bayId: string, label: string): WithoutLine {
    return {
      due: (atMs) => this.post?.due(stay, atMs)?.fee ?? null,
      note: async (due, tenderedMinor, minutes) => {
        const refused = this.beyondLimit(due);
        if (refused !== null) return refused;
        const { minor, currency } = due;
        await this.note(
          { kind: "ahead", bay_id: bayId, amount_minor: minor, tendered_minor: tenderedMinor, currency, minutes_ahead: minutes },
          { label, amount: due },
        );
        return null;
      },
    };
  }

  /** Why no more cash is taken without a line; null where it may be. */
  private beyondLimit({ minor, currency }: Money): string | null {
    const room = this.outbox.cashRoom(currency);
    return minor > room ? text("cash.offline_limit", { room: price({ minor: room, currency }) }) : null;
  }

  private async openCode(bill: Bill): Promise<void> {
    const title = text("owed.code_title");
    this.show({ title, element: skeleton(4, "line") });
    try {
      const link = await linkTo([bill.id]);
      this.show({ title, element: codeStep(link, bill.outstanding, () => this.readAnew()) });
    } catch (error) {
      this.show({ title, element: errorState(error, () => void this.openCode(bill)) });
    }
  }

  /** What arrears do on this page: steps of their own, after which `back` is shown. */
  private arrears(back: () => void): ArrearsActs {
    return {
      show: (title, element) => this.show({ title, element }),
      close: () => {
        back();
        this.refreshNow?.();
      },
    };
  }

  /** What was done today, on a terminal; any other device keeps no list. */
  private async openDay(): Promise<void> {
    const self = await known();
    const { account } = page();
    if (!self?.id || !account || !this.keeps) {
      this.show({ title: text("day.title"), element: emptyState(text("day.no_terminal"), text("day.no_terminal_advice")) });
      return;
    }
    const element = dayPanel({ terminalId: self.id, account, waiting: () => this.outbox.waiting() });
    this.show({ title: text("day.title"), element });
  }

  private openShift(post: Post): void {
    const { facility } = post;
    if (!facility) return;
    const place = { district: facility.district, name: inLanguage(facility.name.zh, facility.name.en) };
    const panel = new ShiftPanel(place, {
      waiting: () => this.outbox.waiting(),
      note: this.keeps ? (wanted, shown = {}) => this.note(wanted, shown) : null,
    });
    this.show({ title: text("shift.title"), element: panel.element, update: () => panel.update() });
  }

  private async openPatrol(post: Post): Promise<void> {
    const { facility } = post;
    if (!facility) return;
    await this.patrol.start();
    const panel = patrolPanel(this.patrol, point(facility.position), {
      act: (task) => this.answer(task),
      show: (title, element) => this.show({ title, element }),
      back: () => void this.openPatrol(post),
    });
    this.show({ title: text("patrol.title"), ...panel });
  }

  /** Do what a task calls for, without a line where an act can wait. */
  private answer(task: PatrolTask): void {
    const { kind, session_id: stayId } = task;
    if (kind === "escape" && task.bill_id) void this.openBill(task.bill_id);
    else if (kind === "arrears" && stayId) {
      const element = h("div", { class: "panel-body" }, arrearsOfStay(stayId, this.arrears(() => this.answer(task))));
      this.show({ title: text("owed.title"), element });
    } else if (kind === "plate" && this.keeps) this.enterPlate(task.bay_id, task.bay_label, null);
    else if (this.post?.bay(task.bay_id)) this.openBay(task.bay_id);
    else {
      this.wantedBay = task.bay_id;
      this.takePost(task.facility_id);
    }
  }

  private openArrears(): void {
    const element = arrearsByPlate(this.arrears(() => this.closeStep()));
    this.show({ title: text("owed.open"), element });
  }

  private openPlate(bayId: string): void {
    const stay = this.post?.stayIn(bayId) ?? null;
    const bay = this.post?.bay(bayId);
    if (this.keeps && this.post && bay) {
      this.enterPlate(bayId, this.post.short(bay.label), stay);
      return;
    }
    if (!stay) {
      toast(text("plate.left"), "danger");
      this.openBay(bayId);
      return;
    }
    const label = this.post?.short(stay.bay_label) ?? stay.bay_label;
    const entry = new PlateEntry(stay, label, (attached) => {
      this.post?.take(attached);
      toast(text("plate.attached", { label }));
      this.view?.update();
      this.openBay(bayId);
      this.refreshNow?.();
    });
    this.show({ title: text("plate.title", { label }), element: entry.element });
  }

  /** Take a plate as an act that can wait: also of a bay that is not of this post. */
  private enterPlate(bayId: string, label: string, stay: Session | null): void {
    const entry = new PlateEntry(stay, label, () => undefined, async (plate, kind, photo) => {
      await this.note({ kind: "plate", bay_id: bayId, plate, plate_kind: kind }, { label }, photo);
      if (this.post?.bay(bayId)) this.openBay(bayId);
      else if (this.post) await this.openPatrol(this.post);
    });
    this.show({ title: text("plate.title", { label }), element: entry.element });
  }

  /** Say that another vehicle than the noted one stands in a bay, by its plate. */
  private openSwap(bayId: string): void {
    const stay = this.post?.stayIn(bayId);
    const bay = this.post?.bay(bayId);
    if (!this.post || !stay || !bay) return;
    const label = this.post.short(bay.label);
    // Without what is noted: it is not corrected, it left.
    const entry = new PlateEntry({ ...stay, plate: null }, label, () => undefined, async (plate, kind, photo) => {
      const wanted: Wanted = { kind: "swap", bay_id: bayId, plate, plate_kind: kind, reason: text("bay_act.swap_reason") };
      await this.note(wanted, { label }, photo);
      this.openBay(bayId);
    });
    this.show({ title: text("bay_act.swap_title", { label }), element: entry.element });
  }

  private async openBill(billId: string): Promise<void> {
    const body = h("div", { class: "panel-body" }, skeleton(4, "line"));
    this.show({ title: text("bill.title"), element: body });
    try {
      const known = this.post?.bill(billId);
      const bill = await read<Bill>(`/api/v1/bills/${billId}`).catch((error: unknown) => {
        // Without a line the bill is as it was read last: nothing is charged on a bill once issued.
        if (known && error instanceof ProblemError && error.offline) return known;
        throw error;
      });
      replace(
        body,
        billSummary(bill, {
          takePlate: () => undefined,
          ...this.taking(),
          takeAhead: () => undefined,
          arrears: () => null,
        }),
      );
    } catch (error) {
      replace(body, errorState(error, () => void this.openBill(billId)));
    }
  }

  private openCash(bill: Bill): void {
    const note = async (tenderedMinor: number): Promise<string | null> => {
      const { minor, currency } = bill.outstanding;
      const refused = this.beyondLimit(bill.outstanding);
      if (refused !== null) return refused;
      await this.note(
        { kind: "cash", bill_id: bill.id, tendered_minor: tenderedMinor, currency },
        { amount: { minor, currency } },
      );
      return null;
    };
    const paid = (taken: Taken): void => {
      if (!this.keeps) this.post?.settled(bill.id);
      this.view?.update();
      this.show({
        title: text("cash.title"),
        element: cashDone(taken, () => this.closeStep(), printButton(bill, taken)),
      });
      this.refreshNow?.();
    };
    const desk = new CashDesk(bill, paid, this.keeps ? note : undefined);
    this.show({ title: text("cash.title"), element: desk.element });
  }

  private openScan(bill: Bill): void {
    const paid = (): void => {
      this.post?.settled(bill.id);
      this.view?.update();
      this.readAnew();
    };
    this.show({ title: text("code_pay.start"), element: codeScanStep(bill, paid) });
  }

  /** After a step that may have paid a bill, in part or not at all: the city says. */
  private readAnew(): void {
    this.closeStep();
    this.refreshNow?.();
  }

  private closeStep(): void {
    this.show(null);
  }

  private show(step: Step | null): void {
    this.step = step;
    this.actPanel.hidden = step === null;
    document.body.classList.toggle("has-step", step !== null);
    this.actBody.replaceChildren();
    if (!step) return;
    write(this.actTitle, step.title);
    put(this.actBody, step.element);
    this.actPanel.scrollTop = 0;
    this.actTitle.focus({ preventScroll: true });
  }
}

void startPage(() => new AttendantPage().start());
