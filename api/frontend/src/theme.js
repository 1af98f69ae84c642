// Sets the reader's chosen look before the first paint. Nothing chosen: the system's look, which the style sheet follows by itself.
try {
  const chosen = localStorage.getItem("stadthub-theme");
  if (chosen === "light" || chosen === "dark") document.documentElement.dataset.kernTheme = chosen;
} catch {
  // A browser that forbids storage shows the system's look.
}
document.documentElement.classList.add("scripted");
