/** From a word of a command to the paths that it may name. Whole commands are judged in commands.test.ts. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import test from "node:test";
import fc from "fast-check";
import { ANY_ONE, ANY_RUN, BELOW, UNKNOWN } from "#agent/guard/shell/patterns";
import { snapshotGuards, type Relation } from "#agent/guard/paths";
import { WordJudge } from "#agent/guard/words";

const root = realpathSync(mkdtempSync(join(tmpdir(), "hermes-words-")));
const user = join(root, "user");
const home = join(user, ".hermes");
const project = join(root, "project");
const scripts = join(root, "scripts");
for (const folder of [join(home, "hooks"), join(home, "logs"), project, scripts])
  mkdirSync(folder, { recursive: true });
writeFileSync(join(home, "config.yaml"), "");
writeFileSync(join(scripts, "guard.sh"), "");
symlinkSync(home, join(project, "link"));

const snapshot = snapshotGuards([join(home, "config.yaml"), join(home, "hooks")], [join(scripts, "guard.sh")], user);
const judge = () => new WordJudge(snapshot, user);
const relation = (text: string, ...folders: string[]) => judge().relation(text, folders);

const RELATIONS: readonly (readonly [text: string, from: string, relation: Relation])[] = [
  ["config.yaml", home, "inside"],
  ["config.yaml", project, "free"],
  ["../user/.hermes/config.yaml", project, "inside"],
  ["link/config.yaml", project, "inside"],
  ["hooks/deep/down.ts", home, "inside"],
  ["~/.hermes/config.yaml", project, "inside"],
  [`~${userInfo().username}/.hermes/config.yaml`, project, "inside"],
  ["~+/config.yaml", home, "inside"],
  ["~nobody-of-that-name/.hermes/config.yaml", project, "free"],
  ["~", project, "above"],
  [".", home, "above"],
  ["link", project, "above"],
  ["..", home, "above"],
  ["/", project, "above"],
  ["guard.sh", scripts, "inside"],
  [".", scripts, "above_extra"],
  ["logs/hermes.log", home, "free"],
  ["config.yaml.bak", home, "free"],
  ["", home, "free"],
  [UNKNOWN, home, "inside"],
  [BELOW, home, "inside"],
  [BELOW, project, "free"],
  [`../user/${BELOW}`, project, "inside"],
  // What is glued to an option, an assignment, a host or a list.
  ["--file=config.yaml", home, "inside"],
  ["-fconfig.yaml", home, "inside"],
  ["of=config.yaml", home, "inside"],
  ["host:config.yaml", home, "inside"],
  ["@config.yaml", home, "inside"],
  ["a,config.yaml,b", home, "inside"],
  ["--mount=src=config.yaml,dst=x", home, "inside"],
  // Wildcards, tried as patterns and against the disk.
  [`${ANY_RUN}.yaml`, home, "inside"],
  [`con${ANY_ONE}ig.yaml`, home, "inside"],
  [`con${UNKNOWN}`, home, "inside"],
  [`${ANY_RUN}.json`, home, "free"],
  [`${ANY_RUN}/config.yaml`, user, "free"],
  [`.${ANY_RUN}/config.yaml`, user, "inside"],
  [`${ANY_RUN}/config.yaml`, project, "inside"],
  [`.${ANY_RUN}`, user, "above"],
  [`${UNKNOWN}/config.yaml`, home, "inside"],
];
for (const [text, from, wanted] of RELATIONS) {
  test(`${JSON.stringify(text)} from ${from.slice(root.length)}: ${wanted}`, () => {
    assert.equal(relation(text, from), wanted);
  });
}

test("of several folders, the closest relation is used; an absolute path is the same from each", () => {
  assert.equal(relation("config.yaml", project, home), "inside");
  assert.equal(relation(".", project, scripts, home), "above");
  assert.equal(relation(join(home, "config.yaml"), project, scripts), "inside");
});

test("one judge answers the same again, from its memory too", () => {
  const remembering = judge();
  for (let round = 0; round < 2; round++) {
    for (const [text, from, wanted] of RELATIONS) assert.equal(remembering.relation(text, [from]), wanted, text);
  }
});

test("paths: each folder's; one for an absolute path; none for nothing", () => {
  assert.deepEqual(judge().paths("x", ["/a", "/b"]), ["/a/x", "/b/x"]);
  assert.deepEqual(judge().paths("/x", ["/a", "/b"]), ["/x"]);
  assert.deepEqual(judge().paths("~/x", ["/a"]), [`${user}/x`]);
  assert.deepEqual(judge().paths("", ["/a"]), []);
});

test("folders: where a cd may lead; wildcards lead to what is on the disk", () => {
  assert.deepEqual(judge().folders("../scripts", [project]), [scripts]);
  assert.deepEqual(judge().folders("nowhere", [project]), [join(project, "nowhere")]);
  assert.deepEqual(judge().folders(`${ANY_RUN}/${ANY_RUN}`, [root]).toSorted(), [
    join(project, "link"),
    join(scripts, "guard.sh"),
  ]);
  assert.deepEqual(judge().folders(`no${ANY_RUN}`, [project]), []);
});

test("mentions: a guarded path in a text of any language, as its writer spelled it", () => {
  const find = (text: string, relative = false) => judge().findMention(text, [home], relative);
  const file = join(home, "config.yaml");
  assert.equal(find(`open("${file}", "w")`), file);
  assert.equal(find(`fs.rm(\`${file}\`)`), file);
  assert.equal(find("a=~/.hermes/config.yaml;b"), "~/.hermes/config.yaml");
  assert.equal(find("open('config.yaml')"), undefined, "a relative name may be any file's");
  assert.equal(find("open('config.yaml')", true), "config.yaml");
  assert.equal(find(`open("${file}.bak")`), undefined);
  assert.equal(find(`/${"x".repeat(5000)} ${file}`), file);
});

test("a pattern that was made of a guarded name names it, and one that cannot be it does not", () => {
  const name = "config.yaml";
  /** Each letter as it is, as one wildcard, or as a part of a run; runs may also match nothing. */
  const pattern = fc
    .array(fc.constantFrom("as it is", "one", "run", "run before"), { minLength: name.length, maxLength: name.length })
    .map((ways) =>
      Array.from(name)
        .map((letter, index) => {
          const way = ways[index]!;
          // A leading dot aside, as there is none here, a wildcard may stand anywhere.
          if (way === "run before") return `${ANY_RUN}${letter}`;
          return way === "as it is" ? letter : way === "one" ? ANY_ONE : ANY_RUN;
        })
        .join(""),
    );
  fc.assert(
    fc.property(pattern, (text) => {
      assert.equal(relation(text, home), "inside");
      assert.notEqual(relation(`${text}!`, home), "inside");
      assert.notEqual(relation(text, project), "inside");
    }),
    { numRuns: 200 },
  );
});

test("no text makes it throw, and a text that holds a guarded path as a word of its own is never free", () => {
  const file = join(home, "config.yaml");
  const noise = fc.string({
    unit: fc.constantFrom("a", "/", ".", "~", "=", ":", "@", "-", ",", ANY_RUN, ANY_ONE, "é"),
  });
  fc.assert(
    fc.property(noise, fc.constantFrom("=", ":", "@"), (text, mark) => {
      relation(text, project);
      assert.equal(relation(`${text}${mark}${file}`, project), "inside");
    }),
    { numRuns: 300 },
  );
});
