/**
 * No file imports itself by way of others. The linter (`import/no-cycle`) sees circles of values and of types; this
 * test also follows `import("…")`, in code and in JSDoc.
 */
import assert from "node:assert/strict";
import { globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { repositoryRoot } from "./repository.ts";

const IMPORT = /\bfrom\s+"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)|^import\s+"([^"]+)"/gm;

test("no circle of imports", () => {
  const sources = globSync("{core,allowlist,sandbox,plugins,agent,gateway,dashboard,cli,bench}/**/*.{ts,js}", {
    cwd: repositoryRoot,
  });
  const graph = new Map(sources.map((file) => [file, importsOf(file)]));
  assert.ok([...graph.values()].flat().filter((file) => graph.has(file)).length > sources.length);
  assert.deepEqual(findCircle(graph), undefined);
});

test("a planted circle is found", () => {
  const graph = new Map([
    ["a", ["b", "c"]],
    ["b", ["c", "unknown"]],
    ["c", ["d"]],
    ["d", ["b"]],
  ]);
  assert.deepEqual(findCircle(graph), ["b", "c", "d", "b"]);
});

test("every form of import is followed", () => {
  const text = `import type { A } from "./a.ts";
import {
  b,
} from "#core/b";
import "./c.ts";
const d = await import("./d.ts");
/** @typedef {import("./e.js").E} E */
export { f } from "../f.ts";`;
  assert.deepEqual(importsIn("cli/commands/x.ts", text), [
    "cli/commands/a.ts",
    "core/b.ts",
    "cli/commands/c.ts",
    "cli/commands/d.ts",
    "cli/commands/e.js",
    "cli/f.ts",
  ]);
});

function importsOf(file: string): readonly string[] {
  return importsIn(file, readFileSync(join(repositoryRoot, file), "utf8"));
}

function importsIn(file: string, text: string): readonly string[] {
  return [...text.matchAll(IMPORT)]
    .map(([, from, dynamic, bare]) => from ?? dynamic ?? bare ?? "")
    .map((name) => (name.startsWith("#") ? `${name.slice(1)}.ts` : name))
    .map((name) => (name.startsWith(".") ? join(dirname(file), name) : name));
}

/** One circle, its first file again at its end; undefined when there is none. */
function findCircle(graph: ReadonlyMap<string, readonly string[]>): readonly string[] | undefined {
  const done = new Set<string>();
  const walk = (file: string, path: readonly string[]): readonly string[] | undefined => {
    if (path.includes(file)) return [...path.slice(path.indexOf(file)), file];
    if (done.has(file)) return undefined;
    for (const next of graph.get(file) ?? []) {
      const circle = walk(next, [...path, file]);
      if (circle !== undefined) return circle;
    }
    done.add(file);
    return undefined;
  };
  for (const file of graph.keys()) {
    const circle = walk(file, []);
    if (circle !== undefined) return circle;
  }
  return undefined;
}
