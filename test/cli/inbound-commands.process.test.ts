/** `hermes inbound` and the consent of inbound scripts, as commands. */
import assert from "node:assert/strict";
import { chmodSync, existsSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import test from "node:test";
import { checkInbound } from "#cli/inbound/start";
import { createContext } from "#cli/context";
import { loadConfig } from "#core/home/config";
import { homePaths } from "#core/home/paths";
import { runInProcess } from "../helpers/in-process.ts";
import { Home, type Ended } from "../helpers/hermes.ts";

const ECHO = '#!/bin/sh\necho "got $(cat)"\necho note >&2\n';

function configure(home: Home, hooks: readonly Record<string, unknown>[]): void {
  const inbound = hooks.map((hook, index) => ({ name: `hook${index}`, bind: `127.0.0.1:${20_001 + index}`, ...hook }));
  home.write("config.yaml", JSON.stringify({ inbound }));
}

const jsonOf = ({ stdout }: Ended) => JSON.parse(stdout) as Record<string, unknown>;

test("inbound list shows every hook and whether it may run, before and after hooks allow", async (t) => {
  const home = new Home(t);
  const script = home.script("with space.sh", ECHO);
  configure(home, [
    { script, path: "/a", methods: ["GET", "PUT"] },
    { script: "~/none.sh", verify: "github", secret: "hush" },
  ]);
  const [first, second] = jsonOf(await runInProcess(home, ["inbound", "list", "--json"]))["hooks"] as Record<
    string,
    unknown
  >[];
  assert.deepEqual(first, {
    name: "hook0",
    bind: "127.0.0.1:20001",
    path: "/a",
    methods: ["GET", "PUT"],
    script,
    verify: "none",
    allowed: false,
    problem: null,
  });
  assert.match(String(second?.["problem"]), /not found/);
  const allowed = await runInProcess(home, ["hooks", "allow", "inbound:hook0", script]);
  assert.deepEqual([allowed.code, allowed.stderr], [0, ""]);
  const text = await runInProcess(home, ["inbound", "list"]);
  assert.match(text.stdout, /hook0 .*GET,PUT +none +allowed/);
  assert.doesNotMatch(text.stdout + text.stderr, /hush/);
  assert.doesNotMatch((await runInProcess(home, ["hooks", "doctor"])).stdout, /not used by any configured hook/);
  assert.equal((await runInProcess(home, ["hooks", "revoke", script])).code, 0);
  assert.match((await runInProcess(home, ["inbound", "list"])).stdout, /hook0 .*not allowed/);
});

test("hooks list shows the scripts of inbound webhooks, and --check counts them as any command", async (t) => {
  const home = new Home(t);
  const script = home.script("push.sh", ECHO);
  configure(home, [{ script, timeout: 7 }]);
  const listed = async () =>
    (jsonOf(await runInProcess(home, ["hooks", "list", "--json"]))["hooks"] as Record<string, unknown>[])[0];
  const { event, source, name, command, timeout, allowed, drift } = (await listed())!;
  assert.deepEqual([event, source, name, command, timeout], ["inbound:hook0", "shell", "hook0", script, 7]);
  assert.deepEqual([allowed, drift], [false, "unknown"]);
  assert.equal((await runInProcess(home, ["hooks", "list", "--check"])).code, 1);
  assert.equal((await runInProcess(home, ["hooks", "allow", "inbound:hook0", script])).code, 0);
  const approved = await runInProcess(home, ["hooks", "list", "--check"]);
  assert.equal(approved.code, 0, approved.stderr);
  assert.match(approved.stdout, /inbound:hook0 +shell .*push\.sh .*7 s .*allowed/);
  assert.equal((await listed())?.["drift"], "none");
  writeFileSync(script, `${ECHO}# changed\n`);
  const changed = await runInProcess(home, ["hooks", "list", "--check"]);
  assert.equal(changed.code, 1);
  assert.match(changed.stdout, /inbound:hook0 .*allowed, script modified/);
  chmodSync(script, 0o644);
  const broken = await runInProcess(home, ["hooks", "list", "--check"]);
  assert.equal(broken.code, 1);
  assert.match(broken.stdout, /inbound:hook0 .*broken/);
  assert.match(broken.stderr, /inbound:hook0: .*push\.sh/);
});

test("hooks allow --all covers inbound webhooks with their variables, and a pair may be allowed before it is configured", async (t) => {
  const home = new Home(t);
  const script = home.script("echo.sh", ECHO);
  const early = await runInProcess(home, ["hooks", "allow", "inbound:later", script]);
  assert.equal(early.code, 0);
  assert.match(early.stderr, /not configured/);
  configure(home, [{ script, env: ["GH_TOKEN"] }]);
  const narrow = await runInProcess(home, ["hooks", "allow", "inbound:hook0", script]);
  assert.match(narrow.stderr, /approved without GH_TOKEN.*--env GH_TOKEN/);
  assert.equal((await runInProcess(home, ["hooks", "allow", "--all"])).code, 0);
  assert.match((await runInProcess(home, ["inbound", "list"])).stdout, /hook0 .* allowed/);
});

test("inbound test runs the whole path: verification, script, answer and what would be injected", async (t) => {
  const home = new Home(t);
  const script = home.script("echo.sh", ECHO);
  const mute = home.script("mute.sh", "#!/bin/sh\necho broken >&2\nexit 4\n");
  const config = { verify: "slack", secret: "${SLACK_SECRET}" };
  configure(home, [{ script, ...config }, { script: mute }]);
  const payload = home.write("push.json", '{"a":1}');
  const env = { SLACK_SECRET: "hush-hush" };
  const signed = await runInProcess(home, ["inbound", "test", "hook0", "--payload", payload, "--sign", "--json"], {
    env,
  });
  assert.equal(signed.code, 0, signed.stderr);
  const report = jsonOf(signed);
  assert.deepEqual([report["status"], report["body"], report["exit_code"], report["stderr"]], [200, "ok", 0, "note\n"]);
  assert.match(String(report["injected"]), /begin untrusted [0-9a-f]+ -----\ngot \{"a":1\}\n----- end/);
  const piped = await home.run(["inbound", "test", "hook0", "--payload", "-", "--sign"], { env, input: "x" });
  assert.match(piped.stdout, /answer: 200 ok[^]*got x/);
  const unsigned = await runInProcess(home, ["inbound", "test", "hook0", "--payload", payload], { env });
  assert.equal(unsigned.code, 1);
  assert.match(unsigned.stdout, /answer: 401 not verified[^]*--sign/);
  const failing = await runInProcess(home, ["inbound", "test", "hook1", "--payload", payload]);
  assert.equal(failing.code, 1);
  assert.match(failing.stdout, /answer: 500 the script failed[^]*exit code: 4[^]*broken[^]*Nothing would be injected/);
  for (const [args, message] of [
    [["hook9", "--payload", payload], /no inbound webhook "hook9"/],
    [["hook1", "--payload", "/does/not/exist"], /not a valid payload/],
    [["hook0", "--payload", payload], /SLACK_SECRET is not set/],
    [["hook1"], /--payload/],
  ] as const) {
    const refused = await runInProcess(home, ["inbound", "test", ...args]);
    assert.equal(refused.code, 2, args.join(" "));
    assert.match(refused.stderr, message);
  }
});

test("inbound log shows what came, and what is written while it follows", async (t) => {
  const home = new Home(t);
  assert.match((await runInProcess(home, ["inbound", "log"])).stdout, /No requests have come yet/);
  const line = (hook: string) =>
    `${JSON.stringify({ time: "2026-11-29T00:00:00.000Z", hook, session: "s", method: "POST", path: "/x", status: 500, exit_code: 3, duration_ms: 12, run_id: null, detail: "it failed" })}\n`;
  home.write("logs/inbound.jsonl", `${line("a")}half`);
  const shown = await runInProcess(home, ["inbound", "log"]);
  assert.match(shown.stdout, /a +500 +3 +12 ms +POST \/x {2}it failed/);
  const [record] = jsonOf(await runInProcess(home, ["inbound", "log", "--json"]))["requests"] as Record<
    string,
    unknown
  >[];
  assert.deepEqual([record?.["hook"], record?.["session"], record?.["run_id"]], ["a", "s", null]);
  const following = home.start(["inbound", "log", "--follow", "--json"]);
  await following.sees('"hook":"a"');
  writeFileSync(join(home.path, "logs/inbound.jsonl"), `\n${line("b")}`, { flag: "a" });
  await following.sees('"hook":"b"');
  following.kill("SIGINT");
  assert.equal((await following.ended).code, 130);
});

const check = async (home: Home, names: readonly string[], acceptHooks = false, env: NodeJS.ProcessEnv = {}) => {
  const context = createContext(home.env(env));
  const paths = homePaths(home.path);
  const globals = { home: home.path, acceptHooks, safeMode: false, logLevel: "info" } as const;
  return checkInbound(names, { context, globals, paths, config: await loadConfig(paths, context.env) });
};

test("a start checks names, variables, scripts and consent, in this order and before anything else", async (t) => {
  const home = new Home(t);
  const script = home.script("echo.sh", ECHO);
  configure(home, [
    { script },
    { script: join(home.path, "none.sh") },
    { script: home.path },
    { script: home.write("plain.txt", "x") },
    { script, verify: "github", secret: "${UNSET_ONE}" },
  ]);
  await assert.rejects(check(home, ["hook0", "hok1"]), { code: "HERMES_INBOUND_UNKNOWN", exitCode: 2 });
  for (const name of ["hook1", "hook2", "hook3"]) {
    await assert.rejects(check(home, [name], true), { code: "HERMES_INBOUND_SCRIPT", exitCode: 2 }, name);
  }
  await assert.rejects(check(home, ["hook4"], true), { code: "HERMES_CONFIG_VARIABLE", exitCode: 2 });
  await assert.rejects(check(home, ["hook0"]), { code: "HERMES_INBOUND_UNAPPROVED", exitCode: 1 });
  assert.ok(!home.has("shell-hooks-allowlist.json"));
  assert.equal((await check(home, ["hook0", "hook0"], true)).hooks.length, 1);
  assert.equal((await check(home, ["hook0"])).hooks.length, 1);
  chmodSync(script, 0o777);
  await assert.rejects(check(home, ["hook0"]), { code: "HERMES_INBOUND_SCRIPT" });
});

test("a revoked script does not run from the next request on", async (t) => {
  const home = new Home(t);
  const script = home.script("echo.sh", ECHO);
  configure(home, [{ script }]);
  const { hooks, run } = await check(home, ["hook0"], true);
  const request = { hook: hooks[0]!, variables: {}, body: Buffer.from("x"), signal: new AbortController().signal };
  assert.equal((await run(request)).kind, "ran");
  assert.equal((await runInProcess(home, ["hooks", "revoke", script])).code, 0);
  const refused = await run(request);
  assert.equal(refused.kind, "unapproved");
  assert.match(refused.kind === "unapproved" ? refused.reason : "", /not approved/);
});

test("pinned: a changed script does not run", async (t) => {
  const home = new Home(t);
  const script = home.script("echo.sh", ECHO);
  const inbound = [{ name: "hook0", bind: "127.0.0.1:20001", script }];
  home.write("config.yaml", JSON.stringify({ inbound, hooks_consent: "pinned" }));
  const { hooks, run } = await check(home, ["hook0"], true);
  const request = { hook: hooks[0]!, variables: {}, body: Buffer.from("x"), signal: new AbortController().signal };
  const ran = await run(request);
  assert.equal(ran.kind === "ran" ? ran.result.stdout : ran.reason, "got x\n");
  home.script("echo.sh", `${ECHO}echo changed\n`);
  const after = await run(request);
  assert.match(after.kind === "ran" ? (after.result.start_problem ?? "") : "", /changed/);
  await assert.rejects(check(home, ["hook0"]), { code: "HERMES_INBOUND_UNAPPROVED" });
});

test("a sandbox profile keeps the script from writing, the hook's own over the configuration's", async (t) => {
  const home = new Home(t);
  const script = home.script("write.sh", `#!/bin/sh\necho x > "\${0%/*}/written" 2>/dev/null\necho ran\n`);
  const inbound = [
    { name: "walled", bind: "127.0.0.1:20001", script },
    { name: "open", bind: "127.0.0.1:20002", script, sandbox: "off" },
  ];
  home.write("config.yaml", JSON.stringify({ inbound, sandbox: { inbound: "read-only" } }));
  const { hooks, run } = await check(home, ["walled", "open"], true);
  const outputs: string[] = [];
  for (const hook of hooks) {
    const ran = await run({ hook, variables: {}, body: Buffer.from(""), signal: new AbortController().signal });
    const said = ran.kind === "ran" ? ran.result.stdout.trim() : ran.reason;
    outputs.push(`${said}, ${existsSync(join(dirname(script), "written")) ? "wrote" : "kept out"}`);
  }
  assert.deepEqual(outputs, ["ran, kept out", "ran, wrote"]);
});
