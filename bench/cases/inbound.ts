import { fork, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { Client } from "undici";
import { DaemonClient } from "#daemon/session/client";
import { findDaemon } from "#daemon/session/place";
import { median, type Case, type Measurement } from "../measure.ts";

const BIN = resolve(import.meta.dirname, "../../cli/bin.js");
const BARE_SERVER = join(import.meta.dirname, "../webhook-receiver.ts");
const NAME = "bench";
const ROUNDS = 80;
const QUICK_ROUNDS = 40;
const WARM_UP = 5;
const CONNECTIONS = 50;
/** As many scripts run at a time. */
const CONCURRENCY = 4;
/** Of a round of the flood. */
const POSTS = 60;
const FLOODS = 5;
const QUICK_FLOODS = 3;
const FORGERIES = 1000;
const FORGERY_ROUNDS = 5;
const HEALTH_EVERY_MS = 20;
/** About 1 KB, as a sender of builds posts it. */
const BODY = JSON.stringify({ build: 17, state: "failed", log: "a line of the build's log\n".repeat(36) });

interface Service extends Disposable {
  readonly folder: string;
  readonly script: string;
  /** Where the inbound webhooks listen. */
  readonly url: string;
  readonly healthUrl: string;
  /** Messages that wait in the inbox. */
  readonly queued: () => Promise<number>;
  /** Exists when a script with a forged signature was started. */
  readonly mark: string;
}

/** `hermes serve` with one daemon, whose turn waits, so that messages are stored and not answered. */
async function startService(folder: string): Promise<Service> {
  const [port, healthPort] = [await freePort(), await freePort()];
  const [script, marking] = [join(folder, "cat.sh"), join(folder, "marking.sh")];
  writeFileSync(script, "#!/bin/sh\nexec cat\n", { mode: 0o755 });
  const mark = join(folder, "started");
  writeFileSync(marking, `#!/bin/sh\ntouch ${mark}\n`, { mode: 0o755 });
  const bind = `127.0.0.1:${port}`;
  const inbound = [
    { name: "echo", bind, script, path: "/echo", concurrency: CONCURRENCY },
    { name: "signed", bind, script: marking, path: "/signed", verify: "github", secret: "s3cret" },
  ];
  const config = {
    model: { provider: "offline" },
    inbound,
    daemons: [{ name: NAME, hooks: ["echo", "signed"] }],
    monitoring: { health: { enabled: true, port: healthPort } },
  };
  writeFileSync(join(folder, "config.yaml"), JSON.stringify(config));
  const child = spawn(process.execPath, [BIN, "--accept-hooks", "serve"], {
    cwd: folder,
    env: { ...process.env, HERMES_HOME: folder },
    stdio: "ignore",
  });
  const service: Service = {
    folder,
    script,
    mark,
    async queued() {
      using client = await DaemonClient.connect(findDaemon(join(folder, "run"), NAME)!);
      client.say({ type: "status" });
      return (await client.expect("status")).queued;
    },
    url: `http://127.0.0.1:${port}`,
    healthUrl: `http://127.0.0.1:${healthPort}`,
    [Symbol.dispose]: () => void child.kill("SIGKILL"),
  };
  try {
    await serving(`${service.healthUrl}/readyz`);
    using client = await DaemonClient.connect(findDaemon(join(folder, "run"), NAME)!);
    client.say({ type: "send", content: "run `sleep 1000`", wait: false });
    await client.expect("stored");
    return service;
  } catch (error) {
    service[Symbol.dispose]();
    throw error;
  }
}

async function serving(url: string): Promise<void> {
  const deadline = performance.now() + 30_000;
  for (;;) {
    const ready = await fetch(url).then(
      ({ ok }) => ok,
      () => false,
    );
    if (ready) return;
    if (performance.now() > deadline) throw new Error(`${url} did not answer`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** One after another, by turns: what a caller waits for, and the script alone. */
async function roundTrip({ url, script, folder }: Service, rounds: number): Promise<Measurement> {
  const client = new Client(url);
  const samples = { ours: [] as number[], theirs: [] as number[] };
  for (let round = -WARM_UP; round < rounds; round++) {
    const posted = await timed(async () => {
      const answer = await client.request({ method: "POST", path: "/echo", body: BODY });
      if ((await answer.body.text()) !== "ok") throw new Error(`a POST was answered with ${answer.statusCode}`);
    });
    const spawned = await timed(() => bareSpawn(script, folder));
    if (round < 0) continue;
    samples.ours.push(posted);
    samples.theirs.push(spawned);
  }
  await client.close();
  const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
  return { name: "inbound / POST with a cat script", unit: "ms", ours, peer: "bare spawn", theirs };
}

/**
 * Many connections at once, all of whose requests are accepted: how long each takes, with as many scripts at a time.
 * By turns with the scripts alone.
 */
async function flood(service: Service, rounds: number): Promise<Measurement> {
  const samples = { ours: [] as number[], theirs: [] as number[] };
  for (let round = 0; round < rounds; round++) {
    samples.ours.push((await floodService(service)) / POSTS);
    samples.theirs.push((await spawnBare(service)) / POSTS);
  }
  const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
  return { name: `inbound / ${CONNECTIONS} connections, per POST`, unit: "ms", ours, peer: "bare spawns", theirs };
}

async function floodService({ url, queued }: Service): Promise<number> {
  const before = await queued();
  const statuses = new Set<number>();
  const took = await timed(() =>
    fromMany(url, POSTS, async (client) => {
      const answer = await client.request({ method: "POST", path: "/echo", body: BODY });
      await answer.body.dump();
      statuses.add(answer.statusCode);
    }),
  );
  if ([...statuses].join() !== "200") throw new Error(`POSTs were answered with ${[...statuses].join(", ")}`);
  const stored = (await queued()) - before;
  if (stored !== POSTS) throw new Error(`${POSTS} POSTs are ${stored} messages in the inbox`);
  return took;
}

function spawnBare({ script, folder }: Service): Promise<number> {
  let left = POSTS;
  const work = async () => {
    while (left-- > 0) await bareSpawn(script, folder);
  };
  return timed(async () => void (await Promise.all(Array.from({ length: CONCURRENCY }, work))));
}

/** Wrong signatures, by turns with a bare server that accepts them, and the health check of the service meanwhile. */
async function forgeries({ url, healthUrl, mark }: Service): Promise<readonly Measurement[]> {
  const bare = fork(BARE_SERVER);
  try {
    const [{ port }] = (await once(bare, "message")) as [{ port: number }];
    const samples = { ours: [] as number[], theirs: [] as number[] };
    const health: number[] = [];
    for (let round = 0; round <= FORGERY_ROUNDS; round++) {
      const ended = new AbortController();
      const flooding = forge(url, 401).finally(() => ended.abort());
      const [ours, meanwhile] = await Promise.all([flooding, probe(healthUrl, ended.signal)]);
      const theirs = await forge(`http://127.0.0.1:${port}`, 200);
      // The first round warms up.
      if (round === 0) continue;
      samples.ours.push(ours);
      samples.theirs.push(theirs);
      health.push(...meanwhile);
    }
    if (existsSync(mark)) throw new Error("a forged request has started a script");
    const p95 = health.toSorted((one, other) => one - other)[Math.floor(health.length * 0.95)]!;
    const [ours, theirs] = [median(samples.ours), median(samples.theirs)];
    const alone = { peer: null, theirs: null } as const;
    return [
      { name: "inbound / forged signature", unit: "ns", ours, peer: "bare HTTP server", theirs },
      { name: "inbound / forged signature, time", unit: "ns", ours, ...alone },
      { name: "inbound / health meanwhile, p95", unit: "ms", ours: p95, ...alone },
    ];
  } finally {
    bare.kill("SIGKILL");
  }
}

/** Nanoseconds per request with a wrong signature. */
async function forge(url: string, expected: number): Promise<number> {
  const headers = { "x-hub-signature-256": `sha256=${"0".repeat(64)}` };
  const took = await timed(() =>
    fromMany(url, FORGERIES, async (client) => {
      const answer = await client.request({ method: "POST", path: "/signed", headers, body: BODY });
      await answer.body.dump();
      if (answer.statusCode !== expected) throw new Error(`a forged request was answered with ${answer.statusCode}`);
    }),
  );
  return (took * 1e6) / FORGERIES;
}

/** How long each health check took, until the signal aborts. */
async function probe(url: string, signal: AbortSignal): Promise<readonly number[]> {
  const client = new Client(url);
  const times: number[] = [];
  while (!signal.aborted) {
    const took = await timed(async () => {
      const answer = await client.request({ method: "GET", path: "/health" });
      await answer.body.dump();
      if (answer.statusCode !== 200) throw new Error(`the health check was answered with ${answer.statusCode}`);
    });
    times.push(took);
    await new Promise((wake) => setTimeout(wake, HEALTH_EVERY_MS));
  }
  await client.close();
  return times;
}

/** Does some work so many times, each connection one after another. */
async function fromMany(url: string, times: number, work: (client: Client) => Promise<void>): Promise<void> {
  let left = times;
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      const client = new Client(url);
      while (left-- > 0) await work(client);
      await client.close();
    }),
  );
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

/** What you would write without this program: start, feed, collect, wait. */
async function bareSpawn(script: string, cwd: string): Promise<void> {
  const child = spawn(script, [], { cwd });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.resume();
  child.stdin.end(BODY);
  await once(child, "close");
  if (output !== BODY) throw new Error("the script printed something else");
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}

/** Inbound webhooks of a running service: a round trip with a script, a flood, and forged signatures. */
export const inboundCase: Case = {
  name: "inbound",
  run: async ({ isQuick }) => {
    const [rounds, floods] = isQuick ? [QUICK_ROUNDS, QUICK_FLOODS] : [ROUNDS, FLOODS];
    const folder = mkdtempSync(join(tmpdir(), "hermes-bench-"));
    try {
      using service = await startService(folder);
      return [await roundTrip(service, rounds), await flood(service, floods), ...(await forgeries(service))];
    } finally {
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    }
  },
};
