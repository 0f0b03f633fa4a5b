import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { until } from "./harness.js";

/** Null: there is a tmux; else how to get one. */
export const noTmux =
  spawnSync("tmux", ["-V"]).status === 0
    ? null
    : "tmux is missing: apt-get install tmux (or brew install tmux)";

export interface TerminalOptions {
  readonly columns?: number;
  readonly rows?: number;
  readonly env?: Readonly<Record<string, string>>;
}

let terminals = 0;

/** A real terminal of a given size (a tmux of its own) with an interactive shell in it. */
export class Terminal {
  readonly #socket: string;

  /** `dir`: where its socket lies, and the shell starts. */
  constructor(dir: string, { columns = 80, rows = 24, env = {} }: TerminalOptions = {}) {
    // A server that is told to end does not do so at once: the next one has a socket of its own.
    this.#socket = join(dir, `.tmux-${++terminals}`);
    const variables = Object.entries({ LC_ALL: "C.UTF-8", ...env }).flatMap(([name, value]) => [
      "-e",
      `${name}=${value}`,
    ]);
    const size = ["-x", String(columns), "-y", String(rows)];
    this.#tmux(
      "-f",
      "/dev/null",
      "new-session",
      "-d",
      ...size,
      "-c",
      dir,
      ...variables,
      "PS1='$ ' exec bash --norc --noprofile -i",
    );
  }

  /** What a person sees, blanks at the ends of lines left out. */
  get screen(): string {
    return this.#tmux("capture-pane", "-p");
  }

  /** The same with its escape sequences. */
  get colours(): string {
    return this.#tmux("capture-pane", "-p", "-e");
  }

  /** `cursor alternate wrap`: what a program has to leave as it found it. */
  get modes(): string {
    return this.#tmux("display-message", "-p", "#{cursor_flag} #{alternate_on} #{wrap_flag}").trim();
  }

  type(text: string): void {
    this.#tmux("send-keys", "-l", text);
  }

  /** Keys by the names that tmux has for them. */
  press(...keys: readonly string[]): void {
    this.#tmux("send-keys", ...keys);
  }

  resize(columns: number, rows: number): void {
    this.#tmux("resize-window", "-x", String(columns), "-y", String(rows));
  }

  /** Waits until all of this can be seen. */
  async shows(...words: readonly (string | RegExp)[]): Promise<void> {
    await until(`the screen shows ${words.join(", ")}`, () => {
      const { screen } = this;
      const all = words.every((word) =>
        typeof word === "string" ? screen.includes(word) : word.test(screen),
      );
      return all ? true : `\n${screen}`;
    });
  }

  async hides(words: string): Promise<void> {
    await until(`the screen no longer shows ${words}`, () => {
      const { screen } = this;
      return screen.includes(words) ? `\n${screen}` : true;
    });
  }

  /** The first line that holds `words`. */
  line(words: string): string {
    return this.screen.split("\n").find((line) => line.includes(words)) ?? "";
  }

  close(): void {
    spawnSync("tmux", ["-S", this.#socket, "kill-server"]);
  }

  #tmux(...args: readonly string[]): string {
    const { status, stdout, stderr } = spawnSync("tmux", ["-u", "-S", this.#socket, ...args], {
      encoding: "utf8",
      env: { ...process.env, TMUX: undefined },
    });
    if (status !== 0) throw new Error(`tmux ${args.join(" ")}: ${stderr}`);
    return stdout;
  }
}
