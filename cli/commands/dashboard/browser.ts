/** Opens a sign-in link in the user's browser. */
import { spawn } from "node:child_process";
import { pathToFileURL } from "node:url";
import { problemOf } from "#core/errors";
import { writeRedirectPage } from "#dashboard/redirect-page";
import { filterEnvironment } from "#sandbox/process/environment";

export interface OpenBrowserOptions {
  readonly link: string;
  /** The folder `run` of the home, for the page that the browser is given instead of the link. */
  readonly run: string;
  /** The opener gets it without the variables that are named like secrets. */
  readonly env: NodeJS.ProcessEnv;
  /** Called when the opener is missing or fails. */
  readonly note: (sentence: string) => void;
}

/** Starts the desktop's opener without waiting for it: it may be the browser itself. */
export function openBrowser({ link, run, env, note }: OpenBrowserOptions): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const failed = (why: string) => note(`The browser was not opened (${why}). Open the link yourself.`);
  let page: string;
  try {
    page = pathToFileURL(writeRedirectPage(run, link)).href;
  } catch (error) {
    return failed(problemOf(error));
  }
  const child = spawn(opener, [page], { env: filterEnvironment(env, []), detached: true, stdio: "ignore" });
  child.once("error", (error: NodeJS.ErrnoException) =>
    failed(`${opener} ${error.code === "ENOENT" ? "is not installed" : `cannot be started: ${error.message}`}`),
  );
  child.once("exit", (code) => {
    if (code !== 0 && code !== null) failed(`${opener} exited with ${code}`);
  });
  child.unref();
}
