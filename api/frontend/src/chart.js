// Draws the series that the page holds as a table, with a cursor that reads values. The table and the server's drawing stay for
// everybody else.
import uPlot from "uplot";
import { colour, onLookChange } from "./look.js";

const strokes = ["--stadthub-series-1", "--stadthub-series-2", "--stadthub-series-3", "--stadthub-series-4", "--stadthub-series-5"];
// Not by colour alone: each series has its own dash.
const dashes = [[], [8, 4], [2, 3], [10, 3, 2, 3], [5, 5]];
const height = 320;

class SeriesChart extends HTMLElement {
  connectedCallback() {
    this.told = JSON.parse(this.querySelector("script[type='application/json']").textContent);
    this.place = this.querySelector("[data-drawing]");
    this.draw();
    this.forget = onLookChange(() => this.draw());
    this.observer = new ResizeObserver(() => this.resize());
    this.observer.observe(this);
  }

  disconnectedCallback() {
    this.forget?.();
    this.observer?.disconnect();
    this.plot?.destroy();
  }

  resize() {
    const width = Math.floor(this.clientWidth);
    if (this.plot && width > 0 && width !== this.plot.width) this.plot.setSize({ width, height });
  }

  draw() {
    const { times, series, locale, timeZone } = this.told;
    if (times.length < 1) return;
    this.plot?.destroy();
    this.place.replaceChildren();
    const numbers = new Intl.NumberFormat(locale, { maximumFractionDigits: 2 });
    const moments = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short", timeZone });
    const font = "14px 'Fira Sans', sans-serif";
    const axis = { stroke: colour("--kern-color-layout-text-muted"), font, grid: { stroke: colour("--kern-color-decorative-border-default"), width: 1 }, ticks: { stroke: colour("--kern-color-decorative-border-default"), width: 1 } };
    const options = {
      width: Math.floor(this.clientWidth),
      scales: times.length > 1 ? {} : { x: { range: [times[0] - 1800, times[0] + 1800] } },
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), timeZone),
      cursor: { drag: { x: true, y: false } },
      legend: { live: true },
      axes: [
        { ...axis, values: dateTicks(locale) },
        { ...axis, size: 64, values: (_, ticks) => ticks.map((tick) => numbers.format(tick)) },
      ],
      series: [
        { label: this.dataset.time, value: (_, at) => (at === null ? "–" : moments.format(at * 1000)) },
        ...series.map((one, index) => ({
          label: one.label,
          stroke: colour(strokes[index % strokes.length]),
          dash: dashes[index % dashes.length],
          width: 2,
          spanGaps: false,
          points: { show: times.length < 60 },
          value: (_, result) => (result === null || result === undefined ? "–" : `${numbers.format(result)} ${one.unit}`.trim()),
        })),
      ],
    };
    this.plot = new uPlot(options, [times, ...series.map((one) => one.results)], this.place);
  }
}

// Ticks say the day where the day changes, else the time.
function dateTicks(locale) {
  const day = new Intl.DateTimeFormat(locale, { day: "numeric", month: "short" });
  const year = new Intl.DateTimeFormat(locale, { month: "short", year: "numeric" });
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit" });
  return (plot, ticks, _axis, _space, step) => {
    let before = null;
    return ticks.map((tick) => {
      const at = plot.opts?.tzDate ? plot.opts.tzDate(tick) : new Date(tick * 1000);
      const today = at.toDateString();
      const words = step >= 28 * 86400 ? year.format(at) : step >= 86400 || today !== before ? day.format(at) : time.format(at);
      before = today;
      return words;
    });
  };
}

customElements.define("stadthub-chart", SeriesChart);
