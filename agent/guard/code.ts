/**
 * Checks code of other languages in a command (`python -c`, `node -e`, an `awk` program). It cannot be followed like
 * shell code, so it passes only if it writes nothing, or writes only to paths that it contains literally.
 */

/** Words with which code writes, deletes, runs programs, or hides what it does. */
const ACTS =
  /\b(?:open|fopen|opendir|write\w*|append\w*File|unlink\w*|rm(?:tree|dir|Sync|_\w+)?|remove\w*|rename\w*|copy\w*|cp(?:Sync)?|move|mk\w*dir\w*|mkdtemp|makedirs|touch|truncate\w*|symlink\w*|link\w*|hardlink_to|chmod\w*|chown\w*|utime|system|popen|(?<!\.)exec\w*|eval|compile|spawn\w*|fork|subprocess|child_process|shutil|pathlib|Path|getattr|__import__|importlib|globals|__builtins__|Function|File|IO|FileUtils|Dir|Kernel|createWriteStream|process\.binding|Reflect|print\s*>|printf\s*>|qx|ctypes|syscall|file_put_contents|shell_exec|passthru|proc_open|ATTACH|output|backup|save|shell)\b|[`|>]/;
/** Ways to build a path that the code does not contain literally. */
const REACHES =
  /~|\.\.|\bHOME\b|home|environ|\bENV|\benv\b|getenv|expanduser|hermes|\bchr\b|decode|b64|base64|atob|Buffer|fromCharCode|fromCodePoint|String\.raw|\\[xuU0-7]|\bjoin\b|\bformat\b|\bconcat\b|\breverse\w*|\bargv\b|\bARGV\b|\bstdin\b|\binput\b|\bgetline\b|\bchdir\b|\bglob\w*|\blistdir\b|\bwalk\b|\bscandir\b|readdir|\bos\.sep\b|[fr]["'][^"']*\{|\$\{|["'`]\s*[+.*%]\s*["'\w(]|[\w)\]]\s*\+\s*["'`]|%\s*\(|["'`]\s*["'`]|["'`]\/["'`]/;
/** Ways to run another program. */
const RUNS =
  /\b(?:subprocess|child_process|popen\w*|proc_open|shell_exec|passthru|posix_spawn\w*|Open3|os\.(?:exec|spawn)\w*|pty\.spawn|Bun\.(?:spawn\w*|\$)|Deno\.Command|qx)\b|\bsystem\s*[("'[@$]|\bexec\s+["'[@$(]/i;
/** A file that is only read, under a name as it is. */
const READS =
  /\b(?:open|readFileSync|readFile|read_text|read_bytes|createReadStream)\(\s*(["'])[^"'\\]*\1\s*(?:,\s*(?:(["'])(?:r|rb|rt|utf-?8)\2|encoding\s*=\s*(["'])[\w-]+\3))*\s*\)/gi;

/** Why code may change something that it does not name, as a clause; null when it cannot. */
export function judgeCode(code: string): string | null {
  const rest = code.replaceAll(READS, "");
  const runs = RUNS.exec(rest)?.[0];
  if (runs !== undefined) return `its code could run another program (${shown(runs)})`;
  const acts = ACTS.exec(rest)?.[0];
  const reaches = REACHES.exec(rest)?.[0];
  if (acts === undefined || reaches === undefined) return null;
  return `its code could write to a path that cannot be told before it runs (${shown(acts)}, ${shown(reaches)})`;
}

/** `awk` writes to what follows `>`, and runs what is piped. A name in quotes is seen by the guard. */
export function judgeAwk(script: string): string | null {
  const runs = /\bsystem\s*\(|\|\s*["(\w]|["\w)]\s*\|\s*getline|\|&|@(?:load|include)/.test(
    script.replaceAll("||", ""),
  );
  const writes = /\bprintf?\b[^;}\n]*>{1,2}\s*(?!\s|"[^"\\]*"\s*(?:[;}\n]|$))/.test(script);
  return runs || writes ? "its script could write a file or run a command" : null;
}

/** `sed` runs and writes with the commands `e` and `w` only. */
export function judgeSed(script: string): string | null {
  return /(?:^|[;\n{}\d$/!|,#])\s*(?:e\b|w\s)|\/[gpiIm\d]*[ew]/.test(script) ? judgeSedWrites(script) : null;
}

function judgeSedWrites(script: string): string | null {
  const harmless = /^s(.)(?:(?!\1).)*\1(?:(?!\1).)*\1[gpiIm\d]*$/s.test(script);
  return harmless ? null : "its script could write a file or run a command";
}

function shown(text: string): string {
  return text.trim().slice(0, 20);
}
