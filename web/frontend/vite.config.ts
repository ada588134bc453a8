import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

/** One entry a page; the server finds the hashed names in manifest.json. */
const ENTRIES = [
  "map",
  "find",
  "attendant",
  "inspector",
  "bill",
  "pay",
  "mine",
  "cards",
  "agreements",
  "disputes",
  "terminals",
  "shifts",
  "supervision",
  "stays",
  "gates",
  "reads",
  "sign",
  "operations",
  "permits",
  "places",
  "rights",
  "tariffs",
  "figures",
  "finance",
  "signals",
  "schedules",
  "lane_studies",
  "duty",
  "escorts",
  "maintenance",
  "travel",
  "audit",
  "docs",
  "plain",
  "service-worker",
];

/** Lays a gzipped twin beside each script and style: the server sends it as it lies. */
function compressed(): Plugin {
  return {
    name: "compressed",
    writeBundle({ dir }, bundle) {
      for (const name of Object.keys(bundle)) {
        if (!dir || !/\.(js|css)$/.test(name)) continue;
        writeFileSync(join(dir, `${name}.gz`), gzipSync(readFileSync(join(dir, name)), { level: 9 }));
      }
    },
  };
}

export default defineConfig({
  plugins: [compressed()],
  base: "/static/build/",
  publicDir: false,
  build: {
    outDir: "../static/build",
    emptyOutDir: true,
    manifest: "manifest.json",
    target: "es2022",
    // Content-Security-Policy allows images from this origin alone: nothing becomes a data: address.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // MapLibre is one 1.1 MB file, loaded after the list stands.
    chunkSizeWarningLimit: 1300,
    rolldownOptions: {
      input: Object.fromEntries(ENTRIES.map((name) => [name, `src/${name}.ts`])),
      output: {
        // Its address must stay: a browser looks there for the next version.
        entryFileNames: ({ name }) =>
          name === "service-worker" ? "[name].js" : "assets/[name]-[hash].js",
        // Some servers do not know .mjs: MapLibre's worker leaves as .js.
        assetFileNames: (asset) =>
          asset.names.some((name) => name.endsWith(".mjs"))
            ? "assets/[name]-[hash].js"
            : "assets/[name]-[hash][extname]",
      },
    },
  },
});
