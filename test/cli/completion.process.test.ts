/** Completion in a real bash without any package for it. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { BIN, Home } from "../helpers/hermes.ts";
import { noPty, startOnPty } from "../helpers/pty.ts";

const TAB = "\t";
const ENTER = "\r";
const CLEAR_LINE = "\u0015";

test(
  "bash completes commands, names, ids and hooks as they are configured, and evaluates nothing",
  { skip: noPty },
  async (t) => {
    const home = new Home(t);
    home.write(
      "config.yaml",
      `hooks: { pre_tool_call: [{ command: ~/.hermes/agent-hooks/guard.sh }] }
inbound: [{ name: ci-main, bind: "127.0.0.1:9999", script: ./ci.sh }]
`,
    );
    await home.run(["chat", "-q", "hello"]);
    await home.run(["hooks", "allow", "pre_tool_call", "~/.hermes/agent-hooks/guard.sh"]);
    const { sessions } = JSON.parse((await home.run(["sessions", "list", "--json"])).stdout) as {
      sessions: { id: string }[];
    };
    const session = sessions[0]!.id;
    const shell = startOnPty(["bash", "--noprofile", "--norc", "-i"], {
      env: home.env({ HISTFILE: "" }),
      cwd: home.work,
      columns: 160,
    });
    t.after(() => shell.kill());
    await shell.see(/[#$] /);
    shell.type(
      `hermes() { '${process.execPath}' '${BIN}' "$@"; }; source <(hermes complete bash); echo sour''ced${ENTER}`,
    );
    await shell.see(/sourced\s[^]*[#$] /);
    const cases: readonly [typed: string, completed: string][] = [
      ["hermes sess", "hermes sessions "],
      [`hermes sessions show ${session.slice(0, 4)}`, `hermes sessions show ${session} `],
      ["hermes hooks revoke ~/.h", String.raw`\~/.hermes/agent-hooks/guard.sh `],
      ["hermes hooks allow inbound:ci", "hermes hooks allow inbound:ci-main "],
      ["hermes chat --output-format stream", "hermes chat --output-format stream-json "],
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
  },
);
