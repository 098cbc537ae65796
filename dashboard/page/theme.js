/** Light or dark: the system's theme, unless the user chooses another. */

import { recall, remember } from "./memory.js";

/** @typedef {"system" | "light" | "dark"} Theme */

const KEY = "hermes-theme";
/** @type {readonly Theme[]} */
const THEMES = ["system", "light", "dark"];

/** @type {Theme} */
let current = THEMES.find((theme) => theme === recall(KEY)) ?? "system";

/** Applies the last chosen theme and returns it. */
export function applyTheme() {
  if (current === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = current;
  return current;
}

/** Switches to the next theme and returns it. */
export function nextTheme() {
  current = THEMES[(THEMES.indexOf(current) + 1) % THEMES.length] ?? "system";
  remember(KEY, current);
  return applyTheme();
}
