// Shows what the table beside it lists, on a plain ground: no tiles and nothing else from outside. Without WebGL the table does.
import { LngLatBounds, Map, NavigationControl, Popup, ScaleControl, setWorkerUrl } from "maplibre-gl";
import { colour, onLookChange } from "./look.js";

// How full something is, 0 to 1, where that is what the map shows.
const load = ["coalesce", ["get", "_load"], 0];
const empty = { type: "FeatureCollection", features: [] };

function style() {
  const point = colour("--kern-color-action-default");
  const ground = colour("--stadthub-map-ground");
  const line = colour("--stadthub-map-line");
  return {
    version: 8,
    sources: { outlines: { type: "geojson", data: empty }, features: { type: "geojson", data: empty } },
    layers: [
      { id: "ground", type: "background", paint: { "background-color": ground } },
      { id: "outline-areas", type: "fill", source: "outlines", paint: { "fill-color": colour("--stadthub-map-area") } },
      { id: "outlines", type: "line", source: "outlines", paint: { "line-color": line, "line-width": 1 } },
      { id: "areas", type: "fill", source: "features", filter: ["==", ["geometry-type"], "Polygon"], paint: { "fill-color": point, "fill-opacity": 0.18 } },
      { id: "lines", type: "line", source: "features", filter: ["!=", ["geometry-type"], "Point"], paint: { "line-color": point, "line-width": 2 } },
      { id: "points", type: "circle", source: "features", filter: ["==", ["geometry-type"], "Point"], paint: { "circle-color": point, "circle-radius": ["interpolate", ["linear"], ["zoom"], 8, ["+", 3.5, ["*", 8, load]], 16, ["+", 9, ["*", 20, load]]], "circle-stroke-color": ground, "circle-stroke-width": 1.5 } },
    ],
  };
}

function bounds(collection) {
  const box = new LngLatBounds();
  const walk = (part) => (typeof part[0] === "number" ? box.extend(part.slice(0, 2)) : part.forEach(walk));
  for (const feature of collection.features) if (feature.geometry) walk(feature.geometry.coordinates);
  return box;
}

function words(properties) {
  const list = document.createElement("dl");
  list.className = "map-words";
  for (const [name, value] of Object.entries(properties)) {
    if (name.startsWith("_") || value === null || value === "") continue;
    const key = document.createElement("dt");
    const text = document.createElement("dd");
    key.textContent = name;
    text.textContent = String(value);
    list.append(key, text);
  }
  const whole = document.createElement("div");
  if (properties._title) {
    const title = document.createElement("p");
    title.className = "map-title";
    title.textContent = properties._title;
    whole.append(title);
  }
  whole.append(list);
  if (properties._href) {
    const link = document.createElement("a");
    link.href = properties._href;
    link.textContent = properties._link;
    whole.append(link);
  }
  return whole;
}

class FeatureMap extends HTMLElement {
  async connectedCallback() {
    setWorkerUrl(this.dataset.worker);
    this.status = this.querySelector("[data-status]");
    const place = this.querySelector("[data-drawing]");
    place.hidden = false;
    try {
      this.map = new Map({ container: place, style: style(), attributionControl: false, center: [10.4, 51.2], zoom: 5, fadeDuration: 0, cooperativeGestures: true, locale: JSON.parse(this.dataset.words) });
    } catch {
      place.hidden = true;
      this.status.textContent = this.dataset.failed;
      return;
    }
    this.map.addControl(new NavigationControl({ showCompass: false }));
    this.map.addControl(new ScaleControl({ unit: "metric" }));
    this.map.getCanvas().setAttribute("aria-label", this.dataset.label);
    const loaded = new Promise((done) => this.map.once("load", done));
    const answer = await fetch(this.dataset.source, { headers: { Accept: "application/geo+json" } });
    if (!answer.ok) {
      this.status.textContent = this.dataset.failed;
      return;
    }
    this.collection = await answer.json();
    await loaded;
    this.fill();
    this.forget = onLookChange(() => {
      this.map.setStyle(style());
      this.map.once("styledata", () => this.fill());
    });
    this.map.on("click", (event) => this.pick(event));
    this.status.textContent = "";
    this.dataset.ready = "yes";
    this.listen();
  }

  disconnectedCallback() {
    this.forget?.();
    document.removeEventListener("click", this.answer);
    this.map?.remove();
  }

  fill() {
    const features = this.collection.features.filter((one) => !one.properties._outline);
    const outlines = this.collection.features.filter((one) => one.properties._outline);
    this.map.getSource("features").setData({ type: "FeatureCollection", features });
    this.map.getSource("outlines").setData({ type: "FeatureCollection", features: outlines });
    const box = bounds({ features: features.length ? features : outlines });
    if (!box.isEmpty() && !this.fitted) this.map.fitBounds(box, { padding: 40, maxZoom: 15, animate: false });
    this.fitted = true;
  }

  pick(event) {
    const near = [[event.point.x - 6, event.point.y - 6], [event.point.x + 6, event.point.y + 6]];
    const [hit] = this.map.queryRenderedFeatures(near, { layers: ["points", "lines", "areas"] });
    if (hit) this.tell(hit.properties, event.lngLat);
  }

  tell(properties, at) {
    this.popup?.remove();
    this.popup = new Popup({ maxWidth: "280px", focusAfterOpen: true }).setLngLat(at).setDOMContent(words(properties)).addTo(this.map);
  }

  // The buttons of the table open the same words on the map, so that they can be reached by keyboard; htmx may bring new ones.
  listen() {
    this.answer = (event) => {
      const button = event.target.closest(`[data-map-of="${this.id}"]`);
      if (button) this.point(button);
    };
    document.addEventListener("click", this.answer);
  }

  point(button) {
    const feature = this.collection.features.find((one) => String(one.properties._id) === button.dataset.feature);
    if (!feature?.geometry) return;
    const box = bounds({ features: [feature] });
    this.map.fitBounds(box, { padding: 60, maxZoom: 15, animate: false });
    this.scrollIntoView({ block: "nearest" });
    this.tell(feature.properties, box.getCenter());
    this.popup.once("close", () => button.focus());
  }
}

customElements.define("stadthub-map", FeatureMap);
