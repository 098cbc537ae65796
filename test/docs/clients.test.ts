/** The versions of clients and servers that the pages say were run are those that the tests run. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { ROOT } from "../helpers/hermes.ts";

const installed = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as Record<
  "dependencies" | "devDependencies",
  Readonly<Record<string, string>>
>;
const versions = { ...installed.dependencies, ...installed.devDependencies };

test("docs/gateway.md names the installed versions of clients", () => {
  const page = readFileSync(join(ROOT, "docs/gateway.md"), "utf8");
  const rows = [...page.matchAll(/^\| `([@\w/-]+)`[\w ]* +\| (\d+\.\d+\.\d+) +\|/gm)];
  assert.ok(rows.length >= 5, `${rows.length} rows`);
  for (const [, name, version] of rows) assert.equal(version, versions[name!], name);
});
