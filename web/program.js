"use strict";
// Asks for the console's program before anything else, and has it compiled as it comes, while the browser still reads and draws the
// page. WebAssembly is handed the response itself, since anything else would cost V8 its code cache: what is counted is a clone, and
// only where the program comes over the network. What the service worker has kept is there at once.
let fetched = 0; // bytes
const program = fetch(WASM_URL).then((response) => {
  if (!response.ok) throw Object.assign(new Error(`the console's program was answered with ${response.status}`), { status: response.status });
  if (!navigator.serviceWorker?.controller) count(response.clone()).catch(() => {});
  return WebAssembly.compileStreaming(response);
});
program.catch(() => {}); // loader.js tells of it

async function count(response) {
  const reader = response.body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    fetched += value.byteLength;
  }
}
