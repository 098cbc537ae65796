/** What must not bring the gateway down: kills, hooks folders in every state, handlers that misbehave. */
import test from "node:test";
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home, ROOT } from "../helpers/hermes.ts";
import { lives } from "../helpers/processes.ts";

const HANDLERS = join(ROOT, "test/fixtures/handlers");
/** One of each kind; test/sandbox/ has them all, tier by tier. */
const MISBEHAVIOURS = [
  "loops",
  "never-settles",
  "grows-a-map",
  "exits",
  "throws-later",
  "leaves-a-rejection",
  "prints-json",
  "replaces-prototypes",
  "returns-a-circle",
  "waits-at-top-level",
  "recurses",
  "loops-after-await",
];

test("kill -9 during a turn: the next gateway starts, an answer that was complete is in the conversation", async (t) => {
  const home = new Home(t);
  const script = home.script("slow.sh", `cat > /dev/null; touch ${join(home.path, "answered")}; sleep 600\n`);
  home.write("config.yaml", `${API_SERVER}hooks: { on_session_end: [ { command: ${script} } ] }\n`);
  const first = await startGateway(t, home, { args: ["--accept-hooks"] });
  const lost = first.say("remember the number 4711", "dora").catch(() => "the connection was cut");
  await until(() => existsSync(join(home.path, "answered")), "the answer is complete, the closing hook runs");
  first.kill("SIGKILL");
  await first.ended;
  await lost;
  home.write("config.yaml", API_SERVER);
  const second = await startGateway(t, home);
  const { sessions } = JSON.parse((await home.run(["sessions", "list", "--json"])).stdout) as {
    sessions: { id: string }[];
  };
  assert.equal(sessions.length, 1);
  const { stdout } = await home.run(["sessions", "export", sessions[0]!.id]);
  assert.match(stdout, /"role": ?"assistant"[^}]*4711/);
  assert.match((await second.say("hello again", "dora")).text, /hello again/);
});

test("a hooks folder that is a symlink loop, huge, deleted and made again", async (t) => {
  const home = new Home(t);
  mkdirSync(join(home.path, "hooks"));
  symlinkSync(join(home.path, "hooks"), join(home.path, "hooks/loop"));
  const gateway = await startGateway(t, home, { config: API_SERVER });
  assert.match((await gateway.say("one")).text, /one/);

  const aside = join(home.path, "aside");
  mkdirSync(aside);
  for (let index = 0; index < 10_000; index++) mkdirSync(join(aside, `empty-${index}`));
  rmSync(join(home.path, "hooks"), { recursive: true });
  renameSync(aside, join(home.path, "hooks"));
  assert.match((await gateway.say("two")).text, /two/);

  rmSync(join(home.path, "hooks"), { recursive: true });
  const seen = join(home.path, "seen");
  home.write("hooks/late/HOOK.yaml", 'name: late\nevents: ["agent:start"]\n');
  home.write(
    "hooks/late/handler.ts",
    `import { writeFileSync } from "node:fs";\nexport const handle = () => writeFileSync(${JSON.stringify(seen)}, "");\n`,
  );
  await until(async () => {
    await gateway.say("three");
    return existsSync(seen);
  }, "the hook of the new folder runs");
  assert.equal((await home.run(["hooks", "list", "--json"])).code, 0);
});

test("all misbehaving handlers together, in both tiers: the gateway survives and keeps answering", async (t) => {
  const home = new Home(t);
  const good = join(home.path, "good.txt");
  for (const isolation of ["worker", "isolate"]) {
    for (const name of MISBEHAVIOURS) {
      const folder = join(home.path, "hooks", `${name}-${isolation}`);
      cpSync(join(HANDLERS, name), folder, { recursive: true });
      const manifest = readFileSync(join(folder, "HOOK.yaml"), "utf8");
      writeFileSync(
        join(folder, "HOOK.yaml"),
        `${manifest.replace(/^name: .*$/m, `name: ${name}-${isolation}`).replace("test:event", "agent:start")}isolation: ${isolation}\n`,
      );
    }
  }
  home.write("hooks/good/HOOK.yaml", 'name: good\nevents: ["agent:start"]\n');
  home.write(
    "hooks/good/handler.ts",
    `import { appendFileSync } from "node:fs";
     export const handle = (_: string, c: { message: string }) => appendFileSync(${JSON.stringify(good)}, c.message + "\\n");`,
  );
  const gateway = await startGateway(t, home, { config: API_SERVER });
  for (const word of ["first", "second", "third"])
    assert.match((await gateway.say(word, "eve")).text, new RegExp(word));
  await until(
    () => existsSync(good) && readFileSync(good, "utf8") === "first\nsecond\nthird\n",
    "the good hook saw all",
  );
  assert.equal(gateway.stdout().trim().split("\n").length, 1, gateway.stdout());
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});

test("a handler that V8 cannot interrupt: other hooks answer, and SIGTERM ends the gateway without waiting for it", async (t) => {
  const home = new Home(t);
  const marks = { fills: join(home.path, "fills"), blocks: join(home.path, "blocks") };
  const begin = (name: keyof typeof marks, code: string) => {
    home.write(`hooks/${name}/HOOK.yaml`, "events: [agent:start]\ntimeout_seconds: 600\nmemory_mb: 4096\n");
    home.write(
      `hooks/${name}/handler.ts`,
      `import { execFileSync } from "node:child_process";
       import { writeFileSync } from "node:fs";
       export function handle() { writeFileSync(${JSON.stringify(marks[name])}, String(process.pid)); ${code} }`,
    );
  };
  begin("fills", "for (;;) Array(1e8).fill(0);");
  // Nothing but the end of its process ends this wait.
  begin("blocks", "Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);");
  home.write("hooks/good/HOOK.yaml", "events: ['command:good']\n");
  home.write("hooks/good/handler.ts", `export const handle = () => ({ decision: "handled", message: "still here" });`);
  const gateway = await startGateway(t, home, { config: API_SERVER });
  assert.match((await gateway.say("hello")).text, /hello/);
  await until(() => Object.values(marks).every(existsSync), "both handlers run");
  assert.equal((await gateway.say("/good")).text, "still here");
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
  for (const file of Object.values(marks)) {
    const pid = Number(readFileSync(file, "utf8"));
    await until(() => !lives(pid), "its process is gone");
  }
});

test("kill -9 of the gateway leaves no process of a handler that loops, or that stops its process", async (t) => {
  const home = new Home(t);
  const marks = ["loops", "stops"].map((name) => join(home.path, name));
  for (const [index, code] of ["for (;;);", 'process.kill(process.pid, "SIGSTOP"); for (;;);'].entries()) {
    const mark = marks[index]!;
    home.write(`hooks/busy-${index}/HOOK.yaml`, "events: [agent:start]\ntimeout_seconds: 600\n");
    home.write(
      `hooks/busy-${index}/handler.ts`,
      `import { renameSync, writeFileSync } from "node:fs";
       export function handle() {
         writeFileSync(${JSON.stringify(`${mark}.new`)}, String(process.pid));
         renameSync(${JSON.stringify(`${mark}.new`)}, ${JSON.stringify(mark)});
         ${code}
       }`,
    );
  }
  const gateway = await startGateway(t, home, { config: API_SERVER });
  await gateway.say("hello");
  await until(() => marks.every(existsSync), "the handlers run");
  const pids = marks.map((mark) => Number(readFileSync(mark, "utf8")));
  assert.equal(new Set(pids).size, 2, "each has a process of its own");
  assert.ok(pids.every(lives));
  gateway.kill("SIGKILL");
  await gateway.ended;
  for (const pid of pids) await until(() => !lives(pid), "its process is gone");
});

test("a handler that fills an array until its memory is used up ends its own process only", async (t) => {
  const home = new Home(t);
  home.write("hooks/fills/HOOK.yaml", "events: ['command:fill', 'command:next']\n");
  home.write(
    "hooks/fills/handler.ts",
    `export function handle(event: string) {
       if (event === "command:fill") Array(1e9).fill(0);
       return { decision: "handled", message: "not filled" };
     }`,
  );
  const gateway = await startGateway(t, home, { config: API_SERVER });
  const { text } = await gateway.say("/fill");
  assert.ok(!text.includes("not filled"), text);
  assert.equal((await gateway.say("/next")).text, "not filled");
  assert.match(home.read("logs/hooks.jsonl"), /"command:fill".*"outcome":"error"/);
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});
