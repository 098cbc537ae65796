/** Slash commands of the gateway, the decisions of their handlers, and the order of a reset. */
import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import test from "node:test";
import { createGatewayBench, record } from "../helpers/gateway-bench.ts";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { slashWords } from "#core/slash-commands";
import { until } from "../helpers/poll.ts";

const KEY = "agent:main:memory:dm:1";

test("/help lists ours and the plugins' commands", async (t) => {
  const { adapter, commands } = await createGatewayBench(t);
  commands.push({ name: "dice", description: "throws dice", run: async () => "4" });
  const { text } = await adapter.ask("/help");
  for (const name of slashWords("gateway")) assert.match(text!, new RegExp(`/${name}\\b`));
  assert.match(text!, /^\/dice: throws dice$/m);
});

test("/status tells session, model, the running turn and what waits, while it runs", async (t) => {
  const { adapter, tool, agent } = await createGatewayBench(t, { settings: { allowed_users: ["*"], busy: "queue" } });
  assert.match((await adapter.ask("/status")).text!, /^session: none yet\nmodel: offline \(offline\)\nturn: none/);
  const first = adapter.ask("@wait {}");
  await tool.running(1);
  const second = adapter.ask("then");
  const text = await until(async () => {
    const status = await adapter.ask("/status");
    return status.text?.includes(" 0 waiting") === true ? null : status.text;
  }, "the second message waits");
  const { id } = agent.sessions.byKey(KEY)!;
  assert.match(
    text,
    new RegExp(`^session: ${id}\n.*\nturn: running for \\d+ s, 1 waiting\n.*: queue\nplatforms: memory$`),
  );
  tool.release();
  await Promise.all([first, second]);
});

test("/start greets, /settings tells what is set", async (t) => {
  const { adapter } = await createGatewayBench(t);
  assert.match((await adapter.ask("/start")).text!, /^Hello! .*\/help/);
  assert.match(
    (await adapter.ask("/settings")).text!,
    /^model: offline \(offline\).*\nnew messages during a turn: interrupt\n/,
  );
});

test("/model shows the model and takes another", async (t) => {
  const { adapter } = await createGatewayBench(t);
  assert.equal((await adapter.ask("/model")).text, "offline (offline)");
  assert.equal((await adapter.ask("/model other")).text, "other (offline)");
});

test("an unknown command is reported with a suggestion; a path is a message", async (t) => {
  const { adapter, commands } = await createGatewayBench(t);
  commands.push({ name: "dice", description: "", run: async () => null });
  assert.equal((await adapter.ask("/stauts")).text, 'There is no command "/stauts". Did you mean "/status"?');
  assert.equal((await adapter.ask("/dcie")).text, 'There is no command "/dcie". Did you mean "/dice"?');
  assert.equal((await adapter.ask("/xylophone")).text, 'There is no command "/xylophone". Send "/help" for a list.');
  assert.match((await adapter.ask("/etc/hosts is what?")).text!, /^\/etc\/hosts is what\?/);
});

test("a plugin's command gets its arguments; what it gives is the answer, null is none", async (t) => {
  const { adapter, commands } = await createGatewayBench(t);
  commands.push({ name: "shout", description: "", run: async (args) => (args === "" ? null : args.toUpperCase()) });
  assert.equal((await adapter.ask("/SHOUT hi there")).text, "HI THERE");
  assert.deepEqual(await adapter.ask("/shout"), { text: null, problem: null, frames: [] });
  await adapter.receive("/shout");
  assert.deepEqual(adapter.sent, []);
});

test("a plugin's command that fails says so without its reason, which is in the log", async (t) => {
  const { adapter, commands, logged } = await createGatewayBench(t);
  commands.push({ name: "fails", description: "", run: () => Promise.reject(new Error("token t0k3n is bad")) });
  commands.push({
    name: "throws",
    description: "",
    run: () => {
      throw new Error("at once");
    },
  });
  for (const name of ["fails", "throws"]) {
    assert.equal((await adapter.ask(`/${name}`)).text, `/${name} failed. The gateway's log has the reason.`);
  }
  assert.ok(logged.some((line) => line.includes("t0k3n")));
});

test("a plugin's command that never ends is stopped by /stop or its bound, and holds up nobody else", async (t) => {
  const { adapter, commands } = await createGatewayBench(t, { timings: { command: 100 } });
  const begun = Promise.withResolvers<void>();
  commands.push({ name: "hangs", description: "", run: () => (begun.resolve(), new Promise(() => undefined)) });
  assert.match((await adapter.ask("/hangs")).text!, /did not finish within 0\.1 s/);
  assert.equal((await adapter.ask("/stop")).text, "Nothing is running.");
  const patient = await createGatewayBench(t);
  patient.commands.push(...commands);
  const hanging = patient.adapter.ask("/hangs");
  await begun.promise;
  const next = patient.adapter.ask("hello");
  assert.match((await patient.adapter.ask("hello", { chat_id: "2" })).text!, /^hello/);
  assert.equal((await patient.adapter.ask("/stop")).text, "Stopped.");
  assert.equal((await hanging).text, null);
  assert.match((await next).text!, /^hello/);
});

test("handlers of a command may deny, handle and rewrite it; the first decision wins", async (t) => {
  const { adapter, agent, commands } = await createGatewayBench(t);
  commands.push({ name: "dice", description: "", run: async (args) => `dice ${args}` });
  const contexts: unknown[] = [];
  agent.registry.register("command:dice", (_, context) => {
    contexts.push(context);
    if (context["args"] === "no") return { decision: "deny", message: "Not here." };
    if (context["args"] === "never") return { decision: "deny" };
    if (context["args"] === "done") return { decision: "handled" };
    if (context["args"] === "told") return { decision: "handled", message: "Thrown elsewhere." };
    if (context["args"] === "status") return { decision: "rewrite", command_name: "/Status" };
    return context["args"] === "model" ? { decision: "rewrite", command_name: "model", raw_args: "x" } : undefined;
  });
  agent.registry.register("command:*", (_, { args }) => (args === "no" ? { decision: "handled" } : null));
  const say = async (text: string) => (await adapter.ask(text, { user_id: "7" })).text;
  assert.equal(await say("/dice no"), "Not here.");
  assert.equal(await say("/dice never"), "The command was denied by a hook.");
  assert.equal(await say("/dice done"), null);
  assert.equal(await say("/dice told"), "Thrown elsewhere.");
  assert.equal(await say("/dice model"), "x (offline)");
  assert.match((await say("/dice status"))!, /^session: /);
  assert.equal(await say("/dice 3"), "dice 3");
  assert.deepEqual(contexts[0], {
    platform: "memory",
    user_id: "7",
    session_id: "",
    session_key: KEY,
    command: "dice",
    args: "no",
    raw_args: "no",
  });
});

test("a decision is waited for", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  const decision = Promise.withResolvers<object>();
  const deciding = Promise.withResolvers<void>();
  agent.registry.register("command:new", () => {
    deciding.resolve();
    return decision.promise;
  });
  const answers: unknown[] = [];
  const asked = adapter.ask("/new").then(({ text }) => answers.push(text));
  await deciding.promise;
  await adapter.ask("/status", { chat_id: "2" });
  assert.deepEqual(answers, []);
  decision.resolve({ decision: "deny", message: "Stay." });
  await asked;
  assert.deepEqual(answers, ["Stay."]);
});

for (const command of ["/new", "/reset", "/clear"]) {
  test(`${command}: the events of the old session, then those of the new one, which starts with its first message`, async (t) => {
    const bench = await createGatewayBench(t);
    const { adapter, agent, order } = bench;
    await adapter.receive("hello");
    const old = agent.sessions.byKey(KEY)!.id;
    record(
      bench,
      ["on_session_start", "on_session_end", "on_session_finalize", "on_session_reset"],
      ["session:start", "session:end", "session:reset"],
    );
    const { text } = await adapter.ask(command);
    const fresh = agent.sessions.byKey(KEY)!.id;
    assert.notEqual(fresh, old);
    assert.equal(text, `New session ${fresh}.`);
    assert.deepEqual(order, [
      `session:end ${old}`,
      `on_session_finalize ${old}`,
      `session:reset ${fresh}`,
      `on_session_reset ${fresh}`,
    ]);
    order.length = 0;
    const { frames } = await adapter.ask("again");
    assert.deepEqual(order, [`session:start ${fresh}`, `on_session_start ${fresh}`, `on_session_end ${fresh}`]);
    assert.equal((frames[0] as { resumed?: boolean }).resumed, false);
    assert.equal(agent.sessions.history(fresh).length, 2);
  });
}

test("the old session is still the conversation's until the swap, and each event waits for slow handlers", async (t) => {
  const bench = await createGatewayBench(t);
  const { adapter, agent } = bench;
  await adapter.receive("hello");
  const old = agent.sessions.byKey(KEY)!.id;
  const seen: string[] = [];
  const look = async (event: string) => {
    seen.push(`${event} begins, ${agent.sessions.byKey(KEY)!.id === old ? "old" : "new"}`);
    // Whoever does not wait begins meanwhile.
    for (let turns = 0; turns < 10; turns++) await turn();
    seen.push(`${event} ends`);
  };
  for (const event of ["session:end", "session:reset"]) agent.registry.register(event, look);
  for (const event of ["on_session_finalize", "on_session_reset"] as const) agent.hook(event, () => look(event));
  await adapter.ask("/new");
  assert.deepEqual(seen, [
    "session:end begins, old",
    "session:end ends",
    "on_session_finalize begins, old",
    "on_session_finalize ends",
    "session:reset begins, new",
    "session:reset ends",
    "on_session_reset begins, new",
    "on_session_reset ends",
  ]);
});

test("a handler that hangs keeps nobody from a new conversation", async (t) => {
  const { adapter, agent } = await createGatewayBench(t, { agent: { eventMs: 30 } });
  await adapter.receive("hello");
  for (const event of ["session:end", "session:reset"])
    agent.registry.register(event, () => new Promise(() => undefined));
  assert.match((await adapter.ask("/new")).text!, /^New session/);
});

test("contexts and payloads of a reset", async (t) => {
  const { adapter, agent } = await createGatewayBench(t);
  await adapter.receive("hello");
  const old = agent.sessions.byKey(KEY)!.id;
  const seen: unknown[] = [];
  for (const event of ["session:end", "session:reset"])
    agent.registry.register(event, (name, context) => seen.push(name, context));
  for (const event of ["on_session_finalize", "on_session_reset"] as const) {
    agent.hook(event, (payload) => void seen.push(event, payload));
  }
  await adapter.ask("/new");
  const fresh = agent.sessions.byKey(KEY)!.id;
  const place = { platform: "memory", user_id: "1", session_key: KEY };
  assert.deepEqual(seen, [
    "session:end",
    { ...place, session_id: old },
    "on_session_finalize",
    { session_id: old, platform: "memory" },
    "session:reset",
    { ...place, session_id: fresh },
    "on_session_reset",
    { session_id: fresh, platform: "memory" },
  ]);
});

test("/new without a session: nothing ends, a session begins", async (t) => {
  const bench = await createGatewayBench(t);
  record(bench, ["on_session_finalize", "on_session_reset"], ["session:end", "session:reset"]);
  await bench.adapter.ask("/new");
  const fresh = bench.agent.sessions.byKey(KEY)!.id;
  assert.deepEqual(bench.order, ["on_session_finalize -", `session:reset ${fresh}`, `on_session_reset ${fresh}`]);
});

test("/new stops the running turn and waits for its end; a message behind it is in the new session", async (t) => {
  const bench = await createGatewayBench(t, { settings: { allowed_users: ["*"], busy: "queue" } });
  const { adapter, tool, agent, order } = bench;
  record(bench, ["on_session_end", "on_session_finalize"], ["agent:end", "session:end"]);
  const first = adapter.ask("@wait {}");
  await tool.running(1);
  const old = agent.sessions.byKey(KEY)!.id;
  const replies = [adapter.ask("waits"), adapter.ask("/new"), adapter.ask("hello")];
  const [waited, reset, next] = await Promise.all(replies);
  assert.equal((await first).problem?.code, "HERMES_INTERRUPTED");
  assert.equal(waited?.problem?.code, "HERMES_INTERRUPTED");
  assert.match(reset!.text!, /^New session/);
  assert.notEqual(next!.frames[0]!.session_id, old);
  assert.deepEqual(
    order.slice(0, 4),
    ["agent:end", "on_session_end", "session:end", "on_session_finalize"].map((event) => `${event} ${old}`),
  );
});

test("a request with its own history has no conversation to reset; other commands work", async (t) => {
  const { adapter } = await createGatewayBench(t);
  assert.match((await adapter.ask("/new", { history: [] })).text!, /has its own history/);
  assert.match((await adapter.ask("/status", { history: [] })).text!, /^session: none yet/);
  assert.equal((await adapter.ask("/stop", { history: [] })).text, "Nothing is running.");
});

test("a command that cannot read the sessions says so plainly", async (t) => {
  const { adapter, database, logged } = await createGatewayBench(t);
  database.exec("DROP TABLE messages; DROP TABLE sessions");
  await adapter.receive("/status");
  assert.deepEqual(adapter.textsOf("1"), ["Something went wrong with this message. The gateway's log has the reason."]);
  assert.ok(logged.some((line) => line.startsWith("a command failed")));
  const { problem } = await adapter.ask("hello");
  assert.equal(problem?.code, "HERMES_STATE_UNAVAILABLE");
});

test("an idle conversation continues in a new session, and says so", async (t) => {
  const bench = await createGatewayBench(t, { settings: { allowed_users: ["*"], idle_reset_minutes: 0.002 } });
  const { adapter, agent, order } = bench;
  await adapter.receive("hello");
  const { id } = agent.sessions.byKey(KEY)!;
  record(bench, ["on_session_finalize", "on_session_reset"], ["session:end", "session:reset"]);
  await until(() => adapter.textsOf("1").length === 2, "the announcement");
  assert.match(adapter.textsOf("1")[1]!, /^This conversation was idle for a while, so a new session begins\.$/);
  const next = agent.sessions.byKey(KEY)!.id;
  assert.notEqual(next, id);
  assert.deepEqual(order, [
    `session:end ${id}`,
    `on_session_finalize ${id}`,
    `session:reset ${next}`,
    `on_session_reset ${next}`,
  ]);
});

test("a session that was idle before the gateway started ends with the next message; a busy one does not", async (t) => {
  const bench = await createGatewayBench(t, { settings: { allowed_users: ["*"] } });
  const { adapter, agent, tool, database } = bench;
  const age = () => database.exec("UPDATE sessions SET updated_at = '2020-01-01T00:00:00.000Z'");
  await adapter.receive("hello");
  const { id } = agent.sessions.byKey(KEY)!;
  bench.settings = { ...bench.settings, idle_reset_minutes: 60 };
  age();
  const first = adapter.receive("@wait {}");
  await tool.running(1);
  const second = agent.sessions.byKey(KEY)!.id;
  assert.notEqual(second, id);
  assert.match(adapter.textsOf("1")[1]!, /was idle/);
  bench.settings = { ...bench.settings, busy: "queue" };
  age();
  const other = adapter.receive("and then");
  assert.equal(agent.sessions.byKey(KEY)!.id, second);
  tool.release();
  await Promise.all([first, other]);
});

test("without idle_reset_minutes a session lasts", async (t) => {
  const { adapter, agent, database } = await createGatewayBench(t);
  await adapter.receive("hello");
  const { id } = agent.sessions.byKey(KEY)!;
  database.exec("UPDATE sessions SET updated_at = '2020-01-01T00:00:00.000Z'");
  await adapter.receive("hello");
  assert.equal(agent.sessions.byKey(KEY)!.id, id);
});

test("/tasks lists, shows and cancels tasks in direct messages of known users only", async (t) => {
  const { adapter, database } = await createGatewayBench(t, { settings: { allowed_users: ["*", "7"] } });
  const store = new EmbeddedTasks(database, new EmbeddedDeliveries(database));
  const known = { user_id: "7" };
  assert.match((await adapter.ask("/tasks", known)).text!, /^No tasks yet\./);
  const ids = [];
  for (let number = 0; number < 12; number++) {
    const prompt = `number ${number} with hunter22 and \u001b[31mred\n${"x".repeat(10_000)}`;
    const rest = { cwd: "/", idempotencyKey: null, runner: null, maxTurns: null, timeout: 0, submittedOn: "cli" };
    ids.push((await store.submit({ prompt, ...rest })).id);
  }
  const list = (await adapter.ask("/tasks", known)).text!;
  const lines = list.split("\n");
  assert.equal(lines.length, 10);
  assert.match(lines[0]!, new RegExp(`^${ids[11]} queued \\(12th\\), now: number 11 with \\[redacted\\] and red x+…$`));
  assert.ok(list.length < 2000);
  // Users admitted by "*" alone, and the members of a group, see no prompts.
  const words = ["/tasks", `/tasks ${ids[0]}`, `/tasks cancel ${ids[0]}`];
  for (const word of words) {
    for (const source of [{ user_id: "8" }, { ...known, chat_type: "group" }]) {
      const { text } = await adapter.ask(word, source);
      assert.doesNotMatch(text!, /number|queued|cancelled/);
    }
  }
  const [id = "", other = ""] = ids;
  assert.match(
    (await adapter.ask(`/tasks ${id.slice(0, 8)}`, known)).text!,
    new RegExp(`^${id} queued \\(1st\\)\nprompt: number 0`),
  );
  assert.equal((await adapter.ask(`/tasks cancel ${id}`, known)).text, `Task ${id} is cancelled.`);
  assert.equal((await adapter.ask(`/tasks cancel ${id}`, known)).text, `Task ${id} has ended already: cancelled.`);
  assert.equal((await store.get(other))?.status, "queued");
  for (const wrong of ["/tasks zzzz0000", "/tasks ../../etc", "/tasks cancel abc"]) {
    assert.match((await adapter.ask(wrong, known)).text!, /There is no task/);
  }
  for (const wrong of ["/tasks cancel", "/tasks a b", "/tasks cancel a b"]) {
    assert.equal((await adapter.ask(wrong, known)).text, "Send /tasks, /tasks ID or /tasks cancel ID.");
  }
  database.close();
  assert.equal((await adapter.ask("/tasks", known)).problem?.code, "HERMES_INTERNAL");
});

test("/compact summarizes the conversation, /cost and /status say what it takes", async (t) => {
  const { adapter } = await createGatewayBench(t);
  assert.match((await adapter.ask("/compact")).text!, /^There is nothing to summarize yet/);
  assert.equal((await adapter.ask("/cost")).text, "No turn of this session has used the model yet.");
  for (const word of ["one", "two", "three"]) await adapter.ask(`remember ${word}`);
  assert.match((await adapter.ask("/cost")).text!, /^1\. turn, offline: [\d,]+ in, \d+ out\n2\. .*\n3\. .*\ntotal: /);
  assert.match((await adapter.ask("/status")).text!, /^context: \S+ tokens$/m);
  assert.equal(
    (await adapter.ask("/compact")).text,
    "2 older messages are now a summary; the last 4 stay as they are.",
  );
  assert.match((await adapter.ask("and now?")).text!, /and now\?/);
  assert.match((await adapter.ask("/cost")).text!, /\n4\. summary, offline: .*\n5\. turn, offline: /);
});
