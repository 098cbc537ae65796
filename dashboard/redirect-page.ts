/**
 * A small page on disk that leads a browser to a sign-in link. The link holds a one-time code, and the arguments of a
 * process can be read by every user of the machine; this file cannot.
 */
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { digestOf } from "#core/bearer";
import { ensureFolder } from "#core/home/paths";
import { writePrivateFile } from "#core/home/private-files";

const NAME = /^sign-in-[\da-f]{16}\.html$/;

/** Writes the page for a link into the `run` folder with mode 0600; returns its path. Throws file system errors. */
export function writeRedirectPage(run: string, link: string): string {
  ensureFolder(run);
  const file = redirectPage(run, link.slice(link.indexOf("#code=") + "#code=".length));
  const escaped = link.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");
  const head = `<meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>hermes dashboard</title>`;
  const refresh = `<meta http-equiv="refresh" content="0; url=${escaped}">`;
  writePrivateFile(file, `<!doctype html>${head}${refresh}<p><a href="${escaped}">Open the hermes dashboard</a>\n`);
  return file;
}

/** Removes the page of a code, if there is one: it was read. */
export function removeRedirectPage(run: string, code: string): void {
  rmSync(redirectPage(run, code), { force: true });
}

/** Removes pages that no browser has read. Their codes belong to a dashboard that has stopped. */
export function removeRedirectPages(run: string): void {
  let names: string[];
  try {
    names = readdirSync(run);
  } catch {
    // Without the folder there are no pages.
    return;
  }
  for (const name of names) if (NAME.test(name)) rmSync(join(run, name), { force: true });
}

function redirectPage(run: string, code: string): string {
  return join(run, `sign-in-${digestOf(code).toString("hex").slice(0, 16)}.html`);
}
