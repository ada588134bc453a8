/**
 * What a browser cannot drive on a handheld (printer, scan head, card reader), through a bridge that
 * its maker provides on the device itself. Protocol: docs/bridge.md. Asked for once a person says
 * that there is one: another device has none, and its browser would ask about it.
 */

/** Also in the server's policy of what this page may speak to. */
const ORIGIN = "http://127.0.0.1:17158";
const PROTOCOL = "greenbay-bridge/1";
const WANTED = "greenbay.bridge";

export type Part = "print" | "scan" | "card";

export interface BridgeHello {
  readonly protocol: string;
  readonly maker: string;
  readonly model: string;
  readonly can: readonly Part[];
}

export type ReceiptLine =
  | { readonly text: string; readonly align?: "left" | "centre" | "right"; readonly bold?: boolean }
  | { readonly pair: readonly [string, string] }
  | { readonly qr: string }
  | { readonly rule: true };

export interface Receipt {
  /** Printed once under it, however often it is sent. */
  readonly id: string;
  readonly lines: readonly ReceiptLine[];
}

/** Why nothing was printed: 'paper', 'cover', 'hot', 'busy', or 'silent' where the bridge says nothing. */
export class NotPrinted extends Error {
  constructor(readonly reason: string) {
    super(reason);
  }
}

type Heard = (text: string) => void;

class Bridge {
  hello: BridgeHello | null = null;
  private events: EventSource | null = null;
  /** Who wants what is read next: the step that was opened last. */
  private readonly heard = new Map<"scan" | "card", { readonly at: HTMLElement; readonly take: Heard }>();

  get wanted(): boolean {
    return localStorage.getItem(WANTED) === "1";
  }

  /** Look for it where a person said that there is one; null where none answers. */
  async start(): Promise<BridgeHello | null> {
    return this.wanted ? this.connect() : null;
  }

  /** A person says that this device has one. */
  async connect(): Promise<BridgeHello | null> {
    localStorage.setItem(WANTED, "1");
    try {
      const answer = await fetch(`${ORIGIN}/bridge`, { credentials: "omit" });
      const hello = (await answer.json()) as BridgeHello;
      this.hello = answer.ok && hello.protocol === PROTOCOL ? hello : null;
    } catch {
      this.hello = null;
    }
    if (this.hello && !this.events) this.listen();
    return this.hello;
  }

  forget(): void {
    localStorage.removeItem(WANTED);
    this.events?.close();
    this.events = null;
    this.hello = null;
  }

  can(part: Part): boolean {
    return this.hello?.can.includes(part) ?? false;
  }

  /** Take what is scanned or read while an element stands on the page. */
  hear(what: "scan" | "card", at: HTMLElement, take: Heard): void {
    this.heard.set(what, { at, take });
  }

  async print(receipt: Receipt): Promise<void> {
    let answer: Response;
    try {
      answer = await fetch(`${ORIGIN}/bridge/prints`, {
        method: "POST",
        credentials: "omit",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify({ width_mm: 58, ...receipt }),
      });
    } catch {
      throw new NotPrinted("silent");
    }
    if (answer.ok) return;
    const said = (await answer.json().catch(() => ({}))) as { reason?: string };
    throw new NotPrinted(said.reason ?? "silent");
  }

  private listen(): void {
    this.events = new EventSource(`${ORIGIN}/bridge/events`);
    for (const what of ["scan", "card"] as const) {
      this.events.addEventListener(what, (event: MessageEvent<string>) => {
        const wanting = this.heard.get(what);
        if (!wanting?.at.isConnected) return; // nobody asked for it: a code is money, it is kept nowhere
        wanting.take((JSON.parse(event.data) as { text: string }).text);
      });
    }
  }
}

/** This device's; one a page. */
export const bridge = new Bridge();
