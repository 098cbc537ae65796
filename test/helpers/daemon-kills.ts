/** Kills a daemon at random moments while messages are sent and posted, and checks what became of each. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { TestContext } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { stringify } from "yaml";
import { isHermesError } from "#core/errors";
import { DaemonClient } from "#daemon/session/client";
import { daemonFiles } from "#daemon/session/place";
import { startDaemon, type Daemon } from "./daemon.ts";
import { Home } from "./hermes.ts";
import { until } from "./poll.ts";
import { freePort } from "./ports.ts";
import { randomNumbers } from "./random.ts";

const NAME = "watcher";
const AGAIN = "[delivered again after a crash]\n\n";
/** Over the socket; in every second round the first one is sent by `hermes send`, which takes a process. */
const SENDS_A_ROUND = 4;
const POSTS_A_ROUND = 4;
/** As a turn that is cut is a failure after so many times. */
const MOST_TURNS = 3;
/** After so many rounds the daemon may empty its queue. */
const REST_EVERY = 25;

/** A request as its sender knows it: it is sent again, with the same id, until it is answered with success. */
interface Post {
  readonly path: "/now" | "/later";
  readonly id: string;
  isAcknowledged: boolean;
}

interface StoredMessage {
  readonly id: string;
  readonly source: string;
  readonly content: string;
  readonly state: string;
}

/** What a test knows of the messages. */
interface Ledger {
  /** The text of each message whose sender got its id. */
  readonly sent: Map<string, string>;
  readonly posts: Post[];
  /** The text of each turn, and of what entered one, in order. */
  readonly seen: string[];
}

/**
 * Runs so many rounds. A failure is repeated as far as chance allows with the seed that is printed, in
 * `DAEMON_KILLS_SEED`. `config` is added to the configuration.
 */
export async function killDaemonAtRandom(t: TestContext, rounds: number, config: object = {}): Promise<void> {
  const seed = Number(process.env["DAEMON_KILLS_SEED"] ?? Math.floor(Math.random() * 2 ** 32));
  t.diagnostic(`DAEMON_KILLS_SEED=${seed} repeats the choices`);
  const random = randomNumbers(seed);
  const { home, url } = await hookedHome(t, config);
  const ledger: Ledger = { sent: new Map(), posts: [], seen: [] };
  const start = () => startDaemon(t, home, { name: NAME, args: ["--hook", "now", "--hook", "later"] });
  let startMs = 0;
  for (let round = 0; round < rounds; round++) {
    if (random() < 0.2) await killAtStart(home, ledger, startMs * random());
    const began = performance.now();
    const daemon = await start();
    startMs = performance.now() - began;
    if (round % REST_EVERY === REST_EVERY - 1) await handled(home);
    const busy = [...sendSome(home, ledger, round, random), ...postSome(url, ledger, round, random)];
    let answered = 0;
    for (const one of busy)
      void one.then(
        () => answered++,
        () => answered++,
      );
    // When so many have their answers, however long that takes here, and at any moment of what comes then.
    const enough = Math.floor(random() * (busy.length + 1));
    await until(() => answered >= enough, "they are answered");
    await pause(startMs * 0.1 * random());
    await kill(daemon, ledger);
    await Promise.all(busy);
  }
  const last = await start();
  await settle(home, url, ledger);
  await kill(last, ledger);
  const again = ledger.seen.filter((text) => text.startsWith(AGAIN)).length;
  t.diagnostic(`${ledger.sent.size} sent, ${ledger.posts.length} posted, ${again} delivered again`);
  check(home, ledger);
}

/** Waits until no message is queued: each kill cuts the turns that would have made room. */
async function handled(home: Home): Promise<void> {
  const left = () => read(home, "SELECT id FROM inbox_messages WHERE state IN ('queued', 'running')").length;
  await until(() => left() === 0, "the queue is empty", { withinMs: 100_000 });
}

async function hookedHome(t: TestContext, config: object): Promise<{ home: Home; url: string }> {
  // What is in `state.db` is compared with what was promised.
  const home = new Home(t, { storage: "embedded" });
  const port = await freePort();
  const script = home.script("cat.sh", "cat\n");
  const hook = (name: string, more: object = {}) => {
    return { name, path: `/${name}`, bind: `127.0.0.1:${port}`, script, dedup_header: "x-id", ...more };
  };
  const inbound = [hook("now"), hook("later", { async: true })];
  home.write("config.yaml", stringify({ model: { provider: "offline" }, hooks_auto_accept: true, inbound, ...config }));
  return { home, url: `http://127.0.0.1:${port}` };
}

/** Some turns take long enough to be cut. */
function textOf(round: number, number: number, random: () => number): string {
  return `${random() < 0.3 ? "run `sleep 0.1` " : ""}message ${round}.${number};`;
}

function sendSome(home: Home, { sent }: Ledger, round: number, random: () => number): Promise<void>[] {
  const texts = Array.from({ length: SENDS_A_ROUND }, (_, number) => textOf(round, number, random));
  return texts.map(async (text, number) => {
    if (number > 0 || round % 2 === 0) {
      const id = await sendOverSocket(home, text);
      if (id !== undefined) sent.set(id, text);
      return;
    }
    const { code, stdout } = await home.run(["send", "--name", NAME, text]);
    if (code === 0) sent.set(stdout.trim(), text);
    else assert.equal(stdout, "", "an id is printed for what is stored only");
  });
}

const NOT_STORED = new Set<string>(["HERMES_DAEMON_ANSWER", "HERMES_INBOX_FULL"]);

async function sendOverSocket(home: Home, content: string): Promise<string | undefined> {
  try {
    const { socket } = daemonFiles(join(home.path, "run"), NAME);
    using client = await DaemonClient.connect({ name: NAME, socket });
    client.say({ type: "send", content, wait: false });
    return (await client.expect("stored")).id;
  } catch (error) {
    // The daemon was killed meanwhile, or had no room after so many kills.
    if (isHermesError(error) && NOT_STORED.has(error.code)) return undefined;
    throw error;
  }
}

function postSome(url: string, { posts }: Ledger, round: number, random: () => number): Promise<void>[] {
  for (let number = 0; number < POSTS_A_ROUND; number++) {
    const id = textOf(round, SENDS_A_ROUND + number, random);
    posts.push({ path: number === 0 ? "/later" : "/now", id, isAcknowledged: false });
  }
  return posts.filter(({ isAcknowledged }) => !isAcknowledged).map((post) => send(url, post));
}

async function send(url: string, post: Post): Promise<void> {
  try {
    const headers = { "x-id": encodeURIComponent(post.id) };
    const response = await fetch(url + post.path, { method: "POST", body: post.id, headers });
    const text = await response.text();
    // In flight, or turned away: its sender asks again.
    if ([409, 429, 503].includes(response.status)) return;
    assert.equal(response.status, post.path === "/later" && text !== "duplicate" ? 202 : 200, text);
    post.isAcknowledged = true;
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    // The daemon was killed meanwhile.
  }
}

async function killAtStart(home: Home, { seen }: Ledger, afterMs: number): Promise<void> {
  const args = ["run", "--daemon", "--name", NAME, "--format", "jsonl", "--hook", "now", "--hook", "later"];
  const starting = home.start(args);
  await pause(afterMs);
  starting.kill("SIGKILL");
  const { stdout } = await starting.ended;
  seen.push(...injectedIn(stdout));
}

async function kill(daemon: Daemon, { seen }: Ledger): Promise<void> {
  daemon.kill("SIGKILL");
  const { stdout } = await daemon.ended;
  seen.push(...injectedIn(stdout));
}

/** The last line may be half of one. */
function injectedIn(stdout: string): string[] {
  const lines = stdout.split("\n").slice(0, -1);
  const frames = lines.map((line) => JSON.parse(line) as { type: string; content: string });
  return frames.flatMap(({ type, content }) => (type === "injected" ? content : []));
}

/** Sends what was never acknowledged again, and waits until all runs and messages have ended. */
async function settle(home: Home, url: string, { posts }: Ledger): Promise<void> {
  let open: unknown;
  await until(
    async () => {
      await Promise.all(posts.filter(({ isAcknowledged }) => !isAcknowledged).map((post) => send(url, post)));
      open = read(home, "SELECT id FROM inbox_messages WHERE state IN ('queued', 'running')").concat(
        read(home, "SELECT id FROM inbound_runs WHERE state IN ('queued', 'running')"),
      );
      return (open as unknown[]).length === 0 && posts.every(({ isAcknowledged }) => isAcknowledged);
    },
    "everything has ended",
    { withinMs: 100_000, seen: () => [open, home.read("logs/hermes.log").slice(-3000)] },
  );
}

function check(home: Home, { sent, posts, seen }: Ledger): void {
  const messages = read(home, "SELECT id, source, content, state FROM inbox_messages") as unknown as StoredMessage[];
  const stored = new Map(messages.map(({ id, content }) => [id, content]));
  for (const [id, text] of sent) assert.equal(stored.get(id), text, "what was acknowledged is stored");
  for (const { id: text } of posts) {
    const rows = messages.filter(({ source, content }) => source === "webhook" && content.includes(`\n${text}\n`));
    assert.equal(rows.length, 1, `${text} was injected once`);
  }
  for (const { content, state } of messages) {
    const turns = seen.filter((text) => text === content || text === AGAIN + content);
    assert.ok(state === "failed" || turns.length > 0, `${content} (${state}) was handled`);
    assert.ok(turns.length <= MOST_TURNS, `${content} had ${turns.length} turns`);
    for (const text of turns.slice(1)) assert.equal(text, AGAIN + content, "a second turn is marked");
  }
  assert.deepEqual(read(home, "PRAGMA integrity_check"), [{ integrity_check: "ok" }]);
}

function read(home: Home, sql: string): Record<string, unknown>[] {
  const database = new DatabaseSync(join(home.path, "state.db"), { readOnly: true, timeout: 5000 });
  try {
    return database
      .prepare(sql)
      .all()
      .map((row) => ({ ...row }));
  } finally {
    database.close();
  }
}
