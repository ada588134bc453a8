/**
 * Keeps the shell's scripts and styles and one honest page for when there is no line.
 *
 * Answers of the API, the live feed and the pages themselves are not kept: they are about
 * somebody, or about now. The one exception is the attendant's page (`worker/post`), which has to
 * work on a street without a line. Everything works where there is no service worker.
 */
import { dropPost, isPost, keepPost, POST_CACHE, postOf } from "./worker/post";

/** What a service worker has beside a page; the DOM's types know neither. */
interface Extendable extends Event {
  waitUntil(until: Promise<unknown>): void;
}
interface Fetched extends Extendable {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Told extends Extendable {
  readonly data: { readonly kind?: string; readonly language?: string } | null;
  readonly source: { postMessage(message: unknown): void } | null;
}
interface Worker_ {
  addEventListener(kind: "install" | "activate", run: (event: Extendable) => void): void;
  addEventListener(kind: "fetch", run: (event: Fetched) => void): void;
  addEventListener(kind: "message", run: (event: Told) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: { claim(): Promise<void> };
  readonly location: Location;
}
const worker = self as unknown as Worker_;

const CACHE = "greenbay-shell-1";
const CACHES = [CACHE, POST_CACHE];
const LOG_OUT = "/log-out";
const OFFLINE = "/static/app/offline.html";
const KEPT = [OFFLINE, "/static/app/offline.css", "/static/icons/greenbay.svg"];
/** Names with a hash in them: what they hold never changes. */
const ASSETS = "/static/build/assets/";
const MOST_ASSETS = 120;

worker.addEventListener("install", (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(KEPT))
      .then(() => worker.skipWaiting()),
  );
});

worker.addEventListener("activate", (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => !CACHES.includes(name)).map((name) => caches.delete(name))))
      .then(() => worker.clients.claim()),
  );
});

worker.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (url.origin !== worker.location.origin) return;
  if (request.method === "POST" && url.pathname === LOG_OUT) event.waitUntil(dropPost());
  if (request.method !== "GET") return;
  if (request.mode === "navigate") event.respondWith(pageOf(request, url));
  else if (url.pathname.startsWith(ASSETS)) event.respondWith(assetOf(request, event));
  else if (KEPT.includes(url.pathname)) event.respondWith(keptOf(request));
});

worker.addEventListener("message", (event) => {
  const { data, source } = event;
  if (data?.kind !== "keep-post") return;
  const kept = keepPost(data.language ?? "zh").catch(() => []);
  event.waitUntil(kept.then((scripts) => source?.postMessage({ kind: "post-kept", scripts })));
});

/** A page from the network; without a line the attendant's as it was kept, or the page that says so. */
async function pageOf(request: Request, url: URL): Promise<Response> {
  try {
    if (isPost(url)) {
      const post = await postOf(request);
      if (post) return post;
    }
    return await fetch(request);
  } catch {
    return (await caches.match(OFFLINE)) ?? Response.error();
  }
}

async function assetOf(request: Request, event: Fetched): Promise<Response> {
  const kept = await caches.match(request);
  if (kept) return kept;
  const cache = await caches.open(CACHE);
  const answer = await fetch(request);
  if (answer.ok && answer.type === "basic") event.waitUntil(keep(cache, request, answer.clone()));
  return answer;
}

/** Keep an asset and forget the oldest: releases replace each other's files. */
async function keep(cache: Cache, request: Request, answer: Response): Promise<void> {
  await cache.put(request, answer);
  const assets = (await cache.keys()).filter(({ url }) => new URL(url).pathname.startsWith(ASSETS));
  await Promise.all(assets.slice(0, Math.max(0, assets.length - MOST_ASSETS)).map((old) => cache.delete(old)));
}

async function keptOf(request: Request): Promise<Response> {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(request)) ?? Response.error();
  }
}
