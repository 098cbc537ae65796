/** The process that a search runs in: an expression that never comes to an end blocks it and nobody else. */
import { readFileSync } from "node:fs";
import { search, type SearchRequest } from "./search-walk.ts";

// Pipes are written synchronously on POSIX: what was found is out before the next file is looked at.
search(JSON.parse(readFileSync(0, "utf8")) as SearchRequest, (report) => {
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
