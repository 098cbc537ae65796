/** The dashboard's page in a real browser, as a person uses it. */
import test, { after, before, suite, type TestContext } from "node:test";
import assert from "node:assert/strict";
import type { Locator, Page } from "playwright-core";
import { browserOfFile, openTab, type Tab, type TabOptions } from "../helpers/browser.ts";
import { startCuttable } from "../helpers/cuttable.ts";
import { TestDashboard } from "../helpers/dashboard.ts";
import { Conversation, ordinaryDay, type EventFrame } from "../helpers/dashboard-events.ts";
import { Home } from "../helpers/hermes.ts";

const browser = browserOfFile();

/** A dashboard with these events, and a tab that is signed in to it. */
async function signedIn(
  t: Pick<TestContext, "after">,
  frames: readonly EventFrame[] = ordinaryDay(),
  options: TabOptions = {},
) {
  const dashboard = await TestDashboard.start(t);
  await send(dashboard, frames);
  const tab = await openTab(browser(), options);
  t.after(() => tab.context.close());
  await tab.page.goto(dashboard.dashboard.signInUrl());
  await sees(tab.page.locator("#connection"), "Live");
  return { dashboard, tab, page: tab.page };
}

/** As senders do: in batches. */
async function send(dashboard: TestDashboard, frames: readonly EventFrame[]): Promise<void> {
  for (let start = 0; start < frames.length; start += 200) {
    const { status, text } = await dashboard.ingest(frames.slice(start, start + 200));
    assert.equal(status, 200, text);
  }
}

/** Waits until an element's text holds the words. */
async function sees(locator: Locator, words: string | RegExp): Promise<void> {
  await locator.filter({ hasText: words }).first().waitFor();
}

function rows(page: Page): Locator {
  return page.locator("#rows [role=option]");
}

/** The tab asked nobody but the dashboard, and nothing went wrong in it. */
function assertQuiet({ requests, errors }: Tab, origin: string): void {
  assert.ok(requests.length > 10);
  assert.deepEqual(
    requests.filter((url) => new URL(url).origin !== origin && !url.startsWith("data:")),
    [],
  );
  assert.deepEqual(errors, []);
}

function noise(many: number): EventFrame[] {
  return Array.from({ length: many }, (_, index) => ({
    event_type: "agent:step",
    context: { session_id: "sess_noise", iteration: index, tool_names: [] },
    src: "batch",
  }));
}

test("a one-time link signs in, its code leaves the address bar, and the link works once", async (t) => {
  const dashboard = await TestDashboard.start(t);
  await send(dashboard, ordinaryDay());
  const link = dashboard.dashboard.signInUrl();
  const tab = await openTab(browser());
  t.after(() => tab.context.close());
  await tab.page.goto(link);
  await sees(tab.page.locator("#connection"), "Live");
  await sees(rows(tab.page).first(), "patch src/cache.ts");
  assert.equal(tab.page.url(), `${dashboard.url}/`);
  assert.equal(await tab.page.evaluate("history.length"), 2, "about:blank and the page, not the link as well");
  assertQuiet(tab, dashboard.url);

  await tab.page.reload();
  await sees(rows(tab.page).first(), "patch src/cache.ts");

  const other = await openTab(browser());
  t.after(() => other.context.close());
  await other.page.goto(link);
  await sees(other.page.locator("#gate"), "This link is no longer valid");
  await sees(other.page.locator("#gate"), "hermes dashboard --link");
  assert.equal(other.page.url(), `${dashboard.url}/`);
  assert.equal(await other.page.locator("#main").isVisible(), false);

  // A fresh link, pasted into the same tab, changes the fragment only.
  await other.page.goto(dashboard.dashboard.signInUrl());
  await sees(rows(other.page).first(), "patch src/cache.ts");
  assert.equal(other.page.url(), `${dashboard.url}/`);
});

/** In one tab: each test leaves the feed without a filter, and the last one signs out. */
suite("an ordinary day", () => {
  let day: Awaited<ReturnType<typeof signedIn>>;
  const cleanUps: (() => unknown)[] = [];
  before(async () => {
    day = await signedIn({ after: (clean) => void cleanUps.push(clean as () => unknown) });
  });
  after(async () => {
    for (const clean of cleanUps.toReversed()) await clean();
  });

  test("hooks are listed with calls, blocks, errors, times and the last failure, and sorted", async () => {
    const { page } = day;
    const table = page.getByRole("table").filter({ hasText: "Last failure" });
    const names = () => table.locator("tbody th").allInnerTexts();
    const line = async (name: string) => (await table.locator("tbody tr", { hasText: name }).innerText()).split("\t");
    await sees(table, "inject-git-status");
    assert.equal((await names())[0], "inject-git-status");
    const guard = await line("no-rm.sh");
    assert.deepEqual(
      guard.map((cell) => cell.trim()),
      ["…/no-rm.sh", "pre_tool_call", "shell", "2", "1", "0", "11 ms", "12 ms", "none"],
    );
    assert.match((await line("inject-git-status")).at(-1)!, /^timeout (now|\d+ \w+ ago)/);
    await table.getByRole("button", { name: "Blocks" }).click();
    await sees(table.locator("tbody tr").first(), "no-rm.sh");
    assert.equal(await table.getByRole("columnheader", { name: "Blocks" }).getAttribute("aria-sort"), "descending");
    await table.getByRole("button", { name: "Hook", exact: true }).click();
    await sees(table.locator("tbody tr").first(), "audit-log");
    assert.deepEqual(await names(), ["audit-log", "inject-git-status", "…/no-rm.sh", "session-notes", "timeouts"]);
  });

  test("a session's turns tell messages, tool calls, hooks with their outcome in words, injected text and cost", async () => {
    const { page } = day;
    const sessions = page.locator("#sessions-list .session");
    await sees(sessions.nth(0), "running");
    await sees(sessions.nth(1), "idle");
    await sees(sessions.nth(2), "ended");
    await sees(sessions.nth(1).locator(".name"), "Is the backup done?");
    await sees(sessions.nth(1), "1 error");
    await sees(sessions.nth(1), "c3d4e5 · telegram · 48213077 · claude-haiku · 1 turn · 876 tokens");
    await sees(sessions.nth(0), "1 error, 1 blocked");

    const pane = page.getByRole("complementary");
    await sees(pane.locator("#inspector-subtitle"), "Session f6a7b8 · running · 1 error, 1 blocked");
    await sees(pane.locator(".turn").first(), "completed · 3.2 s · 1,204 tokens in, 188 out");
    await sees(pane.locator("[data-kind=message]").first(), "Clean up the build folder");
    await sees(pane.locator("[data-kind=injected]"), "The disk is 91 % full.");
    const calls = pane.locator(".items > [data-kind=tool]");
    await sees(calls.nth(0), "blocked by no-rm.sh: rm -rf is not for agents");
    await sees(calls.nth(0).locator("[data-kind=hook]"), "block · 12 ms");
    await sees(calls.nth(0).locator("[data-kind=hook]"), "audit-log: the disk is full");
    await sees(calls.nth(0).locator("[data-kind=hook]"), "error · 7 ms");
    await sees(calls.nth(1).locator("[data-kind=hook]"), "modify · 2 ms");
    await sees(pane.locator("[data-kind=answer]"), "42 passed, 1 failed");
    const failed = pane.locator("[data-kind=tool]").first();
    await failed.locator("summary").click();
    await sees(failed.locator("pre").nth(1), "rm -rf is not for agents");

    await sessions.nth(1).click();
    await sees(pane, "Session c3d4e5");
    await sees(pane.locator("[data-kind=hook]"), "timeout · 5.0 s");
    await pane.getByRole("button", { name: "Only its events in the feed" }).click();
    await sees(page.locator("#feed-count"), "of");
    for (const row of await rows(page).allInnerTexts()) assert.match(row, /c3d4e5/);
    await page.getByRole("button", { name: "Clear filter" }).click();
  });

  test("the feed is filtered by namespace, source, session and text", async () => {
    const { page } = day;
    const shown = () => page.locator("#feed-count").innerText();
    await sees(rows(page).first(), "patch src/cache.ts");
    const total = await shown();
    await page.getByRole("group", { name: "Namespaces" }).getByRole("button", { name: "session" }).click();
    await sees(page.locator("#feed-count"), "4 of");
    await page.getByRole("group", { name: "Namespaces" }).getByRole("button", { name: "command" }).click();
    await sees(page.locator("#feed-count"), "5 of");
    await page.getByRole("combobox", { name: "Source" }).selectOption("daemon");
    await sees(page.locator("#feed-count"), "2 of");
    await page.getByRole("button", { name: "Clear filter" }).click();
    await sees(page.locator("#feed-count"), total);
    await page.getByRole("combobox", { name: "Session" }).selectOption("sess_0mabc2beefa9c3d4e5");
    await page.locator("#filter-text").fill("48213077");
    await sees(page.locator("#feed-count"), "5 of");
    for (const row of await rows(page).allInnerTexts()) assert.match(row, /c3d4e5/);
    await page.locator("#filter-text").fill("nothing like it");
    await sees(page.locator("#feed-empty"), "No events match the filter");
    await page.getByRole("button", { name: "Clear filter" }).click();
    const deltas = rows(page).filter({ hasText: "tui:message.delta" });
    await sees(deltas, "and the tests ran: 42 passed, 1 failed");
    assert.match(await deltas.first().innerText(), /^[^]*The build folder is gone[^]*\(\d+ pieces\)$/);
    await page.getByRole("checkbox", { name: "Each piece of text" }).check();
    await deltas.nth(10).waitFor();
    await sees(deltas.first(), "101.");
    await page.getByRole("checkbox", { name: "Each piece of text" }).uncheck();
  });

  test("a pause stops the feed and counts new events", async () => {
    const { dashboard, page } = day;
    const top = await rows(page).first().innerText();
    await page.getByRole("button", { name: "Pause" }).click();
    await send(dashboard, noise(7));
    await sees(page.locator("#feed-back"), "Paused: 7 events waiting");
    assert.equal(await rows(page).first().innerText(), top);
    await page.getByRole("button", { name: "Resume" }).click();
    await sees(rows(page).first(), "request 6");
    assert.equal(await page.locator("#feed-back").isVisible(), false);
  });

  test("sources tell their totals and what their senders dropped", async () => {
    const { dashboard, page } = day;
    await dashboard.ingest(noise(2), { ...dashboard.bearer, "x-hermes-dropped": "1234" });
    const batch = page.locator("#sources-rows tr", { hasText: "batch" });
    await sees(batch, "1,234");
    await sees(page.locator("#alerts"), "batch had to drop 1,234 events");
    await sees(page.locator("#sources-rows tr", { hasText: "daemon" }), "none");
  });

  test("without a session it says how to get one; signing out ends it", async () => {
    const { dashboard, page, tab } = day;
    await page.getByRole("button", { name: "Sign out" }).click();
    await sees(page.locator("#gate"), "You are not signed in");
    assert.equal(await page.locator("#main").isVisible(), false);
    await rows(page).first().waitFor({ state: "detached" });
    const [cookie] = await tab.context.cookies(dashboard.url);
    assert.equal(cookie, undefined);
  });
});

test("events appear as they come, each with time, source, session, type and summary", async (t) => {
  const { dashboard, tab, page } = await signedIn(t, []);
  await sees(page.locator("#feed-empty"), "hermes chat");
  await sees(page.locator("#sessions-empty"), "hermes chat");
  await send(dashboard, [
    { event_type: "agent:start", context: { session_id: "sess_abcdef123456", message: "Hello there" }, src: "gateway" },
  ]);
  await sees(rows(page).first(), "Hello there");
  assert.match(
    (await rows(page).first().innerText()).replaceAll(/\s+/g, " "),
    /^\d\d:\d\d:\d\d\.\d{3} gateway 123456 agent:start Hello there$/,
  );
  await sees(page.locator("#sessions-list"), "User: Hello there");
  await sees(page.locator("#sources-rows"), "gateway");
  assertQuiet(tab, dashboard.url);
});

test("of ten thousand events only those in sight are elements, and older ones are reached by scrolling", async (t) => {
  const { dashboard, page } = await signedIn(t, noise(10_500));
  await sees(page.locator("#feed-count"), "10,000 events");
  assert.ok((await rows(page).count()) < 60);
  await page.locator("#rows").evaluate((list) => list.scrollTo(0, list.scrollHeight));
  await sees(rows(page), "request 500");
  // Whoever reads older events is not moved by new ones.
  await send(dashboard, noise(3));
  await sees(page.locator("#feed-back"), "3 new events");
  await page.locator("#feed-back").click();
  await sees(rows(page).first(), "request 2");
});

test("the answer grows in the timeline while it is written", async (t) => {
  const chat = new Conversation("sess_live00000001").begin().ask("Tell me");
  const { dashboard, page } = await signedIn(t, chat.frames);
  const answer = page.locator("#inspector [data-kind=answer]");
  await send(dashboard, new Conversation(chat.id).tui("message.start").tui("message.delta", { text: "Once " }).frames);
  await sees(answer, "Once");
  await sees(answer, "writing");
  await send(dashboard, new Conversation(chat.id).tui("message.delta", { text: "upon a time" }).frames);
  await sees(answer, "Once upon a time");
  assert.equal(await answer.count(), 1);
});

test("what is wrong now comes first, and each entry leads to it", async (t) => {
  const { dashboard, page, tab } = await signedIn(t, []);
  const alerts = page.locator("#alerts-list button");
  const asked = new Conversation("sess_asked0000001").begin().ask("Deploy it");
  asked.tui("tool.start", { name: "terminal", tool_id: "t", params: { command: "deploy" } });
  asked.hook("pre_tool_call", "approvals", "ask", 2, { tool_call_id: "t", source: "plugin" });
  const busy = new Conversation("sess_busy00000002").begin().ask("Summarise");
  busy.tui("model.retry", { problem: "529 <b>overloaded</b>", delay_ms: 60_000 });
  busy.hook("pre_tool_call", "~/hooks/guard.sh", "block", 3, { cause: "error", detail: "guard.sh: not found" });
  await send(dashboard, [...asked.frames, ...busy.frames]);
  await sees(alerts.nth(0), "“Deploy it” waits for your approval of terminal");
  await sees(alerts.nth(1), "Guard guard.sh fails on pre_tool_call");
  await sees(alerts.nth(1), "guard.sh: not found · its only run");
  await sees(alerts.nth(2), /“Summarise” sends a failed model request again in \d+ s/);
  await sees(alerts.nth(2), "529 <b>overloaded</b>");
  await sees(page.locator("#sessions-list"), "waits for your approval");
  await alerts.nth(0).click();
  await sees(page.locator("#inspector-title"), "Deploy it");
  await sees(page.locator("#inspector [data-kind=tool]"), "waits for your approval");

  // What has passed is no longer there.
  const [end, pass] = [new Conversation(asked.id), new Conversation(busy.id)];
  end.tui("tool.complete", { name: "terminal", tool_id: "t", success: true, content: "{}" });
  pass.tui("message.start").hook("pre_tool_call", "~/hooks/guard.sh", "pass", 3);
  await send(dashboard, [...end.frames, ...pass.frames]);
  await page.locator("#alerts").waitFor({ state: "hidden" });
  assertQuiet(tab, dashboard.url);
});

test("everything is reached by the keyboard", async (t) => {
  const { dashboard, page } = await signedIn(t);
  const selected = page.locator("#rows [aria-selected=true]");
  const pane = page.getByRole("complementary");
  await page.keyboard.press("j");
  await sees(selected, "patch src/cache.ts");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("j");
  await page.keyboard.press("k");
  await sees(selected, "inject-git-status");
  const active = await page.locator("#rows").getAttribute("aria-activedescendant");
  assert.equal(active, await selected.getAttribute("id"));
  await page.keyboard.press("Enter");
  await sees(pane.locator("h2"), "tui:hook.complete");
  await sees(pane.locator(".json"), '"duration_ms": 30');
  await page.keyboard.press("j");
  await sees(pane.locator("h2"), "agent:start");
  await page.keyboard.press("Escape");
  await sees(pane, "Session f6a7b8");
  await page.keyboard.press("End");
  await sees(selected, "telegram, api_server");
  await page.keyboard.press("Escape");
  await selected.waitFor({ state: "detached" });
  await page.keyboard.press("Home");
  await page.keyboard.press("Escape");

  await page.keyboard.press("/");
  assert.equal(await page.evaluate("document.activeElement.id"), "filter-text");
  await page.keyboard.type("p j?1");
  assert.equal(await page.locator("#filter-text").inputValue(), "p j?1");
  await page.locator("#filter-text").fill("");
  await page.keyboard.press("Escape");
  assert.equal(await page.evaluate("document.activeElement.id"), "rows");

  await page.keyboard.press("Space");
  await send(dashboard, noise(2));
  await sees(page.locator("#feed-back"), "2 events waiting");
  await page.keyboard.press("p");
  await sees(rows(page).first(), "request 1");

  await page.keyboard.press("?");
  await sees(page.getByRole("dialog"), "Pause and resume the feed");
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "hidden" });

  // The list is drawn a moment after the feed; its order is that of the last words.
  await sees(page.locator("#sessions-list"), "sess_noise");
  const names = await page.locator("#sessions-list .session .name").allInnerTexts();
  const focused = page.locator("#sessions-list .session:focus");
  await page.keyboard.press("2");
  await focused.waitFor();
  for (let up = 0; up < names.length; up++) await page.keyboard.press("ArrowUp");
  await sees(focused, names[0]!);
  await page.keyboard.press("j");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await sees(pane.locator("h2"), names[2]!);
  await page.keyboard.press("k");
  await page.keyboard.press("Enter");
  await sees(pane.locator("h2"), names[1]!);
  await page.keyboard.press("3");
  assert.equal(await page.evaluate("document.activeElement.closest('section').id"), "hooks");
});

test("the Tab key reaches every control, each with a name and a visible focus", async (t) => {
  const { page } = await signedIn(t);
  const seen: string[] = [];
  await sees(page.locator("#hooks-rows"), "no-rm.sh");
  await sees(page.locator("#sessions-list"), "f6a7b8");
  for (let presses = 0; presses < 80; presses++) {
    await page.keyboard.press("Tab");
    const focus = (await page.evaluate(`(() => {
      const element = document.activeElement;
      const { outlineStyle, outlineWidth } = getComputedStyle(element);
      const name = element.getAttribute("aria-label") ?? element.labels?.[0]?.textContent ?? element.textContent;
      return { list: element.closest("#sessions-list") !== null, id: element.id, tag: element.tagName, name: name.trim().slice(0, 40), ring: outlineStyle + " " + outlineWidth };
    })()`)) as { list: boolean; id: string; tag: string; name: string; ring: string };
    if (focus.tag === "BODY") break;
    assert.match(focus.ring, /^(solid|auto) [1-9]/, JSON.stringify(focus));
    if (focus.id !== "rows") assert.ok(focus.name !== "" || ["DIV", "UL"].includes(focus.tag), JSON.stringify(focus));
    seen.push(focus.list ? "a session" : focus.id || focus.name);
  }
  for (const id of [
    "theme",
    "keys-open",
    "sign-out",
    "pause",
    "filter-text",
    "filter-source",
    "rows",
    "Calls",
    "inspector-body",
  ]) {
    assert.ok(seen.includes(id), `${id} of ${seen.join(", ")}`);
  }
  assert.equal(seen.filter((name) => name === "a session").length, 1, "the list of sessions is one stop");
});

test("at 360 pixels each view fits, in one column", async (t) => {
  const frames = [
    ...new Conversation("sess_g").ask("Hi").hook("pre_tool_call", "guard.sh", "error", 3, { detail: "no jq" }).frames,
    ...ordinaryDay(),
    ...new Conversation("s".repeat(200)).ask("w".repeat(3000)).answer("v".repeat(3000)).frames,
  ];
  const long = { event_type: "x".repeat(256), context: { key: "k".repeat(2000) }, src: "r".repeat(256) };
  const { tab, dashboard, page } = await signedIn(t, [...frames, long], { viewport: { width: 360, height: 740 } });
  const fits = async (what: string) => {
    const wide = `[document.documentElement, ...document.querySelectorAll(".scroll, #rows")]
      .filter((element) => element.checkVisibility({ visibilityProperty: true }) && element.scrollWidth > 360)
      .map((element) => element.tagName + " of " + element.closest("[id]")?.id + ": " + element.scrollWidth)`;
    assert.deepEqual(await page.evaluate(wide), [], what);
  };
  assert.ok(await page.locator("#sessions").isVisible(), "the first look is at the sessions");
  await page.getByRole("navigation").getByRole("button", { name: "Feed" }).click();
  await fits("the feed");
  await page.getByRole("button", { name: "Filters" }).click();
  await fits("the filter");
  await rows(page).first().click();
  await sees(page.getByRole("complementary"), "k".repeat(50));
  await fits("an event");
  await page.getByRole("button", { name: "Close" }).click();
  for (const view of ["Sessions", "Hooks", "Sources"]) {
    await page.getByRole("navigation").getByRole("button", { name: view, exact: true }).click();
    await page.locator(`#${view.toLowerCase()}`).waitFor();
    await page.locator(`#${view.toLowerCase()} :is(li, tbody tr)`).first().waitFor();
    await fits(view);
    assert.equal(await page.locator("#feed").isVisible(), false);
  }
  await page.getByRole("navigation").getByRole("button", { name: "Sessions" }).click();
  await page.locator(".session").nth(1).click();
  await sees(page.getByRole("complementary"), "Turn 1");
  await fits("a session");
  const [what, why] = [page.locator(".alert .what").first(), page.locator(".alert .why").first()];
  await sees(what, "Guard guard.sh fails");
  assert.equal(await why.isVisible(), false, "what is open has the room");
  await page.keyboard.press("Escape");
  await why.waitFor();
  await page.locator("#sessions-list").waitFor();
  assertQuiet(tab, dashboard.url);
});

test("what strangers send is text, whatever it holds", async (t) => {
  const evil = `<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script>"'\`\u202E\u0000\uD800</style>{{7*7}}`;
  const chat = new Conversation(`id-${evil}`, { src: evil, platform: evil, user: evil });
  chat.begin(evil).ask(evil).hook(evil, evil, evil, 1, { source: evil, cause: evil });
  chat.call(evil, { command: evil, [evil]: evil }, { [evil]: evil }, { success: false });
  chat
    .tui("injected", { source_kind: evil, source_label: evil, content: evil })
    .tui("error", { code: evil, message: evil });
  chat.event("command:x", { command: evil, args: evil }).answer(evil);
  chat.frames.push({ event_type: evil, context: { [evil]: evil, __proto__: { polluted: 1 } }, src: evil });
  chat.frames.push({
    event_type: "tui:tool.start",
    context: JSON.parse('{"session_id":"q","payload":{"params":{"__proto__":1}}}'),
    src: "__proto__",
  });
  const { tab, dashboard, page } = await signedIn(t, chat.frames);
  await sees(rows(page), "globalThis.pwned");
  for (const type of ["agent:start", "tui:tool.start", "<img", "tui:error"]) {
    await rows(page).filter({ hasText: type }).first().click();
    await sees(page.locator("#inspector-title"), type);
    await page.locator("#inspector .json").waitFor();
  }
  await page.locator(".session", { hasText: "onerror" }).first().click();
  await sees(page.locator("#inspector .turn"), "onerror");
  await page.locator("#inspector summary").first().click();
  await page.locator("#filter-text").fill(evil.slice(0, 20));
  await sees(page.locator("#feed-count"), "of");
  assert.equal(await page.evaluate("globalThis.pwned"), undefined);
  assert.equal(await page.evaluate("({}).polluted"), undefined);
  assert.equal(await page.locator("img, body script, iframe").count(), 0);
  assertQuiet(tab, dashboard.url);
});

test("a connection that breaks is made again, and nothing is missed", async (t) => {
  const dashboard = await TestDashboard.start(t);
  await send(dashboard, noise(3));
  const way = await startCuttable(t, dashboard.port);
  const { page, context } = await openTab(browser());
  t.after(() => context.close());
  await page.goto(dashboard.dashboard.signInUrl().replace(dashboard.url, way.url));
  await sees(rows(page).first(), "request 2");
  way.cut();
  await sees(page.locator("#connection"), "Reconnecting");
  await send(dashboard, noise(5));
  way.mend();
  await sees(page.locator("#connection"), "Live");
  await sees(page.locator("#feed-count"), "8 events");
  const texts = await rows(page).allInnerTexts();
  assert.deepEqual(
    texts.map((text) => /request (\d+)/.exec(text)?.[1]),
    ["4", "3", "2", "1", "0", "2", "1", "0"],
  );

  // A dashboard that hangs keeps its connections open and says nothing.
  way.hang();
  await sees(page.locator("#connection"), "Reconnecting");
  way.mend();
  await sees(page.locator("#connection"), "Live");
});

test("a dashboard that is gone says how to bring it back; after its restart the page goes on without a new link", async (t) => {
  const home = new Home(t);
  const first = home.start(["dashboard", "--port", "0", "--json"]);
  t.after(() => first.kill("SIGKILL"));
  const { page, context } = await openTab(browser());
  t.after(() => context.close());
  await page.goto(await linkOf(first));
  await sees(page.locator("#connection"), "Live");
  await home.run(["chat", "-q", "run `echo before`"]);
  await sees(rows(page), "tui:tool.complete");
  await sees(page.locator("#sessions-list"), "ended");
  // The beginning of the session is its title; the command's word for it is stored, and in no event of the next run.
  await sees(page.locator("#sessions-list .name"), "run `echo before`");

  const { port } = new URL(page.url());
  first.kill("SIGTERM");
  await first.ended;
  await sees(page.locator("#connection"), "Reconnecting");
  await sees(page.locator("#gone"), "The dashboard has not answered since");
  assert.equal(await page.locator("#gone-command").innerText(), `hermes dashboard --port ${port}`);
  assert.ok(await page.locator("#sessions-list").isVisible(), "what is known can still be read");
  const second = home.start(["dashboard", "--port", port, "--json"]);
  t.after(() => second.kill("SIGKILL"));
  await linkOf(second);
  await sees(page.locator("#connection"), "Live");
  await page.locator("#gone").waitFor({ state: "hidden" });
  await home.run(["chat", "-c", "-q", "run `echo after`"]);
  await sees(rows(page), "echo after");
  await page.reload();
  await sees(rows(page), "echo after");
  await sees(page.locator("#sessions-list"), "2 turns");
  assert.equal(await page.locator("#sessions-list .session").count(), 1, "the conversation went on");
});

/** The link that `hermes dashboard --json` prints first. */
async function linkOf(running: ReturnType<Home["start"]>): Promise<string> {
  await running.sees("#code=");
  const [link] = /http:\/\/\S+#code=[\w-]+/.exec(running.stdout()) ?? [];
  assert.ok(link, running.stdout());
  return link;
}

test("light and dark are chosen, kept, and readable", async (t) => {
  const { page } = await signedIn(t);
  for (const theme of ["light", "dark"]) {
    await page.getByRole("button", { name: "Theme" }).click();
    await sees(page.getByRole("button", { name: "Theme" }), theme);
    await page.reload();
    await sees(page.locator("#inspector .turn"), "Turn 1");
    await sees(page.getByRole("button", { name: "Theme" }), theme);
    await page.locator("#filter-text").fill("no-rm");
    await sees(page.locator("#feed-count"), "of");
    await rows(page).nth(1).hover();
    assert.deepEqual(await page.evaluate(LOW_CONTRAST), [], theme);
    await rows(page).nth(1).click();
    await page.locator("#inspector .json").waitFor();
    assert.deepEqual(await page.evaluate(LOW_CONTRAST), [], theme);
    // The address would lead to the event.
    await page.keyboard.press("Escape");
  }
});

/** Every text of the page whose contrast with what is behind it is below 4.5 (WCAG 2, level AA). */
const LOW_CONTRAST = `(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const rgb = (layers) => {
    canvas.clearRect(0, 0, 1, 1);
    for (const color of layers) { canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const luminance = ([r, g, b]) => [r, g, b].map((value) => value / 255)
    .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
    .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
  const low = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
    const element = node.parentElement;
    if (node.data.trim() === "" || !element.checkVisibility({ visibilityProperty: true })) continue;
    const behind = [];
    for (let at = element; at !== null; at = at.parentElement) behind.unshift(getComputedStyle(at).backgroundColor);
    const ground = luminance(rgb(["white", ...behind]));
    const ink = luminance(rgb(["white", ...behind, getComputedStyle(element).color]));
    const contrast = (Math.max(ground, ink) + 0.05) / (Math.min(ground, ink) + 0.05);
    if (contrast < 4.5) low.push(contrast.toFixed(2) + " " + element.className + ": " + node.data.slice(0, 40));
  }
  return low;
})()`;
