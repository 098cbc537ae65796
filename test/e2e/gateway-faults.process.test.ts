/** What must not bring the gateway down: kills, hooks folders in every state, handlers that misbehave, a busy port. */
import test from "node:test";
import assert from "node:assert/strict";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { API_SERVER, startGateway } from "../helpers/gateway.ts";
import { until } from "../helpers/poll.ts";
import { Home, ROOT } from "../helpers/hermes.ts";

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
  const script = home.script("slow.sh", `cat > /dev/null; touch ${join(home.path, "answered")}; sleep 30\n`);
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

test("a port that somebody else has is named, with the setting to change", async (t) => {
  const home = new Home(t);
  const other = createServer().listen(0, "127.0.0.1");
  t.after(() => other.close());
  await new Promise((listening) => other.once("listening", listening));
  const { port } = other.address() as AddressInfo;
  home.write("config.yaml", API_SERVER.replace("port: 0", `port: ${port}`));
  const gateway = home.start(["gateway"]);
  t.after(() => gateway.kill("SIGKILL"));
  await gateway.sees("gateway.platforms.api_server.port");
  gateway.kill("SIGTERM");
  assert.equal((await gateway.ended).code, 0);
});
