/** Opens a sign-in link in the user's browser. */
import { pathToFileURL } from "node:url";
import { execa } from "execa";
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
  const started = execa(opener, [page], {
    env: filterEnvironment(env, []),
    extendEnv: false,
    detached: true,
    cleanup: false,
    stdio: "ignore",
    reject: false,
  });
  started.nodeChildProcess.unref();
  void started.then(({ code, exitCode, failed: hasFailed, originalMessage }) => {
    if (exitCode !== undefined && exitCode !== 0) failed(`${opener} exited with ${exitCode}`);
    else if (code === "ENOENT") failed(`${opener} is not installed`);
    else if (hasFailed && code !== undefined) failed(`${opener} cannot be started: ${originalMessage}`);
  });
}
