import { readdirSync } from "node:fs";
import { defineConfig } from "vite";

/** Bundles the unit tests for Node's own test runner, which reads no TypeScript before Node 22. */
export default defineConfig({
  build: {
    ssr: true,
    outDir: "node_modules/.tests",
    emptyOutDir: true,
    target: "node20",
    rolldownOptions: {
      input: readdirSync("tests")
        .filter((name) => name.endsWith(".test.ts"))
        .map((name) => `tests/${name}`),
      output: { entryFileNames: "[name].js" },
    },
  },
});
