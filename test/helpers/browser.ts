/** A real browser for the tests of the dashboard's page. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { after, before, type TestContext } from "node:test";
import type { Browser, BrowserContext, Page } from "playwright-core";

const CHROMIUM = "/usr/bin/chromium";
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Starts Chromium, which is closed after the test. Fails with a sentence where it is not installed. */
export async function startBrowser(t: Pick<TestContext, "after">, flags: readonly string[] = []): Promise<Browser> {
  assert.ok(existsSync(CHROMIUM), `These tests need Chromium at ${CHROMIUM}; "bash .ci/run" installs it on Debian.`);
  const { chromium } = await import("playwright-core");
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: [...FLAGS, ...flags] });
  t.after(() => browser.close());
  return browser;
}

/** One browser for all tests of a file; ask for it inside a test. */
export function browserOfFile(): () => Browser {
  const closing: (() => unknown)[] = [];
  let browser: Browser | undefined;
  before(async () => {
    browser = await startBrowser({ after: (close) => void closing.push(close as () => unknown) });
  });
  after(async () => {
    for (const close of closing) await close();
  });
  return () => browser!;
}

/** What a tab asked for and complained of. */
export interface Tab {
  readonly page: Page;
  readonly context: BrowserContext;
  /** The addresses of all its requests. */
  readonly requests: readonly string[];
  /** Errors of the console, and those that nobody caught. */
  readonly errors: readonly string[];
}

export type TabOptions = NonNullable<Parameters<Browser["newContext"]>[0]>;

/** Opens a tab with cookies of its own and watches it. */
export async function openTab(browser: Browser, options: TabOptions = {}): Promise<Tab> {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(30_000);
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") errors.push(`${message.type()}: ${message.text()}`);
  });
  return { page, context, requests, errors };
}
