import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { openDatabase } from "#core/home/database";
import { SqliteSessionStore } from "#dashboard/session-store";
import { SignIn } from "#dashboard/sign-in";
import { listLog, temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

test("a link signs in once", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const link = dashboard.dashboard.signInUrl();
  assert.ok(link.startsWith(`${dashboard.url}/#code=`), "in the fragment, which no browser sends and no server logs");
  const code = link.split("#code=")[1]!;
  const first = await dashboard.post("/api/session", { code });
  assert.equal(first.status, 204);
  const cookie = first.headers.get("set-cookie")!;
  assert.match(cookie, /; HttpOnly; SameSite=Strict; Path=\/; Max-Age=604800$/);
  assert.ok(!cookie.includes(code));
  assert.equal((await dashboard.post("/api/session", { code })).status, 401);

  const headers = { cookie: cookie.split(";", 1)[0]! };
  for (const path of ["/api/status", "/api/history"])
    assert.equal((await dashboard.get(path, headers)).status, 200, path);
  assert.equal((await dashboard.get("/api/session", headers)).status, 204);
});

test("a code that is wrong, or no code, lets nobody in", async (t) => {
  const dashboard = await TestDashboard.start(t);
  assert.equal((await dashboard.post("/api/session", { code: "x".repeat(43) })).status, 401);
  assert.equal((await dashboard.post("/api/session", { code: dashboard.dashboard.token })).status, 401);
  for (const body of ["", "no json", "[]", "null", { code: 7 }, {}]) {
    assert.equal((await dashboard.post("/api/session", body)).status, 400, JSON.stringify(body));
  }
  assert.equal((await dashboard.post("/api/session")).status, 400);
  assert.equal((await dashboard.post("/api/session", { code: "x".repeat(5000) })).status, 413);
  assert.equal((await dashboard.get("/api/status", { cookie: "hermes_dashboard=; x" })).status, 401);
});

test("guessing codes is bounded like guessing tokens", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const guesses = Array.from({ length: 100 }, () => dashboard.post("/api/session", { code: "guess" }));
  const statuses = (await Promise.all(guesses)).map(({ status }) => status);
  assert.ok(statuses.includes(429));
  assert.ok(statuses.every((status) => status === 401 || status === 429));
  assert.match(await dashboard.signIn(), /^hermes_dashboard_\d+=/);
});

test("a session ends when the page says so, and its streams with it", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const cookie = await dashboard.signIn();
  const other = await dashboard.signIn();
  const stream = await dashboard.stream(t, "", { cookie });
  assert.equal(await stream.block(), "retry: 1000");
  const ended = await dashboard.post("/api/session/end", undefined, { cookie, origin: dashboard.url });
  assert.equal(ended.status, 204);
  assert.match(ended.headers.get("set-cookie")!, /Max-Age=0/);
  assert.equal(await stream.block(), undefined);
  assert.equal((await dashboard.get("/api/session", { cookie })).status, 401);
  assert.equal((await dashboard.get("/api/session", { cookie: other })).status, 204);
});

test("what a cookie alone allows must come from the page itself", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const cookie = await dashboard.signIn();
  const otherServer = "http://127.0.0.1:1";
  for (const origin of [undefined, "https://evil.example", otherServer]) {
    const headers: Record<string, string> = origin === undefined ? { cookie } : { cookie, origin };
    assert.equal((await dashboard.post("/api/session/end", undefined, headers)).status, 403);
  }
  assert.equal((await dashboard.get("/api/session", { cookie, origin: otherServer })).status, 403);
  const ask = (site: string) =>
    dashboard.raw("/api/events", ["host", `127.0.0.1:${dashboard.port}`, "cookie", cookie, "sec-fetch-site", site]);
  assert.equal((await ask("same-site")).status, 403, "a page of another server on this machine");
  assert.equal((await dashboard.get("/api/session", { cookie })).status, 204);
  assert.equal((await dashboard.get("/api/session", { cookie, origin: dashboard.url })).status, 204);
});

test("a session may neither send events nor make further links", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const headers = { cookie: await dashboard.signIn(), origin: dashboard.url };
  assert.equal((await dashboard.ingest({ event_type: "a:b" }, headers)).status, 401);
  assert.equal((await dashboard.post("/api/session/code", undefined, headers)).status, 401);
});

test("a fresh code costs the token", async (t) => {
  const dashboard = await TestDashboard.start(t);
  const { status, json } = await dashboard.post("/api/session/code", undefined, dashboard.bearer);
  assert.equal(status, 200);
  assert.equal((await dashboard.post("/api/session", { code: json()["code"] })).status, 204);
});

test("another dashboard's cookie opens nothing here", async (t) => {
  const [one, two] = [await TestDashboard.start(t), await TestDashboard.start(t)];
  const cookie = await one.signIn();
  assert.equal((await two.get("/api/session", { cookie })).status, 401);
  const renamed = cookie.replace(String(one.port), String(two.port));
  assert.equal((await two.get("/api/session", { cookie: renamed })).status, 401);
});

test("codes last ten minutes, sessions seven days from their last use", () => {
  let now = 0;
  const ended: string[] = [];
  const signIn = new SignIn({ onEnd: (session) => ended.push(session) }, () => now);
  const minute = 60_000;
  const [early, late] = [signIn.newCode(), signIn.newCode()];
  now = 10 * minute;
  const secret = signIn.exchange(early);
  assert.ok(secret !== undefined);
  now += 1;
  assert.equal(signIn.exchange(late), undefined);

  const session = signIn.find(secret);
  assert.ok(session !== undefined);
  const day = 24 * 60 * minute;
  for (let days = 0; days < 30; days += 6) {
    now += 6 * day;
    assert.equal(signIn.find(secret), session);
  }
  now += 7 * day + 1;
  assert.equal(signIn.find(secret), undefined);
  assert.deepEqual(ended, [session]);
});

test("a session outlives the dashboard, and its end does, too; only its hash is stored", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "state.db");
  const start = () => TestDashboard.start(t, { folder, database: openDatabase(file) });
  const first = await start();
  const [kept, ended] = [await first.signIn(), await first.signIn()];
  const valueOf = (cookie: string) => cookie.split("=")[1]!;
  await first.post("/api/session/end", undefined, { cookie: ended, origin: first.url });
  await first.dashboard.stop();

  const second = await start();
  const asked = (cookie: string) =>
    second.get("/api/session", { cookie: `hermes_dashboard_${second.port}=${valueOf(cookie)}` });
  const { status, headers } = await asked(kept);
  assert.equal(status, 204);
  assert.match(headers.get("set-cookie")!, /; Max-Age=604800$/, "the browser keeps it for another seven days");
  assert.ok(headers.get("set-cookie")!.includes(valueOf(kept)));
  assert.equal((await asked(ended)).status, 401);
  const rows = openDatabase(file).prepare("SELECT hash FROM dashboard_sessions").all();
  assert.equal(rows.length, 1);
  assert.ok(!JSON.stringify(rows).includes(valueOf(kept)));
});

test("stored sessions end after seven days without use, and are bounded in number", (t) => {
  const database = openDatabase(join(temporaryFolder(t), "state.db"));
  t.after(() => database.close());
  const warnings: string[] = [];
  let now = 1_000_000_000_000;
  const start = () =>
    new SignIn({ onEnd: () => undefined, store: new SqliteSessionStore(database, listLog(warnings)) }, () => now);
  const stored = () => Number(database.prepare("SELECT count(*) AS many FROM dashboard_sessions").get()!["many"]);
  const signIn = start();
  const secret = signIn.exchange(signIn.newCode())!;
  now += 7 * 86_400_000 - 1;
  assert.ok(start().find(secret) !== undefined, "that was a use");
  now += 7 * 86_400_000 + 1;
  assert.equal(start().find(secret), undefined);
  assert.equal(stored(), 0);
  for (let count = 0; count < 100; count++) signIn.exchange(signIn.newCode());
  assert.equal(stored(), 64);

  database.exec("DROP TABLE dashboard_sessions");
  const unstored = signIn.exchange(signIn.newCode())!;
  assert.ok(signIn.find(unstored) !== undefined, "it lasts as long as the process");
  assert.match(warnings.join("\n"), /a sign-in is kept in memory only/);
});

test("codes and sessions are bounded in number, and the oldest go", () => {
  const ended: string[] = [];
  const signIn = new SignIn({ onEnd: (session) => ended.push(session) });
  const codes = Array.from({ length: 40 }, () => signIn.newCode());
  assert.equal(signIn.exchange(codes[0]!), undefined);
  const first = signIn.exchange(codes.at(-1)!)!;
  const session = signIn.find(first);
  for (let count = 0; count < 100; count++) signIn.exchange(signIn.newCode());
  assert.equal(signIn.find(first), undefined);
  assert.equal(ended[0], session);
});
