/** The daemons of `hermes serve`. */
import assert from "node:assert/strict";
import test from "node:test";
import { messagesOf } from "../helpers/daemon.ts";
import { Home } from "../helpers/hermes.ts";
import { until } from "../helpers/poll.ts";
import { startServe } from "../helpers/serve.ts";

const MODEL = { model: { provider: "offline" } };

test("a service runs its daemons; the prompt is the first message of a new session only", async (t) => {
  const home = new Home(t);
  const config = { ...MODEL, daemons: [{ name: "one", prompt: "you watch" }, { name: "two" }] };
  const first = await startServe(t, home, { config });
  const answer = await home.run(["send", "--name", "two", "--wait", "hello two"]);
  assert.equal(answer.code, 0, answer.stderr);
  assert.match(answer.stdout, /^hello two/);
  await until(async () => (await messagesOf(home, "one"))[0]?.state === "done", "the prompt was handled");
  const ps = JSON.parse((await home.run(["ps", "--json"])).stdout) as { sessions: { name: string; pid: number }[] };
  assert.deepEqual(
    ps.sessions.map(({ name, pid }) => [name, pid]),
    [
      ["one", first.pid],
      ["two", first.pid],
    ],
  );
  const second = await home.run(["run", "--daemon", "--name", "one"]);
  assert.equal(second.code, 1, "its name is taken");
  const stopped = await home.run(["stop", "--name", "two"]);
  assert.equal(stopped.code, 0, stopped.stderr);
  assert.equal((await home.run(["send", "--name", "two", "x"])).code, 4);
  assert.equal((await home.run(["send", "--name", "one", "--wait", "still here"])).code, 0, "the others go on");
  first.kill("SIGTERM");
  assert.equal((await first.ended).code, 0);
  const again = await startServe(t, home);
  assert.equal((await home.run(["send", "--name", "one", "--wait", "hello"])).code, 0);
  const contents = (await messagesOf(home, "one")).map(({ content }) => content);
  assert.deepEqual(contents, ["you watch", "still here", "hello"]);
  again.kill("SIGTERM");
  assert.equal((await again.ended).code, 0);
});

for (const [what, daemons, said] of [
  ["a name twice", [{ name: "a" }, { name: "a" }], /daemons\[1\]\.name: a daemon's name is used twice/],
  ["a bad name", [{ name: "a\tb" }], /daemons\[0\]\.name: a daemon's name must not contain control characters/],
  ["a blank prompt", [{ name: "a", prompt: " " }], /daemons\[0\]\.prompt: the message is empty/],
] as const) {
  test(`${what} in daemons is 2, and nothing starts`, async (t) => {
    const home = new Home(t);
    home.write("config.yaml", JSON.stringify({ ...MODEL, daemons }));
    const ended = await home.run(["serve"]);
    assert.equal(ended.code, 2, ended.stderr);
    assert.match(ended.stderr, said);
    assert.doesNotMatch(ended.stderr, /is running/);
  });
}
