/** Completion in the real shells, without any package for it. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { BIN, Home } from "../helpers/hermes.ts";
import { noPty, startOnPty } from "../helpers/pty.ts";

const TAB = "\t";
const ENTER = "\r";
const CLEAR_LINE = "\u0015";
const HERMES = `hermes() { '${process.execPath}' '${BIN}' "$@"; }`;

/** How an interactive shell is started, and what it must run before it completes. */
const SHELLS = {
  bash: { args: ["--noprofile", "--norc", "-i"], prepare: "source <(hermes complete bash)" },
  // By default, the Tab of zsh first expands what is typed, whatever the command.
  zsh: {
    args: ["-f", "-i"],
    prepare: "autoload -U compinit; compinit -u -D; bindkey '\\t' complete-word; source <(hermes complete zsh)",
  },
};

for (const [name, { args, prepare }] of Object.entries(SHELLS)) {
  test(`${name} completes commands, names, ids, hooks and files, and evaluates nothing`, { skip: noPty }, async (t) => {
    requireShell(name);
    const { home, session } = await prepareHome(t);
    const shell = startOnPty([name, ...args], { env: home.env({ HISTFILE: "" }), cwd: home.work, columns: 160 });
    t.after(() => shell.kill());
    await shell.see(/[#$%] /);
    shell.type(`${HERMES}; ${prepare}; echo sour''ced${ENTER}`);
    await shell.see(/sourced\s[^]*[#$%] /);
    const cases: readonly [typed: string, completed: string][] = [
      ["hermes sess", "hermes sessions "],
      [`hermes sessions show ${session.slice(0, 4)}`, `hermes sessions show ${session} `],
      ["hermes hooks revoke ~/.h", String.raw`\~/.hermes/agent-hooks/guard.sh `],
      ["hermes hooks allow inbound:ci", "hermes hooks allow inbound:ci-main "],
      ["hermes chat --output-format stream", "hermes chat --output-format stream-json "],
      ["hermes chat --output-format=s", "hermes chat --output-format=stream-json "],
      ["hermes chat --query-file que", "hermes chat --query-file question.md "],
    ];
    for (const [typed, completed] of cases) {
      shell.type(typed + TAB);
      await shell.see(completed);
      shell.type(CLEAR_LINE);
    }
    shell.type(`hermes sessions show "$(touch evaluated)${TAB}${TAB}`);
    shell.type(`${CLEAR_LINE}echo still''-here${ENTER}`);
    await shell.see("still-here");
    assert.equal(existsSync(join(home.work, "evaluated")), false);
  });
}

test("fish completes commands, names, ids, hooks and files, and evaluates nothing", async (t) => {
  requireShell("fish");
  const { home, session } = await prepareHome(t);
  const cases: readonly [typed: string, completed: string][] = [
    ["hermes sess", "sessions"],
    [`hermes sessions show ${session.slice(0, 4)}`, session],
    ["hermes hooks revoke ", "~/.hermes/agent-hooks/guard.sh"],
    ["hermes hooks allow inbound:ci", "inbound:ci-main"],
    ["hermes chat --output-format=s", "--output-format=stream-json"],
    ["hermes chat --query-file que", "question.md"],
    ["hermes chat --query-file=que", "--query-file=question.md"],
    ['hermes sessions show "$(touch evaluated)', ""],
  ];
  const script = [
    `function hermes; '${process.execPath}' '${BIN}' $argv; end`,
    "hermes complete fish | source",
    ...cases.map(([typed]) => `complete -C '${typed}'; echo END`),
  ].join("\n");
  const said = execFileSync("fish", ["--no-config", "-c", script], {
    env: { ...home.env(), TERM: "dumb" },
    cwd: home.work,
    encoding: "utf8",
  });
  const offered = said.split("END\n").map((lines) => lines.split("\t")[0]!.trim());
  assert.deepEqual(
    offered.slice(0, -1),
    cases.map(([, completed]) => completed),
  );
  assert.equal(existsSync(join(home.work, "evaluated")), false);
});

async function prepareHome(t: { after(fn: () => unknown): void }): Promise<{ home: Home; session: string }> {
  const home = new Home(t);
  home.write(
    "config.yaml",
    `hooks: { pre_tool_call: [{ command: ~/.hermes/agent-hooks/guard.sh }] }
inbound: [{ name: ci-main, bind: "127.0.0.1:9999", script: ./ci.sh }]
`,
  );
  writeFileSync(join(home.work, "question.md"), "why?");
  await home.run(["chat", "-q", "hello"]);
  await home.run(["hooks", "allow", "pre_tool_call", "~/.hermes/agent-hooks/guard.sh"]);
  const { sessions } = JSON.parse((await home.run(["sessions", "list", "--json"])).stdout) as {
    sessions: { id: string }[];
  };
  return { home, session: sessions[0]!.id };
}

function requireShell(name: string): void {
  const paths = (process.env["PATH"] ?? "").split(":");
  assert.ok(
    paths.some((path) => existsSync(join(path, name))),
    `This test needs the Debian package ${name}`,
  );
}
