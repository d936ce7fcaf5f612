// Runs before the first paint: the theme that the reader chose, so that no page flashes in the other one.
try {
  const theme = localStorage.getItem("axiom25.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's preference stands.
}

// A browser that keeps nothing for this page throws where its storage is asked for, which would end the console's program, and
// go-app asks at its start. What is kept then lasts as long as the page does.
try {
  void localStorage.length;
} catch {
  const kept = new Map();
  Object.defineProperty(window, "localStorage", {
    value: {
      getItem: (key) => kept.get(key) ?? null,
      setItem: (key, text) => void kept.set(key, text),
      removeItem: (key) => void kept.delete(key),
      key: (i) => [...kept.keys()][i] ?? null,
      get length() {
        return kept.size;
      },
    },
  });
}

// Called by the header's button, with an empty name for the system's preference.
function axiom25ChooseTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  else delete document.documentElement.dataset.theme;
  try {
    if (theme) localStorage.setItem("axiom25.theme", theme);
    else localStorage.removeItem("axiom25.theme");
  } catch {
    // A storage that is full, or that takes nothing: the choice lasts as long as the page does.
  }
}
