"use strict";
// Starts the console: fetches the WebAssembly, shows how much of it has come, runs it, and registers the
// service worker. The names that begin with goapp are what the go-app runtime looks up on window.

const goappEnv = {
  GOAPP_VERSION: "{{.Version}}",
  GOAPP_STATIC_RESOURCES_URL: "/web",
  GOAPP_ROOT_PREFIX: "",
  GOAPP_INTERNAL_URLS: "[]",
};
function goappGetenv(name) {
  return goappEnv[name];
}
var goappNav = () => {};
var goappUpdatedBeforeWasmLoaded = false;
var goappOnUpdate = () => {
  goappUpdatedBeforeWasmLoaded = true;
};
var goappAppInstallChangedBeforeWasmLoaded = false;
var goappOnAppInstallChange = () => {};
function goappTryUpdate() {
  navigator.serviceWorker?.getRegistration().then((registration) => registration?.update());
}
function goappIsAppInstallable() {
  return false;
}

const wasmURL = "{{.WasmURL}}";
const wasmSize = Number("{{.WasmSize}}"); // bytes, uncompressed

// A clone of the response is counted while the original is compiled: handing WebAssembly anything but the
// response itself would cost V8 its code cache.
async function fetchWasm(show) {
  const response = await fetch(wasmURL);
  if (!response.ok) throw new Error(`the console's program was answered with ${response.status}`);
  (async () => {
    const reader = response.clone().body.getReader();
    for (let seen = 0; ; ) {
      const { done, value } = await reader.read();
      if (done) return;
      seen += value.byteLength;
      show(Math.min(1, seen / wasmSize));
    }
  })().catch(() => {});
  return response;
}

async function start() {
  const loader = document.getElementById("app-wasm-loader");
  const label = document.getElementById("app-wasm-loader-label");
  try {
    const go = new Go();
    const response = await fetchWasm((share) => {
      label.textContent = `Loading the console: ${Math.round(share * 100)} %`;
    });
    const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
    const ended = go.run(instance);
    loader.remove();
    await ended;
  } catch (err) {
    console.error(err);
    if (loader.isConnected) {
      loader.classList.add("failed");
      label.textContent = `The console could not be loaded: ${err.message}. Reload to try again.`;
    }
  }
}

start();

if ("serviceWorker" in navigator) {
  addEventListener("load", () => {
    navigator.serviceWorker.register("/app-worker.js").then(
      (registration) =>
        registration.addEventListener("updatefound", () => {
          const worker = registration.installing;
          worker?.addEventListener("statechange", () => {
            if (worker.state === "activated" && navigator.serviceWorker.controller) goappOnUpdate();
          });
        }),
      (err) => console.error("service worker:", err),
    );
  });
}
