"use strict";
// Starts the console: shows how much of its program has come (see program.js), and runs it. The names that begin with goapp
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

const parsed = new Promise((resolve) => {
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", resolve);
  else resolve();
});

// start resolves once the program runs, or is known not to.
async function start() {
  await parsed;
  const loader = document.getElementById("app-wasm-loader");
  const label = loader.firstElementChild;
  const progress = setInterval(() => {
    if (fetched > 0) label.textContent = `Loading the console: ${Math.round((100 * fetched) / WASM_SIZE)} %`;
  }, 100);
  const failed = (err) => {
    console.error(err);
    loader.classList.add("failed");
    label.textContent = `The console could not be loaded: ${err.message}. Reload to try again.`;
  };
  try {
    const go = new Go();
    const instance = await WebAssembly.instantiate(await program, go.importObject);
    go.run(instance).catch(failed);
    loader.remove();
  } catch (err) {
    renewed(err.status);
    failed(err);
  } finally {
    clearInterval(progress);
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

const started = start();
