/** Change fragments: those of the repository are well named, and folding them gives a section of the changelog. */
import test from "node:test";
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { foldFragments, kindOf } from "../../.ci/changelog.ts";
import { repositoryRoot, textOf } from "./repository.ts";

const EMPTY = "# Changelog\n\n## Unreleased\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n";

test("fragments become one section, by kind, above the older ones", () => {
  const folded = foldFragments(
    EMPTY,
    [
      { name: "quiet.fixed.md", text: "No noise.\n" },
      { name: "tea.added.md", text: "Tea.\nWith milk.\n" },
      { name: "cake.added.md", text: "Cake." },
    ],
    "0.2.0",
    "2026-02-03",
  );
  assert.equal(
    folded,
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 (2026-02-03)\n\n### Added\n\n- Tea.\n  With milk.\n- Cake.\n\n### Fixed\n\n- No noise.\n\n## 0.1.0 (2026-01-01)\n\n- Old.\n",
  );
});

test("a text with replacement patterns stays as it is", () => {
  assert.match(foldFragments(EMPTY, [{ name: "a.fixed.md", text: "$& $1" }], "1.0.0", "2026-02-03"), /- \$& \$1\n/);
});

test("a stray name and a changelog without the heading are refused", () => {
  assert.throws(() => foldFragments(EMPTY, [{ name: "Notes.md", text: "" }], "1.0.0", "2026-02-03"), /Notes\.md/);
  assert.throws(() => foldFragments("# Changelog\n", [], "1.0.0", "2026-02-03"), /Unreleased/);
});

test("the repository's fragments have good names and say something", () => {
  for (const name of readdirSync(join(repositoryRoot, "docs/changes")).filter((file) => file !== "README.md")) {
    assert.ok(kindOf(name) !== undefined, `docs/changes/${name} is not named <slug>.<added|changed|fixed>.md`);
    assert.ok(textOf(`docs/changes/${name}`).trim().length > 10, `docs/changes/${name} is empty`);
  }
  assert.doesNotThrow(() => foldFragments(textOf("CHANGELOG.md"), [], "9.9.9", "2026-02-03"));
});
