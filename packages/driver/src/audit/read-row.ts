import { identityOf, mostId } from "../core/row-scanner.js";
import { kindOfFlag, statusHeader } from "../core/status-line/index.js";
import type { AuditRow, RowFault } from "../core/audit/audit-row.js";

/**
 * Reads what an audit needs of a line of a status file, given without its line end. What it takes for a row a resume does too.
 * `withIdentity`: else `identity` is 0.
 */
export function readRow(line: Buffer, withIdentity: boolean): AuditRow | RowFault {
  let commandAt = 0;
  for (let column = 1; column < names.length; column++) {
    commandAt = line.indexOf(tab, commandAt) + 1;
    if (commandAt === 0) return line.includes(0) ? zeros : { what: "columns", found: column };
  }
  // Any bytes will do where no digits are wanted.
  const before = line.toString("latin1", 0, commandAt);
  const found = shape.exec(before);
  if (found === null) return faultOf(before);
  const [, r, o, e, flag, barrier, id, lineNumber, repeat, pid, code, elapsed, start, finish, out, err] =
    found;
  if (Number(id) > mostId) return { what: "column", name: names[1] ?? "" };
  const [outBytes, errBytes] = [Number(out), Number(err)];
  const kind = kindOfFlag[flag ?? barrier ?? ""] ?? "task";
  return {
    kind,
    id: Number(id),
    line: Number(lineNumber),
    pid: Number(pid),
    returnCode: Number(code),
    elapsed: Number(elapsed),
    start: Number(start),
    finish: Number(finish),
    flagsAgree:
      barrier !== undefined ||
      ((r === "R") === (Number(code) !== 0) && (o === "O") === outBytes > 0 && (e === "E") === errBytes > 0),
    identity: withIdentity ? identityOf(Number(lineNumber), Number(repeat), line.subarray(commandAt)) : 0,
  };
}

export function isHeader(line: Buffer): boolean {
  return line.toString("latin1", 0, statusHeader.length) === statusHeader;
}

/** The id of a row that was cut off somewhere; null: it cannot be told. */
export function idOfTorn(line: Buffer): number | null {
  const found = /^(?:[R ][O ][E ][ T]|[BC] {4})\t(\d{1,9})\t/.exec(line.toString("latin1", 0, 32));
  return found === null ? null : Number(found[1]);
}

/** Which of the columns is wrong. `before`: all but the last, each with its tab. */
function faultOf(before: string): RowFault {
  if (before.includes("\0")) return zeros;
  const columns = before.split("\t");
  const at = shapes.findIndex((each, index) => !new RegExp(`^${each}$`).test(columns[index] ?? ""));
  return { what: "column", name: names[at] ?? "" };
}

const zeros: RowFault = { what: "zeros" };
const tab = 9;
const names = statusHeader.split("\t");
const wholeNumber = String.raw`(-?\d{1,15})`;
const natural = String.raw`(\d{1,15})`;
const seconds = String.raw`(-?\d{1,15}\.\d{3})`;
const quoted = `(?:'[^\\t]*'|"[^\\t]*")`;
/** All columns but the command. */
const shapes = [
  String.raw`(?:([R ])([O ])([E ])([ TPSZ])|([BC]) {4})`,
  natural,
  natural,
  wholeNumber,
  String.raw`[^\t]*`,
  wholeNumber,
  String.raw`(-?\d{1,9})`,
  seconds,
  seconds,
  seconds,
  natural,
  quoted,
  natural,
  quoted,
];
const shape = new RegExp(`^${shapes.join("\\t")}\\t$`);
