/** Opens an address in the user's browser. */
import { spawn } from "node:child_process";

/**
 * Starts the desktop's opener and lets it go: it may be the browser itself, which outlives us. `note` hears of an
 * opener that is missing or that fails.
 */
export function openBrowser(url: string, env: NodeJS.ProcessEnv, note: (sentence: string) => void): void {
  const opener = process.platform === "darwin" ? "open" : "xdg-open";
  const failed = (why: string) => note(`The browser was not opened (${opener} ${why}). Open the link yourself.`);
  const child = spawn(opener, [url], { env, detached: true, stdio: "ignore" });
  child.once("error", (error: NodeJS.ErrnoException) =>
    failed(error.code === "ENOENT" ? "is not installed" : `cannot be started: ${error.message}`),
  );
  child.once("exit", (code) => {
    if (code !== 0 && code !== null) failed(`exited with ${code}`);
  });
  child.unref();
}
