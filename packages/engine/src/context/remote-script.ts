import { Buffer } from "node:buffer";

export interface RemoteScriptOptions {
  /** Absolute path of a Node.js that may not be there on that node. Bytes for what is not UTF-8. */
  readonly node: string | Uint8Array;
  readonly engineScript: string | Uint8Array;
  readonly cwd: string | Uint8Array;
  /** Names and values of variables to set. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** Printed on standard output when the node can be reached, before anything else happens there. */
export const upMark = "TM-UP";
/** Printed, with the engine's exit status, when the engine and its guardian are dead. */
export const endMark = "TM-END";

/**
 * What is run on another node: it reads one line from its standard input and does what that says. Whatever shell takes these words apart, or
 * none: the quotes are for a login shell, as ssh runs one.
 */
export const bootstrap = 'IFS= read -r l; eval "$l"';

/**
 * The line of sh that starts an engine. It uses nothing but what POSIX has, is plain ASCII without a quote that matters, and
 * any byte may be in the paths, which so never pass through another shell's quoting.
 *
 * The engine's descriptor 3 is a pipe that only it and its guardian hold, so its end means that both are dead. Signals of a
 * scheduler are ignored, so that there is someone left to say so; Node.js sets its own signal handling at its start.
 */
export function remoteScript(options: RemoteScriptOptions): string {
  const variables = Object.entries(options.variables ?? {}).map(
    ([name, value]) => `${take("v", value)}; export ${variableName(name)}="$v"`,
  );
  return [
    "trap '' HUP INT TERM USR1 USR2",
    `printf '\\n${upMark}\\n'`,
    `die() { printf 'engine: %s\\n' "$1" >&2; printf '\\n${endMark} 127\\n'; exit 127; }`,
    take("n", options.node),
    take("e", options.engineScript),
    take("c", options.cwd),
    ...variables,
    `if ! [ -f "$n" ] || ! [ -x "$n" ]; then m=$n; n=$(command -v node) || die "there is no Node.js: $m is not there, and no node is on PATH ($PATH)"; ` +
      `v=$("$n" -p 'parseInt(process.versions.node)' 2>/dev/null) || v=0; ` +
      `[ "$v" -ge ${oldestNode} ] 2>/dev/null || die "the only Node.js is too old: $n has version $v, ${oldestNode} is needed, and $m is not there"; fi`,
    '[ -r "$e" ] || die "cannot read $e; is the directory on a file system that this node shares?"',
    'cd "$c" 2>/dev/null || die "cannot go to the directory $c; is it on a file system that this node shares?"',
    // Fed back through a descriptor of its own: a background or pipeline process may find its standard input closed.
    `exec 4<&0; { "$n" "$e" <&4 3>&1 >/dev/null 4<&-; echo $?; } | { exec 4<&-; read -r s; while read -r x; do :; done; printf '\\n${endMark} %s\\n' "\${s:=137}"; exit "$s"; }`,
  ].join("; ");
}

/** Sets a shell variable. `x`: a command's last line ends would be cut off. */
function take(variable: string, value: string | Uint8Array): string {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  if (bytes.includes(0)) throw new RangeError("a path or variable cannot hold a NUL byte");
  const encoded = Array.from(bytes, (byte) => `\\0${byte.toString(8).padStart(3, "0")}`).join("");
  return `${variable}=$(printf %bx '${encoded}'); ${variable}=\${${variable}%x}`;
}

function variableName(name: string): string {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) throw new RangeError(`not a variable's name: ${name}`);
  return name;
}

const oldestNode = 20;
