/** Light or dark: as the system says, until the person says otherwise. */

/** @typedef {"system" | "light" | "dark"} Theme */

const KEY = "hermes-theme";
/** @type {readonly Theme[]} */
const THEMES = ["system", "light", "dark"];

/** @type {Theme} */
let current = THEMES.find((theme) => theme === recall(KEY)) ?? "system";

/** Shows the page in the theme that was chosen last, and gives it. */
export function applyTheme() {
  if (current === "system") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = current;
  return current;
}

/** Goes on to the next theme, and gives it. */
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
    // The browser keeps nothing for this page: what was not chosen is as the system says.
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
    // The choice holds until the page is left.
  }
}
