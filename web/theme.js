// Runs before the first paint: the theme that the reader chose, so that no page flashes in the other one.
try {
  const theme = localStorage.getItem("axiom25.theme");
  if (theme === "light" || theme === "dark") document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the system's preference stands.
}
