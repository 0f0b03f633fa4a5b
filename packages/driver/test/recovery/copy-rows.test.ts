import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { formatRow, statusHeader } from "../../src/core/status-line/index.js";
import { copyRows } from "../../src/recovery/copy-rows.js";
import { usePlace } from "../place.js";
import { row } from "../rows.js";

const path = usePlace();

const lines = (...ids: readonly number[]): string =>
  ids.map((id) => Buffer.from(formatRow(row(id))).toString()).join("");

describe("copyRows", () => {
  it("leaves a row out that was cut off, and takes the place of the old file with its next row", async () => {
    const whole = `${statusHeader}\n${lines(0, 1)}`;
    writeFileSync(path("s"), `${whole}${lines(2).slice(0, -9)}`);
    const seen: number[] = [];
    const copied = await copyRows(path("s"), ({ id }) => seen.push(id));
    expect([seen, copied.badLines]).toEqual([[0, 1], 0]);
    expect(copied.tornBytes).toBe(lines(2).length - 9);
    const old = await open(path("s"), "a");
    const file = await copied.replace({ sync: true });
    // What a driver of before still writes goes nowhere.
    await old.write("late row of the old driver\n");
    await old.close();
    await file.append(Buffer.from(lines(3)));
    await file.close();
    expect(readFileSync(path("s"), "utf8")).toBe(`${whole}${lines(3)}`);
    expect(statSync(path("s")).mode & 0o777).toBe(0o600);
    expect(readdirSync(path())).toEqual(["s"]);
  });

  it("reads rows however they lie in pieces, and keeps lines that are none", async () => {
    const many = Array.from({ length: 5_000 }, (_, id) => id);
    writeFileSync(path("s"), `${lines(...many)}no row\n${lines(5_000)}`);
    const seen: number[] = [];
    const copied = await copyRows(path("s"), ({ id }) => seen.push(id));
    expect(seen).toEqual([...many, 5_000]);
    expect([copied.badLines, copied.tornBytes]).toEqual([1, 0]);
    await (await copied.replace({ sync: false })).close();
    expect(readFileSync(path("s"), "utf8")).toBe(`${lines(...many)}no row\n${lines(5_000)}`);
  });

  it("leaves all as it was when it is not wanted, and says what cannot be read", async () => {
    writeFileSync(path("s"), lines(0));
    const copied = await copyRows(path("s"), () => undefined);
    await copied.discard();
    expect(readdirSync(path())).toEqual(["s"]);
    await expect(copyRows(path("missing"), () => undefined)).rejects.toThrow(
      `cannot go on with the status file ${path("missing")}: no such file or directory`,
    );
  });
});
