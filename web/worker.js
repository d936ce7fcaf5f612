"use strict";
// Keeps the console usable offline. It answers for the console's own files and pages and for nothing else:
// the API, and event streams above all, never pass through it. The names in capitals are filled in by the build.
//
// A page is drawn by the shell and the files of one version, which were checked when they came: never by an old page and a
// new program. A newer worker waits until the reader applies it.

const prefix = "axiom25-console-";
const cacheName = prefix + VERSION;
const shell = "/";
const files = new Map(FILES); // the first half of their SHA-256 by their URLs
const pages = new RegExp(PAGES);
// What else is at the server's address. Everything but this and names with a dot may be a page, of a later version perhaps.
const api =
  /^\/(runs|stream|claims|tools|engines|validate\/.*|schemas|openapi|asyncapi|problems|metrics|healthz|readyz|login)(\/|$)|\./;

self.addEventListener("install", (event) => event.waitUntil(install()));

self.addEventListener("activate", (event) => event.waitUntil(Promise.all([tidy(), self.clients.claim()])));

self.addEventListener("message", (event) => {
  if (event.data === "apply") event.waitUntil(self.skipWaiting());
  if (event.data === "started") event.waitUntil(tidy());
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (pages.test(url.pathname)) event.respondWith(page(request));
    else if (!api.test(url.pathname)) event.respondWith(unknownPage(request));
  } else if (url.searchParams.has("v") && files.has(url.pathname + url.search)) {
    event.respondWith(file(request));
  } else if (/^\/(app\.|web\/)/.test(url.pathname)) {
    event.respondWith(earlierFile(request));
  }
});

// What an attempt has brought is kept, so that the next one, after a connection that broke, goes on from there.
async function install() {
  const cache = await caches.open(cacheName);
  await Promise.all([...files].map(([url, hash]) => keep(cache, url, hash)));
  if ((await (await caches.open(cacheName)).keys()).length < files.size) throw new Error("the cache was cleared meanwhile");
}

async function keep(cache, url, hash) {
  if (url !== shell && (await cache.match(url))) return;
  for (let attempt = 1; ; attempt++) {
    try {
      // A file that an earlier version has too is not fetched again.
      const known = url !== shell && attempt === 1 && (await earlier(url));
      const response = known || (await fetch(url, { cache: url === shell || attempt > 1 ? "reload" : "default" }));
      if (!response.ok) throw new Error(`${url} was answered with ${response.status}`);
      const copy = response.clone();
      if ((await digest(response)) !== hash) throw new Error(`${url} is not of this version`);
      await cache.put(url, copy);
      return;
    } catch (err) {
      if (attempt === 4) throw err;
      await new Promise((resolve) => setTimeout(resolve, attempt * 500));
    }
  }
}

async function digest(response) {
  const sum = new Uint8Array(await crypto.subtle.digest("SHA-256", await response.arrayBuffer()), 0, 8);
  return [...sum].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// Deletes the caches of other versions that no page uses any more, unless one of them is being installed.
async function tidy() {
  if (self.registration.installing || self.registration.waiting) return;
  const used = new Set((await navigator.locks.query()).held.map((lock) => lock.name));
  const names = await caches.keys();
  await Promise.all(names.filter((name) => name.startsWith(prefix) && name !== cacheName && !used.has(name)).map((name) => caches.delete(name)));
}

async function page(request) {
  return (await caches.match(shell, { cacheName })) ?? fetch(request);
}

async function unknownPage(request) {
  try {
    return await fetch(request);
  } catch (err) {
    const cached = await caches.match(shell, { cacheName });
    if (cached) return cached;
    throw err;
  }
}

async function file(request) {
  return (await caches.match(request, { cacheName })) ?? fetch(request);
}

// A page of an earlier version that was about to load when this one took over.
async function earlierFile(request) {
  return (await earlier(request)) ?? fetch(request);
}

async function earlier(request) {
  for (const name of await caches.keys()) {
    const found = name.startsWith(prefix) && (await caches.match(request, { cacheName: name }));
    if (found) return found;
  }
  return undefined;
}
