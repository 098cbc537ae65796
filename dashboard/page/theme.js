/** Light or dark: the system's theme, unless the user chooses another. */

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

/**
 * @param {string} key
 */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    // The browser stores nothing for this page, so the system's theme is used.
    return null;
  }
}

/**
 * @param {string} key
 * @param {string} value
 */
function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice is kept until the page is closed.
  }
}
