"use strict";
// Starts the console: fetches the WebAssembly, shows how much of it has come, and runs it. The names that begin with goapp
// are what the go-app runtime looks up on window; those in capitals are filled in by the build.

const goappEnv = {
  GOAPP_VERSION: VERSION,
  GOAPP_STATIC_RESOURCES_URL: "/web",
  GOAPP_ROOT_PREFIX: "",
  GOAPP_INTERNAL_URLS: "[]",
  AXIOM25_REFERENCE: REFERENCE_URL,
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
function goappIsAppInstallable() {
  return false;
}

// Asked for before anything else, while the browser still reads the page. A clone of the response is counted while the
// original is compiled: handing WebAssembly anything but the response itself would cost V8 its code cache.
const program = fetch(WASM_URL);
program.catch(() => {}); // start tells of it

async function count(response) {
  const label = document.getElementById("app-wasm-loader-label");
  const reader = response.body.getReader();
  for (let seen = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return;
    seen += value.byteLength;
    if (label.isConnected) label.textContent = `Loading the console: ${Math.round((100 * seen) / WASM_SIZE)} %`;
  }
}

const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

async function start() {
  try {
    const response = await program;
    if (!response.ok) {
      renewed(response.status);
      throw new Error(`the console's program was answered with ${response.status}`);
    }
    const copy = response.clone();
    parsed.then(() => count(copy)).catch(() => {});
    const go = new Go();
    const { instance } = await WebAssembly.instantiateStreaming(response, go.importObject);
    await parsed;
    const ended = go.run(instance);
    document.getElementById("app-wasm-loader").remove();
    await ended;
  } catch (err) {
    console.error(err);
    await parsed;
    const loader = document.getElementById("app-wasm-loader");
    if (loader) {
      loader.classList.add("failed");
      loader.firstElementChild.textContent = `The console could not be loaded: ${err.message}. Reload to try again.`;
    }
  }
}

// A program that is not there any more belongs to a page from before an update of the server: the next page is a new one.
function renewed(status) {
  try {
    if (status !== 404 || sessionStorage.getItem("axiom25.renewed") === WASM_URL) return;
    sessionStorage.setItem("axiom25.renewed", WASM_URL);
    location.reload();
  } catch {
    // Without storage nothing would say that it was tried before: the reader decides.
  }
}

start();
