/** What the package and the tracked files promise. */
import test from "node:test";
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { repositoryRoot, textOf, trackedFiles } from "./repository.ts";

interface Manifest {
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly imports: Readonly<Record<string, string>>;
}

const manifest = JSON.parse(textOf("package.json")) as Manifest;
const TEXT = /\.(ts|js|json|md|yml|yaml|sh|py|css|html)$|^[^.]*$|^\.[a-z]+rc$/;

test("there are at most ten npm scripts", () => {
  assert.ok(Object.keys(manifest.scripts).length <= 10);
});

test("every dependency is pinned to one version, and the lock file has the same", () => {
  const lock = JSON.parse(textOf("package-lock.json")) as { packages: Record<string, { version?: string }> };
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.devDependencies })) {
    assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, name);
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, name);
  }
});

test("no tracked file names a package registry's host", (t) => {
  const files = trackedFiles();
  if (files === null) return t.skip("not a git repository");
  const host = /\bregistry\.[a-z]+\.[a-z]|https?:\/\/registry\./i;
  for (const path of files.filter((file) => TEXT.test(file.split("/").at(-1)!))) {
    if (!existsSync(join(repositoryRoot, path))) continue;
    const text = textOf(path);
    assert.ok(!host.test(text), `${path} names a registry`);
  }
});

test("a suppression of the linter or the compiler carries its reason", (t) => {
  const files = trackedFiles();
  if (files === null) return t.skip("not a git repository");
  for (const path of files.filter((file) => file.endsWith(".ts") && existsSync(join(repositoryRoot, file)))) {
    for (const line of textOf(path).split("\n")) {
      if (/\/[/*]\s*(ox|es)lint-disable/.test(line)) assert.match(line, / -- \S/, path);
      if (/\/\/\s*@ts-expect-error/.test(line)) assert.match(line, /@ts-expect-error\s*(--|:)?\s*\S/, path);
    }
  }
});

test("every room that is imported by name exists", () => {
  for (const target of Object.values(manifest.imports)) {
    assert.ok(existsSync(join(repositoryRoot, target.slice(0, target.indexOf("*")))), target);
  }
});
