/** The table of errors and its page name the same codes, and the bin, which cannot load the table, says the same. */
import test from "node:test";
import assert from "node:assert/strict";
import { ERRORS, HermesError } from "#core/errors";
import { textOf } from "./repository.ts";

const page = textOf("docs/errors.md");
const sections = [...page.matchAll(/^## (.+)$/gm)].map(([, title]) => title!);
const codes = Object.keys(ERRORS);

test("every code has a section, every section a code, each once", () => {
  assert.deepEqual(sections.toSorted(), codes.toSorted());
  assert.equal(new Set(sections).size, sections.length);
});

test("no section is empty", () => {
  for (const text of page.split(/^## /m).slice(1)) {
    assert.ok(text.split("\n").slice(1).join("").trim().length > 20, `${text.split("\n")[0]} says nothing`);
  }
});

test("an exit code that a section names is the table's", () => {
  for (const text of page.split(/^## /m).slice(1)) {
    const [code = ""] = text.split("\n");
    const named = /Exit code (\d+)/.exec(text)?.[1];
    if (named !== undefined) assert.equal(ERRORS[code as keyof typeof ERRORS].exit, Number(named), code);
  }
});

test("the bin's sentence about an old Node is that of HERMES_NODE_TOO_OLD", () => {
  const { message } = new HermesError("HERMES_NODE_TOO_OLD", { found: "FOUND" });
  const [before = "", after = ""] = message.split("FOUND");
  const bin = textOf("cli/bin.js").replace('${OLDEST.join(".")}', "24.15");
  assert.ok(bin.includes(`\`${before}\${process.version}${after}\\n\``));
});
