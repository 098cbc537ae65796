/** A conversation on a terminal that takes over a changed home when `hermes hooks reload` asks it to. */
import test from "node:test";
import assert from "node:assert/strict";
import { Home } from "../helpers/hermes.ts";
import { noPty as skip } from "../helpers/pty.ts";

test(
  "commands, hooks and the model follow a reload; what /model named stays until its section changes",
  { skip },
  async (t) => {
    const home = new Home(t);
    const config = (model: string, rest = "") =>
      home.write(
        "config.yaml",
        `model: { provider: openai-compatible, base_url: "http://127.0.0.1:9/v1", default: ${model} }\n${rest}`,
      );
    const reload = async () => home.run(["hooks", "reload"]);
    config("first-model");
    home.plugin(
      "greeter",
      `export const register = (ctx) => ctx.register_command({ name: "hello", description: "", handler: () => "one" });`,
    );
    const pty = home.terminal(["chat"]);
    t.after(() => pty.kill());
    await pty.see("› ");
    pty.type("/model chosen\r");
    await pty.see("chosen (openai-compatible");

    config("first-model", "plugins: { enabled: [greeter] }\n");
    const first = await reload();
    assert.equal(first.code, 0, first.stderr);
    assert.match(first.stdout, /^\d+ hermes chat: configuration: plugins; plugins reloaded: greeter\n$/);
    pty.type("/hello\r");
    await pty.see(/^one/m);
    pty.type("/model\r");
    await pty.see("chosen (openai-compatible");

    const script = home.script("watch.sh", "cat >/dev/null\n");
    config("second-model", `hooks: { pre_tool_call: [{ command: "${script}" }] }\n`);
    const second = await reload();
    assert.equal(second.code, 0);
    assert.match(
      second.stdout,
      /shell hooks: 1 added, 0 removed; plugins removed: greeter\n {2}1 shell hook is not approved/,
    );
    // It asks nobody: the line that is typed goes to the chat.
    await pty.see("1 shell hook is not approved");
    pty.type("/model\r");
    await pty.see("second-model (openai-compatible");
    pty.type("/hooks\r");
    await pty.see("watch.sh");
    pty.type("/hello\r");
    await pty.see('There is no command "/hello"');
    assert.doesNotMatch(pty.output(), /Allow this hook/);
    pty.type("\u0004");
    assert.equal(await pty.exited, 0);
  },
);

test("a hook on the answers that comes with a reload keeps the words back from then on", { skip }, async (t) => {
  const home = new Home(t);
  home.plugin(
    "censor",
    `export const register = (ctx) =>
       ctx.register_hook("transform_llm_output", ({ response_text }) => response_text.replaceAll("secret", "######"));`,
  );
  home.write("config.yaml", "model: { provider: offline }\n");
  const pty = home.terminal(["chat"]);
  t.after(() => pty.kill());
  await pty.see("› ");
  pty.type("the secret word one\r");
  await pty.see(/the secret word one[^]*the secret word one/);
  await pty.see("› ");
  home.write("config.yaml", "model: { provider: offline }\nplugins: { enabled: [censor] }\n");
  assert.equal((await home.run(["hooks", "reload"])).code, 0);
  pty.type("the secret word two\r");
  assert.doesNotMatch((await pty.see("the ###### word two")).replace("the secret word two", ""), /secret/);
  pty.type("\u0004");
  assert.equal(await pty.exited, 0);
});
