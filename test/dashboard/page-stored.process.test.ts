/** The panes of tasks and webhooks in a real browser, as a person uses them. */
import { embeddedStorage } from "#daemon/storage/embedded";
import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Locator, Page } from "playwright-core";
import { createDaemonDesk } from "#cli/daemon/desk";
import { createTaskDesk } from "#cli/tasks/desk";
import { openDatabase, transaction } from "#core/home/database";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedReplays } from "#daemon/storage/embedded-replays";
import { EmbeddedTasks } from "#daemon/storage/embedded-tasks";
import { browserOfFile, openTab, type TabOptions } from "../helpers/browser.ts";
import { noSessions, temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

const browser = browserOfFile();

const NEW = { cwd: "/work", idempotencyKey: null, runner: null, maxTurns: null, timeout: 0, submittedOn: "cli" };
const SILENT = () => [];
const EVIL = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';

/** A dashboard whose home has tasks in every state and deliveries, and a tab that is signed in to it. */
async function signedIn(t: TestContext, options: TabOptions = {}, isEmpty = false) {
  const folder = temporaryFolder(t);
  const database = openDatabase(join(folder, "state.db"));
  const deliveries = new EmbeddedDeliveries(database);
  const tasks = new EmbeddedTasks(database, deliveries);
  const replays = new EmbeddedReplays(database);
  const desk = createTaskDesk({
    storage: async () => embeddedStorage(database),
    folder,
    persist: () => true,
    deliveriesFor: SILENT,
    redact: (text) => text,
  });
  const daemons = createDaemonDesk({
    storage: async () => embeddedStorage(database),
    run: join(folder, "run"),
    redact: (text) => text,
  });
  const dashboard = await TestDashboard.start(t, {
    database,
    folder,
    stored: { tasks: desk, deliveries, daemons, sessions: noSessions, replays },
  });
  const home = { folder, database, deliveries, tasks, replays };
  const ids = isEmpty ? [] : await fill(home);
  const tab = await openTab(browser(), options);
  t.after(() => tab.context.close());
  await tab.page.goto(dashboard.dashboard.signInUrl());
  await sees(tab.page.locator("#connection"), "Live");
  return { ...home, ids, dashboard, tab, page: tab.page };
}

interface TestHome {
  readonly folder: string;
  readonly deliveries: EmbeddedDeliveries;
  readonly tasks: EmbeddedTasks;
}

/** A task that succeeded, one that failed, one that runs in this process, and two that wait; three deliveries. */
async function fill({ folder, deliveries, tasks }: TestHome): Promise<readonly string[]> {
  const ids: string[] = [];
  const me = { pid: process.pid, start: null };
  const prompts = [
    "Summarise the build logs of last night and open an issue for each new failure",
    `Look at ${EVIL}`,
    "Check every link of the documentation, and write a list of those that are broken, with the page they are on",
    "run the tests",
    "日本語のドキュメントを要約してください",
  ];
  for (const prompt of prompts) ids.push((await tasks.submit({ ...NEW, prompt })).id);
  const figures = { session_id: "sess_1", tokens_used: 12_345, tools_called: 7, calls: { terminal: 7 } };
  for (const [id, error] of [
    [ids[0]!, null],
    [ids[1]!, `the model answered 401 ${EVIL}`],
  ] as const) {
    await tasks.claim(me, { most: 5 });
    await tasks.started(id, 1, me, SILENT);
    await tasks.record(id, 1, figures);
    const status = error === null ? ("succeeded" as const) : ("failed" as const);
    await tasks.end(id, 1, { status, exit_code: error === null ? 0 : 1, ended_by: "task", error }, SILENT);
  }
  await tasks.claim(me, { most: 5 });
  await tasks.started(ids[2]!, 1, me, SILENT);
  await tasks.record(ids[2]!, 1, { ...figures, tools_called: 1 });
  const frame = { type: "assistant", session_id: "s", content: `first line\nlast line ${EVIL}`, finish_reason: "stop" };
  writeFileSync(join(folder, `${ids[1]}.jsonl`), `${JSON.stringify(frame)}\n`);
  const payload = JSON.stringify({ event: "task_completed", task_id: ids[0], text: EVIL });
  const made = await deliveries.add(
    ["slack", "audit", "old-system"].map((endpoint) => ({ event: "task_completed", endpoint, payload })),
  );
  const attempt = { at: new Date().toISOString(), duration_ms: 41 };
  await deliveries.finish([
    { id: made[0]!, attempt: { ...attempt, status: 200, error: null }, next: { kind: "delivered" } },
    {
      id: made[1]!,
      attempt: { ...attempt, status: 503, error: `it answered 503 ${EVIL}` },
      next: { kind: "again", inMs: 600_000, counts: true },
    },
    { id: made[2]!, attempt: { ...attempt, status: 404, error: "it answered 404" }, next: { kind: "failed" } },
  ]);
  return ids;
}

/** Waits until an element's text holds the words. */
async function sees(locator: Locator, words: string | RegExp): Promise<void> {
  await locator.filter({ hasText: words }).first().waitFor();
}

const entries = (page: Page, view: string) => page.locator(`#${view}-list button`);

/** For a look at the page: a folder in this variable gets pictures of it. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["HERMES_TEST_PICTURES"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

test("tasks: listed with state and figures, filtered, opened, and changed while one looks", async (t) => {
  const { page, tasks, ids, tab } = await signedIn(t, { colorScheme: "light" });
  await page.locator("#hooks .tabs").getByRole("button", { name: "Tasks" }).click();
  await sees(entries(page, "tasks").first(), "日本語");
  assert.equal(await entries(page, "tasks").count(), 5);
  await sees(entries(page, "tasks").nth(0), "queued, number 2");
  await sees(entries(page, "tasks").nth(2), /running.*1 tool call · 12,345 tokens/);
  await sees(entries(page, "tasks").nth(3), /failed.*the model answered 401 <img/);
  await picture(page, "tasks-light");
  await page.getByRole("combobox", { name: "Status of tasks" }).selectOption("failed");
  await entries(page, "tasks").nth(1).waitFor({ state: "detached" });
  await entries(page, "tasks").first().click();
  const pane = page.locator("#inspector");
  await sees(pane.locator("h2"), `Task ${ids[1]}`);
  await sees(pane, `hermes tasks retry ${ids[1]}`);
  await sees(pane.locator("pre").last(), "last line <img");
  await sees(pane.locator(".problem"), "the model answered 401 <img");
  await picture(page, "task-details-light");
  await page.getByRole("combobox", { name: "Status of tasks" }).selectOption("lost");
  await sees(page.locator("#tasks-none"), "No task has this status");
  await page.getByRole("combobox", { name: "Status of tasks" }).selectOption("");
  // What changes is shown without a reload.
  await entries(page, "tasks").nth(1).click();
  await sees(pane, `hermes tasks cancel ${ids[3]}`);
  await tasks.cancel(ids[3]!);
  await sees(entries(page, "tasks").nth(1), "cancelled");
  await sees(pane, `hermes tasks retry ${ids[3]}`);
  assert.equal(await page.evaluate("window.harmed"), undefined);
  assert.deepEqual(tab.errors, []);
});

test("webhooks: deliveries with attempts, the next one and the last error; one with its history", async (t) => {
  const { page, tab } = await signedIn(t, { colorScheme: "dark" });
  await page.keyboard.press("6");
  await sees(entries(page, "webhooks").first(), /failed.*old-system/);
  await sees(entries(page, "webhooks").nth(1), /pending.*audit.*1 attempt · again in \d+ min.*503 <img/);
  await picture(page, "webhooks-dark");
  await entries(page, "webhooks").nth(1).click();
  const pane = page.locator("#inspector");
  await sees(pane.locator("h2"), "Delivery ");
  await sees(pane.locator(".attempts"), /it answered 503 <img .*\(41 ms\)/);
  await sees(pane.locator("pre"), '"text": "<img src=x');
  await sees(pane, "hermes webhooks show");
  assert.doesNotMatch(await pane.innerText(), /redeliver/);
  await entries(page, "webhooks").first().click();
  await sees(pane, "hermes webhooks redeliver");
  await picture(page, "delivery-details-dark");
  assert.equal(await page.evaluate("window.harmed"), undefined);
  assert.deepEqual(tab.errors, []);
});

test("with the keyboard alone, and on a narrow screen", async (t) => {
  const { page, ids } = await signedIn(t, { viewport: { width: 390, height: 780 }, colorScheme: "light" });
  await page.keyboard.press("5");
  await sees(entries(page, "tasks").first(), "日本語");
  assert.equal(await page.locator("#feed").isVisible(), false);
  await picture(page, "tasks-narrow");
  // The list gets the focus a moment after it is drawn.
  await page.locator("#tasks-list button:focus").waitFor();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("j");
  await page.keyboard.press("Enter");
  await sees(page.locator("#inspector h2"), `Task ${ids[2]}`);
  await picture(page, "task-details-narrow");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#inspector").isVisible(), false);
  assert.match((await page.locator(":focus").innerText()).replaceAll("\n", " "), /Check every link/);
  await page.locator("#views").getByRole("button", { name: "Webhooks" }).click();
  await sees(entries(page, "webhooks").first(), "old-system");
  await picture(page, "webhooks-narrow");
  const { scrollWidth, clientWidth } = (await page.evaluate(
    "({ scrollWidth: document.body.scrollWidth, clientWidth: document.body.clientWidth })",
  )) as { scrollWidth: number; clientWidth: number };
  assert.ok(scrollWidth <= clientWidth, "nothing is wider than the screen");
});

test("hidden panes ask for nothing; an empty home says what to run; a database that fails says so, and what was read stays", async (t) => {
  const { page, tasks, database, tab } = await signedIn(t, {}, true);
  await page.waitForResponse(/\/api\/status$/);
  await page.waitForResponse(/\/api\/status$/);
  const asked = (path: string) => tab.requests.filter((url) => url.includes(path)).length;
  // Deliveries that wait are asked for in any case: what is wrong now is shown above all panes.
  assert.deepEqual([asked("/api/tasks"), asked("/api/deliveries?limit=")], [0, 0]);
  await page.keyboard.press("5");
  await page.waitForResponse(/\/api\/tasks/);
  await page.waitForResponse(/\/api\/tasks/);
  assert.equal(asked("/api/deliveries?limit="), 0);
  await page.keyboard.press("6");
  await sees(page.locator("#webhooks-empty"), "hermes webhooks test NAME");
  await page.keyboard.press("5");
  await sees(page.locator("#tasks-empty"), 'hermes run --background "PROMPT"');
  await tasks.submit({ ...NEW, prompt: "stay" });
  await sees(entries(page, "tasks").first(), "stay");
  database.exec("ALTER TABLE tasks RENAME TO elsewhere");
  await sees(page.locator("#tasks-problem"), "state.db cannot be read now");
  await sees(entries(page, "tasks").first(), "stay");
  database.exec("ALTER TABLE elsewhere RENAME TO tasks");
  await page.locator("#tasks-problem").waitFor({ state: "hidden" });
  assert.ok(tab.errors.every((error) => error.includes("503")));
});

const REPLAYED = {
  ran_at: "2026-11-29T12:00:00.000Z",
  filters: { session: null, since: null, event: "pre_tool_call", hook: null },
  hooks: { added: [`new ${EVIL}`], removed: ["gone"] },
};

test("the last replay: how to get one, what changed, by event, its sessions, and a newer one", async (t) => {
  const { page, replays, dashboard, tab } = await signedIn(t, { colorScheme: "dark" }, true);
  const session = "c04af1d2_0mg3k2a1x";
  await dashboard.ingest({ event_type: "agent:start", context: { session_id: session, message: "hello" }, src: "cli" });
  await page.keyboard.press("8");
  await sees(page.locator("#replay-empty"), "hermes hooks replay");
  await picture(page, "replay-empty-dark");
  const change = {
    time: "2026-11-28T09:12:44.310Z",
    event: "pre_tool_call",
    session_id: session,
    tool_name: "terminal",
    recorded: "pass" as const,
    now: "block" as const,
    hook: "/home/u/.hermes/agent-hooks/no-secrets.sh",
    message: `leave .env files alone ${EVIL}`,
  };
  await replays.save({ ...REPLAYED, firings: 1204, same: 1201, changed: 3 }, [
    { ...change, session_id: "", tool_name: null, event: "command:model", recorded: "rewrite", now: "rewrite" },
    { ...change, recorded: "block", now: "timeout", message: "It did not answer in time. ".repeat(12), redacted: true },
    change,
  ]);
  const rows = page.locator("#replay-rows tr");
  await sees(rows.first(), /pre_tool_call\s*terminal.*pass → block.*…\/no-secrets\.sh.*leave \.env files alone <img/);
  await sees(page.locator("#replay-result"), "3 of 1,204 firings would end differently, 1,201 the same.");
  await sees(page.locator("#replay-facts"), /only pre_tool_call · ran only now: new <img.* · ran only then: gone/);
  await sees(rows.nth(1), /block → timeout.*\(redacted\)/);
  await picture(page, "replay-dark");
  await page.getByRole("combobox", { name: "Event of the changed firings" }).selectOption("pre_tool_call");
  await rows.nth(2).waitFor({ state: "detached" });
  // A session opens from the keyboard, and the focus returns to its link.
  const link = rows.first().getByRole("link", { name: `Session ${session}` });
  await link.focus();
  await page.keyboard.press("Enter");
  await sees(page.locator("#inspector-subtitle"), /Session 3k2a1x · running$/);
  await page.locator("#inspector-close").focus();
  await page.keyboard.press("Escape");
  assert.equal(await page.locator(":focus").getAttribute("aria-label"), `Session ${session}`);
  await page.setViewportSize({ width: 390, height: 780 });
  await page.emulateMedia({ colorScheme: "light" });
  await sees(rows.first(), "leave .env files alone");
  await picture(page, "replay-narrow");
  const { scrollWidth, clientWidth } = (await page.evaluate(
    "({ scrollWidth: document.body.scrollWidth, clientWidth: document.body.clientWidth })",
  )) as { scrollWidth: number; clientWidth: number };
  assert.ok(scrollWidth <= clientWidth, "nothing is wider than the screen");
  await replays.save({ ...REPLAYED, firings: 5, same: 5, changed: 0 }, []);
  await sees(page.locator("#replay-result"), "No: all of 5 firings would end the same.");
  await page.locator("#replay-table").waitFor({ state: "hidden" });
  await picture(page, "replay-same-narrow");
  assert.equal(await page.evaluate("window.harmed"), undefined);
  assert.deepEqual(tab.errors, []);
});

test("10,000 tasks and 100,000 deliveries", async (t) => {
  const { page, database } = await signedIn(t, {}, true);
  transaction(database, () => {
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
      INSERT INTO tasks (id, status, prompt, cwd, settings, foreground, created_at)
      SELECT 'task' || i, 'queued', 'prompt ' || i, '/', '{}', 0, 0 FROM n`);
    database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
      INSERT INTO deliveries (id, event, endpoint, payload, status, due_at, changed_at, created_at)
      SELECT 'delivery' || i, 'e', 'endpoint', '{}', CASE WHEN i = 5 THEN 'failed' ELSE 'delivered' END, 0, 0, '2026-01-01T00:00:00.000Z' FROM n`);
  });
  await page.keyboard.press("5");
  await sees(entries(page, "tasks").first(), "prompt 10000");
  assert.equal(await entries(page, "tasks").count(), 100);
  await sees(page.locator("#tasks-count"), "the newest 100");
  await page.keyboard.press("6");
  await sees(page.locator("#webhooks-count"), "the newest 100");
  await page.getByRole("combobox", { name: "Status of deliveries" }).selectOption("failed");
  await entries(page, "webhooks").nth(1).waitFor({ state: "detached" });
  assert.equal(await entries(page, "webhooks").count(), 1);
});
