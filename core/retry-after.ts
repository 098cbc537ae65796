/** What a `Retry-After` header asks for, in milliseconds: seconds or a date (RFC 9110, 10.2.3); 0 for anything else. */
export function parseRetryAfter(header: unknown, now: number): number {
  if (typeof header !== "string") return 0;
  if (/^\d+$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? 0 : Math.max(0, date - now);
}
