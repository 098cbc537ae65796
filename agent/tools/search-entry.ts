/** The process that a search runs in: a regular expression that never finishes only blocks this process. */
import { readFileSync } from "node:fs";
import { search, type SearchRequest } from "./search-walk.ts";

// Pipes are written synchronously on POSIX: results are out before the next file is searched.
search(JSON.parse(readFileSync(0, "utf8")) as SearchRequest, (report) => {
  process.stdout.write(`${JSON.stringify(report)}\n`);
});
