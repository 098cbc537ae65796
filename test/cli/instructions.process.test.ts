/** AGENTS.md of a project through the whole program: asked about once, followed, remembered, refused. */
import assert from "node:assert/strict";
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { Home } from "../helpers/hermes.ts";
import { startModelServer } from "../helpers/model-server.ts";
import { noPty } from "../helpers/pty.ts";

const ENTER = "\r";
const WORDS = "Always answer in French.";

/** A repository with instructions, and a model that shows what it was told. */
async function project(t: TestContext, more = "") {
  const server = await startModelServer(Array.from({ length: 8 }, () => ({ text: "Bonjour." })));
  t.after(() => server[Symbol.asyncDispose]());
  const home = new Home(t);
  const model = `model: { provider: openai-compatible, default: m, base_url: "${server.url}" }\n`;
  home.write("config.yaml", `${model}${more}`);
  mkdirSync(join(home.work, ".git"));
  mkdirSync(join(home.work, "app"));
  writeFileSync(join(home.work, "AGENTS.md"), WORDS);
  writeFileSync(join(home.work, "app/CLAUDE.md"), "Use tabs.");
  const told = () => JSON.stringify(server.requests.at(-1) ?? null);
  return { home, told };
}

test(
  "asked once on a terminal, shown on demand, remembered for later runs and other folders",
  { skip: noPty },
  async (t) => {
    const { home, told } = await project(t);
    const pty = home.terminal(["chat", "-q", "hello"], {}, { cwd: join(home.work, "app") });
    t.after(() => pty.kill());
    await pty.see("files    AGENTS.md, app/CLAUDE.md (0.0 KiB)");
    await pty.see("Follow them in this project? [y/N/show]");
    pty.type(`show${ENTER}`);
    await pty.see("── app/CLAUDE.md");
    await pty.see("Use tabs.");
    await pty.see("[y/N/show]");
    pty.type(`y${ENTER}`);
    await pty.see("Following AGENTS.md, app/CLAUDE.md");
    assert.equal(await pty.exited, 0);
    assert.match(told(), /Always answer in French\..*Use tabs\./);
    assert.equal(statSync(join(home.path, "instructions.json")).mode & 0o777, 0o600);
    const later = await home.run(["chat", "-q", "hello"]);
    assert.match(later.stderr, /^Following AGENTS\.md \(0\.0 KiB\)\. --no-instructions turns this off\.$/m);
    assert.match(told(), /Always answer in French/);
    const quiet = await home.run(["chat", "-Q", "-q", "hello"]);
    assert.equal(quiet.stderr, "");
    assert.match(told(), /Always answer in French/);
    await home.run(["chat", "-q", "hello", "--no-instructions"]);
    assert.doesNotMatch(told(), /French/);
  },
);

test("a no is remembered, too", { skip: noPty }, async (t) => {
  const { home, told } = await project(t);
  const pty = home.terminal(["chat", "-q", "hello"]);
  t.after(() => pty.kill());
  await pty.see("[y/N/show]");
  pty.type(ENTER);
  assert.equal(await pty.exited, 0);
  assert.doesNotMatch(told(), /French/);
  const later = await home.run(["chat", "-q", "hello"]);
  assert.equal(later.stderr, "");
  assert.doesNotMatch(told(), /French/);
});

test("without a terminal they are not followed, which standard error says; --instructions decides", async (t) => {
  const { home, told } = await project(t);
  const first = await home.run(["chat", "-q", "hello"]);
  assert.equal(first.stdout, "Bonjour.\n");
  assert.match(first.stderr, /^hermes: not following AGENTS\.md \(0\.0 KiB\) of .*: you have not decided/);
  assert.doesNotMatch(told(), /French/);
  await home.run(["chat", "-q", "hello", "--instructions"]);
  assert.match(told(), /Always answer in French/);
  await home.run(["run", "hello"]);
  assert.match(told(), /Always answer in French/);
});

test("agent.instructions: false switches them off, without a word", async (t) => {
  const { home, told } = await project(t, "agent: { instructions: false }\n");
  const { stderr } = await home.run(["chat", "-q", "hello"]);
  assert.equal(stderr, "");
  assert.doesNotMatch(told(), /French/);
});

test("an agent cannot decide for the user", async (t) => {
  const { home } = await project(t);
  const env = { HERMES_AGENT_HOMES: JSON.stringify([home.path]) };
  const { code, stderr } = await home.run(["chat", "-q", "hello", "--instructions"], { env });
  assert.equal(code, 1);
  assert.match(stderr, /--instructions/);
  assert.ok(!home.has("instructions.json"));
});
