import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Skills } from "#daemon/skills/skills";
import { temporaryFolder } from "../../helpers/temporary-folder.ts";

function open(t: TestContext) {
  const folder = temporaryFolder(t);
  const warnings: string[] = [];
  const skills = new Skills(folder, { warn: (_, fields) => warnings.push(String(fields?.["problem"])) });
  function write(name: string, text: string): void {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "SKILL.md"), text);
  }
  return { folder, skills, warnings, write };
}

test("skills are listed by name and description, and give their text without it", async (t) => {
  const { folder, skills, write } = open(t);
  await skills.refresh();
  assert.deepEqual(skills.list(), []);
  write("notes", "---\nname: release-notes\ndescription: >\n  How to\n  write them\n---\nGroup the changes.\n");
  write("plain", "Just text.\n");
  write("windows", "---\r\ndescription: with CRLF\r\n---\r\nText\r\n");
  await skills.refresh();
  assert.deepEqual(skills.list(), [
    { name: "release-notes", description: "How to write them" },
    { name: "plain", description: "" },
    { name: "windows", description: "with CRLF" },
  ]);
  assert.equal(
    skills.contentOf("release-notes"),
    `The skill "release-notes" (its files are in ${join(folder, "notes")}):\n\nGroup the changes.`,
  );
  assert.match(skills.contentOf("windows"), /:\n\nText$/);
  assert.throws(() => skills.contentOf("release-note"), /only: release-notes, plain, windows\. Did you mean/);
});

test("what cannot be read is left out and said once", async (t) => {
  const { folder, skills, warnings, write } = open(t);
  write("a", "---\nname: same\n---\nfirst\n");
  write("b", "---\nname: same\n---\nsecond\n");
  write("bad", "---\nname: [\n---\ntext\n");
  mkdirSync(join(folder, "dir/SKILL.md"), { recursive: true });
  write("large", "x".repeat(256 * 1024 + 1));
  write(".hidden", "text");
  mkdirSync(join(folder, "empty"));
  await skills.refresh();
  await skills.refresh();
  assert.deepEqual(skills.list(), [{ name: "same", description: "" }]);
  assert.match(skills.contentOf("same"), /first$/);
  assert.equal(warnings.length, 4, warnings.join("\n"));
});
