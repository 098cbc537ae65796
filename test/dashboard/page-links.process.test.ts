/** Links, search, export and sizes of panes, in a real browser and a real home. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import type { Locator } from "playwright-core";
import { parseEvent, rowOf } from "../../dashboard/page/events.js";
import { fragmentOf, linkIn } from "../../dashboard/page/links.js";
import { openTab, startBrowser } from "../helpers/browser.ts";
import { TestDashboard } from "../helpers/dashboard.ts";
import { ordinaryDay } from "../helpers/dashboard-events.ts";
import { Home } from "../helpers/hermes.ts";

/** Waits until an element's text holds the words. */
async function sees(locator: Locator, words: string | RegExp): Promise<void> {
  await locator.filter({ hasText: words }).first().waitFor();
}

test("a link leads to what it was made of, whatever an id holds; others lead nowhere", () => {
  const id = "a b&c=d#é\n<i>";
  assert.deepEqual(linkIn(fragmentOf({ kind: "session", id })), { kind: "session", id });
  const key = JSON.stringify(["pre_tool_call", "shell", "~/x y.sh"]);
  assert.deepEqual(linkIn(fragmentOf({ kind: "hook", key })), { kind: "hook", key });
  assert.deepEqual(linkIn("#event=12"), { kind: "event", seq: 12, session: "" });
  const row = { ...rowOf(parseEvent('{"seq":12,"event_type":"agent:step"}')!), session: id };
  assert.deepEqual(linkIn(fragmentOf({ kind: "event", row })), { kind: "event", seq: 12, session: id });
  assert.deepEqual(linkIn(fragmentOf({ kind: "gone", seq: 7 })), { kind: "event", seq: 7, session: "" });
  for (const other of ["", "#", "#code=x", "#event=x", "#event=-1", "#hook={}", "#hook=[1,2,3]", "#session="])
    assert.equal(linkIn(other), undefined, other);
});

test("what is open is in the address, and is open after a reload; sizes of panes are kept, too", async (t) => {
  const dashboard = await TestDashboard.start(t);
  await dashboard.ingest(ordinaryDay());
  const { page, context } = await openTab(await startBrowser(t));
  t.after(() => context.close());
  await page.goto(dashboard.dashboard.signInUrl());
  const title = page.locator("#inspector-title");
  await page.locator("#sessions-list button").nth(1).click();
  await sees(title, "Is the backup done?");
  assert.equal(new URL(page.url()).hash, "#session=sess_0mabc2beefa9c3d4e5");
  await page.reload();
  await sees(title, "Is the backup done?");
  await page.locator("#rows [role=option]", { hasText: "patch src/cache.ts" }).click();
  await sees(title, "tui:tool.start");
  const { hash } = new URL(page.url());
  assert.match(hash, /^#event=\d+&session=sess_\w+$/);
  await page.reload();
  await sees(title, "tui:tool.start");
  await page.keyboard.press("Escape");
  await sees(title, "Clean up the build folder");
  assert.equal(new URL(page.url()).hash, "");
  const go = (fragment: string) => page.evaluate(`location.hash = ${JSON.stringify(fragment)}`);
  await go("#event=9999&session=sess_0mabc2beefa9c3d4e5");
  await sees(title, "Is the backup done?");
  await sees(page.locator("#inspector-note"), "The event of this link is no longer kept");
  assert.equal(new URL(page.url()).hash, "#session=sess_0mabc2beefa9c3d4e5");
  await go("#event=9999");
  await sees(page.locator("#inspector-subtitle"), "No longer kept");
  assert.equal(await page.locator("#inspector-note").isVisible(), false);
  assert.equal(new URL(page.url()).hash, "#event=9999");
  await go(hash);
  await sees(title, "tui:tool.start");

  const width = async (id: string) => (await page.locator(id).boundingBox())!.width;
  const before = await width("#sessions");
  const handle = (await page.locator("#size-left").boundingBox())!;
  await page.mouse.move(handle.x + 3, handle.y + 300);
  await page.mouse.down();
  await page.mouse.move(handle.x + 103, handle.y + 300);
  await page.mouse.up();
  assert.ok((await width("#sessions")) > before + 80);
  const details = await width("#inspector");
  await page.locator("#size-right").focus();
  await page.keyboard.press("ArrowLeft");
  await page.keyboard.press("ArrowLeft");
  assert.ok((await width("#inspector")) > details + 20);
  const kept = [await width("#sessions"), await width("#inspector")];
  await page.reload();
  await sees(title, "tui:tool.start");
  assert.deepEqual([await width("#sessions"), await width("#inspector")], kept);
});

test("stored sessions are found by their words, opened without events, and saved as files", async (t) => {
  const home = new Home(t);
  home.write("config.yaml", "model: { provider: offline, prices: { input: 3000, output: 15000 } }\n");
  // No dashboard runs: there are no events of this one.
  await home.run(["chat", "-q", "run `echo needle <b>x</b>`"]);
  const dashboard = home.start(["dashboard", "--port", "0", "--json"]);
  t.after(() => dashboard.kill("SIGKILL"));
  await dashboard.sees("#code=");
  const { page, context, errors } = await openTab(await startBrowser(t), { acceptDownloads: true });
  t.after(() => context.close());
  await page.goto(/http:\/\/\S+#code=[\w-]+/.exec(dashboard.stdout())![0]);
  await page.getByRole("searchbox", { name: "Search all stored sessions" }).fill("NEEDLE");
  const hit = page.locator("#search-hits button");
  await sees(hit, "needle <b>x</b>");
  assert.equal(await page.locator("#sessions-live").isVisible(), false);
  await hit.first().click();
  const pane = page.locator("#inspector");
  await sees(pane.locator("[data-kind=message]"), "run `echo needle <b>x</b>`");
  await sees(page.locator("#inspector-subtitle"), /stored · .* · [\d,]+ tokens · cost\s\d+\.\d{4} · /);
  await page.reload();
  await sees(pane.locator("[data-kind=message]"), "run `echo needle <b>x</b>`");

  for (const [name, start] of [
    ["Markdown", "# run `echo needle"],
    ["JSON lines", '{"id":"'],
  ] as const) {
    const waiting = page.waitForEvent("download");
    await pane.getByRole("link", { name }).click();
    const text = readFileSync(await (await waiting).path(), "utf8");
    assert.ok(text.startsWith(start) && text.includes("needle"), text);
  }
  await page.route("**/api/search?*", async (route) => {
    await sees(page.locator("#search-note"), "Searching…");
    await route.continue();
  });
  await page.getByRole("searchbox", { name: "Search all stored sessions" }).fill("nothing like it");
  await sees(page.locator("#search-note"), "No stored session has all these words.");
  await page.getByRole("searchbox", { name: "Search all stored sessions" }).fill("");
  await page.locator("#sessions-live").waitFor();
  await home.run(["chat", "-q", "Hello"]);
  await sees(page.locator("#sessions-live button"), /1 turn · [\d,]+ tokens · cost\s\d+\.\d{4}/);
  assert.deepEqual(errors, []);
});
