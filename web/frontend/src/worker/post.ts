/**
 * The attendant's page, kept whole for a street without a line.
 *
 * It is the one page about somebody that is kept: at the wish of its own script, with its scripts
 * and styles beside it, and dropped with all that it read when that person logs out.
 */

const CACHE = "greenbay-post-1";
const PAGE = "/attendant";
const LANGUAGES = ["zh", "en"] as const;
const ASSETS = /(?:href|src)="(\/static\/[^"]+)"/g;
/** What the page read; its own script names it as well. */
const DATABASE = "greenbay-post";
/** A line that takes longer than this is none for somebody who stands in the rain. */
const PATIENCE_MS = 4_000;

export function isPost(url: URL): boolean {
  return url.pathname === PAGE;
}

export const POST_CACHE = CACHE;

function address(language: string | null): string {
  return language ? `${PAGE}?lang=${language}` : PAGE;
}

/** Say in the page itself that it was kept: its time and its form's token are of then. */
function marked(html: string): string {
  return html.replace("<html ", "<html data-kept ");
}

async function markedAnswer(answer: Response, html: string): Promise<Response> {
  const headers = new Headers();
  for (const name of ["Content-Type", "Content-Security-Policy", "Permissions-Policy", "X-Content-Type-Options"]) {
    const value = answer.headers.get(name);
    if (value) headers.set(name, value);
  }
  return new Response(marked(html), { headers });
}

/**
 * Keep the page in both languages with all it needs, and give its scripts' addresses.
 *
 * Assets are stored before the page that names them, so that what is kept always works; those of
 * the version before go last.
 */
export async function keepPost(language: string): Promise<string[]> {
  const cache = await caches.open(CACHE);
  const pages: [string, Response][] = [];
  const assets = new Set<string>();
  for (const each of LANGUAGES) {
    const answer = await fetch(address(each), { credentials: "same-origin", cache: "no-store" });
    // Somebody who is logged out is led elsewhere: what is kept stays as it is.
    if (!answer.ok || answer.redirected) return [];
    const html = await answer.text();
    for (const [, asset] of html.matchAll(ASSETS)) if (asset) assets.add(asset);
    pages.push([address(each), await markedAnswer(answer, html)]);
  }
  for (const asset of assets) {
    if (!(await cache.match(asset)) || !asset.startsWith("/static/build/")) await cache.add(asset);
  }
  for (const [name, page] of pages) {
    if (name === address(language)) await cache.put(PAGE, page.clone());
    await cache.put(name, page);
  }
  for (const request of await cache.keys()) {
    const { pathname } = new URL(request.url);
    if (pathname !== PAGE && !assets.has(pathname)) await cache.delete(request);
  }
  return [...assets].filter((asset) => asset.endsWith(".js"));
}

/** The page from the network, or as it was kept where there is no line, or too slow a one. */
export async function postOf(request: Request): Promise<Response | null> {
  const kept = async (): Promise<Response | null> => {
    const cache = await caches.open(CACHE);
    const asked = new URL(request.url).searchParams.get("lang");
    const found = (asked && (await cache.match(address(asked)))) || (await cache.match(PAGE));
    // Whoever changes the language without a line has it changed from then on.
    if (asked && found) await cache.put(PAGE, found.clone());
    return found ?? null;
  };
  const live = fetch(request);
  live.catch(() => undefined); // awaited below, or no longer wanted
  const late = new Promise<null>((resolve) => setTimeout(() => resolve(null), PATIENCE_MS));
  try {
    const answer = await Promise.race([live, late]);
    if (answer) return answer;
    return (await kept()) ?? (await live);
  } catch {
    return kept();
  }
}

/** Forget the page and what it read. */
export async function dropPost(): Promise<void> {
  await caches.delete(CACHE);
  indexedDB.deleteDatabase(DATABASE);
}
