/** The pane of daemons and their inboxes in a real browser, as people use them. */
import { embeddedStorage } from "#daemon/storage/embedded";
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Locator, Page } from "playwright-core";
import { createDaemonDesk } from "#cli/daemon/desk";
import { createTaskDesk } from "#cli/tasks/desk";
import { openDatabase } from "#core/home/database";
import type { InboxSource } from "#core/ports/inbox";
import { markUntrusted } from "#daemon/inbound/untrusted";
import { EmbeddedDeliveries } from "#daemon/storage/embedded-deliveries";
import { EmbeddedInbox } from "#daemon/storage/embedded-inbox";
import { EmbeddedSchedules } from "#daemon/storage/embedded-schedules";
import { announced } from "../helpers/announced-daemon.ts";
import { browserOfFile, openTab, type TabOptions } from "../helpers/browser.ts";
import { noReplays, noSessions, temporaryFolder, TestDashboard } from "../helpers/dashboard.ts";

const browser = browserOfFile();

const EVIL = '<img src=x onerror="window.harmed=1"><script>window.harmed=1</script>';
const ME = { pid: process.pid, start: null };
const MINUTE = 60_000;

/** A dashboard, and a tab that is signed in to it. */
async function signedIn(t: TestContext, options: TabOptions = {}) {
  const folder = temporaryFolder(t);
  const run = join(folder, "run");
  const database = openDatabase(join(folder, "state.db"));
  const redact = (text: string) => text;
  const clock = { now: Date.now() };
  const inbox = new EmbeddedInbox(database, () => clock.now);
  const schedules = new EmbeddedSchedules(database, inbox);
  const deliveries = new EmbeddedDeliveries(database);
  const tasks = createTaskDesk({
    storage: async () => embeddedStorage(database),
    folder,
    persist: () => true,
    deliveriesFor: () => [],
    redact,
  });
  const daemons = createDaemonDesk({ storage: async () => embeddedStorage(database), run, redact });
  const dashboard = await TestDashboard.start(t, {
    database,
    folder,
    stored: { tasks, deliveries, daemons, sessions: noSessions, replays: noReplays },
  });
  const tab = await openTab(browser(), options);
  t.after(() => tab.context.close());
  await tab.page.goto(dashboard.dashboard.signInUrl());
  await sees(tab.page.locator("#connection"), "Live");
  return { run, database, clock, inbox, schedules, tab, page: tab.page, dashboard };
}

type Open = Awaited<ReturnType<typeof signedIn>>;

/** A daemon with a hook and messages in every state, one that drains, and two that do not run. */
async function fill(t: TestContext, { run, clock, inbox, schedules }: Open) {
  const url = "http://127.0.0.1:9876/github";
  const watcher = await announced(t, run, "ci-watcher", {
    state: "running",
    queued: 2,
    hooks: ["github-push"],
    addresses: [{ name: "github-push", url, verify: "github" }],
  });
  await announced(t, run, `reviewer ${EVIL}`, { state: "draining" });
  const started = clock.now;
  const add = (session: string, source: InboxSource, label: string, content: string) =>
    inbox.add({ session, source, label, content });
  clock.now = started - 200 * MINUTE;
  await add(
    "ci-watcher",
    "schedule",
    "ab12cd34ef56ab12",
    "Look at the failures of the last hour and write a summary of them",
  );
  const [done] = [await inbox.claim({ session: "ci-watcher", holder: ME, order: "fifo" })];
  await inbox.end([done!.id], "done");
  clock.now = started - 60 * MINUTE;
  await add("ci-watcher", "background", "task k3j4h5g6", "The task k3j4h5g6 succeeded: all links are fine");
  await inbox.end([(await inbox.claim({ session: "ci-watcher", holder: ME, order: "fifo" }))!.id], "failed");
  clock.now = started - 5 * MINUTE;
  await add(
    "ci-watcher",
    "inject",
    "send",
    "Check the build status, please, and tell me which of the jobs that failed were flaky before",
  );
  await inbox.claim({ session: "ci-watcher", holder: ME, order: "fifo" });
  clock.now = started - 3 * MINUTE;
  await add(
    "ci-watcher",
    "webhook",
    "github-push",
    markUntrusted("github-push", `New push to acme/site (main) by ${EVIL}`),
  );
  await add("ci-watcher", "inject", "send", "日本語のビルドログを要約してください");
  await add("asleep", "inject", "send", "for later");
  clock.now = started;
  const at = (minutes: number) => new Date(started + minutes * MINUTE);
  await schedules.add({
    name: "ci-watcher",
    when: "*/30 9-17 * * 1-5",
    prompt: "Look at the failures of the last hour",
    nextAt: at(12.5),
  });
  await schedules.add({
    name: "nightly",
    when: "0 3 * * *",
    prompt: "Write the nightly report of all builds",
    nextAt: at(600),
  });
  return watcher;
}

async function sees(locator: Locator, words: string | RegExp): Promise<void> {
  await locator.filter({ hasText: words }).first().waitFor();
}

const entries = (page: Page) => page.locator("#daemons-list button");
const messages = (page: Page) => page.locator(".messages summary");

/** For a look at the page: a folder in this variable gets pictures of it. */
async function picture(page: Page, name: string): Promise<void> {
  const folder = process.env["HERMES_TEST_PICTURES"];
  if (folder !== undefined) await page.screenshot({ path: join(folder, `${name}.png`) });
}

test("daemons, their inboxes and schedules are listed, opened, and changed while one looks", async (t) => {
  const open = await signedIn(t, { colorScheme: "light" });
  const watcher = await fill(t, open);
  const { page, inbox, tab } = open;
  await page.locator("#hooks .tabs").getByRole("button", { name: "Daemons" }).click();
  await sees(
    entries(page).nth(0),
    /running.*ci-watcher.*2 waiting · github-push http:\/\/127\.0\.0\.1:9876\/github · next in 12 min/,
  );
  await sees(entries(page).nth(1), /draining.*reviewer <img/);
  await sees(entries(page).nth(2), /stopped.*asleep.*1 waiting/);
  await sees(entries(page).nth(3), /stopped.*nightly.*next in \d+ h/);
  await sees(page.locator("#daemons-count"), "2 up of 4");
  await sees(page.locator("#daemons-schedules button").nth(1), /in \d+ h.*Write the nightly report.*nightly.*0 3/);
  await entries(page).first().click();
  const pane = page.locator("#inspector");
  await sees(pane.locator("h2"), "Daemon ci-watcher");
  await sees(pane, "http://127.0.0.1:9876/github (verify: github)");
  await sees(pane, "hermes attach --name ci-watcher");
  await sees(pane, "2 (1 inject, 1 webhook)");
  await sees(messages(page).nth(0), /queued.*inject send.*waiting 3 min.*日本語/);
  await sees(
    messages(page).nth(1),
    /queued.*webhook github-push.*waiting 3 min.*New push to acme\/site \(main\) by <img/,
  );
  await sees(messages(page).nth(2), /running.*inject send.*5 min ago/);
  await sees(messages(page).nth(3), /failed.*background task k3j4h5g6.*1 h ago/);
  await sees(messages(page).nth(4), /done.*schedule ab12cd34ef56ab12.*3 h ago/);
  await messages(page).nth(1).click();
  await sees(pane.locator(".messages pre"), /It is untrusted.*<img src=x/s);
  await picture(page, "daemons-1600-light");
  // What comes is shown without a reload, and what is open stays open.
  await inbox.add({ session: "ci-watcher", source: "skill", label: "release", content: "How to release" });
  watcher.set({ queued: 3, state: "idle" });
  await sees(messages(page).nth(0), /queued.*skill release.*How to release/);
  await sees(entries(page).nth(0), /idle.*3 waiting/);
  assert.equal(await pane.locator(".messages details[open]").count(), 1);
  await page.getByRole("combobox", { name: "State of messages" }).selectOption("failed");
  await sees(messages(page).first(), /failed.*background/);
  await messages(page).nth(1).waitFor({ state: "detached" });
  await page.getByRole("combobox", { name: "State of messages" }).selectOption("");
  await sees(messages(page).nth(5), "done");
  await watcher.end();
  await sees(entries(page).filter({ hasText: "ci-watcher" }), "stopped");
  await sees(pane, "hermes run --daemon --name ci-watcher");
  assert.equal(await page.evaluate("window.harmed"), undefined);
  assert.deepEqual(tab.errors, []);
});

test("the session of a daemon opens from its details; a schedule opens its daemon", async (t) => {
  const open = await signedIn(t, { colorScheme: "dark" });
  const watcher = await fill(t, open);
  const { page, dashboard } = open;
  const frame = { session_id: watcher.session_id, payload: { text: "hello from the daemon" } };
  await dashboard.ingest({ event_type: "tui:message.complete", src: "daemon", context: frame });
  await page.keyboard.press("7");
  await entries(page).first().click();
  const pane = page.locator("#inspector");
  await sees(messages(page).first(), "日本語");
  await picture(page, "daemons-1600-dark");
  await pane.getByRole("button", { name: "Open session" }).click();
  await sees(pane.locator("#inspector-subtitle"), "Session ");
  await sees(pane, "hello from the daemon");
  await page.locator("#daemons-schedules button").nth(1).click();
  await sees(pane.locator("h2"), "Daemon nightly");
  await sees(pane, /0 3 \* \* \* Write the nightly report/);
  await sees(pane, "No messages.");
  assert.equal(await messages(page).count(), 0);
});

test("with the keyboard alone, and on narrow screens", async (t) => {
  const open = await signedIn(t, { viewport: { width: 360, height: 740 }, colorScheme: "light" });
  await fill(t, open);
  const { page } = open;
  await page.keyboard.press("7");
  await sees(entries(page).first(), "ci-watcher");
  assert.equal(await page.locator("#feed").isVisible(), false);
  await fitsNarrow(page, "daemons");
  await page.setViewportSize({ width: 360, height: 740 });
  await entries(page).first().focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await sees(page.locator("#inspector h2"), "Daemon ci-watcher");
  await sees(messages(page).first(), "日本語");
  await fitsNarrow(page, "inbox");
  await page.keyboard.press("Escape");
  assert.equal(await page.locator("#inspector").isVisible(), false);
  assert.match(await page.locator(":focus").innerText(), /ci-watcher/);
});

test("the tabs of the lower panes fit beside a title, a note and a filter", async (t) => {
  const { page } = await signedIn(t, { viewport: { width: 1000, height: 800 } });
  for (const [key, view] of [
    ["3", "hooks"],
    ["5", "tasks"],
    ["6", "webhooks"],
    ["7", "daemons"],
  ] as const) {
    await page.keyboard.press(key);
    await page.locator(`#${view} [data-tab="daemons"]`).waitFor();
    await page.evaluate(
      `for (const note of document.querySelectorAll(".pane-head p")) note.textContent = "the newest 100"`,
    );
    await picture(page, `tabs-${view}`);
    const over = await page.evaluate(
      `(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)(document.querySelector("#${view} .pane-head"))`,
    );
    assert.equal(over, 0, view);
  }
});

async function fits(page: Page): Promise<void> {
  const wide = await page.evaluate(
    `[document.body, ...document.querySelectorAll("#views, #daemons, #inspector-body, .scroll")]
      .filter((one) => one.scrollWidth > one.clientWidth).map((one) => one.id || one.className)`,
  );
  assert.deepEqual(wide, [], "nothing is wider than the screen");
}

test("hidden, the pane asks for nothing; an empty home says what to run; a database that fails says so, and what was read stays", async (t) => {
  const { page, run, database, tab } = await signedIn(t);
  await page.waitForResponse(/\/api\/status$/);
  await page.waitForResponse(/\/api\/status$/);
  assert.equal(tab.requests.filter((url) => url.includes("/api/daemons")).length, 0);
  await page.keyboard.press("7");
  await page.waitForResponse(/\/api\/daemons/);
  await sees(page.locator("#daemons-empty"), "hermes run --daemon --name NAME");
  assert.equal(await page.locator("#daemons-schedules-title").isVisible(), false);
  await announced(t, run, "fresh");
  await sees(entries(page).first(), /idle.*fresh/);
  database.exec("ALTER TABLE schedules RENAME TO elsewhere");
  await sees(page.locator("#daemons-problem"), "state.db cannot be read now");
  await sees(entries(page).first(), "fresh");
  database.exec("ALTER TABLE elsewhere RENAME TO schedules");
  await page.locator("#daemons-problem").waitFor({ state: "hidden" });
  assert.ok(tab.errors.every((error) => error.includes("503")));
});

/** Looks at narrow windows, light and dark. */
async function fitsNarrow(page: Page, name: string): Promise<void> {
  for (const [width, height] of [
    [360, 740],
    [800, 900],
  ] as const) {
    await page.setViewportSize({ width, height });
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await picture(page, `${name}-${width}-${colorScheme}`);
    }
    await fits(page);
  }
}
