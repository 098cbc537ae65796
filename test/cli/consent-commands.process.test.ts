/** An approval is for the exact strings: it does not leak from one spelling of a command to another (CONTRACT §5). */
import assert from "node:assert/strict";
import { copyFileSync, existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home } from "../helpers/hermes.ts";
import { runInProcess } from "../helpers/in-process.ts";

const ALLOWLIST = "shell-hooks-allowlist.json";

interface Listed {
  readonly command: string;
  readonly allowed: boolean;
}

function homeWith(context: TestContext, commands: readonly string[], approved: readonly string[]): Home {
  const home = new Home(context);
  home.write("config.yaml", `hooks:\n  pre_tool_call: ${JSON.stringify(commands.map((command) => ({ command })))}\n`);
  const approvals = approved.map((command) => ({ event: "pre_tool_call", command }));
  home.write(ALLOWLIST, JSON.stringify({ approvals }), 0o600);
  return home;
}

async function allowedOf(home: Home): Promise<readonly string[]> {
  const { hooks } = JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as { hooks: Listed[] };
  return hooks.filter(({ allowed }) => allowed).map(({ command }) => command);
}

const SPELLINGS = [
  "~/guard.sh",
  "~/guard.sh ",
  " ~/guard.sh",
  "~//guard.sh",
  "~/./guard.sh",
  "~/GUARD.sh",
  "'~/guard.sh'",
  "~/guard.sh #",
  "~/guard.sh\n",
  "~/guard.sh\u200b",
  "~/gu\u0430rd.sh",
  "~/guard.sh\u001b[2K",
  "~/caf\u00e9.sh",
  "~/cafe\u0301.sh",
];

test("every spelling is a separate command", async (context) => {
  for (const approved of [SPELLINGS[0]!, SPELLINGS[12]!]) {
    const home = homeWith(context, SPELLINGS, [approved]);
    assert.deepEqual(await allowedOf(home), [approved]);
  }
  const all = homeWith(context, SPELLINGS, []);
  for (const [index, spelling] of SPELLINGS.entries()) {
    assert.equal((await runInProcess(all, ["hooks", "allow", "pre_tool_call", spelling])).code, 0, spelling);
    assert.deepEqual(await allowedOf(all), SPELLINGS.slice(0, index + 1));
    if (index === 3) break;
  }
});

test("an approval for one event is none for another", async (context) => {
  const home = new Home(context);
  home.write("config.yaml", 'hooks: { pre_tool_call: [{ command: "x" }], post_tool_call: [{ command: "x" }] }\n');
  await runInProcess(home, ["hooks", "allow", "post_tool_call", "x"]);
  const { hooks } = JSON.parse((await runInProcess(home, ["hooks", "list", "--json"])).stdout) as {
    hooks: { event: string; allowed: boolean }[];
  };
  assert.deepEqual(
    hooks.map(({ event, allowed }) => [event, allowed]),
    [
      ["pre_tool_call", false],
      ["post_tool_call", true],
    ],
  );
});

test("shell syntax is not interpreted: an approved command passes it to the program unchanged", async (context) => {
  const commands = [
    "./argv.sh $(touch substituted)",
    "./argv.sh `touch substituted`",
    "./argv.sh a; touch separated",
    "./argv.sh a | touch piped",
    "./argv.sh a && touch joined",
    "./argv.sh > redirected",
    "./argv.sh *",
    "./argv.sh $HOME ~other",
  ];
  const home = homeWith(context, commands, commands);
  const argv = home.script("argv.sh", `cat >/dev/null; for word; do printf '<%s>' "$word" >&2; done\n`);
  copyFileSync(argv, join(home.work, "argv.sh"));
  const { stdout } = await home.run(["hooks", "test", "pre_tool_call", "--json"]);
  const { results } = JSON.parse(stdout) as { results: { stderr: string; error: string | null }[] };
  assert.deepEqual(
    results.map(({ stderr }) => stderr),
    [
      "<$(touch><substituted)>",
      "<`touch><substituted`>",
      "<a;><touch><separated>",
      "<a><|><touch><piped>",
      "<a><&&><touch><joined>",
      "<>><redirected>",
      "<*>",
      "<$HOME><~other>",
    ],
  );
  assert.deepEqual(readdirSync(home.work), ["argv.sh"]);
});

test("commands that cannot be parsed do not run, approved or not; a fail_closed gate blocks", async (context) => {
  const evidence = "ran";
  for (const command of [
    `touch ${evidence} 'x`,
    `touch ${evidence} "`,
    `touch ${evidence} \\`,
    `touch ${evidence}\0x`,
  ]) {
    const home = homeWith(context, [command], [command]);
    home.write("config.yaml", `hooks:\n  pre_tool_call: ${JSON.stringify([{ command, fail_closed: true }])}\n`);
    const { stdout, stderr, code } = await home.run(["chat", "-q", "run `echo reached`"]);
    assert.equal(code, 0);
    assert.match(stderr, /hooks\.pre_tool_call\[0\]: its command cannot be parsed/);
    assert.match(stdout, /cannot be parsed|Blocked/);
    assert.doesNotMatch(stdout, /"output":"reached/);
    assert.equal(existsSync(join(home.work, evidence)), false);
  }
});

test("a path that the shell expanded is approved as it is, and the configured spelling is offered", async (t) => {
  const home = homeWith(t, ["~/guard.sh --strict"], ["~/guard.sh --strict"]);
  const expanded = `${home.env()["HOME"]}/guard.sh --strict`;
  const allowed = await runInProcess(home, ["hooks", "allow", "pre_tool_call", expanded]);
  assert.equal(allowed.code, 0);
  assert.match(allowed.stdout, /^Approved: /);
  assert.match(
    allowed.stderr,
    /To approve the configured one, run: hermes hooks allow pre_tool_call '~\/guard\.sh --strict'/,
  );
  const other = await runInProcess(home, ["hooks", "allow", "pre_tool_call", `${expanded}er`]);
  assert.doesNotMatch(other.stderr, /configured one/);
  await runInProcess(home, ["hooks", "revoke", expanded]);
  const unknown = await runInProcess(home, ["hooks", "revoke", expanded]);
  assert.equal(unknown.code, 3);
  assert.match(unknown.stderr, /Did you mean '~\/guard\.sh --strict'\?/);
});
