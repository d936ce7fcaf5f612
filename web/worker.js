"use strict";
// Keeps the console usable offline. It answers for the console's own files and pages and for nothing else:
// the API, and event streams above all, never pass through it.

const prefix = "axiom25-console-";
const cacheName = prefix + "{{.Version}}";
const shell = "/";
const files = new Set({{.Files}}); // paths with their query, as the pages ask for them
const pages = new RegExp({{.Pages}});

self.addEventListener("install", (event) => {
  event.waitUntil(
    (async () => {
      const cache = await caches.open(cacheName);
      await cache.addAll([...files, shell].map((url) => new Request(url, { cache: "no-cache" })));
      await self.skipWaiting();
    })(),
  );
});

self.addEventListener("activate", (event) => {
  event.waitUntil(
    (async () => {
      const names = await caches.keys();
      const old = names.filter((name) => name.startsWith(prefix) && name !== cacheName);
      await Promise.all(old.map((name) => caches.delete(name)));
      await self.clients.claim();
    })(),
  );
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== location.origin) return;
  if (request.mode === "navigate") {
    if (pages.test(url.pathname)) event.respondWith(page(request));
    return;
  }
  if (files.has(url.pathname + url.search)) event.respondWith(file(request));
});

// A page comes from the network, so that a new version is seen at once; without one, the shell draws it.
async function page(request) {
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
