// Keeps the console installed, and says when a new version of it is: nothing changes before the reader applies it. Then every
// tab takes the new version at once, but for those with something typed, which wait for their reader.

// What the header shows: "" for nothing, "ready" for a version that waits, "stale" for one that other tabs have taken.
var axiom25Update = "";
let waiting = null; // the worker of the new version
let typedInto = null; // the field that the reader has last typed into

addEventListener("input", (event) => (typedInto = event.target), true);

function typed() {
  return typedInto?.isConnected && typedInto.type !== "search" && Boolean(typedInto.value);
}

function say(what) {
  axiom25Update = what;
  goappOnUpdate();
}

// Called by the header's button.
function axiom25Apply() {
  if (axiom25Update === "stale" || !waiting) location.reload();
  else waiting.postMessage("apply");
}

// goappTryUpdate looks whether there is a new version.
let registration = null;
function goappTryUpdate() {
  registration?.update().catch(() => {}); // the server is gone: there is nothing new
}

async function install() {
  const { serviceWorker } = navigator;
  let controlled = Boolean(serviceWorker.controller);
  serviceWorker.addEventListener("controllerchange", () => {
    // The first worker of all takes over a page of its own version.
    if (controlled) typed() ? say("stale") : location.reload();
    controlled = true;
  });
  registration = await serviceWorker.register("/app-worker.js", { updateViaCache: "none" });
  const offer = (worker) => {
    if (!serviceWorker.controller) return;
    waiting = worker;
    say("ready");
  };
  if (registration.waiting) offer(registration.waiting);
  registration.addEventListener("updatefound", () => {
    const worker = registration.installing;
    worker?.addEventListener("statechange", () => {
      if (worker.state === "installed") offer(worker);
    });
  });
  serviceWorker.controller?.postMessage("started");
  addEventListener("online", goappTryUpdate);
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) goappTryUpdate();
  });
  setInterval(goappTryUpdate, 30 * 60 * 1000);
}

// Tells the worker, for as long as the page lives, that its version is in use.
navigator.locks?.request("axiom25-console-" + VERSION, { mode: "shared" }, () => new Promise(() => {}));

// A worker that is installed reads everything that the page has just read. It waits until that is drawn: the same work at the same
// time made the first start of all a third longer.
const rest = 1000; // milliseconds
if ("serviceWorker" in navigator) {
  started.then(() => setTimeout(() => install().catch((err) => console.error("service worker:", err)), rest));
}
