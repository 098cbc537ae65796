/** Every link of the documentation leads somewhere: to a file of the repository, and to a heading of it. */
import assert from "node:assert/strict";
import { existsSync, globSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import test from "node:test";
import { readPage } from "../helpers/examples.ts";
import { ROOT } from "../helpers/hermes.ts";

const pages = globSync(["*.md", "docs/*.md", "bench/*.md"], { cwd: ROOT }).toSorted();

for (const page of pages) {
  test(`the links of ${page} resolve`, () => {
    for (const [, target] of withoutCode(readPage(page)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^https?:/.test(target!)) continue;
      const [path = "", anchor] = target!.split("#");
      const file = path === "" ? page : normalize(join(dirname(page), path));
      assert.ok(existsSync(join(ROOT, file)), `${page}: ${target} is not there`);
      if (anchor) assert.ok(anchorsOf(file).has(anchor), `${page}: ${file} has no heading #${anchor}`);
    }
  });
}

test("every page of docs/ can be reached from the README", () => {
  const reached = new Set(["README.md"]);
  for (const page of reached) {
    for (const [, target] of withoutCode(readPage(page)).matchAll(/\]\(([\w./-]+\.md)(?:#[\w-]*)?\)/g)) {
      const file = normalize(join(dirname(page), target!));
      if (existsSync(join(ROOT, file))) reached.add(file);
    }
  }
  assert.deepEqual(
    pages.filter((page) => page.startsWith("docs/") && !reached.has(page)),
    [],
  );
});

function withoutCode(text: string): string {
  return text.replaceAll(/^```[^]*?^```$/gm, "").replaceAll(/`[^`\n]*`/g, "");
}

/** Headings as GitHub names them: lower case, punctuation dropped, spaces as dashes. */
function anchorsOf(file: string): ReadonlySet<string> {
  const headings = readPage(file)
    .replaceAll(/^```[^]*?^```$/gm, "")
    .matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading]) =>
      heading!
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
        .replaceAll(" ", "-"),
    ),
  );
}
