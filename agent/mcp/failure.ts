/** Says why a server could not be used, and what helps. */
import { HermesError } from "#core/errors";
import type { McpServerSettings } from "#core/home/mcp-settings";
import { quoteWord } from "#core/shell-quote";
import type { ConnectFailure } from "./connection.ts";

export interface FailedStart {
  readonly server: string;
  readonly settings: McpServerSettings;
  readonly failure: ConnectFailure;
  /** True when the time for connecting ran out. */
  readonly isLate: boolean;
  readonly seconds: number;
}

/** The error for a server that did not start. */
export function describeFailedStart({ server, settings, failure, isLate, seconds }: FailedStart): HermesError {
  const { status, said } = failure;
  const key = `mcp_servers.${server}`;
  const output = said === "" ? "" : `; it wrote ${JSON.stringify(said)}`;
  const fields = (problem: string, cure: string) =>
    new HermesError("HERMES_MCP_SERVER", { server, problem, cure }, { cause: failure });
  if (isLate) {
    return fields(
      `it did not answer within ${seconds} s${output}`,
      settings.url === undefined
        ? `Check that the command of ${key} is an MCP server on standard input and output, or raise its connect_timeout.`
        : `Check ${key}.url, or raise its connect_timeout.`,
    );
  }
  if (status === 401 || status === 403) {
    return fields(`it refused the request with status ${status}`, `Set a valid token in ${key}.headers.`);
  }
  if (settings.url !== undefined) {
    const problem = status === undefined ? failure.message : `it answered with status ${status}`;
    return fields(withoutPeriod(problem), `Check ${key}.url.`);
  }
  const { command = "", args = [] } = settings;
  if (failure.message.startsWith("not found")) {
    const isLine = /\s/.test(command) && args.length === 0;
    const cure = isLine
      ? `Write only the program into ${key}.command, and the other words into its args.`
      : `Install ${command}, or correct ${key}.command.`;
    return fields(failure.message, cure);
  }
  const test = `hermes mcp test ${quoteWord(server)}`;
  return fields(`${withoutPeriod(failure.message)}${output}`, `Once that is fixed, try it with: ${test}`);
}

function withoutPeriod(text: string): string {
  return text.replace(/[.\s]+$/, "");
}
