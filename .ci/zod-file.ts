/**
 * zod as one file of the package, without the sentences of its other languages: most configurations are checked with it at
 * start, and it has a hundred files.
 */
import type { BuildOptions, Plugin } from "esbuild";

export function zodAsFile(resolveDir: string, outfile: string): BuildOptions {
  return { stdin: { contents: 'export { z } from "zod";', resolveDir, loader: "js" }, outfile, external: [] };
}

export function englishOnly(): Plugin {
  return {
    name: "english-only",
    setup(esbuild) {
      esbuild.onLoad({ filter: /zod\/v4\/locales\/index\.js$/ }, () => ({
        contents: 'export { default as en } from "./en.js";',
        loader: "js",
      }));
    },
  };
}

/** Takes zod from that file, which is beside the program. */
export function zodFromFile(): Plugin {
  return {
    name: "zod-from-file",
    setup(esbuild) {
      esbuild.onResolve({ filter: /^zod$/ }, () => ({ path: "./zod.cjs", external: true }));
    },
  };
}
