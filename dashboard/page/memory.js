/** What the browser remembers of this page. */

/**
 * @param {string} key
 */
export function recall(key) {
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
export function remember(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice is kept until the page is closed.
  }
}
