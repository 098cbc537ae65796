/** How a daemon shows the machines that share a database that it lives. */

export const BEAT_MS = 5000;
/** A daemon whose last beat is older than this is gone. */
export const LOST_MS = 30_000;
