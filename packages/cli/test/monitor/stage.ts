import type { Snapshot } from "@taskmuster/kvs/protocol";
import type { Effect } from "../../src/monitor/model/effect.js";
import { SnapshotReader } from "../../src/monitor/model/look.js";
import {
  type Happening,
  type Model,
  type RunEnd,
  happened,
  newModel,
} from "../../src/monitor/model/model.js";
import { pressed } from "../../src/monitor/model/press.js";
import { Watch } from "../../src/monitor/model/watch.js";
import type { Look } from "../../src/monitor/render/palette.js";
import { render } from "../../src/monitor/render/render.js";

const plain: Look = { colours: "plain", utf8: true };

/** A monitor without a terminal, a store and a clock. */
export class Stage {
  now = 1_000_000;
  model: Model;
  readonly effects: Effect[] = [];
  readonly #reader = new SnapshotReader();
  readonly #watch = new Watch();

  constructor(columns = 80, rows = 24) {
    this.model = newModel("/home/ada/sweep/sweep_disBatch_261121021500_407", { columns, rows }, this.now);
  }

  /** Looks once, `afterMs` after the last time. */
  see(snapshot: Snapshot, afterMs = 1_000, end: RunEnd | null = null): this {
    this.now += afterMs;
    const look = this.#reader.read(snapshot);
    if (look === null) return this.happen({ kind: "ended", end });
    return this.happen({ kind: "picture", picture: this.#watch.see(look, this.now, 1_000) });
  }

  happen(happening: Happening, afterMs = 0): this {
    this.now += afterMs;
    this.model = happened(this.model, happening, this.now);
    return this;
  }

  press(...keys: readonly string[]): this {
    for (const key of keys) {
      const { model, effect } = pressed(this.model, key, this.now);
      this.model = model;
      if (effect !== null) this.effects.push(effect);
    }
    return this;
  }

  type(text: string): this {
    return this.press(...text);
  }

  lines(look: Look = plain): readonly string[] {
    return render(this.model, look);
  }

  /** As a file shows it: without blanks at the ends of lines, with escape sequences that can be read. */
  screen(look: Look = plain): string {
    const lines = this.lines(look).map((line) =>
      line
        .replaceAll("\u001b[m", "»")
        // oxlint-disable-next-line no-control-regex -- the beginning of an escape sequence
        .replaceAll(/\u001b\[([\d;]+)m/g, "«$1:")
        .trimEnd(),
    );
    return `${lines.join("\n")}\n`;
  }

  /** The first line that holds `words`; fails with the whole screen. */
  line(words: string): string {
    const found = this.lines().find((line) => line.includes(words));
    if (found === undefined) throw new Error(`no line with ${JSON.stringify(words)} in\n${this.screen()}`);
    return found.trimEnd();
  }

  /** Host names of the engines that are shown, in order. */
  hosts(): readonly string[] {
    return this.model.tree.rows.flatMap((row) => (row.kind === "engine" ? [row.host] : []));
  }

  /** Host of the engine, or label of the context, under the cursor. */
  selected(): string | undefined {
    const row = this.model.tree.rows[this.model.engineCursor.index];
    return row?.kind === "context" ? row.label : row?.host;
  }
}
