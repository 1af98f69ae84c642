// Builds the portal's scripts, styles and fonts into api/stadthub_api/portal/static/built: hashed names, a manifest that the
// templates read, and the licences of everything that is shipped. `npm ci && npm run build`.
import { build } from "esbuild";
import { createHash } from "node:crypto";
import { mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const target = join(here, "..", "stadthub_api", "portal", "static", "built");
const building = `${target}.new`;

const shared = {
  absWorkingDir: here,
  bundle: true,
  minify: true,
  legalComments: "none",
  target: ["es2022", "chrome111", "firefox115", "safari16.4"],
  outdir: building,
  metafile: true,
  logLevel: "warning",
};

// What a page asks for by name. The worker is MapLibre's own, loaded from here and not from a blob.
const modules = {
  portal: "src/portal.js",
  chart: "src/chart.js",
  map: "src/map.js",
  "map-worker": "node_modules/maplibre-gl/dist/maplibre-gl-worker.mjs",
};
const styles = { style: "src/style.css", "chart-style": "src/chart.css", "map-style": "src/map.css" };
// Runs before the first paint, therefore a classic script.
const classic = { theme: "src/theme.js" };
// The API's documentation page knows these by fixed names.
const fixed = { swagger: "src/swagger.js" };

// Shipped in the bundles, and where each one's licence text stands.
const licences = {
  "@kern-ux/native": ["LICENSE.md"],
  "htmx.org": ["LICENSE"],
  "maplibre-gl": ["LICENSE.txt"],
  uplot: ["LICENSE"],
  "swagger-ui-dist": ["LICENSE", "NOTICE", "swagger-ui-bundle.js.LICENSE.txt"],
};

async function bundle(entryPoints, options) {
  const result = await build({ ...shared, entryPoints, ...options });
  const named = {};
  for (const [file, about] of Object.entries(result.metafile.outputs)) {
    const name = Object.entries(entryPoints).find(([, source]) => about.entryPoint === source)?.[0];
    if (name) named[`${name}${file.endsWith(".css") ? ".css" : ".js"}`] = relative(building, join(here, file));
  }
  return named;
}

async function licenceText() {
  const parts = [];
  for (const [name, files] of Object.entries(licences)) {
    const folder = join(here, "node_modules", name);
    const about = JSON.parse(await readFile(join(folder, "package.json"), "utf8"));
    parts.push(`${"=".repeat(80)}\n${name} ${about.version} (${about.license})\n${"=".repeat(80)}\n`);
    for (const file of files) parts.push(await readFile(join(folder, file), "utf8"));
  }
  parts.push(`${"=".repeat(80)}\nFira Sans (OFL-1.1), Copyright (c) 2012-2015 The Mozilla Foundation and Telefonica S.A.\n${"=".repeat(80)}\n`);
  parts.push(await readFile(join(here, "licences", "OFL-1.1.txt"), "utf8"));
  return parts.join("\n");
}

async function digest(folder) {
  const sum = createHash("sha256");
  for (const name of (await readdir(folder)).sort()) sum.update(name).update(await readFile(join(folder, name)));
  return sum.digest("hex").slice(0, 16);
}

await rm(building, { recursive: true, force: true });
await mkdir(building, { recursive: true });
const hashed = { entryNames: "[name]-[hash]", assetNames: "[name]-[hash]" };
const manifest = {
  ...(await bundle(modules, { ...hashed, format: "esm" })),
  ...(await bundle(styles, { ...hashed, loader: { ".woff2": "file" } })),
  ...(await bundle(classic, { ...hashed, format: "iife" })),
};
await bundle(fixed, { entryNames: "[name]", format: "iife" });
await bundle({ swagger: "node_modules/swagger-ui-dist/swagger-ui.css" }, { entryNames: "[name]" });
await writeFile(join(building, "LICENSES.txt"), await licenceText());
await writeFile(join(building, "manifest.json"), `${JSON.stringify(manifest, null, 2)}\n`);
await rm(target, { recursive: true, force: true });
await rename(building, target);
console.log(`front end built: ${Object.keys(manifest).length} entries, digest ${await digest(target)}`);
