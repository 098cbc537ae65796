/** What SessionStart scripts write into CLAUDE_ENV_FILE, as people write it. */
import assert from "node:assert/strict";
import test from "node:test";
import { readExports } from "#sandbox/shell/protocols/claude-env";

const ENV = { PATH: "/usr/bin:/bin", HOME: "/home/u", EMPTY: "" };
const read = (text: string) => readExports(text, ENV, "/home/u");

const ROWS: readonly (readonly [text: string, variables: Record<string, string>])[] = [
  ["export NODE_ENV=production\n", { NODE_ENV: "production" }],
  ["# comment\n\nexport A=1 # more\n\texport B=2;export C=3\r\nexport D=4", { A: "1", B: "2", C: "3", D: "4" }],
  ['export PATH="$PATH:./node_modules/.bin"\n', { PATH: "/usr/bin:/bin:./node_modules/.bin" }],
  ["export PATH=~/bin:~/x:$PATH\nexport PATH=/first:$PATH", { PATH: "/first:/home/u/bin:/home/u/x:/usr/bin:/bin" }],
  ["export T='~/x' U=\"~/x\" V=a~b W=~other", { T: "~/x", U: "~/x", V: "a~b", W: "~other" }],
  ['declare -x A="one \\"two\\" \\$HOME \\\\"\n', { A: 'one "two" $HOME \\' }],
  ['declare -x A="first\nsecond"\nexport B=2', { A: "first\nsecond", B: "2" }],
  ["export A=$'tab\\there\\n\\x41\\101\\''", { A: "tab\there\nAA'" }],
  [
    "export A=${MISSING:-none} B=${PATH:+:$PATH} C=${EMPTY:-x} D=${EMPTY-x} E=${NOPE}",
    { A: "none", B: ":/usr/bin:/bin", C: "x", D: "", E: "" },
  ],
  ["PLAIN=1\nexport PLAIN\nexport -- X=2", { PLAIN: "1", X: "2" }],
  ["export A='it'\\''s' B=a\\ b C=\\\n1", { A: "it's", B: "a b", C: "1" }],
  ["export COST=5$ PCT=100%", { COST: "5$", PCT: "100%" }],
  ["", {}],
];
for (const [text, variables] of ROWS) {
  test(`${JSON.stringify(text.slice(0, 60))} is read`, () => {
    assert.deepEqual(read(text), { variables, problems: [] });
  });
}

const REFUSED: readonly (readonly [text: string, problem: RegExp])[] = [
  ["export A=$(id)", /^"export A": it runs something \(\$\(…\)\)$/],
  ['export A="`id`"', /it runs something \(`\)/],
  ["export A=${X:-$(id)}", /it runs something/],
  ["export A=${X/a/b}", /it needs a shell \(\$\{X\/a\/b\}\)/],
  ["source ~/.nvm/nvm.sh", /only "export NAME=value" counts, not "source"/],
  ["export A=1 && rm -rf x", /it runs something \(&\)/],
  ["export A='open", /a quote is not closed/],
  ['export A="open', /a quote is not closed/],
  ["export A=$'open", /a quote is not closed/],
  ["export 1A=x", /only "export NAME=value" counts/],
  ["export LD_PRELOAD=/tmp/x.so", /^LD_PRELOAD is not taken over$/],
  ["export BASH_ENV=/tmp/x", /^BASH_ENV is not/],
  ["export HOME=/tmp", /^HOME is not/],
  ["export HERMES_HOME=/tmp", /^HERMES_HOME is not/],
  ["export IFS=x", /^IFS is not/],
  ["export DYLD_INSERT_LIBRARIES=x", /^DYLD_INSERT_LIBRARIES is not/],
];
for (const [text, problem] of REFUSED) {
  test(`${text} does not count; the next line does`, () => {
    const { variables, problems } = read(`${text}\nexport NEXT=1`);
    assert.equal(problems.length, 1, problems.join());
    assert.match(problems[0] ?? "", problem);
    // A quote that is not closed takes its own line only.
    assert.deepEqual(variables, { NEXT: "1" });
  });
}

test("no value is in a problem, for it may be a secret", () => {
  const { problems } = read("export TOKEN=hunter2$(x)\nexport TOKEN='hunter2\nhunter2 x\n");
  assert.doesNotMatch(problems.filter((problem) => !problem.startsWith("only")).join(), /hunter2/);
});

test("variables are bounded, and names of objects are names", () => {
  const many = Array.from({ length: 210 }, (_, index) => `export V${index}=1`).join("\n");
  const { variables, problems } = read(many);
  assert.equal(Object.keys(variables).length, 200);
  assert.match(problems[0] ?? "", /more than 200 variables/);
  assert.deepEqual(read("export constructor=x A=$toString").variables, { constructor: "x", A: "" });
});
