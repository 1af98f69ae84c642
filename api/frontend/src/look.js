// The colours of the current look, read from the style sheet, for what is drawn on a canvas.
export function colour(name) {
  const probe = document.createElement("span");
  probe.style.color = `var(${name})`;
  probe.hidden = true;
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return plain(found);
}

// Canvas and MapLibre know rgb(), not every browser's way to write oklch().
function plain(text) {
  const canvas = document.createElement("canvas");
  canvas.width = canvas.height = 1;
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.fillStyle = text;
  context.fillRect(0, 0, 1, 1);
  const [red, green, blue, alpha] = context.getImageData(0, 0, 1, 1).data;
  return `rgba(${red}, ${green}, ${blue}, ${alpha / 255})`;
}

export function onLookChange(redraw) {
  const system = matchMedia("(prefers-color-scheme: dark)");
  document.addEventListener("stadthub:look", redraw);
  system.addEventListener("change", redraw);
  return () => {
    document.removeEventListener("stadthub:look", redraw);
    system.removeEventListener("change", redraw);
  };
}
